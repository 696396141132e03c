// The slip as it looks on paper: the daemon's own rows in the printer's columns, codes masked. A QR code, bars, a picture and the knife
// are told, not drawn: the first three would be money.
//
// It is a drawing in cells of one letter each, so that it keeps its columns at any width; who does not see it reads the same rows as
// text. Where there is no slip to be shown it says why, and is never an empty box.

import { drawing, el, fill, button } from "../app/dom.js";
import { Lost, Problem, read } from "../app/api.js";
import { worth } from "../app/money.js";
import { till } from "../app/till.js";
import { w } from "../app/words.js";
import { note, problemWords } from "./said.js";

/// A cell in units of the drawing, and how far above its foot a letter stands.
const WIDE = 12;
const HIGH = 24;
const FOOT = 6;
/// How many rows stand for what is told.
const TOLD = { qr: 6, barcode: 3, picture: 4 };
/// A letter that fills two cells (East Asian wide and full-width).
const FULL = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;

const cells = (text) => [...text].length + (text.match(FULL) ?? []).length;

/// A row of text, from `top` on.
function letters({ text, align, width = 1, height = 1, bold, underline, inverse }, columns, top) {
  const length = cells(text) * WIDE * width;
  const free = columns * WIDE - length;
  const left = align === "centre" ? free / 2 : align === "right" ? free : 0;
  const look = ["slip-row", bold && "slip-bold", underline && "slip-underline", inverse && "slip-inverse"].filter(Boolean).join(" ");
  const line = text.trim() !== "" && drawing("text", { transform: `translate(${left} ${top + (HIGH - FOOT) * height}) scale(${width} ${height})`, textLength: cells(text) * WIDE, lengthAdjust: "spacingAndGlyphs" },
    text.replaceAll(" ", "\u00a0"));
  return drawing("g", { class: look }, inverse && drawing("rect", { x: left, y: top, width: length, height: HIGH * height }), line);
}

/// A place for what is not drawn.
function told(words, rows, columns, top) {
  const side = Math.min(columns * WIDE, rows > 4 ? rows * HIGH * 1.6 : columns * WIDE * 0.7);
  return drawing("g", { class: "slip-told" },
    drawing("rect", { x: (columns * WIDE - side) / 2, y: top + 4, width: side, height: rows * HIGH - 8, rx: 4 }),
    drawing("text", { x: (columns * WIDE) / 2, y: top + (rows * HIGH) / 2 + FOOT, "text-anchor": "middle" }, words));
}

function cut(columns, top) {
  const middle = top + HIGH / 2;
  return drawing("g", { class: "slip-cut" }, drawing("line", { x1: 0, y1: middle, x2: columns * WIDE - 2 * HIGH, y2: middle }),
    drawing("text", { x: columns * WIDE, y: middle + FOOT, "text-anchor": "end" }, "✂"));
}

/// A slip of the API as a drawing, and as text beside it.
function asPaper({ columns, parts }) {
  let top = 0;
  const drawn = [];
  const said = [];
  for (const part of parts) {
    const rows = part.kind === "row" ? part.height ?? 1 : part.kind === "feed" ? part.rows : TOLD[part.kind] ?? 1;
    if (part.kind === "row") drawn.push(letters(part, columns, top));
    else if (part.kind === "cut") drawn.push(cut(columns, top));
    else if (part.kind in TOLD) drawn.push(told(w(`slip.${part.kind}`), rows, columns, top));
    if (part.kind === "row") said.push(part.text.trim().replace(/\s{2,}/g, ", "));
    else if (part.kind !== "feed") said.push(w(`slip.${part.kind}`));
    top += rows * HIGH;
  }
  return [
    drawing("svg", { class: "slip-paper", viewBox: `0 0 ${columns * WIDE} ${top}`, "aria-hidden": "true", focusable: "false" }, drawn),
    el("div", { class: "unseen" }, said.filter(Boolean).map((line) => el("p", {}, line))),
  ];
}

/// The slip at this path, as soon as it is there. `below`: what stands beneath it.
function paper(path, below) {
  const box = el("div", { class: "slip-box", "aria-busy": "true" }, el("p", { class: "hint" }, w("wait.moment")));
  const node = el("figure", { class: "slip", "aria-label": w("slip.name") }, box, below && el("figcaption", {}, below));
  const ask = async () => {
    try {
      fill(box, asPaper(await read(path)));
    } catch (why) {
      if (!(why instanceof Problem) && !(why instanceof Lost)) throw why;
      fill(box, note(problemWords(why)), why instanceof Lost && button(w("again"), ask));
    }
    box.removeAttribute("aria-busy");
  };
  ask();
  return node;
}

/// Of a card of a sale.
export const cardSlip = (sale, card) => paper(`/v1/sales/${sale.id}/cards/${card.number}/slip`, [card.name, card.paper && w(`paper.${card.paper.state}`)].filter(Boolean).join(" · "));

/// Of a redemption.
export const redemptionSlip = (view) => paper(`/v1/redemptions/${view.id}/slip`, view.code);

/// Of a line of the journal.
export const lineSlip = ({ kind, id, card, product_name: name, code }) => (kind === "sale" ? paper(`/v1/sales/${id}/cards/${card}/slip`, name) : paper(`/v1/redemptions/${id}/slip`, code));

const row = (name, value) => value && el("div", { class: "slip-fact" }, el("dt", {}, name), el("dd", {}, value));

/// What was seen of a voucher. The daemon shows no slip of a look before it is printed.
export function balanceFacts(check) {
  return el("div", { class: "slip", role: "group", "aria-label": w("slip.facts") },
    el("p", { class: "slip-title" }, w("slip.balance")),
    el("p", { class: "slip-amount" }, check.eligible ? worth(check.eligible, check.item) : "–"),
    el("hr", { "aria-hidden": "true" }),
    el("dl", {}, row(w("slip.voucher"), check.code), row(w("slip.store"), till.session?.store)));
}
