// The manager's journal: searched, opened, taken out as a file, verified; and what stands there about one sale.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { KEPT, eventually } from "./shop.js";

let shop;
inShop(async (opened) => {
  shop = opened;
  await shop.sells("R-1001", { cashier: "Kim" });
  await shop.sells("R-1002", { cashier: "Łucja", amount: "75.50", tender: { kind: "cash", given: { amount: "100.00", currency: "EUR" } } });
  await shop.sells("R-1003", { cashier: "Kim", product: "4001232100022", kind: "posa", amount: "25.00", code: "6399990000129876" });
  await shop.undoes("R-1004", { cashier: "Zoë" });
  await eventually("the card is undone", async () => (await shop.ask("GET", "/v1/health")).body.owed === 0);
  // The provider never takes this product back.
  await shop.undoes("R-1005", KEPT);
  const { code } = await shop.giftLocal.post("/vouchers", { name: "journal", value: "30.00", currency: "EUR" });
  const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
  await shop.ask("POST", "/v1/redemptions", { check, basket: "B-2001", cashier: "Kim", amount: { amount: "12.50", currency: "EUR" } }, { "Idempotency-Key": "b-2001" });
  Object.assign(shop, { voucher: code, tail: code.slice(-4) });
});

/// The receipts that are listed, top to bottom.
const listed = (desk) => desk.page.$$eval("tbody .row-open", (rows) => rows.map((row) => row.innerText.trim()));

/// The cells of a row of CSV (RFC 4180).
const cellsOf = (row) => [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare);

async function finds(desk, words, receipts) {
  await desk.page.$eval("#journal-search", (field) => { field.value = ""; });
  await desk.fills("#journal-search", words);
  await desk.page.keyboard.press("Enter");
  await eventually(`“${words}” finds ${receipts}`, async () => JSON.stringify(await listed(desk)) === JSON.stringify(receipts)).catch(async (why) => {
    throw new Error(`${why.message}; found ${await listed(desk)}`);
  });
}

async function toJournal(desk, tab = "journal") {
  await desk.signsIn();
  await desk.click(`[data-tab="${tab}"]`);
  await desk.isAt("journal.title");
  await eventually("all lines", async () => (await listed(desk)).length === 6);
}

for (const language of ["de", "en"]) {
  test(`a search finds receipt, order, product, amount, cashier, state and the last four of a code (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager" });
    await toJournal(desk);
    await desk.looks(`manager-journal-${language}`);
    assert.deepEqual(await listed(desk), ["B-2001", "R-1005", "R-1004", "R-1003", "R-1002", "R-1001"], "newest first");
    const { order } = (await shop.ask("GET", "/v1/journal?search=R-1002")).body.lines[0];
    for (const [words, receipts] of [
      ["R-1001", ["R-1001"]],
      ["1003", ["R-1003"]],
      [order, ["R-1002"]],
      ["75.50", ["R-1002"]],
      ["9876", ["R-1003"]],
      [shop.tail, ["B-2001"]],
      ["kim", ["B-2001", "R-1003", "R-1001"]],
      ["łuc", ["R-1002"]],
      ["stuck", ["R-1005"]],
      ["kim sold", ["R-1003", "R-1001"]],
      ["4001232100022", ["R-1003"]],
      // As this page says it, not only as the daemon does.
      [desk.w("state.stuck").toUpperCase(), ["R-1005"]],
      [`kim ${desk.w("state.sold")}`, ["R-1003", "R-1001"]],
      [desk.w("voucher_state.answered"), ["B-2001"]],
      [desk.w("state.not_sold"), []],
      ["nothing-like-it", []],
    ]) await finds(desk, words, receipts);
    await desk.sees("journal.none");
    await desk.looks(`manager-journal-none-${language}`);
    await desk.close();
  });
}

for (const [language, gap, end] of [["en", 5, "Enter"], ["de", 40, null]]) {
  test(`a scan at the manager's page presses nothing, is no PIN and closes no day; in the journal it searches, and its code goes nowhere (${language}, ${gap} ms${end ? "" : ", not ended"})`, async () => {
    const asked = [];
    const desk = await Desk.open(shop, { language, path: "/manager", before: async (page) => {
      page.on("request", (request) => asked.push(`${request.method()} ${decodeURIComponent(request.url())} ${request.postData() ?? ""}`));
    } });
    const scans = (text) => desk.scans(text, { gap, end });
    const askedOf = (path) => asked.filter((one) => one.includes(path));
    await desk.isAt("signin.title");
    await scans(shop.voucher);
    await desk.sees("scan.no_pin");
    assert.equal(await desk.page.$eval("#pin", (field) => field.value), "");
    assert.deepEqual(askedOf("/v1/session/manager"), []);
    await desk.looks(`manager-scanned-pin-${language}`);
    await desk.signsIn();
    await desk.seesNot("scan.no_pin");
    await desk.click('[data-tab="day"]');
    await desk.press("day.z");
    // Enter does not close a day at once, even a person's; and a scan's presses nothing where it would.
    assert.equal(await desk.page.evaluate(() => document.activeElement.id), "sure-title");
    await desk.page.focus("#z-yes");
    await scans(shop.voucher);
    await desk.sees("scan.searches");
    await desk.sees("day.sure_what");
    assert.deepEqual(askedOf("/report"), []);
    await desk.click('[data-tab="journal"]');
    await desk.isAt("journal.title");
    await desk.seesNot("scan.searches");
    const finding = async (scan, sought, receipts) => {
      await scans(scan);
      await eventually(`${sought} finds ${receipts}`, async () => (await desk.page.$eval("#journal-search", (field) => field.value)) === sought
        && JSON.stringify(await listed(desk)) === JSON.stringify(receipts));
    };
    for (const focus of ["#journal-search", "#verify"]) {
      await desk.page.focus(focus);
      await finding(shop.voucher, shop.tail, ["B-2001"]);
      await finding("4001232100022", "4001232100022", ["R-1003"]);
      await finding("6399990000129876", "9876", ["R-1003"]);
    }
    // The number at the foot of a slip is no code.
    await finding(shop.printer.bars[0], shop.printer.bars[0], ["R-1001"]);
    for (const code of [shop.voucher, "6399990000129876"]) {
      assert.deepEqual(askedOf(code), []);
      const kept = await desk.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) + document.documentElement.outerHTML);
      assert.ok(!kept.includes(code));
    }
    assert.deepEqual(askedOf("POST").filter((one) => one.includes("/v1/journal/verification")), []);
    await desk.close();
  });
}

test("filters narrow the list, and what comes after says so until it is asked for (en)", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await toJournal(desk);
  const shows = (receipts) => eventually(receipts.join(), async () => JSON.stringify(await listed(desk)) === JSON.stringify(receipts));
  await desk.page.select("#journal-kind", "redemption");
  await shows(["B-2001"]);
  await desk.page.select("#journal-kind", "");
  await desk.page.select("#journal-state", "cleared");
  await shows(["R-1004"]);
  await desk.looks("manager-journal-filtered-en");
  await desk.page.select("#journal-state", "");
  await desk.click("#journal-open");
  await shows(["B-2001", "R-1005"]);
  await desk.click("#journal-open");
  await eventually("all lines", async () => (await listed(desk)).length === 6);
  const fromTo = (from, to) => desk.page.evaluate((values) => {
    for (const [name, value] of Object.entries(values)) {
      const field = document.getElementById(`journal-${name}`);
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }, { from, to });
  await fromTo("", "2020-01-31");
  await shows([]);
  await fromTo("2020-01-01", "");
  await eventually("all lines", async () => (await listed(desk)).length === 6);
  // Nothing is read by itself: that would keep somebody signed in who has gone.
  assert.ok(await desk.page.$eval("#journal-newer", (button) => button.hidden));
  await shop.sells("R-1006");
  await desk.press("journal.newer");
  await shows(["R-1006", "B-2001", "R-1005", "R-1004", "R-1003", "R-1002", "R-1001"]);
  await desk.close();
  await eventually("it is in the index", async () => (await shop.ask("GET", "/v1/journal?search=R-1006")).body.lines.length === 1);
});

test("a long list is shown page by page, and the focus goes on where the next page begins", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager", before: async (page) => {
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.pathname !== "/v1/journal") return request.continue();
      url.searchParams.set("limit", "3");
      return request.continue({ url: String(url) });
    });
  } });
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await eventually("three lines", async () => (await listed(desk)).length === 3);
  await desk.press("journal.more");
  await eventually("six lines", async () => (await listed(desk)).length === 6);
  assert.equal(await desk.page.evaluate(() => document.activeElement.innerText.trim()), (await listed(desk))[3]);
  await desk.close();
});

test("an index that is still being made, and a read that failed, say so and what to do", async () => {
  let told = (body) => body;
  const desk = await Desk.open(shop, { language: "fr", path: "/manager", dark: true, before: async (page) => {
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith("/v1/days/")) return told === null ? request.respond({ status: 503, contentType: "application/json", body: JSON.stringify({ code: "stopping" }) }) : request.continue();
      if (pathname !== "/v1/journal") return request.continue();
      if (told === null) return request.abort();
      const { body } = await shop.ask("GET", "/v1/journal");
      return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(told(body)) });
    });
  } });
  await desk.signsIn();
  told = (body) => ({ ...body, searched: 1, last: 5_000_000 });
  await desk.click('[data-tab="journal"]');
  await desk.sees("journal.indexing");
  await desk.looks("manager-indexing-fr-dark");
  told = null;
  await desk.fills("#journal-search", "kim");
  await desk.sees("problem.unreached");
  await desk.button("again");
  await desk.looks("manager-journal-unread-fr-dark");
  await desk.click('[data-tab="day"]');
  await desk.button("again");
  await desk.looks("manager-day-unread-fr-dark");
  told = (body) => body;
  await desk.press("again");
  await desk.sees("day.all");
  assert.equal(await desk.page.$(".alarm"), null);
  await desk.close();
});

test("a sold card is a story in plain words, with what was sent and nothing secret (en)", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await finds(desk, "R-1002", ["R-1002"]);
  await desk.press("journal.open_line", { receipt: "R-1002" });
  await desk.isAt("Sale R-1002");
  for (const key of ["told.opened", "told.paid", "told.print_ended", "proof.process_id"]) await desk.sees(key);
  await desk.sees("told_call", { call: desk.w("call.confirm"), outcome: desk.w("ended.done") });
  await desk.sees(`${desk.w("tender.cash")}, ${desk.w("told_given", { amount: "€100.00" })}, ${desk.w("told_change", { amount: "€24.50" })}`);
  await desk.sees("told_by", { name: "Łucja" });
  const entries = await desk.page.$$eval("[data-what]", (all) => all.map(({ dataset }) => dataset.what));
  assert.deepEqual(entries, ["opened", "create_ended", "paid", "confirm_ended", "print_ended"]);
  // Its slip stands beside it as it came out of the printer, its code behind dots.
  const [rows] = await desk.slips();
  const printed = shop.printer.papers.find((paper) => paper.includes("75,50")).split("\n").map((row) => row.trim()).filter((row) => /^[ -~]+$/.test(row) && !/\d/.test(row));
  assert.ok(printed.length > 5 && printed.every((row) => rows.includes(row.replace(/\s{2,}/g, ", "))), rows.join(" / "));
  assert.ok(rows.some((row) => /^••••[• ]+$/.test(row)), rows.join(" / "));
  await desk.page.$eval("details", (fold) => { fold.open = true; });
  await desk.sees('"product_code"');
  await desk.looks("manager-story-sold-en");
  // The code that stands on the paper stands nowhere here.
  const code = shop.printer.papers.map((paper) => /\d{4} \d{4} \d{4} \d{4}( \d+)?/.exec(paper)?.[0]).filter(Boolean);
  await desk.page.$$eval("details", (folds) => folds.forEach((fold) => { fold.open = true; }));
  const shown = (await desk.text()).replaceAll(" ", "");
  assert.ok(code.length > 1 && code.every((one) => !shown.includes(one.replaceAll(" ", ""))));
  await desk.page.keyboard.press("Escape");
  await desk.isAt("journal.title");
  await desk.close();
});

for (const language of ["de", "fr"]) {
  test(`an undone card is a story to its end (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager", width: language === "de" ? 800 : 1366, height: language === "de" ? 1280 : 768, dark: language === "de" });
    await desk.signsIn();
    await desk.click('[data-tab="journal"]');
    await finds(desk, "R-1004", ["R-1004"]);
    await desk.looks(`manager-journal-found-${language}`);
    await desk.press("journal.open_line", { receipt: "R-1004" });
    await desk.isAt(`${desk.w("line.sale")} R-1004`);
    for (const key of ["fault.paper_out", "undo.invalidated", "state.cleared"]) await desk.sees(key);
    await desk.sees("told_answer", { answer: desk.w("answer.money_back") });
    const entries = await desk.page.$$eval("[data-what]", (all) => all.map(({ dataset }) => dataset.what));
    assert.deepEqual(entries, ["opened", "create_ended", "paid", "confirm_ended", "print_ended", "answered", "undo_ended"]);
    await desk.looks(`manager-story-undone-${language}`);
    await desk.close();
  });
}

for (const language of ["en", "de"]) {
  test(`a slip is printed once more as a numbered copy, which the story tells with the manager's name (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager" });
    const receipt = `R-20${language === "en" ? 1 : 2}`;
    await shop.sells(receipt);
    await desk.signsIn("Ada Berg");
    await desk.click('[data-tab="journal"]');
    await finds(desk, receipt, [receipt]);
    await desk.press("journal.open_line", { receipt });
    for (const n of [1, 2]) {
      const papers = shop.printer.papers.length;
      await desk.press("copy.go");
      await desk.sees("copy.number", { n });
      await desk.sees("told_copy", { n });
      assert.equal(shop.printer.papers.length, papers + 1);
      assert.match(shop.printer.papers.at(-1), new RegExp(`KOPIE ${n}|Kopie ${n}`));
    }
    await desk.sees("told_by", { name: "Ada Berg" });
    await desk.looks(`manager-copied-${language}`);
    // No paper, no copy; what was asked for stays written down.
    shop.printer.fault("cover_open");
    await desk.press("copy.go");
    await desk.sees("fault.cover_open");
    await desk.sees("told_copy", { n: 3 });
    shop.printer.fault(null);
    await desk.close();
  });
}

for (const [language, amount] of [["de", "12,50 €"], ["en", "€12.50"]]) {
  test(`a redemption is a story with its slip, without its voucher's code, and each further paper is a numbered copy (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager" });
    const basket = `B-21${language}`;
    const { code } = await shop.giftLocal.post("/vouchers", { name: basket, value: "30.00", currency: "EUR" });
    const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
    await shop.ask("POST", "/v1/redemptions", { check, basket, cashier: "Mia", amount: { amount: "12.50", currency: "EUR" } }, { "Idempotency-Key": basket });
    await desk.signsIn();
    await desk.click('[data-tab="journal"]');
    await finds(desk, basket, [basket]);
    await desk.press("journal.open_line", { receipt: basket });
    await desk.isAt(`${desk.w("line.redemption")} ${basket}`);
    for (const key of ["told.redemption_opened", "told.offered", "voucher_state.answered"]) await desk.sees(key);
    await desk.sees("told_granted", { amount });
    const [rows] = await desk.slips();
    assert.ok(rows.some((row) => row.startsWith("Gutscheincode") && row.endsWith(`••••${code.slice(-4)}`)), rows.join(" / "));
    await desk.looks(`manager-story-redemption-${language}`);
    // The first paper is no copy.
    for (const n of [null, 1, 2]) {
      const papers = shop.printer.papers.length;
      await desk.press("copy.go");
      await desk.sees([n && desk.w("copy.number", { n }), desk.w("print.done")].filter(Boolean).join(" "));
      assert.equal(shop.printer.papers.length, papers + 1);
      assert.equal(/KOPIE (\d)/.exec(shop.printer.papers.at(-1))?.[1], n?.toString());
    }
    await desk.seesNot(code);
    await desk.looks(`manager-copied-redemption-${language}`);
    await desk.close();
  });
}

for (const [language, amount] of [["en", "€12.50"], ["fr", "12,50 €"]]) {
  test(`a voucher whose goods have come back gets its value back from its story: asked first, once, by the manager's name (${language})`, async () => {
    const basket = `B-22${language}`;
    const { code } = await shop.giftLocal.post("/vouchers", { name: basket, value: "30.00", currency: "EUR" });
    const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
    const { body: { id } } = await shop.ask("POST", "/v1/redemptions", { check, basket, amount: { amount: "12.50", currency: "EUR" } }, { "Idempotency-Key": basket });
    await shop.ask("POST", `/v1/redemptions/${id}/complete`, { by: "Mia" }, { "Idempotency-Key": `${basket} done` });
    const entries = async () => (await shop.ask("GET", `/v1/journal/redemptions/${id}`)).body.entries;
    const desk = await Desk.open(shop, { language, path: "/manager", dark: language === "fr" });
    await desk.signsIn("Ada Berg");
    await desk.click('[data-tab="journal"]');
    await finds(desk, basket, [basket]);
    await desk.press("journal.open_line", { receipt: basket });
    await desk.press("giving.go");
    await desk.sees("giving.sure", { amount });
    await desk.sees("giving.sure_what", { name: "Ada Berg" });
    // The next Enter gives nothing, whosever it is.
    await desk.page.keyboard.press("Enter");
    await desk.looks(`manager-giving-sure-${language}`);
    await desk.press("cancel");
    await desk.vanishes("giving.sure", { amount });
    assert.equal((await entries()).at(-1).what, "completed");
    await desk.press("giving.go");
    await desk.press("giving.yes", { amount });
    await eventually("it has its value back", async () => (await entries()).at(-1).state === "cleared");
    await desk.reloads();
    await desk.sees("voucher_state.cleared");
    await desk.sees("told.taken_back");
    await desk.sees("told_by", { name: "Ada Berg" });
    assert.equal(await desk.page.$("#giving"), null);
    await desk.looks(`manager-given-${language}`);
    const [taken, ...more] = (await entries()).filter(({ what }) => what === "taken_back");
    assert.deepEqual([taken.by, more.length], ["Ada Berg", 0]);
    const { body: left } = await shop.ask("POST", "/v1/vouchers/check", { scan: code });
    assert.equal(left.eligible.amount, "30.00");
    await desk.close();
  });
}

test("of a sale of several cards each slip is behind its fold, and asked for when that is opened", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  const eur = (amount) => ({ amount, currency: "EUR" });
  const cards = ["20.00", "40.00"].map((amount) => ({ product: "4001232232332", kind: "por", face_value: eur(amount) }));
  const { id } = (await shop.ask("POST", "/v1/sales", { receipt: "R-301", cards }, { "Idempotency-Key": "R-301 begin" })).body;
  await shop.ask("POST", `/v1/sales/${id}/payment`, { amount: eur("60.00"), tender: { kind: "card" } }, { "Idempotency-Key": "R-301 pay" });
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await finds(desk, "R-301", ["R-301", "R-301"]);
  const which = () => desk.page.$$eval("tbody tr", (rows) => rows.map((row) => /card \d+/.exec(row.innerText)?.[0] ?? ""));
  // The first card of a sale is marked by nothing, be it one of several or not.
  assert.deepEqual((await which()).sort(), ["", "card 2"]);
  await desk.click("tbody .row-open");
  await desk.isAt("Sale R-301");
  assert.equal(await desk.page.$(".slip"), null);
  await (await desk.page.$$(".panel summary"))[1].click();
  const [rows, ...more] = await desk.slips();
  assert.ok(rows.some((row) => row.includes("40,00")) && !rows.some((row) => row.includes("20,00")), rows.join(" / "));
  assert.equal(more.length, 0);
  await desk.looks("manager-story-two-en");
  await desk.close();
});

for (const language of ["en", "fr"]) {
  test(`what is found is taken out as CSV and as JSON Lines, by the browser itself, and is what was listed (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager" });
    await desk.signsIn();
    await desk.click('[data-tab="journal"]');
    const folder = mkdtempSync(join(tmpdir(), "tilld-export-"));
    const session = await desk.page.createCDPSession();
    await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder, browserContextId: desk.context.id });
    const file = async (format) => {
      await desk.click(`#export-${format}`);
      const path = join(folder, `journal.${format}`);
      await eventually(`journal.${format}`, () => readdirSync(folder).includes(`journal.${format}`) && readFileSync(path, "utf8").endsWith("\n"));
      const text = readFileSync(path, "utf8");
      rmSync(path);
      return text;
    };
    for (const [words, count] of [["kim", 3], ["R-1004", 1]]) {
      await eventually(words, async () => (await listed(desk)).length >= 6 || words !== "kim");
      await desk.page.$eval("#journal-search", (field) => { field.value = ""; });
      await desk.fills("#journal-search", words);
      await desk.page.keyboard.press("Enter");
      await eventually(`${count} lines`, async () => (await listed(desk)).length === count);
      const receipts = await listed(desk);
      const lines = (await file("jsonl")).trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(lines.map(({ receipt }) => receipt), receipts);
      const [mark, ...rows] = (await file("csv")).trimEnd().split("\r\n");
      assert.ok(mark.startsWith("\ufeffkind,id,card,"));
      const cells = rows.map(cellsOf);
      assert.deepEqual(cells.map((row) => row[4]), receipts);
      assert.deepEqual(cells.map((row) => [row[1], row[10], row[13], row[16]]), lines.map(({ id, amount, state, cashier }) => [id, amount.amount, state, cashier]));
    }
    rmSync(folder, { recursive: true });
    await desk.close();
  });
}

test("the chain is verified, and what was found stands there when one comes back", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await desk.press("verify.go");
  const { entries } = await eventually("it is whole", async () => {
    const found = (await shop.ask("GET", "/v1/journal/verification")).body;
    return found.state === "whole" && found;
  });
  await desk.sees(`Whole: ${entries} entries`);
  await desk.page.$eval("#verify", (button) => button.scrollIntoView());
  await desk.looks("manager-verified-en");
  await desk.click('[data-tab="cases"]');
  await desk.isAt("open.title");
  await desk.click('[data-tab="journal"]');
  await desk.sees(`Whole: ${entries} entries`);
  await desk.close();
});

test("a verification that runs, is broken, or could not read says so, and what to do", async () => {
  let told = null;
  const at = "2026-11-22T10:00:00Z";
  const desk = await Desk.open(shop, { language: "de", path: "/manager", before: async (page) => {
    await page.setRequestInterception(true);
    page.on("request", (request) => (told && request.url().endsWith("/v1/journal/verification")
      ? request.respond({ status: request.method() === "POST" ? 202 : 200, contentType: "application/json", body: JSON.stringify(told) }) : request.continue()));
  } });
  await desk.signsIn();
  for (const [state, key, values] of [
    [{ state: "running", since: at }, "verify.running", { time: "11:00" }],
    [{ state: "broken", at, seq: 12, why: "the link is another one" }, "verify.broken", { seq: 12, time: "22.11.2026, 11:00" }],
    [{ state: "unread", at, why: "the disk is gone" }, "verify.unread", { time: "22.11.2026, 11:00" }],
  ]) {
    told = state;
    await desk.click('[data-tab="journal"]');
    await desk.sees(key, values);
    if (state.why) await desk.sees(state.why);
    await desk.page.$eval("#verify", (button) => button.scrollIntoView());
    await desk.looks(`manager-verify-${state.state}-de`);
    await desk.click('[data-tab="cases"]');
    await desk.isAt("open.title");
  }
  await desk.close();
});

test("a verification that runs keeps nobody signed in: it is watched until the session has ended, and that leads to the PIN", async () => {
  let looks = 0;
  let over = false;
  const desk = await Desk.open(shop, { language: "en", path: "/manager", before: async (page) => {
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      const { pathname } = new URL(request.url());
      if (pathname === "/v1/journal/verification") {
        looks += 1;
        if (over) return request.continue();
        return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify({ state: "running", since: "2026-11-22T10:00:00Z" }) });
      }
      if (request.method() !== "GET" || pathname !== "/v1/session") return request.continue();
      // The ten minutes are a constant of the daemon; what it says of them is shortened on the way.
      const cookies = (await page.browserContext().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
      const told = await (await fetch(request.url(), { headers: { Cookie: cookies } })).json();
      if (told.manager) told.manager.ends_in_s = 63;
      return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(told) });
    });
  } });
  await desk.signsIn();
  await desk.click('[data-tab="journal"]');
  await desk.sees("verify.running", { time: "11:00" });
  await desk.sees("signin.ending");
  const before = looks;
  assert.ok(before > 1, "it was watched until then");
  await eventually("it is looked at", () => looks > before);
  await desk.endsSession();
  over = true;
  await desk.isAt("signin.title");
  await desk.sees("parted.idle");
  await desk.close();
});

for (const [typed, tapped] of [["en", "de"], ["fr", "en"]]) {
  test(`the journal is searched and a sale opened with the keyboard alone (${typed}), and with the finger alone (${tapped})`, async () => {
    const keys = await Desk.open(shop, { language: typed, path: "/manager" });
    await keys.signsIn();
    await keys.tabsTo('[data-tab="journal"]');
    await keys.page.keyboard.press("Enter");
    await keys.isAt("journal.title");
    // The search has the focus.
    await keys.types("R-1001");
    await keys.page.keyboard.press("Enter");
    await eventually("found", async () => (await listed(keys)).join() === "R-1001");
    await keys.tabsTo("tbody .row-open");
    await keys.page.keyboard.press("Enter");
    await keys.isAt(`${keys.w("line.sale")} R-1001`);
    await keys.tabsTo("#story-back");
    await keys.page.keyboard.press("Enter");
    await keys.isAt("journal.title");
    await keys.close();
    const finger = await Desk.open(shop, { language: tapped, path: "/manager", touch: true, width: 800, height: 1280 });
    await finger.signsIn();
    await (await finger.has('[data-tab="journal"]')).tap();
    await finger.isAt("journal.title");
    await finger.looks(`manager-journal-${tapped}-800`);
    await finger.tap("journal.open_line", { receipt: "R-1001" });
    await finger.isAt(`${finger.w("line.sale")} R-1001`);
    await finger.tap("back");
    await finger.isAt("journal.title");
    await finger.close();
  });
}
