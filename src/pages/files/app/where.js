// Where the cashier is, as far as nothing more urgent stands on the screen: the tab, and the step within it.

import { layAside } from "./redeeming.js";
import { changed } from "./till.js";

export const where = {
  tab: "sell",
  /// `value` (of `product`), `rack` (the code of a card of `product`), `which` (product of a scanned `code`), `cashier`, `cases`; or none.
  step: null,
  product: null,
  faceValue: null,
  code: undefined,
  /// The words of a passing remark, such as what a scan was; it goes with the next step.
  remark: null,
};

const NOWHERE = { step: null, product: null, faceValue: null, code: undefined, remark: null };

/// To a tab, at its beginning.
export function toTab(tab) {
  layAside();
  Object.assign(where, NOWHERE, { tab });
  changed();
}

/// To a step.
export function toStep(step, more = {}) {
  Object.assign(where, { remark: null, step, ...more });
  changed();
}

/// Back to the beginning of the tab.
export function home(remark = null) {
  Object.assign(where, NOWHERE, { remark });
  changed();
}

export function remark(words) {
  where.remark = words;
  changed();
}
