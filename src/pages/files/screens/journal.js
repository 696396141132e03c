// The journal: search it, open a line, take the selection out, verify the chain. A search is asked for by a person and by nobody else; when the
// stream has told of more since, the list says so and is read anew when that is wanted. What is scanned while it stands is searched for.

import { ask, read } from "../app/api.js";
import { button, el, fill, icon } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { worth } from "../app/money.js";
import { asManager, asWatcher, isTrouble, office, toStory } from "../app/office.js";
import { SILENCE_MS } from "../app/scan.js";
import { count, moment, short, time, w } from "../app/words.js";
import { alarm, note, problemWords } from "../parts/said.js";
import { ofScan, ofWords } from "../parts/sought.js";
import { CARD_STATES, VOUCHER_STATES, stateSign, stateWords } from "../parts/states.js";

/// How long after the last key a search begins by itself: when a scan that typed into the field would have been taken out of it.
const PAUSE_MS = SILENCE_MS + 30;
/// Pauses between the looks at a verification that runs.
const VERIFY_MS = [500, 1_000, 2_000, 5_000];

/// What is looked for; it stays while the page does.
const wanted = { search: "", from: "", to: "", kind: "", state: "", open: "" };

const query = (more = {}) => new URLSearchParams(Object.entries({ ...wanted, search: ofWords(wanted.search), ...more }).filter(([, value]) => value)).toString();

function field(name, label, props = {}) {
  return el("div", { class: "field" }, el("label", { for: `journal-${name}` }, label), el("input", { id: `journal-${name}`, class: "text-input", value: wanted[name], autocomplete: "off", ...props }));
}

function choice(name, label, options) {
  const select = el("select", { id: `journal-${name}`, class: "select" }, el("option", { value: "" }, w("journal.any")),
    options.map(([value, words]) => el("option", { value }, words)));
  select.value = wanted[name];
  return el("div", { class: "field" }, el("label", { for: `journal-${name}` }, label), select);
}

/// The states by their words: those of cards, of redemptions, or of both where a word means the same.
function states() {
  const both = { sale: CARD_STATES, redemption: VOUCHER_STATES, "": [...new Set([...CARD_STATES, ...VOUCHER_STATES])] }[wanted.kind];
  return both.map((state) => [state, [wanted.kind !== "redemption" && CARD_STATES.includes(state) && stateWords("sale", state),
    wanted.kind !== "sale" && VOUCHER_STATES.includes(state) && stateWords("redemption", state)].filter(Boolean)])
    .map(([state, words]) => [state, [...new Set(words)].join(" / ")]);
}

/// A basket's cards are told apart by their numbers; the first has none, for most sales have one card.
function row(line) {
  const numbered = line.card > 1;
  const what = line.product_name ?? w(`sort.${line.sort}`);
  return el("tr", { "data-line": `${line.id}/${line.card ?? ""}` },
    el("td", {}, short(line.opened_at)),
    el("td", {}, el("button", { type: "button", class: "button row-open", "aria-label": w("journal.open_line", { receipt: line.receipt }), on: { click: () => toStory(line.kind, line.id) } },
      el("span", {}, line.receipt), icon("next"))),
    el("td", {}, el("span", {}, what), (numbered || line.code) && el("span", { class: "hint" }, [numbered && w("told_card", { n: line.card }), line.code].filter(Boolean).join(" · "))),
    el("td", { class: "number" }, worth(line.amount)),
    el("td", {}, el("span", { class: line.open ? "state-mark open" : "state-mark" }, icon(stateSign(line)), stateWords(line.kind, line.state))),
    el("td", {}, line.cashier ?? "–"));
}

function results(said) {
  const body = el("tbody");
  const table = el("table", { class: "table lines-table" }, el("caption", { class: "unseen" }, w("journal.title")),
    el("thead", {}, el("tr", {}, ["when", "receipt", "what", "amount", "state", "cashier"].map((name) => el("th", { scope: "col", class: name === "amount" ? "number" : undefined }, w(`column.${name}`))))), body);
  const trouble = el("div", { class: "fetched" });
  const more = button(w("journal.more"), () => load(next), { class: "button", id: "journal-more" });
  const node = el("div", { class: "fetched" }, trouble, el("div", { class: "table-box" }, table), more);
  more.hidden = true;
  table.hidden = true;
  let next = null;
  let asked = 0;
  const load = async (before) => {
    asked += 1;
    const mine = asked;
    node.setAttribute("aria-busy", "true");
    try {
      const page = await asManager(() => read(`/v1/journal?${query(before ? { before } : {})}`));
      if (mine !== asked) return;
      const rows = page.lines.map(row);
      if (before) body.append(...rows);
      else fill(body, rows);
      ({ next } = page);
      more.hidden = !next;
      table.hidden = body.children.length === 0;
      fill(trouble, page.searched !== page.last && page.searched !== null && page.last - page.searched > 1000 && note(w("journal.indexing")));
      said(body.children.length === 0 ? w("journal.none") : count(next ? "journal.first" : "journal.found", body.children.length));
      if (before) rows[0]?.querySelector("button").focus();
    } catch (why) {
      if (!isTrouble(why)) throw why;
      if (mine === asked) fill(trouble, alarm(problemWords(why)), button(w("again"), () => load(before)));
    } finally {
      if (mine === asked) node.removeAttribute("aria-busy");
    }
  };
  return { node, load };
}

/// Whether the chain is whole: begun by hand, and watched while it runs, which keeps nobody signed in.
function verification() {
  const said = el("div", { class: "verified", role: "status" });
  const go = button(w("verify.go"), () => run(true), { class: "button", icon: "done", id: "verify" });
  const words = (found) => ({
    never: () => null,
    running: () => [el("span", { class: "dot-turning", "aria-hidden": "true" }), w("verify.running", { time: time(found.since) })],
    whole: () => note(`${count("verify.whole", found.entries, { time: moment(found.at) })} ${w("verify.head", { head: found.head.slice(0, 16) })}`, "done"),
    broken: () => alarm(w("verify.broken", { seq: found.seq, time: moment(found.at) }), found.why),
    unread: () => alarm(w("verify.unread", { time: moment(found.at) }), found.why),
  })[found.state]();
  const run = async (begins) => {
    go.disabled = true;
    try {
      const look = () => asWatcher(() => read("/v1/journal/verification"));
      let found = await (begins ? asManager(() => ask("/v1/journal/verification")) : look());
      for (let looks = 0; ; looks += 1) {
        fill(said, words(found));
        if (found.state !== "running") break;
        await new Promise((resolve) => setTimeout(resolve, VERIFY_MS[Math.min(looks, VERIFY_MS.length - 1)]));
        if (!said.isConnected) return;
        found = await look();
      }
    } catch (why) {
      if (!isTrouble(why)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      go.disabled = false;
    }
  };
  run(false);
  return [go, said];
}

/// Taken out by the browser itself, so that the page never holds it.
function exported(format) {
  const link = el("a", { class: "button", id: `export-${format}`, download: `journal.${format}` }, w(format === "csv" ? "journal.csv" : "journal.jsonl"));
  const aim = () => link.setAttribute("href", `/v1/journal/export?${query({ format })}`);
  aim();
  return { link, aim };
}

export function journal() {
  const title = w("journal.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const found = el("p", { class: "hint", role: "status", id: "journal-found" });
  const newer = button(w("journal.newer"), () => again(), { class: "button", icon: "attention", id: "journal-newer" });
  const { node: list, load } = results((words) => { found.textContent = words; });
  const exports = ["csv", "jsonl"].map(exported);
  let seen = office.news;
  let pause = 0;
  const again = () => {
    clearTimeout(pause);
    seen = office.news;
    newer.hidden = true;
    for (const { aim } of exports) aim();
    return load(null);
  };
  const open = el("input", { type: "checkbox", id: "journal-open", checked: wanted.open === "true" });
  const form = el("form", { class: "filters", role: "search", "aria-label": title },
    field("search", w("journal.search"), { type: "search", maxlength: 128, "aria-describedby": "journal-how" }),
    field("from", w("journal.from"), { type: "date" }), field("to", w("journal.to"), { type: "date" }),
    choice("kind", w("journal.kind"), ["sale", "redemption"].map((kind) => [kind, w(`line.${kind}`)])),
    choice("state", w("journal.state"), states()),
    el("label", { class: "check", for: "journal-open" }, open, el("span", {}, w("journal.open_only"))),
    el("p", { class: "hint", id: "journal-how" }, w("journal.how")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again().then(() => speakOut(found.textContent));
  });
  form.addEventListener("input", (event) => {
    const name = event.target.id.replace("journal-", "");
    wanted[name] = name === "open" ? (open.checked ? "true" : "") : event.target.value;
    if (name === "kind") {
      wanted.state = "";
      form.querySelector("#journal-state").closest(".field").replaceWith(choice("state", w("journal.state"), states()));
    }
    clearTimeout(pause);
    pause = setTimeout(again, name === "search" ? PAUSE_MS : 0);
  });
  const update = () => { newer.hidden = seen === office.news; };
  const search = form.querySelector("#journal-search");
  const scan = (text) => {
    wanted.search = search.value = ofScan(text);
    again().then(() => speakOut(found.textContent));
  };
  update();
  again();
  return {
    title,
    focus: search,
    node: el("div", { class: "office" },
      el("div", { class: "office-head" }, heading, el("div", { class: "line-acts" }, exports.map(({ link }) => link))),
      form, el("div", { class: "found" }, found, newer), list,
      el("section", { class: "panel", "aria-labelledby": "verify-title" }, el("h2", { id: "verify-title" }, w("verify.title")), verification())),
    update,
    scan,
  };
}
