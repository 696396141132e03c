// The manager at a screen: the PIN and its throttle, how a session ends, and that nothing of his is shown without it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, closeBrowser } from "./desk.js";
import { MANAGERS, PIN, Shop, eventually } from "./shop.js";

let shop;
before(async () => {
  shop = await Shop.open();
});
after(async () => {
  await closeBrowser();
  await shop.close();
});

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
  await desk.close();
  await real.close();
});

for (const language of ["de", "en"]) {
  test(`after five wrong PINs none is taken for a minute, and the page counts it down (${language})`, async () => {
    // Wrong PINs are counted until the daemon ends.
    await shop.crash();
    await shop.serve();
    const desk = await Desk.open(shop, { language, path: "/manager" });
    await desk.isAt("signin.title");
    for (let wrong = 1; wrong <= 6; wrong += 1) {
      await desk.page.type("#pin", "000000");
      await desk.page.keyboard.press("Enter");
      await desk.sees(wrong < 6 ? "problem.pin_wrong" : "problem.pin_paused");
      await eventually("the field is empty", () => desk.page.$eval("#pin", (field) => field.value === ""));
    }
    await desk.sees(desk.w("signin.paused", { left: "" }).slice(0, 20));
    const left = /(\d):(\d\d)/.exec(await desk.text('[role="timer"]'));
    assert.ok(left && Number(left[1]) * 60 + Number(left[2]) <= 60, left?.[0]);
    await desk.looks(`manager-paused-${language}`);
    // Not even the right one.
    await desk.page.type("#pin", PIN);
    assert.ok(await desk.page.$eval("form .primary", (button) => button.disabled));
    await desk.reloads();
    await desk.isAt("signin.title");
    await desk.page.type("#pin", PIN);
    await desk.page.keyboard.press("Enter");
    await desk.sees("problem.pin_paused");
    await desk.close();
  });
}
