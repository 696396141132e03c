// The money is collected: cash with what was given and what goes back, or by card. What is typed outlives a redraw.

import { button, el, fill, icon, say } from "../app/dom.js";
import { brief, minor, money, notes, shown, typing } from "../app/money.js";
import { cancel, pay } from "../app/selling.js";
import { hindrance } from "../app/till.js";
import { w } from "../app/words.js";
import { amountField } from "../parts/amount.js";
import { alarm, cardScreen, note, problemWords, refusalWords } from "../parts/said.js";

function line(card) {
  const refused = card.state === "not_sold";
  return el("li", { class: refused ? "line refused" : "line" },
    el("span", { class: "line-text" }, el("strong", {}, card.name), card.code_tail && el("span", { class: "line-code" }, card.code_tail),
      refused && el("span", { class: "line-why" }, cardScreen(card), " ", card.refusal && refusalWords(card.refusal))),
    el("span", { class: "line-amount" }, refused ? w("take.not_sold") : shown(card.face_value)));
}

/// `one`: an attended sale that collects.
export function take({ view, trouble }) {
  const { due } = view;
  const { currency } = due;
  let tender = "cash";
  let given = null;
  let asked = false;
  const heading = el("h1", { tabindex: -1, class: "take" }, w("take.title", { amount: shown(due) }));
  const change = el("p", { class: "change", role: "status" });
  const go = button("", undefined, { class: "button primary tall", type: "submit", icon: "done" });
  const enough = () => given === null || given >= minor(due);
  const draw = () => {
    const back = given === null ? 0n : given - minor(due);
    go.disabled = tender === "cash" && (!enough() || field.input.value !== "" && given === null);
    say(go.querySelector("span"), tender === "card" ? w("take.card_paid") : given === null ? w("take.exact_paid", { amount: shown(due) }) : w("take.cash_paid"));
    if (tender === "card") fill(change, w("take.card_how"));
    else if (!enough()) fill(change, w("take.missing"), " ", el("strong", {}, shown(money(-back, currency))));
    else fill(change, w("take.change"), " ", el("strong", {}, shown(money(back, currency))));
    cashPart.hidden = tender !== "cash";
    for (const [kind, choice] of Object.entries(tenders)) choice.setAttribute("aria-pressed", String(kind === tender));
  };
  const field = amountField({
    label: w("take.given"), currency, placeholder: typing(minor(due), currency),
    changed: (units) => {
      given = units;
      draw();
    },
  });
  const quick = el("div", { class: "notes", role: "group", "aria-label": w("take.quick") },
    button(w("take.exact"), () => field.set(null), { class: "button" }),
    notes(due).map((sum) => button(brief(sum), () => field.set(minor(sum)), { class: "button", "data-note": sum.amount })));
  const cashPart = el("div", { class: "cash" }, field.node, quick);
  const choose = (kind) => () => {
    tender = kind;
    draw();
  };
  const tenders = {
    cash: button(w("tender.cash"), choose("cash"), { class: "button tender", icon: "cash", "data-tender": "cash" }),
    card: button(w("tender.card"), choose("card"), { class: "button tender", icon: "card", "data-tender": "card" }),
  };
  const submit = (event) => {
    event.preventDefault();
    if (go.disabled || asked) return;
    asked = true;
    pay(view, tender === "cash" ? given ?? minor(due) : undefined);
  };
  const stop = button(w("take.cancel"), () => {
    if (asked) return;
    asked = true;
    cancel(view);
  }, { class: "button quiet" });
  const why = hindrance();
  draw();
  return {
    title: w("take.title", { amount: shown(due) }),
    words: view.screen.code === "take_for_the_rest" ? w("screen.take_for_the_rest", { amount: shown(due) }) : "",
    focus: field.input,
    node: el("form", { class: "two take-form", on: { submit } },
      el("section", { class: "pay", "aria-label": w("take.payment") },
        heading, view.screen.code === "take_for_the_rest" && note(w("screen.take_for_the_rest", { amount: shown(due) })),
        trouble && alarm(problemWords(trouble)), why && note(w(`${why.key}.short`)),
        el("div", { class: "tenders", role: "group", "aria-label": w("take.how") }, tenders.cash, tenders.card), cashPart),
      el("section", { class: "basket", "aria-label": w("basket.title") },
        el("div", { class: "basket-head" }, el("h2", {}, w("basket.title")), icon("gift")),
        el("ol", { class: "lines" }, view.cards.map(line)),
        el("p", { class: "total" }, el("span", {}, w("basket.total")), el("strong", {}, shown(due))), change, go, stop)),
  };
}
