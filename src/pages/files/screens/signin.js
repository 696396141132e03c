// Signing in: who, and the PIN. After five wrong ones none is taken for a while; the screen counts down to when one is again.

import { Problem } from "../app/api.js";
import { button, el, fill, icon } from "../app/dom.js";
import { isTrouble, office, signIn } from "../app/office.js";
import { till } from "../app/till.js";
import { w } from "../app/words.js";
import { leftWords } from "../parts/countdown.js";
import { keypad, signKey } from "../parts/keypad.js";
import { alarm, note, problemWords } from "../parts/said.js";

const LEAST = 6;
const MOST = 12;

/// When a PIN is taken again, by this page's clock: it outlives the screen.
let pausedUntil = 0;

function pinKeys(input) {
  const write = (text) => {
    input.value = text.slice(0, MOST);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return keypad({
    press: (digit) => write(input.value + digit), erase: () => write(input.value.slice(0, -1)),
    corner: signKey("remove", w("signin.empty"), () => write("")),
  });
}

export function signin() {
  const { managers } = till.session;
  const title = w("signin.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const parted = office.parted && note(w(`parted.${office.parted}`), office.parted === "idle" ? "clock" : "done");
  if (managers.length === 0) {
    return { title, focus: heading, node: el("div", { class: "center" }, heading, note(w("signin.nobody"))) };
  }
  let who = managers.includes(till.cashier) ? till.cashier : managers[0];
  const said = el("div");
  const counting = el("p", { class: "lead", role: "timer" });
  const input = el("input", { id: "pin", class: "code-input", type: "password", inputmode: "none", autocomplete: "off", maxlength: MOST, "aria-describedby": "pin-how" });
  const go = button(w("signin.in"), undefined, { type: "submit", class: "button primary tall" });
  let asked = false;
  const good = () => new RegExp(`^\\d{${LEAST},${MOST}}$`).test(input.value);
  const draw = () => {
    const left = pausedUntil - Date.now();
    go.disabled = asked || left > 0 || !till.reached || !good();
    counting.textContent = left > 0 ? w("signin.paused", { left: leftWords(left) }) : "";
    if (left > 0 && counting.isConnected) setTimeout(draw, 250);
  };
  const names = managers.map((name) => button(name, () => choose(name), { class: "button tender", icon: "person", "data-name": name }));
  const choose = (name) => {
    who = name;
    for (const one of names) one.setAttribute("aria-pressed", String(one.dataset.name === who));
    input.focus();
  };
  for (const one of names) one.setAttribute("aria-pressed", String(one.dataset.name === who));
  const submit = async (event) => {
    event.preventDefault();
    if (go.disabled) return;
    asked = true;
    draw();
    try {
      await signIn(who, input.value);
    } catch (why) {
      if (!isTrouble(why)) throw why;
      const paused = why instanceof Problem && why.code === "pin_paused";
      if (paused) pausedUntil = Date.now() + why.retryAfter * 1000;
      fill(said, alarm(paused ? w("problem.pin_paused") : problemWords(why)));
      input.value = "";
      input.focus();
    } finally {
      asked = false;
      draw();
    }
  };
  input.addEventListener("input", () => draw());
  setTimeout(draw);
  return {
    title,
    words: office.parted ? w(`parted.${office.parted}`) : "",
    focus: input,
    node: el("form", { class: "center wide", on: { submit } }, heading, parted,
      el("div", { class: "sides" },
        el("div", {}, managers.length === 1 ? el("p", { class: "signin-who" }, icon("person"), el("strong", {}, who))
          : el("div", { class: "tenders names", role: "group", "aria-label": w("signin.who") }, names), said, counting),
        el("div", {}, el("div", { class: "amount" }, el("label", { class: "amount-label", for: "pin" }, w("signin.pin")), input,
          el("p", { class: "hint", id: "pin-how" }, w("signin.how")), pinKeys(input)), go))),
    update: draw,
  };
}
