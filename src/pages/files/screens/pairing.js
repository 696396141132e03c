// Pairing: the first opening of this screen asks for the short code that `tilld pair` shows.

import { ask } from "../app/api.js";
import { button, el, fill } from "../app/dom.js";
import { till } from "../app/till.js";
import { w } from "../app/words.js";
import { codeKeys } from "../parts/code.js";
import { alarm, problemWords } from "../parts/said.js";

export function pairing() {
  const heading = el("h1", { tabindex: -1 }, w("pairing.title"));
  const trouble = el("div");
  const code = el("input", { id: "pairing-code", class: "code-input", inputmode: "numeric", autocomplete: "one-time-code", spellcheck: "false", maxlength: 12 });
  const name = el("input", { id: "pairing-name", class: "text-input", autocomplete: "off", maxlength: 64, value: w("pairing.screen") });
  const pair = async (event) => {
    event.preventDefault();
    const digits = code.value.replace(/\D/g, "");
    if (digits.length !== 8) return fill(trouble, alarm(w("pairing.eight")));
    try {
      await ask("/v1/pair", { code: digits, name: name.value.trim() || w("pairing.screen") });
      till.ready = false;
      till.paired();
    } catch (why) {
      code.value = "";
      code.focus();
      fill(trouble, alarm(problemWords(why)));
    }
  };
  const submit = button(w("pairing.pair"), undefined, { class: "button primary", type: "submit" });
  return {
    title: w("pairing.title"),
    focus: code,
    node: el("form", { class: "center wide", on: { submit: pair } }, heading,
      el("div", { class: "sides" },
        el("div", {}, el("p", { class: "lead" }, w("pairing.how")), trouble,
          el("label", { for: "pairing-code" }, w("pairing.code")), code,
          el("label", { for: "pairing-name" }, w("pairing.name")), name),
        el("div", {}, codeKeys(code), submit))),
  };
}
