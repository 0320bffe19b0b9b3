/** The reader of system-call traces, since a proof rests on it. */
import { expect, test } from "vitest";
import { readTrace } from "../../fixtures/strace.ts";

const trace = `101 1.000001 write(5</tmp/log>, "a) = 3", 6) = 6
102 1.000002 fdatasync(5</tmp/log> <unfinished ...>
101 1.000003 sendto(7<TCP:[127.0.0.1:1->127.0.0.1:2]>, "x", 1, 0, NULL, 0) = 1
102 1.000004 <... fdatasync resumed>)   = 0
103 1.000005 +++ exited with 0 +++
101 1.000006 fdatasync(5</tmp/log>) = -1 EIO (Input/output error) (INJECTED)
`;

test("calls of all threads, with the lines they began and ended on", () => {
  const read = readTrace(trace).map(({ name, startLine, endLine, result }) => [
    name,
    startLine,
    endLine,
    result,
  ]);
  expect(read).toEqual([
    ["write", 0, 0, "6"],
    ["fdatasync", 1, 3, "0"],
    ["sendto", 2, 2, "1"],
    ["fdatasync", 5, 5, "-1"],
  ]);
});
