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

test("a stream that is cut is asked for again from the last step that was heard, and what came meanwhile is shown", async () => {
  const desk = await Desk.open(shop, { language: "de", before: (page) => page.evaluateOnNewDocument(() => {
    // The line to the stream, which a test can cut and keep cut.
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
  }) });
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
