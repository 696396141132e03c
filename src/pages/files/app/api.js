// The door to the daemon: the same local API that till software uses, with the page's cookie for the token.
//
// A read is asked once. An act (`act`) is what a person meant once: it gets a key when it is first asked and keeps it until there is an
// answer, across lost connections, restarts of the daemon and reloads of the page; so a repeated click is the same request,
// and nothing is done twice. While nobody knows what became of it, it is asked again under its key and nothing else is offered.
// Both pages stand in one tab by turns and keep their acts side by side: each takes up only what it began itself, for only there is
// the person who meant it, and only there is it known what the answer is about.
//
// Fails as a `Problem` (the daemon has said why not) or, for reads, as `Lost` (it was not reached). An act is `Lost` only where it was
// given up (`forget`).

import { tab } from "./keep.js";

/// How long a read may take: a look at a voucher may take 10 s at the provider.
const READ_MS = 15_000;
/// How long one attempt of an act may take before it is asked again under its key.
const ACT_MS = 120_000;
/// Pauses between the attempts of an act.
const PAUSES_MS = [200, 400, 800, 1500, 2000];
/// Problems that say: not known yet, ask again under the same key.
const AGAIN = new Set(["answer_late", "still_working", "stopping", "too_many_connections", "internal", "voucher_in_use"]);

/// Why not, by the daemon's word.
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.code ?? `status_${status}`);
    this.status = status;
    this.code = body.code ?? `status_${status}`;
    this.cashier = body.cashier ?? "";
    this.reason = body.reason ?? "";
    this.retryAfter = retryAfter;
  }
}

/// The daemon was not reached.
export class Lost extends Error {}

/// Told of every change: `reached` or not, and `unpaired`.
const watchers = { reached: () => {}, unpaired: () => {} };
export function watch({ reached, unpaired }) {
  watchers.reached = reached;
  watchers.unpaired = unpaired;
}

async function once(method, path, { body, key, patience }) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let answer;
  let text;
  try {
    answer = await fetch(path, { method, headers, body, cache: "no-store", signal: AbortSignal.timeout(patience) });
    text = await answer.text();
  } catch (why) {
    watchers.reached(false);
    throw new Lost(String(why));
  }
  watchers.reached(true);
  if (answer.ok) return text === "" ? null : JSON.parse(text);
  if (answer.status === 401) watchers.unpaired();
  let told = {};
  try {
    told = JSON.parse(text);
  } catch {
    // Not the daemon's own words; the status is all there is.
  }
  throw new Problem(answer.status, told, Number(answer.headers.get("Retry-After")) || 0);
}

/// Reads something.
export const read = (path) => once("GET", path, { patience: READ_MS });

/// Asks for something that is safe to repeat and wants no key. `paper`: a printer works on it, which takes longer.
export const ask = (path, body, { paper = false } = {}) => once("POST", path, { body: body && JSON.stringify(body), patience: paper ? ACT_MS : READ_MS });

/// Ends something; safe to repeat.
export const drop = (path) => once("DELETE", path, { patience: READ_MS });

const running = new Map();
/// The keys of running acts that were given up.
const forgotten = new Set();

/// The acts that are kept for this page.
const ours = () => `act ${location.pathname} `;
const nameOf = (path) => ours() + path;

/// Acts once. `secret`: the body holds a code and is not kept for a reload.
export function act(path, body, { secret = false } = {}) {
  const text = JSON.stringify(body);
  const name = nameOf(path);
  const now = running.get(name);
  if (now?.text === text) return now.answer;
  const kept = tab.get(name);
  const key = kept?.key && (kept.body ?? text) === text && !secret ? kept.key : crypto.randomUUID();
  tab.set(name, { key, body: secret ? null : text });
  const answer = until(path, text, key).finally(() => {
    if (running.get(name)?.text === text) running.delete(name);
    if (tab.get(name)?.key === key) tab.set(name, null);
    forgotten.delete(key);
  });
  running.set(name, { text, answer, key });
  return answer;
}

/// Whether an act at this path is waiting for its answer.
export const acting = (path) => running.has(nameOf(path));

/// Gives up an act: it is not asked again, here or by a later life of this page. What became of it only the daemon knows.
export function forget(path) {
  const now = running.get(nameOf(path));
  if (now) forgotten.add(now.key);
  running.delete(nameOf(path));
  tab.set(nameOf(path), null);
}

/// The acts that this page, or an earlier life of it, began and never saw answered, to be asked again.
export function unanswered() {
  return tab.names(ours()).flatMap((name) => {
    const kept = tab.get(name);
    if (kept?.body) return [{ path: name.slice(ours().length), body: JSON.parse(kept.body) }];
    tab.set(name, null);
    return [];
  });
}

async function until(path, body, key) {
  for (let attempt = 0; ; attempt += 1) {
    let pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)];
    try {
      return await once("POST", path, { body, key, patience: ACT_MS });
    } catch (why) {
      if (why instanceof Problem) {
        if (!AGAIN.has(why.code)) throw why;
        pause = Math.max(pause, why.retryAfter * 1000);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (forgotten.has(key)) throw new Lost("given up");
  }
}
