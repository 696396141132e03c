// A day of business at the manager's page: what it adds up to, X on screen and on paper, Z once; and the devices, products and balances.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { Printer } from "./printer.js";
import { KEPT, MANAGERS, Shop, eventually } from "./shop.js";

let shop;
inShop(async (opened) => {
  shop = opened;
  await shop.sells("D-1", { cashier: "Kim" });
  await shop.sells("D-2", { cashier: "Kim", amount: "30.00", tender: { kind: "cash", given: { amount: "30.00", currency: "EUR" } } });
  await shop.sells("D-3", { cashier: "Zoë", product: "4001232100022", kind: "posa", amount: "25.00", code: "6399990000128888" });
  await shop.undoes("D-4", KEPT);
  const { code } = await shop.giftLocal.post("/vouchers", { name: "day", value: "30.00", currency: "EUR" });
  const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
  const { body } = await shop.ask("POST", "/v1/redemptions", { check, basket: "D-5", cashier: "Kim", amount: { amount: "12.50", currency: "EUR" } }, { "Idempotency-Key": "d-5" });
  await shop.ask("POST", `/v1/redemptions/${body.id}/complete`, { by: "Kim" }, { "Idempotency-Key": "d-6" });
});

/// Today where the shop stands.
const today = () => new Intl.DateTimeFormat("sv", { timeZone: "Europe/Berlin" }).format(new Date());
/// The rows of the table with this caption: name and cells.
const rows = (desk, key) => desk.page.$$eval("table", (tables, caption) => [...(tables.find((one) => one.caption?.textContent === caption)?.tBodies[0].rows ?? [])]
  .map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim())), desk.w(key));

test("a day is shown by product, tender, provider and cashier, with what is still open", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="day"]');
  await desk.isAt("day.title");
  await eventually("the sums", async () => (await rows(desk, "day.all")).length === 1);
  assert.deepEqual(await rows(desk, "day.all"), [["All", "€105.00 3 times", "€20.00 1 time", "€12.50 1 time", "–"]]);
  assert.deepEqual((await rows(desk, "day.by_cashier")).map(([name, sold]) => [name, sold]), [["No name", "–"], ["Kim", "€80.00 2 times"], ["Zoë", "€25.00 1 time"]]);
  assert.deepEqual((await rows(desk, "day.by_tender")).map(([name]) => name), ["Cash", "Card", "Voucher"]);
  assert.deepEqual((await rows(desk, "day.by_product")).map(([name]) => name).length, 4);
  assert.equal((await rows(desk, "day.by_provider")).length, 2);
  await desk.sees("D-4");
  await desk.looks("manager-day-en");
  await desk.click("#day-before");
  await desk.sees("day.nothing");
  await desk.looks("manager-day-empty-en");
  await desk.click("#day-after");
  await desk.press("journal.open_line", { receipt: "D-4" });
  await desk.isAt("Sale D-4");
  await desk.press("back");
  await desk.isAt("day.title");
  await desk.close();
});

test("an X is printed at any time and closes nothing; a Z wants to be confirmed, has a number, and is made once", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="day"]');
  const papers = shop.printer.papers.length;
  await desk.press("day.x");
  await desk.sees("print.done");
  assert.equal(shop.printer.papers.length, papers + 1);
  assert.equal((await shop.ask("GET", `/v1/days/${today()}`)).body.closing, null);
  await desk.press("day.z");
  await desk.sees("day.sure_open.one", { n: 1 });
  await desk.looks("manager-z-sure-de");
  await desk.turns(true);
  await desk.looks("manager-z-sure-de-dark");
  await desk.turns(false);
  await desk.press("cancel");
  await desk.vanishes("day.sure_what");
  assert.equal((await shop.ask("GET", `/v1/days/${today()}`)).body.closing, null, "only asked about");
  await desk.press("day.z");
  await desk.press("day.z_yes");
  await desk.sees(desk.w("day.closed", { n: 1, by: MANAGERS[0], time: "" }).slice(0, -2));
  const { closing } = (await shop.ask("GET", `/v1/days/${today()}`)).body;
  assert.deepEqual([closing.number, closing.by, closing.open], [1, MANAGERS[0], 1]);
  assert.equal(shop.printer.papers.length, papers + 2);
  assert.match(shop.printer.papers.at(-1), /Z/);
  // Closed is closed: there is no second Z, only its copy.
  assert.equal(await desk.page.$("#z"), null);
  await desk.looks("manager-z-made-de");
  await desk.press("day.z_again");
  await eventually("the copy", () => shop.printer.papers.length === papers + 3);
  assert.equal((await shop.ask("GET", `/v1/days/${today()}`)).body.closing.number, 1);
  await desk.close();
});

test("a Z that another screen has made meanwhile is told, and made no second time", async () => {
  const other = await Shop.open();
  await other.sells("E-1");
  const desk = await Desk.open(other, { language: "fr", path: "/manager" });
  await desk.signsIn("Ada Berg");
  await desk.click('[data-tab="day"]');
  await desk.press("day.z");
  await other.ask("POST", `/v1/days/${today()}/report`, { kind: "z", by: "Kim", print: false });
  await desk.press("day.z_yes");
  await desk.sees(desk.w("day.closed", { n: 1, by: "Kim", time: "" }).slice(0, -2));
  await desk.looks("manager-z-other-fr");
  await desk.close();
  await other.close();
});

test("a day is reported and a test slip printed with the keyboard alone, and the focus stays where it was", async () => {
  const desk = await Desk.open(shop, { language: "fr", path: "/manager" });
  await desk.signsIn();
  await desk.tabsTo('[data-tab="day"]');
  await desk.page.keyboard.press("Enter");
  await desk.has("#z-again");
  const papers = shop.printer.papers.length;
  for (const n of [1, 2]) {
    await desk.tabsTo("#z-again:not([aria-disabled])");
    await desk.page.keyboard.press("Enter");
    await eventually("the paper", () => shop.printer.papers.length === papers + n);
    await eventually("the focus", () => desk.page.evaluate(() => document.activeElement.matches("#z-again:not([aria-disabled])")));
  }
  await desk.tabsTo('[data-tab="devices"]');
  await desk.page.keyboard.press("Enter");
  await desk.tabsTo("[data-test]");
  await desk.page.keyboard.press("Enter");
  await desk.sees("print.done");
  await eventually("the focus", () => desk.page.evaluate(() => document.activeElement.matches("[data-test]:not([aria-disabled])")));
  await desk.close();
});

test("each device says how it is, and a test slip comes out of the printer that was asked", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="devices"]');
  await desk.isAt("devices.title");
  const papers = shop.printer.papers.length;
  await desk.press("devices.test");
  await desk.sees("proof.process_id");
  assert.equal(shop.printer.papers.length, papers + 1);
  await desk.looks("manager-devices-en");
  shop.printer.fault("paper_out");
  await eventually("it says so", async () => (await desk.text("[data-device]")).includes(desk.w("fault.paper_out")));
  await desk.press("devices.test");
  await desk.sees("print.nothing");
  assert.equal(shop.printer.papers.length, papers + 1);
  await desk.looks("manager-devices-fault-en");
  shop.printer.fault(null);
  await eventually("it is well again", async () => (await desk.text("[data-device]")).includes(desk.w("devices.ready")));
  await desk.close();
});

test("another screen is let in with the code that the devices show", async () => {
  const desk = await Desk.open(shop, { language: "fr", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="devices"]');
  await desk.press("pair.go");
  const code = await desk.page.$eval(await desk.has(".pairing-code") && ".pairing-code", (shown) => shown.textContent);
  await desk.looks("manager-pair-fr");
  const pairs = (digits) => fetch(`${shop.url}/v1/pair`, { method: "POST", headers: { "Content-Type": "application/json", Origin: shop.url }, body: JSON.stringify({ code: digits, name: "beside" }) });
  assert.equal((await pairs(code.replace("-", ""))).status, 204);
  assert.notEqual((await pairs(code.replace("-", ""))).status, 204, "once");
  // It is not kept: who comes back finds none.
  await desk.click('[data-tab="products"]');
  await desk.click('[data-tab="devices"]');
  await desk.sees("pair.how");
  assert.equal(await desk.page.$(".pairing-code"), null);
  await desk.close();
});

test("products are listed and searched, and the balance stands above them (de)", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="products"]');
  await desk.isAt("products.title");
  await desk.has(".balance-of");
  await desk.looks("manager-products-de");
  assert.equal(await desk.page.$(".balance.low"), null);
  const count = await desk.page.$$eval("tbody tr", (all) => all.length);
  assert.ok(count > 3);
  await desk.fills("#products-search", "klangbude");
  await eventually("fewer", async () => (await desk.page.$$eval("tbody tr", (all) => all.length)) < count);
  // Below the dearest card that is sold in it.
  await shop.finperks.put("/balances/EUR", { available: "120.0" });
  await desk.click("#products-fetch");
  await desk.has('.balance.low[data-currency="EUR"]');
  await desk.sees("120,00 €");
  await desk.sees(desk.w("products.low", { amount: "" }).trim());
  assert.equal((await desk.page.$$(".balance.low")).length, 1);
  await desk.looks("manager-products-low-de");
  await shop.finperks.put("/balances/EUR", { available: "90000.0" });
  await desk.close();
});

test("days and times are the shop's, wherever the screen stands", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager", before: (page) => page.emulateTimezone("Pacific/Kiritimati") });
  await desk.signsIn();
  await desk.click('[data-tab="day"]');
  await desk.has("tbody tr");
  assert.equal(await desk.page.$eval("#day", (field) => field.value), today());
  await desk.click('[data-tab="journal"]');
  const { opened_at: begun } = (await shop.ask("GET", "/v1/journal?search=D-1")).body.lines[0];
  await desk.sees(new Intl.DateTimeFormat("de-DE", { timeZone: "Europe/Berlin", dateStyle: "short", timeStyle: "short" }).format(new Date(begun)));
  await desk.close();
});

test("a spare printer and a scanner stand beside the printer, each with how it is, and each printer prints its own test slip", async (t) => {
  const spare = await Printer.start();
  const other = await Shop.open({ more: `[spare_printer]\nnetwork = "${spare.address}"\ncolumns = 42\n[scanners.hand]\nserial = "usb:0c2e:0caa"\n` });
  t.after(async () => {
    await other.close();
    await spare.stop();
  });
  const desk = await Desk.open(other, { language: "en", path: "/manager" });
  await desk.signsIn();
  await desk.click('[data-tab="devices"]');
  await desk.sees("device.spare");
  await desk.sees("connection.not_found");
  await desk.click('[data-test="spare"]');
  await eventually("its paper", () => spare.papers.length === 1);
  assert.equal(other.printer.papers.length, 0);
  await desk.sees("print.done");
  await desk.looks("manager-devices-three-en");
  // The spare takes slips over, but no test of another printer.
  other.printer.fault("paper_out");
  // A click is lost on what is drawn anew between the finger's going down and up.
  await desk.sees("fault.paper_out");
  await desk.click('[data-test="slip"]');
  await desk.sees("print.nothing");
  assert.deepEqual([other.printer.papers.length, spare.papers.length], [0, 1]);
  await desk.close();
});

for (const [width, height, dark] of [[800, 1280, false], [1024, 768, true], [1366, 768, true], [1920, 1080, false], [1920, 1080, true]]) {
  const name = `${width}${dark ? "-dark" : ""}`;
  test(`every screen of the manager at ${width} × ${height}${dark ? ", dark" : ""}`, async () => {
    const desk = await Desk.open(shop, { language: width === 1024 ? "fr" : width === 1366 ? "de" : "en", width, height, dark, path: "/manager" });
    await desk.signsIn();
    await desk.sees("D-4");
    await desk.looks(`manager-cases-${name}`);
    for (const [tab, shown] of [["journal", "tbody tr"], ["day", "tbody tr"], ["devices", "[data-device]"], ["products", ".balance-of"]]) {
      await desk.click(`[data-tab="${tab}"]`);
      await desk.has(shown);
      await desk.looks(`manager-${tab}-${name}`);
    }
    await desk.click('[data-tab="journal"]');
    await desk.press("journal.open_line", { receipt: "D-1" });
    await desk.slips();
    await desk.looks(`manager-story-${name}`);
    await desk.close();
  });
}

test("the manager's page loads less than 150 KiB at its first opening", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await desk.isAt("signin.title");
  const session = await desk.page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await desk.reloads();
  await desk.isAt("signin.title");
  console.log(`first opening of the manager's page: ${(bytes / 1024).toFixed(1)} KiB`);
  assert.ok(bytes > 30_000 && bytes < 150 * 1024, `${bytes} bytes`);
  await desk.close();
});
