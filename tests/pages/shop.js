// A shop for the pages' tests: the simulated providers (`tilld sandbox`), a printer, a folder, and the shipped program, which can be killed
// and started again on what it left behind. Everything listens on free ports of loopback, and ends with the tests.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Printer } from "./printer.js";

const PROGRAM = process.env.TILLD;
/// Who may sign in as manager, and the PIN of each.
export const MANAGERS = ["M. Weber", "Ada Berg"];
/// A product that the provider never takes back.
export const KEPT = { product: "4001232100046", amount: "20.00" };
export const PIN = "135790";
/// What `tilld pin` makes of it.
const PIN_HASH = "$argon2id$v=19$m=19456,t=2,p=1$5UVUJ/f3coA+6FAskBDFlg$FsMXgJV/97yR7moX0HW6RcclKKPWmZWjRUJWyS0W0hI";
/// How long a proof waits for what must come; it is only ever waited for when something is wrong.
export const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 30_000);

/// Asks again and again until there is something, or patience ends.
export async function eventually(what, asks) {
  const end = Date.now() + PATIENCE_MS;
  let why;
  for (let tries = 0; Date.now() < end; tries += 1) {
    try {
      const found = await asks();
      if (found) return found;
    } catch (error) {
      why = error;
    }
    // What takes long is asked about seldom: each question costs the page that is asked about.
    await new Promise((resolve) => setTimeout(resolve, Math.min(20 + 5 * tries, 100)));
  }
  throw new Error(`never came: ${what}${why ? ` (${why.message})` : ""}`);
}

const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/// Starts the program; `ready(text)` finds in what it says that it is up.
async function start(args, ready, env = {}) {
  const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  running.add(child);
  let said = "";
  const ended = new Promise((resolve) => child.once("exit", () => {
    running.delete(child);
    resolve();
  }));
  const up = new Promise((resolve, reject) => {
    const hear = (bytes) => {
      said = (said + bytes).slice(-200_000);
      const found = ready(said);
      if (found) resolve(found);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then(() => reject(new Error(`tilld ${args[0]} ended: ${said}`)));
  });
  return { child, ended, found: await up };
}

/// How many ports a file of tests has for itself.
const PART = 100;
let part = null;

/// A part of the ports that no other file of tests looks into (each is a process of its own): held by a folder that only one can make.
function ownPart() {
  for (let tried = 0; tried < 200; tried += 1) {
    const number = (process.pid + tried) % 200;
    const held = join(tmpdir(), `tilld-pages-ports-${number}`);
    try {
      mkdirSync(held);
    } catch (why) {
      // Left behind by one that was killed: no test runs for an hour.
      if (Date.now() - (statSync(held, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 3_600_000) continue;
    }
    process.on("exit", () => rmSync(held, { recursive: true, force: true }));
    return number;
  }
  throw new Error("no part of the ports is free");
}

/// A port that stays free while the daemon is down: below those that the system gives out itself.
async function freePort() {
  part ??= ownPart();
  for (let tried = 0; tried < PART; tried += 1) {
    const port = 10_000 + part * PART + tried;
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free && !given.has(port)) {
      given.add(port);
      return port;
    }
  }
  throw new Error("no port is free");
}

/// The ports that shops of this file were given.
const given = new Set();

export class Shop {
  /// Opens a shop. `confirmS`, `redeemS`: how long a confirm and a redeem may take before their outcome is unknown. `managers`: who may sign in. `country`: where it stands.
  /// `more`: further sections of the configuration. `live`: it is said to be no play. `spare`: a second printer stands there.
  static async open(options) {
    const shop = new Shop();
    try {
      await shop.#opens(options);
      return shop;
    } catch (why) {
      // What runs already would keep the tests from ending.
      await shop.close();
      throw why;
    }
  }

  async #opens({ confirmS = 30, redeemS = 30, managers = MANAGERS, country = "DE", more = "", live = false, spare = false } = {}) {
    const shop = this;
    shop.folder = mkdtempSync(join(tmpdir(), "tilld-pages-"));
    shop.printer = await Printer.start();
    if (spare) shop.spare = await Printer.start();
    const any = "127.0.0.1:0";
    shop.sandbox = await start(["sandbox", "--finperks", any, "--control", any, "--gift-local", any, "--gift-local-control", any], (said) => {
      const found = /finperks\s+(\S+)\s+\(key id (\S+), secret (\S+)\)\ncontrol\s+(\S+)\ngift-local\s+(\S+)\s+\(key (\S+)\)\ncontrol\s+(\S+)/.exec(said);
      return found?.slice(1);
    });
    const [finperks, keyId, secret, control, giftLocal, key, giftControl] = shop.sandbox.found;
    Object.assign(shop, { finperks: new Control(control), giftLocal: new Control(giftControl), port: await freePort() });
    const file = (name, text) => {
      writeFileSync(join(shop.folder, name), text, { mode: 0o600 });
      return join(shop.folder, name);
    };
    const { reverse_path: path, reverse_id_field: field } = await shop.giftLocal.get("/switches");
    shop.config = file("tilld.toml", `
till     = { store = "A1234", terminal = "T01", country = "${country}", zone = "Europe/Berlin" }
finperks = { url = "${finperks}", key_id = "${keyId}", secret_file = "${file("finperks.secret", secret)}",${live ? " sandbox = false," : ""} requests_per_second = 1000, burst = 1000, posa = { default = "field:card_code", products = { "4001232100039" = "scanned" } }, pictures = { field = "image_url" }, deadlines = { create_s = 4, confirm_s = ${confirmS}, lookup_s = 2 } }
journal  = { folder = "${join(shop.folder, "journal")}" }
api      = { listen = "127.0.0.1:${shop.port}" }
slip     = { header = ["Buchhandlung am Markt"] }
printer  = { network = "${shop.printer.address}", columns = 42 }
printer.patience = { proof_ms = 1500, progress_ms = 1500, process_id_after_ms = 500, settle_ms = 300, poll_ms = 100 }
[gift_local]
url      = "${giftLocal}"
key_file = "${file("gift_local.key", key)}"
currency = "EUR"
location = "A1234"
requests_per_second = 1000
burst    = 1000
${live ? "sandbox  = false\n" : ""}deadlines.redeem_s = ${redeemS}
reverse  = { path = "${path}", id_field = "${field}", repeatable = true }
${managers.map((name) => `[[managers]]\nname = "${name}"\npin_hash = "${PIN_HASH}"\n`).join("")}${spare ? `[spare_printer]\nnetwork = "${shop.spare.address}"\ncolumns = 42\n` : ""}${more}`.replace(/printer  = \{ (.*) \}\nprinter\.patience = (\{.*\})/, "printer  = { $1, patience = $2 }"));
    await shop.serve();
    await shop.ask("POST", "/v1/products/refresh");
  }

  get url() {
    return this.address ?? `http://127.0.0.1:${this.port}`;
  }

  get token() {
    return readFileSync(join(this.folder, "journal", "api.token"), "utf8").trim();
  }

  /// Starts the daemon on what is there.
  async serve() {
    this.daemon = await start(["serve", "--config", this.config], (said) => /"address":"([^"]+)"/.exec(said)?.[1],
      { TILLD_LOG: "info", TILLD_LOG__FORMAT: "json" });
  }

  /// The power goes.
  async crash() {
    this.daemon.child.kill("SIGKILL");
    await this.daemon.ended;
  }

  /// The keys of all sealed codes are gone, as from a copy of the journal without them. While the daemon is down.
  losesCodes() {
    execFileSync("sqlite3", [join(this.folder, "journal", "journal.db"), "DELETE FROM seal_key"]);
  }

  /// As a till asks, with the token.
  async ask(method, path, body, headers = {}) {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
  }

  /// Sells a card as a till does; the sale as it ended.
  async sells(receipt, { product = "4001232232332", kind = "por", amount = "50.00", cashier, tender = { kind: "card" }, code } = {}) {
    const money = { amount, currency: "EUR" };
    const cards = [{ product, kind, face_value: money, ...(code && { code }) }];
    const { body: sale, status } = await this.ask("POST", "/v1/sales", { receipt, cards, ...(cashier && { cashier }) }, { "Idempotency-Key": `${receipt} begin` });
    if (status !== 201) throw new Error(`${receipt}: ${JSON.stringify(sale)}`);
    const paid = await this.ask("POST", `/v1/sales/${sale.id}/payment`, { amount: money, tender }, { "Idempotency-Key": `${receipt} pay` });
    if (paid.status !== 200) throw new Error(`${receipt}: ${JSON.stringify(paid.body)}`);
    return paid.body;
  }

  /// Sells a card whose slip does not come out, and gives the money back: the provider is to undo it.
  async undoes(receipt, more) {
    this.printer.fault("paper_out");
    const sale = await this.sells(receipt, more);
    const { body } = await this.ask("POST", `/v1/sales/${sale.id}/cards/1/answer`, { answer: "money_back" }, { "Idempotency-Key": `${receipt} back` });
    this.printer.fault(null);
    return body;
  }

  /// The code that pairs a screen.
  async pairingCode() {
    return (await this.ask("POST", "/v1/pairing", {})).body.code;
  }

  /// What the provider sold and has not taken back.
  async live() {
    const { orders } = await this.finperks.get("/ledger");
    return orders.filter((order) => /completed|COMPLETED/.test(order.state));
  }

  /// Answers whatever is open, as a till could, so that the next test begins with nothing.
  async tidy() {
    this.printer.fault(null);
    await this.finperks.delete("/faults");
    await this.giftLocal.delete("/faults");
    const { cases } = (await this.ask("GET", "/v1/attention")).body;
    for (const one of cases.filter(({ choices, who }) => who === "cashier" && choices.length > 0)) {
      const path = one.sale ? `/v1/sales/${one.sale}/cards/${one.card}/answer` : `/v1/redemptions/${one.redemption}/answer`;
      await this.ask("POST", path, { answer: one.choices.at(-1) }, { "Idempotency-Key": crypto.randomUUID() });
    }
  }

  async close() {
    const programs = [this.daemon, this.sandbox].filter(Boolean);
    for (const { child } of programs) child.kill("SIGTERM");
    await Promise.all(programs.map(({ ended }) => ended));
    await this.printer?.stop();
    await this.spare?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/// The control door of a simulated provider.
class Control {
  constructor(url) {
    this.url = url;
  }

  async #ask(method, path, body) {
    const answer = await fetch(this.url + path, { method, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  get = (path) => this.#ask("GET", path);
  post = (path, body) => this.#ask("POST", path, body);
  put = (path, body) => this.#ask("PUT", path, body);
  patch = (path, body) => this.#ask("PATCH", path, body);
  delete = (path) => this.#ask("DELETE", path);

  fault = (call, fault, more = {}) => this.post("/faults", { call, fault, ...more });
  /// Every call goes wrong until the faults are deleted. (Of a few faults for any call, an undo that is tried again in the background takes one,
  /// and the call behind them goes well: the line is up again, and rightly said to be.)
  every = (fault) => this.post("/faults", { fault, count: 1_000 });
}
