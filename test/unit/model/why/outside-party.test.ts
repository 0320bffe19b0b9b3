/** A party outside is one cause, whoever noticed it: those who count calls, and those who read what is said. */
import { expect, test } from "vitest";
import { defaultSettings, type ModelEvent, nodeId, why } from "../../../../src/model/index.ts";
import { eachWindow, log, nowMinutes, service, symptomAt, traffic } from "./signals/shop.ts";

const bank = nodeId("external", "bank.example.com");

const toBank = (minute: number, errors: number): ModelEvent => ({
  ...traffic(minute, { caller: "payment", callee: "bank", selfMs: 4, errors }),
  callee: bank,
});

const events = eachWindow((minute, isNow) => [
  traffic(minute, { caller: null, callee: "front", selfMs: 4, errors: isNow ? 40 : 0 }),
  traffic(minute, { caller: "front", callee: "payment", selfMs: 4, errors: isNow ? 40 : 0 }),
  toBank(minute, isNow ? 40 : 0),
  ...(isNow
    ? [log(minute, "payment", "bank.example.com:443 answered 503", 40, { severity: "error" })]
    : []),
]);
const deploy: ModelEvent = {
  ...{ type: "change", id: "d", at: symptomAt + nowMinutes[0], knownAt: symptomAt, kind: "deploy" },
  ...{ change: "deploy:worker", targets: [service("worker")], title: "worker 2" },
  origin: { source: "test", reference: "made up" },
};

test("it is named by its own name, as what it is, with the way that trouble took", () => {
  const symptom = { node: service("front"), at: symptomAt };
  const [cause, ...others] = why([...events, deploy], symptom, defaultSettings).causes;
  expect([cause?.node, cause?.kind]).toEqual([bank, "external.provider"]);
  expect(cause?.confidence).toBeGreaterThan(0.8);
  expect(cause?.path.map(({ from, to }) => [from, to])).toEqual([
    [bank, service("payment")],
    [service("payment"), service("front")],
  ]);
  expect(others.filter(({ node, kind }) => node === bank || kind === "external.provider")).toEqual(
    [],
  );
});
