// One sale or redemption from its first entry to its last, and its slip: as it looks on paper, and printed once more as a numbered COPY. The value
// of a completed voucher is given back from here.

import { act, ask, read } from "../app/api.js";
import { button, el, fill, setBusy } from "../app/dom.js";
import { speakOut } from "../app/frame.js";
import { worth } from "../app/money.js";
import { asManager, backFromStory, isTrouble, office } from "../app/office.js";
import { exact, moment, w } from "../app/words.js";
import { fetched } from "../parts/fetched.js";
import { canBeGiven, giveBack } from "../parts/giving.js";
import { paperWords, alarm, note, problemWords } from "../parts/said.js";
import { lineSlip } from "../parts/slip.js";
import { stateWords } from "../parts/states.js";
import { told } from "../parts/told.js";

/// Whether there is paper of a line, so that there can be a copy: of a card that is sold, of a redemption that counts, and of one that was
/// given back.
const isOnPaper = ({ kind, state, taken }) => (kind === "sale" ? state === "sold" : ["answered", "completed"].includes(state) || state === "cleared" && Boolean(taken));

function facts(line) {
  const rows = [
    [w("column.what"), line.product_name ?? w(`sort.${line.sort}`)],
    [w("column.amount"), worth(line.amount)],
    [w("fact.taken"), line.taken && worth(line.taken)],
    [w("column.state"), stateWords(line.kind, line.state)],
    [w("column.code"), line.code],
    [w("column.provider"), line.provider],
    [w("column.provider_id"), line.provider_id, { class: "wide" }],
    [w("column.cashier"), line.cashier],
    [w("column.when"), moment(line.opened_at)],
  ];
  return el("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value, props]) => el("div", props, el("dt", {}, name), el("dd", {}, value))));
}

/// Prints the slip of a line once more. `printed(words)`: it is out, or not.
function copy(line, printed) {
  const said = el("div", { role: "status" });
  const go = button(w("copy.go"), async () => {
    setBusy(go, true);
    fill(said, el("p", { class: "hint" }, w("copy.printing")));
    try {
      const words = line.kind === "sale" ? await ofCard(line) : paperWords(await ask(`/v1/redemptions/${line.id}/print`, undefined, { paper: true }));
      await printed(words, `[data-copy="${line.card ?? ""}"]`);
    } catch (why) {
      if (!isTrouble(why)) throw why;
      fill(said, alarm(problemWords(why)));
    } finally {
      setBusy(go, false);
    }
  }, { class: "button", icon: "print", "data-copy": line.card ?? "" });
  return [go, said];
}

async function ofCard(line) {
  const { copy: number, paper } = await asManager(() => act(`/v1/sales/${line.id}/cards/${line.card}/copy`, { by: office.manager }));
  return paperWords({ copy: number, ...(paper ?? { paper: "unclear" }) });
}

/// The slip of one of several lines, behind a fold: it is asked for when that is opened.
function folded(line) {
  const fold = el("details", { on: { toggle: () => fold.open && !fold.querySelector(".slip") && fold.append(lineSlip(line)) } }, el("summary", {}, w("slip.name")));
  return fold;
}

/// The lines, their slips, and what happened. The slip of a line that is alone stands beside both.
function sides(lines, entries, drawn) {
  const [one] = lines;
  const alone = lines.length === 1 && isOnPaper(one);
  return el("div", { class: alone ? "story-sides" : "story-whole" },
    el("div", { class: "story-lines" }, lines.map((line) => drawn(line, !alone && isOnPaper(line) && folded(line)))),
    alone && el("div", { class: "slips" }, lineSlip(one)),
    el("div", { class: "story-entries" }, el("h2", {}, w("story.entries")), el("ol", { class: "story" }, entries)));
}

/// Which copy of its card's slip an entry asks for, if it asks for one: they are numbered as they were asked for.
const numberOf = (entry, entries) => (entry.what === "copy_asked" ? entries.filter(({ what, card, seq }) => what === "copy_asked" && card === entry.card && seq <= entry.seq).length : 0);

/// `kind`: `sale` or `redemption`.
export function story({ kind, id }) {
  const title = w(`line.${kind}`);
  const heading = el("h1", { tabindex: -1 }, title);
  const newer = button(w("story.newer"), () => again(), { class: "button", icon: "attention", id: "story-newer" });
  const said = el("div", { role: "status" });
  let last = 0;
  const shows = ({ lines, entries }) => {
    last = entries.at(-1)?.seq ?? 0;
    newer.hidden = true;
    heading.textContent = `${title} ${lines[0]?.receipt ?? ""}`;
    const printed = async (words, pressed) => {
      fill(said, note(words, "print"));
      speakOut(words);
      await again([pressed]);
    };
    const given = async (words) => {
      fill(said, note(words, "done"));
      speakOut(words);
      await again(["#story-back"]);
    };
    return sides(lines, entries.map((entry) => told(entry, { kind, clock: exact(entry.at), copy: numberOf(entry, entries) })),
      (line, fold) => el("section", { class: "panel", "aria-label": lines.length > 1 ? w("told_card", { n: line.card }) : title },
        facts(line), isOnPaper(line) && copy(line, printed), canBeGiven(line) && giveBack(line, given), fold));
  };
  const { node, again } = fetched(() => read(`/v1/journal/${kind}s/${encodeURIComponent(id)}`), shows);
  const update = () => { newer.hidden = last === 0 || office.newest <= last; };
  update();
  return {
    title,
    focus: heading,
    node: el("div", { class: "office" },
      el("div", { class: "office-head" }, el("div", { class: "step-head" }, button(w("back"), backFromStory, { class: "button quiet", icon: "back", id: "story-back" }), heading), newer),
      said, node),
    update,
  };
}
