// Keys for fingers, beside a field. Whoever owns the field says what a key does to it; nothing is written here.

import { button, el, icon } from "../app/dom.js";
import { w } from "../app/words.js";

/// Three columns of digits. `press(sign)`: one of them, `erase()`: the last sign goes; `corner`: what stands at the left of the zero, a sign that
/// is pressed like a digit, an element, or nothing.
export function keypad({ press, erase, corner = null, names = {} }) {
  // The field takes the same keys from a keyboard, so that the keypad is no stop on the way of the Tab key.
  const key = (sign) => button(sign, () => press(sign), { class: "key", tabindex: -1, "data-key": sign, "aria-label": names[sign] });
  return el("div", { class: "keypad", role: "group", "aria-label": w("keypad.name") },
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(key),
    typeof corner === "string" ? key(corner) : corner ?? el("span"),
    key("0"),
    signKey("erase", w("keypad.erase"), erase));
}

/// A key with a drawing on it.
export const signKey = (name, label, act) => el("button", { type: "button", class: "key", tabindex: -1, "aria-label": label, on: { click: act } }, icon(name));
