/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */

const factors: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `250m`, `1Gi`, `2e3` as a number of cores or bytes; undefined when it is no quantity. */
export function quantity(text: string): number | undefined {
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(text.trim());
  const factor = factors[match?.[2] ?? "?"];
  const value = Number(match?.[1]);
  return match === null || factor === undefined || Number.isNaN(value) ? undefined : value * factor;
}
