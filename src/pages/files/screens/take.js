// The money is collected: cash with what was given and what goes back, by card, or a part by card and the rest in cash. What is typed
// outlives a redraw, and a change of mind about the tender.
//
// While something hinders selling it says so. Without this till's service no payment is taken; without a provider whoever has taken the money
// already must still be able to say so: what cannot be activated then ends with the money given back.

import { button, el, fill, icon, say } from "../app/dom.js";
import { brief, minor, money, notes, shown, typing } from "../app/money.js";
import { cancel, pay } from "../app/selling.js";
import { hindrance, till } from "../app/till.js";
import { w } from "../app/words.js";
import { amountBox, amountKeys } from "../parts/amount.js";
import { alarm, cardScreen, note, problemWords, refusalWords, saleScreen } from "../parts/said.js";

function line(card) {
  // Refused, or not paid for in time.
  const refused = !["creating", "created"].includes(card.state);
  return el("li", { class: refused ? "line refused" : "line" },
    el("span", { class: "line-text" }, el("strong", {}, card.name), card.code_tail && el("span", { class: "line-code" }, card.code_tail),
      refused && el("span", { class: "line-why" }, cardScreen(card), " ", card.refusal && refusalWords(card.refusal))),
    el("span", { class: "line-amount" }, refused ? w("take.not_sold") : shown(card.face_value)));
}

/// What may be given for an amount, a press each.
function quickly(rest, field) {
  return [button(w("take.exact"), () => field.set(null), { class: "button" }),
    notes(rest).map((sum) => button(brief(sum), () => field.set(minor(sum)), { class: "button", "data-note": sum.amount }))];
}

/// `one`: an attended sale that collects.
export function take({ view, trouble }) {
  const { due } = view;
  const { currency } = due;
  const all = minor(due);
  let tender = "cash";
  let given = null;
  let byCard = null;
  let asked = false;
  const heading = el("h1", { tabindex: -1, class: "take" });
  const change = el("p", { class: "change", role: "status" });
  const hinders = el("div");
  const told = el("div", { role: "status" });
  // What is not plain: some cards cannot be sold, or the money may have been taken before an interruption, which may come while the screen stands.
  const now = () => till.sales.get(view.id) ?? view;
  const interrupted = () => now().screen.code.startsWith("was_it_paid");
  const title = () => w(interrupted() ? "take.was_it_paid" : "take.title", { amount: shown(due) });
  const news = () => {
    if (!interrupted()) return now().screen.code === "take_for_the_rest" ? saleScreen(now()) : "";
    return now().screen.code === "was_it_paid" ? w("take.if_paid") : `${w("take.if_paid")} ${w("take.if_paid_beyond")}`;
  };
  const go = button("", undefined, { class: "button primary tall", type: "submit", icon: "done" });
  /// Whether the card pays a part: more than nothing, and not all.
  const parted = () => byCard !== null && byCard > 0n && byCard < all;
  /// What is to come in cash; nothing while that is not known.
  const rest = () => (tender === "cash" ? all : tender === "mixed" && parted() ? all - byCard : null);
  const draw = () => {
    const cash = rest();
    const back = cash === null || given === null ? 0n : given - cash;
    const unread = cashBox.input.value !== "" && given === null;
    go.disabled = !till.reached || tender !== "card" && (cash === null || unread || back < 0n);
    stop.disabled = !till.reached;
    const why = hindrance();
    if (hinders.dataset.of !== (why?.key ?? "")) fill(hinders, why && note(`${w(`${why.key}.short`)} ${w("take.not_yet")}`));
    hinders.dataset.of = why?.key ?? "";
    say(heading, title());
    say(stop.querySelector("span"), w(interrupted() ? "take.cancel_give_back" : "take.cancel"));
    const words = news();
    if (told.dataset.of !== words) fill(told, words && note(words));
    told.dataset.of = words;
    say(go.querySelector("span"), tender === "card" ? w("take.card_paid") : tender === "mixed" ? w("take.mixed_paid")
      : given === null ? w("take.exact_paid", { amount: shown(due) }) : w("take.cash_paid"));
    fill(change, tender === "mixed" && cash !== null && el("span", { class: "in-cash" }, w("take.in_cash"), " ", el("strong", {}, shown(money(cash, currency)))),
      tender === "card" ? w(interrupted() ? "take.card_how_again" : "take.card_how") : cash === null ? w("take.mixed_how", { amount: shown(due) })
        : back < 0n ? [w("take.missing"), " ", el("strong", {}, shown(money(-back, currency)))]
          : [w("take.change"), " ", el("strong", {}, shown(money(back, currency)))]);
    cashPart.hidden = tender === "card";
    cardBox.node.hidden = tender !== "mixed";
    const likely = String(cash);
    if (quick.dataset.of !== likely) fill(quick, cash !== null && quickly(money(cash, currency), cashBox));
    quick.dataset.of = likely;
    cashBox.input.placeholder = cash === null ? "" : typing(cash, currency);
    for (const [kind, choice] of Object.entries(tenders)) choice.setAttribute("aria-pressed", String(kind === tender));
  };
  const cardBox = amountBox({ id: "by-card", label: w("take.by_card"), currency, changed: (units) => {
    byCard = units;
    draw();
  } });
  const cashBox = amountBox({ label: w("take.given"), currency, changed: (units) => {
    given = units;
    draw();
  } });
  let written = cashBox;
  for (const box of [cardBox, cashBox]) box.input.addEventListener("focus", () => { written = box; });
  // Enter in the first field goes on to the second one: money is taken by the second Enter.
  cardBox.input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (parted()) cashBox.input.focus();
  });
  const quick = el("div", { class: "notes", role: "group", "aria-label": w("take.quick") });
  const cashPart = el("div", { class: "cash" }, el("div", { class: "amount" }, el("div", { class: "amounts" }, cardBox.node, cashBox.node), amountKeys(currency, () => written)), quick);
  const choose = (kind) => () => {
    tender = kind;
    draw();
    written = kind === "mixed" ? cardBox : cashBox;
    if (kind !== "card") written.input.focus();
  };
  const choice = (kind, sign) => button(w(`tender.${kind}`), choose(kind), { class: "button tender", icon: sign, "data-tender": kind });
  const tenders = { cash: choice("cash", "cash"), card: choice("card", "card"), mixed: choice("mixed", "both") };
  const inCash = () => money(given ?? rest(), currency);
  const paid = () => {
    if (tender === "card") return { kind: "card" };
    return tender === "cash" ? { kind: "cash", given: inCash() } : { kind: "mixed", card: money(byCard, currency), given: inCash() };
  };
  const submit = (event) => {
    event.preventDefault();
    if (go.disabled || asked) return;
    asked = true;
    pay(view, paid());
  };
  const stop = button(w("take.cancel"), () => {
    if (asked) return;
    asked = true;
    cancel(view);
  }, { class: "button quiet" });
  draw();
  return {
    title: title(),
    words: news(),
    focus: cashBox.input,
    node: el("form", { class: "two take-form", on: { submit } },
      el("section", { class: "pay", "aria-label": w("take.payment") },
        heading, told,
        trouble && alarm(problemWords(trouble)), hinders,
        el("div", { class: "tenders", role: "group", "aria-label": w("take.how") }, Object.values(tenders)), cashPart),
      el("section", { class: "basket", "aria-label": w("basket.title") },
        el("div", { class: "basket-head" }, el("h2", {}, w("basket.title")), icon("gift")),
        el("ol", { class: "lines" }, view.cards.map(line)),
        el("p", { class: "total" }, el("span", {}, w("basket.total")), el("strong", {}, shown(due))), change, go, stop)),
    update: draw,
  };
}
