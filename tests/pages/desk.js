// A cashier's screen: a page in a headless browser, used as a person uses it: by words on buttons, by keys, by fingers, by a scanner.
//
// Every page is watched: an error on its console, an exception, a request that fails and a breach of its policy fail the test that opened
// it. What the daemon refuses (an answer of the API with 4xx or 5xx) is no error of the page.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { MANAGERS, PATIENCE_MS, PIN, Shop, eventually } from "./shop.js";

const require = createRequire(join(process.env.NODE_PATH ?? "/", "here.js"));
const puppeteer = require("puppeteer-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const WORDS = new URL("../../src/pages/files/words/", import.meta.url);
export const PICTURES = new URL("../../target/pages/", import.meta.url).pathname;

/// WCAG 2.2 AA, and what the checker holds to be good practice.
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

let browser = null;

async function opened() {
  browser ??= await puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    // The headless shell: the same engine without the windows around it, which the tests pay for and nobody sees.
    headless: "shell",
    // Root has no sandbox to put the browser into; nothing but the daemon's own pages is opened.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-GB", "--force-color-profile=srgb"],
  });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = null;
}

/// The tile of the card that is printed, and the button that says that the money was taken.
export const POR = '[data-product="4001232232332"]';
export const PAYS = ".take-form .basket .primary";

/// The shop of a file's tests: open before the first of them, closed with the browser after the last. `use(shop)`: what is made of it first.
/// `tidies`: each test leaves nothing open. The rest is `Shop.open`'s.
export function inShop(use, { tidies = false, ...options } = {}) {
  let shop;
  before(async () => {
    shop = await Shop.open(options);
    await use(shop);
  });
  if (tidies) afterEach(() => shop.tidy());
  after(async () => {
    await closeBrowser();
    await shop?.close();
  });
}

export class Desk {
  /// Opens the counter page, pairs it, and waits for its first screen. `beside`: a desk whose browser profile it shares. `chosen`: the language
  /// is chosen on this screen already; else it speaks the browser's (English), and then the till's.
  static async open(shop, { language = "de", width = 1366, height = 768, dark = false, touch = false, beside, path = "/", before, chosen = true } = {}) {
    const desk = new Desk();
    Object.assign(desk, { shop, language, touch, troubles: [], words: JSON.parse(readFileSync(new URL(`${language}.json`, WORDS))) });
    desk.context = beside?.context ?? await (await opened()).createBrowserContext();
    desk.shares = Boolean(beside);
    const page = await desk.context.newPage();
    desk.page = page;
    page.setDefaultNavigationTimeout(PATIENCE_MS);
    await page.setViewport({ width, height, hasTouch: touch });
    await desk.turns(dark);
    await page.evaluateOnNewDocument((code) => {
      if (code !== null && localStorage.getItem("tilld.language") === null) localStorage.setItem("tilld.language", JSON.stringify(code));
      window.breaches = [];
      addEventListener("securitypolicyviolation", (event) => window.breaches.push(`${event.violatedDirective} ${event.blockedURI}`));
      // What a screen reader would speak, in its order.
      window.spoken = [];
      new MutationObserver((changes) => {
        const voices = new Set(changes.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(".unseen[aria-live]")));
        for (const voice of voices) if (voice?.textContent) window.spoken.push(`${voice.getAttribute("role")}: ${voice.textContent.replace(/[\u00a0\u202f]/g, " ").trim()}`);
      }).observe(document, { subtree: true, childList: true, characterData: true });
    }, chosen ? language : null);
    page.on("pageerror", (error) => desk.troubles.push(`exception: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !desk.#refusedByTheApi(message)) desk.troubles.push(`console: ${message.text()} ${message.location().url ?? ""}`);
    });
    if (before) await before(page);
    await page.goto(shop.url + path);
    if (!desk.shares) await desk.#pair();
    return desk;
  }

  /// Turns the page dark, or light again.
  turns(dark) {
    return this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }, { name: "prefers-reduced-motion", value: "reduce" }]);
  }

  #refusedByTheApi(message) {
    const { url = "" } = message.location();
    return /Failed to load resource|net::ERR_/.test(message.text()) && new URL(url, "http://x").pathname.startsWith("/v1/");
  }

  async #pair() {
    await this.has("#pairing-code");
    const code = await this.shop.pairingCode();
    if (this.touch) {
      for (const digit of code.replace(/\D/g, "")) await (await this.has(`[data-key="${digit}"]`)).tap();
      await (await this.has("form .primary")).tap();
    } else {
      await this.page.type("#pairing-code", code);
      await this.page.keyboard.press("Enter");
    }
    await eventually("the screen is paired", async () => (await this.page.$("#pairing-code")) === null);
  }

  /// Waits for an element. (Not by frames: a page in the background draws none.)
  has(selector) {
    // Looking is cheap, taking hold of it is not.
    const there = () => this.page.evaluate((selector) => document.querySelector(selector) !== null, selector);
    return eventually(selector, async () => (await there()) && this.page.$(selector)).catch(async (why) => {
      throw new Error(`${why.message}; the page shows: ${await this.text()} ${this.troubles.join("; ")}`);
    });
  }

  w(key, values = {}) {
    assert.ok(key in this.words, `no words: ${key}`);
    return this.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? `{${name}}`);
  }

  /// Words by their key, or as they stand, as [`Desk.text`] has them: a blank that does not break is a blank.
  #shown(key, values) {
    return (key in this.words ? this.w(key, values) : key).replace(/[\u00a0\u202f]/g, " ");
  }

  /// The text of the page as it is shown.
  async text(selector = "body") {
    const text = await this.page.evaluate((selector) => document.querySelector(selector).innerText, selector);
    return text.replace(/[\u00a0\u202f]/g, " ");
  }

  /// Waits until the page shows these words (a key, or words as they stand).
  async sees(key, values) {
    const wanted = this.#shown(key, values);
    try {
      await eventually(`“${wanted}”`, async () => (await this.text()).includes(wanted));
    } catch (why) {
      throw new Error(`${why.message}; the page shows: ${await this.text()} ${this.troubles.join("; ")}`);
    }
  }

  /// Waits until these words were spoken: `urgent` as an alert, else as a status.
  async hears(key, values = {}, urgent = false) {
    const wanted = this.#shown(key, values);
    const role = urgent ? "alert" : "status";
    const heard = () => this.page.evaluate(() => window.spoken);
    await eventually(`“${wanted}” is spoken`, async () => (await heard()).some((one) => one.startsWith(`${role}: `) && one.includes(wanted))).catch(async (why) => {
      throw new Error(`${why.message}; spoken were: ${(await heard()).join(" | ")}`);
    });
  }

  async seesNot(key, values) {
    const wanted = this.#shown(key, values);
    assert.ok(!(await this.text()).includes(wanted), `the page shows “${wanted}”`);
  }

  /// Waits until the page shows these words no longer.
  vanishes(key, values) {
    assert.ok(key in this.words, `no words: ${key}`);
    const wanted = this.#shown(key, values);
    return eventually(`“${wanted}” gone`, async () => !(await this.text()).includes(wanted));
  }

  /// The heading of the screen.
  async isAt(key, values) {
    const wanted = this.#shown(key, values);
    await eventually(`the screen “${wanted}”`, async () => (await this.text("main h1")) === wanted).catch(async (why) => {
      throw new Error(`${why.message}; the screen is: ${await this.text("main")} ${this.troubles.join("; ")}`);
    });
  }

  /// The heading of the screen, and no other for half a second.
  async stays(key, values) {
    await this.isAt(key, values);
    const wanted = this.#shown(key, values);
    for (let looks = 0; looks < 10; looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await this.text("main h1"), wanted);
    }
  }

  /// The button with these words, once it can be pressed.
  async button(key, values) {
    const wanted = this.#shown(key, values);
    return eventually(`a button “${wanted}” to press`, async () => {
      const find = (words) => [...document.querySelectorAll("button, a.button")].find((button) =>
        !button.disabled && button.getAttribute("aria-disabled") !== "true" && button.checkVisibility() && [button.innerText, button.getAttribute("aria-label")].some((text) => text?.replace(/[\u00a0\u202f]/g, " ").trim() === words));
      const there = await this.page.evaluate(`(${find})(${JSON.stringify(wanted)}) !== undefined`);
      return there && (await this.page.evaluateHandle(find, wanted)).asElement();
    }).catch(async (why) => {
      throw new Error(`${why.message}; the page shows: ${await this.text()} ${this.troubles.join("; ")}`);
    });
  }

  async press(key, values) {
    await this.#hits(key, values, (button) => button.click());
  }

  async tap(key, values) {
    await this.#hits(key, values, (button) => button.tap());
  }

  /// A button that is drawn anew under the finger is looked for again; one that was hit is hit once.
  async #hits(key, values, hit) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await hit(await this.button(key, values));
      } catch (why) {
        if (tries === 5 || !/detached|not clickable/.test(why.message)) throw why;
      }
    }
  }

  async click(selector) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await (await this.has(`${selector}:not(:disabled)`)).click();
      } catch (why) {
        if (tries === 5 || !/detached|not clickable/.test(why.message)) throw why;
      }
    }
  }

  /// Begins the sale of a printed card of so many euro, up to where its money is taken.
  async toTake(value = "50") {
    await this.isAt("sell.title");
    await this.click(POR);
    await this.fills("#amount", value);
    await this.page.keyboard.press("Enter");
    await this.press("basket.sell.one", { n: 1 });
    await this.has(".take");
  }

  /// The money was taken, as the screen has it.
  pays() {
    return this.click(PAYS);
  }

  /// Signs a manager in.
  async signsIn(name = MANAGERS[0], pin = PIN) {
    await this.isAt("signin.title");
    await this.click(`[data-name="${name}"]`);
    await this.fills("#pin", pin);
    await this.page.keyboard.press("Enter");
    await this.has("#sign-out");
  }

  /// Ends the manager's session of this screen from elsewhere, as its own page would.
  async endsSession() {
    const [cookie] = (await this.context.cookies()).filter(({ name }) => name.startsWith("tilld"));
    const answer = await fetch(`${this.shop.url}/v1/session/manager`, { method: "DELETE", headers: { Cookie: `${cookie.name}=${cookie.value}`, Origin: this.shop.url } });
    assert.equal(answer.status, 204);
  }

  /// Writes into a field at once and without a key, as if pasted: keys without pauses would be a scan.
  async fills(selector, text) {
    const field = await this.has(selector);
    await field.focus();
    await this.page.keyboard.sendCharacter(text);
  }

  /// Types as a person does: with pauses that no scanner has.
  async types(text) {
    for (const sign of text) {
      if (/[\x20-\x7e]/.test(sign)) await this.page.keyboard.press(sign);
      else await this.page.keyboard.sendCharacter(sign);
      await pause(100);
    }
  }

  /// Goes with the Tab key until this has the focus, as somebody without a mouse does.
  async tabsTo(selector) {
    for (let stop = 0; stop < 60; stop += 1) {
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
      await this.page.keyboard.press("Tab");
    }
    assert.fail(`no way to ${selector} with the Tab key`);
  }

  /// A scanner that types, so many ms a key.
  async scans(text, { gap = 5, end = "Enter" } = {}) {
    // Each key carries its own moment, so that the pace is the scanner's and not that of a busy machine.
    const session = await this.page.createCDPSession();
    const keys = [...text].map((sign) => keyOf(sign));
    if (end) keys.push({ key: end, code: end, windowsVirtualKeyCode: end === "Tab" ? 9 : 13, text: end === "Enter" ? "\r" : "" });
    let timestamp = Date.now() / 1000;
    // Nothing is waited for in between: a pause of this driver would be one of the scanner.
    const sent = keys.flatMap((key) => {
      const down = session.send("Input.dispatchKeyEvent", { type: "keyDown", ...key, timestamp });
      const up = session.send("Input.dispatchKeyEvent", { type: "keyUp", ...key, text: "", timestamp: timestamp + gap / 2000 });
      timestamp += gap / 1000;
      return [down, up];
    });
    await Promise.all(sent);
    // What is pressed next comes after it, also by the moments that the keys carry.
    await pause(Math.max(0, 1000 * timestamp - Date.now()));
    await session.detach();
  }

  /// Waits until nothing is drawn any more, takes the picture, and lets the checker look at it.
  async looks(name) {
    await this.page.bringToFront();
    await this.page.evaluate(() => document.fonts.ready.then(() => null));
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: false });
    await this.checks(name);
  }

  async checks(name) {
    if (!(await this.page.evaluate("Boolean(window.axe)"))) await this.page.evaluate(AXE);
    const found = await this.page.evaluate((rules) => window.axe.run(document, { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] }), RULES);
    const said = found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`);
    const small = await this.page.evaluate(() => [...document.querySelectorAll("button, input, select, a[href]")]
      .filter((one) => one.checkVisibility() && one.type !== "checkbox").map((one) => ({ box: one.getBoundingClientRect(), html: one.outerHTML.slice(0, 120) }))
      .filter(({ box }) => box.width < 48 || box.height < 48).map(({ html, box }) => `${Math.round(box.width)} × ${Math.round(box.height)}: ${html}`));
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.deepEqual([...said, ...small, ...(wide > 0 ? [`${wide} px too wide`] : [])], [], name);
  }

  /// The rows of the slips that are shown, as those hear them who do not see them.
  async slips() {
    await eventually("a slip", () => this.page.$(".slip-paper"));
    return this.page.$$eval(".slip:has(.slip-paper)", (slips) => slips.map((slip) => [...slip.querySelectorAll(".unseen p")].map((row) => row.textContent)));
  }

  /// No tab, no Escape key and no reload leads past a question.
  async noWayRound(title) {
    assert.equal(await this.page.$$eval(".tab:not(:disabled), .chip:not(:disabled)", (ways) => ways.length), 0);
    await this.page.keyboard.press("Escape");
    await this.isAt(title);
    await this.reloads();
    await this.isAt(title);
  }

  /// Loads the page again, as the F5 key does.
  async reloads() {
    await this.page.reload();
  }

  /// Closes it; everything that it complained of fails.
  async close() {
    const breaches = await this.page.evaluate(() => window.breaches).catch(() => []);
    if (this.shares) await this.page.close();
    else await this.context.close();
    assert.deepEqual([...this.troubles, ...(breaches ?? []).map((breach) => `policy: ${breach}`)], []);
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function keyOf(sign) {
  const code = /\d/.test(sign) ? `Digit${sign}` : /[a-z]/i.test(sign) ? `Key${sign.toUpperCase()}` : sign === " " ? "Space" : "";
  const shift = /[A-Z]/.test(sign) ? 8 : 0;
  return { key: sign, code, text: sign, modifiers: shift, windowsVirtualKeyCode: sign.toUpperCase().charCodeAt(0) };
}

/// What goes `before` a page that is to read what the daemon answers at a path with something changed about it.
export const withAnswer = (shop, path, change) => async (page) => {
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    if (new URL(request.url()).pathname !== path) return request.continue();
    const { body } = await shop.ask("GET", path);
    change(body);
    await request.respond({ status: 200, contentType: "application/json", body: JSON.stringify(body) });
  });
};

/// The same of its products.
export const withProducts = (shop, change) => withAnswer(shop, "/v1/products", ({ products }) => change(products));
