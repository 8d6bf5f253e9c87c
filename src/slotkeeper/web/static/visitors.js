/* What the pages for visitors do beyond what they do without a script: they find out the visitor's time zone, keep a
   time while its form is filled in, send a form once, and tell the page around them how high they are. */
(() => {
  "use strict";
  const page = document.body;
  const home = page.dataset.home;
  const query = new URLSearchParams(location.search);

  /** Have every link and form of the business's pages say `name=value`. */
  function carry(name, value) {
    if (!home) return;
    for (const link of document.querySelectorAll("a[href]:not([href^='#'])")) {
      const there = ours(link.href);
      if (there) link.href = said(there, name, value);
    }
    for (const form of document.forms) {
      if (form.method === "post") {
        form.action = said(new URL(form.action), name, value);
        for (const button of form.querySelectorAll("[formaction]")) {
          button.formAction = said(new URL(button.formAction), name, value);
        }
      } else if (!form.elements[name]) {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value });
        form.append(field);
      }
    }
  }

  function ours(address) {
    const there = new URL(address);
    const isBelow = there.pathname === home || there.pathname.startsWith(`${home}/`);
    return there.origin === location.origin && isBelow ? there : null;
  }

  function said(address, name, value) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
    return address.href;
  }

  /** The name of the visitor's zone. The first one to ask for it waits as long as it takes to lay out the page. */
  const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

  /** A page whose times the visitor's zone would change is asked for again, once. Whether this page stays is what comes
      back. At a place its own clock counts, and the visitor's is told beside it where it differs; a remote visit is told
      by the visitor's alone, and by the name of their zone. */
  function hasRightTimes() {
    const { at, minutes, zone } = page.dataset;
    if (!home || !at || query.has("zone")) return true;
    const isSame = zone === undefined ? -new Date(at * 1000).getTimezoneOffset() === Number(minutes) : ownZone() === zone;
    if (isSame || !ownZone()) return true;
    location.replace(said(new URL(location.href), "zone", ownZone()));
    return false;
  }

  /** The zone of the visitor's clock goes along. */
  function carryZone() {
    const own = ownZone();
    if (home && own && !query.has("zone")) carry("zone", own);
  }

  /** Send once: a second tap while the first is under way does nothing. What `onSend` gives is waited for. */
  function sendOnce(form, onSend) {
    const button = form.querySelector("button[data-busy]");
    const label = button.textContent;
    const free = () => {
      button.disabled = false;
      button.textContent = label;
    };
    form.addEventListener("submit", (event) => {
      if (button.disabled) return event.preventDefault();
      const underWay = onSend();
      if (underWay) {
        event.preventDefault();
        return underWay.then(() => form.requestSubmit());
      }
      button.disabled = true;
      button.textContent = button.dataset.busy;
    });
    addEventListener("pageshow", (event) => event.persisted && free());
  }

  /** Keep the form's time for five minutes, and for five more while somebody types; give it back when they leave. */
  function keepTime(form) {
    const MINUTE = 60_000, LONGEST = 5000;
    const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
    const line = document.getElementById("hold");
    const news = document.getElementById("news");
    const field = form.elements.hold;
    const { holds, service, start, person, seconds } = form.dataset;
    let until = 0, isExtended = false, isTold = false, isSent = false, typedAt = 0, ticking = 0, attempt = 0, asking = null;

    async function take() {
      const mine = ++attempt;
      // It is asked for once and for both spans, as nothing could be lost between giving back and taking again.
      const wanted = { serviceId: service, startTime: start, resourceIds: person ? [person] : [], seconds: 600 };
      const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
      for (const wait of [100, 1500]) {
        await sleep(wait);
        if (mine !== attempt || isSent) return;
        asking = ask(wanted, key, mine);
        const isLost = await asking;
        asking = null;
        if (!isLost) return;
      }
      say(line.dataset.lost);
    }

    /** Ask for the time, and begin to keep it. Whether somebody else has it is what comes back. */
    async function ask(wanted, key, mine) {
      const answer = await fetch(holds, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(wanted),
      }).catch(() => null);
      if (!answer || !answer.ok) return answer !== null && answer.status === 409 && mine === attempt && !isSent;
      const { id } = await answer.json();
      if (mine !== attempt || isSent) giveBack(id);
      else begin(id, 5 * MINUTE);
      return false;
    }

    function begin(id, left) {
      field.value = id;
      until = Date.now() + left;
      isTold = false;
      carry("hold", id);
      // Who loads the page again is not told that their own hold has taken their time.
      history.replaceState(history.state, "", said(new URL(location.href), "hold", id));
      tick();
      clearInterval(ticking);
      ticking = setInterval(tick, 1000);
    }

    function tick() {
      const left = until - Date.now();
      if (left <= MINUTE && !isExtended && Date.now() - typedAt < MINUTE) {
        isExtended = true;
        until += 5 * MINUTE;
        news.textContent = news.dataset.more;
        return tick();
      }
      if (left <= 0) return end();
      if (left <= MINUTE && !isTold) {
        isTold = true;
        news.textContent = news.dataset.minute;
      }
      const whole = Math.ceil(left / 1000);
      say(line.dataset.kept, `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`);
    }

    function end() {
      leave();
      say(line.dataset.over);
      news.textContent = line.dataset.over;
    }

    /** The text, with how much time is left in a box of its own: its digits run from the left in every language. */
    function say(text, left) {
      const [before, after] = text.split("{left}");
      const parts = [before];
      if (left !== undefined) {
        const box = document.createElement("b");
        box.dir = "ltr";
        box.textContent = left;
        parts.push(box, after || "");
      }
      line.replaceChildren(...parts);
    }

    function giveBack(id) {
      fetch(`${holds}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
    }

    function leave() {
      clearInterval(ticking);
      attempt++;
      if (!field.value) return;
      giveBack(field.value);
      field.value = "";
    }

    form.addEventListener("input", () => { typedAt = Date.now(); });
    addEventListener("pagehide", () => { if (!isSent) leave(); });
    addEventListener("pageshow", (event) => { if (event.persisted && !isSent) take(); });
    // Only a page that answers a form has a hold already. What Back brings along has been given back.
    if (Number(seconds) > 0) begin(field.value, Math.min(Number(seconds) * 1000, 5 * MINUTE));
    else {
      field.value = "";
      take();
    }
    return () => {
      // A hold that we are not told of yet would be the rival of what is sent without it.
      if (asking) return Promise.race([asking, sleep(LONGEST)]).finally(() => { asking = null; });
      isSent = true;
      clearInterval(ticking);
      return null;
    };
  }

  /** Tell the page around us, and nobody else: `embed.js` has left its origin in the frame's name. */
  function tellAround() {
    const around = /^slotkeeper (https?:\/\/\S+)$/.exec(window.name);
    if (!around || window.parent === window) return;
    const tell = (message) => window.parent.postMessage({ slotkeeper: 1, ...message }, around[1]);
    page.classList.add("framed");
    tell({ is: "here" });
    const measure = () => tell({ is: "height", height: Math.ceil(page.getBoundingClientRect().height) });
    new ResizeObserver(measure).observe(page);
    addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && tell({ is: "escape" }));
    const [entry] = performance.getEntriesByType("navigation");
    const isNew = entry && entry.type === "navigate" && query.get("new") && /\/visit\/[^/]+\/[^/]+$/.test(location.pathname);
    if (isNew) tell({ is: "booked" });
  }

  /** Do it once the page has been seen; at once where nobody looks. */
  function onceSeen(what) {
    if (document.hidden || !PerformanceObserver.supportedEntryTypes.includes("paint")) return what();
    new PerformanceObserver((list, observer) => {
      observer.disconnect();
      what();
    }).observe({ type: "paint", buffered: true });
  }

  tellAround();
  if (hasRightTimes()) {
    const details = document.getElementById("details");
    if (details) sendOnce(details, keepTime(details));
    onceSeen(carryZone);
    // Who has pressed before that takes it along too; Enter makes a click as well.
    addEventListener("click", carryZone, { capture: true, once: true });
  }
  // Browsers do not follow `autofocus` in a frame of another origin.
  const first = document.querySelector("[autofocus]");
  if (first && window.parent !== window) first.focus();
})();
