/** Writes `schemas/admin.openapi.json` from the routes that the control process serves. */
import { writeFileSync } from "node:fs";
import { type ReadWorld, readTools } from "../src/cli/index.ts";
import { adminDocument } from "../src/control/admin/index.ts";

writeFileSync(
  new URL("../schemas/admin.openapi.json", import.meta.url),
  `${JSON.stringify(adminDocument(readTools({} as ReadWorld)), null, 2)}\n`,
);
