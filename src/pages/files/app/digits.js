// Numbers that are read off paper and packages: what is told by their digits alone.

/// A scan without the mark that some scanners put before it (AIM, `]E0`).
export const plain = (raw) => raw.replace(/^\][A-Za-z]\d/, "").trim();

/// A UPC of 12 digits is an EAN of 13 with a zero before it.
export function sameNumber(one, other) {
  return /^\d{8,14}$/.test(one) && /^\d{8,14}$/.test(other) && one.padStart(14, "0") === other.padStart(14, "0");
}

/// The check digit of GS1.
export function isGtin(digits) {
  const total = [...digits.padStart(14, "0")].reduce((sum, digit, place) => sum + Number(digit) * (place % 2 === 0 ? 3 : 1), 0);
  return total % 10 === 0;
}

/// As the daemon prints them: 90, nine digits, and modulo 97 there remains 1 (ISO 7064 MOD 97-10).
export function isSlipNumber(digits) {
  return /^90\d{9}$/.test(digits) && Number(digits) % 97 === 1;
}
