// Devices: how each printer, drawer and scanner is and what to do about it; a test slip from any printer. The stream tells what changes of a
// printer; of a scanner and a drawer it tells nothing, so they are asked for while the screen stands. Another screen is let in here, too.

import { ask } from "../app/api.js";
import { busy, button, el, fill, icon } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { asManager, isTrouble } from "../app/office.js";
import { quietly, readDevices, till } from "../app/till.js";
import { moment, w, worded } from "../app/words.js";
import { pairAnother } from "../parts/pair.js";
import { alarm, faultWords, note, paperWords, problemWords } from "../parts/said.js";

const ASK_MS = 3_000;

/// How a device is: whether all is well, and what to do.
function health(device) {
  if (device.kind === "scanner") return { well: device.there, words: worded("connection", device.connection, device.text ?? device.connection) };
  if (device.fault) return { well: false, words: faultWords(device.fault) };
  if (device.paper_low) return { well: false, words: w("status.paper_low") };
  if (device.known === false) return { well: null, words: w("devices.unheard") };
  return { well: true, words: w("devices.ready") };
}

function facts(device) {
  const drawer = device.kind === "printer" && w(device.drawer_pin_high === undefined || device.drawer_pin_high === null ? "devices.drawer_silent" : device.drawer_pin_high ? "devices.drawer_high" : "devices.drawer_low");
  const rows = [[w("devices.drawer"), drawer], [w("devices.since"), device.since && moment(device.since)]];
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/// What came of the last test slip of each printer, and whether one is on its way.
const tests = new Map();

function tryOut(device, redraw) {
  const test = tests.get(device.name) ?? {};
  const go = async () => {
    tests.set(device.name, { busy: true });
    redraw();
    try {
      const end = await asManager(() => ask(`/v1/devices/${encodeURIComponent(device.name)}/test`, undefined, { paper: true }));
      const words = [paperWords(end), end.proof && worded("proof", end.proof, end.proof)].filter(Boolean).join(" ");
      tests.set(device.name, { node: note(words, end.paper === "printed" ? "done" : "attention") });
      speakOut(words);
    } catch (why) {
      if (!isTrouble(why)) throw why;
      tests.set(device.name, { node: alarm(problemWords(why)) });
    }
    redraw();
  };
  return [button(w("devices.test"), go, { class: "button", icon: "print", ...busy(test.busy), "data-test": device.name }), el("div", { role: "status" }, test.busy ? el("p", { class: "hint" }, w("copy.printing")) : test.node)];
}

export function devices() {
  const title = w("devices.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const list = el("ul", { class: "devices" });
  let shownWith = "";
  const card = (device, place) => {
    const { well, words } = health(device);
    const role = device.kind === "scanner" ? "scanner" : place === 0 ? "printer" : "spare";
    return el("li", { class: "device", "data-device": device.name },
      el("div", { class: "case-head" }, el("h2", {}, w(`device.${role}`)), el("span", { class: "hint" }, device.name)),
      el("p", { class: well === true ? "device-state" : well === null ? "device-state unheard" : "device-state ill" }, icon(well === true ? "done" : "attention"), words),
      facts(device), device.kind === "printer" && tryOut(device, draw));
  };
  const draw = () => {
    const held = list.contains(document.activeElement) && document.activeElement.dataset.test;
    const printers = till.devices.filter(({ kind }) => kind === "printer");
    fill(list, [...printers, ...till.devices.filter(({ kind }) => kind === "scanner")].map((device) => card(device, printers.indexOf(device))));
    if (held) list.querySelector(`[data-test="${CSS.escape(held)}"]`)?.focus();
  };
  const update = () => {
    const state = JSON.stringify(till.devices);
    if (state === shownWith) return;
    shownWith = state;
    draw();
  };
  update();
  readDevices().catch(quietly);
  const asking = setInterval(() => {
    if (!list.isConnected) clearInterval(asking);
    else readDevices().catch(quietly);
  }, ASK_MS);
  return { title, focus: heading, node: el("div", { class: "office" }, heading, el("p", { class: "lead" }, w("devices.how")), list, pairAnother()), update };
}
