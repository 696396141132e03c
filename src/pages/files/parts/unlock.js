// Voucher codes: where a terminal has been told too many wrong ones it takes none for a while, and only a manager ends that. The daemon does not
// tell whether it is so, and asking for it twice does no harm: so it is offered at any time.

import { ask } from "../app/api.js";
import { button, el, fill, setBusy } from "../app/dom.js";
import { asManager, isTrouble, office } from "../app/office.js";
import { w } from "../app/words.js";
import { alarm, note, problemWords } from "./said.js";

export function unlock() {
  const said = el("div", { role: "status" });
  const go = button(w("unlock.go"), async () => {
    setBusy(go, true);
    try {
      await asManager(() => ask("/v1/vouchers/unlock", { by: office.manager }));
      fill(said, note(w("unlock.done"), "done"));
    } catch (why) {
      if (!isTrouble(why)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(go, false);
    }
  }, { class: "button", id: "unlock" });
  return el("section", { class: "panel", "aria-labelledby": "unlock-title" }, el("h2", { id: "unlock-title" }, w("unlock.title")), el("p", {}, w("unlock.how")), go, said);
}
