// What the journal is asked for, from what was scanned or typed.
//
// A search goes into an address, and with an export into the browser's list of downloads: the code of a card or a voucher does not belong there (law L11).
// So of a scan only what stands on every package or slip goes out whole, and of anything else its last 4.

import { plain, isSlipNumber, sameNumber } from "../app/digits.js";
import { till } from "../app/till.js";
import { CARD_STATES, VOUCHER_STATES, stateWords } from "./states.js";

/// By what the journal finds what was scanned: a product's code, the number at the foot of a slip, or the last 4 of a code.
export function ofScan(raw) {
  const text = plain(raw);
  const digits = text.replace(/[ -]/g, "");
  const product = till.products.find(({ code }) => code === text || sameNumber(code, digits));
  if (product) return product.code;
  return isSlipNumber(digits) ? digits : digits.slice(-4);
}

/// The words of the states in this page's language, and the code that each means; those that mean several are none.
function codes() {
  const all = [...CARD_STATES.map((state) => ["sale", state]), ...VOUCHER_STATES.map((state) => ["redemption", state])].map(([kind, state]) => [stateWords(kind, state), state]);
  const meant = new Map();
  for (const [words, state] of all) meant.set(words, [...(meant.get(words) ?? []), state]);
  return [...meant].filter(([, states]) => new Set(states).size === 1).map(([words, [state]]) => [words, state]).sort(([one], [other]) => other.length - one.length);
}

const literally = (words) => words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("’", "['’]");

/// What was typed, with the words of a state as this page shows them in the place of the code that the daemon knows it by. The longest first: what is
/// “not sold” is not “sold”.
export function ofWords(text) {
  const known = codes();
  const any = new RegExp(`(?<![\\p{L}\\p{N}])(?:${known.map(([words]) => `(${literally(words)})`).join("|")})(?![\\p{L}\\p{N}])`, "giu");
  return text.replace(any, (...found) => known[found.slice(1, known.length + 1).findIndex((one) => one !== undefined)][1]);
}
