// The beginning of selling: products as tiles with a search, and the basket beside them.

import { button, el, fill, icon, say } from "../app/dom.js";
import { brief, shown } from "../app/money.js";
import { MOST_CARDS, draft, emptyDraft, removeCard, sell as begin, total } from "../app/selling.js";
import { hindrance, till } from "../app/till.js";
import { fits, offered } from "../app/arrival.js";
import { toStep } from "../app/where.js";
import { count, place, w } from "../app/words.js";
import { alarm, note, problemWords } from "../parts/said.js";

/// What is searched for, and in which basket: the next customer sees every card.
const search = { text: "", receipt: "" };

function values({ face_values: offer }) {
  if (offer.kind === "open") return `${brief(offer.least)} – ${brief(offer.most)}`;
  return offer.values.map(brief).join(" · ");
}

/// The pictures that were drawn, by product and path (products of one brand may share a path, and an element has one place): tiles that are drawn anew take them over, so that none is loaded twice or blinks.
const pictures = new Map();

/// A picture, unseen until it is there; one that cannot be loaded goes, and is tried again when the tiles are drawn anew.
function picture({ code, picture: path }) {
  const key = `${code} ${path}`;
  if (!pictures.has(key)) {
    const image = el("img", {
      src: path, alt: "", loading: "lazy", decoding: "async",
      on: {
        load: () => image.classList.add("there"),
        error: () => {
          image.remove();
          pictures.delete(key);
        },
      },
    });
    pictures.set(key, image);
  }
  return pictures.get(key);
}

/// The brand's picture over its letter: where there is none, or it does not come, the letter stands.
const mark = (product) => el("span", { class: "tile-mark", "aria-hidden": "true" },
  (product.brand || product.name).trim().charAt(0).toLocaleUpperCase(place()), product.picture && picture(product));

function tile(product, off) {
  const able = fits(product) && !off;
  const why = product.sellable ? "" : w("sell.not_now");
  return el("li", {}, el("button", {
    type: "button", class: "tile", "data-product": product.code, disabled: !able,
    on: { click: () => toStep("value", { product }) },
  },
  mark(product),
  el("span", { class: "tile-text" },
    el("span", { class: "tile-name" }, product.name),
    el("span", { class: "tile-values" }, why || values(product)),
    el("span", { class: "tile-kind" }, icon(product.kind === "por" ? "print" : "scan"), w(`kind.${product.kind}`)))));
}

function found() {
  const wanted = search.text.toLocaleLowerCase(place()).split(/\s+/).filter(Boolean);
  const text = (one) => `${one.name} ${one.brand} ${one.code}`.toLocaleLowerCase(place());
  const able = (one) => (one.sellable ? 0 : 1);
  return offered().filter((one) => wanted.every((word) => text(one).includes(word)))
    .sort((a, b) => able(a) - able(b) || a.name.localeCompare(b.name, place()));
}

const named = (card) => `${card.name} ${shown(card.face_value)}`;

function basketLine(card, at) {
  return el("li", { class: "line" },
    el("span", { class: "line-text" }, el("strong", {}, card.name), card.tail && el("span", { class: "line-code" }, `•••• ${card.tail}`)),
    el("span", { class: "line-amount" }, shown(card.face_value)),
    el("button", { type: "button", class: "button icon-only", "aria-label": w("basket.remove", { name: card.name }), on: { click: () => removeCard(at) } }, icon("remove")));
}

export function sell() {
  const heading = el("h1", { tabindex: -1 }, w("sell.title"));
  const tiles = el("ul", { class: "tiles" });
  const none = el("p", { class: "lead" });
  const lines = el("ol", { class: "lines" });
  const empty = el("p", { class: "hint" });
  const sum = el("p", { class: "total" });
  const trouble = el("div");
  const go = button("", begin, { class: "button primary tall", icon: "cash" });
  const clear = button(w("basket.empty"), emptyDraft, { class: "button quiet" });
  let drawn = "";
  const field = el("input", {
    id: "search", type: "search", class: "text-input", value: search.text, autocomplete: "off", spellcheck: "false", placeholder: w("sell.search_hint"),
    on: { input: () => { search.text = field.value; draw(); } },
  });
  const draw = () => {
    if (search.receipt !== draft.receipt) {
      Object.assign(search, { text: "", receipt: draft.receipt });
      field.value = "";
    }
    const why = hindrance();
    const now = found();
    const state = JSON.stringify([now, why?.key, draft.cards[0]?.face_value.currency]);
    // Redrawn only where something is different: the focus stays on its tile.
    if (state !== drawn) {
      const focused = document.activeElement?.dataset?.product;
      fill(tiles, now.map((product) => tile(product, why)));
      if (focused) tiles.querySelector(`[data-product="${CSS.escape(focused)}"]`)?.focus();
      drawn = state;
    }
    say(none, now.length > 0 ? "" : till.products.length === 0 ? w("sell.no_products") : w("sell.none_found"));
    fill(lines, draft.cards.map(basketLine));
    say(empty, draft.cards.length + draft.lost.length === 0 ? w("basket.nothing") : "");
    const due = total();
    fill(sum, due && [el("span", {}, w("basket.total")), el("strong", {}, shown(due))]);
    say(go.querySelector("span"), due ? count("basket.sell", draft.cards.length, { amount: shown(due) }) : w("basket.sell_nothing"));
    go.disabled = !due || draft.opening || Boolean(why);
    clear.hidden = draft.cards.length + draft.lost.length === 0;
    fill(trouble, draft.lost.length > 0 && note(w("basket.lost", { cards: draft.lost.map(named).join(", ") })), draft.problem && alarm(problemWords(draft.problem), draft.problem.reason), draft.cards.length >= MOST_CARDS && note(w("problem.too_many_cards")));
  };
  draw();
  const first = (event) => {
    event.preventDefault();
    tiles.querySelector("button:not(:disabled)")?.click();
  };
  return {
    title: w("sell.title"),
    focus: heading,
    node: el("div", { class: "two" },
      el("section", { class: "shelf", "aria-label": w("sell.shelf") },
        el("div", { class: "shelf-head" }, heading,
          el("form", { class: "search", role: "search", on: { submit: first } }, icon("find"), el("label", { class: "unseen", for: "search" }, w("sell.search")), field)),
        tiles, none),
      el("section", { class: "basket", "aria-label": w("basket.title") },
        el("div", { class: "basket-head" }, el("h2", {}, w("basket.title")), clear), lines, empty, trouble, sum, go)),
    update: draw,
  };
}
