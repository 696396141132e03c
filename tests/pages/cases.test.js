// Open cases at the manager's page: what stands there, that it follows the stream, and what can be done about each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { KEPT, MANAGERS, Shop, eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true });

const cases = async () => (await shop.ask("GET", "/v1/attention")).body.cases;
/// The last entry of a sale, once it is the one that is waited for.
const lastOf = (id, what) => eventually(what, async () => {
  const last = (await shop.ask("GET", `/v1/journal/sales/${id}`)).body.entries.at(-1);
  return last.what === what && last;
});

for (const language of ["de", "en"]) {
  test(`a case comes by itself, and is closed with a reason, never without one (${language})`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager" });
    await desk.signsIn();
    await desk.sees("open.none");
    const receipt = `K-${language}`;
    const { id } = await shop.undoes(receipt, KEPT);
    await desk.sees("case.undo_not_supported");
    await desk.sees(receipt);
    await desk.looks(`manager-case-${language}`);
    await desk.press("open.settle");
    assert.equal(await desk.page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
    await desk.press("open.close");
    await desk.sees("problem.reason_missing");
    await desk.page.keyboard.type("   ");
    await desk.press("open.close");
    await desk.sees("problem.reason_missing");
    assert.equal((await cases()).length, 1, "nothing was closed");
    await desk.looks(`manager-case-no-reason-${language}`);
    // What is typed stays while the list changes.
    await desk.page.keyboard.sendCharacter("credited in November");
    await shop.undoes(`${receipt}-2`, KEPT);
    await desk.sees(`${receipt}-2`);
    assert.match(await desk.page.$eval("textarea", (field) => field.value), /credited in November/);
    await desk.looks(`manager-cases-two-${language}`);
    await desk.press("open.close");
    await eventually("one is left", async () => (await cases()).length === 1);
    const entry = await lastOf(id, "settled");
    assert.deepEqual([entry.what, entry.by, entry.facts.reason], ["settled", MANAGERS[0], "credited in November"]);
    await desk.press("open.settle");
    await desk.page.keyboard.sendCharacter("likewise");
    await desk.press("open.close");
    await desk.sees("open.none");
    await desk.close();
  });
}

/// A card whose undo has failed so often that it is a case.
async function late(shop, receipt, fault) {
  await shop.finperks.fault("invalidate", fault, { count: 100 });
  const { id } = await shop.undoes(receipt);
  await eventually("a case", async () => {
    if ((await shop.ask("GET", "/v1/attention")).body.cases.some((one) => one.sale === id)) return true;
    await shop.ask("POST", `/v1/sales/${id}/cards/1/send`);
    return false;
  });
  return id;
}

for (const [language, touch] of [["en", false], ["de", true]]) {
  test(`an undo that does not get through says what was tried, and is sent now (${language}, ${touch ? "finger" : "keys"} alone)`, async () => {
    const desk = await Desk.open(shop, { language, path: "/manager", touch, ...(touch && { width: 800, height: 1280 }) });
    await desk.signsIn();
    const id = await late(shop, `S-${language}`, { kind: "server_error", status: 503, applied: false });
    const sends = async () => {
      if (touch) return desk.tap("open.send");
      await desk.button("open.send");
      await desk.tabsTo("[data-send]");
      return desk.page.keyboard.press("Enter");
    };
    await desk.sees("case.undo_late");
    // Six times, or once more by itself meanwhile.
    await eventually("how often", async () => {
      const shown = await desk.text();
      return shown.includes(desk.w("open.tried.other", { n: 6 })) || shown.includes(desk.w("open.tried_often.other", { n: 7 }));
    });
    await desk.sees("trouble.server_error");
    await desk.looks(`manager-undo-late-${language}`);
    await sends();
    await desk.sees(desk.w("sending.now", { time: "|" }).split("|")[1]);
    await desk.sees("open.tried_often.other", { n: 7 });
    await desk.looks(`manager-undo-sent-${language}`);
    await shop.finperks.delete("/faults");
    await sends();
    await desk.sees("open.none");
    const entry = await lastOf(id, "undo_ended");
    assert.equal(entry.state, "cleared");
    await desk.close();
  });
}

test("a question of the counter stands there too, and is answered by the manager's name", async () => {
  const desk = await Desk.open(shop, { language: "fr", path: "/manager", width: 800, height: 1280 });
  await desk.signsIn("Ada Berg");
  shop.printer.fault("paper_out");
  const { id } = await shop.sells("Q-1");
  await desk.sees("open.cashiers");
  await desk.looks("manager-question-fr-800");
  await desk.press("answer.money_back");
  await desk.sees("open.none");
  const answered = await eventually("the answer", async () => (await shop.ask("GET", `/v1/journal/sales/${id}`)).body.entries.find(({ what }) => what === "answered"));
  assert.equal(answered.by, "Ada Berg");
  await desk.close();
});

test("a case leads to its story, and back to the cases", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager", dark: true });
  await desk.signsIn();
  await shop.undoes("K-9", KEPT);
  await desk.sees("K-9");
  await desk.looks("manager-case-en-dark");
  await desk.press("open.story");
  await desk.isAt("Sale K-9");
  await desk.sees("undo.not_supported");
  await desk.press("back");
  await desk.isAt("open.title");
  await desk.press("open.settle");
  // What others write stays text, wherever it is shown.
  const hostile = '<img src=x onerror="document.title=1"><b>seen</b>';
  await desk.page.keyboard.sendCharacter(hostile);
  await desk.press("open.close");
  await desk.sees("open.none");
  await desk.click('[data-tab="journal"]');
  await desk.press("journal.open_line", { receipt: "K-9" });
  await desk.sees("told_reason", { reason: hostile });
  assert.equal(await desk.page.$("main img, main b"), null);
  await desk.close();
});

test("a redemption that nobody can find out is closed by what is decided, with a reason", async () => {
  const desk = await Desk.open(shop, { language: "en", path: "/manager" });
  await desk.signsIn();
  const { code } = await shop.giftLocal.post("/vouchers", { name: "case", value: "30.00", currency: "EUR" });
  const { check } = (await shop.ask("POST", "/v1/vouchers/check", { scan: code })).body;
  const { body: taken } = await shop.ask("POST", "/v1/redemptions", { check, basket: "V-1", amount: { amount: "10.00", currency: "EUR" } }, { "Idempotency-Key": "v-1" });
  await shop.giftLocal.fault("reverse", { kind: "refuse", code: "REDEMPTION_NOT_REVERSIBLE" }, { count: 9 });
  await shop.ask("POST", `/v1/redemptions/${taken.id}/reverse`, { by: "Kim" }, { "Idempotency-Key": "v-2" });
  await desk.sees("case.reversal_refused");
  await desk.press("open.settle");
  await desk.press("open.close");
  await desk.sees("open.verdict_missing");
  await desk.looks("manager-case-redemption-en");
  await desk.press("verdict.not_used");
  await desk.fills("textarea", "replacement given");
  await desk.press("open.close");
  await desk.sees("open.none");
  const entry = await eventually("the decision", async () => (await shop.ask("GET", `/v1/journal/redemptions/${taken.id}`)).body.entries.find(({ what }) => what === "redemption_settled"));
  assert.deepEqual(entry.facts, { reason: "replacement given", verdict: "not_used" });
  await desk.close();
});

test("after too many wrong voucher codes a manager lets the till take codes again", async () => {
  const { code } = await shop.giftLocal.post("/vouchers", { name: "tries", value: "9.00", currency: "EUR" });
  const scans = async (scan) => (await shop.ask("POST", "/v1/vouchers/check", { scan })).body.code;
  for (let wrong = 1; wrong <= 5; wrong += 1) assert.equal(await scans("999999999999"), "voucher_not_found");
  assert.equal(await scans(code), "too_many_tries");
  const desk = await Desk.open(shop, { language: "de", path: "/manager", touch: true, width: 800, height: 1280 });
  await desk.signsIn();
  await desk.sees("unlock.how");
  assert.equal(await scans(code), "too_many_tries", "not by itself");
  await desk.tap("unlock.go");
  await desk.sees("unlock.done");
  await desk.looks("manager-unlocked-de-800");
  assert.equal(await scans(code), `••••${code.slice(-4)}`, "it is looked up");
  await desk.close();
});

test("a pause that the provider has asked for is told and kept: nothing is sent before its end", async () => {
  const other = await Shop.open();
  const desk = await Desk.open(other, { language: "fr", path: "/manager" });
  await desk.signsIn();
  await late(other, "S-9", { kind: "server_error", status: 503, applied: false });
  await desk.sees("case.undo_late");
  await other.finperks.delete("/faults");
  await other.finperks.fault("invalidate", { kind: "refuse", code: "too_many_requests", status: 429, retry_after_s: 600 }, { count: 100 });
  await desk.press("open.send");
  const { undo } = await eventually("the pause is known", async () => {
    const [one] = (await other.ask("GET", "/v1/attention")).body.cases;
    return one.undo.not_before && one;
  });
  assert.equal(undo.may_be_sent, false);
  const then = new Intl.DateTimeFormat("fr-FR", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" }).format(new Date(undo.not_before));
  await desk.sees("sending.not_before", { time: then });
  assert.equal(await desk.page.$("[data-send]"), null);
  await desk.looks("manager-undo-pause-fr");
  await desk.press("open.settle");
  await desk.page.keyboard.sendCharacter("undone by telephone");
  await desk.press("open.close");
  await desk.sees("open.none");
  await desk.close();
  await other.close();
});
