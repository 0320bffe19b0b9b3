/** What the guard looks at itself: whether the site may act at all where it is, and whether anything was lost. */
import {
  type BuiltInCheck,
  compareWatermarks,
  ledgerMark,
  type Manifest,
  type ProbeAnswer,
  type ResidencyFinding,
  residencyOf,
  type Site,
  standingOf,
  type Watermark,
  type WatermarkFinding,
} from "../../failover/index.ts";
import { type Result, unreachable } from "../../kernel/index.ts";

export interface BuiltInParts {
  readonly manifest: Manifest;
  readonly site: Site;
  readonly witnessed: () => Promise<Result<Watermark, string>>;
  /** The same counts, as this site finds them. */
  /** Whether this site had what the one before it had. */
  readonly parity: () => Promise<Pick<BuiltInFindings, "verdict" | "because">>;
  /** This site has had a verdict under the lease that it holds. */
  readonly acts: () => boolean;
  readonly observed: (of: readonly string[]) => Promise<Result<Watermark, string>>;
}

export interface BuiltInFindings {
  readonly verdict: ProbeAnswer["verdict"];
  readonly because: string;
  readonly residency?: readonly ResidencyFinding[];
  readonly watermark?: readonly WatermarkFinding[];
}

export function lookAt(
  check: BuiltInCheck,
  parts: BuiltInParts,
  now: string,
): Promise<BuiltInFindings> {
  switch (check) {
    case "holdfast.parity":
      return parts.parity();
    case "holdfast.residency":
      return Promise.resolve(residencyFindings(parts, now));
    case "holdfast.watermark":
      return watermarkFindings(parts);
    default:
      return unreachable(check);
  }
}

/** AG-403 4.5. */
function residencyFindings({ manifest, site }: BuiltInParts, now: string): BuiltInFindings {
  const residency = residencyOf(manifest, site, now);
  const denied = residency.filter(({ decision }) => decision === "deny");
  if (denied.length > 0)
    return {
      verdict: "fail",
      because: denied.map(({ data_class, basis }) => `${data_class}: ${basis}`).join("; "),
      residency,
    };
  return { verdict: "pass", because: standingOf(residency).replace("_", " "), residency };
}

async function watermarkFindings(parts: BuiltInParts): Promise<BuiltInFindings> {
  const witnessed = await parts.witnessed();
  if (!witnessed.ok) return { verdict: "inconclusive", because: witnessed.error };
  if (witnessed.value.size === 0)
    return { verdict: "pass", because: "nothing was witnessed yet", watermark: [] };
  // A log reaches where it is kept a little later than it grows; while this site acts, its audit canary looks after that.
  const marks = [...witnessed.value].filter(([of]) => !parts.acts() || !of.startsWith(ledgerMark));
  const observed = await parts.observed(marks.map(([of]) => of));
  if (!observed.ok) return { verdict: "inconclusive", because: observed.error };
  const watermark = compareWatermarks(new Map(marks), observed.value);
  const lost = watermark.filter((finding) => finding.lost);
  return lost.length === 0
    ? { verdict: "pass", because: "all that was witnessed is here", watermark }
    : { verdict: "fail", because: lost.map(lostText).join("; "), watermark };
}

function lostText({ of, witnessed, observed }: WatermarkFinding): string {
  return `${of}: ${witnessed} was witnessed, ${observed} is here: acknowledged records are lost`;
}
