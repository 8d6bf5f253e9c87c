// Asking the server. What it refuses is a Problem, which says why, where, and what would do instead.

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";

export class Problem extends Error {
  constructor(status, facts) {
    super(facts.detail ?? "The server cannot be reached. Nothing was changed: try again.");
    this.status = status;
    this.facts = facts;
  }

  /** Whether it is a rule that says no, so that another time may do, or an override. */
  get isRefusal() {
    return this.status === 409 && this.facts.code !== "wrong-state" && this.facts.code !== "key-reused";
  }
}

export class Server {
  constructor(home) {
    this.home = home;
  }

  path(...parts) {
    return [this.home, ...parts.map(encodeURIComponent)].join("/");
  }

  /** The answer's JSON; null when it is still the one that `tag` marks. */
  async get(path, { tag = "", signal } = {}) {
    const headers = { accept: "application/json" };
    if (tag) headers["if-none-match"] = `"${tag}"`;
    const response = await this.#ask(path, { headers, signal, cache: "no-store" });
    if (response.status === 304) return null;
    const value = await this.#read(response);
    const mark = response.headers.get("etag")?.replace(/^(?:W\/)?"|"$/g, "") ?? "";
    return { value, tag: mark };
  }

  /** The answer to a change. The key makes sending it twice do it once. */
  async post(path, body, key = crypto.randomUUID()) {
    const headers = {
      accept: "application/json", "content-type": "application/json", "x-csrf-token": csrf, "idempotency-key": key,
    };
    return this.#read(await this.#ask(path, { method: "POST", headers, body: JSON.stringify(body) }));
  }

  async #ask(path, options) {
    try {
      return await fetch(path, { credentials: "same-origin", redirect: "manual", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, {});
    }
  }

  async #read(response) {
    if (response.status === 401) throw new Problem(401, { detail: "You are signed out. Load the page again to sign in." });
    let value = {};
    try {
      value = await response.json();
    } catch {
      if (response.ok) throw new Problem(0, {});
    }
    if (!response.ok) throw new Problem(response.status, value);
    return value;
  }
}
