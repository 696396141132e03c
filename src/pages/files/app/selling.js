// Selling: the basket that is being put together (`draft`), and the sales that somebody stands at the counter for (`attended`).
//
// A draft has its receipt's number from the start, and a receipt belongs to one sale: whatever is clicked twice, reloaded or opened
// in a second page, the daemon begins one sale for it. A sale is attended to from its beginning, or from the moment when it asks
// something, until the cashier has read how it ended; ids of attended sales are kept for the whole till. A page that is opened anew attends
// to every sale in a customer's hand that a page began, wherever that page is now; one that till software began is that till's until it
// asks something: shown here, it would be paid twice.
//
// Ways to fail: the daemon refuses (`draft.problem`, `trouble` of a sale: a sentence beside it, the draft stays); it is not reached (the
// act is asked again under its key, the screen waits). Codes of rack cards live in memory alone: a reload takes them out of the draft, and they
// are missed by name (`draft.lost`) until each is scanned again or the basket is over.

import { Problem, act, acting, read, unanswered } from "./api.js";
import { tab, till as shared } from "./keep.js";
import { sum } from "./money.js";
import { changed, quietly, readCasesSurely, till, tookSale } from "./till.js";

export const MOST_CARDS = 20;

export const draft = { receipt: "", cards: [], problem: null, opening: false, lost: [] };

/// Sales in a customer's hand, oldest first: `{ id, trouble }`.
export const attended = [];

/// The receipts of sales that a page began.
const OURS = /^P\d{6}-\d{6}-[2-9A-Z]{4}$/;

/// A new receipt's number: day, time and chance, printable and short enough for a slip.
function receiptNumber() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${two(now.getFullYear() % 100)}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const clock = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `P${day}-${clock}-${chance(4)}`;
}

/// So many signs of chance, of which none is taken for another.
export function chance(signs) {
  const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  return [...crypto.getRandomValues(new Uint8Array(signs))].map((byte) => letters[byte % letters.length]).join("");
}

function keepDraft() {
  const kept = draft.cards.map(({ code, ...card }) => ({ ...card, scanned: code !== undefined }));
  tab.set("draft", { receipt: draft.receipt, cards: [...kept, ...draft.lost.map((card) => ({ ...card, scanned: true }))] });
  changed();
}

/// Adds a card. `code`: of a card from the rack. Null, or the code of the problem where it does not fit.
export function addCard(product, faceValue, code) {
  // Where the hangers carry the product's own code, two cards have the same one.
  const twice = code !== undefined && product.rack_code !== "product" && draft.cards.some((card) => card.code === code);
  if (twice) return "card_code_twice";
  if (draft.cards.length >= MOST_CARDS) return "too_many_cards";
  draft.problem = null;
  const found = code === undefined ? -1 : draft.lost.findIndex((card) => card.product === product.code);
  if (found >= 0) draft.lost.splice(found, 1);
  draft.cards.push({
    product: product.code,
    name: product.name,
    brand: product.brand,
    kind: product.kind,
    face_value: faceValue,
    ...(code !== undefined && { code, tail: code.slice(-4) }),
  });
  keepDraft();
  return null;
}

export function removeCard(place) {
  draft.cards.splice(place, 1);
  draft.problem = null;
  keepDraft();
}

export function emptyDraft() {
  draft.cards = [];
  draft.receipt = receiptNumber();
  draft.problem = null;
  draft.lost = [];
  keepDraft();
}

export const total = () => sum(draft.cards.map((card) => card.face_value));

/// Begins the sale of the draft.
export async function sell() {
  if (draft.opening || draft.cards.length === 0) return;
  draft.opening = true;
  draft.problem = null;
  changed();
  const cards = draft.cards.map(({ product, kind, face_value, code }) => ({ product, kind, face_value, ...(code !== undefined && { code }) }));
  const body = { receipt: draft.receipt, ...(till.cashier && { cashier: till.cashier }), cards };
  try {
    begun(await act("/v1/sales", body, { secret: cards.some((card) => card.code !== undefined) }));
  } catch (why) {
    if (!(why instanceof Problem)) throw why;
    draft.problem = why;
    // Its sale is told by the stream, and taken over there.
    if (why.code !== "receipt_used") draft.receipt = receiptNumber();
  } finally {
    draft.opening = false;
    keepDraft();
  }
}

function begun(view) {
  attend(view);
  if (view.receipt !== draft.receipt || view.phase === "creating") return;
  // Where nothing was sold the basket stays, to be tried again.
  if (view.phase !== "nothing_sold") Object.assign(draft, { cards: [], lost: [] });
  draft.receipt = receiptNumber();
  keepDraft();
}

function keepAttended() {
  shared.set("attended", attended.length === 0 ? null : attended.map(({ id }) => id));
  changed();
}

/// What was dismissed last: the answer of an act may come after the stream has told how it ended, and the cashier has read it.
const dismissed = [];

/// Attends to a sale until it is dismissed; to one that was dismissed again only where it asks something.
export function attend(view, asks = false) {
  if (dismissed.includes(view.id) && !asks) return;
  tookSale(view);
  if (attended.some(({ id }) => id === view.id)) return;
  attended.push({ id: view.id, trouble: null });
  keepAttended();
}

/// Attends to what is in a customer's hand, though this page knows nothing of it.
async function takeUpOpen() {
  const { sales } = await read("/v1/sales?open=true");
  const ours = sales.filter((one) => inHand(one) && OURS.test(one.receipt) && !attended.some(({ id }) => id === one.id));
  await Promise.all(ours.map(async ({ id }) => begun(await read(of(id)))));
}

/// Answers the question whether a slip is complete with the number or the code that was scanned from it; the problem, where it answers none.
export async function scanBack(code) {
  try {
    attend(await act("/v1/sales/scanned", { code, ...byWhom() }, { secret: true }), true);
  } catch (why) {
    if (!(why instanceof Problem)) throw why;
    return why;
  }
  await readCasesSurely();
  return null;
}

/// What the stream or a question tells of a sale.
export function saleTold(view, asks) {
  const mine = attended.some(({ id }) => id === view.id);
  if (view.receipt === draft.receipt && (draft.cards.length > 0 || draft.lost.length > 0)) begun(view);
  else if (mine) tookSale(view);
  else if (asks) attend(view, true);
}

/// Whether more is to come of it by itself or by the payment, so that it must not be dismissed.
const inHand = (view) => view.phase !== "done" && view.phase !== "nothing_sold";

export function dismiss(id) {
  const place = attended.findIndex((one) => one.id === id);
  if (place < 0) return;
  attended.splice(place, 1);
  dismissed.splice(0, Math.max(0, dismissed.length - 50));
  dismissed.push(id);
  till.sales.delete(id);
  keepAttended();
}

/// The sale whose turn it is on the screen: what has ended with something to give back, then what is in hand, then what is done.
export function current() {
  const views = attended.map((one) => ({ ...one, view: till.sales.get(one.id) })).filter(({ view }) => view);
  const rank = ({ view }) => (!inHand(view) && view.money_back ? 0 : inHand(view) ? 1 : 2);
  return views.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

/// Acts on a sale, and keeps what came of it.
async function onSale(id, path, body) {
  const one = attended.find((known) => known.id === id);
  if (one) one.trouble = null;
  changed();
  try {
    attend(await act(path, body));
  } catch (why) {
    if (!(why instanceof Problem)) throw why;
    const now = attended.find((known) => known.id === id);
    if (now) now.trouble = why;
    await read(`/v1/sales/${id}`).then(tookSale).catch(quietly);
  }
  await readCasesSurely();
  changed();
}

const of = (id) => `/v1/sales/${id}`;

/// The customer has paid what is due, in a tender of the API.
export function pay(view, tender) {
  return onSale(view.id, `${of(view.id)}/payment`, { amount: view.due, tender });
}

export const paying = (id) => acting(`${of(id)}/payment`);

export function cancel(view) {
  return onSale(view.id, `${of(view.id)}/cancel`, byWhom());
}

/// Answers the question of a card.
export function answer(id, card, choice) {
  return onSale(id, `${of(id)}/cards/${card}/answer`, { answer: choice, ...byWhom() });
}

export const answering = (id, card) => acting(`${of(id)}/cards/${card}/answer`);

const byWhom = () => (till.cashier ? { by: till.cashier } : {});

/// Takes up what an earlier life of this page, or another page, has left: the draft, the attended sales, acts without an answer.
export async function takeUp() {
  const kept = tab.get("draft");
  if (draft.receipt === "") {
    draft.receipt = kept?.receipt ?? receiptNumber();
    const of = (wanted) => (kept?.cards ?? []).filter(({ scanned }) => scanned === wanted).map(({ scanned, ...card }) => card);
    Object.assign(draft, { cards: of(false), lost: of(true) });
  }
  const ids = new Set([...(shared.get("attended") ?? []), ...attended.map(({ id }) => id)]);
  await Promise.all([...ids].map(async (id) => {
    try {
      attend(await read(of(id)));
    } catch (why) {
      quietly(why);
      if (why instanceof Problem && why.code === "sale_unknown") dismiss(id);
    }
  }));
  await takeUpOpen().catch(quietly);
  for (const { path, body } of unanswered()) {
    const sale = /^\/v1\/sales\/([^/]+)\/(payment|cancel|cards\/\d+\/answer)$/.exec(path)?.[1];
    if (acting(path)) continue;
    if (sale) onSale(sale, path, body);
    // A draft that has become another one since then is begun by nobody but the cashier.
    else if (path === "/v1/sales" && body.receipt === draft.receipt) sell();
  }
}
