// Taking hold of something with a mouse, a pen or a finger, and following it until it is let go.
//
// A mouse drags once it has moved a bit: else it was a click. A finger drags once it has rested for a moment: else it scrolls.

const BIT = 4, REST = 10, REST_MILLISECONDS = 450;
const EDGE = 36;

export class Drag {
  #main;
  #calls;
  #held = null;
  #timer = 0;

  /** `main` scrolls when something is dragged to its edge. `calls`: take(event) gives what is taken hold of, and whether it
   * `canMove`, or null; begin(held), over(held, x, y) and end(held) follow it; cancel(held) when it is left where it was; free()
   * once nothing is held any more, and what comes of a click has come. */
  constructor(main, calls) {
    this.#main = main;
    this.#calls = calls;
    main.addEventListener("pointerdown", (event) => this.#take(event));
    addEventListener("pointermove", (event) => this.#follow(event));
    addEventListener("pointerup", (event) => this.#release(event));
    addEventListener("pointercancel", () => this.#leave());
    addEventListener("keydown", (event) => { if (event.key === "Escape" && this.#isOn) this.#leave(); }, { capture: true });
    // A finger that drags must not scroll too, nor open the menu that a long press opens elsewhere.
    main.addEventListener("touchmove", (event) => { if (this.#isOn) event.preventDefault(); }, { passive: false });
    main.addEventListener("contextmenu", (event) => { if (this.#held?.isFinger) event.preventDefault(); });
  }

  /** Whether something is pressed or dragged: drawn anew, it would lose its click, or the finger that rests on it. */
  get isHeld() {
    return this.#held !== null;
  }

  get #isOn() {
    return Boolean(this.#held?.isOn);
  }

  #take(event) {
    if (this.#held || !event.isPrimary || event.button) return;
    const what = this.#calls.take(event);
    if (!what) return;
    const { clientX: x, clientY: y, pointerId } = event;
    this.#held = { ...what, pointerId, x, y, isFinger: event.pointerType === "touch", isPulled: false, isOn: false };
    if (this.#held.isFinger && what.canMove) this.#timer = setTimeout(() => this.#begin(), REST_MILLISECONDS);
  }

  #begin() {
    const held = this.#held;
    if (held.isPulled) return;
    held.isPulled = true;
    swallowClick();
    if (!held.canMove) return;
    held.isOn = true;
    this.#calls.begin(held);
    this.#scroll();
  }

  #follow({ pointerId, clientX, clientY, buttons }) {
    const held = this.#held;
    if (held?.pointerId !== pointerId) return;
    // It was let go where nobody told us: over a menu of the browser, say.
    if (!buttons) return this.#leave();
    if (!held.isOn) {
      const distance = Math.hypot(clientX - held.x, clientY - held.y);
      if (held.isFinger && distance > REST) this.#leave();
      if (held.isFinger || distance < BIT) return;
      this.#begin();
      if (!held.isOn) return;
    }
    [held.x, held.y] = [clientX, clientY];
    this.#calls.over(held, clientX, clientY);
  }

  #release({ pointerId }) {
    const held = this.#held;
    if (held?.pointerId !== pointerId) return;
    this.#letGo();
    if (held.isOn) this.#calls.end(held);
  }

  #leave() {
    const held = this.#held;
    if (!held) return;
    this.#letGo();
    if (held.isOn) this.#calls.cancel(held);
  }

  #letGo() {
    clearTimeout(this.#timer);
    this.#held = null;
    setTimeout(() => this.#calls.free());
  }

  /** Scroll while it is near an edge, the faster the nearer. */
  #scroll() {
    const held = this.#held;
    if (!held?.isOn) return;
    const box = this.#main.getBoundingClientRect();
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    const pull = (at, low, high) => (at < low + EDGE ? at - low - EDGE : at > high - EDGE ? at - high + EDGE : 0) / 3;
    const x = pull(held.x, box.left, box.right), y = pull(held.y, top, bottom);
    if (x || y) {
      this.#main.scrollBy(x, y);
      if (box.bottom > innerHeight || box.top < 0) scrollBy(0, y);
      this.#calls.over(held, held.x, held.y);
    }
    requestAnimationFrame(() => this.#scroll());
  }
}

/** What is pulled at is not clicked, wherever it is let go. */
function swallowClick() {
  const past = new AbortController(), { signal } = past;
  addEventListener("click", (event) => event.stopPropagation(), { capture: true, signal });
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => past.abort()), { signal });
  addEventListener("pointerdown", () => past.abort(), { signal });
}
