// What is on a voucher, and how much of it is taken. A promotional one shows its terms, which the cashier compares with the basket.

import { button, el, fill, setBusy } from "../app/dom.js";
import { minor, money, shown, worth } from "../app/money.js";
import { Lost, Problem } from "../app/api.js";
import { guest, layAside, print, redeem as take } from "../app/redeeming.js";
import { till } from "../app/till.js";
import { toTab, where } from "../app/where.js";
import { changed } from "../app/till.js";
import { w, worded } from "../app/words.js";
import { amountField } from "../parts/amount.js";
import { alarm, note, paperWords, problemWords } from "../parts/said.js";
import { balanceFacts } from "../parts/slip.js";

function facts(check) {
  const rows = [
    [w("fact.voucher"), check.code],
    [w("fact.kind"), w(`voucher_kind.${check.kind}`)],
    [w("fact.recipient"), check.recipient],
    [w("fact.sender"), check.sender],
    [w("fact.description"), !check.redeemable && check.description],
  ];
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function terms(check, box) {
  if (!check.terms) return null;
  return el("section", { class: "terms", "aria-label": w("redeem.terms") }, el("h2", {}, w("redeem.terms")), el("p", {}, check.terms),
    box && el("label", { class: "check", for: "terms" }, box, el("span", {}, w("redeem.terms_confirm"))));
}

function big(check) {
  const { eligible } = check;
  return el("p", { class: "balance" }, el("span", { class: "balance-label" }, w(check.redeemable ? "redeem.left" : "redeem.nothing_left")),
    el("strong", {}, eligible ? worth(eligible, check.item) : "–"));
}

function printing(path) {
  const said = el("div", { role: "status" });
  const go = button(w("print.balance"), async () => {
    setBusy(go, true);
    try {
      fill(said, note(paperWords(await print(path)), "print"));
    } catch (why) {
      if (!(why instanceof Problem) && !(why instanceof Lost)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(go, false);
    }
  }, { class: "button", icon: "print" });
  return [go, said];
}

const head = (heading) => el("div", { class: "step-head" }, button(w("redeem.aside"), layAside, { class: "button quiet", icon: "back" }), heading);

/// Of the balance tab, and of what cannot be redeemed: nothing can be taken here.
export function balance() {
  const { check } = guest;
  const title = check.redeemable ? w("balance.of") : w("redeem.not");
  const heading = el("h1", { tabindex: -1 }, title);
  const on = where.tab === "balance" && check.redeemable && button(w("balance.redeem"), () => {
    where.tab = "redeem";
    changed();
  }, { class: "button primary tall" });
  return {
    title,
    focus: on || heading,
    words: check.eligible ? worth(check.eligible, check.item) : worded("problem", "voucher_not_redeemable", check.text),
    node: el("div", { class: "center wide" }, head(heading),
      el("div", { class: "sides" },
        el("div", { class: "wide-side" }, big(check), !check.redeemable && note(check.description || w("problem.voucher_not_redeemable")),
          facts(check), terms(check), el("div", { class: "choices" }, on, printing(`/v1/vouchers/${check.check}`))),
        el("div", { class: "slips" }, balanceFacts(check)))),
  };
}

/// How much of the voucher in hand.
export function redeem() {
  const { check } = guest;
  const { eligible } = check;
  const items = eligible.items !== undefined;
  const heading = el("h1", { tabindex: -1 }, w("redeem.title"));
  const said = el("div");
  const box = check.kind === "promotional" && check.terms && el("input", { type: "checkbox", id: "terms", on: { change: () => draw() } });
  const go = button("", undefined, { class: "button primary tall", type: "submit" });
  let asked = false;
  let units = items ? BigInt(eligible.items) : minor(eligible);
  const most = items ? BigInt(eligible.items) : minor(eligible);
  const amount = () => (items ? { items: Number(units) } : money(units, eligible.currency));
  const good = () => units !== null && units > 0n && units <= most && (!box || box.checked);
  const draw = () => {
    go.disabled = !good() || asked || !till.reached;
    go.querySelector("span").textContent = units !== null && units > 0n && units <= most ? w("redeem.take", { amount: worth(amount(), check.item) }) : w("redeem.take_nothing");
    fill(said, guest.problem ? alarm(problemWords(guest.problem)) : items && units === null && input.value !== "" ? note(w("amount.whole"))
      : items && units > most ? note(w("problem.more_than_eligible"))
      : box && !box.checked ? note(w("redeem.confirm_first")) : null);
  };
  const { node, input, set } = items ? itemField(eligible.items, (now) => { units = now; draw(); })
    : amountField({ label: w("redeem.how_much"), currency: eligible.currency, units: most,
      wrong: (now) => (now > most ? w("problem.more_than_eligible") : null), changed: (now) => { units = now; draw(); } });
  const all = button(w("redeem.all", { amount: worth(eligible, check.item) }), () => set(most), { class: "button", "data-all": true });
  const submit = async (event) => {
    event.preventDefault();
    if (!good() || asked) return;
    asked = true;
    draw();
    await take(amount(), Boolean(box));
    asked = false;
    draw();
  };
  draw();
  return {
    title: w("redeem.title"),
    words: `${w("redeem.left")} ${worth(eligible, check.item)}`,
    focus: input,
    node: el("form", { class: "center wide", on: { submit } }, head(heading),
      el("div", { class: "sides" },
        el("div", {}, big(check), facts(check), terms(check, box)),
        el("div", {}, all, node, said, go,
          button(w("redeem.only_look"), () => {
            const kept = guest.check;
            toTab("balance");
            guest.check = kept;
          }, { class: "button quiet" })))),
    update: draw,
  };
}

/// A number of whole items.
function itemField(most, changedTo) {
  const input = el("input", { id: "amount", class: "amount-input", type: "text", inputmode: "numeric", autocomplete: "off", maxlength: 6, value: String(most),
    on: { input: () => changedTo(/^\d{1,6}$/.test(input.value) ? BigInt(input.value) : null) } });
  const set = (number) => {
    input.value = String(number);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const step = (by) => () => set(Math.min(most, Math.max(1, (Number.parseInt(input.value, 10) || 0) + by)));
  const node = el("div", { class: "amount" }, el("label", { class: "amount-label", for: "amount" }, w("redeem.how_many")),
    el("div", { class: "stepper" }, button("−", step(-1), { class: "key", "aria-label": w("redeem.fewer") }), input, button("+", step(1), { class: "key", "aria-label": w("redeem.more") })));
  return { node, input, set };
}
