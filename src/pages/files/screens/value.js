// The value of a card: one of those that there are, or any between two.

import { button, el } from "../app/dom.js";
import { brief, decimals, minor, money, shown } from "../app/money.js";
import { addCard } from "../app/selling.js";
import { home, toStep, where } from "../app/where.js";
import { w } from "../app/words.js";
import { amountField } from "../parts/amount.js";

/// Takes the value: a printed card goes into the basket, one from the rack wants its code first.
function take(product, faceValue) {
  if (product.kind === "posa" && where.code === undefined) return toStep("rack", { product, faceValue });
  const problem = addCard(product, faceValue, where.code);
  home(problem && w(`problem.${problem}`));
}

/// Round amounts that many want, as far as the product has them.
function likely({ least, most }) {
  const unit = 10n ** BigInt(decimals(least.currency));
  const step = decimals(least.currency) === 0 ? 100n : 1n;
  return [10n, 20n, 25n, 50n, 100n, 200n].map((one) => one * unit * step).filter((one) => one >= minor(least) && one <= minor(most));
}

export function value() {
  const { product } = where;
  const heading = el("h1", { tabindex: -1 }, product.name);
  const offer = product.face_values;
  const head = el("div", { class: "step-head" }, button(w("back"), () => home(), { class: "button quiet", icon: "back" }),
    el("div", {}, heading, el("p", { class: "hint" }, product.brand, " · ", w(`kind.${product.kind}`))));
  if (offer.kind === "fixed") {
    const choices = offer.values.map((one) => button(brief(one), () => take(product, one), { class: "button value", "data-value": one.amount }));
    return {
      title: product.name,
      focus: choices[0],
      node: el("div", { class: "center wide" }, head, el("h2", {}, w("value.which")), el("div", { class: "values" }, choices)),
    };
  }
  const { least, most } = offer;
  const { currency } = least;
  const hint = w("value.between", { least: shown(least), most: shown(most) });
  let units = null;
  const good = () => units !== null && units >= minor(least) && units <= minor(most);
  const add = button(w("value.add"), undefined, { class: "button primary tall", type: "submit", disabled: true });
  const field = amountField({
    label: w("value.how_much"), currency, hint,
    wrong: (now) => (now < minor(least) ? w("value.too_little", { least: shown(least) }) : now > minor(most) ? w("value.too_much", { most: shown(most) }) : null),
    changed: (now) => {
      units = now;
      add.disabled = !good();
      add.querySelector("span").textContent = good() ? w("value.add_amount", { amount: shown(money(units, currency)) }) : w("value.add");
    },
  });
  const quick = likely(offer).map((one) => button(brief(money(one, currency)), () => take(product, money(one, currency)), { class: "button value", "data-value": money(one, currency).amount }));
  const submit = (event) => {
    event.preventDefault();
    if (good()) take(product, money(units, currency));
  };
  return {
    title: product.name,
    focus: field.input,
    node: el("form", { class: "center wide", on: { submit } }, head,
      el("div", { class: "sides" }, el("div", {}, el("h2", {}, w("value.which")), el("div", { class: "values" }, quick)), el("div", {}, field.node, add))),
  };
}
