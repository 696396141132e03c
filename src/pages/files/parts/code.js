// The code of a voucher or of a card, as it is typed or pressed with a finger; a scanner's goes past this field. It is handed on and never stays
// in it.

import { button, el } from "../app/dom.js";
import { w } from "../app/words.js";
import { keypad } from "./keypad.js";

/// The keys of a field that takes digits.
export const codeKeys = (field) => keypad({
  press: (digit) => { field.value = (field.value + digit).slice(0, field.maxLength); },
  erase: () => { field.value = field.value.slice(0, -1); },
});

/// A field with its keys and its button, for a form whose `submit` is this one. `arrived(code)`: it is there; `label`: whose code it is.
export function codeEntry(id, words, arrived, label = w("voucher.code")) {
  const field = el("input", { id, class: "code-input", inputmode: "numeric", autocomplete: "off", spellcheck: "false", maxlength: 256 });
  const go = button(words, undefined, { type: "submit", class: "button primary tall" });
  const submit = (event) => {
    event.preventDefault();
    const code = field.value;
    field.value = "";
    if (code.trim() !== "") arrived(code);
  };
  return { field, go, submit, nodes: [el("label", { for: id }, label), field, codeKeys(field), go] };
}
