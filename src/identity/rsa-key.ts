/** RSA public keys that no signature should rest on. */
import type { JsonValue } from "../kernel/index.ts";

/** NIST SP 800-131A. */
const modulusBitsMin = 2048;
/** FIPS 186-5 §A.1.1: odd, over 2^16. An exponent of 1 makes every message its own signature. */
const exponentMin = 65_537n;
/** Primes whose residues betray the key generator of CVE-2017-15361 (ROCA). */
const rocaPrimes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/** Whether modulus `n` and exponent `e` (base64url, RFC 7518 §6.3.1) are of a kind that is still safe. */
export function isSoundRsa(n: JsonValue | undefined, e: JsonValue | undefined): boolean {
  const [modulus, exponent] = [unsigned(n), unsigned(e)];
  if (modulus === undefined || exponent === undefined) return false;
  const bits = modulus.toString(2).length;
  return (
    bits >= modulusBitsMin && exponent >= exponentMin && exponent % 2n === 1n && !isRoca(modulus)
  );
}

function unsigned(text: JsonValue | undefined): bigint | undefined {
  if (typeof text !== "string" || text === "") return undefined;
  return BigInt(`0x${Buffer.from(text, "base64url").toString("hex") || "0"}`);
}

/** Such a modulus is a power of 65537 modulo every one of the primes; another one is with a chance of about 2^-28. */
function isRoca(modulus: bigint): boolean {
  return rocaPrimes.every((prime) => {
    const residue = Number(modulus % BigInt(prime));
    for (let power = 1, i = 0; i < prime; i++, power = (power * 65_537) % prime) {
      if (power === residue) return true;
    }
    return false;
  });
}
