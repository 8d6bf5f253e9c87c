// Small parts that the calendar is made of: elements, messages that can be undone, and what is read out.

/** An element. Attributes that are false or null are left out; functions listen. Text is never read as HTML. */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key === "value") element.value = value;
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A labelled field, with what is wrong with it. `read()` is what was typed. */
export function field(label, input, { hint = "" } = {}) {
  const id = `f-${crypto.randomUUID().slice(0, 8)}`;
  input.id = id;
  const wrong = h("p.wrong", { id: `${id}-wrong`, hidden: true });
  const about = hint ? h("p.hint", { id: `${id}-hint` }, hint) : null;
  const described = [about && `${id}-hint`, `${id}-wrong`].filter(Boolean).join(" ");
  input.setAttribute("aria-describedby", described);
  const element = h("div.field", {}, h("label", { for: id }, label), about, input, wrong);
  return Object.assign(element, {
    input,
    complain(text) {
      wrong.textContent = text;
      wrong.hidden = !text;
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    },
  });
}

/** Do it when what has been changed by now is on the screen; soon, where nobody looks. */
export function afterPaint(what) {
  if (document.hidden) return void setTimeout(what);
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = what;
    channel.port2.postMessage(null);
  });
}

const spoken = document.querySelector("#spoken");

/** Have it read out. The same words twice are read twice. */
export function say(text) {
  spoken.textContent = "";
  setTimeout(() => { spoken.textContent = text; }, 50);
}

const LASTS = 12_000;

/** Messages at the foot of the page. What can be undone is so by its button or by Ctrl+Z, latest first. */
export class Messages {
  #element;
  #undoable = [];

  constructor(element) {
    this.#element = element;
  }

  tell(text, { undo = null, isBad = false } = {}) {
    const close = () => {
      clearTimeout(timer);
      this.#undoable = this.#undoable.filter((each) => each !== entry);
      item.remove();
    };
    const entry = undo && { text, run: async () => { close(); await undo(); } };
    const item = h(
      `div.cal-message${isBad ? ".bad" : ""}`, {}, h("p", {}, text),
      entry && h("button.plain", { type: "button", click: entry.run }, "Undo"),
      h("button.plain.close", { type: "button", "aria-label": "Close this message", click: close }, "×"),
    );
    let timer = setTimeout(close, LASTS);
    item.addEventListener("pointerenter", () => clearTimeout(timer));
    item.addEventListener("focusin", () => clearTimeout(timer));
    item.addEventListener("pointerleave", () => { timer = setTimeout(close, LASTS); });
    if (entry) this.#undoable.push(entry);
    while (this.#element.children.length > 2) this.#element.firstElementChild.remove();
    this.#element.append(item);
    say(entry ? `${text}. Press Control Z to undo.` : text);
  }

  /** Undo what was done last. False when there is nothing. */
  undo() {
    const last = this.#undoable.pop();
    last?.run();
    return Boolean(last);
  }
}
