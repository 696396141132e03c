// The stream of what changes (server-sent events), read by hand and not by the browser's own reader: that one cannot come back with
// its last id after a reload, hides the comments that show the stream to be alive, and gives up where the daemon answers with a problem.
//
// Every event that has an id moves the place to come back to; it is kept in the tab, so that a reload misses no step. An event
// without one (a scan) moves nothing. Silence of 40 s, where the daemon speaks every 15 s, counts as a lost stream.

import { tab } from "./keep.js";

const SILENCE_MS = 40_000;
const PAUSES_MS = [200, 500, 1000, 2000];

/// Listens until the page goes. `heard(event, data)` for each event; `opened()` after each coming back; `closed(status)` when it is lost:
/// what it waits for is waited for before the stream is asked for again.
export async function listen({ heard, opened, closed }) {
  for (let attempt = 0; ; attempt += 1) {
    let status = 0;
    const away = new AbortController();
    try {
      const last = tab.get("last");
      const headers = last === null ? {} : { "Last-Event-ID": String(last) };
      const answer = await fetch("/v1/events", { headers, cache: "no-store", signal: away.signal });
      status = answer.status;
      if (answer.ok) {
        attempt = 0;
        opened();
        await follow(answer.body.getReader(), away, heard);
      } else if (status === 400) {
        // The place to come back to is not one of this daemon's.
        tab.set("last", null);
      }
    } catch {
      // Lost: the pause and the next attempt are all there is to do.
    }
    away.abort();
    await closed(status);
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]));
  }
}

async function follow(reader, away, heard) {
  const decoder = new TextDecoder();
  const parser = new Parser(heard);
  for (;;) {
    const silence = setTimeout(() => away.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    parser.push(decoder.decode(value, { stream: true }));
  }
}

/// Server-sent events out of their text (WHATWG HTML 9.2.6), as far as the daemon uses them.
export class Parser {
  #rest = "";
  #event = "";
  #data = [];
  #id = null;

  constructor(heard) {
    this.heard = heard;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === "") return this.#end();
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value ?? "");
    else if (field === "id" && /^\d+$/.test(value)) this.#id = Number(value);
  }

  #end() {
    if (this.#data.length > 0) this.heard(this.#event || "message", JSON.parse(this.#data.join("\n")));
    // Only once it was taken: what was not is asked for again.
    if (this.#id !== null) tab.set("last", this.#id);
    this.#event = "";
    this.#data = [];
    this.#id = null;
  }
}
