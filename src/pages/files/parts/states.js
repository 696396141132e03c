// States of cards and redemptions in words, with a sign beside them that says the same.

import { w } from "../app/words.js";

/// As the API names them, in the order of a card's life.
export const CARD_STATES = [
  "creating", "not_sold", "created", "paid", "confirming", "asking", "active", "printing", "print_stopped", "print_unclear", "sold", "owed", "spent",
  "stuck", "cleared", "settled",
];
/// The same of a redemption.
export const VOUCHER_STATES = [
  "redeeming", "looking_up", "comparing", "not_redeemed", "not_applied", "granted_less", "redeemed", "answered", "completed", "unclear", "owed", "stuck",
  "cleared", "settled",
];

const DONE = new Set(["sold", "completed"]);

/// The words of a state of a `sale` or a `redemption`.
export const stateWords = (kind, state) => w(kind === "sale" ? `state.${state}` : `voucher_state.${state}`);

/// The sign of a line of the journal: something remains to be done, it went well, or it came to nothing.
export const stateSign = (line) => (line.open ? "attention" : DONE.has(line.state) ? "done" : "remove");
