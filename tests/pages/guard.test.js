// Whoever is not let in: foreign pages, other hosts, no token, a stolen cookie; and texts of others that would like to be markup.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { Desk, inShop, withProducts } from "./desk.js";
import { eventually } from "./shop.js";

let shop;
inShop((opened) => { shop = opened; });

/// A bare request, with any header that a browser would not let a page set.
function bare(method, path, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: shop.port, method, path, headers: { Host: `127.0.0.1:${shop.port}`, ...headers } }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

/// The cookie that a paired screen holds.
async function cookieOf(desk) {
  const [cookie] = (await desk.context.cookies()).filter(({ name }) => name.startsWith("tilld"));
  return cookie;
}

const SALE = JSON.stringify({ receipt: "EVIL1", cards: [{ product: "4001232232332", kind: "por", face_value: { amount: "50.00", currency: "EUR" } }] });

test("without a token or cookie, with another host, or from another origin, nothing is done", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  const cookie = await cookieOf(desk);
  assert.ok(cookie.httpOnly);
  assert.equal(cookie.sameSite, "Strict");
  const held = { Cookie: `${cookie.name}=${cookie.value}` };
  const acts = { "Content-Type": "application/json", "Idempotency-Key": "evil" };
  const own = `http://127.0.0.1:${shop.port}`;
  for (const [what, method, path, headers, status] of [
    ["nothing shown", "GET", "/v1/products", {}, 401],
    ["a made-up cookie", "GET", "/v1/products", { Cookie: `${cookie.name}=made.up` }, 401],
    ["the cookie reads", "GET", "/v1/products", held, 200],
    ["another host (rebinding)", "GET", "/v1/products", { ...held, Host: "evil.example" }, 421],
    ["another host for the page itself", "GET", "/", { Host: "evil.example" }, 421],
    ["the stolen cookie from another origin", "POST", "/v1/sales", { ...held, ...acts, Origin: "http://evil.example" }, 403],
    ["another port of this machine is another origin", "POST", "/v1/sales", { ...held, ...acts, Origin: "http://127.0.0.1:9" }, 403],
    ["the cookie without any origin", "POST", "/v1/sales", { ...held, ...acts }, 403],
    ["an origin of nothing", "POST", "/v1/sales", { ...held, ...acts, Origin: "null" }, 403],
    ["no cookie from the own origin", "POST", "/v1/sales", { ...acts, Origin: own }, 401],
    ["a cashier's cookie for what is a manager's", "POST", "/v1/pairing", { ...held, ...acts, Origin: own }, 403],
  ]) assert.equal(await bare(method, path, headers, method === "POST" ? SALE : undefined), status, what);
  assert.equal((await shop.ask("GET", "/v1/health")).body.open_sales, 0);
  await desk.close();
});

test("a foreign page in the same browser can neither act nor read", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  await desk.isAt("sell.title");
  const evil = http.createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<!doctype html><title>evil</title><body>evil"));
  await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const page = await desk.context.newPage();
  await page.goto(`http://127.0.0.1:${evil.address().port}/`);
  const came = await page.evaluate(async (door, sale) => {
    const tries = {};
    const tried = async (name, does) => {
      tries[name] = await does().then(String, () => "blocked");
    };
    await tried("read", async () => (await fetch(`${door}/v1/products`, { credentials: "include" })).status);
    await tried("act", async () => (await fetch(`${door}/v1/sales`, { method: "POST", credentials: "include", body: sale, headers: { "Content-Type": "application/json", "Idempotency-Key": "e" } })).status);
    await tried("act without asking", async () => (await fetch(`${door}/v1/sales`, { method: "POST", mode: "no-cors", credentials: "include", body: sale })).type);
    await tried("frame", () => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.src = `${door}/`;
      frame.onload = () => {
        try {
          resolve(frame.contentDocument === null ? "blocked" : frame.contentDocument.body.innerText);
        } catch {
          resolve("blocked");
        }
      };
      document.body.append(frame);
    }));
    return tries;
  }, shop.url, SALE);
  assert.deepEqual({ ...came, "act without asking": "" }, { read: "blocked", act: "blocked", "act without asking": "", frame: "blocked" });
  assert.equal((await shop.ask("GET", "/v1/health")).body.open_sales, 0);
  await page.close();
  evil.close();
  await desk.close();
});

const MARKUP = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';

test("script in a product's name, and markup in a guest's message, stay text", async () => {
  const desk = await Desk.open(shop, {
    language: "en",
    before: withProducts(shop, (products) => {
      products[0].name = MARKUP;
    }),
  });
  await desk.isAt("sell.title");
  await desk.sees(MARKUP);
  await desk.click('[data-product="4001232232332"]');
  await desk.sees(MARKUP);
  const voucher = await shop.giftLocal.post("/vouchers", { name: "evil", value: "5.00", currency: "EUR", terms: MARKUP });
  await desk.scans(voucher.code);
  await desk.isAt("redeem.title");
  await desk.sees(MARKUP);
  assert.equal(await desk.page.evaluate(() => window.hurt), undefined);
  assert.equal(await desk.page.$("img"), null);
  await desk.close();
});

test("the page keeps no code, and names none in an address", async () => {
  const desk = await Desk.open(shop, { language: "de" });
  const asked = [];
  desk.page.on("request", (request) => asked.push(request.url()));
  await desk.isAt("sell.title");
  await desk.click('[data-product="4001232100022"]');
  await desk.click('[data-value="10.00"]');
  await desk.scans("6399990000987654321");
  await desk.sees("•••• 4321");
  await desk.press("basket.sell.one", { n: 1 });
  await desk.has(".take");
  await desk.pays();
  await desk.isAt("screen.done");
  await desk.press("ended.next");
  const voucher = await shop.giftLocal.post("/vouchers", { name: "quiet", value: "5.00", currency: "EUR" });
  await desk.scans(voucher.code);
  await desk.isAt("redeem.title");
  await eventually("nothing is on its way", async () => true);
  const kept = await desk.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]));
  for (const code of ["6399990000987654321", voucher.code]) {
    assert.ok(!kept.includes(code), "kept or shown");
    assert.ok(!asked.some((url) => url.includes(code)), "in an address");
  }
  await desk.close();
});

test("a wrong pairing code is refused and says so", async () => {
  const desk = await Desk.open(shop, { language: "fr" });
  await desk.isAt("sell.title");
  await desk.context.deleteCookie(await cookieOf(desk));
  await desk.reloads();
  await desk.has("#pairing-code");
  await desk.looks("pairing-fr");
  await shop.pairingCode();
  await desk.types("00000000");
  await desk.page.keyboard.press("Enter");
  await desk.sees("problem.pairing_wrong");
  await desk.looks("pairing-wrong-fr");
  await desk.close();
});
