/** CloudEvents 1.0 in structured JSON: any change that somebody announces so. What its type says nothing of is left out. */
import { isJsonArray, isJsonObject } from "../../kernel/index.ts";
import { type ChangeKind, changeKinds, type DiffPart, splitNodeId } from "../../model/index.ts";
import { at, listAt, textAt, textsAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Teller,
  tellEach,
  textOf,
} from "./source.ts";

/** Words of a type, and what kind of change they mean; the first that is found. */
const words: readonly (readonly [RegExp, ChangeKind])[] = [
  [/deploy|release|rollout|upgrade|rollback/i, "deploy"],
  [/flag|toggle/i, "flag"],
  [/migrat/i, "migration"],
  [/secret|credential/i, "secret"],
  [/config|setting/i, "config"],
  [/scal(?:e|ing)/i, "scale"],
  [/restart|reboot/i, "restart"],
  [/commit|push|merge/i, "commit"],
  [/infra|provision|terraform/i, "infrastructure"],
];

export const cloudEvents: Source = {
  name: "cloudevents",
  version: 1,
  reads: ({ value }) => at(value, "specversion") !== undefined && at(value, "type") !== undefined,
  tell: tellEach("cloudevents", tellEvent),
};

function tellEvent(
  teller: Teller,
  { value, reference, receivedAt }: SourceDocument,
): Pick<SourceFault, "path" | "message"> | undefined {
  for (const path of ["id", "source", "type"])
    if (textAt(value, path) === undefined)
      return { path, message: `a CloudEvent has ${path === "id" ? "an" : "a"} ${path}` };
  const type = textAt(value, "type") ?? "";
  const kind = kindOf(textAt(value, "data", "kind"), type);
  if (kind === undefined) {
    teller.note(
      reference,
      `type ${nameOf(type)} names no kind of change (data.kind would); left out`,
    );
    return undefined;
  }
  tellChange(teller, { value, reference, receivedAt }, kind);
  return undefined;
}

function tellChange(
  teller: Teller,
  { value, reference, receivedAt }: SourceDocument,
  kind: ChangeKind,
): void {
  const own = `${textAt(value, "source")}/${textAt(value, "id")}`;
  const when = timeAt(value, "time") ?? receivedAt;
  const title = textAt(value, "data", "title");
  const diff = diffOf(at(value, "data", "diff"));
  const texts = ["actor", "before", "after"].flatMap((name) => {
    const text = textAt(value, "data", name);
    return text === undefined ? [] : [[name, nameOf(text)]];
  });
  teller.tell(`${reference} ${nameOf(own)}`, when, {
    ...{ type: "change", at: when, kind, targets: targetsOf(value) },
    change: named(kind === "flag" || kind === "config" ? kind : "deploy", own),
    title: textOf(title ?? `${textAt(value, "type")} ${textAt(value, "subject") ?? ""}`),
    ...Object.fromEntries(texts),
    ...(diff !== undefined && { diff }),
  });
}

function kindOf(given: string | undefined, type: string): ChangeKind | undefined {
  return changeKinds.find((kind) => kind === given) ?? words.find(([word]) => word.test(type))?.[1];
}

/** `data.targets` as node ids or names of services, else the subject. */
function targetsOf(value: SourceDocument["value"]): readonly string[] {
  const given = textsAt(value, "data", "targets");
  const one = textAt(value, "data", "service") ?? textAt(value, "subject");
  const names = given.length > 0 ? given : one === undefined ? [] : [one];
  return names.map((name) => {
    const split = splitNodeId(name);
    return split === undefined ? named("service", name) : named(split.kind, split.name);
  });
}

function diffOf(
  value: SourceDocument["value"][string] | undefined,
): readonly DiffPart[] | undefined {
  if (value === undefined || !isJsonArray(value)) return undefined;
  return value.filter(isJsonObject).map((part) => ({
    path: nameOf(textAt(part, "path") ?? ""),
    removed: listAt(part, "removed").map((line) => textOf(String(line))),
    added: listAt(part, "added").map((line) => textOf(String(line))),
  }));
}
