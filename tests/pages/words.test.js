// The wording files: every language has every key with the same gaps, every key that is asked for is there, and so is every code of the API.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const FILES = new URL("src/pages/files/", ROOT);
const text = (path, root = ROOT) => readFileSync(new URL(path, root), "utf8");
const words = Object.fromEntries(["en", "de", "fr"].map((code) => [code, JSON.parse(text(`words/${code}.json`, FILES))]));
const openapi = JSON.parse(text("src/api/openapi.json"));

/// Files of the pages that speak.
const sources = ["app", "screens", "parts"].flatMap((folder) => readdirSync(new URL(`${folder}/`, FILES)).map((name) => text(`${folder}/${name}`, FILES)));

/// Every word of an enumeration of the API.
const wordsOf = (schema) => openapi.components.schemas[schema].enum;

/// The parts of a slip that are no letters.
const marks = openapi.components.schemas.SlipPart.oneOf.map(({ properties }) => properties.kind.enum[0]).filter((kind) => !["row", "feed"].includes(kind));

/// The codes that a table of the house gives, as `fn code` writes them.
function codesOf(path) {
  const [, table] = /fn code\(&self\)[^{]*\{([\s\S]*?)\n {4}\}/.exec(text(path));
  return [...table.matchAll(/=>\s*\{?\s*"([a-z_]+)"/g)].map(([, code]) => code);
}

const gaps = (sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map(([gap]) => gap).sort();

test("every language has every key, with the same gaps, and no sentence is empty", () => {
  const keys = Object.keys(words.en);
  for (const [code, table] of Object.entries(words)) {
    assert.deepEqual(Object.keys(table), keys, code);
    for (const key of keys) {
      assert.ok(table[key].trim() !== "", `${code} ${key}`);
      assert.deepEqual(gaps(table[key]), gaps(words.en[key]), `${code} ${key}`);
    }
  }
});

test("every key that is asked for by its name is there", () => {
  for (const source of sources) {
    for (const [, key] of source.matchAll(/\bw\("([a-z_.]+)"/g)) assert.ok(key in words.en, key);
    for (const [, key] of source.matchAll(/\bcount\("([a-z_.]+)"/g)) for (const form of ["one", "other"]) assert.ok(`${key}.${form}` in words.en, key);
    for (const [, yes, no] of source.matchAll(/\bw\([^"`)]*\? "([a-z_.]+)" : "([a-z_.]+)"/g)) for (const key of [yes, no]) assert.ok(key in words.en, key);
    for (const [, key] of source.matchAll(/key: "(off\.[a-z]+)"/g)) for (const part of ["short", "what"]) assert.ok(`${key}.${part}` in words.en, key);
  }
});

test("every code that the API may say has words", () => {
  const history = text("src/api/wire/history.rs");
  /// The words on the right of a function's arms.
  const said = (name) => [...new RegExp(`fn ${name}\\([\\s\\S]*?\\n}\\n`).exec(history)[0].matchAll(/=>[^\n]*?"([a-z_]+)"(?!:)/g)].map(([, code]) => code);
  const told = [...text("src/journal/form/mod.rs").matchAll(/(?:Sale|Order)Event::\w+[^\n]* => "([a-z_]+)"/g), ...text("src/journal/form/redemption.rs").matchAll(/=> "([a-z_]+)",/g)];
  const known = {
    told: told.map(([, code]) => code),
    voucher_state: wordsOf("RedemptionState"),
    call: wordsOf("JournalCall"),
    ended: wordsOf("JournalOutcome"),
    verdict: wordsOf("Verdict"),
    figure: wordsOf("DayFigure"),
    tender: wordsOf("DayTender"),
    connection: wordsOf("Connection"),
    proof: wordsOf("PaperProof"),
    line: wordsOf("JournalLineKind"),
    trouble: [...history.matchAll(/Trouble::\w+(?:\(status\))? => \("([a-z_]+)"/g)].map(([, code]) => code),
    stage: [...said("seen"), "nothing"],
    undo: said("undone"),
    reversal: said("reversed"),
    answer: wordsOf("Answer"),
    guest_answer: wordsOf("RedemptionAnswer"),
    state: wordsOf("CardState"),
    fault: wordsOf("PrinterFault"),
    paper: wordsOf("PaperState"),
    kind: wordsOf("CardKind"),
    slip: marks,
    voucher_kind: wordsOf("VoucherKind"),
    screen: codesOf("src/domain/screen.rs"),
    guest: codesOf("src/domain/redemption/screen.rs").filter((code) => code !== "not_redeemed"),
    case: [...codesOf("src/domain/attention.rs"), ...codesOf("src/domain/redemption/attention.rs")],
    problem: [...text("src/domain/refusal.rs").matchAll(/^ {4}[A-Z]\w+, "([a-z_]+)",/gm)].map(([, code]) => code),
  };
  for (const [family, codes] of Object.entries(known)) {
    assert.ok(codes.length > 1, family);
    assert.deepEqual(codes.filter((code) => !(`${family}.${code}` in words.en)), [], family);
  }
});

test("no words lie about unused, and no screen says anything by itself", () => {
  const all = sources.join("\n");
  const families = ["answer", "guest_answer", "state", "fault", "paper", "kind", "voucher_kind", "screen", "guest", "case", "problem", "question", "tender", "tab", "step", "print", "off",
    "told", "voucher_state", "call", "ended", "verdict", "figure", "connection", "proof", "line", "trouble", "stage", "undo", "reversal", "parted", "sending",
    "column", "sort", "device"];
  const unused = Object.keys(words.en).filter((key) => {
    const stem = key.replace(/\.(one|other)$/, "");
    return !families.includes(key.split(".")[0]) && !marks.some((kind) => key === `slip.${kind}`) && !all.includes(`"${key}"`) && !all.includes(`"${stem}"`);
  });
  assert.deepEqual(unused, []);
  // A text child of an element would be a literal with a letter and a blank in it.
  const spoken = sources.flatMap((source) => [...source.matchAll(/el\("[a-z0-9]+", \{[^}]*\}, "([^"]*[A-Za-z]{3}[^"]*)"/g)].map(([, words]) => words));
  assert.deepEqual(spoken, []);
});
