// Giving the value of a completed voucher back (row B9), because the goods have come back: asked first, and under the manager's name.

import { act } from "../app/api.js";
import { button, el, fill, setBusy } from "../app/dom.js";
import { worth } from "../app/money.js";
import { asManager, isTrouble, office } from "../app/office.js";
import { till } from "../app/till.js";
import { w } from "../app/words.js";
import { alarm, note, problemWords, redemptionScreen } from "./said.js";

/// Whether it is a manager's to give: before the goods are handed out it is the counter's own undo, and afterwards it happens once.
export const canBeGiven = ({ kind, state }) => kind === "redemption" && state === "completed";

/// `given(words)`: it is on its way, or what became of it.
export function giveBack(line, given) {
  const amount = worth(line.taken ?? line.amount);
  const sure = el("div");
  const said = el("div", { role: "status" });
  const yes = button(w("giving.yes", { amount }), async () => {
    setBusy(yes, true);
    try {
      const view = await asManager(() => act(`/v1/redemptions/${line.id}/reverse`, { by: office.manager, manager: true }));
      await given(redemptionScreen(view));
    } catch (why) {
      if (!isTrouble(why)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(yes, false);
    }
  }, { class: "button primary tall", id: "giving-yes" });
  const go = button(w("giving.go"), () => {
    const title = el("h2", { id: "giving-title", tabindex: -1 }, w("giving.sure", { amount }));
    fill(sure, el("section", { class: "panel sure", "aria-labelledby": "giving-title" }, title, el("p", {}, w("giving.sure_what", { name: office.manager })),
      till.health?.reversal_confirmed === false && note(w("giving.not_set_up")),
      el("div", { class: "choices" }, yes, button(w("cancel"), () => {
        fill(sure);
        go.focus();
      }, { class: "button" })), said));
    title.focus();
  }, { class: "button", icon: "back", id: "giving" });
  return [go, sure];
}
