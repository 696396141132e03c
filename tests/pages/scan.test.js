// Scanners that type: found by their speed, told from people, and led by what they read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isGtin, whatIs } from "../../src/pages/files/app/arrival.js";
import { Bursts } from "../../src/pages/files/app/scan.js";
import { Desk, inShop } from "./desk.js";
import { eventually } from "./shop.js";

/// What a run of keys is taken for: `[key, code, shift, ms since the key before, whether it is held down]`.
function read(keys) {
  const bursts = new Bursts();
  let at = 1000;
  let scan = null;
  for (const [key, code = "", shift = false, after = 10, repeat = false] of keys) {
    at += after;
    scan = bursts.key({ key, code, shift, at, repeat }).scan ?? scan;
  }
  return scan ?? bursts.silence();
}

const typed = (text, after, end = "Enter") => [...[...text].map((sign) => [sign, "", false, after]), ...(end ? [[end, end, false, after]] : [])];

test("what comes fast and ends is a scan; what a person types is not", () => {
  for (const [what, keys, expected] of [
    ["5 ms a key", typed("401200000011", 5), "401200000011"],
    ["40 ms a key", typed("401200000011", 40), "401200000011"],
    ["40 ms a key, late by 40", typed("401200000011", 80), "401200000011"],
    ["ended by Tab", typed("401200000011", 5, "Tab"), "401200000011"],
    ["ended twice, as by CR and LF", [...typed("401200000011", 5), ["Enter", "Enter", false, 5]], "401200000011"],
    ["not ended, long", typed("401200000011", 5, null), "401200000011"],
    ["not ended, short", typed("1234567", 5, null), null],
    ["a fast person: 130 ms a key", typed("401200000011", 130), null],
    ["four keys and Enter", typed("1234", 20), null],
    ["a link", typed("https://gift.example/v/gl-7hQ2", 5), "https://gift.example/v/gl-7hQ2"],
    ["with blanks", typed("4012 0000 0011", 5), "4012 0000 0011"],
    ["a late Enter is a person's", [...typed("401200", 5, null), ["Enter", "Enter", false, 400]], null],
    ["an arrow key ends a burst", [...typed("401200", 5, null), ["ArrowLeft", "ArrowLeft", false, 5], ...typed("34", 5)], null],
  ]) assert.equal(read(keys), expected, what);
});

test("the second end of a scan presses nothing, and a person's Enter after it does", () => {
  for (const [ends, after, tail] of [[["Enter", "Enter"], 5, true], [["Tab", "Enter"], 40, true], [["Enter", "Enter"], 300, undefined]]) {
    const bursts = new Bursts();
    let at = 1000;
    for (const sign of "401200000011") bursts.key({ key: sign, at: at += 5 });
    assert.equal(bursts.key({ key: ends[0], at: at += 5 }).scan, "401200000011");
    assert.equal(bursts.key({ key: ends[1], at: at + after }).tail, tail, `${ends} ${after}`);
    // Nor is one after another key.
    bursts.key({ key: "1", at: at + after });
    assert.equal(bursts.key({ key: "Enter", at: at + after }).tail, undefined);
  }
});

test("a scan that a busy machine delivers late is read as a whole, and no part of it as another code", () => {
  const bursts = new Bursts();
  let scan = null;
  [..."401200000011"].forEach((key, place) => {
    bursts.key({ key, at: 1000 + 5 * place });
    if (place === 2) scan = bursts.silence();
  });
  assert.equal(scan, null);
  assert.equal(bursts.key({ key: "Enter", at: 1060 }).scan, "401200000011");
});

test("a key that something lies on is no scan, and the scan after it is one", () => {
  const held = (times, end) => [["1", "Digit1", false, 500], ...Array(times - 1).fill(["1", "Digit1", false, 33, true]), ...(end ? [[end, end, false, 33]] : [])];
  for (const [what, keys, expected] of [
    ["as long as a voucher's code", held(12), null],
    ["for long", held(400), null],
    ["and Enter", held(12, "Enter"), null],
    ["and a scan at once", [...held(12), ...typed("401200000011", 5)], "401200000011"],
  ]) assert.equal(read(keys), expected, what);
});

test("digits are read by the place of their key where the layout makes something else of it", () => {
  const french = "&é\"'(-è_çà";
  const unshifted = [..."1234567890"].map((digit, place) => [french[place], `Digit${digit}`, false]);
  const shifted = [..."1234567890"].map((digit) => [digit, `Digit${digit}`, true]);
  for (const keys of [unshifted, shifted]) assert.equal(read([...keys, ["Enter", "Enter", false]]), "1234567890");
  // What is meant as a sign stays one.
  assert.equal(read([...typed("a&b=c", 5, null), ["&", "Digit7", true], ["Enter"]]), "a&b=c&");
});

test("a scan is led by what it is", () => {
  const products = [{ code: "4001232232332" }, { code: "012345678905" }];
  for (const [text, is] of [
    ["4001232232332", "product"],
    ["]E04001232232332", "product"],
    ["0012345678905", "product"],
    ["012345678905", "product"],
    ["4006381333931", "foreign_product"],
    ["96385074", "foreign_product"],
    ["4006381333932", "rack_card"],
    ["401200000011", "voucher"],
    ["4012 0000 0011", "voucher"],
    ["gl-7hQ2mZr50EURa1", "voucher"],
    ["https://gift.example/v/gl-7hQ2mZr50EURa1", "voucher"],
    ["6399990000123456789", "rack_card"],
    ["90766354171", "slip"],
    ["]C090766354171", "slip"],
    ["907 6635 4171", "slip"],
    ["90766354172", "rack_card"],
    ["80766354171", "rack_card"],
    ["907663541710", "voucher"],
  ]) assert.equal(whatIs(text, products).is, is, text);
  for (const [digits, good] of [["4006381333931", true], ["96385074", true], ["4006381333930", false]]) assert.equal(isGtin(digits), good, digits);
});

let shop;
inShop((opened) => { shop = opened; });

for (const [gap, language] of [[5, "de"], [40, "en"]]) {
  test(`a scan at ${gap} ms a key goes to its flow while a button has the focus, and presses nothing (${language})`, async () => {
    const desk = await Desk.open(shop, { language });
    await desk.isAt("sell.title");
    await desk.tabsTo('[data-product="4001232100046"]');
    await desk.scans("401200000029", { gap });
    await desk.isAt("redeem.title");
    await desk.press("redeem.aside");
    await desk.tabsTo('[data-tab="sell"]');
    await desk.page.keyboard.press("Enter");
    await desk.isAt("sell.title");
    await desk.tabsTo('[data-product="4001232100046"]');
    await desk.scans("4001232100015", { gap, end: "Tab" });
    await desk.sees("value.which");
    assert.equal(await desk.page.$eval("main h1", (heading) => heading.textContent), "Klangbude Musikkarte");
    await desk.close();
  });
}

test("a scan leaves nothing in the field that had the focus, and what was typed there before stays", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  await desk.tabsTo("#search");
  await desk.types("kla");
  await desk.scans("4001232100053");
  await desk.sees("problem.product_not_available");
  assert.equal(await desk.page.$eval("#search", (field) => field.value), "kla");
  await desk.scans("4006381333931");
  await desk.sees("problem.product_unknown");
  await desk.looks("scan-unknown-de");
  await desk.close();
});

test("a scan on the screen of a finished sale begins the next one", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  await desk.scans("4001232100046");
  await desk.click('[data-value="20.00"]');
  await desk.press("basket.sell.one", { n: 1 });
  await desk.has(".take");
  await desk.scans("4001232100046");
  await desk.sees("scan.busy");
  await desk.has(".take");
  await desk.looks("take-scan-en");
  await desk.pays();
  await desk.isAt("screen.done");
  await desk.scans("4001232100015");
  await desk.isAt("Klangbude Musikkarte");
  await desk.seesNot("scan.busy");
  await desk.close();
});

test("a key that is held down is taken for no voucher", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  const checks = [];
  desk.page.on("request", (request) => request.url().endsWith("/v1/vouchers/check") && checks.push(request.postData()));
  for (let times = 0; times < 12; times += 1) await desk.page.keyboard.down("1");
  await desk.page.keyboard.up("1");
  await desk.page.keyboard.press("Enter");
  await desk.isAt("sell.title");
  await desk.scans("401200000029");
  await desk.isAt("redeem.title");
  assert.deepEqual(checks.map((body) => JSON.parse(body).scan), ["401200000029"]);
  await desk.close();
});

test("a scan while the list of languages has the focus chooses no language", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  const chosen = () => desk.page.evaluate(() => [JSON.parse(localStorage.getItem("tilld.language")), document.querySelector("#language").value]);
  for (const token of ["fr7hQ2mZr50Ea1", "e7hQ2mZr50Ea1"]) {
    await desk.page.focus("#language");
    await desk.scans(token);
    await desk.sees("problem.voucher_not_found");
    assert.deepEqual(await chosen(), ["de", "de"], token);
  }
  // Chosen as somebody without a mouse does, it changes.
  await desk.page.focus("#language");
  await desk.page.keyboard.press("ArrowDown");
  await eventually("another language", async () => (await chosen())[0] === "en");
  await desk.close();
});
