// An amount that is typed: a field, and a keypad for those who have no keys. Both write the same text; whoever uses the page reads it.
//
// A value that was put there beforehand is replaced by the first key of the keypad, as it is by typing over a selection.

import { button, el, icon } from "../app/dom.js";
import { decimals, separator, typed, typing } from "../app/money.js";
import { w } from "../app/words.js";

/// `changed(units)`: minor units, or null while the text is no amount.
export function amountField({ label, currency, units = null, changed, hint, placeholder }) {
  let fresh = units !== null;
  const input = el("input", {
    class: "amount-input", type: "text", inputmode: "none", autocomplete: "off", spellcheck: "false", maxlength: 16, placeholder,
    id: "amount", value: units === null ? "" : typing(units, currency), "aria-describedby": hint ? "amount-hint" : undefined,
    on: { input: () => changed(typed(input.value, currency)), keydown: () => { fresh = false; } },
  });
  const write = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const press = (sign) => {
    write(((fresh ? "" : input.value) + sign).slice(0, 16));
    fresh = false;
  };
  const erase = () => {
    write(fresh ? "" : input.value.slice(0, -1));
    fresh = false;
  };
  const sign = separator();
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", decimals(currency) > 0 ? sign : "00", "0"];
  // The field takes the same keys from a keyboard, so that the keypad is no stop on the way of the Tab key.
  const key = (text) => button(text, () => press(text), { class: "key", tabindex: -1, "aria-label": text === sign ? w("keypad.separator") : undefined });
  const node = el("div", { class: "amount" },
    el("label", { class: "amount-label", for: "amount" }, label),
    el("div", { class: "amount-box" }, input, el("span", { class: "amount-currency", "aria-hidden": "true" }, currency)),
    hint && el("p", { class: "hint", id: "amount-hint" }, hint),
    el("div", { class: "keypad", role: "group", "aria-label": w("keypad.name") },
      keys.map(key),
      el("button", { type: "button", class: "key", tabindex: -1, "aria-label": w("keypad.erase"), on: { click: erase } }, icon("erase"))),
  );
  return {
    node,
    input,
    set(value) {
      write(value === null ? "" : typing(value, currency));
      fresh = true;
    },
  };
}
