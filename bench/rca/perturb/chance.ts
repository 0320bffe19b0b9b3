/** Draws that telemetry needs, from a seed. */
import type { Random } from "../../../src/sim/index.ts";

const uniform = (random: Random): number => (random.next() + 1) / 2 ** 32;

/** Standard normal, by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}

/** Student's t with three degrees of freedom: mostly as a normal draw, sometimes far out. */
export function heavyTailed(random: Random): number {
  const squares = [normal(random), normal(random), normal(random)].map((each) => each ** 2);
  return normal(random) / Math.sqrt(squares.reduce((sum, each) => sum + each, 0) / 3);
}

/** How often something happens that happens `mean` times; above a hundred, by the normal distribution. */
export function poisson(mean: number, random: Random): number {
  if (mean > 100) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  let [count, left] = [0, Math.exp(-mean)];
  for (let product = uniform(random); product > left; product *= uniform(random)) count += 1;
  return count;
}
