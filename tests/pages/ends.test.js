// The ends that come seldom, of a sale and of a redemption: what to do with each card, the paper, the voucher and the money.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop, withAnswer } from "./desk.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true });

const RACK = '[data-product="4001232100022"]';
async function addsFromTheRack(desk, code) {
  await desk.click(RACK);
  await desk.click('[data-value="25.00"]');
  await desk.isAt("rack.title");
  await desk.scans(code);
  await desk.isAt("sell.title");
}

const sells = async (desk) => {
  await desk.click(".basket .primary");
  await desk.has(".take");
};

const next = async (desk) => {
  await desk.click(".ended .primary");
  await desk.isAt("sell.title");
};

for (const [language, dark, rest, back] of [["de", false, "25,00 €", "25,00 €"], ["en", true, "€25.00", "€25.00"]]) {
  test(`what becomes of two cards of which one fails (${language})`, async () => {
    const desk = await Desk.open(shop, { language, dark });
    const looks = (name) => desk.looks(`${name}-${language}${dark ? "-dark" : ""}`);
    const end = language === "de" ? 1 : 2;
    await desk.isAt("sell.title");
    // Before the payment: it is kept, and the other one is paid.
    for (const card of [1, 2]) await addsFromTheRack(desk, `63999900001234572${end}${card}`);
    await shop.finperks.fault("create", { kind: "refuse", code: "processing_declined" });
    await sells(desk);
    await desk.sees("screen.take_for_the_rest", { amount: rest });
    await desk.sees("take.not_sold");
    await looks("take-for-the-rest");
    await desk.pays();
    await desk.isAt("screen.done_for_the_rest");
    await looks("done-for-the-rest");
    await next(desk);
    // After the payment: its part of the money goes back, and the card from the rack is kept.
    for (const card of [3, 4]) await addsFromTheRack(desk, `63999900001234572${end}${card}`);
    await sells(desk);
    await shop.finperks.fault("confirm", { kind: "refuse", code: "processing_declined" });
    await desk.pays();
    await desk.isAt("screen.partly_sold", { amount: back });
    await desk.sees("screen.not_sold_keep_the_card");
    await looks("partly-sold");
    // No scan leads on from there.
    await desk.scans("401200000029");
    await desk.sees("scan.read_first");
    await next(desk);
    await desk.close();
  });
}

test("a card from the rack that was not sold is kept, and one whose slip was not printed is handed out", async () => {
  const desk = await Desk.open(shop, { language: "fr", dark: true });
  await desk.isAt("sell.title");
  await addsFromTheRack(desk, "6399990000123457301");
  await sells(desk);
  await shop.finperks.fault("confirm", { kind: "refuse", code: "processing_declined" });
  await desk.pays();
  await desk.isAt("screen.not_sold_keep_the_card");
  await desk.sees("problem.declined");
  await desk.looks("keep-the-card-fr-dark");
  await next(desk);
  await addsFromTheRack(desk, "6399990000123457302");
  await sells(desk);
  shop.printer.fault("paper_out");
  await desk.pays();
  await desk.isAt("screen.done_without_slip");
  await desk.looks("done-without-slip-fr-dark");
  shop.printer.fault(null);
  await next(desk);
  await desk.close();
});

test("a voucher that did not get its value back is the manager's, and says so", async () => {
  const desk = await Desk.open(shop, { language: "de", dark: true });
  const { code } = await shop.giftLocal.post("/vouchers", { name: "kept", value: "15.00", currency: "EUR" });
  await desk.isAt("sell.title");
  await desk.scans(code);
  await desk.press("redeem.take", { amount: "15,00 €" });
  await desk.isAt("guest.redeemed_as_payment", { amount: "15,00 €" });
  await desk.looks("redeemed-de-dark");
  await shop.giftLocal.fault("reverse", { kind: "refuse", code: "REDEMPTION_NOT_REVERSIBLE" }, { count: 9 });
  await desk.press("redeemed.undo");
  await desk.sees("guest.not_given_back");
  await desk.hears("guest.not_given_back");
  await desk.looks("not-given-back-de-dark");
  await desk.press("redeemed.next");
  await desk.isAt("voucher.title");
  await desk.sees("frame.cases.one", { n: 1 });
  await desk.close();
});

test("play is shown unmistakably, and where vouchers are not set up no tab leads to them", async () => {
  let live = false;
  const desk = await Desk.open(shop, { language: "en", before: withAnswer(shop, "/v1/session", (session) => live && Object.assign(session, { sandbox: false, providers: session.providers.map((one) => ({ ...one, sandbox: false })), vouchers: false })) });
  await desk.isAt("sell.title");
  assert.equal(await desk.text(".top .sandbox"), desk.w("frame.sandbox"));
  assert.equal((await desk.page.$$(".tab")).length, 3);
  live = true;
  await desk.reloads();
  await desk.isAt("sell.title");
  assert.equal(await desk.page.$(".sandbox"), null);
  assert.equal((await desk.page.$$(".tab")).length, 1);
  await desk.scans("401200000029");
  await desk.sees("problem.vouchers_not_set_up");
  await desk.looks("vouchers-not-set-up-en");
  await desk.close();
});

// The last one: it locks the terminal.
test("after five wrong codes no voucher is looked up, and the manager is called", async () => {
  const desk = await Desk.open(shop, { language: "de", dark: true });
  await desk.isAt("sell.title");
  for (let wrong = 1; wrong <= 5; wrong += 1) await shop.ask("POST", "/v1/vouchers/check", { scan: `40129999900${wrong}` });
  await desk.scans("401200000029");
  await desk.sees("problem.too_many_tries");
  await desk.looks("too-many-tries-de-dark");
  await desk.close();
});
