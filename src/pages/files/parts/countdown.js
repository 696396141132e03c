// Time that is left until a moment, counted down where it stands. It is no live region: a screen reader reads it when it is looked at.

import { el, say } from "../app/dom.js";
import { count, moment, w } from "../app/words.js";

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/// So many ms in words: days while there are at least two, else hours, minutes and seconds.
export function leftWords(ms) {
  if (ms <= 0) return w("left.over");
  if (ms >= 2 * DAY) return count("left.days", Math.floor(ms / DAY));
  const seconds = Math.ceil(ms / SECOND);
  const two = (number) => String(number).padStart(2, "0");
  const minutes = `${Math.floor((seconds % 3600) / 60)}`;
  const hours = Math.floor((seconds * SECOND) / HOUR);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

const draw = (node) => say(node, leftWords(Date.parse(node.dateTime) - Date.now()));

let ticking = 0;

/// The time until a moment of the API; the moment itself stands beside it.
export function countdown(instant) {
  const node = el("time", { class: "left", role: "timer", datetime: instant, "aria-live": "off" });
  draw(node);
  ticking ||= setInterval(() => document.querySelectorAll("time.left").forEach(draw), SECOND);
  return [node, ` (${moment(instant)})`];
}
