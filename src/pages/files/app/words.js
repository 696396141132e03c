// Words: every sentence of the pages by its key, in the language of the till or the one that was chosen here. A code of the API that the
// files do not know yet is said in the API's own English (`worded`). That no file lacks a key is a test's to say.

export const LANGUAGES = { de: "Deutsch", en: "English", fr: "Français" };
const FIRST = "en";

let table = {};
let language = FIRST;
let locale = "en-GB";
/// The till's time zone, once it is known; else the browser's.
let zone;

/// Countries in whose own way a language writes amounts and dates; elsewhere it does so as in its first one.
const HOMES = { de: ["DE", "AT", "CH", "LI", "LU"], en: ["GB", "AU", "CA", "IE", "NZ", "US"], fr: ["FR", "BE", "CA", "CH", "LU"] };

/// Speaks a language from now on. `place`: the till's locale, which is kept where the language is its own; `country`: where the till stands.
export async function speak(wanted, place = "", country = "") {
  const chosen = wanted in LANGUAGES ? wanted : FIRST;
  if (chosen !== language || Object.keys(table).length === 0) table = await read(chosen);
  language = chosen;
  const [first] = HOMES[chosen];
  locale = place.split("-")[0] === chosen ? place : `${chosen}-${HOMES[chosen].includes(country) ? country : first}`;
  document.documentElement.lang = chosen;
}

async function read(chosen) {
  const answer = await fetch(`/pages/words/${chosen}.json`);
  if (!answer.ok) throw new Error(`no words: ${chosen}`);
  return answer.json();
}

/// Tells times in this zone from now on. One that the browser does not know is as good as none.
export function timesIn(wanted) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: wanted });
    zone = wanted;
  } catch {
    zone = undefined;
  }
}

/// The date of today in the till's time zone, as the API writes it.
export function today() {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date());
  return ["year", "month", "day"].map((name) => parts.find(({ type }) => type === name).value).join("-");
}

/// The language that is spoken.
export const spoken = () => language;
/// The locale of amounts and times.
export const place = () => locale;

/// Whether there are words for this key.
export const knows = (key) => key in table;

/// The words for a key; `{name}` stands for a value.
export function w(key, values = {}) {
  const words = table[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/// The words for one of many: `key.one` or `key.other` by the language's own rule.
export function count(key, number, values = {}) {
  const form = new Intl.PluralRules(locale).select(number) === "one" ? "one" : "other";
  return w(`${key}.${form}`, { n: new Intl.NumberFormat(locale).format(number), ...values });
}

/// The words for a code of the API, or what the API says itself.
export function worded(family, code, own, values = {}) {
  const key = `${family}.${code}`;
  return knows(key) ? w(key, values) : own;
}

/// A moment of the API as a time of the day here.
export function time(instant) {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(new Date(instant));
}

/// A moment of the API as day and time.
export function moment(instant) {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));
}

/// A moment of the API as short as it gets, for tables.
export function short(instant) {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(new Date(instant));
}

/// A moment of the API to the second, with its day.
export function exact(instant) {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(new Date(instant));
}

/// A date of the API (`2026-11-22`) with the day of the week.
export function date(text) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "full", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
}

/// A whole number.
export const number = (count) => new Intl.NumberFormat(locale).format(count);
