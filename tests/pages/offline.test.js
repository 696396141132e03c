// Where no gift card is sold: it is visibly off, says why, and comes back by itself; and the signs below, which say what is wrong with what.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk, PAYS, inShop, withAnswer } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; }, { tidies: true, spare: true });

test("no money is taken while this till's service is gone, and what was typed is still there when it is back", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.toTake();
  const pay = () => desk.text(".pay");
  const able = () => desk.page.$eval(PAYS, (button) => !button.disabled);
  await desk.types("60");
  // Without a provider the money had better wait; whoever has it already must be able to say so.
  await shop.finperks.every({ kind: "drop_request" });
  await shop.ask("POST", "/v1/products/refresh");
  await eventually("why no money is to be taken", async () => (await pay()).includes(desk.w("take.not_yet")));
  assert.match(await pay(), new RegExp(desk.w("off.provider.short")));
  assert.ok(await able());
  await shop.finperks.delete("/faults");
  await desk.press("off.try");
  await eventually("nothing hinders", async () => !(await pay()).includes(desk.w("take.not_yet")));
  await shop.crash();
  await eventually("it is off", async () => !(await able()));
  assert.ok((await pay()).includes(desk.w("off.unreached.short")) && (await pay()).includes(desk.w("take.not_yet")), await pay());
  await desk.looks("take-unreached-de");
  await shop.serve();
  await eventually("it is on again", able);
  await desk.vanishes("take.not_yet");
  assert.equal(await desk.page.$eval("#amount", (field) => field.value), "60");
  await desk.press("take.cash_paid");
  await desk.isAt("screen.done");
  await desk.close();
});

for (const language of ["de", "fr"]) {
  test(`a provider that refuses the shop is told from a line that is down (${language})`, async () => {
    const desk = await Desk.open(shop, { language, dark: true });
    await desk.isAt("sell.title");
    await shop.finperks.every({ kind: "refuse", code: "invalid_signature", status: 401 });
    await shop.ask("POST", "/v1/products/refresh");
    await desk.sees("problem.provider_not_authenticated");
    await desk.sees("off.refused.short");
    await desk.sees("status.provider_refused");
    await desk.seesNot("off.provider.short");
    await desk.hears("problem.provider_not_authenticated", {}, true);
    await desk.looks(`off-refused-${language}-dark`);
    await shop.finperks.delete("/faults");
    await desk.press("off.try");
    await desk.vanishes("off.refused.short");
    await desk.close();
  });
}

const JOURNAL = "The disk is full. Make room, then start the daemon again.";
const STUCK = "Vouchers are not set up any more, and redemptions are open.";

for (const [path, shows] of [["/", false], ["/manager", true]]) {
  test(`what else hinders has its words${shows ? ", and the daemon's own reason for the manager" : ""} (${path})`, async () => {
    let now = () => {};
    const desk = await Desk.open(shop, { language: "de", path, dark: true, before: withAnswer(shop, "/v1/health", (health) => now(health)) });
    const own = async (words) => assert.equal((await desk.text()).includes(words), shows, words);
    for (const [name, change, keys, check] of [
      ["journal", (health) => Object.assign(health, { sells: false, hindrance: JOURNAL, journal: { ...health.journal, writes: false, trouble: JOURNAL } }),
        [["off.journal.short"], ["status.journal"]], () => own(JOURNAL)],
      ["products", (health) => Object.assign(health, { sells: false, hindrance: "none yet", products: { ...health.products, count: 0 } }), [["off.products.short"]], () => own("none yet")],
      ["signs", (health) => Object.assign(health, { owed: 2, vouchers: { up: false, at: health.provider.at }, clock: { right: true, offset_ms: 75_000 } }),
        [["status.owed.other", { n: 2 }], ["status.vouchers_down"], ["status.clock_drifts", { seconds: 75 }]], () => {}],
      ["vouchers", (health) => Object.assign(health, { vouchers_trouble: STUCK, vouchers: { up: false, refused: "blocked", trouble: "blocked", at: health.provider.at } }),
        [["status.vouchers_trouble"], ["problem.blocked"]], () => own(STUCK)],
    ]) {
      now = change;
      await desk.reloads();
      for (const [key, values] of keys) await desk.sees(key, values);
      await check();
      await desk.looks(`off-${name}${shows ? "-manager" : ""}-dark`);
    }
    await desk.close();
  });
}

test("of two printers the one that runs low is named, and the other one is not", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  // Until something is printed, or listened to, nothing is known of the roll.
  await shop.ask("POST", "/v1/devices/slip/test");
  await shop.ask("POST", "/v1/devices/spare/test");
  const signs = () => desk.page.$$eval(".sign", (all) => all.map((one) => one.innerText.trim()).filter((words) => /rinter/.test(words)));
  const shown = (first, second) => eventually(`${first}, ${second}`, async () => {
    const [one, two, ...more] = await signs();
    return more.length === 0 && one === `${desk.w("device.printer")}: ${desk.w(first)}` && two === `${desk.w("device.spare")}: ${desk.w(second)}`;
  }).catch(async (why) => assert.fail(`${why.message}; the signs are: ${await signs()}`));
  await shown("status.ready", "status.ready");
  shop.printer.low(true);
  await shown("status.paper_low", "status.ready");
  await desk.looks("two-printers-en");
  shop.spare.low(true);
  shop.printer.low(false);
  await shown("status.ready", "status.paper_low");
  await desk.close();
});
