// Scanners that type: found by their speed, wherever the focus is, and taken out of the field that they typed into.
//
// A burst is a run of keys with at most `GAP_MS` between two of them. It is a scan if it has `LEAST` signs and ends with Enter or Tab,
// or with `LEAST_UNENDED` signs and silence. People do not type like that: what they type stays where it is, and Enter after it
// presses what it always presses; a key that is held down, or that something lies on, is no scan. Digits are taken from the place of the key where the layout makes something else of it (a scanner
// that types American on a French keyboard), as long as no shift is held; letters are taken as the layout gives them.
//
// Deliberately absent: guessing what was scanned. That is `arrival.js`.

/// The longest pause within a scan; slow scanners send a key every 40 ms, and a busy till delivers it late.
const GAP_MS = 90;
/// The silence after which nothing more of a scan comes.
export const SILENCE_MS = 3 * GAP_MS;
/// How short a scan may be: a person who hits four keys and Enter at this pace is not one.
const LEAST = 5;
/// The same where no key ends it.
const LEAST_UNENDED = 8;
/// How much is read of one scan, as the daemon does.
const MOST = 1024;

const MODIFIERS = new Set(["Shift", "CapsLock", "NumLock", "AltGraph", "Control", "Alt", "Meta"]);

/// Finds scans in keys; without a document, so that it can be tested alone.
export class Bursts {
  #text = "";
  #last = -Infinity;
  #ended = -Infinity;

  /// Takes a key; what it means: `{ begins }` (a burst begins with it), `{ goesOn }`, `{ scan }` (it ended one), `{ tail }` (one
  /// has ended just before: some scanners send two ends), or `{}`.
  key({ key, code = "", shift = false, at, repeat = false }) {
    if (MODIFIERS.has(key)) return {};
    // No scanner holds a key so long that the keyboard repeats it.
    if (repeat) {
      this.clear();
      return {};
    }
    const near = at - this.#last <= GAP_MS;
    if (key === "Enter" || key === "Tab") {
      const scan = near && this.#text.length >= LEAST ? this.#text : null;
      this.clear();
      if (scan !== null) this.#ended = at;
      else if (at - this.#ended <= GAP_MS) return { tail: true };
      return scan === null ? {} : { scan };
    }
    // Whatever comes after another key is no second end.
    this.#ended = -Infinity;
    const sign = signOf(key, code, shift);
    if (sign === null) {
      this.clear();
      return {};
    }
    const begins = !near || this.#text === "";
    this.#text = begins ? sign : (this.#text + sign).slice(0, MOST);
    this.#last = at;
    return begins ? { begins } : { goesOn: true };
  }

  /// After silence: the scan that no key ended. What is too short for one may be the beginning of one that a busy machine delivers late: whether
  /// the next key belongs to it, its own moment tells.
  silence() {
    if (this.#text.length < LEAST_UNENDED) return null;
    const scan = this.#text;
    this.clear();
    return scan;
  }

  clear() {
    this.#text = "";
    this.#last = -Infinity;
  }
}

function signOf(key, code, shift) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  if (digit && !shift && !/^\d$/.test(key)) return digit[1];
  return [...key].length === 1 ? key : null;
}

/// Listens on the page. `arrived(text)` for each scan; while nobody `wants` any, keys are left alone.
export function listenForScans(wants, arrived) {
  const bursts = new Bursts();
  let before = null;
  let silence = 0;
  let inBurst = false;
  const take = (scan) => {
    inBurst = false;
    if (before?.field.isConnected) {
      before.field.value = before.value;
      before.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    before = null;
    arrived(scan);
  };
  window.addEventListener("keydown", (event) => {
    if (!wants() || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    clearTimeout(silence);
    const field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement ? event.target : null;
    const seen = bursts.key({ key: event.key, code: event.code, shift: event.shiftKey, at: event.timeStamp, repeat: event.repeat });
    if (seen.begins) {
      inBurst = false;
      before = field && { field, value: field.value };
    }
    if (seen.goesOn) inBurst = true;
    if (seen.scan !== undefined) {
      // Not a press of whatever has the focus.
      event.preventDefault();
      event.stopImmediatePropagation();
      take(seen.scan);
      return;
    }
    if (seen.tail) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    // A blank within a burst presses no button and scrolls nothing.
    if (seen.goesOn && event.key === " " && !field) event.preventDefault();
    silence = setTimeout(() => {
      const scan = bursts.silence();
      inBurst = false;
      if (scan !== null) take(scan);
    }, SILENCE_MS);
  }, true);
  window.addEventListener("keyup", (event) => {
    if (event.key === " " && inBurst) event.preventDefault();
  }, true);
}
