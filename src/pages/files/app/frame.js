// The frame around every screen: tabs above, the state of lines and devices below, and the voice for those who do not see either.
//
// What hinders is said in words with a sign beside it, never by colour alone. The voice speaks each screen's sentence once when it comes, and
// a hindrance when it comes or goes.

import { el, fill, icon, say } from "./dom.js";
import { changed, hindrance, till, tryLine } from "./till.js";
import { till as shared } from "./keep.js";
import { LANGUAGES, count, place, speak, spoken, time, timesIn, w } from "./words.js";
import { minor, shown } from "./money.js";
import { faultWords } from "../parts/said.js";

export const frame = { main: null, nav: null, tabs: null, aside: null, banner: null, status: null, polite: null, urgent: null };

/// Builds it once.
export function build(root) {
  frame.main = el("main", { id: "main" });
  frame.tabs = el("div", { class: "tabs" });
  frame.aside = el("div", { class: "aside" });
  frame.banner = el("section", { class: "banner", hidden: true, "aria-label": w("frame.banner") });
  frame.status = el("footer", { class: "status" });
  frame.polite = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
  frame.urgent = el("div", { class: "unseen", role: "alert", "aria-live": "assertive" });
  frame.nav = el("nav", { "aria-label": w("frame.tabs") }, frame.tabs);
  fill(root, el("header", { class: "top" }, frame.nav, frame.aside), frame.banner, frame.main, frame.status, frame.polite, frame.urgent);
}

/// Speaks.
export function speakOut(words, urgent = false) {
  const [voice, other] = urgent ? [frame.urgent, frame.polite] : [frame.polite, frame.urgent];
  // What no longer holds is found by nobody who reads on from there.
  say(other, "");
  // The same words twice must be heard twice.
  say(voice, voice.textContent === words ? `${words}\u00a0` : words);
}

function tab(name, sign, now, free, go) {
  return el("button", { type: "button", class: "tab", disabled: !free, "aria-current": now === name ? "page" : undefined, "data-tab": name, on: { click: () => go(name) } },
    icon(sign), el("span", {}, w(`tab.${name}`)));
}

function languages() {
  const select = el("select", { id: "language", class: "select", "aria-label": w("frame.language"), on: { change: () => choose(select.value) } },
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
  // The focus stays on what is drawn anew.
  const held = [frame.tabs, frame.aside].find((part) => part.contains(document.activeElement));
  const name = held && (document.activeElement.dataset.tab ?? document.activeElement.id);
  fill(frame.tabs, Object.entries(tabs).map(([one, sign]) => tab(one, sign, now, free, go)));
  fill(frame.aside, aside(), languages());
  if (name) (frame.tabs.querySelector(`[data-tab="${CSS.escape(name)}"]`) ?? document.getElementById(name))?.focus();
}

function sign(kind, name, words) {
  return el("li", { class: `sign sign-${kind}` }, icon(kind === "good" ? name : kind === "bad" ? "stop" : "attention"), el("span", {}, words));
}

function signs() {
  const { health, reached, devices } = till;
  if (!reached) return [sign("bad", "line", w("status.unreached"))];
  const all = [];
  const provider = health?.provider;
  all.push(provider?.up === false ? sign("bad", "line", w("status.provider_down", { time: time(till.lineDown) })) : sign("good", "line", w("status.provider_up")));
  if (health?.vouchers?.up === false) all.push(sign("bad", "line", w("status.vouchers_down")));
  for (const device of devices.filter((one) => one.kind === "printer")) {
    if (device.fault) all.push(sign("bad", "print", faultWords(device.fault)));
    else if (!device.there && device.known !== false) all.push(sign("bad", "print", faultWords("absent")));
    else if (device.paper_low || health?.printer?.paper_low) all.push(sign("warn", "print", w("status.paper_low")));
    else all.push(sign("good", "print", w("status.printer_ready")));
  }
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

let spokenWhy = null;

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
  fill(frame.status, el("ul", { class: "signs", "aria-label": w("frame.status") }, till.ready && signs()),
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
    el("div", { class: "banner-text" }, el("strong", {}, w(`${why.key}.short`)), " ", el("span", {}, w(`${why.key}.what`, { time: why.since ? time(why.since) : "" })),
      why.own && spoken() === "en" && el("span", { class: "own" }, ` ${why.own}`)),
    why.key === "off.provider" && el("button", { type: "button", class: "button", id: "try-line", on: { click: tryLine } }, w("off.try")),
  ]);
  if (held) document.getElementById("try-line")?.focus();
  const key = till.ready ? why?.key ?? null : null;
  if (key !== spokenWhy) {
    speakOut(key ? `${w(`${key}.short`)} ${w(`${key}.what`, { time: why.since ? time(why.since) : "" })}` : w("off.over"), Boolean(key));
    spokenWhy = key;
  }
}

/// Chooses a language for this screen.
async function choose(code) {
  shared.set("language", code);
  await speak(code, till.session?.locale, till.session?.country);
  frame.nav.setAttribute("aria-label", w("frame.tabs"));
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
