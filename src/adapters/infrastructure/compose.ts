/** Docker compose files (Compose specification): services, their secrets and their configurations. */
import { type Diagnostic, parseForeignYaml, type SourceNode } from "../../policy/index.ts";
import {
  at,
  type Entry,
  entriesAt,
  entryOf,
  itemsAt,
  jsonOf,
  textAt,
  textsAt,
} from "../source-tree/index.ts";
import type {
  FoundInfrastructure,
  FoundPart,
  FoundSite,
  InfrastructureFile,
  Place,
} from "./found.ts";
import { type Derived, type Marks, marksOf, nameOf, type ReadMarks, readMarks } from "./marks.ts";

export function readCompose(file: InfrastructureFile): FoundInfrastructure {
  const { roots, diagnostics } = parseForeignYaml(file.path, file.text);
  const [root] = roots;
  if (root === undefined) return { parts: [], sites: [], diagnostics };
  const reading = new ComposeReading(file, root);
  const parts = [
    ...entriesAt(root, "services").map((entry) => reading.service(entry)),
    ...entriesAt(root, "secrets").map((entry) => reading.secret(entry)),
    ...entriesAt(root, "configs").flatMap((entry) => reading.config(entry)),
  ];
  const deployment = textAt(root, "name");
  return {
    ...(deployment !== undefined && { deployment }),
    parts,
    sites: sitesOf(file.path, root),
    diagnostics: [...diagnostics, ...reading.diagnostics],
  };
}

class ComposeReading {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: InfrastructureFile;
  readonly #root: SourceNode;

  constructor(file: InfrastructureFile, root: SourceNode) {
    this.#file = file;
    this.#root = root;
  }

  service({ key, keyAt, value }: Entry): FoundPart {
    const marks = this.#read(markedOf(this.#file.path, value));
    const image = textAt(value, "image");
    const part = {
      place: { file: this.#file.path, ...keyAt },
      what: `service ${key}`,
      setAside: marks.setAside,
      remarks:
        image && !/@sha256:[0-9a-f]{64}$/.test(image)
          ? [`image ${image} is not pinned by digest`]
          : [],
    };
    if (marks.class === undefined) return part;
    const verify = healthcheckOf(key, value, marks.text("host") ?? key);
    const needs = dependsOn(value).flatMap((name) => this.#componentName(name));
    const secrets = namesIn(value, "secrets").flatMap((name) => this.#entryName("secrets", name));
    const configs = namesIn(value, "configs").flatMap((name) => this.#entryName("configs", name));
    const depends_on = [...new Set([...needs, ...secrets, ...configs])].sort();
    const derived: Derived = { name: key, class: marks.class, verify, depends_on };
    return { ...part, component: marks.component(derived) };
  }

  /** A secret is of class secrets by nature. Its value is never looked at: the name says the version. */
  secret({ key, keyAt, value }: Entry): FoundPart {
    const marks = this.#read(markedOf(this.#file.path, value));
    const part = {
      place: { file: this.#file.path, ...keyAt },
      what: `secret ${key}`,
      setAside: marks.setAside,
      remarks: [],
    };
    if (marks.setAside) return part;
    const isExternal = textAt(value, "external") === "true";
    const named = textAt(value, "name") ?? key;
    const user = entriesAt(this.#root, "services").find((entry) =>
      namesIn(entry.value, "secrets").includes(key),
    );
    const inside = ["docker", "compose", "exec", "-T", user?.key ?? "", "test", "-s"];
    const command = isExternal
      ? ["docker", "secret", "inspect", named]
      : [...inside, `/run/secrets/${key}`];
    const verify = isExternal || user ? this.#exec(command) : undefined;
    const version = /[-_.]v?(\d+)$/.exec(named)?.[1];
    return {
      ...part,
      component: marks.component({ name: key, class: "secrets", verify, version }),
    };
  }

  /** The configuration of a component, by the digest of its file. */
  config({ key, keyAt, value }: Entry): readonly FoundPart[] {
    const marks = this.#read(markedOf(this.#file.path, value));
    const place = { file: this.#file.path, ...keyAt };
    const what = `config ${key}`;
    if (marks.setAside) return [{ place, what, setAside: true, remarks: [] }];
    const users = entriesAt(this.#root, "services").filter((entry) =>
      namesIn(entry.value, "configs").includes(key),
    );
    const classes = users.flatMap(
      (entry) => readMarks(markedOf(this.#file.path, entry.value)).class ?? [],
    );
    const ofClass = marks.class ?? classes[0];
    if (ofClass === undefined) return [{ place, what, remarks: [] }];
    const path = textAt(value, "file");
    const digest = path === undefined ? undefined : this.#file.digestBeside(path);
    const remarks = path !== undefined && digest === undefined ? [`${path} cannot be read`] : [];
    const verify = path && digest ? ({ kind: "files", path, digest } as const) : undefined;
    return [
      { place, what, remarks, component: marks.component({ name: key, class: ofClass, verify }) },
    ];
  }

  #exec(command: readonly string[]): NonNullable<Derived["verify"]> {
    return { kind: "exec", command, binding: "address" };
  }

  #read(marks: Marks): ReadMarks {
    const read = readMarks(marks);
    this.diagnostics.push(...read.diagnostics);
    return read;
  }

  /** What a service is called as a component; nothing when it is none. */
  #componentName(service: string): readonly string[] {
    const entry = entryOf(at(this.#root, "services"), service);
    const marks = entry && readMarks(markedOf(this.#file.path, entry.value));
    return marks?.class === undefined ? [] : [nameOf(marks.text("name") ?? service)];
  }

  #entryName(group: "secrets" | "configs", name: string): readonly string[] {
    const entry = entryOf(at(this.#root, group), name);
    if (entry === undefined) return [];
    const marks = readMarks(markedOf(this.#file.path, entry.value));
    return marks.setAside ? [] : [nameOf(marks.text("name") ?? name)];
  }
}

/** Marks among the labels (a map, or a list of `key=value`), and the members of `x-holdfast`. */
function markedOf(file: string, node: SourceNode): Marks {
  const labels = at(node, "labels");
  const listed = itemsAt(labels).flatMap((item) => {
    const [key = "", ...rest] = (textAt(item) ?? "").split("=");
    return [{ key, value: rest.join("="), place: placeOf(file, item) }];
  });
  const mapped = entriesAt(labels).map((entry) => ({
    ...{ key: entry.key, value: jsonOf(entry.value), place: { file, ...entry.keyAt } },
  }));
  const own = entriesAt(node, "x-holdfast").map((entry) => ({
    ...{ key: `holdfast.dev/${entry.key.replaceAll("_", "-")}`, value: jsonOf(entry.value) },
    place: { file, ...entry.keyAt },
  }));
  return marksOf([...listed, ...mapped, ...own]);
}

function placeOf(file: string, node: SourceNode): Place {
  return { file, line: node.at.line, column: node.at.column };
}

function dependsOn(service: SourceNode): readonly string[] {
  const listed = textsAt(service, "depends_on");
  return listed.length > 0 ? listed : entriesAt(service, "depends_on").map(({ key }) => key);
}

/** Names used in `secrets:` or `configs:` of a service, short form or long. */
function namesIn(service: SourceNode, group: "secrets" | "configs"): readonly string[] {
  return itemsAt(service, group).flatMap((item) => textAt(item) ?? textAt(item, "source") ?? []);
}

/** The healthcheck as the guard can do it: at the address of the service, or inside it. */
function healthcheckOf(service: string, node: SourceNode, host: string): Derived["verify"] {
  const test = textsAt(node, "healthcheck", "test");
  if (textAt(node, "healthcheck", "disable") === "true" || test.length === 0) return undefined;
  if (test[0] === "NONE") return undefined;
  const words =
    test[0] === "CMD" || test[0] === "CMD-SHELL" ? test.slice(1) : ["sh", "-c", ...test];
  const url = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])([^\s'"|;&]*)/.exec(
    test.join(" "),
  );
  if (url) {
    const scheme = url[0].startsWith("https") ? "https" : "http";
    const [, rest = ""] = url;
    return { kind: "http", url: `${scheme}://${host}${rest}`, binding: "address" };
  }
  const shell = test[0] === "CMD-SHELL" ? ["sh", "-c", ...words] : words;
  const command = ["docker", "compose", "exec", "-T", service, ...shell];
  return { kind: "exec", command, binding: "address" };
}

/** `x-holdfast: { sites: [...] }` at the root, each as in a manifest. */
function sitesOf(file: string, root: SourceNode): readonly FoundSite[] {
  return itemsAt(root, "x-holdfast", "sites").flatMap((item) => {
    const id = textAt(item, "id");
    const says = jsonOf(item);
    if (id === undefined || typeof says !== "object" || says === null) return [];
    return [{ id, place: placeOf(file, item), says: says as FoundSite["says"] }];
  });
}
