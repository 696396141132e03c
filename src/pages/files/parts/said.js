// Sentences of the daemon in the language of the page: screens, cases, refusals and problems by their stable codes.

import { el, icon } from "../app/dom.js";
import { Lost } from "../app/api.js";
import { shown, worth } from "../app/money.js";
import { knows, w, worded } from "../app/words.js";

/// What to do about a printer's fault.
export const faultWords = (fault) => (fault ? worded("fault", fault, fault) : "");

/// What the cashier reads about a card.
export function cardScreen(card) {
  const { code, text } = card.screen;
  const fault = card.paper?.fault;
  const key = code === "paid_and_active" && fault ? "paid_and_active_fault" : code;
  return worded("screen", key, text, { amount: shown(card.face_value), fault: faultWords(fault) });
}

/// What the cashier reads about a sale.
export function saleScreen(sale) {
  const { code, text } = sale.screen;
  const amount = sale.due ?? sale.money_back;
  if (sale.cards.length === 1 && !["take", "was_it_paid", "done"].includes(code)) return cardScreen(sale.cards[0]);
  const fault = sale.cards.map((card) => card.paper?.fault).find(Boolean);
  const key = code === "paid_and_active" && fault ? "paid_and_active_fault" : code;
  return worded("screen", key, text, { amount: amount ? shown(amount) : "", fault: faultWords(fault) });
}

/// What the cashier reads about a redemption.
export function redemptionScreen(view) {
  const { code, text } = view.screen;
  if (code === "not_redeemed" && view.refusal) return refusalWords(view.refusal);
  const amount = view.taken?.worth ?? view.counted ?? view.amount;
  return worded("guest", code, text, { amount: worth(amount, view.item) });
}

/// Why it was refused.
export const refusalWords = (refusal) => worded("problem", refusal.code, refusal.text);

/// What a problem says to the cashier.
export function problemWords(problem) {
  if (problem instanceof Lost) return w("problem.unreached");
  const own = worded("problem", problem.code, problem.cashier || w("problem.unnamed"));
  // A reason of the whole counter is the daemon's own sentence; it stands beside the one that is worded.
  return problem.reason && !knows(`problem.${problem.code}`) ? `${own} ${problem.reason}` : own;
}

/// A sentence that must not be overlooked.
export function alarm(words, more) {
  return el("div", { class: "alarm", role: "alert" }, icon("stop"), el("div", {}, el("p", {}, words), more && el("p", { class: "own" }, more)));
}

/// A sentence beside what one does.
export function note(words, name = "attention") {
  return el("div", { class: `note note-${name}` }, icon(name), el("p", {}, words));
}

/// What came of a paper. `copy`: its number, where it is a copy.
export const paperWords = ({ copy, paper, fault }) => [copy && w("copy.number", { n: copy }),
  paper === "printed" ? w("print.done") : worded("print", paper, paper), paper !== "printed" && faultWords(fault)].filter(Boolean).join(" ");
