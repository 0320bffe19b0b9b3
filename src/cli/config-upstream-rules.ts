/** What a schema cannot say of how an upstream is treated when it is slow or fails. */
import { nearestWord } from "../policy/index.ts";
import type { Findings, Path } from "./findings.ts";

type Members = Readonly<Record<string, unknown>>;

interface DryRunForm {
  readonly set: string;
  readonly to: unknown;
}

/** A valid value by the schema. */
export function checkCare(upstream: Members, path: Path, findings: Findings): void {
  notOver(upstream, ["breaker", "open_ms", "open_ms_max"], path, findings);
  notOver(upstream, ["retries", "backoff_ms", "backoff_ms_max"], path, findings);
  const mcp = upstream["mcp"] as Members | undefined;
  if (upstream["idempotency"] === "honoured" && mcp?.["command"] !== undefined)
    findings.report([...path, "idempotency"], {
      code: "choice",
      message: "a program is sent no idempotency key, so it can honour none",
      hint: "honoured belongs to upstreams with a url or http",
    });
  const http = upstream["http"] as Members | undefined;
  const forms = upstream["dry_run"] as Readonly<Record<string, DryRunForm>>;
  for (const [tool, { set, to }] of Object.entries(forms)) {
    if (typeof to === "object")
      findings.report([...path, "dry_run", tool, "to"], {
        code: "type",
        message: "to is one text, number or boolean",
      });
    if (http === undefined) continue;
    checkPlace(set, [...path, "dry_run", tool, "set"], findings);
    checkRoute(tool, http, [...path, "dry_run"], findings);
  }
}

function notOver(
  upstream: Members,
  [part, low, high]: readonly [string, string, string],
  path: Path,
  findings: Findings,
): void {
  const members = upstream[part] as Members;
  if (Number(members[low]) > Number(members[high]))
    findings.report([...path, part, low], {
      code: "range",
      message: `${low} is ${String(members[low])}, over ${high} (${String(members[high])})`,
      hint: `raise ${high}, or lower ${low}`,
    });
}

/** The arguments of an HTTP tool are its path, its query and its body. */
function checkPlace(set: string, path: Path, findings: Findings): void {
  if (/^args\.(?:query|body)\./.test(set)) return;
  findings.report(path, {
    code: "choice",
    message: `${set} is no argument that makes an HTTP call a dry run`,
    hint: "name a field below args.query or args.body",
  });
}

/** A mistyped tool would never be sent in its dry-run form. Of an OpenAPI document the routes are not known here. */
function checkRoute(tool: string, http: Members, path: Path, findings: Findings): void {
  const routes = http["routes"] as
    | readonly { readonly method: string; readonly path: string }[]
    | undefined;
  if (routes === undefined) return;
  const names = routes.map((route) => `${route.method} ${route.path}`);
  if (names.includes(tool)) return;
  findings.report(
    path,
    {
      code: "unknown-tool",
      message: `${JSON.stringify(tool)} is none of the routes`,
      nearest: nearestWord(tool, names),
      hint: `the routes are ${names.join(", ")}`,
    },
    tool,
  );
}
