// Whose act it is: the two pages stand in one tab by turns, and managers sign in at one screen by turns. What one of them asked for and
// never saw answered is asked again by that page and by that manager, and by nobody else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { KEPT, MANAGERS, eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true });

const [FIRST, SECOND] = MANAGERS;

/// The acts that a page asks for, and those of them that are kept on the way while `held` says so.
function watched() {
  const acts = [];
  const way = { acts, waiting: [], held: () => false };
  way.of = (end) => acts.filter(({ path }) => path.endsWith(end));
  way.before = async (page) => {
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const { pathname: path } = new URL(request.url());
      if (request.method() === "POST") acts.push({ path, key: request.headers()["idempotency-key"], body: request.postData() });
      if (request.method() === "POST" && way.held(path)) way.waiting.push(request);
      else request.continue();
    });
  };
  return way;
}

async function toCases(desk, who = FIRST) {
  await desk.signsIn(who);
  await desk.isAt("open.title");
}

async function closes(desk, reason) {
  await desk.press("open.settle");
  await desk.page.keyboard.sendCharacter(reason);
  await desk.press("open.close");
}

/// A redemption of which nobody knows whether it counts: a manager's case.
async function undecided(basket) {
  const { code } = await shop.giftLocal.post("/vouchers", { name: basket, value: "30.00", currency: "EUR" });
  const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
  const { body: taken } = await shop.ask("POST", "/v1/redemptions", { check, basket, amount: { amount: "10.00", currency: "EUR" } }, { "Idempotency-Key": `${basket} take` });
  await shop.giftLocal.fault("reverse", { kind: "refuse", code: "REDEMPTION_NOT_REVERSIBLE" }, { count: 9 });
  await shop.ask("POST", `/v1/redemptions/${taken.id}/reverse`, { by: "Kim" }, { "Idempotency-Key": `${basket} back` });
  return taken.id;
}

test("a copy that a manager asked for prints for the manager's page, never for the counter", async () => {
  const way = watched();
  const desk = await Desk.open(shop, { language: "de", path: "/manager", before: way.before });
  await shop.sells("C-1");
  const papers = shop.printer.papers.length;
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await desk.press("journal.open_line", { receipt: "C-1" });
  await desk.isAt(`${desk.w("line.sale")} C-1`);
  way.held = (path) => path.endsWith("/copy");
  await desk.press("copy.go");
  await eventually("the copy is asked for", () => way.waiting.length === 1);
  way.held = () => false;
  await desk.click("#counter");
  await desk.isAt("sell.title");
  // Nothing is asked, nothing is printed, and the counter sells.
  assert.equal(way.of("/copy").length, 1);
  assert.equal(shop.printer.papers.length, papers);
  await desk.click('[data-product="4001232232332"]');
  await desk.click('[data-value="50.00"]');
  await desk.sees("basket.sell.one", { n: 1 });
  await desk.click("#office");
  await eventually("the copy is printed", () => shop.printer.papers.length === papers + 1);
  const [asked, again, ...more] = way.of("/copy");
  assert.deepEqual([again, more.length], [asked, 0], "under its key");
  await desk.close();
});

test("a manager's decision about a voucher is no voucher of the guest at the counter", async () => {
  const way = watched();
  const desk = await Desk.open(shop, { language: "en", before: way.before });
  const id = await undecided("V-1");
  const mine = await shop.giftLocal.post("/vouchers", { name: "mine", value: "5.00", currency: "EUR" });
  await desk.isAt("sell.title");
  await desk.scans(mine.code);
  await desk.press("redeem.take", { amount: "€5.00" });
  await desk.isAt("guest.redeemed_as_payment", { amount: "€5.00" });
  await desk.page.goto(`${shop.url}/manager`);
  await toCases(desk);
  await desk.press("open.settle");
  await desk.press("verdict.not_used");
  await desk.fills("textarea", "replacement given");
  way.held = (path) => path.endsWith("/settle");
  await desk.press("open.close");
  await eventually("the decision is asked for", () => way.waiting.length === 1);
  way.held = () => false;
  await desk.click("#counter");
  await desk.isAt("guest.redeemed_as_payment", { amount: "€5.00" });
  assert.equal(way.of("/settle").length, 1);
  await desk.press("redeemed.finish");
  await desk.isAt("sell.title");
  await desk.click("#office");
  await desk.isAt("open.title");
  await desk.sees("open.none");
  const { body } = await shop.ask("GET", `/v1/journal/redemptions/${id}`);
  assert.deepEqual(body.entries.filter(({ what }) => what === "redemption_settled").map(({ by }) => by), [FIRST]);
  await desk.close();
});

test("a cashier's answer is asked again at the counter, and not by the manager's page", async () => {
  const way = watched();
  const desk = await Desk.open(shop, { language: "fr", path: "/manager", before: way.before });
  await toCases(desk);
  await desk.click("#counter");
  await desk.isAt("sell.title");
  shop.printer.fault("paper_out");
  const { id } = await shop.sells("A-1");
  await desk.isAt("question.print_or_money_back");
  way.held = (path) => path.endsWith("/answer");
  await desk.press("answer.money_back");
  await eventually("the answer is asked for", () => way.waiting.length === 1);
  way.held = () => false;
  await desk.page.goto(`${shop.url}/manager`);
  await desk.isAt("open.title");
  await desk.sees("open.cashiers");
  assert.equal(way.of("/answer").length, 1);
  assert.ok(await desk.page.$("#untaken-read") === null);
  await desk.click("#counter");
  await eventually("the answer", async () => (await shop.ask("GET", `/v1/journal/sales/${id}`)).body.entries.some(({ what }) => what === "answered"));
  const [asked, again] = way.of("/answer");
  assert.deepEqual(again, asked, "under its key");
  await desk.close();
});

test("what one manager decided is asked again for him alone: another one reads that it was left, and decides himself", async () => {
  const way = watched();
  const desk = await Desk.open(shop, { language: "en", path: "/manager", before: way.before });
  const { id } = await shop.undoes("M-1", KEPT);
  await toCases(desk, FIRST);
  way.held = (path) => path.endsWith("/settle");
  await closes(desk, "credited by the first");
  await eventually("the decision is asked for", () => way.waiting.length === 1);
  await desk.reloads();
  await eventually("it is asked for again", () => way.waiting.length === 2);
  await desk.press("signin.out");
  await toCases(desk, SECOND);
  await desk.sees("signin.untaken", { name: FIRST });
  await desk.looks("manager-untaken-en");
  // What is still on its way fails, and is not tried again.
  way.held = () => false;
  await way.waiting[1].abort();
  await desk.click("#untaken-read");
  await desk.vanishes("signin.untaken", { name: FIRST });
  await closes(desk, "credited by the second");
  await desk.sees("open.none");
  const told = (await shop.ask("GET", `/v1/journal/sales/${id}`)).body.entries.filter(({ what }) => what === "settled");
  assert.deepEqual(told.map(({ by, facts }) => [by, facts.reason]), [[SECOND, "credited by the second"]]);
  const [first, again, second, ...more] = way.of("/settle");
  assert.deepEqual([again, more.length], [first, 0]);
  assert.notEqual(second.key, first.key);
  await desk.close();
});

test("what a manager is typing waits for him until he signs out, and is never another one's to submit", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await shop.undoes("T-1", KEPT);
  const begins = async (words) => {
    await desk.press("open.settle");
    await desk.page.keyboard.sendCharacter(words);
  };
  const typed = () => desk.page.$$eval("textarea", (fields) => fields.map(({ value }) => value));
  await toCases(desk, FIRST);
  await begins("half a sentence");
  // His session ends by itself: his place is kept.
  await desk.endsSession();
  await desk.click('[data-tab="journal"]');
  await desk.signsIn(FIRST);
  await desk.click('[data-tab="cases"]');
  await desk.isAt("open.title");
  assert.deepEqual(await typed(), ["half a sentence"]);
  await desk.endsSession();
  await desk.click('[data-tab="journal"]');
  await desk.signsIn(SECOND);
  await desk.click('[data-tab="cases"]');
  await desk.isAt("open.title");
  assert.deepEqual(await typed(), []);
  await begins("another one");
  assert.deepEqual(await typed(), ["another one"]);
  await desk.press("signin.out");
  await toCases(desk, SECOND);
  assert.deepEqual(await typed(), []);
  await closes(desk, "over");
  await desk.sees("open.none");
  await desk.close();
});
