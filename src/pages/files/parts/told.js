// Entries of the journal in plain language: what happened, who did it, what was sent and what was answered.
//
// Every word of the journal is worded by its code; what the files do not know yet stands there by its code, never as nothing.

import { el, icon } from "../app/dom.js";
import { shown, worth } from "../app/money.js";
import { count, w, worded } from "../app/words.js";
import { paperWords, refusalWords } from "./said.js";

/// What is told by a call: a headline, which call and how it ended, and why so.
export function ofCall({ call, outcome, refusal, trouble, status, retry_after_s: pause, said }) {
  const why = {
    refused: () => refusal && refusalWords(refusal),
    later: () => (pause ? count("told_pause", pause) : ""),
    not_sent: () => worded("trouble", trouble, trouble),
    unknown: () => [worded("trouble", trouble, trouble), status && `(${status})`].filter(Boolean).join(" "),
    done: () => doneWords(call, said),
  }[outcome]?.();
  return [w("told_call", { call: worded("call", call, call), outcome: worded("ended", outcome, outcome) }), why];
}

function doneWords(call, said) {
  if (said.undo) return [worded("undo", said.undo, said.undo), said.refusal && refusalWords(said.refusal)].filter(Boolean).join(" ");
  if (said.reverse) return [worded("reversal", said.reverse, said.reverse), said.refusal && refusalWords(said.refusal)].filter(Boolean).join(" ");
  if (said.stage) return worded("stage", said.stage, said.stage);
  if (call === "redeem" && said.granted) return w("told_granted", { amount: worth(said.granted) });
  if (call === "validate" && said.left) return w("told_left", { amount: worth(said.left) });
  return "";
}

function tender({ kind, given, change }) {
  return [w(`tender.${kind}`), given && w("told_given", { amount: shown(given) }), change && w("told_change", { amount: shown(change) })].filter(Boolean).join(", ");
}

/// What else is known of it, a sentence each.
function more(entry, kind, copy) {
  const { facts, what } = entry;
  const { paper } = facts;
  const family = kind === "sale" ? "answer" : "guest_answer";
  return [
    what === "redemption_opened" && facts.amount && worth(facts.amount, facts.item ?? undefined),
    facts.tender && `${shown(facts.amount)}, ${tender(facts.tender)}`,
    paper && [paperWords(paper), paper.proof && worded("proof", paper.proof, paper.proof)].filter(Boolean).join(" "),
    facts.answer && w("told_answer", { answer: worded(family, facts.answer, facts.answer) }),
    facts.verdict && w("told_answer", { answer: worded("verdict", facts.verdict, facts.verdict) }),
    facts.reason && w("told_reason", { reason: facts.reason }),
    copy && w("told_copy", { n: copy }),
  ].filter(Boolean);
}

function opened(entry) {
  const { cards } = entry.facts;
  if (!cards) return null;
  return el("ul", { class: "told-cards" }, cards.map((card) => el("li", {}, `${card.card}. ${card.product_name}, ${shown(card.face_value)}${card.code ? ` (${card.code})` : ""}`)));
}

/// What was sent, as far as it is known, as it stands in the journal: behind a fold, for who wants to compare it with the provider.
function sent(entry) {
  const { sent: calls, answered } = entry;
  const pretty = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 1);
    } catch {
      return text;
    }
  };
  return [
    calls.map((one) => el("details", {}, el("summary", {}, w("told_sent", { call: worded("call", one.call, one.call) }), one.card && calls.length > 1 ? ` (${w("told_card", { n: one.card })})` : ""),
      el("pre", { class: "sent", tabindex: 0 }, one.body ? pretty(one.body) : w("told_no_body")))),
    answered && Object.keys(answered.said).length > 0 && el("details", {}, el("summary", {}, w("told_answered_with")), el("pre", { class: "sent", tabindex: 0 }, JSON.stringify(answered.said, null, 1))),
  ];
}

/// Whether an entry is something to look at, not the ordinary course.
const isOdd = ({ answered, facts }) => (answered && answered.outcome !== "done") || facts.paper && facts.paper.paper !== "printed";

/// An entry as a person reads it. `kind`: of what; `clock`: its time in words; `copy`: the number of the copy that it asks for.
export function told(entry, { kind, clock, copy }) {
  const [headline, why] = entry.answered ? ofCall(entry.answered) : [worded("told", entry.what, entry.what), ""];
  const state = kind === "sale" && entry.card === null ? "" : worded(kind === "sale" ? "state" : "voucher_state", entry.state, entry.state);
  return el("li", { class: isOdd(entry) ? "told odd" : "told", "data-what": entry.what },
    el("div", { class: "told-time" }, el("time", { datetime: entry.at }, clock), el("span", { class: "hint" }, `#${entry.seq}`)),
    el("div", { class: "told-text" },
      el("p", {}, isOdd(entry) && icon("attention"), el("strong", {}, headline), entry.card !== null && el("span", { class: "hint" }, ` ${w("told_card", { n: entry.card })}`)),
      why && el("p", {}, why), more(entry, kind, copy).map((words) => el("p", {}, words)), opened(entry),
      el("p", { class: "hint" }, [entry.by && w("told_by", { name: entry.by }), state && w("told_state", { state })].filter(Boolean).join(" · ")),
      sent(entry)));
}
