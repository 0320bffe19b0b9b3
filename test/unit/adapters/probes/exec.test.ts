import { afterEach, beforeEach, expect, test } from "vitest";
import type { ExecVerification } from "../../../../src/failover/index.ts";
import { nonce, type Probing, probing, secret, site } from "../../../fixtures/probing.ts";

let probe: Probing;
beforeEach(() => {
  probe = probing();
});
afterEach(() => probe.close());

const sh = (script: string, binding: "echo" | "address" = "echo"): ExecVerification => ({
  ...{ kind: "exec", command: ["/bin/sh", "-c", script], binding },
});
const echo = 'echo "$HOLDFAST_SITE $HOLDFAST_NONCE"';

test("exit 0 and its last line pass; what it said before is kept", async () => {
  expect(await probe.ask(sh(`echo all there; ${echo}`))).toEqual({
    verdict: "pass",
    because: "/bin/sh says yes: all there",
    observed: { exit_code: 0, said: "all there" },
    ...{ boundBy: "echo", site, nonce },
  });
});

test.each([
  ["exit 1", "echo not there; exit 1", "fail", "says no: not there"],
  ["exit 1, bound", `echo gone; ${echo}; exit 1`, "fail", "says no: gone"],
  ["another exit code", "exit 2", "inconclusive", "exit code 2"],
  ["killed by itself", "kill -9 $$", "inconclusive", "did not run to its end"],
  ["no last line", "echo fine", "inconclusive", "`<site> <nonce>`"],
  ["the line is not the last", `${echo}; echo two words and more`, "inconclusive", "last line"],
  ["another site", "echo dub $HOLDFAST_NONCE", "fail", "of site dub"],
  ["another nonce", "echo $HOLDFAST_SITE old", "inconclusive", "another nonce"],
  ["the line on the other output", `${echo} >&2`, "inconclusive", "last line"],
])("%s", async (_name, script, verdict, because) => {
  const finding = await probe.ask(sh(script));
  expect(finding.verdict).toBe(verdict);
  expect(finding.because).toContain(because);
});

test("bound by address, it only has to end well", async () => {
  expect(await probe.ask(sh("exit 0", "address"))).toMatchObject({
    ...{ verdict: "pass", boundBy: "address" },
  });
});

test("a program that is not there", async () => {
  const verification = { ...sh(""), command: ["/no/such"] } as const;
  const finding = await probe.ask(verification);
  expect(finding).toMatchObject({ verdict: "inconclusive" });
  expect(finding.because).toContain("ENOENT");
});

test("it sees nothing of the guard's own environment", async () => {
  const finding = await probe.ask(sh(`env | grep -c ${secret}; ${echo}`));
  expect(finding.observed["said"]).toBe("0");
});

test("too slow is inconclusive, in time", async () => {
  const finding = await probe.ask(sh(`echo waiting; sleep 600; ${echo}`), { timeoutMs: 500 });
  expect(finding).toMatchObject({
    ...{ verdict: "inconclusive", because: "it did not end within 500 ms: waiting" },
  });
});

test("it may report the digest of its configuration", async () => {
  const verification = sh(`echo config_digest sha256:aa; ${echo}`);
  expect(await probe.ask(verification, { configDigest: "sha256:aa" })).toMatchObject({
    verdict: "pass",
  });
  expect(await probe.ask(verification, { configDigest: "sha256:bb" })).toMatchObject({
    verdict: "fail",
  });
});
