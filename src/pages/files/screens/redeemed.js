// What became of the vouchers of this guest: what counts for the basket and how to book it; handing out, another voucher, or giving back.

import { Lost, Problem } from "../app/api.js";
import { button, el, fill, icon, say, setBusy } from "../app/dom.js";
import { worth } from "../app/money.js";
import { speakOut } from "../app/frame.js";
import { another, finish, guest, leave, print, reverse, reversing, views } from "../app/redeeming.js";
import { w } from "../app/words.js";
import { alarm, note, paperWords, problemWords, redemptionScreen } from "../parts/said.js";
import { redemptionSlip } from "../parts/slip.js";

const counts = (view) => view.counts === "for";

/// Prints what became of one. While the printer works on it, another press is none: a second paper is no answer to a slow printer.
function printing(view, said) {
  const go = button(w("print.slip"), async () => {
    setBusy(go, true);
    try {
      fill(said, note(paperWords(await print(`/v1/redemptions/${view.id}`)), "print"));
    } catch (why) {
      if (!(why instanceof Problem) && !(why instanceof Lost)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(go, false);
    }
  }, { class: "button", icon: "print" });
  return go;
}

function one(view, paper) {
  const open = view.state === "answered";
  const undo = open && button(w("redeemed.undo"), () => reverse(view), { class: "button", disabled: reversing(view.id), "data-undo": view.code });
  return el("li", { class: `outcome ${counts(view) ? "outcome-sold" : "outcome-owed"}` },
    icon(counts(view) ? "done" : "attention"),
    el("span", { class: "line-text" }, el("strong", {}, redemptionScreen(view)), el("span", { class: "line-code" }, view.code,
      view.taken?.left ? ` · ${w("redeemed.left", { amount: worth(view.taken.left, view.item) })}` : "")),
    el("div", { class: "line-acts" }, undo, (counts(view) || view.owed || view.state === "cleared") && paper));
}

export function redeemed() {
  const heading = el("h1", { tabindex: -1 }, "");
  const list = el("ul", { class: "outcomes" });
  const trouble = el("div");
  const said = el("div", { role: "status" });
  const slips = el("div", { class: "slips" });
  const lead = el("p", { class: "lead" });
  const goOn = button("", () => (views().some((view) => view.state === "answered") ? finish() : leave()), { class: "button primary tall", "data-finish": true });
  const more = button(w("redeemed.another"), another, { class: "button tall", icon: "scan" });
  // What is drawn anew around them leaves the slips, which are asked for once, and the buttons, which may be at work, as they are.
  const drawnSlips = new Map();
  const prints = new Map();
  let drawn = "";
  let told = null;
  const title = () => {
    const all = views();
    const good = all.filter(counts);
    if (good.length === 1 && all.length === 1) return redemptionScreen(good[0]);
    if (good.length > 0) return w("redeemed.title");
    return all.length === 1 ? redemptionScreen(all[0]) : w("redeemed.none");
  };
  const update = () => {
    const all = views();
    const state = JSON.stringify([all.map(({ id, seq }) => [id, seq, reversing(id)]), guest.problem?.code]);
    if (state === drawn) return;
    drawn = state;
    const outcomes = all.map(redemptionScreen);
    const news = outcomes.filter((words, place) => told && told[place] !== words);
    if (news.length > 0) speakOut(news.join(" "));
    told = outcomes;
    say(heading, title());
    const blocked = all.some((view) => !view.other_payment && view.counts === "open");
    say(lead, blocked ? w("redeemed.no_other_payment") : all.some(counts) ? w("redeemed.goods") : w("redeemed.other_payment"));
    for (const view of all) if (!prints.has(view.id)) prints.set(view.id, printing(view, said));
    fill(list, all.map((view) => one(view, prints.get(view.id))));
    const papers = all.filter(counts);
    for (const view of papers) if (!drawnSlips.has(view.id)) drawnSlips.set(view.id, redemptionSlip(view));
    fill(slips, papers.map(({ id }) => drawnSlips.get(id)));
    fill(trouble, guest.problem && alarm(problemWords(guest.problem)));
    say(goOn.querySelector("span"), all.some((view) => view.state === "answered") ? w("redeemed.finish") : w("redeemed.next"));
  };
  update();
  return {
    title: title(),
    focus: goOn,
    node: el("div", { class: "center wide ended" }, el("div", { class: "sides" },
      el("div", { class: "wide-side" }, heading, lead, trouble, list, said, el("div", { class: "choices" }, goOn, more)), slips)),
    update,
  };
}
