// The counter page: which screen stands now, and what a scan does.
//
// The order of what is urgent is the whole of it: pairing, then open questions, then sales that end with money to give back or are in a
// customer's hand, then a guest's vouchers, then whatever the cashier has chosen. A screen is drawn when another one's turn comes, and only
// updated while it stands, so that what is typed and what has the focus stay.

import { build, drawStatus, drawTop, frame, speakAs, speakFirst, speakOut } from "./frame.js";
import { fits, offered, plain, whatIs } from "./arrival.js";
import { busy as guestBusy, guest, layAside, look, redemptionTold, takeUpGuest, views } from "./redeeming.js";
import { current, draft, paying, saleTold, scanBack, takeUp } from "./selling.js";
import { inFront, listenForUse } from "./front.js";
import { listenForScans } from "./scan.js";
import { forManager, onChange, onNews, open, questions, till } from "./till.js";
import { home, remark, toStep, toTab, where } from "./where.js";
import { count, spoken, w } from "./words.js";
import { el, fill, icon } from "./dom.js";
import { cases } from "../screens/cases.js";
import { cashier } from "../screens/cashier.js";
import { ended, isWell } from "../screens/ended.js";
import { pairing } from "../screens/pairing.js";
import { keyOf, question } from "../screens/question.js";
import { rack, which } from "../screens/rack.js";
import { balance, redeem } from "../screens/redeem.js";
import { redeemed } from "../screens/redeemed.js";
import { sell } from "../screens/sell.js";
import { take } from "../screens/take.js";
import { value } from "../screens/value.js";
import { voucher } from "../screens/voucher.js";
import { wait } from "../screens/wait.js";
import { playOrMoney } from "../parts/play.js";
import { note, problemWords } from "../parts/said.js";

/// Whose turn it is: a key that names the screen and what it shows, and how it is made. `free`: the cashier may go elsewhere.
function turn() {
  if (!till.ready) return { key: "start", make: () => wait({ title: w("wait.start"), words: till.reached ? "" : w("off.unreached.what") }) };
  if (till.unpaired) return { key: "pairing", make: pairing };
  const [asked] = questions();
  if (asked) return { key: keyOf(asked), make: () => question(asked) };
  const one = current();
  if (one) return ofSale(one);
  if (draft.opening) return { key: "opening", make: () => wait({ title: w("wait.creating"), words: w("wait.moment") }) };
  if (where.step === "cashier") return { key: "cashier", make: cashier, free: true };
  if (where.step === "cases") return { key: `cases ${till.cases.length}`, make: cases, free: true };
  if (guest.redemptions.length > 0 || where.tab !== "sell" || guest.checking || guest.check || guestBusy()) return ofGuest();
  if (where.step === "value") return { key: `value ${where.product.code}`, make: value, free: true };
  if (where.step === "rack") return { key: `rack ${where.product.code}`, make: rack, free: true };
  if (where.step === "which") return { key: `which ${where.code}`, make: which, free: true };
  return { key: "sell", make: sell, free: true };
}

function ofSale(one) {
  const { view } = one;
  const { id, phase } = view;
  if (phase === "collect" && !paying(id)) {
    return { key: `take ${id} ${view.due?.amount} ${one.trouble?.code}`, make: () => take(one) };
  }
  if (phase === "nothing_sold" || phase === "done") return { key: `ended ${id} ${view.screen.code} ${one.trouble?.code}`, make: () => ended(one) };
  const creating = phase === "creating";
  return {
    key: `wait ${id} ${creating}`,
    make: () => wait({ title: w(creating ? "wait.creating" : "wait.finishing"), words: w(creating ? "wait.moment" : "wait.no_other_payment"), saleId: id }),
  };
}

function ofGuest() {
  const bound = guest.redemptions.length > 0;
  if (guestBusy()) return { key: "redeeming", make: () => wait({ title: w("wait.redeeming"), words: w("wait.checking") }) };
  if (guest.check) {
    const { check, redeemable } = guest.check;
    const only = where.tab === "balance" || !redeemable;
    return { key: `look ${check} ${only}`, make: only ? balance : redeem, free: !bound };
  }
  if (bound && !guest.more && !guest.checking && !guest.problem) return { key: "redeemed", make: redeemed };
  if (bound && !guest.more && guest.problem && !guest.checking) return { key: "redeemed", make: redeemed };
  return { key: `voucher ${where.tab} ${guest.more}`, make: voucher, free: !bound };
}

let standing = null;

function draw() {
  const next = turn();
  const key = `${next.key} ${spoken()}`;
  if (standing?.key === key) {
    standing.screen.update?.();
  } else {
    const screen = next.make();
    const before = standing;
    standing = { key, screen };
    fill(frame.main, remarkBox, screen.node);
    document.title = `${screen.title} · tilld`;
    // The first screen of a page takes the focus as well: a scanner and a keyboard need none, a screen reader does.
    screen.focus?.focus({ preventScroll: true });
    if (screen.focus?.select && screen.focus.value) screen.focus.select();
    frame.main.scrollTop = 0;
    if (before) speakOut([screen.title, screen.words].filter(Boolean).join(" "), screen.urgent);
  }
  standing.free = Boolean(next.free);
  drawRemark(key);
  above();
  drawStatus();
}

const TABS = { sell: "gift", redeem: "scan", balance: "find" };

/// What stands above: the tabs, what waits for the manager, who stands here.
function above() {
  const { free } = standing;
  const { session, cashier: name } = till;
  const waiting = forManager().length;
  const { sell: selling, ...vouchers } = TABS;
  const chip = (id, kind, label, step, sign, words) => el("button", {
    type: "button", class: kind, id, disabled: !free, "aria-label": label, on: { click: () => toStep(step) },
  }, icon(sign), el("span", {}, words));
  drawTop({
    tabs: till.unpaired ? {} : { sell: selling, ...(session?.vouchers !== false && vouchers) },
    now: guest.redemptions.length > 0 ? "redeem" : where.tab,
    free,
    go: toTab,
    state: [waiting, name, till.unpaired, session?.providers],
    aside: () => [
      // Real money is what a cashier expects; the manager's page says it.
      session?.providers.some((one) => one.sandbox) && playOrMoney(session),
      waiting > 0 && chip("cases", "chip warn", undefined, "cases", "attention", count("frame.cases", waiting)),
      !till.unpaired && chip("who", "chip", w("frame.cashier", { name: name ?? w("frame.nobody") }), "cashier", "person", name ?? w("frame.nobody")),
      free && el("a", { class: "chip", id: "office", href: "/manager" }, icon("book"), el("span", {}, w("frame.manager"))),
    ],
  });
}

/// What was remarked last stands above the screen that it was remarked on, and goes with it.
const remarkBox = el("div", { class: "remark" });
let remarked = { words: null, key: null };

function drawRemark(key) {
  if (where.remark && where.remark === remarked.words && key !== remarked.key) where.remark = null;
  if (where.remark === remarked.words && key === remarked.key) return;
  remarked = { words: where.remark, key };
  fill(remarkBox, where.remark && note(where.remark));
  if (where.remark) frame.main.scrollTop = 0;
}

/// Says why a scan did nothing.
function refused(words) {
  speakOut(words, true);
  remark(words);
}

/// The number at the foot of a slip, where no question is known to be open: one that has come meanwhile is answered, else it says why not.
async function arrivedFromSlip(text) {
  const why = await scanBack(plain(text));
  if (why !== null) refused(problemWords(why));
}

/// What a scan does while a question is open: it may be from the slip that is asked about, or what the question asks for.
async function arrivedAtQuestion(text) {
  if (questions().some((one) => one.sale && one.case === "is_it_complete")) {
    const why = await scanBack(plain(text));
    if (why === null) return;
    if (why.code !== "no_such_slip") return refused(problemWords(why));
    // Answered meanwhile: what was scanned at the question is led nowhere else.
    if (questions().length === 0) return;
  }
  const words = standing.screen.scan?.(text);
  if (typeof words === "string") refused(words);
}

/// What a scan does, by what stands and by what it is.
function arrived(text) {
  if (questions().length > 0) return arrivedAtQuestion(text);
  const seen = whatIs(text, offered());
  // Where a card's own code is asked for, whatever it looks like is that.
  if (seen.is === "slip" && where.step !== "rack") return arrivedFromSlip(text);
  const one = current();
  if (one) {
    const over = ["done", "nothing_sold"].includes(one.view.phase);
    if (!over || one.trouble || !isWell(one.view)) return refused(w(over ? "scan.read_first" : "scan.busy"));
    standing.screen.leave?.();
  }
  if (draft.opening || guestBusy() || guest.checking) return refused(w("scan.busy"));
  const bound = guest.redemptions.length > 0;
  if (bound || where.tab === "balance") {
    if (bound && seen.is !== "voucher") return refused(w("scan.guest_first"));
    if (seen.is === "voucher" || where.tab === "balance" && seen.is !== "product") {
      guest.more = bound;
      home();
      look(text);
      return;
    }
  }
  if (where.step === "rack" && !(seen.is === "product" && seen.product.code !== where.product.code)) {
    const words = standing.screen.scan?.(text);
    if (words) refused(words);
    return;
  }
  layAside();
  if (seen.is === "voucher") {
    where.tab = "redeem";
    home();
    look(text);
  } else if (seen.is === "foreign_product") {
    where.tab = "sell";
    home();
    refused(w("problem.product_unknown"));
  } else if (seen.is === "product") {
    where.tab = "sell";
    if (!seen.product.sellable) {
      home();
      refused(w("problem.product_not_available"));
    } else if (!fits(seen.product)) {
      home();
      refused(w("problem.mixed_currencies"));
    } else toStep("value", { product: seen.product, code: seen.code });
  } else {
    where.tab = "sell";
    const rackProducts = offered().filter((product) => product.kind === "posa" && fits(product));
    if (rackProducts.length === 1) toStep("value", { product: rackProducts[0], code: seen.code });
    else toStep("which", { code: seen.code });
  }
}

async function begin() {
  await speakFirst();
  build(document.body);
  onChange(draw);
  onNews({
    sale: saleTold,
    redemption: redemptionTold,
    scan: (text) => inFront() && till.ready && !till.unpaired && arrived(text),
    reread: async () => {
      await Promise.all([takeUp(), takeUpGuest()]);
    },
    paired: speakAs,
  });
  listenForScans(() => till.ready && !till.unpaired, arrived);
  listenForUse();
  window.addEventListener("keydown", (event) => {
    // Escape goes back a step where there is one.
    if (event.key === "Escape" && standing?.free && !event.defaultPrevented) {
      if (guest.check) layAside();
      else if (where.step) home();
    }
  });
  draw();
  open();
}

begin();
