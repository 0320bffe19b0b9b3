/** Mistakes in policy files, each with the place and the words it must be reported with. */

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

const files: readonly Row[] = [
  ["unknown field of a file", "polcy: p\n", "1:1", "unknown-field", /polcy/, "policy"],
  [
    "unknown field of a rule",
    withRule("  outcom: deny\n  outcome: allow"),
    "5:3",
    "unknown-field",
    /outcom"/,
    "outcome",
  ],
  ["unknown outcome", withRule("  outcome: alow"), "5:12", "unknown-word", /alow/, "allow"],
  ["an outcome that is no text", withRule("  outcome: true"), "5:12", "wrong-type", /boolean true/],
  [
    "unknown field of a match",
    "policy: p\nrules:\n- id: r\n  match: { tool: pay:create }\n  outcome: allow\n",
    "4:12",
    "unknown-field",
    /"tool"/,
    "tools",
  ],
  [
    "unknown effect of a match",
    "policy: p\nrules:\n- id: r\n  match: { effect: reed }\n  outcome: allow\n",
    "4:20",
    "unknown-word",
    /reed/,
    "read",
  ],
  ["no outcome", withRule(""), "3:3", "missing-field", /needs outcome/],
  [
    "a deny without a reason",
    withRule("  outcome: deny"),
    "5:12",
    "missing-field",
    /needs a reason/,
  ],
  [
    "rules without a policy",
    "rules:\n- { id: r, match: {tools: pay:get}, outcome: allow }\n",
    "1:1",
    "missing-field",
    /policy: its name/,
  ],
  [
    "the same id twice",
    `${withRule("  outcome: allow")}- { id: r, match: {tools: pay:get}, outcome: allow }\n`,
    "6:9",
    "duplicate-id",
    /p\/r is already at p.yaml:3/,
  ],
  ["the same key twice", "policy: p\npolicy: q\n", "2:1", "duplicate-key", /twice/],
  ["an alias", "policy: &a p\n", "1:12", "yaml", /anchors and aliases/],
  ["two documents", "policy: p\n---\npolicy: q\n", "2:1", "yaml", /one document/],
  ["broken YAML", "policy: [p\n", "2:1", "yaml", /./],
  [
    "a number that is not exact",
    "tools:\n  a:b: { effect: read, cost_estimate_micro_usd: 9007199254740993 }\n",
    "2:49",
    "number",
    /exactly/,
  ],
  [
    "a tool with no server",
    "tools:\n  create: { effect: read }\n",
    "2:3",
    "bad-name",
    /server:tool/,
  ],
  [
    "unknown tool",
    "policy: p\nrules:\n- id: r\n  match: { tools: [pay:get, pay:creat] }\n  outcome: allow\n",
    "4:29",
    "unknown-tool",
    /pay:creat /,
    "pay:create",
  ],
  [
    "a tool name without its server",
    "policy: p\nrules:\n- id: r\n  match: { tools: pay-create }\n  outcome: allow\n",
    "4:19",
    "bad-name",
    /server:tool/,
    "pay:create",
  ],
  [
    "a pattern that no tool fits",
    "policy: p\nrules:\n- id: r\n  match: { tools: pai:* }\n  outcome: allow\n",
    "4:19",
    "unknown-tool",
    /fits pai/,
  ],
  [
    "unknown agent",
    "policy: p\nrules:\n- id: r\n  match: { agents: suport-bot, effect: read }\n  outcome: allow\n",
    "4:20",
    "unknown-agent",
    /suport-bot/,
    "support-bot",
  ],
  [
    "a rule that never matches",
    "policy: p\nrules:\n- id: r\n  match: { tools: pay:create, effect: read }\n  outcome: allow\n",
    "4:19",
    "never-matches",
    /no read/,
  ],
  [
    "a rule that allows everything",
    "policy: p\nrules:\n- id: r\n  match: {}\n  outcome: allow\n",
    "3:3",
    "allows-everything",
    /every call/,
  ],
  [
    "a write that would open",
    "tools:\n  a:b: { effect: write, risk: high, on_failure: open }\n",
    "2:49",
    "cannot-open",
    /risk low/,
  ],
];

const conditions: readonly Row[] = [
  ["unknown variable", withCondition("arg.amount > 1"), "3:9", "unknown-variable", /arg/, "args"],
  [
    "unknown function",
    withCondition("args.currency.startWith('E')"),
    "3:23",
    "unknown-function",
    /startWith/,
    "startsWith",
  ],
  [
    "unknown global function",
    withCondition("lenght(args.items) > 1"),
    "3:9",
    "unknown-function",
    /lenght/,
  ],
  ["unknown operator", withCondition("args.amount === 1"), "3:23", "cel-syntax", /=/],
  [
    "a method outside the subset",
    withCondition("args.items.map(i, i.price).size() > 1"),
    "3:20",
    "unknown-function",
    /map/,
  ],
  [
    "a map literal",
    withCondition(`"args.card == {'number': 'x'}"`),
    "3:23",
    "not-in-subset",
    /map literal/,
  ],
  [
    "unknown argument",
    withCondition("args.amuont > 5"),
    "3:14",
    "unknown-field",
    /amuont/,
    "amount",
  ],
  [
    "unknown argument inside a list",
    withCondition("args.items.exists(i, i.prize > 5)"),
    "3:32",
    "unknown-field",
    /prize/,
    "price",
  ],
  [
    "unknown argument under has()",
    withCondition("has(args.crad)"),
    "3:18",
    "unknown-field",
    /crad/,
    "card",
  ],
  [
    "unknown field of the subject",
    withCondition("subject.agent == 'x'"),
    "3:17",
    "unknown-field",
    /agent/,
  ],
  [
    "a number compared with a string",
    withCondition("args.amount > '5'"),
    "3:9",
    "wrong-type",
    /number with a string/,
  ],
  [
    "a string compared with a number",
    withCondition("args.currency == 5"),
    "3:9",
    "wrong-type",
    /string with a number/,
  ],
  [
    "a word that cannot be",
    withCondition("action.effect == 'wirte'"),
    "3:26",
    "unknown-word",
    /wirte/,
    "write",
  ],
  [
    "a word of the tool's schema",
    withCondition("has(args.speed) && args.speed in ['instnat']"),
    "3:42",
    "unknown-word",
    /instnat/,
    "instant",
  ],
  [
    "a condition that is no bool",
    withCondition("args.amount"),
    "3:14",
    "wrong-type",
    /must be a bool/,
  ],
  ["&& of a number", withCondition("args.amount && true"), "3:14", "wrong-type", /side of &&/],
  ["order of lists", withCondition("args.items < args.items"), "3:14", "wrong-type", /no order/],
  [
    "a bad pattern",
    withCondition("args.currency.matches('(a')"),
    "3:31",
    "bad-regex",
    /missing closing/,
  ],
  [
    "a pattern that is not literal",
    withCondition("args.currency.matches(args.currency)"),
    "3:31",
    "bad-call",
    /literal/,
  ],
  [
    "division of whole numbers",
    withCondition("args.count / 100 > 5"),
    "3:9",
    "division",
    /fraction/,
  ],
  ["whole and fraction mixed", withCondition("1 + 1.5 > args.amount"), "3:9", "cel-type", /CEL/],
  [
    "a number beyond 2^53",
    withCondition("args.amount > 9007199254740993"),
    "3:23",
    "number",
    /2\^53/,
  ],
  [
    "an argument that may be absent",
    withCondition("args.card.number == 'x'"),
    "3:14",
    "optional-field",
    /may be absent/,
  ],
];

const obligations = (lines: string): string =>
  withRule(
    `  outcome: sanitize\n  obligations:\n  - redact: args.card.number\n    with: remove\n${lines}`,
  );

const duties: readonly Row[] = [
  [
    "a path to no argument",
    obligations("  - redact: args.card.numbr\n    with: remove"),
    "9:13",
    "unknown-field",
    /numbr/,
    "number",
  ],
  [
    "a path that is no path",
    obligations("  - redact: args.card[number]\n    with: remove"),
    "9:22",
    "bad-path",
    /cannot go on/,
  ],
  [
    "a path outside args",
    obligations("  - redact: context.x\n    with: remove"),
    "9:13",
    "bad-path",
    /starts with args/,
  ],
  [
    "a way that is none",
    obligations("  - redact: args.currency\n    with: masc"),
    "10:11",
    "unknown-word",
    /masc/,
    "mask",
  ],
  ["no way at all", obligations("  - redact: args.currency"), "9:5", "missing-field", /needs with/],
  [
    "keep without mask",
    obligations("  - redact: args.currency\n    with: digest\n    keep: 4"),
    "11:11",
    "bad-obligation",
    /with: mask/,
  ],
  [
    "both kinds in one",
    obligations("  - redact: args.currency\n    require: args.currency"),
    "9:5",
    "bad-obligation",
    /either/,
  ],
  [
    "a bad pattern",
    obligations("  - require: args.currency\n    matches: '[A'"),
    "10:14",
    "bad-regex",
    /missing closing/,
  ],
  [
    "an allow that redacts",
    withRule("  outcome: allow\n  obligations:\n  - redact: args.currency\n    with: remove"),
    "5:12",
    "bad-obligation",
    /sanitize/,
  ],
  [
    "a sanitize that does nothing",
    withRule("  outcome: sanitize"),
    "5:12",
    "missing-field",
    /what to redact/,
  ],
];

export const mistakes: readonly Row[] = [...files, ...conditions, ...duties];
