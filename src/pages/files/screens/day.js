// A day of business: what it adds up to, what is still open, X (a look, at any time) and Z (its closing, once, numbered).

import { ask, read } from "../app/api.js";
import { button, el, fill, icon, setBusy } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { worth } from "../app/money.js";
import { asManager, isTrouble, office, toStory } from "../app/office.js";
import { count, date, moment, number, today, w, worded } from "../app/words.js";
import { fetched } from "../parts/fetched.js";
import { alarm, note, paperWords, problemWords } from "../parts/said.js";
import { stateWords } from "../parts/states.js";

const FIGURES = ["sold", "money_back", "redeemed", "given_back"];

const beside = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/// The day that is looked at; it stays while the page does.
let chosen = null;

/// How many and how much of a figure; several where there are several currencies.
function figure(sums, name) {
  const of = sums.filter((sum) => sum.figure === name);
  if (of.length === 0) return "–";
  return of.map((sum) => el("span", { class: "sum" }, el("strong", {}, worth(sum.amount)), el("span", { class: "hint" }, count("day.times", sum.count))));
}

function table(title, rows) {
  if (rows.length === 0) return null;
  return el("section", { class: "table-box" }, el("table", { class: "table" }, el("caption", {}, title),
    el("thead", {}, el("tr", {}, el("td"), FIGURES.map((name) => el("th", { scope: "col", class: "number" }, w(`figure.${name}`))))),
    el("tbody", {}, rows.map(([name, sums]) => el("tr", {}, el("th", { scope: "row" }, name), FIGURES.map((one) => el("td", { class: "number" }, figure(sums, one))))))));
}

function openLines(lines) {
  if (lines.length === 0) return note(w("day.nothing_open"), "done");
  return el("ul", { class: "open-lines" }, lines.map((line) => el("li", {},
    el("span", { class: "state-mark open" }, icon("attention"), stateWords(line.kind, line.state)),
    el("span", {}, `${line.product_name ?? w(`sort.${line.sort}`)}, ${worth(line.amount)}`),
    el("button", { type: "button", class: "button row-open", "aria-label": w("journal.open_line", { receipt: line.receipt }), on: { click: () => toStory(line.kind, line.id) } }, el("span", {}, line.receipt), icon("next")))));
}

const zWords = ({ closing }) => w("day.closed", { n: number(closing.number), by: closing.by, time: moment(closing.at) });

/// X and Z. `again()` shows the day anew; `said` says what came of it.
function reports(told, again, said) {
  const all = [];
  const busy = (is) => all.forEach((one) => setBusy(one, is));
  const reporting = (kind, label, words, props) => {
    const go = async () => {
      busy(true);
      try {
        const report = await asManager(() => ask(`/v1/days/${told.day}/report`, { kind, print: true, by: office.manager }, { paper: true }));
        const paper = paperWords(report.paper);
        await again(["#z-again", "#x-print"]);
        fill(said, note(paper, report.paper.paper === "printed" ? "done" : "attention"));
        speakOut(`${words(report)} ${paper}`);
      } catch (why) {
        if (!isTrouble(why)) throw why;
        fill(said, alarm(problemWords(why)));
        busy(false);
      }
    };
    const made = button(label, go, { class: "button", icon: "print", ...props });
    all.push(made);
    return made;
  };
  if (told.closing) {
    return [note(zWords(told), "done"), el("div", { class: "line-acts" }, reporting("z", w("day.z_again"), () => "", { id: "z-again" }))];
  }
  const sure = el("div");
  const yes = reporting("z", w("day.z_yes"), zWords, { class: "button primary tall", id: "z-yes" });
  const z = button(w("day.z"), () => {
    const title = el("h2", { id: "sure-title", tabindex: -1 }, w("day.sure", { day: date(told.day) }));
    fill(sure, el("section", { class: "panel sure", "aria-labelledby": "sure-title" }, title,
      el("p", {}, w("day.sure_what")), told.open.length > 0 && note(count("day.sure_open", told.open.length)),
      el("div", { class: "choices" }, yes, button(w("cancel"), () => {
        fill(sure);
        z.focus();
      }, { class: "button" }))));
    // Not the button: the next Enter, whosever it is, closes no day.
    title.focus();
  }, { class: "button primary", id: "z" });
  return [el("div", { class: "line-acts" }, reporting("x", w("day.x"), () => "", { id: "x-print" }), told.day <= today() && z), sure];
}

export function day() {
  chosen ??= today();
  const title = w("day.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const said = el("div", { role: "status" });
  const name = el("p", { class: "lead", role: "status" });
  const field = el("input", { type: "date", id: "day", class: "text-input", value: chosen, max: today() });
  const { node, again } = fetched(() => read(`/v1/days/${chosen}`), (told) => {
    const named = (one) => one.name ?? w("day.nobody");
    return [
      reports(told, again, said),
      table(w("day.all"), [[w("day.all"), told.sums]]),
      told.sums.length === 0 && el("p", { class: "lead" }, w("day.nothing")),
      table(w("day.by_product"), told.by_product.map((one) => [one.product ? one.name : worded("sort", one.name, one.name), one.sums])),
      table(w("day.by_tender"), told.by_tender.map((one) => [worded("tender", one.tender, one.tender), one.sums])),
      table(w("day.by_provider"), told.by_provider.map((one) => [named(one), one.sums])),
      table(w("day.by_cashier"), told.by_cashier.map((one) => [named(one), one.sums])),
      el("section", { class: "panel", "aria-labelledby": "open-title" }, el("h2", { id: "open-title" }, w("day.open")), openLines(told.open)),
      el("p", { class: "hint" }, w("day.read_at", { time: moment(told.read_at), after: number(told.after), upto: number(told.upto) })),
    ];
  });
  const go = (to) => {
    chosen = to;
    field.value = to;
    fill(said);
    name.textContent = date(to);
    after.disabled = to >= today();
    return again();
  };
  const after = button(w("day.after"), () => go(beside(chosen, 1)), { class: "button", icon: "next", id: "day-after" });
  field.addEventListener("change", () => /^\d{4}-\d\d-\d\d$/.test(field.value) && go(field.value));
  name.textContent = date(chosen);
  after.disabled = chosen >= today();
  return {
    title,
    focus: heading,
    node: el("div", { class: "office" },
      el("div", { class: "office-head" }, el("div", {}, heading, name),
        el("div", { class: "day-choice" }, button(w("day.before"), () => go(beside(chosen, -1)), { class: "button", icon: "back", id: "day-before" }),
          el("div", { class: "field" }, el("label", { class: "unseen", for: "day" }, w("day.choose")), field), after,
          button(w("day.reread"), () => go(chosen), { class: "button quiet", id: "day-reread" }))),
      said, node),
  };
}
