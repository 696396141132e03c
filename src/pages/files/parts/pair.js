// Letting another screen in: its code is shown here for as long as this screen stands, and is kept nowhere.

import { ask } from "../app/api.js";
import { button, el, fill, setBusy } from "../app/dom.js";
import { asManager, isTrouble } from "../app/office.js";
import { w } from "../app/words.js";
import { countdown } from "./countdown.js";
import { alarm, problemWords } from "./said.js";

export function pairAnother() {
  const said = el("div", { role: "status" });
  const go = button(w("pair.go"), async () => {
    setBusy(go, true);
    try {
      const { code, expires_in_s: left } = await asManager(() => ask("/v1/pairing"));
      const until = new Date(Date.now() + left * 1000).toISOString();
      fill(said, el("dl", { class: "facts" }, el("div", {}, el("dt", {}, w("pair.code")), el("dd", { class: "pairing-code" }, code)),
        el("div", {}, el("dt", {}, w("pair.left")), el("dd", {}, countdown(until)))));
    } catch (why) {
      if (!isTrouble(why)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(go, false);
    }
  }, { class: "button", id: "pair" });
  return el("section", { class: "panel", "aria-labelledby": "pair-title" }, el("h2", { id: "pair-title" }, w("pair.title")), el("p", {}, w("pair.how")), go, said);
}
