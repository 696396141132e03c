// Products as the provider's catalogue has them, and what the shop may still spend there.

import { read } from "../app/api.js";
import { button, el, icon } from "../app/dom.js";
import { brief, minor, shown } from "../app/money.js";
import { till, tryLine } from "../app/till.js";
import { count, moment, w } from "../app/words.js";
import { fetched } from "../parts/fetched.js";

const values = (offer) => (offer.kind === "open" ? w("value.between", { least: brief(offer.least), most: brief(offer.most) }) : offer.values.map(brief).join(", "));

function row(product) {
  return el("tr", {}, el("th", { scope: "row" }, product.name, el("span", { class: "hint" }, product.brand)), el("td", {}, product.code), el("td", {}, w(`kind.${product.kind}`)),
    el("td", {}, values(product.face_values)),
    el("td", {}, el("span", { class: product.sellable ? "state-mark" : "state-mark open" }, icon(product.sellable ? "done" : "stop"), w(product.sellable ? "products.sold" : "products.not_sold"))));
}

/// What may be spent at a provider in a currency; a low one says so.
function amount(one, below) {
  const low = below && minor(one) < minor(below);
  return el("div", { class: low ? "balance low" : "balance", "data-currency": one.currency }, el("strong", {}, shown(one)),
    low && el("span", { class: "sign sign-warn" }, icon("attention"), w("products.low", { amount: shown(below) })));
}

function balance({ provider, available, low_below: limits }) {
  return el("div", { class: "balance-of" }, el("h3", {}, provider), available.map((one) => amount(one, limits.find(({ currency }) => currency === one.currency))));
}

export function products() {
  const title = w("products.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const found = el("p", { class: "hint", role: "status" });
  const body = el("tbody");
  const search = el("input", { type: "search", id: "products-search", class: "text-input", autocomplete: "off", on: { input: () => draw() } });
  const draw = () => {
    const words = search.value.trim().toLocaleLowerCase().split(/\s+/);
    const fitting = till.products.filter((one) => words.every((word) => `${one.name} ${one.brand} ${one.code}`.toLocaleLowerCase().includes(word)));
    found.textContent = count("products.found", fitting.length);
    body.replaceChildren(...fitting.map(row));
  };
  let shownWith = "";
  const update = () => {
    const state = JSON.stringify(till.products);
    if (state === shownWith) return;
    shownWith = state;
    draw();
  };
  update();
  const { node, again } = fetched(() => read("/v1/balances"), ({ balances }) => [balances.map(balance), el("p", { class: "hint" }, w("products.as_of", { time: moment(Date.now()) }))], { as: (asks) => asks() });
  const fetchAll = async () => {
    go.disabled = true;
    await tryLine();
    await again();
    go.disabled = false;
  };
  const go = button(w("products.fetch"), fetchAll, { class: "button", id: "products-fetch" });
  return {
    title,
    focus: heading,
    node: el("div", { class: "office" }, el("div", { class: "office-head" }, heading, go),
      el("section", { class: "panel", "aria-labelledby": "balances-title" }, el("h2", { id: "balances-title" }, w("products.balances")), node),
      el("div", { class: "filters" }, el("div", { class: "field" }, el("label", { for: "products-search" }, w("sell.search")), search), found),
      el("div", { class: "table-box" }, el("table", { class: "table" }, el("caption", { class: "unseen" }, title),
        el("thead", {}, el("tr", {}, ["name", "code", "kind", "values", "state"].map((one) => el("th", { scope: "col" }, w(`column.${one}`))))), body))),
    update,
  };
}
