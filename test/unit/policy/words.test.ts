/** The words of further mistakes, whole: place, message, the nearest word, and what to do. */
import { expect, test } from "vitest";
import { formatDiagnostic, loadPolicySet } from "../../../src/policy/index.ts";
import { catalog, toolSchemas, withCondition, withRule } from "./mistakes.ts";

const rows: readonly (readonly [text: string, says: readonly string[]])[] = [
  [
    withCondition("args.items[0].prise > 1"),
    ["p.yaml:3:23: error: args.items[0] has no field prise; did you mean price?\n    it has price"],
  ],
  [
    withCondition("args['amuont'] > 1"),
    [
      "p.yaml:3:9: error: args has no field amuont; did you mean amount?\n    it has amount, count, currency, speed, card, items",
    ],
  ],
  [
    withCondition("args.items['x'] == 1"),
    [
      'p.yaml:3:9: error: args.items["x"] == 1 compares a map with a number, which is never decided',
      'p.yaml:3:20: error: the index of a list must be a number; "x" is a string',
    ],
  ],
  [
    withCondition("args.card[1] == 'x'"),
    [
      "p.yaml:3:14: warning: args.card may be absent; the rule then cannot be evaluated\n    guard it: has(args.card) && …",
      "p.yaml:3:19: error: the key of a map must be a string; 1 is a number",
    ],
  ],
  [
    withCondition("args.amount[0] == 1"),
    ["p.yaml:3:14: error: what is indexed must be a list or map; args.amount is a number"],
  ],
  [withCondition("'instnt' == args.speed"), ["p.yaml:3:18: error: Unexpected scalar at node end"]],
  [
    withCondition("1 in ['a']"),
    ["p.yaml:3:9: error: CEL refuses this: no such overload: int in list<string>"],
  ],
  [
    withCondition("args.amount in ['a', 'b']"),
    ['p.yaml:3:9: error: args.amount in ["a","b"] looks for a number among values of type string'],
  ],
  [
    withCondition("args.card in args.card"),
    [
      "p.yaml:3:14: warning: args.card may be absent; the rule then cannot be evaluated\n    guard it: has(args.card) && …",
      "p.yaml:3:14: warning: args.card may be absent; the rule then cannot be evaluated\n    guard it: has(args.card) && …",
      "p.yaml:3:14: error: the key of a map must be a string; args.card is a map",
      "p.yaml:3:27: warning: args.card may be absent; the rule then cannot be evaluated\n    guard it: has(args.card) && …",
    ],
  ],
  [
    withCondition("1 in args.card"),
    [
      "p.yaml:3:9: error: the key of a map must be a string; 1 is a number",
      "p.yaml:3:19: warning: args.card may be absent; the rule then cannot be evaluated\n    guard it: has(args.card) && …",
    ],
  ],
  [
    withCondition("args.currency + 1 == 'x'"),
    ["p.yaml:3:9: error: CEL refuses this: no such overload: int == string"],
  ],
  [
    withCondition("args.currency + args.amount == 'x'"),
    ["p.yaml:3:9: error: args.currency + args.amount mixes a string and a number"],
  ],
  [withCondition("has(args)"), ["p.yaml:3:13: error: has() takes a field, as in has(args.memo)"]],
  [
    withCondition("args.items.exists(args, args == 1)"),
    [
      "p.yaml:3:27: error: exists() takes a new variable, as in args.items.exists(item, item.price > 10)",
    ],
  ],
  [
    withCondition("args.items.exists(1, true)"),
    ["p.yaml:3:27: error: exists(var, predicate) invalid predicate iteration variable"],
  ],
  [
    withCondition("args.currency.size(1) == 1"),
    ["p.yaml:3:23: error: size() is not used as a method like this\n    write size(args.items)"],
  ],
  [
    withCondition("startsWith(args.currency, 'x')"),
    [
      "p.yaml:3:9: error: startsWith() is not used like this\n    write args.path.startsWith('/tmp/')",
    ],
  ],
  [
    withCondition("args.currency.startsWith()"),
    [
      "p.yaml:3:23: error: startsWith() is not used as a method like this\n    write args.path.startsWith('/tmp/')",
    ],
  ],
  [
    withCondition("b'abc' == args.currency"),
    ["p.yaml:3:9: error: a bytes or unsigned literal is not part of the policy language"],
  ],
  [
    withCondition("1u == args.amount"),
    ["p.yaml:3:9: error: a bytes or unsigned literal is not part of the policy language"],
  ],
  [withCondition("args[?'amount'] == 1"), ["p.yaml:3:14: error: Unexpected token: QUESTION"]],
  [
    withCondition("args.amount == 9007199254740993"),
    ["p.yaml:3:24: error: 9007199254740993 is beyond 2^53 - 1"],
  ],
  [
    withCondition("x".repeat(5_000)),
    ["p.yaml:3:9: error: the condition is over 4096 characters\n    make it several rules"],
  ],
  [
    withRule(
      "  outcome: deny\n  reason: no\n  obligations: [{ redact: args.currency, with: remove }]",
    ),
    ["p.yaml:5:12: error: a deny has no obligations"],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ require: args.currency, matches: a }]"),
    ["p.yaml:5:12: error: sanitize needs something to redact"],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ redact: args.currency, with: text }]"),
    ["p.yaml:6:17: error: with: text needs text"],
  ],
  [
    withRule(
      "  outcome: sanitize\n  obligations: [{ redact: args.currency, with: text, text: x }]",
    ),
    [],
  ],
  [
    withRule("  outcome: allow\n  obligations: [{ require: args.currency }]"),
    ["p.yaml:6:17: error: require needs matches: a pattern"],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ redact: args.currency.x, with: remove }]"),
    ["p.yaml:6:27: error: args.currency is a string, which has no field x"],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ redact: 'args.amount[*]', with: remove }]"),
    ["p.yaml:6:27: error: args.amount is a number, which has no elements"],
  ],
  [
    withRule(
      "  outcome: sanitize\n  obligations: [{ redact: 'args.items[*].price', with: remove }]",
    ),
    [],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ redact: 'args.items.price', with: remove }]"),
    ["p.yaml:6:27: error: args.items is a list, which has no field price"],
  ],
  [
    withRule("  outcome: sanitize\n  obligations: [{ redact: args, with: remove }]"),
    [
      'p.yaml:6:27: error: a field path names a field inside args\n    write args.card.number, args.items[*].iban or args["first name"]',
    ],
  ],
  [
    withRule(
      "  outcome: sanitize\n  obligations: [{ redact: 'args.items[*].prise', with: remove }]",
    ),
    ["p.yaml:6:27: error: args.items[*] has no field prise; did you mean price?"],
  ],
  [withRule("  on_failure: open\n  when: args.amount > 1.0\n  outcome: allow"), []],
  [withRule("  outcome: allow\n  description: ''"), ["p.yaml:6:16: error: this must not be empty"]],
  [
    withRule("  outcome: allow\n  description: 5"),
    ["p.yaml:6:16: error: expected a string, found the number 5\n    put it in quotes"],
  ],
  [withRule("  outcome: allow\n  obligations: []"), []],
  [
    withRule("  outcome: allow\n  obligations: x"),
    ['p.yaml:6:16: error: expected a list, found the string "x"'],
  ],
  [
    "policy: 'A b'\nrules: []\n",
    [
      "p.yaml:1:1: error: a file with rules needs policy: its name",
      'p.yaml:1:9: error: "A b" is not a name (lower case, digits, - and _, starting with a letter)',
    ],
  ],
  ["policy: p\nrules: {}\n", ["p.yaml:2:8: error: expected a list, found a map"]],
  [
    "policy: p\nrules:\n- x\n",
    ['p.yaml:3:3: error: expected a rule (a map), found the string "x"'],
  ],
  ["? [a]\n: b\n", ["p.yaml:1:3: error: a key must be a string\n    put it in quotes"]],
  [
    "policy: !!binary aGk=\n",
    ["p.yaml:1:18: error: the tag tag:yaml.org,2002:binary is not allowed"],
  ],
  [
    "policy: !x p\n",
    ["p.yaml:1:9: error: Unresolved tag: !x", "p.yaml:1:12: error: the tag !x is not allowed"],
  ],
  ["", ["p.yaml:1:1: warning: empty file"]],
  [
    "policy: p\nlimits: x\n",
    [
      'p.yaml:2:1: error: a policy file has no field "limits"\n    its fields are tools, agents, policy, description, rules',
    ],
  ],
  [
    "tools:\n  pay:create: { effect: read }\npolicy: p\nrules: []\n",
    ["p.yaml:2:3: error: the tool pay:create is declared twice"],
  ],
  [
    "tools:\n  pay:other: { effect: read, on_failure: open }\n",
    [
      "p.yaml:2:42: error: on_failure: open of a tool is only for a write of risk low\n    for a read, say on_failure: open in the rule",
    ],
  ],
  [
    "tools:\n  pay:other: { effect: write, risk: high, on_failure: open }\n",
    [
      "p.yaml:2:55: error: on_failure: open of a tool is only for a write of risk low\n    a write whose policy cannot be evaluated is denied",
    ],
  ],
  [
    "tools:\n  pay:other: { cost: -1 }\n",
    [
      "p.yaml:2:14: error: a tool needs effect",
      'p.yaml:2:16: error: a tool has no field "cost"\n    its fields are effect, risk, cost_estimate_micro_usd, on_failure, description',
    ],
  ],
  [
    "tools:\n  nocolon: { effect: read }\n",
    ['p.yaml:2:3: error: "nocolon" is not a tool id (server:tool)'],
  ],
  [
    "policy: p\nrules:\n- { id: r, match: { tools: [] }, outcome: allow }\n",
    ["p.yaml:3:28: error: this list is empty"],
  ],
];

for (const [text, says] of rows)
  test(text.slice(0, 200), () => {
    const files = [
      { path: "catalog.yaml", text: catalog },
      { path: "p.yaml", text },
    ];
    expect(loadPolicySet(files, { toolSchemas }).diagnostics.map(formatDiagnostic)).toEqual(says);
  });
