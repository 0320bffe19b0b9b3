/** How long properties are tried: everyday quickly, at length in the system tests. */
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    effort: number;
  }
}

/** Runs of a property: `everyday` ones, times the effort of the project. */
export function runsOf(everyday: number): number {
  return everyday * inject("effort");
}
