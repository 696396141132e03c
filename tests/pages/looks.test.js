// How it looks at every size, by day and by night; how much it loads, and how soon it can be used; that it does not grow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

for (const [width, height, dark] of [[800, 1280, true], [1024, 768, false], [1024, 768, true], [1366, 768, true], [1920, 1080, false], [1920, 1080, true]]) {
  const name = `${width}${dark ? "-dark" : ""}`;
  test(`the way of a sale and of a voucher at ${width} × ${height}${dark ? ", dark" : ""}`, async () => {
    const desk = await Desk.open(shop, { language: width === 1024 ? "de" : "en", width, height, dark });
    await desk.isAt("sell.title");
    await desk.looks(`sell-${name}`);
    await desk.click('[data-product="4001232232332"]');
    await desk.has("#amount");
    await desk.looks(`value-${name}`);
    await desk.click('[data-value="50.00"]');
    await desk.click(".basket .primary");
    await desk.has(".take");
    await desk.looks(`take-${name}`);
    await desk.pays();
    await desk.isAt("screen.done");
    await desk.looks(`done-${name}`);
    await desk.press("ended.next");
    await desk.scans("401200000029");
    await desk.isAt("redeem.title");
    await desk.looks(`redeem-${name}`);
    await desk.press("redeem.aside");
    await desk.isAt("voucher.title");
    await desk.looks(`voucher-${name}`);
    await desk.click("#who");
    await desk.isAt("cashier.title");
    await desk.types("Łucja");
    await desk.looks(`cashier-${name}`);
    await desk.page.keyboard.press("Enter");
    await desk.sees("Łucja");
    await desk.close();
  });
}

test("a first opening loads less than 150 KiB", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  const session = await desk.page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await desk.reloads();
  await desk.isAt("sell.title");
  console.log(`first opening: ${(bytes / 1024).toFixed(1)} KiB`);
  assert.ok(bytes > 50_000 && bytes < 150 * 1024, `${bytes} bytes`);
  await desk.close();
});

test("many sales in one open page leave nothing behind", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  // Pressed from within: a handle on an element would keep it alive.
  const press = (selector) => eventually(selector, () => desk.page.evaluate((wanted) => {
    const button = document.querySelector(`${wanted}:not(:disabled)`);
    button?.click();
    return Boolean(button);
  }, selector));
  const one = async () => {
    for (const selector of ['[data-product="4001232100046"]', '[data-value="20.00"]', ".shelf + .basket .primary", ".take-form .basket .primary", ".ended-well .primary"]) await press(selector);
  };
  const held = async () => {
    const session = await desk.page.createCDPSession();
    await session.send("HeapProfiler.collectGarbage");
    const { Nodes, JSEventListeners } = await desk.page.metrics();
    await session.detach();
    return { nodes: Nodes, listeners: JSEventListeners };
  };
  for (let warm = 0; warm < 3; warm += 1) await one();
  const first = await held();
  for (let more = 0; more < 8; more += 1) await one();
  const last = await held();
  // Elements and listeners of eight more sales would be thousands.
  assert.ok(last.nodes < first.nodes + 300 && last.listeners < first.listeners + 60, JSON.stringify({ first, last }));
  const names = await desk.page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort());
  assert.deepEqual(names.filter((name) => name.includes("act.")), []);
  await desk.close();
});
