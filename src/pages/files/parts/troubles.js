// What stands still or is refused for a reason that a manager can do something about, beyond what hinders selling as a whole: a provider that does not
// take this shop's key, contract or clock, redemptions without their provider, events that could not be written. In words of the page, and
// beside them what the daemon itself says, which is English everywhere and marked as such.

import { el, fill, icon } from "../app/dom.js";
import { count, spoken, w, worded } from "../app/words.js";

/// The daemon's own sentence.
const own = (text) => text && el("span", { class: "own", lang: "en" }, ` ${text}`);

/// Each as its words and the daemon's own. `health`: of the API; `told`: the refusal that the banner above says already, if it does.
function troubles({ provider, vouchers, vouchers_trouble: still, journal }, told) {
  const why = ({ refused: code }) => (code === told ? "" : worded("problem", code, code));
  const refused = (line, who) => line?.refused && { words: `${w(who)} ${why(line)}`.trim(), own: line.trouble };
  return [
    refused(provider, "troubles.cards"),
    refused(vouchers, "troubles.vouchers"),
    still && { words: w("troubles.still"), own: still },
    journal?.set_aside > 0 && { words: count("troubles.set_aside", journal.set_aside) },
  ].filter(Boolean);
}

/// A section that shows them for as long as there are any; `update(health, told)`.
export function troublesBox() {
  const node = el("section", { class: "banner troubles", hidden: true });
  let shownWith = "";
  const update = (health, told) => {
    const all = health ? troubles(health, told) : [];
    const state = JSON.stringify([all, spoken()]);
    if (state === shownWith) return;
    shownWith = state;
    node.setAttribute("aria-label", w("troubles.title"));
    node.hidden = all.length === 0;
    fill(node, icon("stop"), el("div", { class: "banner-text" }, all.map((one) => el("p", {}, el("strong", {}, one.words), own(one.own)))));
  };
  return { node, update };
}
