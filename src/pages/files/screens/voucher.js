// A voucher is scanned or typed: to be redeemed, or only to be looked at.

import { button, el, fill, icon } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { guest, layAside, look, views } from "../app/redeeming.js";
import { till } from "../app/till.js";
import { where } from "../app/where.js";
import { w } from "../app/words.js";
import { codeEntry } from "../parts/code.js";
import { alarm, note, problemWords } from "../parts/said.js";

export function voucher() {
  const balance = where.tab === "balance";
  const title = w(balance ? "balance.title" : guest.more ? "voucher.another" : "voucher.title");
  const heading = el("h1", { tabindex: -1 }, title);
  const said = el("div");
  const { field, go, submit, nodes } = codeEntry("voucher-code", w(balance ? "balance.show" : "voucher.check"), look);
  let looking = guest.checking;
  const update = () => {
    if (guest.checking && !looking) speakOut(w("voucher.looking"));
    looking = guest.checking;
    const off = till.session?.vouchers === false;
    go.disabled = guest.checking || off || !till.reached;
    const lost = till.reached ? null : note(w("off.unreached.short"));
    fill(said, off ? note(w("problem.vouchers_not_set_up")) : guest.checking ? el("p", { class: "lead" }, w("voucher.looking"))
      : guest.problem ? alarm(problemWords(guest.problem)) : lost);
  };
  update();
  const waiting = views().length > 0;
  return {
    title,
    words: guest.checking ? w("voucher.looking") : "",
    focus: field,
    node: el("form", { class: "center", on: { submit } },
      guest.more && waiting && button(w("back"), layAside, { class: "button quiet", icon: "back" }),
      heading, el("p", { class: "lead" }, icon("scan"), w(balance ? "balance.how" : "voucher.how")), said,
      nodes),
    update,
  };
}
