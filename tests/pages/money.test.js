// Amounts: exact, by the currency's own decimals, in the formats of the language.

import assert from "node:assert/strict";
import { test } from "node:test";
import { minor, money, notes, sum, typed } from "../../src/pages/files/app/money.js";

test("an amount of the API becomes minor units and comes back the same", () => {
  for (const [amount, currency, units] of [
    ["50.00", "EUR", 5000n], ["0.05", "EUR", 5n], ["5000", "JPY", 5000n], ["90071992547409.93", "EUR", 9007199254740993n], ["1.234", "BHD", 1234n],
  ]) {
    assert.equal(minor({ amount, currency }), units, amount);
    assert.deepEqual(money(units, currency), { amount, currency });
  }
  assert.equal(minor({ amount: "50", currency: "EUR" }), 5000n);
});

test("what was typed is an amount or nothing", () => {
  for (const [text, currency, units] of [
    ["12,5", "EUR", 1250n], ["12.50", "EUR", 1250n], ["12", "EUR", 1200n], ["12,", "EUR", 1200n], ["1 200", "EUR", 120000n], ["500", "JPY", 500n],
    ["12,505", "EUR", null], ["5,5", "JPY", null], ["-5", "EUR", null], ["1e3", "EUR", null], ["", "EUR", null], [",5", "EUR", null], ["1.2.3", "EUR", null],
  ]) assert.equal(typed(text, currency), units, `${text} ${currency}`);
});

test("sums are exact, and likely amounts are the next full ones", () => {
  const eur = (amount) => ({ amount, currency: "EUR" });
  assert.deepEqual(sum([eur("0.10"), eur("0.20"), eur("49.70")]), eur("50.00"));
  assert.equal(sum([]), undefined);
  for (const [due, likely] of [["50.00", ["60.00", "100.00", "200.00"]], ["12.50", ["15.00", "20.00", "50.00", "100.00"]], ["100.00", ["200.00"]], ["3.20", ["5.00", "10.00", "20.00", "50.00"]]]) {
    assert.deepEqual(notes(eur(due)).map(({ amount }) => amount), likely, due);
  }
});
