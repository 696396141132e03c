// A part of a screen that is a manager's to read: it is asked for, shown when it comes, and where it does not come says why and offers to ask
// again. Of two that are asked for the later one is shown, whichever comes first.

import { button, el, fill } from "../app/dom.js";
import { asManager, isTrouble } from "../app/office.js";
import { w } from "../app/words.js";
import { alarm, problemWords } from "./said.js";

/// `reads()` asks, as a manager unless `as` says otherwise; `shows(told)` makes elements of it. `again()` asks anew, and ends when it is shown; what had the
/// focus is looked for in `then`, by the first that is there.
export function fetched(reads, shows, { as = asManager } = {}) {
  const node = el("div", { class: "fetched" }, el("p", { class: "hint" }, w("wait.moment")));
  let asked = 0;
  const again = async (then = []) => {
    asked += 1;
    const mine = asked;
    node.setAttribute("aria-busy", "true");
    try {
      const told = await as(reads);
      if (mine !== asked) return;
      const held = node.contains(document.activeElement);
      fill(node, shows(told));
      if (held) then.map((one) => node.querySelector(one)).find(Boolean)?.focus();
    } catch (why) {
      if (!isTrouble(why)) throw why;
      if (mine === asked) fill(node, alarm(problemWords(why)), button(w("again"), () => again()));
    } finally {
      if (mine === asked) node.removeAttribute("aria-busy");
    }
  };
  again();
  return { node, again };
}
