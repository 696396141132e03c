// Scans that the daemon's own scanners read go to all pages of this till; the one that was used last takes them, so that nothing is done twice.

import { till as shared } from "./keep.js";

const page = crypto.randomUUID();

const toFront = () => {
  if (document.visibilityState === "visible") shared.set("front", page);
};

/// Whether this page is the one.
export const inFront = () => document.visibilityState === "visible" && (shared.get("front") ?? page) === page;

/// Notes from now on that this page is used.
export function listenForUse() {
  for (const event of ["focus", "pointerdown", "keydown"]) window.addEventListener(event, toFront, true);
  document.addEventListener("visibilitychange", toFront);
  toFront();
}
