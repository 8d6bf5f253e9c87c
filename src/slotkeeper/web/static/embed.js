/* Slotkeeper's booking pages within another page: an element <slotkeeper-booking>, or this script's own line.
   What it takes and tells: docs/how-to/embed-the-booking-page.md */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[src*='/embed.js']");
  const source = new URL(script.src);
  const base = source.origin + source.pathname.replace(/\/embed\.js$/, "");
  const WORDS = {
    en: ["Book an appointment", "Close", "Open the booking page"],
    es: ["Reservar una cita", "Cerrar", "Abrir la página de reservas"],
    fr: ["Prendre rendez-vous", "Fermer", "Ouvrir la page de réservation"],
    de: ["Termin buchen", "Schließen", "Die Buchungsseite öffnen"],
    ar: ["احجز موعدًا", "إغلاق", "افتح صفحة الحجز"],
  };
  const STYLE = `
    :host { display: block; }
    :host([hidden]) { display: none; }
    :host([mode="button"]) { display: inline-block; }
    :host([mode="popup"]) { position: fixed; inset-block-end: 1.25rem; inset-inline-end: 1.25rem; z-index: 2147483000; }
    .open, .shut { font: 600 1rem/1.4 system-ui, sans-serif; cursor: pointer; border-radius: 10px; }
    .open { min-height: 3rem; padding: 0.6rem 1.4rem; border: 1px solid transparent;
      background: var(--slotkeeper-accent, #0b6e5f); color: var(--slotkeeper-on-accent, #fff); }
    :host([mode="popup"]) .open { border-radius: 99px; box-shadow: 0 6px 24px rgb(0 0 0 / 25%); }
    .open:hover { filter: brightness(1.08); }
    :focus-visible { outline: 3px solid var(--slotkeeper-accent, #0b6e5f); outline-offset: 2px; }
    dialog { box-sizing: border-box; width: min(62rem, 100vw - 2rem); max-width: none; height: fit-content; max-height: calc(100dvh - 2rem);
      padding: 0; border: 0; border-radius: 16px; overflow: hidden; background: #fbfaf7; color: #1d2433;
      box-shadow: 0 20px 60px rgb(0 0 0 / 35%); }
    dialog::backdrop { background: rgb(16 20 28 / 55%); }
    .bar { display: flex; justify-content: flex-end; padding: 0.5rem 0.5rem 0; }
    .shut { min-width: 2.75rem; min-height: 2.75rem; border: 0; background: transparent; color: inherit; font-size: 1.5rem; line-height: 1; }
    iframe { display: block; width: 100%; border: 0; height: 34rem; color-scheme: light dark; background: transparent; }
    dialog iframe { max-height: calc(100dvh - 6rem); }
    .instead { padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
    .instead a { color: inherit; }
    @media (prefers-color-scheme: dark) { dialog { background: #12151c; color: #e8eaf0; } }
    @media (max-width: 40rem) {
      dialog { width: 100vw; height: 100dvh; max-height: none; margin: 0; border-radius: 0; }
      dialog iframe { max-height: calc(100dvh - 3.5rem); }
    }`;
  // A style sheet that is made in a script asks nothing of the policy of the page around it.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);

  class SlotkeeperBooking extends HTMLElement {
    static observedAttributes = ["business", "service", "mode", "label", "lang"];
    #frame = null;
    #dialog = null;
    #listening = null;

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      this.#listening = new AbortController();
      addEventListener("message", (event) => this.#hear(event), { signal: this.#listening.signal });
      this.#draw();
    }

    disconnectedCallback() {
      this.#listening.abort();
      this.close();
      this.shadowRoot.replaceChildren();
    }

    attributeChangedCallback(name, before, after) {
      if (before !== after && this.#listening && this.isConnected) this.#draw();
    }

    /** Show the dialog, where there is one. */
    open() {
      if (!this.#dialog || this.#dialog.open) return;
      if (!this.#frame) this.#dialog.append(this.#makeFrame());
      document.documentElement.style.overflow = "hidden";
      this.#dialog.showModal();
    }

    close() {
      if (this.#dialog && this.#dialog.open) this.#dialog.close();
    }

    get #language() {
      const near = this.closest("[lang]");
      return (near ? near.lang : navigator.language).slice(0, 2).toLowerCase();
    }

    get #words() {
      return WORDS[this.#language] || WORDS.en;
    }

    get #label() {
      return this.getAttribute("label") || this.#words[0];
    }

    get #address() {
      const named = [this.getAttribute("business") || script.dataset.business || "", this.getAttribute("service")];
      const address = new URL(`${base}/${named.filter(Boolean).map(encodeURIComponent).join("/")}`);
      address.searchParams.set("embed", "1");
      if (this.closest("[lang]") && WORDS[this.#language]) address.searchParams.set("lang", this.#language);
      return address.href;
    }

    #draw() {
      this.close();
      this.#frame = this.#dialog = null;
      const mode = this.getAttribute("mode");
      if (mode !== "button" && mode !== "popup") return this.shadowRoot.replaceChildren(this.#makeFrame());
      const opener = make("button", { className: "open", type: "button", textContent: this.#label, part: "button" });
      opener.setAttribute("aria-haspopup", "dialog");
      opener.addEventListener("click", () => this.open());
      this.shadowRoot.replaceChildren(opener, this.#makeDialog());
    }

    #makeDialog() {
      const dialog = make("dialog", { part: "dialog" });
      dialog.setAttribute("aria-label", this.#label);
      const shut = make("button", { className: "shut", type: "button", textContent: "×", part: "close" });
      shut.setAttribute("aria-label", this.#words[1]);
      shut.addEventListener("click", () => dialog.close());
      const bar = make("div", { className: "bar" });
      bar.append(shut);
      dialog.append(bar);
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
      dialog.addEventListener("close", () => {
        document.documentElement.style.overflow = "";
        if (this.#frame && this.#frame.dataset.done) {
          this.#frame.remove();
          this.#frame = null;
        }
      });
      return (this.#dialog = dialog);
    }

    #makeFrame() {
      const frame = make("iframe", { title: this.#label, name: `slotkeeper ${location.origin}`, src: this.#address, part: "frame" });
      // A page that may not show ours is told nothing: nobody should look at an empty box.
      setTimeout(() => frame.isConnected && !frame.dataset.here && frame.replaceWith(this.#makeLink()), 8000);
      return (this.#frame = frame);
    }

    #makeLink() {
      const address = new URL(this.#address);
      address.searchParams.delete("embed");
      const line = make("p", { className: "instead" });
      line.append(make("a", { href: address.href, target: "_blank", rel: "noopener", textContent: this.#words[2] }));
      return line;
    }

    /** Only what our own pages say in our own frame is heard. */
    #hear(event) {
      const { origin, source: from, data } = event;
      if (origin !== source.origin || !this.#frame || from !== this.#frame.contentWindow || !data || data.slotkeeper !== 1) return;
      if (data.is === "here") this.#arrive();
      if (data.is === "height" && data.height > 0) this.#frame.style.height = `${Math.min(data.height, 20_000)}px`;
      if (data.is === "escape") this.close();
      if (data.is === "booked") {
        this.#frame.dataset.done = "1";
        const detail = { business: this.getAttribute("business") || script.dataset.business };
        this.dispatchEvent(new CustomEvent("slotkeeper:booked", { bubbles: true, composed: true, detail }));
      }
    }

    #arrive() {
      // The next step begins at its top.
      if (this.#frame.dataset.here && !this.#dialog && this.getBoundingClientRect().top < 0) this.scrollIntoView();
      this.#frame.dataset.here = "1";
    }
  }

  function make(tag, { part, ...facts }) {
    const element = Object.assign(document.createElement(tag), facts);
    if (part) element.setAttribute("part", part);
    return element;
  }

  /** The line of the script is itself an element where the page has written none. */
  function stand() {
    if (!script.dataset.business || document.querySelector("slotkeeper-booking:not([data-of-script])")) return;
    const element = document.createElement("slotkeeper-booking");
    for (const name of ["business", "service", "mode", "label"]) {
      if (script.dataset[name]) element.setAttribute(name, script.dataset[name]);
    }
    element.dataset.ofScript = "";
    if (document.head.contains(script)) document.body.append(element);
    else script.after(element);
  }

  if (!customElements.get("slotkeeper-booking")) customElements.define("slotkeeper-booking", SlotkeeperBooking);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", stand);
  else stand();
})();
