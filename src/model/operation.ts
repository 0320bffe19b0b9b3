/** The operation that a symptom names, checked against those that its node was seen to serve. */
import { err, nearestWord, ok, type Result } from "../kernel/index.ts";
import type { Symptom } from "./answer.ts";
import type { Alert, Series, Traffic } from "./event.ts";
import type { NodeId } from "./graph-words.ts";

/** Where operations are told; a view of the graph is such. */
export interface KnownOperations {
  traffic(
    range: object,
    of: { readonly caller?: NodeId; readonly callee?: NodeId },
  ): readonly Traffic[];
  series(node: NodeId): readonly Series[];
  alerts(range: object, node: NodeId): readonly Alert[];
}

const namedMax = 5;

/**
 * The symptom with its operation as the node's telemetry names it: whole, or by its last part (`/cart` of `GET /cart`). The
 * error is a sentence with the names that were meant, since an answer about another operation is worse than none.
 */
export function withKnownOperation(
  symptom: Symptom,
  known: KnownOperations,
): Result<Symptom, string> {
  const { node, operation } = symptom;
  if (node === undefined || operation === undefined) return ok(symptom);
  const operations = operationsOf(node, known);
  const [meant, ...others] = meantBy(operation, operations);
  if (meant === undefined) return err(unknownText(node, operation, operations));
  if (others.length === 0) return ok({ ...symptom, operation: meant });
  const names = [meant, ...others].slice(0, namedMax).map(quoted).join(", ");
  return err(
    `\`${operation}\` is the name of several operations of ${node}: ${names}; give the whole name`,
  );
}

/** By whoever called it, what the node did while it called others, and what is measured or alerted of it. */
function operationsOf(node: NodeId, known: KnownOperations): readonly string[] {
  const told = [
    ...known.traffic({}, { callee: node }).map(({ operation }) => operation),
    ...known.traffic({}, { caller: node }).map(({ callerOperation }) => callerOperation),
    ...known.series(node).map(({ operation }) => operation),
    ...known.alerts({}, node).map(({ operation }) => operation),
  ];
  return [...new Set(told.filter((each) => each !== undefined && each !== ""))].sort() as string[];
}

function meantBy(word: string, operations: readonly string[]): readonly string[] {
  if (operations.includes(word)) return [word];
  const lower = word.toLowerCase();
  const same = operations.filter((each) => each.toLowerCase() === lower);
  if (same.length > 0) return same;
  const isEnd = (each: string) => each.endsWith(` ${lower}`) || each.endsWith(`/${lower}`);
  return operations.filter((each) => isEnd(each.toLowerCase()));
}

function unknownText(node: NodeId, word: string, operations: readonly string[]): string {
  const lower = word.toLowerCase();
  const holding = operations.filter((each) => each.toLowerCase().includes(lower));
  const near = nearestWord(word, operations);
  const meant = holding.length > 0 ? holding : near === undefined ? [] : [near];
  const names = (some: readonly string[]) => some.slice(0, namedMax).map(quoted).join(", ");
  const hint =
    meant.length > 0
      ? `did you mean ${names(meant)}?`
      : operations.length === 0
        ? "no operation of it is known: ask without one"
        : `known are ${names(operations)}${operations.length > namedMax ? ` and ${operations.length - namedMax} more` : ""}`;
  return `${node} was never seen to serve \`${word}\`; ${hint}`;
}

const quoted = (operation: string): string => `"${operation}"`;
