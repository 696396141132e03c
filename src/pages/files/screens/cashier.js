// Who stands here: the name goes into the journal with what is sold and redeemed.

import { button, el, fill } from "../app/dom.js";
import { setCashier, till } from "../app/till.js";
import { home } from "../app/where.js";
import { w } from "../app/words.js";
import { note } from "../parts/said.js";

/// As the daemon takes them: letters of any script, digits, and the punctuation of names.
const NAME = /^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} .,'’-]{0,63}$/u;

export function cashier() {
  const heading = el("h1", { tabindex: -1 }, w("cashier.title"));
  const said = el("div", { role: "status" });
  const field = el("input", { id: "cashier", class: "text-input", autocomplete: "off", spellcheck: "false", maxlength: 64, value: till.cashier ?? "" });
  const submit = (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name !== "" && !NAME.test(name)) return fill(said, note(w("cashier.wrong")));
    setCashier(name);
    home();
  };
  return {
    title: w("cashier.title"),
    focus: field,
    node: el("form", { class: "center", on: { submit } },
      el("div", { class: "step-head" }, button(w("back"), () => home(), { class: "button quiet", icon: "back" }), heading),
      el("p", { class: "lead" }, w("cashier.how")), said, el("label", { for: "cashier" }, w("cashier.name")), field,
      button(w("cashier.save"), undefined, { type: "submit", class: "button primary tall" })),
  };
}
