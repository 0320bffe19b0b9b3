/** Which kind of file it is, and what it says. */
import { parseForeignYaml } from "../../policy/index.ts";
import { at, entryOf } from "../source-tree/index.ts";
import { readCompose } from "./compose.ts";
import type { FoundInfrastructure, InfrastructureFile, InfrastructureKind } from "./found.ts";
import { readHaproxy } from "./haproxy.ts";
import { readKubernetes } from "./kubernetes.ts";
import { readPatroni } from "./patroni.ts";
import { readTerraform } from "./terraform.ts";

const readers: Readonly<
  Record<InfrastructureKind, (file: InfrastructureFile) => FoundInfrastructure>
> = {
  compose: readCompose,
  kubernetes: readKubernetes,
  terraform: readTerraform,
  patroni: readPatroni,
  haproxy: readHaproxy,
};

export function readInfrastructure(
  kind: InfrastructureKind,
  file: InfrastructureFile,
): FoundInfrastructure {
  return readers[kind](file);
}

/** By what stands in it, not by its name; undefined when it is none of them. */
export function kindOf(path: string, text: string): InfrastructureKind | undefined {
  if (/^(?:backend|frontend|listen)\s+\S/m.test(text) && !/^\s*\{/.test(text)) return "haproxy";
  const { roots } = parseForeignYaml(path, text);
  if (roots.some((root) => entryOf(root, "apiVersion") && entryOf(root, "kind")))
    return "kubernetes";
  const [root] = roots;
  if (entryOf(root, "terraform_version") || entryOf(root, "planned_values")) return "terraform";
  if (at(root, "services")?.kind === "map") return "compose";
  const ofPatroni = ["scope", "loop_wait", "synchronous_mode", "slots", "ttl"];
  return ofPatroni.some((key) => entryOf(root, key)) ? "patroni" : undefined;
}
