/** What each kind of file says, beyond the sample stack. */
import { expect, test } from "vitest";
import {
  type InfrastructureKind,
  readInfrastructure,
} from "../../../src/adapters/infrastructure/index.ts";
import {
  helmFile,
  kubernetesFile,
  terraformPlan,
  terraformState,
} from "../../fixtures/sample-stack.ts";

const read = (kind: InfrastructureKind, text: string) =>
  readInfrastructure(kind, { path: "file", text, digestBeside: () => undefined });

const names = (kind: InfrastructureKind, text: string): readonly string[] =>
  read(kind, text).parts.flatMap(({ component }) => component?.name ?? []);

test("Kubernetes: the items of a List are objects; an init container with marks is a component", () => {
  const list = `kind: List\nitems:\n${kubernetesFile
    .split("---\n")
    .map((object) => `- ${object.trimEnd().replaceAll("\n", "\n  ")}`)
    .join("\n")}\n`;
  expect(names("kubernetes", list)).toEqual(names("kubernetes", kubernetesFile));
  const early = kubernetesFile.replace(
    "      containers:\n        - { name: agent",
    "      initContainers: [{ name: gateway, image: x }]\n      containers:\n        - { name: agent",
  );
  expect(names("kubernetes", early).filter((name) => name === "gateway")).toHaveLength(2);
});

test("Kubernetes: images without a digest are named, pinned ones are verified", () => {
  const loose = kubernetesFile.replace(/postgres@sha256:f+/, "postgres:15");
  const [remark] = read("kubernetes", loose).parts.flatMap(({ remarks }) => remarks);
  expect(remark).toBe("image registry.example.com/postgres:15 is not pinned by digest");
  const ledger = read("kubernetes", kubernetesFile).parts.find(({ what }) =>
    what.includes("ledger"),
  );
  expect(ledger?.component?.verify).toMatchObject({
    object: "/apis/apps/v1/namespaces/trading/statefulsets/ledger",
    images: [`sha256:${"f".repeat(64)}`],
  });
});

test("Kubernetes: the pods of a CronJob are its own, one level deeper", () => {
  const pager = read("kubernetes", helmFile).parts.find(({ what }) => what.startsWith("CronJob"));
  expect(pager?.component?.verify).toMatchObject({ images: [`sha256:${"9".repeat(64)}`] });
});

test("terraform: labels without slashes are marks; data sources and plumbing are none; the provider's region counts", () => {
  const resource = (type: string, values: object, mode = "managed"): { address: string } =>
    ({ ...{ address: `${type}.x`, mode, type, name: "x" }, values }) as { address: string };
  const labelled = resource("google_compute_instance", {
    labels: { holdfast_class: "kill-switch", "holdfast-depends-on": "a b" },
  });
  const { parts } = read("terraform", terraformState([labelled]));
  expect(parts[0]?.component).toMatchObject({ class: "kill_switch", depends_on: ["a", "b"] });
  expect(read("terraform", terraformState([resource("aws_kms_key", {}, "data")])).parts).toEqual(
    [],
  );
  expect(read("terraform", terraformState([resource("aws_subnet", {})])).parts).toEqual([]);
  expect(
    read("terraform", terraformState([resource("aws_lambda_function", {})])).parts,
  ).toMatchObject([{ what: "aws_lambda_function.x" }]);
  const byProvider = read("terraform", terraformPlan([resource("aws_kms_key", {})]));
  expect(byProvider.sites).toMatchObject([{ id: "eu-central-1", says: { jurisdiction: "DE" } }]);
  const arn = "arn:aws:kms:us-west-2:1:key/x";
  const byName = read("terraform", terraformState([resource("aws_kms_key", { arn })]));
  expect(byName.sites).toMatchObject([{ id: "us-west-2", says: { jurisdiction: "US-OR" } }]);
});

test("Patroni: the shared configuration alone is enough; physical slots carry no audit", () => {
  const shared =
    "ttl: 30\nsynchronous_mode: quorum\nsynchronous_node_count: 2\nslots: { a: { type: physical }, b: { type: logical } }\n";
  const { parts } = read("patroni", shared);
  expect(parts.map(({ component }) => component?.name)).toEqual([
    "slot-b",
    "synchronous-replication",
  ]);
  expect(parts[1]?.component?.verify).toMatchObject({ check: { synchronous_min: 2 } });
});
