// A short code that somebody types into the search box, as `registry/record/short_code.py` reads it.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const READ_AS = { O: "0", I: "1", L: "1" };
const ZEROS = [0x660, 0x6f0]; // the digits of Arabic, western and eastern

export function readCode(typed) {
  const code = [...typed.normalize("NFKC").toUpperCase()]
    .filter((one) => !/[\s\p{Pd}\p{Pc}\p{Cf}\u2212]/u.test(one))
    .map((one) => READ_AS[one] ?? latin(one))
    .join("");
  if (!/^(?=.*\d)(?=.*[A-Z])[0-9A-HJKMNP-TV-Z]{7}$/.test(code)) return null;
  let sum = 0;
  let factor = 1;
  for (const one of code.slice(0, -1)) {
    factor = times(factor, 2);
    sum ^= times(factor, ALPHABET.indexOf(one));
  }
  return ALPHABET[sum] === code.at(-1) ? code : null;
}

function latin(digit) {
  const place = digit.codePointAt(0);
  const zero = ZEROS.find((first) => place >= first && place < first + 10);
  return zero === undefined ? digit : String(place - zero);
}

// In GF(32), modulo x^5 + x^2 + 1.
function times(one, other) {
  let product = 0;
  for (; other > 0; other >>= 1) {
    if (other & 1) product ^= one;
    one <<= 1;
    if (one & 32) one ^= 37;
  }
  return product;
}
