// The frame around every screen: tabs above, the state of lines and devices below, and the voice for those who do not see either.
//
// What hinders is said in words with a sign beside it, never by colour alone. The voice speaks each screen's sentence once when it comes, and
// a hindrance or a sign when it comes or goes.

import { el, fill, icon, say } from "./dom.js";
import { changed, hindrance, till, tryLine } from "./till.js";
import { till as shared } from "./keep.js";
import { LANGUAGES, count, place, speak, spoken, time, timesIn, w, worded } from "./words.js";
import { minor, shown } from "./money.js";
import { faultWords } from "../parts/said.js";

/// `tellsOwn`: whoever reads it is told what the daemon itself says in whatever language; it speaks English.
export const frame = { tellsOwn: false, main: null, nav: null, tabs: null, aside: null, banner: null, status: null, polite: null, urgent: null };

/// Builds it once.
export function build(root) {
  frame.main = el("main", { id: "main" });
  frame.tabs = el("div", { class: "tabs" });
  frame.aside = el("div", { class: "aside" });
  frame.banner = el("section", { class: "banner", hidden: true });
  frame.status = el("footer", { class: "status" });
  frame.polite = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
  frame.urgent = el("div", { class: "unseen", role: "alert", "aria-live": "assertive" });
  frame.nav = el("nav", {}, frame.tabs);
  fill(root, el("header", { class: "top" }, frame.nav, frame.aside), frame.banner, frame.main, frame.status, frame.polite, frame.urgent);
}

/// The voices that have spoken in this turn: what comes at once is heard together.
const speaking = new Set();

/// Speaks.
export function speakOut(words, urgent = false) {
  const [voice, other] = urgent ? [frame.urgent, frame.polite] : [frame.polite, frame.urgent];
  const all = speaking.has(voice) ? `${voice.textContent} ${words}` : words;
  speaking.add(voice);
  queueMicrotask(() => speaking.clear());
  // What no longer holds is found by nobody who reads on from there.
  if (!speaking.has(other)) say(other, "");
  // The same words twice must be heard twice.
  say(voice, voice.textContent === all ? `${all}\u00a0` : all);
}

function tab(name, sign, now, free, go) {
  return el("button", { type: "button", class: "tab", disabled: !free, "aria-current": now === name ? "page" : undefined, "data-tab": name, on: { click: () => go(name) } },
    icon(sign), el("span", {}, w(`tab.${name}`)));
}

function languages() {
  // A letter would choose the language that begins with it, the first one of a scan too: arrow keys choose.
  const letters = (event) => [...event.key].length === 1 && event.key !== " " && event.preventDefault();
  const select = el("select", { id: "language", class: "select", "aria-label": w("frame.language"), on: { change: () => choose(select.value), keydown: letters } },
    Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code }, name)));
  select.value = spoken();
  return select;
}

/// Draws what is above, where it says something else than before. `tabs`: by their names the signs of those that there are; `now`: the one
/// that stands; `free`: whether another may be chosen; `aside`: makes what stands beside the languages, out of `state`.
export function drawTop({ tabs, now, free, go, state, aside }) {
  const all = JSON.stringify([tabs, now, free, state, till.session?.sandbox, spoken()]);
  if (frame.aside.dataset.state === all) return;
  frame.aside.dataset.state = all;
  // What is built once is named anew in each language.
  frame.nav.setAttribute("aria-label", w("frame.tabs"));
  frame.banner.setAttribute("aria-label", w("frame.banner"));
  // The focus stays on what is drawn anew.
  const held = [frame.tabs, frame.aside].find((part) => part.contains(document.activeElement));
  const name = held && (document.activeElement.dataset.tab ?? document.activeElement.id);
  fill(frame.tabs, Object.entries(tabs).map(([one, sign]) => tab(one, sign, now, free, go)));
  fill(frame.aside, aside(), languages());
  if (name) (frame.tabs.querySelector(`[data-tab="${CSS.escape(name)}"]`) ?? document.getElementById(name))?.focus();
}

/// A sign. `told`: it is spoken when it comes, for no banner says the same.
const sign = (kind, name, words, told = false) => ({ kind, name, words, told });

const drawnSign = ({ kind, name, words }) => el("li", { class: `sign sign-${kind}` },
  icon(kind === "good" ? name : kind === "bad" ? "stop" : "attention"), el("span", {}, words));

/// Of a printer; by its name where there are several.
function printerSign(device, several) {
  const name = several ? `${w(device.name === "spare" ? "device.spare" : "device.printer")}: ` : "";
  const fault = device.fault ?? (!device.there && device.known !== false ? "absent" : null);
  if (fault) return sign("bad", "print", name + faultWords(fault), true);
  if (device.paper_low) return sign("warn", "print", name + w("status.paper_low"), true);
  return sign("good", "print", several ? name + w("status.ready") : w("status.printer_ready"), true);
}

function signs() {
  const { health, reached, devices } = till;
  if (!reached) return [sign("bad", "line", w("status.unreached"))];
  const all = [];
  const provider = health?.provider;
  if (provider?.up !== false) all.push(sign("good", "line", w("status.provider_up")));
  else all.push(sign("bad", "line", provider.refused ? w("status.provider_refused") : w("status.provider_down", { time: time(till.lineDown) })));
  const vouchers = health?.vouchers;
  if (vouchers?.up === false) {
    const words = vouchers.refused ? w("status.vouchers_refused", { why: worded("problem", vouchers.refused, vouchers.refused) }) : w("status.vouchers_down");
    all.push(sign("bad", "line", words, true));
  }
  if (health?.vouchers_trouble) all.push(sign("bad", "line", w("status.vouchers_trouble"), true));
  const printers = devices.filter((one) => one.kind === "printer").sort((one, other) => one.name.localeCompare(other.name));
  all.push(...printers.map((device) => printerSign(device, printers.length > 1)));
  const { clock } = health ?? {};
  if (clock?.right === false) all.push(sign("bad", "clock", w("status.clock_wrong", { minutes: Math.round(Math.abs(clock.offset_ms ?? 0) / 60_000) })));
  else if (clock && Math.abs(clock.offset_ms ?? 0) >= 60_000) all.push(sign("warn", "clock", w("status.clock_drifts", { seconds: Math.round(Math.abs(clock.offset_ms) / 1000) })));
  else all.push(sign("good", "clock", w("status.clock_right")));
  if (health?.journal?.writes === false) all.push(sign("bad", "clock", w("status.journal")));
  if (health?.owed > 0) all.push(sign("warn", "clock", count("status.owed", health.owed)));
  for (const balance of low()) all.push(sign("warn", "cash", w("status.balance_low", { amount: shown(balance) })));
  return all;
}

/// What of the balances is low, by the daemon's word.
const low = () => till.balances.filter((one) => one.low).flatMap(({ available, low_below: below }) =>
  available.filter((left) => below.some((least) => least.currency === left.currency && minor(left) < minor(least))));

/// The signs that were told of, in which language; none before the first ones.
let toldSigns = { all: [], language: null };

/// Speaks the signs that have come, and that all is well where that is what has come.
function speakSigns(all) {
  // Without the daemon nothing is known of them.
  if (!till.reached || !till.ready) return;
  const now = all.filter(({ told }) => told);
  const known = toldSigns.language === spoken() ? toldSigns.all : null;
  const wanted = now.filter(({ kind, words }) => (known ? !known.includes(words) : toldSigns.language === null && kind !== "good"));
  if (wanted.length > 0) speakOut(wanted.map(({ words }) => words).join(" "));
  toldSigns = { all: now.map(({ words }) => words), language: spoken() };
}

let spokenWhy = null;

/// What hinders, as a sentence.
const whyWords = (why) => w(`${why.key}.what`, { time: why.since ? time(why.since) : "", why: why.refused ? worded("problem", why.refused, why.refused) : "" });

/// Draws what is below, and what hinders selling.
export function drawStatus() {
  if (till.unpaired) {
    frame.banner.hidden = true;
    return fill(frame.status);
  }
  const why = hindrance();
  drawBanner(why);
  const state = JSON.stringify([till.reached, till.health, till.devices, till.balances, till.products.length, spoken(), till.session?.terminal]);
  if (frame.status.dataset.state === state) return;
  frame.status.dataset.state = state;
  const { session } = till;
  const all = till.ready ? signs() : [];
  speakSigns(all);
  fill(frame.status, el("ul", { class: "signs", "aria-label": w("frame.status") }, all.map(drawnSign)),
    session && el("p", { class: "here" }, `${session.store} · ${session.terminal}`));
}

function drawBanner(why) {
  // Drawn anew only where it says something else: its button must not go away under a finger.
  const state = JSON.stringify([why, till.ready, spoken()]);
  if (frame.banner.dataset.state === state) return;
  frame.banner.dataset.state = state;
  const held = document.activeElement?.id === "try-line";
  frame.banner.hidden = !why || !till.ready;
  fill(frame.banner, why && till.ready && [
    icon("stop"),
    el("div", { class: "banner-text" }, el("strong", {}, w(`${why.key}.short`)), " ", el("span", {}, whyWords(why)),
      why.own && (frame.tellsOwn || spoken() === "en") && el("span", { class: "own", lang: "en" }, ` ${why.own}`)),
    ["off.provider", "off.refused"].includes(why.key) && el("button", { type: "button", class: "button", id: "try-line", on: { click: tryLine } }, w("off.try")),
  ]);
  if (held) document.getElementById("try-line")?.focus();
  const key = till.ready ? why?.key ?? null : null;
  if (key !== spokenWhy) {
    speakOut(key ? `${w(`${key}.short`)} ${whyWords(why)}` : w("off.over"), Boolean(key));
    spokenWhy = key;
  }
}

/// Chooses a language for this screen.
async function choose(code) {
  shared.set("language", code);
  await speak(code, till.session?.locale, till.session?.country);
  changed();
}

/// Speaks the language that was chosen here, or the browser's, before the till's own is known.
export const speakFirst = () => speak(shared.get("language") ?? navigator.language.split("-")[0]);

/// Speaks the language that was chosen here, or the till's, in the till's formats and its time.
export async function speakAs(session) {
  timesIn(session.zone);
  const wanted = shared.get("language") ?? session.locale?.split("-")[0];
  const before = `${spoken()} ${place()}`;
  await speak(wanted, session.locale, session.country);
  if (before !== `${spoken()} ${place()}`) changed();
}
