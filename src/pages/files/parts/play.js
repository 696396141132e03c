// Play or money, unmistakably: said once where it is the same at all providers, else of each by its name.

import { el } from "../app/dom.js";
import { w } from "../app/words.js";

const mark = (play, words) => el("span", { class: play ? "sandbox" : "live" }, words);

/// The marks of a session.
export function playOrMoney({ sandbox, providers }) {
  if (providers.every((one) => one.sandbox === sandbox)) return [mark(sandbox, w(sandbox ? "frame.sandbox" : "frame.live"))];
  return providers.map((one) => mark(one.sandbox, w(one.sandbox ? "frame.sandbox_of" : "frame.live_of", { provider: one.provider })));
}
