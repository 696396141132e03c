// Redeeming and looking at vouchers, as a cashier sees it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

/// A voucher of its own for each test.
const issue = (about) => shop.giftLocal.post("/vouchers", about);
/// What is left on it at the provider.
async function left(name) {
  const { vouchers } = await shop.giftLocal.get("/ledger");
  const one = vouchers.find((voucher) => voucher.name === name);
  return String(one.left ?? one.remaining ?? one.balance);
}

for (const [language, typed, [whole, part, rest]] of [["de", "12,5", ["40,00 €", "12,50 €", "27,50 €"]], ["en", "12.5", ["€40.00", "€12.50", "€27.50"]]]) {
  test(`a voucher is redeemed in two parts, of which the second is undone (${language})`, async () => {
    const name = `parts ${language}`;
    const desk = await Desk.open(shop, { language });
    const voucher = await issue({ name, value: "40.00", currency: "EUR" });
    await desk.isAt("sell.title");
    await desk.scans(voucher.code);
    await desk.isAt("redeem.title");
    await desk.sees(whole);
    await desk.looks(`redeem-${language}`);
    await desk.types(typed);
    await desk.press("redeem.take", { amount: part });
    await desk.isAt("guest.redeemed_as_payment", { amount: part });
    await desk.sees("redeemed.left", { amount: rest });
    const [rows] = await desk.slips();
    assert.ok(rows.some((row) => row.includes("12,50")) && rows.some((row) => row.includes("27,50")), rows.join(" / "));
    assert.ok(!(await desk.page.content()).includes(voucher.code));
    await desk.looks(`redeemed-${language}`);
    assert.equal(Number(await left(name)), 27.5);
    await desk.press("redeemed.finish");
    await desk.isAt("voucher.title");

    await desk.scans(voucher.token ?? voucher.code);
    await desk.isAt("redeem.title");
    await desk.press("redeem.all", { amount: rest });
    await desk.press("redeem.take", { amount: rest });
    await desk.isAt("guest.redeemed_as_payment", { amount: rest });
    assert.equal(Number(await left(name)), 0);
    await desk.press("redeemed.undo");
    await desk.sees("guest.given_back");
    await desk.looks(`given-back-${language}`);
    assert.equal(Number(await left(name)), 27.5);
    await desk.press("redeemed.next");
    await desk.isAt("voucher.title");
    await desk.close();
  });
}

for (const [language, amount] of [["en", "€5.00"], ["de", "5,00 €"]]) {
  test(`a voucher is redeemed with the keyboard alone (${language})`, async () => {
    const name = `keys ${language}`;
    const desk = await Desk.open(shop, { language });
    const voucher = await issue({ name, value: "20.00", currency: "EUR" });
    await desk.isAt("sell.title");
    await desk.tabsTo('[data-tab="redeem"]');
    await desk.page.keyboard.press("Enter");
    await desk.isAt("voucher.title");
    await desk.looks(`voucher-${language}`);
    await desk.types(voucher.code);
    await desk.page.keyboard.press("Enter");
    await desk.isAt("redeem.title");
    await desk.types("5");
    await desk.page.keyboard.press("Enter");
    await desk.isAt("guest.redeemed_as_payment", { amount });
    await desk.page.keyboard.press("Enter");
    await desk.isAt("voucher.title");
    assert.equal(Number(await left(name)), 15);
    await desk.close();
  });
}

for (const [language, comma, amount] of [["fr", ",", "7,50 €"], ["en", ".", "€7.50"]]) {
  test(`a voucher is redeemed with fingers alone, on a tablet 800 px wide (${language})`, async () => {
    const name = `fingers ${language}`;
    const desk = await Desk.open(shop, { language, width: 800, height: 1180, touch: true });
    const voucher = await issue({ name, value: "30.00", currency: "EUR" });
    await desk.isAt("sell.title");
    await desk.tap("tab.redeem");
    await desk.isAt("voucher.title");
    for (const digit of voucher.code) await desk.tap(digit);
    await desk.looks(`voucher-${language}-800`);
    await desk.tap("voucher.check");
    await desk.isAt("redeem.title");
    await desk.looks(`redeem-${language}-800`);
    for (const key of ["7", comma, "5"]) await desk.tap(key);
    await desk.tap("redeem.take", { amount });
    await desk.isAt("guest.redeemed_as_payment", { amount });
    await desk.looks(`redeemed-${language}-800`);
    await desk.tap("redeemed.finish");
    await desk.isAt("voucher.title");
    assert.equal(Number(await left(name)), 22.5);
    await desk.close();
  });
}

test("two vouchers pay one basket", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  const one = await issue({ name: "first", value: "10.00", currency: "EUR" });
  const two = await issue({ name: "second", value: "15.00", currency: "EUR" });
  await desk.isAt("sell.title");
  await desk.scans(one.code);
  await desk.press("redeem.take", { amount: "€10.00" });
  await desk.isAt("guest.redeemed_as_payment", { amount: "€10.00" });
  await desk.press("redeemed.another");
  await desk.isAt("voucher.another");
  await desk.scans(two.code);
  await desk.isAt("redeem.title");
  await desk.press("redeem.take", { amount: "€15.00" });
  await desk.isAt("redeemed.title");
  await desk.looks("two-vouchers-en");
  await desk.press("redeemed.finish");
  await desk.isAt("voucher.title");
  assert.deepEqual([Number(await left("first")), Number(await left("second"))], [0, 0]);
  await desk.close();
});

/// One who has no mouse, and one who has fingers alone: how each gets at something, and gives a code.
const HANDS = [
  { hand: "the keyboard", language: "de", screen: {}, ten: "10,00 €", at: async (desk, selector) => {
    await desk.tabsTo(selector);
    await desk.page.keyboard.press(selector === "#terms" ? "Space" : "Enter");
  }, gives: async (desk, code) => {
    await desk.types(code);
    await desk.page.keyboard.press("Enter");
  } },
  { hand: "fingers", language: "en", screen: { width: 800, height: 1180, touch: true }, ten: "€10.00", at: async (desk, selector) => (await desk.has(selector)).tap(), gives: async (desk, code) => {
    for (const digit of code) await desk.tap(digit);
    await (await desk.has("form .primary")).tap();
  } },
];

for (const { hand, language, screen, ten, at, gives } of HANDS) {
  test(`a promotional voucher shows its terms, is redeemed only when they are confirmed, and gets its value back, with ${hand} alone (${language})`, async () => {
    const desk = await Desk.open(shop, { language, ...screen });
    const { code } = await issue({ name: `terms ${hand}`, value: "10.00", currency: "EUR", terms: "10 EUR off any purchase" });
    await desk.isAt("sell.title");
    await at(desk, '[data-tab="redeem"]');
    await desk.isAt("voucher.title");
    await gives(desk, code);
    await desk.isAt("redeem.title");
    await desk.sees("10 EUR off any purchase");
    await desk.sees("redeem.confirm_first");
    await desk.looks(`terms-${language}`);
    assert.ok(await desk.page.$eval("button.primary", (button) => button.disabled));
    await at(desk, "#terms");
    await at(desk, "form .primary");
    await desk.isAt("guest.redeemed_as_discount", { amount: ten });
    assert.equal(Number(await left(`terms ${hand}`)), 0);
    await at(desk, "[data-undo]");
    await desk.sees("guest.given_back");
    assert.equal(Number(await left(`terms ${hand}`)), 10);
    await at(desk, "[data-finish]");
    await desk.isAt("voucher.title");
    await desk.close();
  });

  test(`a balance is shown and printed, and nothing is taken, with ${hand} alone (${language})`, async () => {
    const desk = await Desk.open(shop, { language, ...screen });
    const { code } = await issue({ name: `look ${hand}`, value: "33.00", currency: "EUR" });
    await desk.isAt("sell.title");
    await at(desk, '[data-tab="balance"]');
    await desk.isAt("balance.title");
    await desk.looks(`balance-ask-${language}`);
    await gives(desk, code);
    await desk.isAt("balance.of");
    await desk.sees(language === "de" ? "33,00 €" : "€33.00");
    const papers = shop.printer.papers.length;
    await at(desk, '.choices .button:not(.primary)');
    await desk.sees("print.done");
    assert.equal(shop.printer.papers.length, papers + 1);
    await desk.looks(`balance-${language}`);
    assert.equal(Number(await left(`look ${hand}`)), 33);
    await desk.seesNot(code);
    await at(desk, ".step-head .button");
    await desk.isAt("balance.title");
    await desk.close();
  });
}

test("a voucher of items is redeemed in whole numbers", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  await desk.scans("401200000060");
  await desk.isAt("redeem.title");
  await desk.press("redeem.fewer");
  await desk.looks("items-en");
  await desk.press("redeem.take", { amount: "2 × Cappuccino" });
  await desk.sees("redeemed.left", { amount: "1 × Cappuccino" });
  await desk.press("redeemed.finish");
  await desk.isAt("voucher.title");
  await desk.close();
});

test("a slow printer is waited for, and a second press while it works prints no second paper", async () => {
  const waiting = [];
  let printed = 0;
  const desk = await Desk.open(shop, { language: "en", before: async (page) => {
    await page.evaluateOnNewDocument(() => {
      // How long a request may take, which its signal does not tell.
      const timeout = AbortSignal.timeout.bind(AbortSignal);
      AbortSignal.timeout = (ms) => Object.assign(timeout(ms), { ms });
      const asks = window.fetch;
      window.patience = {};
      window.fetch = (path, how) => {
        window.patience[path.split("/").at(-1)] = how?.signal?.ms;
        return asks(path, how);
      };
    });
    await page.setRequestInterception(true);
    page.on("request", (request) => (request.url().endsWith("/print") ? waiting.push(request) : request.continue()));
  } });
  const voucher = await issue({ name: "slow", value: "14.00", currency: "EUR" });
  /// Presses twice while the printer works.
  const prints = async (key) => {
    const papers = shop.printer.papers.length;
    const button = await desk.button(key);
    await button.evaluate((one) => {
      one.click();
      one.click();
    });
    await eventually("it is asked for", () => waiting.length > printed);
    await button.evaluate((one) => one.click());
    assert.ok(await desk.page.evaluate(() => window.patience.print) >= 120_000, "as long as any work of a printer");
    await waiting.at(-1).continue();
    await desk.sees("print.done");
    printed += 1;
    assert.deepEqual([waiting.length, shop.printer.papers.length], [printed, papers + 1]);
    // Asked for again it prints again.
    await desk.button(key);
  };
  await desk.isAt("sell.title");
  await desk.press("tab.balance");
  await desk.isAt("balance.title");
  await desk.scans(voucher.code);
  await desk.isAt("balance.of");
  await prints("print.balance");
  await desk.press("balance.redeem");
  await desk.isAt("redeem.title");
  await desk.press("redeem.take", { amount: "€14.00" });
  await desk.isAt("guest.redeemed_as_payment", { amount: "€14.00" });
  await prints("print.slip");
  await desk.press("redeemed.finish");
  await desk.close();
});

for (const [scan, says] of [
  ["401299999999", "problem.voucher_not_found"],
  ["40120000001", "which.title"],
  ["https://elsewhere.example/x", "problem.scan_foreign_link"],
  ["4012000000290000", "problem.scan_too_long"],
]) {
  test(`what is no voucher is told what it is: ${says}`, async () => {
    const desk = await Desk.open(shop, { language: "en" });
    await desk.isAt("sell.title");
    if (says === "which.title") await desk.scans(scan);
    else {
      await desk.press("tab.redeem");
      await desk.isAt("voucher.title");
      await desk.page.$eval("#voucher-code", (field, value) => { field.value = value; }, scan);
      await desk.press("voucher.check");
    }
    await desk.sees(says);
    assert.ok(await desk.page.$$eval("input", (fields) => fields.every(({ value }) => value === "")));
    if (says === "problem.voucher_not_found") await desk.looks("wrong-code-en");
    await desk.close();
  });
}

test("a voucher that is used up says so and offers nothing to take", async () => {
  const desk = await Desk.open(shop, { language: "fr" });
  await desk.isAt("sell.title");
  await desk.scans("401200000094");
  await desk.isAt("redeem.not");
  await desk.looks("used-up-fr");
  await desk.press("redeem.aside");
  await desk.isAt("voucher.title");
  await desk.close();
});

test("a page that is loaded again in the middle of a redemption takes once, and shows how it ended", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  const voucher = await issue({ name: "again", value: "18.00", currency: "EUR" });
  await desk.isAt("sell.title");
  await desk.scans(voucher.code);
  await desk.isAt("redeem.title");
  const calls = (await shop.giftLocal.get("/calls?after=0")).at(-1).n;
  await shop.giftLocal.fault("redeem", { kind: "hold", executed: "before_release" });
  await desk.press("redeem.take", { amount: "18,00 €" });
  await desk.isAt("wait.redeeming");
  await desk.reloads();
  await desk.isAt("wait.redeeming");
  await desk.looks("redeeming-de");
  await shop.giftLocal.post("/release");
  await desk.isAt("guest.redeemed_as_payment", { amount: "18,00 €" });
  const redeems = (await shop.giftLocal.get("/calls?after=0")).filter((call) => JSON.stringify(call).includes("redeem") && call.n > calls);
  assert.equal(redeems.length, 1);
  assert.equal(Number(await left("again")), 0);
  await desk.press("redeemed.finish");
  await desk.isAt("sell.title");
  await desk.close();
});
