/** Every set that the runner knows, in the order of the table. */
import type { VectorSet } from "./case.ts";
import { joseCookbook, thumbprints, wycheproofJose, wycheproofJwk, wycheproofJws } from "./jose.ts";
import { jcs, jsonTestSuite } from "./json.ts";
import { merkle } from "./merkle.ts";

export const vectorSets: readonly VectorSet[] = [
  merkle,
  wycheproofJws,
  wycheproofJwk,
  wycheproofJose,
  joseCookbook,
  thumbprints,
  jsonTestSuite,
  jcs,
];
