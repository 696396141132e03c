// Redeeming: one guest with one basket, from the first scan until the goods are handed out or the value has gone back.
//
// A basket's name is never used again; the name of one that something may have been taken for is kept for the whole till, so that a page
// that comes back shows it. A code goes from the scanner to the daemon and stays nowhere. While an outcome is being found out, no
// other payment is taken, and the screen offers none.
//
// Ways to fail: a look is refused or not reached (`problem`, nothing was taken); a redeem is refused (a redemption that says so), unknown (it
// is asked again under its key), or a question, which is `attention`'s.

import { Lost, Problem, act, acting, ask, read, unanswered } from "./api.js";
import { till as shared } from "./keep.js";
import { chance } from "./selling.js";
import { changed, quietly, readCasesSurely, till, tookRedemption } from "./till.js";

export const guest = {
  basket: null,
  /// Ids of what was asked for the basket, oldest first.
  redemptions: [],
  /// What was seen of the voucher in hand.
  check: null,
  checking: false,
  problem: null,
  /// Another voucher is wanted for the same basket.
  more: false,
};

/// States in which the outcome is being found out.
const BUSY = new Set(["redeeming", "looking_up", "comparing"]);

export const views = () => guest.redemptions.map((id) => till.redemptions.get(id)).filter(Boolean);
export const busy = () => acting("/v1/redemptions") || views().some((view) => BUSY.has(view.state));

/// Looks at a voucher.
export async function look(scan) {
  if (guest.checking) return;
  // There is nobody to be asked; the screen says so.
  if (till.session?.vouchers === false) return void changed();
  Object.assign(guest, { checking: true, check: null, problem: null });
  changed();
  try {
    guest.check = await ask("/v1/vouchers/check", { scan, ...(till.cashier && { cashier: till.cashier }) });
  } catch (why) {
    if (!(why instanceof Problem) && !(why instanceof Lost)) throw why;
    guest.problem = why;
  } finally {
    guest.checking = false;
    changed();
  }
}

/// Lays the voucher in hand aside; nothing was taken from it.
export function layAside() {
  Object.assign(guest, { check: null, problem: null, more: false });
  changed();
}

export function another() {
  Object.assign(guest, { check: null, problem: null, more: true });
  changed();
}

/// Takes a part of the voucher in hand, or all.
export async function redeem(amount, termsConfirmed) {
  const { check } = guest;
  guest.basket ??= `B${Date.now().toString(36).toUpperCase()}-${chance(6)}`;
  shared.set("basket", guest.basket);
  guest.problem = null;
  changed();
  const body = {
    check: check.check,
    basket: guest.basket,
    amount,
    ...(till.cashier && { cashier: till.cashier }),
    ...(termsConfirmed && { terms_confirmed: true }),
  };
  await redeemed(body);
}

async function redeemed(body) {
  try {
    join(await act("/v1/redemptions", body));
    Object.assign(guest, { check: null, more: false });
  } catch (why) {
    if (!(why instanceof Problem)) throw why;
    guest.problem = why;
    if (why.code === "check_expired" || why.code === "voucher_not_redeemable") guest.check = null;
  }
  forgetEmpty();
  await readCasesSurely();
  changed();
}

/// The basket that was left last: a late answer about it is no news.
let left = null;

function join(view) {
  if (view.basket === left) return;
  tookRedemption(view);
  if (view.basket === guest.basket && !guest.redemptions.includes(view.id)) guest.redemptions.push(view.id);
  changed();
}

function forgetEmpty() {
  if (guest.redemptions.length === 0 && !acting("/v1/redemptions")) shared.set("basket", null);
}

/// What the stream or a question tells of a redemption. Of one that was asked about the stream may be faster than the answer.
export function redemptionTold(view, asks) {
  if (view.basket === guest.basket) join(view);
  else if (asks || till.redemptions.has(view.id)) tookRedemption(view);
}

async function onRedemption(id, path, body, secret = false) {
  guest.problem = null;
  changed();
  try {
    const view = tookRedemption(await act(path, body, { secret }));
    adopt(view);
  } catch (why) {
    if (!(why instanceof Problem)) throw why;
    guest.problem = why;
    await read(of(id)).then(tookRedemption).catch(quietly);
  }
  await readCasesSurely();
  changed();
}

/// What was answered for an earlier guest is shown to the end, too.
function adopt(view) {
  guest.basket ??= view.basket;
  shared.set("basket", guest.basket);
  if (!guest.redemptions.includes(view.id)) guest.redemptions.push(view.id);
  changed();
}

const of = (id) => `/v1/redemptions/${id}`;
const byWhom = () => (till.cashier ? { by: till.cashier } : {});

export const reverse = (view) => onRedemption(view.id, `${of(view.id)}/reverse`, byWhom());
export const reversing = (id) => acting(`${of(id)}/reverse`);
export const answerRedemption = (id, choice) => onRedemption(id, `${of(id)}/answer`, { answer: choice, ...byWhom() });
export const answeringRedemption = (id) => acting(`${of(id)}/answer`) || acting(`${of(id)}/scan`);
export const scanAgain = (id, scan) => onRedemption(id, `${of(id)}/scan`, { scan }, true);

/// The goods are the guest's: everything that counts is completed, and the basket is over.
export async function finish() {
  for (const view of views().filter(({ state }) => state === "answered")) {
    await onRedemption(view.id, `${of(view.id)}/complete`, byWhom());
    if (guest.problem) return;
  }
  leave();
}

/// The next guest. What is still going back goes on by itself, and what is a manager's stays a manager's.
export function leave() {
  left = guest.basket;
  for (const id of guest.redemptions) till.redemptions.delete(id);
  Object.assign(guest, { basket: null, redemptions: [], check: null, problem: null, more: false });
  shared.set("basket", null);
  changed();
}

/// Prints what became of a redemption, or what is on a voucher; what came of that.
export const print = (path) => ask(`${path}/print`, undefined, { paper: true });

/// Takes up the basket that an earlier life of this page, or another page, has left.
export async function takeUpGuest() {
  const basket = shared.get("basket");
  if (basket && guest.basket === null) guest.basket = basket;
  if (guest.basket === null) return;
  try {
    const { redemptions } = await read(`/v1/baskets/${encodeURIComponent(guest.basket)}`);
    redemptions.forEach(join);
  } catch (why) {
    quietly(why);
  }
  for (const { path, body } of unanswered()) {
    if (acting(path)) continue;
    if (path === "/v1/redemptions") redeemed(body);
    const id = /^\/v1\/redemptions\/([^/]+)\/(reverse|answer|complete)$/.exec(path)?.[1];
    if (id) onRedemption(id, path, body);
  }
  if (guest.redemptions.length === 0 && !acting("/v1/redemptions") && !guest.check) leave();
}
