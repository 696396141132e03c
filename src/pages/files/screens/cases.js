// What waits for the manager: to be read here, and to be decided on the manager's page. It blocks nobody.

import { button, el } from "../app/dom.js";
import { shown, worth } from "../app/money.js";
import { forManager } from "../app/till.js";
import { home } from "../app/where.js";
import { moment, w, worded } from "../app/words.js";

function one(about) {
  return el("li", { class: about.urgent ? "case urgent" : "case" },
    el("div", { class: "case-head" }, el("strong", {}, about.product_name ?? w("fact.voucher_of", { code: about.code })),
      el("span", {}, about.face_value ? shown(about.face_value) : worth(about.amount))),
    el("p", {}, worded("case", about.case, about.text)),
    el("p", { class: "hint" }, about.receipt ?? about.basket, about.since && ` · ${w("cases.since", { time: moment(about.since) })}`,
      about.until && ` · ${w("fact.until_then", { time: moment(about.until) })}`));
}

export function cases() {
  const heading = el("h1", { tabindex: -1 }, w("cases.title"));
  const list = forManager();
  return {
    title: w("cases.title"),
    focus: heading,
    node: el("div", { class: "center wide" },
      el("div", { class: "step-head" }, button(w("back"), () => home(), { class: "button quiet", icon: "back" }), heading),
      el("p", { class: "lead" }, list.length > 0 ? w("cases.how") : w("cases.none")), el("ul", { class: "cases" }, list.map(one)),
      el("p", {}, el("a", { class: "button", href: "/manager" }, w("cases.page")))),
  };
}
