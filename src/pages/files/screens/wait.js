// Waiting: nothing is known yet, orders are being created, cards are being confirmed and printed, a voucher is being redeemed.
// It offers nothing: what it waits for ends by itself, or becomes a question. Each step of it is spoken once.

import { el, fill, icon, say } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { brief, shown } from "../app/money.js";
import { till } from "../app/till.js";
import { w } from "../app/words.js";

const STEPS = ["pay", "confirm", "print"];
const REACHED = {
  creating: 0, created: 0, paid: 1, confirming: 1, asking: 1, active: 2, printing: 2, print_stopped: 2, print_unclear: 2, sold: 3,
};

function stepOf(card) {
  const reached = REACHED[card.state];
  if (reached === undefined) return null;
  return el("ol", { class: "steps" }, STEPS.map((step, place) => {
    const is = place < reached ? "past" : place === reached ? "now" : "ahead";
    return el("li", { class: `step step-${is}`, "aria-current": is === "now" ? "step" : undefined },
      is === "past" ? icon("done") : el("span", { class: "dot", "aria-hidden": "true" }), w(`step.${step}`));
  }));
}

/// `sale`: the one that is waited for, if there is one.
export function wait({ title, words, saleId }) {
  const heading = el("h1", { tabindex: -1 }, title);
  const sentence = el("p", { class: "lead" }, words);
  const cards = el("ul", { class: "waiting-cards" });
  let told = null;
  const update = () => {
    const sale = saleId && till.sales.get(saleId);
    if (!sale) return;
    const asking = sale.cards.some((card) => card.state === "asking");
    say(sentence, asking ? w("wait.asking") : words);
    const states = sale.cards.map((card) => `${card.name}: ${w(`state.${card.state}`)}.`);
    const news = states.filter((state, place) => told && told[place] !== state);
    if (news.length > 0) speakOut(asking ? w("wait.asking") : news.join(" "));
    told = states;
    fill(cards, sale.cards.map((card) => el("li", {},
      el("div", { class: "waiting-card" }, el("strong", {}, card.name), el("span", {}, brief(card.face_value))),
      el("p", { class: "state" }, w(`state.${card.state}`)),
      stepOf(card))));
  };
  update();
  const paid = saleId && till.sales.get(saleId)?.payment;
  const change = paid?.tender.change && Number(paid.tender.change.amount) !== 0 && paid.tender.change;
  return {
    title,
    focus: heading,
    node: el("div", { class: "center wide" }, el("div", { class: "turning", "aria-hidden": "true" }), heading, sentence,
      change && el("p", { class: "change" }, w("ended.change"), " ", el("strong", {}, shown(change))), cards),
    update,
  };
}
