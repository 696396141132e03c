// What goes wrong, and what the cashier sees first: the open question, with its sentence and its answers, and no way round it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, POR, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true, confirmS: 3 });

/// No tab, no scan and no reload leads past a question.
async function noWayRound(desk, title) {
  await desk.scans("401200000011");
  await desk.isAt(title);
  await desk.noWayRound(title);
}

for (const language of ["de", "en"]) {
  test(`paper that runs out in the middle of a slip is a question, and the slip is printed again (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    const torn = shop.printer.torn.length;
    await desk.toTake();
    shop.printer.runsOutAfter(120);
    await desk.pays();
    await desk.isAt("question.print_again");
    await desk.sees("fault.paper_out");
    await desk.looks(`question-print-again-${language}`);
    await noWayRound(desk, "question.print_again");
    shop.printer.fault(null);
    // With the keyboard alone.
    await desk.tabsTo('[data-choice="print_again"]');
    await desk.page.keyboard.press("Enter");
    await desk.isAt("screen.done");
    assert.equal(shop.printer.torn.length, torn + 1);
    assert.match(shop.printer.papers.at(-1), /Gutscheincode/);
    await desk.press("ended.next");
    await desk.isAt("sell.title");
    await desk.close();
  });
}

test("a slip that waits for paper prints by itself when there is some", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.toTake();
  shop.printer.fault("paper_out");
  await desk.pays();
  await desk.isAt("question.print_or_money_back");
  await desk.sees("fault.paper_out");
  // What waits to be printed stands beside the question.
  const [rows] = await desk.slips();
  assert.ok(rows.includes("Gutscheincode"), rows.join(" / "));
  await desk.looks("question-print-or-money-back-en");
  shop.printer.fault(null);
  await desk.isAt("screen.done");
  await desk.close();
});

test("the money goes back where the paper does not come", async () => {
  const desk = await Desk.open(shop, { language: "fr" });
  await desk.toTake();
  shop.printer.fault("cover_open");
  await desk.pays();
  await desk.isAt("question.print_or_money_back");
  await desk.sees("fault.cover_open");
  await desk.press("answer.money_back");
  await desk.isAt("screen.not_sold_money_back");
  await desk.sees("50,00 €");
  await desk.looks("money-back-fr");
  shop.printer.fault(null);
  // A scan does not wipe away what has to be given back.
  await desk.scans("4001232232332");
  await desk.isAt("screen.not_sold_money_back");
  await desk.press("ended.given_back", { amount: "50,00 €" });
  await desk.isAt("sell.title");
  await eventually("the card is taken back", async () => (await shop.ask("GET", "/v1/health")).body.owed === 0);
  await desk.close();
});

test("a printer that falls silent leaves a question that only somebody who looks can answer", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.toTake();
  shop.printer.fallsSilentAfter(150);
  await desk.pays();
  await desk.isAt("question.is_it_complete");
  await desk.looks("question-is-it-complete-de");
  await noWayRound(desk, "question.is_it_complete");
  shop.printer.fault(null);
  await desk.press("answer.complete");
  await desk.isAt("screen.done");
  await desk.close();
});

for (const language of ["de", "en"]) {
  test(`the code that is scanned from a slip says that it is complete, and no other scan does (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.toTake();
    shop.printer.fallsSilentAfter(500);
    await desk.pays();
    await desk.isAt("question.is_it_complete");
    await desk.sees("question.scan_back");
    // What should be on the paper stands beside the question.
    const [rows] = await desk.slips();
    assert.ok(rows.includes("Gutscheincode"), rows.join(" / "));
    await desk.looks(`question-scan-back-${language}`);
    for (const [scan, says] of [["4001232232332", "scan.question_first"], ["2209000000000000000", "scan.not_this_slip"], ["401200000011", "scan.not_this_slip"]]) {
      await desk.scans(scan);
      await desk.sees(says);
      await desk.isAt("question.is_it_complete");
    }
    await desk.looks(`question-other-scan-${language}`);
    const code = /(?:\d{4} ){4}\d{3}/.exec(shop.printer.torn.at(-1))[0].replaceAll(" ", "");
    await desk.scans(code, { gap: language === "de" ? 5 : 40 });
    await desk.isAt("screen.done");
    await desk.sees("paper.seen_complete");
    const kept = await desk.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) + document.documentElement.outerHTML);
    assert.ok(!kept.replace(/[\s\u00a0]/g, "").includes(code));
    shop.printer.fault(null);
    await desk.press("ended.next");
    await desk.isAt("sell.title");
    await desk.seesNot("scan.not_this_slip");
    await desk.close();
  });
}

for (const language of ["de", "en"]) {
  test(`the number at the foot of the last slip says that it is complete, and that of an earlier one does not (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    const { bars } = shop.printer;
    const before = bars.length;
    await desk.toTake();
    shop.printer.fallsSilentBelowBars();
    await desk.pays();
    await desk.isAt("question.is_it_complete");
    await desk.sees("question.scan_back");
    await desk.looks(`question-scan-number-${language}`);
    const code = /(?:\d{4} ){4}\d{3}/.exec(shop.printer.torn.at(-1))[0].replaceAll(" ", "");
    shop.printer.fault(null);
    shop.printer.fallsSilentBelowBars();
    await desk.press("answer.unreadable");
    await desk.sees("fact.attempt");
    await desk.isAt("question.is_it_complete");
    const [first, last] = bars.slice(before);
    for (const [scan, says] of [[first, "problem.earlier_slip"], [code, "problem.code_on_earlier_slip"], [last.slice(1), "scan.not_this_slip"]]) {
      await desk.scans(scan, { gap: language === "de" ? 5 : 40 });
      await desk.sees(says);
      await desk.isAt("question.is_it_complete");
      await desk.looks(`question-${says.split(".")[1]}-${language}`);
    }
    // The screen beside the question shows no bars, and no number that could be read off it.
    const shown = await desk.page.evaluate(() => document.documentElement.outerHTML);
    assert.ok(![first, last].some((number) => shown.includes(number)));
    await desk.scans(`]C0${last}`);
    await desk.isAt("screen.done");
    await desk.sees("paper.seen_complete");
    shop.printer.fault(null);
    await desk.press("ended.next");
    await desk.isAt("sell.title");
    // Nobody is asked about it any more, and it is no card from the rack.
    await desk.scans(last);
    await desk.sees("problem.no_such_slip");
    await desk.isAt("sell.title");
    await desk.close();
  });
}

test("silence of the provider gives the money back, and keeps nobody from selling (en; de on a page that is opened meanwhile)", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.toTake();
  await shop.finperks.fault("confirm", { kind: "drop_request", how: "silence" });
  await shop.finperks.fault("get", { kind: "drop_request", how: "silence" }, { count: 20 });
  await desk.pays();
  await desk.isAt("wait.finishing");
  await desk.sees("wait.asking");
  await desk.looks("wait-asking-en");
  const other = await Desk.open(shop, { language: "de" });
  await other.isAt("wait.finishing");
  await other.sees("wait.asking");
  for (const [one, amount] of [[desk, "€50.00"], [other, "50,00 €"]]) {
    await one.isAt("screen.not_sold_money_back");
    await one.sees(amount);
    await one.looks(`money-back-${one.language}`);
  }
  await shop.finperks.delete("/faults");
  for (const [one, amount] of [[desk, "€50.00"], [other, "50,00 €"]]) {
    await one.press("ended.given_back", { amount });
    await one.isAt("sell.title");
    await one.close();
  }
});

test("a daemon that is killed during the confirm comes back, and so do the pages, by themselves (de and en)", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.toTake();
  const papers = shop.printer.papers.length;
  await shop.finperks.fault("confirm", { kind: "hold", executed: "before_release" });
  await desk.pays();
  await desk.isAt("wait.finishing");
  const other = await Desk.open(shop, { language: "en" });
  await other.isAt("wait.finishing");
  await eventually("the confirm is held", async () => (await shop.finperks.get("/calls?after=0")).some((call) => call.call === "confirm" && call.held));
  await shop.crash();
  for (const one of [desk, other]) {
    await one.sees("off.unreached.short");
    await one.looks(`unreached-${one.language}`);
  }
  await shop.finperks.post("/release");
  await shop.serve();
  for (const one of [desk, other]) {
    await one.isAt("screen.done");
    await one.vanishes("off.unreached.short");
    await one.close();
  }
  assert.equal(shop.printer.papers.length, papers + 1);
});

for (const language of ["de", "fr"]) {
  test(`money that was perhaps taken before an interruption is asked about, and not simply asked for again (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.toTake();
    await desk.seesNot("take.if_paid");
    await shop.crash();
    await shop.serve();
    await desk.isAt("take.was_it_paid", { amount: "50,00 €" });
    await desk.sees("take.if_paid");
    await desk.click('[data-tender="card"]');
    await desk.sees("take.card_how_again");
    await desk.seesNot("take.card_how");
    await desk.looks(`was-it-paid-${language}`);
    await desk.pays();
    await desk.isAt("screen.done");
    await desk.close();
  });
}

test("who cancels after an interruption is not told that no money was taken", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.toTake();
  await shop.crash();
  await shop.serve();
  await desk.press("take.cancel_give_back");
  await desk.isAt("screen.cancelled_give_back");
  await desk.looks("cancelled-give-back-en");
  await desk.press("ended.read");
  await desk.isAt("sell.title");
  await desk.close();
});

test("what an earlier life of the page asked for begins no sale of another basket", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  // Its answer was never heard; its sale came by the stream.
  const left = { key: "3f0c9d4e-0000-4000-8000-000000000001", body: JSON.stringify({ receipt: "P260101-000000-AAAA", cards: [] }) };
  await desk.page.evaluate((kept) => sessionStorage.setItem("tilld.act / /v1/sales", JSON.stringify(kept)), left);
  await desk.click(POR);
  await desk.click('[data-value="50.00"]');
  await desk.sees("basket.sell.one", { n: 1 });
  const sales = async () => (await shop.ask("GET", "/v1/journal")).body.lines.length;
  const before = await sales();
  const reread = desk.page.waitForResponse((answer) => answer.url().endsWith("/v1/devices") && answer.ok());
  await shop.crash();
  await shop.serve();
  await reread;
  await desk.isAt("sell.title");
  await desk.sees("basket.sell.one", { n: 1 });
  assert.equal(await sales(), before);
  await desk.close();
});

test("a voucher that was redeemed for a basket that nobody completed is asked about after a restart", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  const { code } = await shop.giftLocal.post("/vouchers", { name: "asked", value: "11.00", currency: "EUR" });
  await desk.isAt("sell.title");
  const check = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body.check;
  await shop.ask("POST", "/v1/redemptions", { check, basket: "T1", amount: { amount: "11.00", currency: "EUR" } }, { "Idempotency-Key": "t1" });
  await shop.crash();
  await shop.serve();
  await desk.isAt("question.was_it_used");
  await desk.looks("question-was-it-used-de");
  await noWayRound(desk, "question.was_it_used");
  await desk.press("guest_answer.not_used");
  await desk.sees("guest.given_back");
  await desk.press("redeemed.next");
  await desk.isAt("sell.title");
  await desk.close();
});

test("what only waits, or is the manager's, is listed and blocks nobody", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  // The provider never takes this product back.
  const card = { product: "4001232100046", kind: "por", face_value: { amount: "20.00", currency: "EUR" } };
  const sale = (await shop.ask("POST", "/v1/sales", { receipt: "M1", cards: [card] }, { "Idempotency-Key": "m1" })).body;
  shop.printer.fault("paper_out");
  await shop.ask("POST", `/v1/sales/${sale.id}/payment`, { amount: sale.due, tender: { kind: "card" } }, { "Idempotency-Key": "m2" });
  await desk.isAt("question.print_or_money_back");
  await desk.press("answer.money_back");
  shop.printer.fault(null);
  await desk.press("ended.given_back", { amount: "€20.00" });
  await desk.press("frame.cases.one", { n: 1 });
  await desk.isAt("cases.title");
  await desk.sees("case.undo_not_supported");
  await desk.looks("cases-en");
  await desk.press("back");
  await desk.toTake();
  await desk.pays();
  await desk.isAt("screen.done");
  await desk.close();
});

test("without a provider selling is visibly off and says why, and comes back by itself", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  await shop.finperks.every({ kind: "drop_request" });
  await shop.ask("POST", "/v1/products/refresh");
  await desk.sees("off.provider.short");
  await desk.looks("off-provider-de");
  assert.equal(await desk.page.$$eval(".tile:not(:disabled)", (tiles) => tiles.length), 0);
  await shop.finperks.delete("/faults");
  await desk.press("off.try");
  await eventually("selling is on again", () => desk.page.$(".tile:not(:disabled)"));
  await desk.vanishes("off.provider.short");
  await desk.close();
});

test("a clock that the provider refuses switches selling off, and says by how much", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  await shop.finperks.put("/clock", { offset_s: 420 });
  await shop.ask("POST", "/v1/products/refresh");
  await desk.sees("off.clock.short");
  await desk.sees("status.clock_wrong", { minutes: 7 });
  await desk.looks("off-clock-en");
  await shop.finperks.put("/clock", { offset_s: 0 });
  await shop.ask("POST", "/v1/products/refresh");
  await eventually("selling is on again", () => desk.page.$(".tile:not(:disabled)"));
  await desk.close();
});

test("a roll that is near its end, and a printer that is open, stand in the status bar", async () => {
  const desk = await Desk.open(shop, { language: "fr" });
  await desk.toTake();
  await desk.pays();
  await desk.isAt("screen.done");
  shop.printer.low(true);
  await desk.sees("status.paper_low");
  await desk.looks("paper-low-fr");
  shop.printer.low(false);
  shop.printer.fault("cover_open");
  await desk.sees("fault.cover_open");
  await desk.close();
});

test("a balance that no longer covers every card stands in the status bar, in words", async () => {
  await shop.finperks.put("/balances/EUR", { available: "120.0" });
  for (const [language, amount] of [["en", "€120.00"], ["de", "120,00 €"]]) {
    const desk = await Desk.open(shop, { language });
    await desk.sees("status.balance_low", { amount });
    await desk.looks(`balance-low-${language}`);
    await desk.close();
  }
  // The dearest card costs 500.00: as much is enough.
  await shop.finperks.put("/balances/EUR", { available: "500.0" });
  const desk = await Desk.open(shop, { language: "de" });
  await desk.reloads();
  await desk.isAt("sell.title");
  const heard = () => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.endsWith("/v1/balances") && responseEnd > 0);
  await eventually("the page has read the balances", () => desk.page.evaluate(heard));
  // Whatever the page makes of it is drawn before it has heard another answer.
  await desk.page.evaluate(() => fetch("/v1/balances").then((answer) => answer.text()));
  await desk.seesNot("status.balance_low", { amount: "500,00 €" });
  await desk.close();
});
