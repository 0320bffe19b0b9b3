/** `parity`: this site has what another one has, as the guard of that one signs it at this moment (AG-403 4.8). */
import {
  drifts,
  openEnvelope,
  type ParityVerification,
  parityType,
  readParity,
} from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { exchange, jsonIn } from "./request.ts";

export async function parity(asking: Asking<ParityVerification>): Promise<Found> {
  const { verification, question } = asking;
  const { url } = verification;
  if (asking.parity === undefined) return inconclusive("only a guard can compare itself");
  const { own: ownState, sites } = asking.parity;
  const other = sites.find(({ guardUrl }) => url.startsWith(`${guardUrl.replace(/\/$/, "")}/`));
  if (other === undefined)
    return inconclusive("the manifest has no other site whose guard is there");
  const own = await ownState(question.nonce);
  if (!own.ok) return inconclusive(own.error);
  const at = new URL(url);
  at.searchParams.set("nonce", question.nonce);
  const sent = await exchange(asking, { url: at.href });
  if (!sent.ok) return inconclusive(sent.error);
  if (sent.value.status !== 200)
    return inconclusive(`the guard of ${other.site} answers with status ${sent.value.status}`);
  const opened = openEnvelope(jsonIn(sent.value) ?? null, parityType, [other.key]);
  if (!opened.ok) return inconclusive(`the parity of ${other.site}: ${opened.error}`);
  const { deployment, tenant } = own.value;
  const expected = { deployment, tenant, site: other.site, nonce: question.nonce };
  const there = readParity(opened.value.payload, expected);
  if (!there.ok) return inconclusive(`the parity of ${other.site}: ${there.error}`);
  const found = drifts(own.value, there.value);
  const more: Partial<Found> = {
    observed: { compared_with: other.site, drifts: found.map((drift) => ({ ...drift })) },
    // The statement names the nonce, and what it is compared with is our own.
    echo: { site: question.site, nonce: there.value.nonce },
  };
  if (found.length === 0) return pass(`this site has what ${other.site} has`, more);
  const texts = found.map(({ of, here, there: that }) => `${of} is ${here} here and ${that} there`);
  return fail(texts.join("; "), more);
}
