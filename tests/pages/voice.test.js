// What those hear who do not see the page: the two live regions, and the names of its parts in the language that is spoken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true });

for (const [language, amount] of [["de", "50,00 €"], ["en", "€50.00"]]) {
  test(`each step of a sale is spoken, and what becomes of the printer (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    // What hinders is spoken when it comes and when it goes, once. A printer is listened to once it has printed.
    await shop.ask("POST", "/v1/devices/slip/test");
    shop.printer.low(true);
    await desk.hears("status.paper_low");
    shop.printer.low(false);
    await desk.vanishes("status.paper_low");
    shop.printer.fault("cover_open");
    await desk.hears("fault.cover_open");
    shop.printer.fault("paper_out");
    await desk.hears("fault.paper_out");
    const heard = () => desk.page.evaluate(() => window.spoken);
    const before = (await heard()).length;
    shop.printer.fault(null);
    await eventually("that it is ready is spoken", async () => (await heard()).slice(before).some((one) => one.includes(desk.w("status.printer_ready"))));
    const times = (key) => heard().then((all) => all.filter((one) => one.includes(desk.w(key))).length);
    assert.deepEqual([await times("fault.cover_open"), await times("status.paper_low")], [1, 1], (await heard()).join(" | "));
    await desk.click('[data-product="4001232232332"]');
    await desk.click('[data-value="50.00"]');
    await desk.press("basket.sell.one", { n: 1 });
    await desk.hears("take.title", { amount });
    await shop.finperks.fault("confirm", { kind: "hold", executed: "before_release" });
    shop.printer.fallsSilentAfter(150);
    await desk.press("take.exact_paid", { amount });
    await desk.hears("wait.finishing");
    await desk.sees("state.confirming");
    await shop.finperks.post("/release");
    await desk.hears("state.printing");
    await desk.isAt("question.is_it_complete");
    await desk.hears("question.is_it_complete", {}, true);
    await desk.hears("case.is_it_complete", {}, true);
    shop.printer.fault(null);
    await desk.press("answer.complete");
    await desk.hears("screen.done");
    await desk.press("ended.next");
    await desk.isAt("sell.title");
    await desk.close();
  });
}

for (const [language, amount] of [["fr", "14,00 €"], ["en", "€14.00"]]) {
  test(`that a voucher is looked up, what is on it and that it got its value back is spoken (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    const voucher = await shop.giftLocal.post("/vouchers", { name: `heard ${language}`, value: "14.00", currency: "EUR" });
    await desk.isAt("sell.title");
    await desk.scans("401299999999");
    await desk.hears("voucher.looking");
    await desk.sees("problem.voucher_not_found");
    await desk.scans(voucher.code);
    await desk.isAt("redeem.title");
    await desk.hears("redeem.title");
    await desk.hears(amount);
    await desk.press("redeem.take", { amount });
    await desk.hears("guest.redeemed_as_payment", { amount });
    await desk.press("redeemed.undo");
    await desk.sees("guest.given_back");
    await desk.hears("guest.given_back");
    await desk.press("redeemed.next");
    await desk.close();
  });
}

test("the parts of the page have their names in the language that is spoken, whichever way it came to be", async () => {
  // The browser's is English, the till's German, and then somebody chooses French.
  const desk = await Desk.open(shop, { language: "de", chosen: false });
  const names = () => desk.page.evaluate(() => ["nav", ".banner", ".signs", "#language"].map((part) => document.querySelector(part)?.getAttribute("aria-label")));
  const said = () => ["frame.tabs", "frame.banner", "frame.status", "frame.language"].map((key) => desk.w(key));
  await desk.isAt("sell.title");
  assert.deepEqual(await names(), said());
  const french = await Desk.open(shop, { language: "fr", beside: desk });
  desk.words = french.words;
  await french.close();
  await desk.page.bringToFront();
  await desk.page.select("#language", "fr");
  await desk.isAt("sell.title");
  assert.deepEqual(await names(), said());
  await desk.close();
});
