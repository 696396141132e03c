// How a sale ended: what to do with card, paper and money, until the cashier has read it. What was sold well is left by any key, the next
// scan included; where money goes back, only the button that says so leads on.

import { button, el, icon } from "../app/dom.js";
import { brief, shown } from "../app/money.js";
import { dismiss } from "../app/selling.js";
import { w } from "../app/words.js";
import { alarm, cardScreen, problemWords, refusalWords, saleScreen } from "../parts/said.js";
import { cardSlip } from "../parts/slip.js";

/// Whether all went well: every card sold, or refused before the money was taken.
export const isWell = (view) => !view.money_back && ["done", "done_for_the_rest", "done_without_slip", "cancelled"].includes(view.screen.code);

function outcome(card) {
  return el("li", { class: `outcome outcome-${card.state}` },
    icon(card.state === "sold" ? "done" : "stop"),
    el("span", { class: "line-text" }, el("strong", {}, card.name), el("span", {}, cardScreen(card), " ", card.refusal ? refusalWords(card.refusal) : "")),
    el("span", { class: "line-amount" }, brief(card.face_value)));
}

/// `one`: an attended sale that is over.
export function ended({ view, trouble }) {
  const well = isWell(view) && !trouble;
  const sold = view.cards.filter((card) => card.state === "sold");
  const sentence = trouble?.code === "paid_too_late" ? problemWords(trouble) : saleScreen(view);
  const heading = el("h1", { tabindex: -1 }, sentence);
  const change = view.payment?.tender.change && Number(view.payment.tender.change.amount) !== 0 && !view.money_back ? view.payment.tender.change : null;
  const next = button(view.money_back ? w("ended.given_back", { amount: shown(view.money_back) }) : well ? w("ended.next") : w("ended.read"), () => dismiss(view.id), { class: "button primary tall" });
  return {
    title: sentence,
    focus: next,
    urgent: !well,
    words: view.money_back ? w("ended.money_back", { amount: shown(view.money_back) }) : change ? `${w("ended.change")} ${shown(change)}` : "",
    node: el("div", { class: `center wide ended ${well ? "ended-well" : "ended-ill"}` }, el("div", { class: "sides" }, el("div", {},
      el("div", { class: "badge" }, icon(well && view.screen.code !== "cancelled" ? "done" : well ? "remove" : "stop")),
      heading,
      view.money_back && el("p", { class: "change" }, w("ended.money_back_label"), " ", el("strong", {}, shown(view.money_back))),
      change && el("p", { class: "change" }, w("ended.change"), " ", el("strong", {}, shown(change))),
      trouble && trouble.code !== "paid_too_late" && alarm(problemWords(trouble)),
      (view.cards.length > 1 || view.cards[0].refusal) && el("ul", { class: "outcomes" }, view.cards.map(outcome)),
      el("div", { class: "choices" }, next)),
    sold.length > 0 && el("div", { class: "slips" }, sold.map((card) => cardSlip(view, card))))),
    leave: well ? () => dismiss(view.id) : undefined,
  };
}
