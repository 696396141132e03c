// What the page knows of the till, and how it comes to know it. Screens read it and draw; only the modules of `app/` write it.
//
// Everything shown comes from the daemon: at the start, after every lost stream and after a `reread` all of it is read; in between the
// stream brings each change. Of two views of a sale or a redemption the one with the greater `seq` is the newer one, whichever came
// first; what has no `seq` is read by one read at a time, so that no answer overtakes a newer one (`inTurn`), and a list of questions
// that was not read is asked for again. Nothing is drawn before the open questions are known (`ready`), so that they stand before anything else.

import { listen } from "./stream.js";
import { Lost, Problem, ask, read, watch } from "./api.js";
import { till as shared } from "./keep.js";

/// How often the state of lines, clock and journal is asked for, which no event tells.
const HEALTH_MS = 5_000;
/// How often the catalogue is asked for while the provider's line is down: the one call that shows whether it is up again.
const LINE_MS = 15_000;
/// How often the balances are asked for; each time the provider is.
const BALANCES_MS = 300_000;
/// How long after a start without an answer the daemon is asked again.
const AGAIN_MS = 500;

export const till = {
  /// The open questions are known.
  ready: false,
  /// The daemon does not know this screen; `pairing` is over when it does, by `paired()`.
  unpaired: false,
  pairing: null,
  paired: () => {},
  /// The daemon is there.
  reached: true,
  session: null,
  health: null,
  /// Since when the provider's line is down, as far as this page has seen.
  lineDown: null,
  products: [],
  devices: [],
  /// What may be spent at each provider, and below what that is low.
  balances: [],
  /// What waits for a person.
  cases: [],
  /// Sales and redemptions as they were seen last, by id: those that are attended to or asked about, no others.
  sales: new Map(),
  redemptions: new Map(),
  /// Who stands here.
  cashier: shared.get("cashier"),
};

const listeners = new Set();
let due = false;

/// Calls after every change, once however much changed.
export function onChange(listener) {
  listeners.add(listener);
}

/// Something has changed.
export function changed() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    for (const listener of listeners) listener();
  });
}

/// Who reads along what comes: sales, redemptions, scans.
const hooks = { sale: () => {}, redemption: () => {}, scan: () => {}, reread: async () => {}, paired: () => {} };
export function onNews(more) {
  Object.assign(hooks, more);
}

export function setCashier(name) {
  till.cashier = name || null;
  shared.set("cashier", till.cashier);
  changed();
}

/// Keeps a view of a sale if it is news; the view that is the newest now.
export function tookSale(view) {
  const known = till.sales.get(view.id);
  if (known && known.seq >= view.seq) return known;
  till.sales.set(view.id, view);
  changed();
  return view;
}

/// The same of a redemption.
export function tookRedemption(view) {
  const known = till.redemptions.get(view.id);
  if (known && known.seq >= view.seq) return known;
  till.redemptions.set(view.id, view);
  changed();
  return view;
}

/// Whether gift cards are sold now, and if not, why: the key of a sentence, the code of the provider's refusal, and the daemon's own words.
export function hindrance() {
  const { health } = till;
  if (!till.reached) return { key: "off.unreached" };
  if (!health) return null;
  if (health.journal?.writes === false) return { key: "off.journal", own: health.journal.trouble };
  if (health.clock?.right === false) return { key: "off.clock", own: health.clock.trouble };
  if (health.sells === false && health.products?.count === 0) return { key: "off.products", own: health.hindrance };
  if (health.sells === false) return { key: "off.other", own: health.hindrance };
  const { provider } = health;
  if (provider?.up === false && provider.refused) return { key: "off.refused", refused: provider.refused };
  if (provider?.up === false) return { key: "off.provider", since: till.lineDown };
  return null;
}

/// The card that is asked about, as it was told last; none of a redemption.
export const cardOf = (one) => till.sales.get(one.sale)?.cards.find(({ number }) => number === one.card);

/// Its card or its redemption asks this no longer: the question was answered, and what is open has not been read since.
const answered = (one) => {
  const asking = one.sale ? cardOf(one) : till.redemptions.get(one.redemption);
  return asking !== undefined && asking.question?.asks !== one.case;
};

/// The cases that a cashier must answer before anything else.
export const questions = () => till.cases.filter((one) => one.who === "cashier" && (one.choices.length > 0 || one.case === "scan_again") && !answered(one));

/// The cases that are a manager's. They block nobody.
export const forManager = () => till.cases.filter((one) => one.who === "manager");

/// One read at a time: who wants it while one runs gets what the next one finds, and so nothing that is older than his wish.
function inTurn(reads) {
  let now = Promise.resolve();
  let next = null;
  return () => {
    next ??= now.catch(() => {}).then(() => {
      now = next;
      next = null;
      return reads();
    });
    return next;
  };
}

/// Reads what is open, and the sales and redemptions that are asked about.
export const readCases = inTurn(async () => {
  const { cases } = await read("/v1/attention");
  const asked = cases.filter((one) => one.who === "cashier");
  await Promise.all(asked.map(async (one) => {
    if (one.sale) hooks.sale(tookSale(await read(`/v1/sales/${one.sale}`)), true);
    else hooks.redemption(tookRedemption(await read(`/v1/redemptions/${one.redemption}`)), true);
  }));
  till.cases = cases;
  changed();
});

/// Reads them, and where that fails tries until they are read.
export const readCasesSurely = () => readCases().catch((why) => {
  quietly(why);
  if (!till.unpaired) readCasesSoon(AGAIN_MS);
});

let caseTimer = 0;
/// Reads them soon: several changes at once ask once.
export function readCasesSoon(pause = 30) {
  clearTimeout(caseTimer);
  caseTimer = setTimeout(readCasesSurely, pause);
}

/// The catalogue, as the health told of it when the products were read last.
let catalogue = "";

export const readHealth = inTurn(async () => {
  till.health = await read("/v1/health");
  // A change of a printer is told when it is written down, which may be some time after it is known.
  till.devices = till.health.devices;
  const now = JSON.stringify(till.health.products);
  // It was fetched anew, or pictures have come.
  if (catalogue && catalogue !== now) readProducts().then(() => { catalogue = now; }).catch(quietly);
  catalogue ||= now;
  const { provider } = till.health;
  till.lineDown = provider?.up === false ? till.lineDown ?? provider.at : null;
  changed();
});

const readProducts = inTurn(async () => {
  till.products = (await read("/v1/products")).products;
  changed();
});

export const readDevices = inTurn(async () => {
  till.devices = (await read("/v1/devices")).devices;
  changed();
});

const readBalances = inTurn(async () => {
  till.balances = (await read("/v1/balances")).balances;
  changed();
});

let reading = null;
/// Reads everything anew; questions first. It is tried until all is read: a screen that knows only a part shows nothing.
export function readAll() {
  reading ??= untilRead().finally(() => {
    reading = null;
  });
  return reading;
}

async function untilRead() {
  while (!(await readOnce()) && !till.unpaired) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
}

async function readOnce() {
  try {
    till.session = await read("/v1/session");
    hooks.paired(till.session);
    await Promise.all([readHealth(), readProducts(), hooks.reread()]);
    await readCases();
    till.ready = true;
    changed();
    await readDevices();
    readBalances().catch(quietly);
    return true;
  } catch (why) {
    quietly(why);
    return false;
  }
}

/// What was lost shows in the status bar, what is not paired on the screen of its own; neither is an error of the page.
export function quietly(why) {
  if (!(why instanceof Lost) && !(why instanceof Problem)) throw why;
}

/// Asks whether the provider's line is up again.
export async function tryLine() {
  try {
    await ask("/v1/products/refresh");
    await readProducts();
  } catch (why) {
    quietly(why);
  }
  await readHealth().catch(quietly);
}

function heard(event, data) {
  if (event === "sale") {
    hooks.sale(data, false);
    readCasesSoon();
  } else if (event === "redemption") {
    hooks.redemption(data, false);
    readCasesSoon();
  } else if (event === "device") {
    till.devices = [...till.devices.filter((device) => device.name !== data.name), data];
    changed();
    readHealth().catch(quietly);
  } else if (event === "scan") hooks.scan(data.text);
  else if (event === "reread") readAll();
}

/// This screen is not known; `till.pairing` ends when it is.
function unpair() {
  if (till.unpaired) return;
  till.unpaired = true;
  till.ready = true;
  till.pairing = new Promise((resolve) => {
    till.paired = () => {
      till.unpaired = false;
      till.pairing = null;
      resolve();
    };
  });
  changed();
}

async function knowsUs() {
  try {
    till.session = await read("/v1/session");
    return true;
  } catch (why) {
    quietly(why);
    return false;
  }
}

/// Begins to know.
export function open() {
  watch({
    reached: (reached) => {
      if (till.reached === reached) return;
      till.reached = reached;
      changed();
    },
    unpaired: unpair,
  });
  const paired = async () => {
    while (!till.session || till.unpaired) {
      await till.pairing;
      if (await knowsUs()) return;
      if (!till.unpaired) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  };
  paired().then(() => listen({
    heard,
    opened: () => readAll(),
    closed: (status) => {
      if (status === 0) till.reached = false;
      else if (status === 401) unpair();
      changed();
      return paired();
    },
  }));
  setInterval(() => {
    if (till.session && !till.unpaired) readHealth().catch(quietly);
  }, HEALTH_MS);
  setInterval(() => {
    if (till.session && till.reached && !till.unpaired) readBalances().catch(quietly);
  }, BALANCES_MS);
  setInterval(() => {
    if (till.session && till.reached && till.health?.provider?.up === false) tryLine();
  }, LINE_MS);
}
