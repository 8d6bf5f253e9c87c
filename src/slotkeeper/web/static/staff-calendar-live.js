// Learning that something has changed: by a stream where the server has one, else by asking again and again.

const EVERY = 2_000;

/** Calls `onNumber` with the number of the last event, whenever it may be a new one, and `onState` with whether the
 * server can be reached. */
export class Live {
  #server;
  #onNumber;
  #onState;
  #tag = "";
  #timer = 0;

  constructor(server, { streams, onNumber, onState }) {
    this.#server = server;
    this.#onNumber = onNumber;
    this.#onState = onState;
    if (streams) this.#listen();
    else this.#wait();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.ask(); });
  }

  async ask() {
    if (document.hidden) return;
    try {
      const answer = await this.#server.get(this.#server.path("changes"), { tag: this.#tag });
      this.#onState(true);
      if (!answer) return;
      this.#tag = answer.tag;
      this.#onNumber(answer.value.number);
    } catch (problem) {
      this.#onState(false, problem);
    }
  }

  #listen() {
    const source = new EventSource(this.#server.path("changes", "stream"));
    source.addEventListener("message", (event) => { this.#onState(true); this.#onNumber(Number(event.data)); });
    source.addEventListener("open", () => this.#onState(true));
    source.addEventListener("error", () => {
      // A browser tries again by itself, save when the stream was refused: then we ask as others do.
      if (source.readyState === EventSource.CLOSED) this.#wait();
      else this.#onState(false);
    });
    addEventListener("pagehide", () => source.close());
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => { await this.ask(); this.#wait(); }, EVERY);
  }
}
