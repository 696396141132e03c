// Money: whole minor units (BigInt) and a currency; never a floating-point number. Amounts go out to the API and to the formats of
// the language as exact decimal text.

import { place, w } from "./words.js";

/// How many decimals a currency has (ISO 4217, as the browser knows it).
export function decimals(currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}

/// An amount of the API in minor units.
export function minor(money) {
  const [whole, part = ""] = money.amount.split(".");
  return BigInt(whole + part.padEnd(decimals(money.currency), "0"));
}

/// Minor units as an amount of the API.
export function money(units, currency) {
  const places = decimals(currency);
  const text = units.toString().padStart(places + 1, "0");
  const amount = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  return { amount, currency };
}

/// The sum of amounts of one currency; nothing for none.
export function sum(amounts) {
  const [first] = amounts;
  return first && money(amounts.reduce((total, amount) => total + minor(amount), 0n), first.currency);
}

/// An amount in the formats of the language.
export function shown(amount) {
  return new Intl.NumberFormat(place(), { style: "currency", currency: amount.currency }).format(amount.amount);
}

/// An amount without needless decimals: 25 €, 12,50 €.
export function brief(amount) {
  const whole = minor(amount) % 10n ** BigInt(decimals(amount.currency)) === 0n;
  const format = { style: "currency", currency: amount.currency, ...(whole && { minimumFractionDigits: 0, maximumFractionDigits: 0 }) };
  return new Intl.NumberFormat(place(), format).format(amount.amount);
}

/// What a voucher is worth: money, or a number of items.
export function worth(value, item) {
  return value.items === undefined ? shown(value) : w("worth.items", { n: value.items, item: item ?? w("worth.item") });
}

/// The sign between whole and part in the formats of the language.
export function separator() {
  return new Intl.NumberFormat(place()).formatToParts(1.5).find((part) => part.type === "decimal").value;
}

/// What was typed as minor units; null where it is no amount of the currency.
export function typed(text, currency) {
  const found = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.replace(/[\s\u00a0\u202f]/g, ""));
  if (!found) return null;
  const [, whole, part = ""] = found;
  const places = decimals(currency);
  return part.length > places ? null : BigInt(whole + part.padEnd(places, "0"));
}

/// Minor units as a person types them.
export function typing(units, currency) {
  const { amount } = money(units, currency);
  return amount.replace(/\.0+$/, "").replace(".", separator());
}

const NOTES = { EUR: [5, 10, 20, 50, 100, 200], CHF: [10, 20, 50, 100, 200], GBP: [5, 10, 20, 50], JPY: [1000, 5000, 10000] };

/// What a customer is likely to give for an amount: the next full sum of each note, at most four, smallest first.
export function notes(due) {
  const unit = 10n ** BigInt(decimals(due.currency));
  const units = minor(due);
  const sums = (NOTES[due.currency] ?? [5, 10, 20, 50, 100]).map((note) => {
    const one = BigInt(note) * unit;
    return ((units + one - 1n) / one) * one;
  });
  const likely = [...new Set(sums)].filter((sum) => sum > units).sort((a, b) => (a < b ? -1 : 1));
  return likely.slice(0, 4).map((sum) => money(sum, due.currency));
}
