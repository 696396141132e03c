// The manager at this screen: who is signed in and until when, and where he is on the page.
//
// Who is signed in the daemon alone decides; the page believes its session, and asks anew when it should have ended. What is read by itself,
// because the stream has told of something or time has passed, is never what only a manager may read: that would keep somebody signed in who
// has gone. So whatever is his is read when he asks for it (`asManager`), and a list that is no longer the newest says so.
//
// Ways to fail: a PIN is wrong, or none is taken for a while (the screen says how long); the session has ended (`parted`: the PIN
// again, the place on the page stays); the daemon was not reached (as everywhere).

import { Lost, Problem, ask, drop, read } from "./api.js";
import { tab as kept } from "./keep.js";
import { changed, onNews, quietly, till } from "./till.js";

/// How long before its end the session's end is told: time enough to stay (WCAG 2.2.1).
const TOLD_MS = 60_000;
/// The daemon's clock and this page's run beside each other.
const LATE_MS = 300;
/// After how long it is asked again while it is not reached.
const AGAIN_MS = 2_000;

const HOME = { tab: "cases", opened: null };

export const office = {
  /// Who is signed in: a name; null if nobody is.
  manager: null,
  /// When that ends by this page's clock if nothing is done.
  until: 0,
  /// It ends within a minute.
  ending: false,
  /// Why nobody is signed in any more: `idle` (it ended by itself) or `left`; null if nobody was.
  parted: null,
  /// `cases`, `journal`, `day`, `devices`, `products`.
  tab: HOME.tab,
  /// The sale or redemption that is looked at, if one is: `{ kind, id }`.
  opened: HOME.opened,
  /// How many changes of sales and redemptions the stream has told of, and the entry that was the last one of what is `opened`.
  news: 0,
  newest: 0,
  ...kept.get("office"),
};

/// What the manager is typing at open cases, by their names. It is nobody else's to submit: it goes when he signs out or another one comes.
export const drafts = new Map();
/// Whose it is.
let whose = null;

let timer = 0;
/// How long a session lasts without an act, as far as it was seen.
let whole = 0;
/// A sign-out is on its way.
let leaving = false;

function keepPlace() {
  kept.set("office", { tab: office.tab, opened: office.opened });
  changed();
}

export function toTab(name) {
  Object.assign(office, { tab: name, opened: null });
  keepPlace();
}

/// Opens a sale or a redemption of the journal.
export function toStory(kind, id) {
  Object.assign(office, { opened: { kind, id }, newest: 0 });
  keepPlace();
}

export function backFromStory() {
  office.opened = null;
  keepPlace();
}

/// Takes over who is signed in, as the daemon says.
export function tookSession(session) {
  till.session = session;
  const { manager } = session;
  if (!manager || leaving) {
    if (office.manager !== null) part("idle");
    return changed();
  }
  if (manager.name !== whose) drafts.clear();
  whose = manager.name;
  whole = Math.max(whole, manager.ends_in_s * 1000);
  Object.assign(office, { manager: manager.name, parted: null });
  until(manager.ends_in_s * 1000);
  changed();
}

/// It ends in so many ms unless something is done.
function until(left) {
  office.until = Date.now() + left;
  office.ending = left <= TOLD_MS;
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (left > TOLD_MS) {
      until(office.until - Date.now());
      changed();
    } else lookAgain();
  }, left > TOLD_MS ? left - TOLD_MS : left + LATE_MS);
}

/// Another page of this browser may have done something, so the daemon knows it better.
async function lookAgain() {
  try {
    tookSession(await read("/v1/session"));
  } catch (why) {
    quietly(why);
    clearTimeout(timer);
    timer = setTimeout(lookAgain, AGAIN_MS);
  }
}

/// Nobody is signed in any more.
function part(why) {
  clearTimeout(timer);
  if (why === "left") drafts.clear();
  Object.assign(office, { manager: null, ending: false, parted: why, ...(why === "left" && HOME) });
  keepPlace();
}

/// Asks for something that only a manager may: that, and nothing else, keeps him signed in.
export async function asManager(asks) {
  const by = office.manager;
  const answer = await asWatcher(asks);
  if (office.manager === by && by !== null) until(whole);
  return answer;
}

/// Looks how something goes on that a manager has begun: the page does so by itself, so that it keeps nobody signed in.
export async function asWatcher(asks) {
  try {
    return await asks();
  } catch (why) {
    if (why instanceof Problem && why.code === "manager_needed" && office.manager !== null) part("idle");
    throw why;
  }
}

/// Whether it is one of the ways to fail that a screen tells, and no error of the page.
export const isTrouble = (why) => why instanceof Problem || why instanceof Lost;

/// A look at what is his keeps a manager signed in.
export const stay = () => asManager(() => read("/v1/journal?limit=1")).then(changed, quietly);

export async function signIn(name, pin) {
  leaving = false;
  await ask("/v1/session/manager", { name, pin });
  tookSession(await read("/v1/session"));
}

/// Out means out: it is asked for until the daemon has heard it, and until then nobody is believed to be signed in.
export async function signOut() {
  leaving = true;
  part("left");
  while (leaving) {
    try {
      await drop("/v1/session/manager");
      leaving = false;
    } catch (why) {
      quietly(why);
      if (why instanceof Problem) leaving = false;
      else await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/// Listens for changes that a list of this page may show.
export function listenForNews() {
  const told = (view) => {
    office.news += 1;
    if (view.id === office.opened?.id) office.newest = Math.max(office.newest, view.seq);
    changed();
  };
  onNews({ sale: told, redemption: told });
}
