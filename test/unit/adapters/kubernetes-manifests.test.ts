/** The admission policy for pods of agents (AG-403 4.3): what its expressions, which are CEL, say of pods. */
import { Environment } from "@marcbachmann/cel-js";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { admissionRules, kubernetesManifests } from "../../../src/adapters/kubernetes/index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const plan = { namespace: "agents", gatewayImages: [digest] };
const gateway = { name: "gateway", image: `registry.example/holdfast@${digest}` };
const agent = { name: "agent", image: "registry.example/bot:1" };
const gates = { readinessGates: [{ conditionType: "holdfast.dev/validated" }] };

/** The messages of the rules that refuse it. */
function refused(spec: unknown): readonly string[] {
  const environment = new Environment({ unlistedVariablesAreDyn: true });
  return admissionRules(plan)
    .filter(({ expression }) => environment.evaluate(expression, { object: { spec } }) !== true)
    .map(({ message }) => message.replace(/[,:].*/, ""));
}

test("an agent beside its gateway, as a container or as a sidecar, is admitted", () => {
  expect(refused({ containers: [agent, gateway], ...gates })).toEqual([]);
  const sidecar = { ...gateway, restartPolicy: "Always" };
  expect(refused({ containers: [agent], initContainers: [sidecar], ...gates })).toEqual([]);
});

test("an agent without its gateway is refused: none, another image, the same by tag, one that only initialises", () => {
  const alone = "an agent runs only beside its gateway";
  expect(refused({ containers: [agent], ...gates })).toEqual([alone]);
  const other = { ...gateway, image: `registry.example/holdfast@sha256:${"b".repeat(64)}` };
  expect(refused({ containers: [agent, other], ...gates })).toEqual([alone]);
  const tagged = { ...gateway, image: "registry.example/holdfast:1" };
  expect(refused({ containers: [agent, tagged], ...gates })).toEqual([alone]);
  expect(refused({ containers: [agent], initContainers: [gateway], ...gates })).toEqual([alone]);
});

test("an agent that does not wait for its site is refused", () => {
  const waits = "an agent waits for its site";
  expect(refused({ containers: [agent, gateway] })).toEqual([waits]);
  const other = [{ conditionType: "example.com/else" }];
  expect(refused({ containers: [agent, gateway], readinessGates: other })).toEqual([waits]);
});

test("the manifests are YAML, fail closed, and give the guard no more than it needs", () => {
  const all = parseAllDocuments(kubernetesManifests(plan)).map((each) => each.toJS());
  expect(all.map(({ kind }) => kind)).toEqual([
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "Role",
    "RoleBinding",
  ]);
  expect(all[0].spec.failurePolicy).toBe("Fail");
  expect(all[0].spec.validations).toHaveLength(2);
  expect(all[1].spec.validationActions).toContain("Deny");
  expect(all[2].rules.flatMap(({ verbs }: { verbs: string[] }) => verbs)).toEqual([
    ...["get", "list", "watch", "patch"],
  ]);
});
