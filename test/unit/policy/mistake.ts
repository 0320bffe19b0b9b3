/** The files in which mistakes are made, and the row that tells one. */

import type { JsonObject, ToolId } from "../../../src/kernel/index.ts";

/** What the files below are checked against. */
export const catalog = `
tools:
  pay:create: { effect: write, risk: critical }
  pay:get: { effect: read }
  files:read: { effect: read }
agents:
  support-bot: {}
`;

export const toolSchemas: ReadonlyMap<ToolId, JsonObject> = new Map<ToolId, JsonObject>([
  [
    "pay:create",
    {
      type: "object",
      required: ["amount", "currency", "items", "count"],
      properties: {
        amount: { type: "number" },
        count: { type: "integer" },
        currency: { type: "string" },
        speed: { enum: ["normal", "instant"] },
        card: { type: "object", properties: { number: { type: "string" } } },
        items: { type: "array", items: { $ref: "#/$defs/item" } },
      },
      $defs: { item: { type: "object", properties: { price: { type: "number" } } } },
    },
  ],
  ["pay:get", { type: "object", properties: { id: { type: "string" } } }],
]);

/** A whole file whose only rule starts on line 3; `condition` stands at 3:9, alone on its line. */
export const withCondition = (condition: string): string => `policy: p
rules:
- when: ${condition}
  id: r
  match: { tools: pay:create }
  outcome: allow
`;

export const withRule = (lines: string): string => `policy: p
rules:
- id: r
  match: { tools: pay:create }
${lines}
`;

export type Row = readonly [
  what: string,
  text: string,
  place: string,
  code: string,
  message: RegExp,
  nearest?: string,
];
