// The manager page: which screen stands now. Pairing comes first, then the PIN, then whatever the manager has chosen; open cases are where
// it begins. A screen is drawn when another one's turn comes, and only updated while it stands.
//
// A scan presses nothing here and is typed into nothing, least of all the PIN: the journal searches for it, any other screen says that it does not.

import { act, acting, forget, unanswered } from "./api.js";
import { button, el, fill, icon } from "./dom.js";
import { build, drawStatus, drawTop, frame, speakAs, speakFirst, speakOut } from "./frame.js";
import { inFront, listenForUse } from "./front.js";
import { asManager, backFromStory, listenForNews, office, signOut, stay, toTab, tookSession } from "./office.js";
import { listenForScans } from "./scan.js";
import { changed, hindrance, onChange, onNews, open, quietly, readCases, till } from "./till.js";
import { spoken, w } from "./words.js";
import { day } from "../screens/day.js";
import { devices } from "../screens/devices.js";
import { journal } from "../screens/journal.js";
import { openCases } from "../screens/open.js";
import { pairing } from "../screens/pairing.js";
import { products } from "../screens/products.js";
import { signin } from "../screens/signin.js";
import { story } from "../screens/story.js";
import { wait } from "../screens/wait.js";
import { playOrMoney } from "../parts/play.js";
import { note } from "../parts/said.js";
import { troublesBox } from "../parts/troubles.js";

const TABS = { cases: "attention", journal: "book", day: "day", devices: "print", products: "gift" };
const SCREENS = { cases: openCases, journal, day, devices, products };

function turn() {
  if (!till.ready) return { key: "start", make: () => wait({ title: w("wait.start"), words: till.reached ? "" : w("off.unreached.what") }) };
  if (till.unpaired) return { key: "pairing", make: pairing };
  if (office.manager === null) return { key: "signin", make: signin };
  if (office.opened) return { key: `story ${office.opened.kind} ${office.opened.id} ${office.manager}`, make: () => story(office.opened) };
  return { key: `${office.tab} ${office.manager}`, make: SCREENS[office.tab] ?? openCases };
}

let standing = null;

function draw() {
  const next = turn();
  const key = `${next.key} ${spoken()}`;
  if (standing?.key === key) standing.screen.update?.();
  else {
    const before = standing;
    const screen = next.make();
    standing = { key, screen };
    remarks(null);
    fill(frame.main, remark, screen.node);
    document.title = `${screen.title} · tilld`;
    screen.focus?.focus({ preventScroll: true });
    frame.main.scrollTop = 0;
    if (before) speakOut([screen.title, screen.words].filter(Boolean).join(" "), screen.urgent);
  }
  for (const part of [ending, untaken]) part.setAttribute("aria-label", w("signin.session"));
  above();
  drawEnding();
  drawUntaken();
  drawStatus();
  troubles.update(till.ready && !till.unpaired && till.reached ? till.health : null, hindrance()?.refused);
}

/// What stands above: whether this is play or money, the tabs, who is signed in.
function above() {
  const { session } = till;
  const here = office.manager !== null && till.ready && !till.unpaired;
  drawTop({
    tabs: here ? TABS : {},
    now: office.tab,
    free: true,
    go: toTab,
    state: [here, office.manager, session?.providers],
    aside: () => [
      session && playOrMoney(session),
      el("a", { class: "chip", id: "counter", href: "/" }, icon("counter"), el("span", {}, w("frame.counter"))),
      here && el("button", { type: "button", class: "chip", id: "sign-out", "aria-label": w("signin.out_of", { name: office.manager }), on: { click: signOut } },
        icon("leave"), el("span", {}, w("signin.out"))),
    ],
  });
}

/// What was remarked about a scan; it goes with the screen that it was remarked on.
const remark = el("div", { class: "remark", hidden: true });

function remarks(words) {
  remark.hidden = !words;
  fill(remark, words && note(words));
}

/// What a scan does.
function arrived(text) {
  const { screen } = standing;
  if (screen.scan) return screen.scan(text);
  const words = w(office.manager === null ? "scan.no_pin" : "scan.searches");
  remarks(words);
  frame.main.scrollTop = 0;
  speakOut(words, true);
}

let ending = null;

/// Tells a minute before that the session ends, with a way to stay.
function drawEnding() {
  const state = office.ending && office.manager !== null ? spoken() : "";
  if (ending.dataset.state === state) return;
  ending.dataset.state = state;
  ending.hidden = state === "";
  fill(ending, state && [icon("clock"), el("p", { class: "banner-text" }, w("signin.ending")), button(w("signin.stay"), stay, { id: "stay" })]);
  if (state) speakOut(w("signin.ending"), true);
}

const troubles = troublesBox();

let untaken = null;
/// Whose acts without an answer were given up, because another manager has signed in.
const others = new Set();

/// Says whose they were, until the one who has signed in has read it.
function drawUntaken() {
  const state = others.size > 0 && office.manager !== null ? `${[...others].join(", ")} ${spoken()}` : "";
  if (untaken.dataset.state === state) return;
  untaken.dataset.state = state;
  untaken.hidden = state === "";
  const words = state && w("signin.untaken", { name: [...others].join(", ") });
  const read = () => {
    others.clear();
    changed();
  };
  fill(untaken, state && [icon("attention"), el("p", { class: "banner-text" }, words), button(w("ended.read"), read, { id: "untaken-read" })]);
  if (state) speakOut(words, true);
}

let takenUpBy = null;

/// What a manager decided and never saw answered is asked again under its key when he is there again: after a reload, after the PIN. What
/// another one decided is nobody's to repeat: it would be done by the rights of one who never decided it.
function takeUp() {
  const { manager } = office;
  if (manager === takenUpBy) return;
  takenUpBy = manager;
  if (manager === null) return;
  others.clear();
  for (const { path, body } of unanswered()) {
    if (body.by !== manager) {
      forget(path);
      others.add(body.by);
    } else if (!acting(path)) asManager(() => act(path, body)).then(readCases).catch(quietly);
  }
}

async function begin() {
  await speakFirst();
  build(document.body);
  ending = el("section", { class: "banner ending", hidden: true });
  untaken = el("section", { class: "banner", hidden: true });
  frame.tellsOwn = true;
  frame.main.before(troubles.node, ending, untaken);
  onChange(takeUp);
  onChange(draw);
  const wanted = () => till.ready && !till.unpaired;
  listenForScans(wanted, arrived);
  listenForUse();
  onNews({
    scan: (text) => inFront() && wanted() && arrived(text),
    reread: async () => {
      office.news += 1;
    },
    paired: (session) => {
      speakAs(session);
      tookSession(session);
    },
  });
  listenForNews();
  window.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && office.opened && !event.defaultPrevented) backFromStory();
  });
  draw();
  open();
}

begin();
