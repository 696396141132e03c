// A redeem whose outcome nobody knows: the voucher is read until it tells, which takes seconds here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true, redeemS: 1, more: "[times]\nsettle_s = 1\ncompare_s = 8\n" });

/// What is left on a voucher by the provider's own book, which no daemon writes.
async function left(name) {
  const { vouchers } = await shop.giftLocal.get("/ledger");
  return vouchers.find((one) => one.name === name).left;
}

/// Takes five euro of a voucher, of which the provider hears nothing; the voucher's code.
async function losesRedeem(desk, name, amount) {
  const { code } = await shop.giftLocal.post("/vouchers", { name, value: "20.00", currency: "EUR" });
  await desk.isAt("sell.title");
  await desk.scans(code);
  await desk.isAt("redeem.title");
  await shop.giftLocal.fault("redeem", { kind: "drop_request", how: "reset" });
  await desk.types("5");
  await desk.press("redeem.take", { amount });
  await desk.isAt("wait.redeeming");
  await desk.sees("wait.checking");
  return code;
}

const cases = async () => (await shop.ask("GET", "/v1/attention")).body.cases.map((one) => one.case);

for (const [language, dark, amount] of [["de", true, "5,00 €"], ["en", false, "€5.00"]]) {
  test(`a redeem that never arrived leaves the voucher as it was: other payment, or once more (${language})`, async () => {
    const desk = await Desk.open(shop, { language, dark });
    const code = await losesRedeem(desk, `lost ${language}`, amount);
    await desk.isAt("guest.not_applied");
    await desk.sees("redeemed.other_payment");
    await desk.looks(`not-applied-${language}${dark ? "-dark" : ""}`);
    assert.ok((await cases()).includes("not_applied"));
    assert.equal(await left(`lost ${language}`), "20.00");
    await desk.press("redeemed.another");
    await desk.isAt("voucher.another");
    await desk.scans(code);
    await desk.isAt("redeem.title");
    await desk.types("5");
    await desk.press("redeem.take", { amount });
    await desk.sees("guest.redeemed_as_payment", { amount });
    assert.equal(await left(`lost ${language}`), "15.00");
    await desk.press("redeemed.finish");
    await desk.isAt("voucher.title");
    await desk.close();
  });
}

test("where the voucher has changed by something else nobody can tell: the manager is called, and no other payment is taken", async () => {
  const desk = await Desk.open(shop, { language: "fr", dark: true });
  const before = (await cases()).length;
  await losesRedeem(desk, "moved", "5,00 €");
  await shop.giftLocal.post("/vouchers/moved/spend", { amount: "3.00" });
  await desk.isAt("guest.call_the_manager");
  await desk.sees("redeemed.no_other_payment");
  await desk.looks("call-the-manager-fr-dark");
  assert.ok((await cases()).includes("voucher_unclear"));
  await desk.press("redeemed.next");
  await desk.isAt("voucher.title");
  assert.equal(await left("moved"), "17.00");
  assert.equal((await cases()).length, before + 1);
  await desk.sees(before === 0 ? "frame.cases.one" : "frame.cases.other", { n: before + 1 });
  await desk.close();
});
