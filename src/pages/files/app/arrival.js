// What a scan is, and where it goes: by what it is, and by what the counter is doing.
//
// A product's code is a product of the catalogue; a number with the length and check digit of a GTIN that is not in it is a product that
// is not sold here. Twelve digits, a link, and a token with a letter in it are a voucher. Eleven digits with a mark and two check digits are
// the number at the foot of a slip: it goes to the daemon, which knows whether somebody is asked about that slip, and nowhere else. Any other
// number is the code of a card from the rack. While a card's code is asked for, whatever is scanned is that code, unless it is another
// product. Where all cards of a product hang on the rack under the product's own code, that code is both.
//
// Where a question is open a scan may be its answer: the number at the foot of a slip, or the code on it, says that the slip is complete.
// Any other, and any while money is on its way, goes nowhere and says so.

import { isGtin, isSlipNumber, plain, sameNumber } from "./digits.js";
import { draft } from "./selling.js";
import { till } from "./till.js";

export { isGtin, plain };

/// What a text is: `{ is: "product", product }`, or `foreign_product`, `voucher`, `slip`, `rack_card`. `code`: of a card from the rack, if it is one.
export function whatIs(raw, products) {
  const text = plain(raw);
  const digits = text.replace(/[ -]/g, "");
  const product = products.find(({ code }) => code === text || sameNumber(code, digits));
  if (product) return { is: "product", product, ...(product.rack_code === "product" && { code: product.code }) };
  if (!/^\d+$/.test(digits)) return { is: "voucher" };
  if (digits.length === 12) return { is: "voucher" };
  if (isSlipNumber(digits)) return { is: "slip" };
  if ([8, 13, 14].includes(digits.length) && isGtin(digits)) return { is: "foreign_product" };
  return { is: "rack_card", code: digits };
}

/// The products that are sold here: of the till's country.
export function offered() {
  const country = till.session?.country;
  return till.products.filter((one) => !country || one.country === country);
}

/// Whether a product can be added to the basket now: one sale has one currency.
export function fits(product) {
  const first = draft.cards[0];
  return product.sellable && (!first || first.face_value.currency === product.currency);
}
