// The pictures on the tiles: there where the catalogue has them, a letter where it has none or one does not come, and nothing moves.

import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Desk, inShop, withProducts } from "./desk.js";
import { eventually } from "./shop.js";

/// The products of the country that have a picture, and one that has none.
const PICTURED = ["4001232232332", "4001232100015", "4001232100022", "4001232100039", "4001232100053"];
const PLAIN = "4001232100046";

let shop;
inShop(async (opened) => {
  shop = opened;
  await eventually("all pictures", async () => (await shop.ask("GET", "/v1/health")).body.products.pictures === PICTURED.length);
});

const kept = () => join(shop.folder, "journal", "pictures");

/// What stands on a tile: its letter, its picture as the browser has it, and where its text begins.
const seen = (desk, product) => desk.page.$eval(`[data-product="${product}"]`, (tile) => {
  const image = tile.querySelector("img");
  const box = tile.querySelector(".tile-mark").getBoundingClientRect();
  return {
    letter: tile.querySelector(".tile-mark").textContent,
    picture: image && { wide: image.naturalWidth, shown: getComputedStyle(image).opacity === "1", alt: image.getAttribute("alt"), path: image.getAttribute("src") },
    box: [box.width, box.height],
  };
});

const shows = (desk, product) => eventually(`a picture on ${product}`, async () => {
  await desk.page.bringToFront();
  const { picture } = await seen(desk, product);
  return picture?.shown && picture.wide > 0;
});

for (const [width, height, dark, language] of [[1366, 768, false, "de"], [1366, 768, true, "en"], [800, 1280, false, "en"], [1024, 768, true, "de"], [1920, 1080, false, "de"]]) {
  test(`a tile shows its brand's picture, or the letter where there is none, in the same box (${width}${dark ? ", dark" : ""})`, async () => {
    const desk = await Desk.open(shop, { width, height, dark, language });
    await desk.isAt("sell.title");
    for (const product of PICTURED) await shows(desk, product);
    const plain = await seen(desk, PLAIN);
    assert.deepEqual([plain.letter, plain.picture], ["S", null]);
    for (const product of PICTURED) {
      const { picture, box } = await seen(desk, product);
      assert.equal(picture.alt, "");
      assert.match(picture.path, /^\/v1\/products\/pictures\/[0-9a-f]{32}$/);
      assert.deepEqual(box, plain.box);
    }
    await desk.looks(`pictures-${width}${dark ? "-dark" : ""}`);
    await desk.close();
  });
}

test("a search draws the tiles anew and no picture is loaded twice", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  for (const product of PICTURED) await shows(desk, product);
  // The very elements: a new one of the same picture would be empty for a moment.
  await desk.page.evaluate(() => {
    window.before = new Set(document.querySelectorAll(".tile img"));
  });
  await desk.page.type("#search", "klang");
  await eventually("one tile", async () => (await desk.page.$$(".tile")).length === 1);
  assert.ok((await seen(desk, PICTURED[1])).picture.shown, "it never blinks");
  await desk.page.$eval("#search", (field) => {
    field.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  for (const product of PICTURED) assert.ok((await seen(desk, product)).picture.shown, product);
  assert.equal(await desk.page.evaluate(() => [...document.querySelectorAll(".tile img")].filter((image) => window.before.has(image)).length), PICTURED.length);
  await desk.close();
});

test("a picture that comes while the page is open is shown by itself, and one that goes leaves the letter", async () => {
  const desk = await Desk.open(shop, { language: "en" });
  await desk.isAt("sell.title");
  await shows(desk, PICTURED[0]);
  const { picture: before } = await seen(desk, PICTURED[0]);
  await shop.finperks.patch("/switches", { products: { [PICTURED[0]]: { picture: "none" }, [PLAIN]: { picture: "drawn" } } });
  await shop.ask("POST", "/v1/products/refresh");
  await shows(desk, PLAIN);
  assert.deepEqual(await eventually("the letter", async () => {
    const now = await seen(desk, PICTURED[0]);
    return now.picture === null && now.letter;
  }), "L");
  await shop.finperks.patch("/switches", { products: null });
  await shop.ask("POST", "/v1/products/refresh");
  await shows(desk, PICTURED[0]);
  assert.equal((await seen(desk, PICTURED[0])).picture.path, before.path, "the same picture has the same path");
  await desk.close();
});

test("products of one brand that share a picture each show it", async () => {
  const desk = await Desk.open(shop, {
    language: "en",
    before: withProducts(shop, (products) => {
      const { picture } = products.find(({ code }) => code === PICTURED[0]);
      for (const product of products) product.picture &&= picture;
    }),
  });
  await desk.isAt("sell.title");
  for (const product of PICTURED) await shows(desk, product);
  await desk.close();
});

test("a picture that does not come leaves the letter, also while the daemon has it", async () => {
  const desk = await Desk.open(shop, {
    language: "de",
    before: async (page) => {
      await page.setRequestInterception(true);
      page.on("request", (request) => (request.url().includes("/pictures/") ? request.abort() : request.continue()));
    },
  });
  await desk.isAt("sell.title");
  for (const product of PICTURED) {
    await eventually("the letter alone", async () => {
      const { picture, letter } = await seen(desk, product);
      return picture === null && letter.length === 1;
    });
  }
  await desk.close();
});

// The last one: it spoils what is kept.
test("a picture that cannot be loaded leaves the tile as it is without", async () => {
  for (const file of readdirSync(kept())) writeFileSync(join(kept(), file), "<html><script>alert(1)</script></html>");
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  for (const product of PICTURED) {
    await eventually("the letter alone", async () => {
      const { picture, letter } = await seen(desk, product);
      return picture === null && letter.length === 1;
    });
  }
  await desk.looks("pictures-none");
  await desk.close();
});
