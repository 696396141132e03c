// The stream of what changes: it is taken up where it was cut, while the daemon lives on, and no step is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Parser } from "../../src/pages/files/app/stream.js";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

test("events are read out of their text, however it is cut into pieces", () => {
  const kept = new Map();
  globalThis.window = { sessionStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) } };
  const text = ": alive\n\nid: 7\nevent: sale\ndata: {\"a\":\ndata: 1}\n\nevent: scan\ndata: {\"text\":\"x\"}\n\r\nid: x\nid: 8\r\nevent: device\r\ndata: {}\r\n\r\nid: 9\nevent: sale\ndata: {}\n";
  for (const size of [1, 2, 3, 7, text.length]) {
    const heard = [];
    const parser = new Parser((event, data) => heard.push([event, data, kept.get("tilld.last") ?? null]));
    kept.clear();
    for (let at = 0; at < text.length; at += size) parser.push(text.slice(at, at + size));
    // The place moves once an event was taken, a scan moves nothing, and what has not ended is not told.
    assert.deepEqual(heard, [["sale", { a: 1 }, null], ["scan", { text: "x" }, "7"], ["device", {}, "7"]], String(size));
    assert.equal(kept.get("tilld.last"), "8");
  }
  delete globalThis.window;
});

/// Gives the page a line to its stream that a test can cut, and keep cut.
const cuttable = (page) => page.evaluateOnNewDocument(() => {
  const asks = window.fetch;
  const line = { asked: [], cut: () => {}, whole: Promise.resolve() };
  window.line = line;
  window.fetch = async (path, how = {}) => {
    if (path !== "/v1/events") return asks(path, how);
    await line.whole;
    line.asked.push(how.headers["Last-Event-ID"] ?? null);
    const away = new AbortController();
    line.cut = () => {
      line.whole = new Promise((resolve) => {
        line.mend = resolve;
      });
      away.abort();
    };
    return asks(path, { ...how, signal: AbortSignal.any([how.signal, away.signal]) });
  };
});

test("a stream that is cut is asked for again from the last step that was heard, and what came meanwhile is shown", async () => {
  const desk = await Desk.open(shop, { language: "de", before: cuttable });
  await desk.isAt("sell.title");
  const last = () => desk.page.evaluate(() => sessionStorage.getItem("tilld.last"));
  const asked = () => desk.page.evaluate(() => window.line.asked);
  const first = await shop.sells("S-1");
  await eventually("the sale was heard of", async () => Number(await last()) >= first.seq);
  const before = await last();
  const times = (await asked()).length;
  await desk.page.evaluate(() => window.line.cut());
  // Meanwhile a till sells a card, and its slip stops.
  shop.printer.runsOutAfter(120);
  const second = await shop.sells("S-2");
  assert.equal(await last(), before);
  await desk.page.evaluate(() => window.line.mend());
  await desk.isAt("question.print_again");
  assert.equal((await asked())[times], before);
  await eventually("every step was heard", async () => Number(await last()) >= second.seq);
  shop.printer.fault(null);
  await desk.press("answer.print_again");
  await desk.isAt("screen.done");
  await desk.close();
});

test("a slip that stops twice while the page hears nothing is asked about as the second attempt, and by voice", async () => {
  const desk = await Desk.open(shop, { language: "en", before: cuttable });
  await desk.isAt("sell.title");
  shop.printer.runsOutAfter(120);
  const { id } = await shop.sells("S-3");
  await desk.isAt("question.print_again");
  await desk.hears("case.print_again", {}, true);
  await desk.page.evaluate(() => {
    window.line.cut();
    window.spoken.length = 0;
  });
  shop.printer.fault(null);
  shop.printer.runsOutAfter(120);
  const { status } = await shop.ask("POST", `/v1/sales/${id}/cards/1/answer`, { answer: "print_again" }, { "Idempotency-Key": "S-3 again" });
  assert.equal(status, 200);
  await eventually("the second attempt stops", async () => {
    const { body: { cards: [{ paper }] } } = await shop.ask("GET", `/v1/sales/${id}`);
    return paper.state === "stopped" && paper.attempt === 2;
  });
  await desk.page.evaluate(() => window.line.mend());
  await desk.sees(`${desk.w("fact.attempt")}\n2`);
  await desk.hears("case.print_again", {}, true);
  shop.printer.fault(null);
  await desk.press("answer.print_again");
  await desk.isAt("screen.done");
  await desk.close();
});

test("a question that was answered stands no longer while its slip is printed again, though what is open was not read since", async () => {
  const desk = await Desk.open(shop, { language: "en", before: (page) => page.evaluateOnNewDocument(() => {
    const asks = window.fetch;
    window.held = Promise.resolve();
    window.fetch = async (path, how) => {
      if (path === "/v1/attention") await window.held;
      return asks(path, how);
    };
  }) });
  await desk.isAt("sell.title");
  shop.printer.runsOutAfter(120);
  await shop.sells("S-4");
  await desk.isAt("question.print_again");
  await desk.page.evaluate(() => {
    window.held = new Promise((resolve) => {
      window.release = resolve;
    });
  });
  shop.printer.fault(null);
  shop.printer.fallsSilentAfter(120);
  await desk.press("answer.print_again");
  await desk.isAt("wait.finishing");
  await desk.page.evaluate(() => window.release());
  await desk.isAt("question.is_it_complete");
  await desk.sees(`${desk.w("fact.attempt")}\n2`);
  shop.printer.fault(null);
  await desk.press("answer.complete");
  await desk.isAt("screen.done");
  await desk.close();
});

/// Gives the page an ear for what is open that a test can keep waiting, with the answer already in it, and can make deaf.
const deferrable = (page) => page.evaluateOnNewDocument(() => {
  const asks = window.fetch;
  window.attention = { holds: false, held: 0, deaf: 0, release: () => {} };
  window.fetch = async (path, how) => {
    if (path !== "/v1/attention") return asks(path, how);
    if (window.attention.deaf > 0) {
      window.attention.deaf -= 1;
      throw new TypeError("lost on the way");
    }
    const answer = await asks(path, how);
    if (window.attention.holds) {
      window.attention.holds = false;
      window.attention.held += 1;
      await new Promise((resolve) => {
        window.attention.release = resolve;
      });
    }
    return answer;
  };
});

test("what was open a while ago and is heard last brings no question back, and hides none", async () => {
  const desk = await Desk.open(shop, { language: "de", before: (page) => Promise.all([cuttable(page), deferrable(page)]) });
  await desk.isAt("sell.title");
  const held = async (times) => eventually("an answer is kept back", () => desk.page.evaluate((wanted) => window.attention.held === wanted, times));
  const holdsNext = () => desk.page.evaluate(() => {
    window.attention.holds = true;
    window.line.cut();
    window.line.mend();
  });
  shop.printer.runsOutAfter(120);
  await shop.sells("S-5");
  await desk.isAt("question.print_again");
  await holdsNext();
  await held(1);
  shop.printer.fault(null);
  await desk.press("answer.print_again");
  await desk.isAt("screen.done");
  await desk.page.evaluate(() => window.attention.release());
  await desk.stays("screen.done");
  await desk.press("ended.next");
  // The other way round: what was heard before knows of no question yet.
  await holdsNext();
  await held(2);
  shop.printer.runsOutAfter(120);
  await shop.sells("S-6");
  await eventually("the sale asks", async () => (await shop.ask("GET", "/v1/attention")).body.cases.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await desk.page.evaluate(() => window.attention.release());
  await desk.isAt("question.print_again");
  await desk.stays("question.print_again");
  shop.printer.fault(null);
  await desk.press("answer.print_again");
  await desk.isAt("screen.done");
  await desk.close();
});

test("what is open is asked for again where the answer was lost", async () => {
  const desk = await Desk.open(shop, { language: "en", before: deferrable });
  await desk.isAt("sell.title");
  await desk.page.evaluate(() => {
    window.attention.deaf = 4;
  });
  shop.printer.runsOutAfter(120);
  await shop.sells("S-7");
  await desk.isAt("question.print_again");
  assert.equal(await desk.page.evaluate(() => window.attention.deaf), 0);
  shop.printer.fault(null);
  await desk.press("answer.print_again");
  await desk.isAt("screen.done");
  await desk.close();
});
