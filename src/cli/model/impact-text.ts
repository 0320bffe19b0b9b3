/** An impact for a terminal: how much first, then who and why. */
import { instantText } from "../../kernel/index.ts";
import { type Relation, type Share, splitNodeId } from "../../model/index.ts";
import { tableLines } from "../table.ts";
import type { Impact } from "./impact-of.ts";
import { visible } from "./visible.ts";

/** Where a list goes on, `--json` has all of it. */
const listMax = 10;

export function impactText(impact: Impact): string {
  const { target, change, felt, share, tolerance, requests } = impact;
  const lines = [
    `${visible(target)}, ${change}, at ${instantText(impact.at)}`,
    felt === null || share === null
      ? "no traffic was seen: how much would feel it is not known"
      : `${shareText(felt)} of the traffic would feel it (of ${requests} requests; ${percent(share.value)} touch it, of which ${toleranceText(tolerance)})`,
    ...section("services likely to feel it", likelyOf(impact)),
    ...section("other services that could", unlikelyOf(impact)),
    ...section(
      "operations",
      impact.operations.map(
        ({ entry, part, requests: of }) => `${visible(entry)}  ${percent(part)} of ${of} requests`,
      ),
    ),
    ...section("other dependents", othersOf(impact)),
    ...section("trust zones", impact.zones.map(visible)),
    ...section("classes of data", impact.dataClasses.map(visible)),
    ...section("policies that would apply", policiesOf(impact)),
    ...section("similar actions", similarOf(impact)),
  ];
  return `${lines.join("\n")}\n`;
}

function likelyOf({ feelings, likely }: Impact): readonly string[] {
  const rows = feelings
    .filter(({ service }) => likely.includes(service))
    .map(({ service, probability, relation, trouble, learnedFrom }) => [
      visible(service),
      wholePercent(probability),
      relationWords[relation],
      trouble,
      learnedText(learnedFrom),
    ]);
  return rows.length === 0
    ? []
    : tableLines([["SERVICE", "PROBABLE", "WHY", "AS", "LEARNED FROM"], ...rows]);
}

const relationWords: Readonly<Record<Relation, string>> = {
  self: "it starts there",
  waits: "its requests wait for it",
  waits_little: "few of its requests wait for it",
  asked: "it is asked by it",
  idle: "nobody asks it now",
  other: "it shares requests with it",
};

const namedMax = 3;

function learnedText(ids: readonly string[]): string {
  if (ids.length === 0) return "structure and traffic alone";
  const more = ids.length > namedMax ? ", …" : "";
  return `${ids.length} (${ids.slice(0, namedMax).map(visible).join(", ")}${more})`;
}

function unlikelyOf({ services, feelings, likely }: Impact): readonly string[] {
  const said = new Map(
    feelings.map(({ service, probability }) => [service, `  ${wholePercent(probability)}`]),
  );
  return [...new Set([...said.keys(), ...services])]
    .filter((service) => !likely.includes(service))
    .map((service) => `${visible(service)}${said.get(service) ?? ""}`);
}

/** What is learned from a few incidents is no surer than that. */
const wholePercent = (part: number): string => percent(Math.round(part * 100) / 100);

function othersOf({ dependents }: Impact): readonly string[] {
  return dependents
    .map(({ node }) => node)
    .filter((node) => splitNodeId(node)?.kind !== "service")
    .map(visible);
}

function policiesOf({ policies }: Impact): readonly string[] {
  return policies.map(
    ({ rule, outcome, reason, tools, readsModel }) =>
      `${outcome.padEnd(15)} ${rule} (${tools.join(", ")})${readsModel ? ", by facts of the model" : ""}: ${visible(reason)}`,
  );
}

function similarOf({ similar }: Impact): readonly string[] {
  if (similar.length === 0) return [];
  const part = (value: number | null): string => (value === null ? "?" : percent(value));
  const rows = similar.map((each) => [
    instantText(each.at),
    each.action,
    part(each.predicted),
    part(each.felt),
    each.title,
  ]);
  return tableLines([["AT", "ACTION", "PREDICTED", "FELT", ""], ...rows]);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const more = lines.length - listMax;
  const shown = more > 0 ? [...lines.slice(0, listMax), `… ${more} more (--json)`] : lines;
  return ["", title, ...shown.map((line) => `  ${line}`)];
}

function toleranceText({ value }: Share): string {
  return value === 1 ? "all are taken to feel it" : `${percent(value)} are known to feel it`;
}

function shareText({ value, low, high }: Share): string {
  return `${percent(value)} (${percent(low)} to ${percent(high)})`;
}

export function percent(part: number): string {
  return `${Math.round(part * 1_000) / 10} %`;
}
