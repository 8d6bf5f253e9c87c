/* Helps where the pages for members would do without: copying, more rows, shades of a colour, and reading a logo. */
(() => {
  "use strict";
  document.documentElement.classList.add("is-scripted");

  for (const input of document.querySelectorAll("input[data-whole]")) input.value = new URL(input.value, location.href).href;

  for (const box of document.querySelectorAll(".copy[data-copy]")) {
    const input = box.querySelector("input");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = box.dataset.copy;
    button.addEventListener("click", async () => {
      input.select();
      try { await navigator.clipboard.writeText(input.value); } catch { document.execCommand("copy"); }
      button.textContent = box.dataset.copied;
      setTimeout(() => { button.textContent = box.dataset.copy; }, 2000);
    });
    box.append(button);
  }

  for (const group of document.querySelectorAll(".openings[data-more]")) {
    if (!group.querySelector("[data-spare]")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain more";
    button.textContent = group.dataset.more;
    const name = group.closest("[role=group]")?.querySelector(".name")?.textContent;
    if (name) button.setAttribute("aria-label", `${name}: ${group.dataset.more}`);
    button.addEventListener("click", () => {
      const row = group.querySelector("[data-spare]");
      row.removeAttribute("data-spare");
      row.querySelector("input").focus();
      if (!group.querySelector("[data-spare]")) button.remove();
    });
    group.append(button);
  }

  const form = document.querySelector("form[data-shades-from]");
  const colour = form?.querySelector("input[type=color]");
  colour?.addEventListener("input", async () => {
    form.querySelector("input[name='accent.own']").checked = true;
    const asked = colour.value;
    const answer = await fetch(`${form.dataset.shadesFrom}?accent=${encodeURIComponent(asked)}`);
    if (!answer.ok || colour.value !== asked) return;
    const shades = await answer.json();
    for (const picture of document.querySelectorAll("svg[data-shades]")) {
      for (const part of picture.querySelectorAll("[data-fill]")) {
        part.setAttribute("fill", shades[picture.dataset.shades][part.dataset.fill]);
      }
    }
  });

  const logo = document.querySelector("form[data-logo]");
  logo?.querySelector("input[type=file]").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    const wrong = logo.querySelector("#wrong-logo");
    logo.elements.data.value = "";
    wrong.hidden = !file || file.size <= Number(logo.dataset.most);
    if (!file || !wrong.hidden) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    logo.elements.media.value = file.type;
    logo.elements.data.value = btoa(text);
  });
  logo?.addEventListener("submit", (event) => { if (!logo.elements.data.value) event.preventDefault(); });
})();
