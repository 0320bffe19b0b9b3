/** What the gateway recorded while it was judged: a conformant gateway that forgot to record is not the product. */
import { examine } from "../../test/fixtures/log-evidence.ts";

export interface GatewayRecord {
  readonly entries: number;
  /** What offline verification found wrong; empty when nothing is. */
  readonly problems: readonly string[];
}

/** Verifies the log of a gateway that has stopped. */
export async function readRecord(folder: string): Promise<GatewayRecord> {
  const { size, problems } = await examine(folder, [], []);
  return { entries: size, problems };
}
