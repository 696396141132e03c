// An open question: one sentence of what to do with card, paper and money, and its answers. It stands before everything else, and there is
// no way round it: no tab, no scan, no key leads away before it is answered or has answered itself. A scan may be the answer: of the voucher
// that is asked for, or of the slip whose paper is asked about (the number at its foot; where the shop prints none, the code, as long as no
// earlier paper carries it too).

import { offered, whatIs } from "../app/arrival.js";
import { button, el, fill, icon } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { shown, worth } from "../app/money.js";
import { answerRedemption, answeringRedemption, guest, scanAgain } from "../app/redeeming.js";
import { answer, answering, attended } from "../app/selling.js";
import { cardOf, questions, till } from "../app/till.js";
import { time, w, worded } from "../app/words.js";
import { codeEntry } from "../parts/code.js";
import { countdown } from "../parts/countdown.js";
import { alarm, faultWords, note, problemWords } from "../parts/said.js";
import { cardSlip } from "../parts/slip.js";

/// Answers that go on with the card, or say that all is well: the first that is offered is the one with the accent.
const ACCENT = ["finish", "print", "print_again", "complete", "accept", "used", "try_again"];

function facts(rows) {
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function ofCard(one) {
  const sale = till.sales.get(one.sale);
  const card = cardOf(one);
  const fault = card?.paper?.fault;
  const waitsForPrinter = one.case === "print_or_money_back" && fault;
  return {
    sentence: worded("case", waitsForPrinter ? "print_or_money_back_fault" : one.case, one.text, { fault: faultWords(fault) }),
    fault: fault && one.case !== "print_or_money_back" ? faultWords(fault) : "",
    rows: [
      [w("fact.card"), one.product_name],
      [w("fact.value"), shown(one.face_value)],
      [w("fact.paid"), sale?.payment && w(`tender.${sale.payment.tender.kind}`)],
      [w("fact.attempt"), card?.paper?.attempt > 1 && String(card.paper.attempt)],
      [w("fact.receipt"), one.receipt],
      [w("fact.until"), one.until && w("fact.until_then", { time: time(one.until) })],
    ],
    choose: (choice) => answer(one.sale, one.card, choice),
    busy: () => answering(one.sale, one.card),
    trouble: () => attended.find(({ id }) => id === one.sale)?.trouble,
    family: "answer",
    attempt: card?.paper?.attempt,
    // Paper is compared with what should be on it, and who waits for a printer sees for what.
    slip: ["is_it_complete", "print_or_money_back"].includes(one.case) && sale && card && cardSlip(sale, card),
  };
}

function ofRedemption(one) {
  const view = till.redemptions.get(one.redemption);
  const taken = view?.taken?.worth;
  return {
    sentence: worded("case", one.case, one.text),
    fault: "",
    rows: [
      [w("fact.voucher"), one.code],
      [w("fact.asked"), worth(one.amount, view?.item)],
      [w("fact.taken"), taken && worth(taken, view?.item)],
      [w("fact.basket"), one.basket],
      [w("fact.until"), one.until && w("fact.until_then", { time: time(one.until) })],
    ],
    choose: (choice) => answerRedemption(one.redemption, choice),
    busy: () => answeringRedemption(one.redemption),
    trouble: () => guest.problem,
    family: "guest_answer",
  };
}

/// What can be scanned to answer it; nothing where nothing can.
function scanBackWords(one, { attempt }) {
  if (one.case !== "is_it_complete") return "";
  if (till.session?.slip_numbers) return w("question.scan_back");
  return attempt > 1 ? "" : w("question.scan_back_code");
}

/// `one`: a case of the attention list.
/// What makes it another question: a further slip that stopped, or another fault, is asked about anew, though the same is asked of the
/// same card.
export function keyOf(one) {
  const paper = cardOf(one)?.paper;
  return ["question", one.sale ?? one.redemption, one.card, one.case, paper?.attempt, paper?.fault, questions().length, ...one.choices].join(" ");
}

export function question(one) {
  const asked = one.sale ? ofCard(one) : ofRedemption(one);
  const title = worded("question", one.case, w("question.title"));
  const heading = el("h1", { tabindex: -1 }, title);
  const trouble = el("div");
  const more = questions().length;
  const first = one.choices.find((choice) => ACCENT.includes(choice));
  const choices = one.choices.map((choice) => button(w(`${asked.family}.${choice}`), () => asked.choose(choice), {
    class: choice === first ? "button primary tall" : "button tall", "data-choice": choice,
  }));
  const wantsVoucher = one.case === "scan_again";
  // The voucher was scanned, and shows nothing taken: that tells nothing before some time has passed.
  let fruitless = false;
  let waiting = 0;
  const scanned = async (text) => {
    fruitless = false;
    await scanAgain(one.redemption, text);
    fruitless = !guest.problem;
    update();
    if (fruitless && heading.isConnected) speakOut(w("question.nothing_missing"), true);
  };
  const entry = wantsVoucher && codeEntry("scan-again", w("voucher.check"), (text) => asked.busy() || scanned(text));
  const update = () => {
    const busy = asked.busy();
    for (const choice of choices) choice.disabled = busy;
    if (entry) entry.go.disabled = busy;
    const why = asked.trouble();
    const wait = fruitless && Date.parse(till.redemptions.get(one.redemption)?.question?.from) - Date.now();
    clearTimeout(waiting);
    if (wait > 0) waiting = setTimeout(() => heading.isConnected && update(), wait);
    fill(trouble, busy ? el("p", { class: "lead" }, w("question.answering")) : why ? alarm(problemWords(why)) : fruitless && nothingMissing(one, wait));
  };
  update();
  const asks = [
    heading, asked.fault && el("p", { class: "lead strong" }, asked.fault), el("p", { class: "lead" }, asked.sentence), facts(asked.rows), trouble,
    choices.length > 0 && el("div", { class: "choices" }, choices),
    scanBackWords(one, asked) && el("p", { class: "lead" }, icon("scan"), scanBackWords(one, asked)),
  ];
  const beside = asked.slip ? el("div", { class: "slips" }, asked.slip) : entry && el("div", {}, el("form", { class: "inline-form", on: { submit: entry.submit } }, entry.nodes));
  return {
    title,
    focus: heading,
    urgent: true,
    words: asked.sentence,
    node: el("div", { class: "center wide question" },
      el("p", { class: "eyebrow" }, icon("attention"), more > 1 ? w("question.of", { n: more }) : w("question.open")),
      beside ? el("div", { class: "sides" }, el("div", {}, asks), beside) : asks),
    update,
    scan: (text) => {
      if (wantsVoucher && asked.busy()) return w("question.answering");
      if (wantsVoucher) return scanned(text);
      const isSlip = one.case === "is_it_complete" && !whatIs(text, offered()).is.endsWith("product");
      return w(isSlip ? "scan.not_this_slip" : "scan.question_first");
    },
  };
}

/// What a scan that found nothing taken leaves to do: scan once more, `wait` ms from now.
function nothingMissing(one, wait) {
  if (!(wait > 0)) return note(`${w("question.nothing_missing")} ${w("question.scan_now")}`, "scan");
  const [left] = countdown(till.redemptions.get(one.redemption).question.from);
  return el("div", { class: "note" }, icon("clock"), el("p", {}, `${w("question.nothing_missing")} ${w("question.scan_later")} `, left));
}
