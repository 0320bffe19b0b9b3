/**
 * Arithmetic of policies: exact decimals, so that `0.1 + 0.2 == 0.3`, and so that every backend (binary64 here, the
 * 64-bit floats of OPA there) computes the same.
 *
 * A number takes part when it is a whole number within 2^53 - 1, or has at most 15 digits of which at most 15 stand
 * after the point. The result must have that form too. Division that does not come out even keeps six places, cut off
 * toward zero. Everything else is a failure, never a nearby number.
 */

/** `coefficient × 10^-places`, both whole numbers. */
interface Decimal {
  readonly coefficient: number;
  readonly places: number;
}

const placesMax = 15;
const digitsBound = 1e15;
const quotientPlaces = 6;

/** The decimal that `value` is the nearest binary64 of, or undefined when it needs more digits than we compute with. */
function decimal(value: number): Decimal | undefined {
  if (Number.isInteger(value))
    return Number.isSafeInteger(value) ? { coefficient: value, places: 0 } : undefined;
  for (let places = 1; places <= placesMax; places++) {
    const coefficient = Math.round(value * 10 ** places);
    if (coefficient / 10 ** places === value)
      return Math.abs(coefficient) < digitsBound ? { coefficient, places } : undefined;
  }
  return undefined;
}

function number(coefficient: number, places: number): number | undefined {
  if (places === 0) return Number.isSafeInteger(coefficient) ? coefficient + 0 : undefined;
  if (places > placesMax || Math.abs(coefficient) >= digitsBound) return undefined;
  return coefficient / 10 ** places + 0;
}

/** Both coefficients with the same number of places. */
function align(
  left: number,
  right: number,
): { readonly a: number; readonly b: number; readonly places: number } | undefined {
  const [x, y] = [decimal(left), decimal(right)];
  if (x === undefined || y === undefined) return undefined;
  const places = Math.max(x.places, y.places);
  const a = x.coefficient * 10 ** (places - x.places);
  const b = y.coefficient * 10 ** (places - y.places);
  const bound = places === 0 ? Number.POSITIVE_INFINITY : digitsBound;
  return Math.abs(a) < bound && Math.abs(b) < bound ? { a, b, places } : undefined;
}

/** `left + right`, or undefined when it needs too many digits. */
export function add(left: number, right: number): number | undefined {
  const both = align(left, right);
  return both && number(both.a + both.b, both.places);
}

/** `left - right`, or undefined when it needs too many digits. */
export function subtract(left: number, right: number): number | undefined {
  const both = align(left, right);
  return both && number(both.a - both.b, both.places);
}

/** `left × right`, or undefined when it needs too many digits. */
export function multiply(left: number, right: number): number | undefined {
  const [x, y] = [decimal(left), decimal(right)];
  return x && y && number(x.coefficient * y.coefficient, x.places + y.places);
}

/** `left ÷ right`, six places kept when it does not come out even; undefined for too many digits. `right` is not 0. */
export function divide(left: number, right: number): number | undefined {
  const both = align(left, right);
  if (both === undefined) return undefined;
  const rest = both.a % both.b;
  const whole = (both.a - rest) / both.b;
  if (rest === 0) return number(whole, 0);
  const shifted = rest * 10 ** quotientPlaces;
  if (Math.abs(shifted) >= digitsBound) return undefined;
  const fraction = (shifted - (shifted % both.b)) / both.b;
  return number(whole * 10 ** quotientPlaces + fraction, quotientPlaces);
}

/** The remainder with the sign of `left`; undefined unless both are whole and within 2^53 - 1. `right` is not 0. */
export function remainder(left: number, right: number): number | undefined {
  if (!Number.isSafeInteger(left) || !Number.isSafeInteger(right)) return undefined;
  return (left % right) + 0;
}
