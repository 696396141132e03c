// An amount that is typed: a field, and a keypad for those who have no keys. Both write the same text; whoever uses the page reads it.
// Two fields may share a keypad: it writes into the one that was touched last.
//
// A value that was put there beforehand is replaced by the first key of the keypad, as it is by typing over a selection.

import { el } from "../app/dom.js";
import { decimals, separator, typed, typing } from "../app/money.js";
import { w } from "../app/words.js";
import { keypad } from "./keypad.js";

/// A field without a keypad. `changed(units)`: minor units, or null while the text is no amount.
export function amountBox({ id = "amount", label, currency, units = null, changed, hint, placeholder }) {
  let fresh = units !== null;
  const input = el("input", {
    class: "amount-input", type: "text", inputmode: "none", autocomplete: "off", spellcheck: "false", maxlength: 16, placeholder,
    id, value: units === null ? "" : typing(units, currency), "aria-describedby": hint ? `${id}-hint` : undefined,
    on: { input: () => changed(typed(input.value, currency)), keydown: () => { fresh = false; } },
  });
  const write = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return {
    node: el("div", { class: "amount" },
      el("label", { class: "amount-label", for: id }, label),
      el("div", { class: "amount-box" }, input, el("span", { class: "amount-currency", "aria-hidden": "true" }, currency)),
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint)),
    input,
    set(value) {
      write(value === null ? "" : typing(value, currency));
      fresh = true;
    },
    press(sign) {
      write(((fresh ? "" : input.value) + sign).slice(0, 16));
      fresh = false;
    },
    erase() {
      write(fresh ? "" : input.value.slice(0, -1));
      fresh = false;
    },
  };
}

/// The keys of an amount; `field()`: the one that they write into.
export function amountKeys(currency, field) {
  const sign = separator();
  return keypad({
    press: (text) => field().press(text), erase: () => field().erase(),
    corner: decimals(currency) > 0 ? sign : "00", names: { [sign]: w("keypad.separator") },
  });
}

/// A field with its keypad.
export function amountField(options) {
  const box = amountBox(options);
  box.node.append(amountKeys(options.currency, () => box));
  return box;
}
