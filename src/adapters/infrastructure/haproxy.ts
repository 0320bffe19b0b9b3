/** HAProxy: what its sections say of the gate. A comment `# holdfast.dev/<word>: <value>` before a section marks it. */
import { createHash } from "node:crypto";
import { type HaproxySection, readHaproxySections } from "../config-lint/index.ts";
import type { FoundInfrastructure, FoundPart, InfrastructureFile } from "./found.ts";
import { type Derived, marksOf, nameOf, readMarks } from "./marks.ts";

export function readHaproxy(file: InfrastructureFile): FoundInfrastructure {
  const digest = `sha256:${createHash("sha256").update(file.text).digest("hex")}`;
  const sections = readHaproxySections(file.text);
  const parts: FoundPart[] = [];
  const diagnostics: FoundInfrastructure["diagnostics"][number][] = [];
  for (const section of sections.filter(({ kind }) => kind === "backend" || kind === "listen")) {
    const place = { file: file.path, line: section.line, column: 1 };
    const comments = section.comments.flatMap(({ text, line }) => {
      const [, key = "", value = ""] =
        /^#\s*(holdfast\.dev\/[\w-]+)\s*[:=]\s*(.*)$/.exec(text) ?? [];
      return key === "" ? [] : [{ key, value, place: { file: file.path, line, column: 1 } }];
    });
    const marks = readMarks(marksOf(comments));
    diagnostics.push(...marks.diagnostics);
    const servers = section.lines.filter(({ words }) => words[0] === "server");
    if (servers.length === 0) continue;
    const base = { what: `${section.kind} ${section.name}`, setAside: marks.setAside, remarks: [] };
    const verify = { kind: "files", path: file.path, digest } as const;
    const gates = gatesOf(section, file.path, verify);
    const derived: Derived = { name: section.name, class: "enforcement", verify };
    const isMarked = marks.class !== undefined;
    if (isMarked) parts.push({ ...base, place, component: marks.component(derived) });
    else if (gates.length === 0 || marks.setAside) parts.push({ ...base, place });
    parts.push(...gates);
  }
  return { parts, sites: [], diagnostics };
}

/** What keeps traffic away from a server whose gate is not open. */
function gatesOf(
  section: HaproxySection,
  file: string,
  verify: NonNullable<Derived["verify"]>,
): readonly FoundPart[] {
  const gate = (line: number, kind: string, verification = verify): FoundPart => ({
    place: { file, line, column: 1 },
    what: `${kind} of ${section.kind} ${section.name}`,
    remarks: [],
    component: {
      ...{ name: nameOf(`${kind}-${section.name}`), class: "enforcement", verify: verification },
      ...{ depends_on: [], sites: [], controls: [], covers: [] },
    },
  });
  const agent = section.lines.find(({ words }) => words.includes("agent-check"));
  const check = section.lines.find(
    ({ words }) => words[0] === "http-check" && words.some((word) => word.startsWith("/gate")),
  );
  return [
    ...(agent ? [gate(agent.line, "agent-check")] : []),
    ...(check ? [gate(check.line, "gate-check")] : []),
  ];
}
