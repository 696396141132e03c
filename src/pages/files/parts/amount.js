// An amount that is typed: a field, and a keypad for those who have no keys. Both write the same text; whoever uses the page reads it.
// Two fields may share a keypad: it writes into the one that was touched last.
//
// What is typed and is no amount, or none that may be taken, is said below the field: a button that is only grey tells nobody why. It is
// said once the typing rests, for what begins as 5 may be going to be 50, and in a line that is kept free for it, for a key must not
// move under the finger that is about to press it.
//
// A value that was put there beforehand is replaced by the first key of the keypad, as it is by typing over a selection.

import { el, say } from "../app/dom.js";
import { decimals, separator, typed, typing } from "../app/money.js";
import { w } from "../app/words.js";
import { keypad } from "./keypad.js";

/// For so long nothing was typed: it is meant as it stands.
const RESTS_MS = 600;

/// A field without a keypad. `changed(units)`: minor units, or null while the text is no amount. `wrong(units)`: why this amount may not be
/// taken, in words.
export function amountBox({ id = "amount", label, currency, units = null, changed, wrong, hint, placeholder }) {
  let fresh = units !== null;
  const why = el("p", { class: "wrong", id: `${id}-wrong`, role: "status" });
  let resting = 0;
  const tell = (words) => {
    if (why.textContent !== words) say(why, words);
    input.setAttribute("aria-invalid", String(words !== ""));
  };
  const told = () => {
    const now = typed(input.value, currency);
    const words = input.value === "" ? "" : now === null ? w("amount.unread", { example: typing(1234n, currency) }) : wrong?.(now) ?? "";
    clearTimeout(resting);
    if (words === "" || why.textContent !== words) tell("");
    if (words !== "") resting = setTimeout(tell, RESTS_MS, words);
    changed(now);
  };
  const input = el("input", {
    class: "amount-input", type: "text", inputmode: "none", autocomplete: "off", spellcheck: "false", maxlength: 16, placeholder,
    id, value: units === null ? "" : typing(units, currency), "aria-describedby": `${hint ? `${id}-hint ` : ""}${id}-wrong`,
    on: { input: told, keydown: () => { fresh = false; } },
  });
  const write = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return {
    node: el("div", { class: "amount" },
      el("label", { class: "amount-label", for: id }, label),
      el("div", { class: "amount-box" }, input, el("span", { class: "amount-currency", "aria-hidden": "true" }, currency)),
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint), why),
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
