// The figures of the counter page, as README's table wants them. Times are taken within the page, from the moment that the browser gives
// the event or the navigation to the next frame that shows what comes of it, so that the driver's own time is not among them.

import { Desk, closeBrowser } from "./desk.js";
import { Shop, eventually } from "./shop.js";

const OPENINGS = 10;
/// Each sale is five clicks.
const CLICKED_SALES = 10;
const SALES = Number(process.env.SALES ?? 500);
/// Sales before memory is looked at: compiled code and caches are there then.
const WARM_SALES = 20;

const CARD = '[data-product="4001232100046"]';
const STEPS = [CARD, '[data-value="20.00"]', ".shelf + .basket .primary", ".take-form .basket .primary", ".ended-well .primary"];

const ms = (number) => `${number.toFixed(0)} ms`;
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
/// The value that so many of a hundred do not exceed.
const percentile = (numbers, part) => sorted(numbers)[Math.ceil((numbers.length * part) / 100) - 1];

/// In the page: when the first card could be chosen, since the navigation began.
function watchForUse() {
  const seen = () => {
    if (!document.querySelector(".tile:not(:disabled)")) return false;
    requestAnimationFrame(() => { window.usableAfter = performance.now(); });
    return true;
  };
  const observer = new MutationObserver(() => seen() && observer.disconnect());
  observer.observe(document, { subtree: true, childList: true });
}

/// In the page: for each click, how long until a frame shows another screen, or another basket.
function watchClicks() {
  window.clicks = [];
  let since = null;
  addEventListener("click", (event) => { since ??= event.timeStamp; }, true);
  new MutationObserver((changes) => {
    if (since === null || !changes.some(({ target }) => target.id === "main" || target.matches?.(".lines"))) return;
    const from = since;
    since = null;
    requestAnimationFrame(() => window.clicks.push(performance.now() - from));
  }).observe(document, { subtree: true, childList: true });
}

async function opening(shop) {
  const times = [];
  let bytes = 0;
  for (let at = 0; at < OPENINGS; at += 1) {
    const desk = await Desk.open(shop, { language: "de" });
    await desk.isAt("sell.title");
    const session = await desk.page.createCDPSession();
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    bytes = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
    await desk.page.evaluateOnNewDocument(watchForUse);
    await desk.reloads();
    times.push(await eventually("a card to choose", () => desk.page.evaluate(() => window.usableAfter)));
    await desk.close();
  }
  console.log(`bytes over the wire at the first opening: ${(bytes / 1024).toFixed(1)} KiB`);
  console.log(`usable after: ${sorted(times).map(ms).join(", ")}`);
}

async function clicks(shop) {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  await desk.page.evaluate(watchClicks);
  for (let at = 0; at < CLICKED_SALES; at += 1) for (const step of STEPS) await desk.click(step);
  await desk.isAt("sell.title");
  const times = await desk.page.evaluate(() => window.clicks);
  console.log(`a click to the next screen, ${times.length} clicks: p50 ${ms(percentile(times, 50))}, p95 ${ms(percentile(times, 95))}, longest ${ms(percentile(times, 100))}`);
  await desk.close();
}

async function memory(shop) {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  // Pressed from within: a handle on an element would keep it alive.
  const press = (selector) => eventually(selector, () => desk.page.evaluate((wanted) => {
    const button = document.querySelector(`${wanted}:not(:disabled)`);
    button?.click();
    return Boolean(button);
  }, selector));
  const sell = async (sales) => {
    for (let at = 0; at < sales; at += 1) for (const step of STEPS) await press(step);
  };
  const held = async (sales) => {
    const session = await desk.page.createCDPSession();
    // Twice: what the first one finalises is free for the second.
    for (let time = 0; time < 2; time += 1) await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    const { Nodes, JSEventListeners } = await desk.page.metrics();
    await session.detach();
    console.log(`after ${sales} sales in one open page: ${(usedSize / 1024 / 1024).toFixed(2)} MiB of JavaScript, ${Nodes} nodes, ${JSEventListeners} listeners`);
  };
  await sell(WARM_SALES);
  await held(WARM_SALES);
  const half = Math.floor(SALES / 2);
  await sell(half - WARM_SALES);
  await held(half);
  await sell(SALES - half);
  await held(SALES);
  await desk.close();
}

const shop = await Shop.open();
await shop.finperks.put("/balances/EUR", { available: "1000000.0" });
try {
  for (const measures of [opening, clicks, memory]) await measures(shop);
} finally {
  await closeBrowser();
  await shop.close();
}
