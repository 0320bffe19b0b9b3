/** `kubectl describe networkpolicy`: rules are lists of `To Port:` and `To:`, told apart by a dashed line. */
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { type Description, labelsOf } from "./kubectl-text.ts";
import { shaped } from "./pod-template.ts";

export function policy(text: Description): { readonly spec: JsonObject } {
  const spec = text.below("Spec");
  const lines = text.entry("Spec")?.lines ?? [];
  const types = spec
    .value("Policy Types")
    .split(",")
    .map((type) => type.trim());
  return {
    spec: {
      podSelector: { matchLabels: labelsOf([spec.value("PodSelector").split(" (")[0] ?? ""]) },
      policyTypes: types.filter(Boolean),
      ingress: rulesOf(lines, "ingress"),
      egress: rulesOf(lines, "egress"),
    },
  };
}

/** None at all is `<none>`, with the remark that all pods are isolated. */
function rulesOf(lines: readonly string[], way: "ingress" | "egress"): readonly JsonObject[] {
  const from = lines.findIndex((line) => new RegExp(`Allowing ${way} traffic:`).test(line));
  if (from < 0) return [];
  const rest = lines.slice(from + 1);
  const until = rest.findIndex((line) => /Allowing|Not affecting|Policy Types/.test(line));
  const body = (until < 0 ? rest : rest.slice(0, until)).join("\n");
  if (/<none>/.test(body)) return [];
  return body.split(/^\s*-{5,}\s*$/m).map((rule) => {
    const ports = [...rule.matchAll(/(?:To )?Port:\s+(\S+?)\/(\w+)/g)].map(
      ([, port = "", protocol = ""]) => ({
        port: /^\d+$/.test(port) ? Number(port) : port,
        protocol,
      }),
    );
    const pods = /PodSelector:\s+(\S+)/.exec(rule)?.[1];
    return shaped({
      ports,
      ...(way === "egress" && pods !== undefined
        ? { to: [{ podSelector: { matchLabels: labelsOf([pods]) } }] }
        : {}),
    });
  });
}
