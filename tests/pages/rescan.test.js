// A redeem in which the daemon died, and whose sealed code is gone (row B4): the page asks for the voucher before anything else, and takes
// only this one for an answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true });

/// What the provider was asked for since its call `n`.
const redeems = async (n) => (await shop.giftLocal.get("/calls?after=0")).filter((call) => call.call === "redeem" && call.n > n).length;

for (const [language, touch, amount] of [["de", false, "12,50 €"], ["en", true, "€12.50"]]) {
  test(`a voucher is asked for again, refused where it is another one, and settles the redeem (${language}, ${touch ? "with fingers" : "scanned"})`, async () => {
    const desk = await Desk.open(shop, { language, touch, ...(touch && { width: 800, height: 1180 }) });
    const name = `again ${language}`;
    const mine = await shop.giftLocal.post("/vouchers", { name, value: "40.00", currency: "EUR" });
    const other = await shop.giftLocal.post("/vouchers", { name: `other ${language}`, value: "40.00", currency: "EUR" });
    const left = async () => Number((await shop.giftLocal.get("/ledger")).vouchers.find((one) => one.name === name).left);
    /// The cashier holds a voucher to the scanner, or presses its digits.
    const gives = async (code) => {
      if (!touch) return desk.scans(code);
      for (const digit of code) await (await desk.has(`[data-key="${digit}"]`)).tap();
      return desk.tap("voucher.check");
    };
    await desk.isAt("sell.title");
    await desk.scans(mine.code);
    await desk.isAt("redeem.title");
    await desk.types(language === "de" ? "12,5" : "12.5");
    const before = (await shop.giftLocal.get("/calls?after=0")).at(-1).n;
    // It is on its way, and nobody has done it yet, when the power goes.
    await shop.giftLocal.fault("redeem", { kind: "hold", executed: "after_release" });
    await desk.press("redeem.take", { amount });
    await desk.isAt("wait.redeeming");
    await eventually("the redeem is held", async () => (await redeems(before)) === 1);
    await shop.crash();
    shop.losesCodes();
    await shop.serve();

    await desk.isAt("question.scan_again");
    await desk.sees("case.scan_again");
    await desk.sees(`••••${mine.code.slice(-4)}`);
    await desk.looks(`question-scan-again-${language}`);
    await desk.noWayRound("question.scan_again");
    await gives(other.code);
    await desk.sees("problem.another_voucher");
    await desk.isAt("question.scan_again");
    await desk.looks(`question-another-voucher-${language}`);
    await gives("401299999999");
    await desk.sees("problem.voucher_not_found");
    await desk.isAt("question.scan_again");
    // The right one, which shows nothing yet: when it is to be scanned once more is counted down.
    await gives(mine.code);
    await desk.sees("question.nothing_missing");
    await desk.sees("question.scan_later");
    assert.match(await desk.text("main time.left"), /^\d:\d\d$/);
    await desk.isAt("question.scan_again");
    await desk.looks(`question-nothing-missing-${language}`);
    assert.equal(await left(), 40);
    await shop.giftLocal.post("/release");
    await eventually("it is taken", async () => (await left()) === 27.5);
    await gives(mine.code);
    await desk.isAt("guest.redeemed_as_payment", { amount });
    await desk.looks(`rescanned-${language}`);
    assert.equal(await redeems(before), 1);
    assert.equal(await left(), 27.5);
    const kept = await desk.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) + document.documentElement.outerHTML);
    assert.ok(!kept.includes(mine.code) && !kept.includes(other.code));
    await desk.press("redeemed.finish");
    await desk.isAt("sell.title");
    await desk.close();
  });
}
