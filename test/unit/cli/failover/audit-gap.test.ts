import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auditGap, eventsInFile } from "../../../../src/cli/failover/audit-gap.ts";
import { closedAddress } from "../../../fixtures/probing.ts";
import { temporaryFolder } from "../../../fixtures/processes.ts";

const options = {
  ...{ sourceUrlEnv: "SOURCE", sourceQuery: "SELECT 1", id: "event_id", timeoutSeconds: "2" },
};

async function said(
  more: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly text: string }> {
  const lines: string[] = [];
  const io = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
  const code = await auditGap({ ...options, ...more }, io as never, env);
  return { code, text: lines.join("\n") };
}

test("what cannot be told is neither complete nor a gap, and no password is shown", async () => {
  expect(await said({}, {})).toEqual({
    ...{ code: 2, text: "error: the source: the variable SOURCE holds no URL" },
  });
  const gone = await said({}, { SOURCE: `postgres://u:pass-word@${await closedAddress()}/db` });
  expect(gone.code).toBe(2);
  expect(gone.text).toContain("ECONNREFUSED");
  expect(gone.text).not.toContain("pass-word");
  for (const timeoutSeconds of ["0", "-1", "soon"])
    expect(await said({ timeoutSeconds }, {})).toMatchObject({ code: 2 });
});

test("a warehouse file is read line by line, and a line that is no JSON is named", async () => {
  const folder = await temporaryFolder();
  const warehouseFile = join(folder.path, "warehouse");
  await writeFile(warehouseFile, '{"event_id":"a"}\n{"other":1}\n{"event_id":\n');
  expect(await eventsInFile(warehouseFile, "event_id", undefined)).toMatchObject({
    error: expect.stringContaining(`${warehouseFile}:3: `),
  });
  await writeFile(warehouseFile, '{"event_id":"a","hash":"h"}\n\n{"other":1}\n{"event_id":7}\n');
  expect(await eventsInFile(warehouseFile, "event_id", "hash")).toEqual({
    ...{ ok: true, value: [{ id: "a", digest: "h" }, { id: "7" }] },
  });
  await folder.remove();
});
