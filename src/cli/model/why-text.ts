/** An answer to "why" for a terminal: the chain first, then what speaks for it, what else could be, what is ruled out. */
import { instantText } from "../../kernel/index.ts";
import {
  type Cause,
  causeKinds,
  type Evidence,
  type Symptom,
  type WhyAnswer,
} from "../../model/index.ts";
import { visible } from "./visible.ts";

/** Where a list goes on, `--json` has all of it. */
const evidenceMax = 8;
const othersMax = 4;
const ruledOutMax = 6;

export function whyText(answer: WhyAnswer, symptom: Symptom): string {
  const [first, ...others] = answer.causes;
  const about = aboutText(symptom);
  const lines: string[] = [];
  if (answer.verdict === "none") lines.push(`${about}: nothing deviates; no cause to name`);
  else if (first === undefined)
    lines.push(`${about}: insufficient evidence, no cause is named${silenceText(answer)}`);
  else lines.push(...causeLines(first, about, unsureText(answer)));
  const [title, more] =
    answer.verdict === "none"
      ? ["in trouble, but not what was asked about", answer.causes]
      : ["it could also be", others];
  lines.push(...section(title, more.slice(0, othersMax).map(otherLine)));
  lines.push(
    ...section(
      "ruled out",
      clipped(
        answer.ruledOut.map(({ node, because }) => `${visible(node)}: ${visible(because)}`),
        ruledOutMax,
      ),
    ),
    ...section("check next", answer.checkNext.map(visible)),
  );
  return `${lines.join("\n")}\n`;
}

/** Before the name of the first cause, where that is no answer. */
function unsureText(answer: WhyAnswer): string {
  return answer.verdict === "insufficient"
    ? `insufficient evidence${silenceText(answer)}; closest is `
    : "";
}

function silenceText({ newestTelemetryAt: newestAt }: WhyAnswer): string {
  return newestAt === undefined ? "" : ` (the newest telemetry is from ${instantText(newestAt)})`;
}

function causeLines(cause: Cause, about: string, verdict: string): string[] {
  const lines = [
    `${about}: ${verdict}${visible(cause.node)}`,
    `  ${causeKinds[cause.kind]} (${cause.kind}), ${percent(cause.confidence)} sure${sinceText(cause.onsetAt)}`,
  ];
  if (cause.change !== undefined) lines.push(`  brought by ${visible(cause.change)}`);
  lines.push(...section("how it came here", chainLines(cause)));
  const evidence = [...cause.evidence].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  lines.push(...section("what speaks for it", clipped(evidence.map(evidenceLine), evidenceMax)));
  lines.push(...section("remembered", cause.remembered.map(visible)));
  return lines;
}

/** Each node once, each step below the one before. */
function chainLines(cause: Cause): string[] {
  if (cause.path.length === 0) return [];
  const [first] = cause.path;
  const lines = [visible(first?.from ?? cause.node)];
  cause.path.forEach(({ to, edge, because }, depth) => {
    lines.push(`${"  ".repeat(depth)}└ ${edge}: ${visible(to)}  (${visible(because)})`);
  });
  return lines;
}

function evidenceLine({ node, says, weight, origin, onsetAt }: Evidence): string {
  const sign = weight < 0 ? "against" : "for";
  return `${sign.padEnd(7)} ${visible(node)}: ${visible(says)}${sinceText(onsetAt ?? null)}  [${visible(`${origin.source} ${origin.reference}`)}]`;
}

function otherLine(cause: Cause): string {
  return `${percent(cause.confidence).padStart(5)}  ${visible(cause.node)}: ${causeKinds[cause.kind]} (${cause.kind})`;
}

function aboutText(symptom: Symptom): string {
  const about = symptom.node ?? symptom.text ?? "the symptom";
  const parts = [visible(about), symptom.operation, symptom.signal].filter(
    (part) => part !== undefined,
  );
  return `${parts.join(" ")} at ${instantText(symptom.at)}`;
}

function sinceText(onsetAt: number | null): string {
  return onsetAt === null ? "" : `, since ${instantText(onsetAt)}`;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function clipped(lines: readonly string[], countMax: number): string[] {
  return lines.length <= countMax
    ? [...lines]
    : [...lines.slice(0, countMax), `… and ${lines.length - countMax} more (--json has all)`];
}
