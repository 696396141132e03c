// The slip of a card as facts on paper. The daemon lays slips out and never shows their codes, so this is no picture of the lines that
// the printer gets: it says what is on it, and masks what is money.

import { el } from "../app/dom.js";
import { shown, worth } from "../app/money.js";
import { till } from "../app/till.js";
import { moment, w } from "../app/words.js";

const row = (name, value) => value && el("div", { class: "slip-row" }, el("dt", {}, name), el("dd", {}, value));

function paper(title, big, rows, label) {
  return el("div", { class: "slip", role: "group", "aria-label": label },
    el("p", { class: "slip-title" }, title),
    el("p", { class: "slip-amount" }, big),
    el("hr", { "aria-hidden": "true" }),
    el("dl", {}, rows));
}

/// Of a card of a sale.
export function cardSlip(sale, card) {
  const state = card.paper && w(`paper.${card.paper.state}`);
  return paper(card.name, shown(card.face_value), [
    row(w("slip.code"), card.kind === "por" ? "•••• •••• •••• ••••" : card.code_tail ?? w("slip.on_the_card")),
    row(w("slip.date"), moment(sale.updated_at)),
    row(w("slip.store"), sale.store),
    row(w("slip.till"), sale.terminal),
    row(w("slip.receipt"), sale.receipt),
    row(w("slip.paper"), state),
  ], w("slip.name"));
}

/// Of a redemption.
export function redemptionSlip(view) {
  return paper(w("slip.redeemed"), worth(view.counted ?? view.amount, view.item), [
    row(w("slip.voucher"), view.code),
    row(w("slip.left"), view.taken?.left && worth(view.taken.left, view.item)),
    row(w("slip.date"), moment(view.updated_at)),
    row(w("slip.store"), view.store),
    row(w("slip.till"), view.terminal),
    row(w("slip.basket"), view.basket),
  ], w("slip.name"));
}

/// Of a look at a voucher.
export function balanceSlip(check) {
  return paper(w("slip.balance"), check.eligible ? worth(check.eligible, check.item) : "–", [
    row(w("slip.voucher"), check.code),
    row(w("slip.store"), till.session?.store),
  ], w("slip.name"));
}
