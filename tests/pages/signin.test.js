// The manager at a screen: the PIN and its throttle, how a session ends, and that nothing of his is shown without it.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Desk, inShop } from "./desk.js";
import { MANAGERS, PIN, Shop, eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

test("a manager signs in by name and PIN, begins at the open cases, and signs out", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await desk.isAt("signin.title");
  await desk.sees("frame.sandbox");
  await desk.looks("manager-signin-de");
  await desk.signsIn("Ada Berg");
  await desk.isAt("open.title");
  await desk.sees("open.none");
  await desk.looks("manager-cases-none-de");
  await desk.reloads();
  await desk.isAt("open.title");
  await desk.press("signin.out");
  await desk.isAt("signin.title");
  await desk.sees("parted.left");
  await desk.reloads();
  await desk.isAt("signin.title");
  assert.equal(await desk.page.$(".tab"), null);
  await desk.close();
});

test("the counter page leads to the manager's, and back", async () => {
  const desk = await Desk.open(shop, { language: "fr" });
  await desk.isAt("sell.title");
  await desk.click("#office");
  await desk.isAt("signin.title");
  await desk.click("#counter");
  await desk.isAt("sell.title");
  await desk.close();
});

test("what names the parts of the page follows the till's language, and the one that is chosen", async () => {
  // A browser that speaks English, at a till that speaks German, on a screen where nobody has chosen yet.
  const desk = await Desk.open(shop, { language: "de", path: "/manager", before: (page) => page.evaluateOnNewDocument(() => localStorage.removeItem("tilld.language")) });
  await desk.signsIn();
  const named = () => desk.page.$$eval("nav, body > section, footer > ul, #language", (parts) => parts.map((part) => part.getAttribute("aria-label")));
  const words = (table) => ["frame.tabs", "frame.banner", "troubles.title", "signin.session", "signin.session", "frame.status", "frame.language"].map((key) => table[key]).sort();
  const french = JSON.parse(readFileSync(new URL("../../src/pages/files/words/fr.json", import.meta.url)));
  assert.deepEqual((await named()).sort(), words(desk.words));
  await desk.page.select("#language", "fr");
  await eventually("the screen in French", async () => (await desk.text("main h1")) === french["open.title"]);
  assert.deepEqual((await named()).sort(), words(french));
  await desk.close();
});

for (const language of ["de", "en"]) {
  test(`what the daemon itself says of a trouble is read by the manager in whatever language the page speaks (${language})`, async () => {
    let trouble = null;
    const desk = await Desk.open(shop, { language, path: "/manager", dark: true, before: async (page) => {
      await page.setRequestInterception(true);
      page.on("request", async (request) => {
        if (trouble === null || new URL(request.url()).pathname !== "/v1/health") return request.continue();
        const { body: told } = await shop.ask("GET", "/v1/health");
        return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(trouble(told)) });
      });
    } });
    await desk.signsIn();
    assert.equal(await desk.page.$(".troubles:not([hidden])"), null);
    const refused = (told, code) => ({ ...told, up: false, refused: code, trouble: `Compare this with the contract: ${code}.`, at: "2026-11-22T10:00:00Z" });
    for (const [name, change, reads] of [
      ["journal", (told) => ({ ...told, sells: false, hindrance: "The disk is full.", journal: { writes: false, trouble: "The disk is full: make room on it.", set_aside: 0 } }),
        ["off.journal.short", "The disk is full: make room on it."]],
      ["provider", (told) => ({ ...told, provider: refused(told.provider, "provider_not_authenticated"), vouchers: refused(told.vouchers, "scope_missing") }),
        ["problem.provider_not_authenticated", "Compare this with the contract: provider_not_authenticated.", "troubles.vouchers", "Compare this with the contract: scope_missing."]],
      ["vouchers", (told) => ({ ...told, vouchers_trouble: "Their provider is not set up any more.", journal: { writes: true, set_aside: 2 } }),
        ["troubles.still", "Their provider is not set up any more.", desk.w("troubles.set_aside.other", { n: 2 })]],
    ]) {
      trouble = change;
      await desk.reloads();
      for (const words of reads) await desk.sees(words);
      // Somebody who hears the page hears that in English.
      assert.ok((await desk.page.$$eval(".own", (all) => all.map(({ lang }) => lang))).every((lang) => lang === "en"));
      await desk.looks(`manager-trouble-${name}-${language}`);
    }
    trouble = (told) => told;
    await desk.reloads();
    await desk.isAt("open.title");
    assert.equal(await desk.page.$(".troubles:not([hidden])"), null);
    await desk.close();
  });
}

test("a session that ended by itself is told a minute before and afterwards, and the place on the page stays", async () => {
  let short = null;
  const desk = await Desk.open(shop, {
    language: "en", path: "/manager",
    before: async (page) => {
      // The ten minutes are a constant of the daemon; what it says of them is shortened on the way.
      await page.setRequestInterception(true);
      page.on("request", async (request) => {
        if (short === null || request.method() !== "GET" || !request.url().endsWith("/v1/session")) return request.continue();
        const cookies = (await page.browserContext().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
        const told = await (await fetch(request.url(), { headers: { Cookie: cookies } })).json();
        if (told.manager) told.manager.ends_in_s = short;
        return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(told) });
      });
    },
  });
  await desk.signsIn();
  await desk.click('[data-tab="devices"]');
  await desk.isAt("devices.title");
  short = 50;
  await desk.reloads();
  await desk.sees("signin.ending");
  await desk.looks("manager-session-ending-en");
  await desk.press("signin.stay");
  short = 2;
  await desk.reloads();
  await desk.isAt("devices.title");
  await desk.endsSession();
  await desk.isAt("signin.title");
  await desk.sees("parted.idle");
  await desk.looks("manager-signed-out-en");
  short = null;
  await desk.signsIn();
  await desk.isAt("devices.title");
  await desk.close();
});

test("what a manager asks for after his session has ended leads to the PIN, and shows nothing", async () => {
  const desk = await Desk.open(shop, { language: "de", path: "/manager" });
  await desk.signsIn();
  await desk.endsSession();
  await desk.click('[data-tab="journal"]');
  await desk.isAt("signin.title");
  await desk.sees("parted.idle");
  assert.equal(await desk.page.$("table"), null);
  await desk.close();
});

for (const [typed, tapped] of [["en", "fr"], ["de", "en"]]) {
  test(`a manager signs in with the keyboard alone (${typed}), and with the finger alone (${tapped})`, async () => {
    const keys = await Desk.open(shop, { language: typed, path: "/manager" });
    await keys.isAt("signin.title");
    await keys.tabsTo("#pin");
    await keys.types(PIN);
    await keys.page.keyboard.press("Enter");
    await keys.isAt("open.title");
    await keys.close();
    const finger = await Desk.open(shop, { language: tapped, path: "/manager", touch: true, width: 800, height: 1280 });
    await finger.isAt("signin.title");
    await finger.tap(MANAGERS[1]);
    for (const digit of PIN) await (await finger.has(`[data-key="${digit}"]`)).tap();
    await finger.looks(`manager-signin-${tapped}-800`);
    await finger.tap("signin.in");
    await finger.isAt("open.title");
    await finger.close();
  });
}

test("where no manager has a PIN the page says how one gets one", async () => {
  const bare = await Shop.open({ managers: [] });
  const desk = await Desk.open(bare, { language: "en", path: "/manager" });
  await desk.isAt("signin.title");
  await desk.sees("signin.nobody");
  await desk.looks("manager-nobody-en");
  await desk.close();
  await bare.close();
});

test("what is no play says so on every screen, and never that it is play", async () => {
  const real = await Shop.open({ live: true });
  const desk = await Desk.open(real, { language: "de", path: "/manager" });
  await desk.isAt("signin.title");
  await desk.sees("frame.live");
  await desk.signsIn();
  for (const tab of ["cases", "journal", "day", "devices", "products"]) {
    await desk.click(`[data-tab="${tab}"]`);
    await desk.sees("frame.live");
    await desk.seesNot("frame.sandbox");
  }
  await desk.looks("manager-live-de");
  // Cards are sold for money, and vouchers are play: each says its own.
  await real.crash();
  writeFileSync(real.config, readFileSync(real.config, "utf8").replace("sandbox  = false\n", ""));
  await real.serve();
  await desk.sees("frame.sandbox_of", { provider: "giftlocal" });
  await desk.sees("frame.live_of", { provider: "finperks" });
  await desk.isAt("signin.title");
  await desk.looks("manager-half-live-de");
  await desk.close();
  await real.close();
});

for (const language of ["de", "en"]) {
  test(`after five wrong PINs none is taken for a minute, and the page counts it down (${language})`, async () => {
    // Wrong PINs are counted until the daemon ends.
    await shop.crash();
    await shop.serve();
    const desk = await Desk.open(shop, { language, path: "/manager", dark: language === "de" });
    await desk.isAt("signin.title");
    await desk.looks(`manager-signin-${language}${language === "de" ? "-dark" : ""}`);
    for (let wrong = 1; wrong <= 6; wrong += 1) {
      await desk.fills("#pin", "000000");
      await desk.page.keyboard.press("Enter");
      await desk.sees(wrong < 6 ? "problem.pin_wrong" : "problem.pin_paused");
      await eventually("the field is empty", () => desk.page.$eval("#pin", (field) => field.value === ""));
    }
    await desk.sees(desk.w("signin.paused", { left: "" }).slice(0, 20));
    const left = /(\d):(\d\d)/.exec(await desk.text('[role="timer"]'));
    assert.ok(left && Number(left[1]) * 60 + Number(left[2]) <= 60, left?.[0]);
    // What went wrong stands beside the keys, not beneath them.
    const [{ right }, { left: keys }] = await desk.page.$$eval(".alarm, #pin", (both) => both.map((one) => one.getBoundingClientRect().toJSON()));
    assert.ok(right <= keys, `${right} ${keys}`);
    await desk.looks(`manager-paused-${language}`);
    // Not even the right one.
    await desk.fills("#pin", PIN);
    assert.ok(await desk.page.$eval("form .primary", (button) => button.disabled));
    await desk.reloads();
    await desk.isAt("signin.title");
    await desk.fills("#pin", PIN);
    await desk.page.keyboard.press("Enter");
    await desk.sees("problem.pin_paused");
    await desk.close();
  });
}
