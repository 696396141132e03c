// Selling, as a cashier sees it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Desk, POR, inShop } from "./desk.js";
import { Shop, eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

const FIXED = '[data-product="4001232100015"]';
const RACK = '[data-product="4001232100022"]';

/// What the provider holds live at the end, and how many papers came out, since the last look.
async function outcome(does) {
  const live = (await shop.live()).length;
  const papers = shop.printer.papers.length;
  await does();
  return { live: (await shop.live()).length - live, papers: shop.printer.papers.length - papers };
}

test("a printed card is sold for cash with change", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  await desk.looks("sell-de-1366");
  const came = await outcome(async () => {
    await desk.click(POR);
    await desk.sees("value.which");
    await desk.looks("value-open-de");
    await desk.click('[data-value="50.00"]');
    await desk.sees("basket.sell.one", { n: 1 });
    await desk.press("basket.sell.one", { n: 1 });
    await desk.isAt("take.title", { amount: "50,00 €" });
    await desk.looks("take-cash-de");
    await desk.click('[data-note="60.00"]');
    await desk.sees("10,00 €");
    await desk.press("take.cash_paid");
    await desk.isAt("screen.done");
    await desk.sees("10,00 €");
    await desk.sees("paper.printed");
    await desk.slips();
    await desk.looks("done-de");
  });
  assert.deepEqual(came, { live: 1, papers: 1 });
  const code = /\d{4} \d{4} \d{4} \d{4}/.exec(shop.printer.papers.at(-1))[0];
  assert.ok(!(await desk.page.content()).replace(/[\s\u00a0]/g, "").includes(code.replaceAll(" ", "").slice(0, 12)));
  await desk.press("ended.next");
  await desk.isAt("sell.title");
  await desk.close();
});

for (const language of ["de", "en"]) {
  test(`after a sale each slip is shown row by row as it was printed, and its code is not (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.toTake("35");
    await desk.press("take.exact_paid", { amount: language === "de" ? "35,00 €" : "€35.00" });
    await desk.isAt("screen.done");
    const [rows] = await desk.slips();
    // Dots stand for whatever may be a code, also for a number that is none.
    const shape = (row) => row.replace(/[A-Za-z\d•]/g, "x").replace(/\s{2,}/g, ", ");
    const printed = shop.printer.papers.at(-1).split("\n").map((row) => row.trim()).filter((row) => /^[ -~]+$/.test(row) && !/PIN/.test(row));
    assert.ok(printed.length > 10, String(printed.length));
    const shapes = rows.map(shape);
    for (const row of printed) assert.ok(shapes.includes(shape(row)), `${row} is not among ${rows.join(" / ")}`);
    for (const row of printed.filter((row) => !/\d/.test(row))) assert.ok(rows.includes(row), `${row} is not among ${rows.join(" / ")}`);
    assert.ok(rows.some((row) => /^••••[• ]+$/.test(row)), rows.join(" / "));
    // What is drawn is what is said; letters of a row stand in its cells.
    const drawn = await desk.page.$$eval(".slip-row text", (texts) => texts.map((text) => ({ text: text.textContent.replaceAll("\u00a0", " ").trim(), cell: text.getComputedTextLength() / [...text.textContent].length })));
    assert.ok(drawn.length >= printed.length);
    for (const { text, cell } of drawn) {
      assert.ok(rows.includes(text.replace(/\s{2,}/g, ", ")), text);
      assert.ok(Math.abs(cell - 12) < 0.5, `${text}: ${cell}`);
    }
    await desk.close();
  });
}

test("where there is no slip it is said, and no empty box stands there", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  // The answer with the lines is lost, and the provider does not tell them twice.
  await shop.finperks.patch("/switches", { get_shows_lines: false });
  await desk.scans("6399990000123456987");
  await desk.click(RACK);
  await desk.click('[data-value="25.00"]');
  await desk.press("basket.sell.one", { n: 1 });
  await desk.has(".take");
  await shop.finperks.fault("confirm", { kind: "drop_answer", how: "reset" });
  await desk.pays();
  await desk.isAt("screen.done");
  await desk.sees("problem.no_slip");
  assert.equal(await desk.page.$(".slip-paper"), null);
  await desk.looks("done-no-slip-de");
  await shop.finperks.patch("/switches", { get_shows_lines: true });
  await desk.press("ended.next");
  await desk.close();
});

for (const [language, code] of [["en", "6399990000123456789"], ["de", "6399990000123456780"]]) {
  test(`a card from the rack is sold by its scanned code, paid by card (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    const came = await outcome(async () => {
      await desk.scans(code);
      await desk.isAt("which.title");
      await desk.looks(`which-card-${language}`);
      await desk.click(RACK);
      await desk.sees("value.which");
      await desk.looks(`value-fixed-${language}`);
      await desk.click('[data-value="25.00"]');
      await desk.sees(`•••• ${code.slice(-4)}`);
      await desk.press("basket.sell.one", { n: 1 });
      await desk.click('[data-tender="card"]');
      await desk.looks(`take-card-${language}`);
      await desk.press("take.card_paid");
      await desk.isAt("screen.done");
      await desk.looks(`done-rack-${language}`);
    });
    assert.equal(came.live, 1);
    await desk.close();
  });
}

for (const [language, keys] of [["de", false], ["en", true]]) {
  test(`a hanger that carries the product's own code is the product and a card of it, as often as it is scanned (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    const came = await outcome(async () => {
      for (const value of ["15", "20"]) {
        await desk.scans("4001232100039", { gap: keys ? 40 : 5 });
        await desk.isAt("Blattglück Gartenkarte");
        await desk.types(value);
        await desk.page.keyboard.press("Enter");
        await desk.isAt("sell.title");
      }
      // The tile wants the hanger, too.
      if (keys) {
        await desk.tabsTo('[data-product="4001232100039"]');
        await desk.page.keyboard.press("Enter");
      } else await desk.click('[data-product="4001232100039"]');
      await desk.has("#amount");
      await desk.types("25");
      await desk.page.keyboard.press("Enter");
      await desk.isAt("rack.title");
      await desk.scans("]E04001232100039");
      await desk.sees("basket.sell.other", { n: 3 });
      await desk.looks(`basket-own-code-${language}`);
      await desk.click(".basket .primary");
      await desk.has(".take");
      await desk.pays();
      await desk.isAt("screen.done");
    });
    assert.equal(came.live, 3);
    await desk.close();
  });
}

for (const [language, amount] of [["de", "115,00 €"], ["fr", "115,00 €"]]) {
  test(`three cards of three kinds are one sale with one payment (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    const came = await outcome(async () => {
      await desk.click(POR);
      await desk.has("#amount");
      await desk.types("40");
      await desk.page.keyboard.press("Enter");
      await desk.click(FIXED);
      await desk.click('[data-value="50.00"]');
      await desk.click(RACK);
      await desk.click('[data-value="25.00"]');
      await desk.isAt("rack.title");
      await desk.looks(`rack-${language}`);
      await desk.scans(`63999900001234567${language === "de" ? "01" : "02"}`, { gap: 40 });
      await desk.sees("basket.sell.other", { n: 3 });
      await desk.looks(`basket-${language}`);
      await desk.press("basket.sell.other", { n: 3 });
      await desk.isAt("take.title", { amount });
      await desk.press("take.exact_paid", { amount });
      await desk.isAt("screen.done");
      await desk.looks(`done-three-${language}`);
    });
    assert.equal(came.live, 3);
    await desk.close();
  });
}

for (const [language, due, back] of [["en", "€30.00", "€20.00"], ["de", "30,00 €", "20,00 €"]]) {
  test(`a card is sold with the keyboard alone (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    const came = await outcome(async () => {
      await desk.tabsTo("#search");
      await desk.types("wunsch");
      await desk.page.keyboard.press("Enter");
      await desk.has("#amount");
      await desk.types("30");
      await desk.page.keyboard.press("Enter");
      await desk.sees("basket.sell.one", { n: 1 });
      await desk.tabsTo(".basket .primary");
      await desk.page.keyboard.press("Enter");
      await desk.isAt("take.title", { amount: due });
      await desk.types("50");
      await desk.sees(back);
      await desk.page.keyboard.press("Enter");
      await desk.isAt("screen.done");
      await desk.page.keyboard.press("Enter");
      await desk.isAt("sell.title");
    });
    assert.deepEqual(came, { live: 1, papers: 1 });
    await desk.close();
  });
}

for (const [language, comma, due, back] of [["fr", ",", "12,50 €", "7,50 €"], ["en", ".", "€12.50", "€7.50"]]) {
  test(`a card is sold with fingers alone, on a tablet 800 px wide (${language})`, async () => {
    const desk = await Desk.open(shop, { language, width: 800, height: 1180, touch: true });
    await desk.isAt("sell.title");
    await desk.looks(`sell-${language}-800`);
    const tap = async (selector) => (await desk.has(selector)).tap();
    const came = await outcome(async () => {
      await tap(POR);
      await desk.sees("value.which");
      for (const key of ["1", "2", comma, "5"]) await desk.tap(key);
      await desk.looks(`value-${language}-800`);
      await desk.tap("value.add_amount", { amount: due });
      await desk.tap("basket.sell.one", { n: 1 });
      await desk.isAt("take.title", { amount: due });
      for (const key of ["2", "0"]) await desk.tap(key);
      await desk.sees(back);
      await desk.looks(`take-${language}-800`);
      await desk.tap("take.cash_paid");
      await desk.isAt("screen.done");
      await desk.tap("ended.next");
      await desk.isAt("sell.title");
    });
    assert.deepEqual(came, { live: 1, papers: 1 });
    await desk.close();
  });
}

for (const [language, due] of [["de", "25,00 €"], ["en", "€25.00"]]) {
  test(`a card from the rack whose bars cannot be read is sold by its number, with fingers alone (${language})`, async () => {
    const desk = await Desk.open(shop, { language, width: 800, height: 1180, touch: true });
    await desk.isAt("sell.title");
    const tap = async (selector) => (await desk.has(selector)).tap();
    const code = language === "de" ? "6399990000123456711" : "6399990000123456712";
    const came = await outcome(async () => {
      await tap(RACK);
      await tap('[data-value="25.00"]');
      await desk.isAt("rack.title");
      // One key too many is erased.
      for (const digit of `${code}5`) await tap(`[data-key="${digit}"]`);
      await desk.tap("keypad.erase");
      await desk.looks(`rack-${language}-800`);
      await desk.tap("rack.take");
      await desk.sees(`•••• ${code.slice(-4)}`);
      await desk.tap("basket.sell.one", { n: 1 });
      await desk.isAt("take.title", { amount: due });
      await desk.tap("take.exact_paid", { amount: due });
      await desk.isAt("screen.done");
    });
    assert.equal(came.live, 1);
    await desk.close();
  });
}

for (const [language, due, rest, back] of [["de", "80,00 €", "30,00 €", "10,00 €"], ["en", "€80.00", "€30.00", "€10.00"]]) {
  test(`a part is paid by card and the rest in cash, with the keyboard alone (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    const came = await outcome(async () => {
      await desk.toTake("80");
      await desk.isAt("take.title", { amount: due });
      await desk.tabsTo('[data-tender="mixed"]');
      await desk.page.keyboard.press("Enter");
      assert.equal(await desk.page.evaluate(() => document.activeElement.id), "by-card");
      await desk.sees("take.mixed_how", { amount: due });
      const able = () => desk.page.$eval(".take-form .basket .primary", (button) => !button.disabled);
      const keyAt = () => desk.page.$eval('[data-key="0"]', (key) => key.getBoundingClientRect().toJSON());
      const at = await keyAt();
      await desk.types("5,,");
      await desk.sees(language === "de" ? "Ein Betrag wie 12,34" : "An amount like 12.34");
      assert.deepEqual(await keyAt(), at);
      for (const _ of "5,,") await desk.page.keyboard.press("Backspace");
      // Nothing, all, and more than all are no part.
      for (const text of ["0", "80", "81"]) {
        await desk.types(text);
        assert.equal(await able(), false, text);
        for (const _ of text) await desk.page.keyboard.press("Backspace");
      }
      await desk.types("50");
      await desk.page.keyboard.press("Enter");
      await desk.sees(rest);
      assert.equal(await desk.page.evaluate(() => document.activeElement.id), "amount");
      await desk.types("20");
      await desk.sees("take.missing");
      assert.equal(await able(), false);
      await desk.page.keyboard.press("Backspace");
      await desk.page.keyboard.press("Backspace");
      await desk.types("40");
      await desk.sees(back);
      await desk.looks(`take-mixed-${language}`);
      await desk.page.keyboard.press("Enter");
      await desk.isAt("screen.done");
      await desk.sees(back);
    });
    assert.deepEqual(came, { live: 1, papers: 1 });
    const [last] = (await shop.ask("GET", "/v1/journal?limit=1")).body.lines;
    const { payment } = (await shop.ask("GET", `/v1/sales/${last.id}`)).body;
    const eur = (amount) => ({ amount, currency: "EUR" });
    assert.deepEqual(payment.tender, { kind: "mixed", card: eur("50.00"), given: eur("40.00"), change: eur("10.00") });
    await desk.close();
  });
}

test("a part is paid by card and the rest in cash, with fingers alone (fr)", async () => {
  const desk = await Desk.open(shop, { language: "fr", width: 800, height: 1180, touch: true });
  await desk.isAt("sell.title");
  const came = await outcome(async () => {
    await desk.toTake();
    await desk.tap("tender.mixed");
    for (const key of ["3", "5"]) await desk.tap(key);
    await desk.sees("15,00 €");
    await desk.tap("20 €");
    await desk.sees("5,00 €");
    await desk.looks("take-mixed-fr-800");
    await desk.tap("take.mixed_paid");
    await desk.isAt("screen.done");
  });
  assert.deepEqual(came, { live: 1, papers: 1 });
  await desk.close();
});

test("a till in Switzerland offers what is sold there, in francs as each language writes them there", async (told) => {
  const swiss = await Shop.open({ country: "CH" });
  told.after(() => swiss.close());
  for (const language of ["fr", "de"]) {
    const desk = await Desk.open(swiss, { language });
    await desk.isAt("sell.title");
    const names = await desk.page.$$eval(".tile-name", (tiles) => tiles.map((tile) => tile.textContent).sort());
    assert.deepEqual(names, ["Gipfelblick Geschenkkarte", "Seeufer Badekarte"]);
    await desk.click('[data-product="7601232200014"]');
    await desk.click('[data-value="50.00"]');
    await desk.sees(new Intl.NumberFormat(`${language}-CH`, { style: "currency", currency: "CHF" }).format(50));
    await desk.looks(`basket-francs-${language}`);
    await desk.close();
  }
});

test("what is clicked twice is sold once", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  const came = await outcome(async () => {
    await desk.click(POR);
    await desk.click('[data-value="50.00"]');
    const sell = await desk.button("basket.sell.one", { n: 1 });
    await sell.click({ count: 3 });
    await desk.has(".take");
    const paid = await desk.button("take.exact_paid", { amount: "50,00 €" });
    await paid.click({ count: 3 });
    await desk.isAt("screen.done");
  });
  assert.deepEqual(came, { live: 1, papers: 1 });
  await desk.close();
});

for (const [language, amount] of [["de", "50,00 €"], ["en", "€50.00"]]) {
  test(`two pages on one sale take one payment, and both show how it ended (${language})`, async () => {
    const first = await Desk.open(shop, { language });
    const came = await outcome(async () => {
      await first.toTake();
      const second = await Desk.open(shop, { language, beside: first });
      await second.isAt("take.title", { amount: amount });
      const buttons = [await first.button("take.exact_paid", { amount: amount }), await second.button("take.exact_paid", { amount: amount })];
      await Promise.all(buttons.map((button) => button.evaluate((element) => element.click())));
      await Promise.all([first.isAt("screen.done"), second.isAt("screen.done")]);
      await second.close();
    });
    assert.deepEqual(came, { live: 1, papers: 1 });
    await first.close();
  });
}

for (const [first, second, amount] of [["de", "en", "€50.00"], ["en", "fr", "50,00 €"]]) {
  test(`a page that is opened anew finds the sale that is in a customer's hands at its step (${second})`, async () => {
    const desk = await Desk.open(shop, { language: first });
    const came = await outcome(async () => {
      await desk.toTake();
      // Another browser, which knows nothing of this one.
      const other = await Desk.open(shop, { language: second });
      await other.isAt("take.title", { amount });
      await other.press("take.exact_paid", { amount });
      for (const one of [desk, other]) await one.isAt("screen.done");
      await other.close();
      await desk.press("ended.next");
      await desk.isAt("sell.title");
      // What has ended is nobody's any more.
      const third = await Desk.open(shop, { language: second });
      await third.isAt("sell.title");
      await third.close();
    });
    assert.deepEqual(came, { live: 1, papers: 1 });
    await desk.close();
  });
}

test("a sale that till software is taking the money for is not paid a second time on a page that is opened", async () => {
  const card = { product: "4001232232332", kind: "por", face_value: { amount: "50.00", currency: "EUR" } };
  const sale = (await shop.ask("POST", "/v1/sales", { receipt: "R-77", cards: [card] }, { "Idempotency-Key": "r77" })).body;
  assert.equal(sale.phase, "collect");
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  await shop.ask("POST", `/v1/sales/${sale.id}/cancel`, {}, { "Idempotency-Key": "r77 cancel" });
  await desk.close();
});

test("a page that is loaded again in the middle of a payment sells once, and shows how it ended", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  const came = await outcome(async () => {
    await desk.toTake();
    await shop.finperks.fault("confirm", { kind: "hold", executed: "before_release" });
    await desk.press("take.exact_paid", { amount: "€50.00" });
    await desk.isAt("wait.finishing");
    await desk.reloads();
    await desk.isAt("wait.finishing");
    await desk.looks("wait-en");
    await shop.finperks.post("/release");
    await desk.isAt("screen.done");
  });
  assert.deepEqual(came, { live: 1, papers: 1 });
  await desk.close();
});

test("a sale that is cancelled takes no money", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  const came = await outcome(async () => {
    await desk.toTake();
    await desk.press("take.cancel");
    await desk.isAt("screen.cancelled");
    await desk.looks("cancelled-de");
    await desk.press("ended.next");
    await desk.isAt("sell.title");
  });
  assert.deepEqual(came, { live: 0, papers: 0 });
  await desk.close();
});

for (const [language, dark, amount] of [["de", false, "50,00 €"], ["en", true, "€50.00"]]) {
  test(`who has taken the money of a sale that was cancelled meanwhile gives it back (${language})`, async () => {
    const desk = await Desk.open(shop, { language, dark });
    const came = await outcome(async () => {
      await desk.toTake();
      const [{ id }] = (await shop.ask("GET", "/v1/sales?open=true")).body.sales;
      await desk.page.setRequestInterception(true);
      // While the payment is on its way.
      desk.page.on("request", async (request) => {
        if (request.url().endsWith("/payment")) await shop.ask("POST", `/v1/sales/${id}/cancel`, {}, { "Idempotency-Key": `${id} cancel` });
        await request.continue();
      });
      await desk.press("take.exact_paid", { amount });
      await desk.isAt("problem.paid_too_late");
      await desk.looks(`paid-too-late-${language}${dark ? "-dark" : ""}`);
      await desk.scans("401200000029");
      await desk.sees("scan.read_first");
      await desk.press("ended.read");
      await desk.isAt("sell.title");
    });
    assert.deepEqual(came, { live: 0, papers: 0 });
    await desk.close();
  });
}

test("a card that the provider refuses is not collected, and says why", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await shop.finperks.fault("create", { kind: "refuse", code: "insufficient_available_balance" });
  await desk.isAt("sell.title");
  await desk.click(POR);
  await desk.click('[data-value="50.00"]');
  await desk.press("basket.sell.one", { n: 1 });
  await desk.isAt("screen.not_sold");
  await desk.sees("problem.balance_too_low");
  await desk.looks("refused-de");
  await desk.press("ended.read");
  // The basket is still there, to be tried again.
  await desk.press("basket.sell.one", { n: 1 });
  await desk.has(".take");
  await desk.press("take.cancel");
  await desk.isAt("screen.cancelled");
  await desk.close();
});

for (const [language, unread, least, most] of [["en", "12.34", "€10.00", "€500.00"], ["de", "12,34", "10,00 €", "500,00 €"]]) {
  test(`an amount that the product does not have cannot be added, and the screen says why (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    await desk.click(POR);
    await desk.has("#amount");
    const keyAt = () => desk.page.$eval('[data-key="0"]', (key) => key.getBoundingClientRect().toJSON());
    const at = await keyAt();
    const why = { unread: desk.w("amount.unread", { example: unread }), least: desk.w("value.too_little", { least }), most: desk.w("value.too_much", { most }) };
    for (const [text, wrong] of [["9.99", why.least], ["10", ""], ["500", ""], ["500.01", why.most], ["12.345", why.unread], ["1e2", why.unread], ["", ""]]) {
      await desk.page.$eval("#amount", (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }, text);
      await eventually(`“${text}” is told: “${wrong}”`, async () => (await desk.text("#amount-wrong")) === wrong);
      assert.equal(await desk.page.$eval("#amount", (field) => field.getAttribute("aria-invalid")), String(wrong !== ""), text);
      assert.equal(await desk.page.$eval("button[type=submit].primary", (button) => !button.disabled), text !== "" && wrong === "", text);
      // What is said moves no key under a finger.
      assert.deepEqual(await keyAt(), at);
      if (wrong === why.most) await desk.looks(`value-too-much-${language}`);
    }
    await desk.page.keyboard.press("Escape");
    await desk.isAt("sell.title");
    await desk.close();
  });
}
