// Open cases, the first thing a manager sees: each with its sentence, the time that is left, what was tried, and what can be done about it: send
// now, answer, or close it with a reason that stays in the journal. The list follows the stream; what is being typed stays. Below them the one
// hindrance of the counter that is no case, and a manager's to end: too many wrong voucher codes.

import { act, ask } from "../app/api.js";
import { busy, button, el, fill, icon } from "../app/dom.js";
import { shown, worth } from "../app/money.js";
import { asManager, drafts, isTrouble, office, stay, toStory } from "../app/office.js";
import { speakOut } from "../app/frame.js";
import { quietly, readCasesSurely, readCasesSoon, till } from "../app/till.js";
import { count, exact, moment, time, w, worded } from "../app/words.js";
import { countdown } from "../parts/countdown.js";
import { alarm, note, problemWords } from "../parts/said.js";
import { ofCall } from "../parts/told.js";
import { unlock } from "../parts/unlock.js";

/// How long after the moment of the next try the list is read anew: of a try that fails once more the stream tells nothing.
const AFTER_TRY_MS = 1_000;
/// This number of failures stands for itself and more.
const MOST_TOLD = 7;

/// Cases in which the window no longer matters.
const OVER = new Set(["undo_window_over", "undo_not_supported"]);

const nameOf = (one) => (one.sale ? `${one.sale}/${one.card}` : one.redemption);
/// What is typed for a case: it outlives the case's drawing.
const draftOf = (one) => {
  const name = nameOf(one);
  if (!drafts.has(name)) drafts.set(name, { open: false, reason: "", verdict: null, said: null, busy: false });
  return drafts.get(name);
};
const pathOf = (one) => (one.sale ? `/v1/sales/${one.sale}/cards/${one.card}` : `/v1/redemptions/${one.redemption}`);

/// Does something about a case, and says what came of it. `redraw()` draws the case.
async function does(draft, redraw, acts) {
  Object.assign(draft, { busy: true, said: null });
  redraw();
  try {
    const said = await acts();
    Object.assign(draft, { said: said ?? null, open: false, reason: "", verdict: null });
    if (said) speakOut(said);
  } catch (why) {
    if (!isTrouble(why)) throw why;
    draft.said = why;
  } finally {
    draft.busy = false;
    await readCasesSurely();
    redraw();
  }
}

function tried(undo) {
  if (!undo) return [];
  const often = undo.failures > 0 ? count(undo.failures < MOST_TOLD ? "open.tried" : "open.tried_often", undo.failures) : w("open.not_tried");
  const next = undo.under_way ? w("open.under_way") : undo.next_at && w("open.next_at", { time: exact(undo.next_at) });
  const last = undo.tried_at && [exact(undo.tried_at), undo.last && ofCall(undo.last).filter(Boolean).join(". ")].filter(Boolean).join(" – ");
  return [[w("open.tries"), often], [w("open.next"), next], [w("open.last"), last, { class: "whole" }]];
}

function facts(one) {
  const rows = [
    [w(one.sale ? "fact.receipt" : "fact.basket"), one.receipt ?? one.basket],
    [w("open.since"), one.since && moment(one.since)],
    [w(one.who === "manager" ? "open.window" : "fact.until"), one.until && !OVER.has(one.case) && countdown(one.until)],
    ...tried(one.undo),
  ];
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value, props]) => el("div", props, el("dt", {}, name), el("dd", {}, value))));
}

function sendNow(one, draft, redraw) {
  return button(w("open.send"), () => does(draft, redraw, async () => {
    const { sending, not_before: then } = await asManager(() => ask(`${pathOf(one)}/send`));
    return w(`sending.${sending}`, { time: time(then ?? Date.now()) });
  }), { class: "button", icon: "next", ...busy(draft.busy), "data-send": nameOf(one) });
}

function answers(one, draft, redraw) {
  const family = one.sale ? "answer" : "guest_answer";
  return one.choices.map((choice) => button(w(`${family}.${choice}`), () => does(draft, redraw, async () => {
    // A cashier may as well, so that it keeps nobody signed in; that he is here does.
    await act(`${pathOf(one)}/answer`, { answer: choice, by: office.manager });
    stay();
    return w("open.answered");
  }), { class: "button", ...busy(draft.busy), "data-choice": choice }));
}

function closing(one, draft, redraw) {
  const name = nameOf(one);
  const id = `reason-${name}`;
  const verdicts = one.verdicts ?? [];
  const said = el("p", { class: "field-wrong", id: `${id}-wrong`, role: "alert" });
  const input = el("textarea", {
    id, class: "text-input", rows: 2, maxlength: 200, value: draft.reason, "aria-describedby": `${id}-wrong`, "aria-required": "true",
    on: { input: () => { draft.reason = input.value; } },
  });
  const choice = (verdict) => el("button", {
    type: "button", class: "button tender", "aria-pressed": String(draft.verdict === verdict), "data-verdict": verdict,
    on: { click: () => { draft.verdict = verdict; redraw(); } },
  }, w(`verdict.${verdict}`));
  const submit = (event) => {
    event.preventDefault();
    if (draft.busy) return;
    const why = verdicts.length > 0 && !draft.verdict ? "open.verdict_missing" : draft.reason.trim() === "" ? "problem.reason_missing" : null;
    if (why) {
      said.textContent = w(why);
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return;
    }
    does(draft, redraw, async () => {
      const body = { by: office.manager, reason: draft.reason.trim(), ...(verdicts.length > 0 && { verdict: draft.verdict }) };
      await asManager(() => act(`${pathOf(one)}/settle`, body));
      return w("open.closed");
    });
  };
  return el("form", { class: "closing", novalidate: true, on: { submit } },
    verdicts.length > 0 && el("div", { class: "tenders", role: "group", "aria-label": w("open.verdict") }, verdicts.map(choice)),
    el("label", { for: id }, w("open.reason")), input, said,
    el("div", { class: "choices" },
      button(w("open.close"), undefined, { type: "submit", class: "button primary", ...busy(draft.busy), "data-close": name }),
      button(w("cancel"), () => { draft.open = false; redraw(); }, { class: "button" })));
}

function drawn(one, redraw) {
  const draft = draftOf(one);
  const closable = one.may_be_settled || (one.verdicts ?? []).length > 0;
  const title = one.product_name ?? w("fact.voucher_of", { code: one.code });
  const said = draft.said instanceof Error ? alarm(problemWords(draft.said)) : draft.said && note(draft.said, "done");
  return [
    el("div", { class: "case-head" }, el("h2", {}, one.urgent && icon("attention"), title), el("strong", {}, one.face_value ? shown(one.face_value) : worth(one.amount))),
    el("p", { class: "hint" }, w(one.who === "cashier" ? "open.cashiers" : one.urgent ? "open.urgent" : "open.managers")),
    el("p", { class: "case-text" }, worded("case", one.case, one.text, { fault: "" })),
    facts(one),
    one.replacement && el("details", {}, el("summary", {}, w("open.replacement")), el("pre", { class: "sent", tabindex: 0 }, one.replacement)),
    one.undo?.not_before && note(w("sending.not_before", { time: time(one.undo.not_before) }), "clock"),
    el("div", { role: "status" }, said),
    el("div", { class: "line-acts" },
      one.undo?.may_be_sent && sendNow(one, draft, redraw), answers(one, draft, redraw),
      closable && !draft.open && button(w("open.settle"), () => { draft.open = true; redraw(`#reason-${CSS.escape(nameOf(one))}`); }, { class: "button", "data-settle": nameOf(one) }),
      button(w("open.story"), () => toStory(one.sale ? "sale" : "redemption", one.sale ?? one.redemption), { class: "button quiet", icon: "book" })),
    draft.open && closable && closing(one, draft, redraw),
  ];
}

export function openCases() {
  const title = w("open.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const lead = el("p", { class: "lead", role: "status" });
  const list = el("ul", { class: "cases" });
  const standing = new Map();
  let shownWith = "";

  const draw = (name, focus) => {
    const { node, one } = standing.get(name) ?? {};
    if (!node) return;
    // The focus stays on what is drawn anew.
    const held = node.contains(document.activeElement) ? document.activeElement : null;
    const at = held?.id ? `#${CSS.escape(held.id)}` : held && Object.entries(held.dataset).map(([key, value]) => `[data-${key}="${CSS.escape(value)}"]`).join("");
    const { selectionStart } = held ?? {};
    fill(node, drawn(one, (wanted) => draw(name, wanted)));
    const next = (focus && node.querySelector(focus)) ?? (at && node.querySelector(at)) ?? (held && node.querySelector("button"));
    next?.focus();
    if (next?.id === held?.id && selectionStart !== undefined && next?.setSelectionRange) next.setSelectionRange(selectionStart, selectionStart);
  };

  let looking = 0;
  /// Reads the list anew once the next try has been made, or the one that is under way.
  const lookSoon = () => {
    const moments = till.cases.flatMap(({ undo }) => (undo?.under_way ? [Date.now()] : undo?.next_at ? [Date.parse(undo.next_at)] : []));
    clearTimeout(looking);
    if (moments.length > 0) looking = setTimeout(() => heading.isConnected && readCasesSoon(), Math.max(0, Math.min(...moments) - Date.now()) + AFTER_TRY_MS);
  };

  const update = () => {
    const { cases } = till;
    const order = [...cases].sort((one, other) => Number(other.urgent) - Number(one.urgent));
    const state = JSON.stringify(order);
    lookSoon();
    if (state === shownWith) return;
    shownWith = state;
    lead.textContent = cases.length > 0 ? count("open.how", cases.length) : w("open.none");
    const names = order.map(nameOf);
    for (const name of [...standing.keys()].filter((one) => !names.includes(one))) {
      if (standing.get(name).node.contains(document.activeElement)) heading.focus();
      standing.get(name).node.remove();
      standing.delete(name);
      drafts.delete(name);
    }
    order.forEach((one, place) => {
      const name = nameOf(one);
      const text = JSON.stringify(one);
      const known = standing.get(name);
      if (!known) standing.set(name, { node: el("li", { "data-case": one.case }), one, text });
      const { node } = standing.get(name);
      node.className = one.urgent ? "case urgent" : "case";
      if (known?.text !== text) {
        Object.assign(standing.get(name), { one, text });
        draw(name);
      }
      if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
    });
  };
  update();
  return { title, words: lead.textContent, focus: heading, node: el("div", { class: "office" }, heading, lead, list, till.session?.vouchers && unlock()), update };
}
