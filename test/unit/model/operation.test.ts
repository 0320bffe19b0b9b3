/** An operation is one that the node was seen to serve; an answer about another is worse than none. */
import { expect, test } from "vitest";
import { Graph, type Symptom, withKnownOperation } from "../../../src/model/index.ts";
import { traffic } from "./why/signals/shop.ts";

const node = "service:front";
const graph = new Graph();
graph.add([
  traffic(0, { caller: null, callee: "front", operation: "GET /cart" }),
  traffic(0, { caller: "front", callee: "cart", callerOperation: "POST /checkout" }),
  traffic(0, { caller: null, callee: "front", operation: "shop.Front/List" }),
  traffic(0, { caller: null, callee: "front", operation: "shop.Admin/List" }),
]);
const ask = (operation: string | undefined, about: string = node) => {
  const symptom: Symptom = { at: 5, node: about, ...(operation !== undefined && { operation }) };
  return withKnownOperation(symptom, graph.latest());
};

test.each([
  ["GET /cart", "GET /cart"],
  ["get /cart", "GET /cart"],
  ["/cart", "GET /cart"],
  ["checkout", "POST /checkout"],
  [undefined, undefined],
])("%j is %j", (word, operation) => {
  const read = ask(word);
  expect(read.ok && read.value.operation).toBe(operation);
});

test.each([
  ["GET /carts", node, 'did you mean "GET /cart"?'],
  ["check", node, 'did you mean "POST /checkout"?'],
  ["nonsense", node, 'known are "GET /cart", "POST /checkout", "shop.Admin/List"'],
  ["List", node, 'several operations of service:front: "shop.Admin/List", "shop.Front/List"'],
  ["GET /cart", "service:ads", "no operation of it is known"],
])("%j of %s is refused with the nearest names", (word, about, message) => {
  const read = ask(word, about);
  expect(read.ok ? "" : read.error).toContain(message);
});
