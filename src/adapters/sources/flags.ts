/** Feature flags: flagd's definitions (flagd.dev), which OpenFeature providers read, and announcements of a switch. */
import { isJsonObject, type JsonObject } from "../../kernel/index.ts";
import { at, objectAt, textAt, timeAt } from "./members.ts";
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

const states = ["ENABLED", "DISABLED"];

export const flags: Source = {
  name: "flags",
  version: 1,
  reads: ({ value }) => isDefinition(value) || isSwitch(value),
  tell: tellEach("flags", (teller, document) =>
    isDefinition(document.value) ? tellDefinitions(teller, document) : tellSwitch(teller, document),
  ),
};

type Fault = Pick<SourceFault, "path" | "message"> | undefined;

function isDefinition(value: JsonObject): boolean {
  const found = at(value, "flags");
  return (
    found !== undefined &&
    isJsonObject(found) &&
    Object.values(found).every((flag) => at(flag, "variants") !== undefined)
  );
}

/** `{ "flag": …, "before": …, "after": …, "at": … }`, as hooks of OpenFeature are made to send it. */
function isSwitch(value: JsonObject): boolean {
  const key = textAt(value, "flag") ?? textAt(value, "flagKey");
  return key !== undefined && at(value, "after") !== undefined;
}

function tellDefinitions(teller: Teller, { value, reference, receivedAt }: SourceDocument): Fault {
  for (const [name, flag] of Object.entries(objectAt(value, "flags"))) {
    const state = textAt(flag, "state");
    if (state === undefined || !states.includes(state))
      return { path: `flags.${nameOf(name)}.state`, message: "a flag is ENABLED or DISABLED" };
    const variant = textAt(flag, "defaultVariant");
    if (variant !== undefined && at(flag, "variants", variant) === undefined)
      return {
        path: `flags.${nameOf(name)}.defaultVariant`,
        message: `there is no variant ${nameOf(variant)}`,
      };
    teller.tell(`${reference} flag ${nameOf(name)}`, receivedAt, {
      ...{ type: "node", at: receivedAt, node: named("flag", name), aspect: "spec" },
      value: objectAt(flag),
    });
  }
  return undefined;
}

function tellSwitch(teller: Teller, { value, reference, receivedAt }: SourceDocument): Fault {
  const key = textAt(value, "flag") ?? textAt(value, "flagKey") ?? "";
  const when = timeAt(value, "at") ?? timeAt(value, "timestamp") ?? receivedAt;
  const text = (member: string): string => JSON.stringify(at(value, member) ?? null);
  const actor = textAt(value, "actor");
  const service = textAt(value, "service");
  teller.tell(`${reference} flag ${nameOf(key)}`, when, {
    ...{ type: "change", at: when, change: named("flag", key), kind: "flag" },
    targets: service === undefined ? [] : [named("service", service)],
    title: textOf(`flag ${key}: ${text("before")} to ${text("after")}`),
    ...(actor !== undefined && { actor: nameOf(actor) }),
    before: nameOf(text("before")),
    after: nameOf(text("after")),
    diff: [
      { path: nameOf(key), removed: [nameOf(text("before"))], added: [nameOf(text("after"))] },
    ],
  });
  return undefined;
}
