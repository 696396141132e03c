// A card from the rack: the code of the card is scanned, or a scanned code is told which card it is.

import { button, el, fill } from "../app/dom.js";
import { shown } from "../app/money.js";
import { addCard } from "../app/selling.js";
import { offered, fits, plain } from "../app/arrival.js";
import { home, toStep, where } from "../app/where.js";
import { w } from "../app/words.js";
import { codeEntry } from "../parts/code.js";
import { note } from "../parts/said.js";

/// Takes the code of the card; why not, if not.
export function takeCode(text) {
  const code = plain(text);
  if (code === "" || code.length > 64) return w("rack.wrong");
  const problem = addCard(where.product, where.faceValue, code);
  if (problem) return w(`problem.${problem}`);
  home();
  return null;
}

export function rack() {
  const { product, faceValue } = where;
  const heading = el("h1", { tabindex: -1 }, w("rack.title"));
  const said = el("div", { role: "status" });
  const { field, submit, nodes } = codeEntry("rack-code", w("rack.take"), (text) => {
    const why = takeCode(text);
    if (why) fill(said, note(why));
  }, w("rack.code"));
  return {
    title: w("rack.title"),
    focus: field,
    node: el("form", { class: "center", on: { submit } },
      el("div", { class: "step-head" }, button(w("back"), () => toStep("value"), { class: "button quiet", icon: "back" }),
        el("div", {}, heading, el("p", { class: "hint" }, product.name, " · ", shown(faceValue)))),
      el("p", { class: "lead" }, w("rack.how")), said, nodes),
    scan: (text) => takeCode(text),
  };
}

/// Which card a scanned code belongs to.
export function which() {
  const heading = el("h1", { tabindex: -1 }, w("which.title"));
  const products = offered().filter((one) => one.kind === "posa" && fits(one));
  const choices = products.map((product) => button(product.name, () => toStep("value", { product }), { class: "button value", "data-product": product.code }));
  return {
    title: w("which.title"),
    focus: choices[0] ?? heading,
    node: el("div", { class: "center wide" },
      el("div", { class: "step-head" }, button(w("back"), () => home(), { class: "button quiet", icon: "back" }),
        el("div", {}, heading, el("p", { class: "hint" }, `•••• ${where.code.slice(-4)}`))),
      el("p", { class: "lead" }, products.length > 0 ? w("which.how") : w("which.none")),
      el("div", { class: "values" }, choices)),
  };
}
