/** Patroni: the file of a node (YAML), or the shared configuration as `patronictl show-config` prints it. */
import { parseForeignYaml, type SourceNode } from "../../policy/index.ts";
import { at, type Entry, entriesAt, entryOf, textAt } from "../source-tree/index.ts";
import type { FoundInfrastructure, FoundPart, InfrastructureFile } from "./found.ts";
import { type Derived, nameOf } from "./marks.ts";

/** How the guard reaches the database; the secret is its own. */
const connection = { env: "HOLDFAST_POSTGRES_URL" };

export function readPatroni(file: InfrastructureFile): FoundInfrastructure {
  const { roots, diagnostics } = parseForeignYaml(file.path, file.text);
  const [root] = roots;
  const shared = at(root, "bootstrap", "dcs") ?? root;
  const part = (entry: Entry, what: string, derived: Derived): FoundPart => ({
    place: { file: file.path, ...entry.keyAt },
    what,
    remarks: [],
    component: {
      ...{ name: nameOf(derived.name), class: derived.class },
      ...(derived.verify && { verify: derived.verify }),
      ...{ depends_on: derived.depends_on ?? [], sites: [], controls: [], covers: [] },
    },
  });
  return {
    parts: [
      ...slotParts(shared, part),
      ...synchronousParts(shared, part),
      ...hookParts(root, part),
    ],
    sites: [],
    diagnostics,
  };
}

type MakePart = (entry: Entry, what: string, derived: Derived) => FoundPart;

/** A permanent logical slot carries the audit rows of whoever reads it; without it a promotion loses them. */
function slotParts(shared: SourceNode | undefined, part: MakePart): readonly FoundPart[] {
  return entriesAt(shared, "slots")
    .filter(({ value }) => textAt(value, "type") !== "physical")
    .map((entry) => {
      const check = { slot: entry.key };
      const verify = { kind: "postgres", connection, check } as const;
      const what = `permanent slot ${entry.key}`;
      return part(entry, what, { name: `slot-${entry.key}`, class: "audit", verify });
    });
}

function synchronousParts(shared: SourceNode | undefined, part: MakePart): readonly FoundPart[] {
  const entry = entryOf(shared, "synchronous_mode");
  if (entry === undefined || !["true", "on", "quorum"].includes(textAt(entry.value) ?? ""))
    return [];
  const synchronous_min = Number(textAt(shared, "synchronous_node_count") ?? 1);
  const verify = { kind: "postgres", connection, check: { synchronous_min } } as const;
  return [
    part(entry, "synchronous_mode", { name: "synchronous-replication", class: "ledger", verify }),
  ];
}

/** `pre_promote` is the gate of a promotion; a callback tells the record of one. */
function hookParts(root: SourceNode | undefined, part: MakePart): readonly FoundPart[] {
  const hook = (entry: Entry, name: string, ofClass: Derived["class"]): FoundPart => {
    const [program = ""] = (textAt(entry.value) ?? "").split(/\s+/);
    const command = ["test", "-x", program];
    const verify = { kind: "exec", command, binding: "address" } as const;
    return part(entry, entry.key, { name, class: ofClass, verify });
  };
  const gate = entryOf(at(root, "postgresql"), "pre_promote");
  const callbacks = entriesAt(root, "postgresql", "callbacks").filter(({ value }) =>
    /holdfast/.test(textAt(value) ?? ""),
  );
  return [
    ...(gate ? [hook(gate, "pre-promote", "enforcement")] : []),
    ...callbacks.map((entry) => hook(entry, `callback-${entry.key}`, "audit")),
  ];
}
