/** Every set that the runner knows, in the order of the table. */
import { authzenInterop } from "./authzen.ts";
import { authzenCertification } from "./authzen-certification.ts";
import { c2spExamples } from "./c2sp.ts";
import type { VectorSet } from "./case.ts";
import { structuredFields, webBotAuth } from "./http-signatures.ts";
import { joseCookbook, thumbprints, wycheproofJose, wycheproofJwk, wycheproofJws } from "./jose.ts";
import { jcs, jsonTestSuite } from "./json.ts";
import { llhttpRequests, llhttpResponses } from "./llhttp.ts";
import { merkle } from "./merkle.ts";
import { naughtyStrings } from "./naughty-strings.ts";
import { pipelockReceipts, wycheproofOther } from "./not-ours.ts";
import { cctvEd25519, wycheproofEd25519, wycheproofEs256 } from "./signatures.ts";
import { tessera } from "./tessera.ts";
import { yamlTestSuite } from "./yaml.ts";

export const vectorSets: readonly VectorSet[] = [
  merkle,
  tessera,
  c2spExamples,
  wycheproofEd25519,
  cctvEd25519,
  wycheproofEs256,
  wycheproofJws,
  wycheproofJwk,
  wycheproofJose,
  joseCookbook,
  thumbprints,
  structuredFields,
  webBotAuth,
  jsonTestSuite,
  jcs,
  yamlTestSuite,
  llhttpRequests,
  llhttpResponses,
  authzenInterop,
  authzenCertification,
  naughtyStrings,
  pipelockReceipts,
  wycheproofOther,
];
