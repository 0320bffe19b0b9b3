# Conditions of the rules, made from the policy files. holds(rule, roots) is {"ok": true}, {"ok": false} or {"error": why}.
package holdfast.conditions

import rego.v1

import data.holdfast.value

# No rule has this name: the function exists also when no rule has a condition.
holds("", _) := value.ok(false)

# every-form.yaml:38: deny: branches
holds("forms/branches", roots) := value.either(
	value.both(
		value.negation(
			value.choose(
				value.same(value.field(value.ok(roots.args), "memo"), value.ok(null)),
				value.ok(true),
				value.ok(false),
			),
		),
		value.negation(value.has_field(value.ok(roots.args), "card")),
	),
	value.negation(
		value.both(
			value.more(value.field(value.ok(roots.args), "count"), value.ok(1)),
			value.less(value.field(value.ok(roots.args), "count"), value.ok(5)),
		),
	),
)

# every-form.yaml:53: deny: each
holds("forms/each", roots) := value.any_true([test |
	some each1_i in value.elements(value.field(value.ok(roots.args), "items"))
	test := value.given(each1_i, value.both(
		value.more(value.field(each1_i, "price"), value.ok(100)),
		value.all_true([test |
			some each2_a in value.elements(value.field(value.ok(roots.subject), "delegation"))
			test := value.given(each2_a, value.both(
				value.differs(each2_a, value.ok("x")),
				value.one_true([test |
					some each3_n in value.elements(value.field(value.ok(roots.context), "names"))
					test := value.given(each3_n, value.either(
						value.same(each3_n, each2_a),
						value.same(each3_n, value.field(each1_i, "name")),
					))
				]),
			))
		]),
	))
])

# every-form.yaml:48: deny: members
holds("forms/members", roots) := value.both(
	value.both(
		value.both(
			value.both(
				value.both(
					value.member(
						value.field(value.ok(roots.args), "currency"),
						value.ok(["EUR","USD"]),
					),
					value.member(
						value.index(value.ok(roots.args), value.ok("count")),
						value.list([
							value.ok(1),
							value.add(value.field(value.ok(roots.args), "count"), value.ok(1)),
						]),
					),
				),
				value.member(value.ok("x"), value.ok(roots.context)),
			),
			value.more(
				value.field(
					value.index(value.field(value.ok(roots.args), "items"), value.ok(0)),
					"price",
				),
				value.ok(1),
			),
		),
		value.same(
			value.index(value.index(value.ok(roots.context), value.ok("a b")), value.ok(0)),
			value.ok("c"),
		),
	),
	value.more(value.size(value.field(value.ok(roots.args), "items")), value.ok(2)),
)

# every-form.yaml:26: deny: two lines and é 😀
holds("forms/order", roots) := value.either(
	value.either(
		value.either(
			value.either(
				value.less(value.field(value.ok(roots.args), "amount"), value.ok(1.5)),
				value.at_most(value.field(value.ok(roots.args), "amount"), value.ok(-2)),
			),
			value.more(value.field(value.ok(roots.args), "amount"), value.ok(3)),
		),
		value.at_least(value.field(value.ok(roots.args), "amount"), value.ok(0.25)),
	),
	value.same(value.negative(value.field(value.ok(roots.args), "amount")), value.ok(1)),
)

# every-form.yaml:74: deny: own Rego says no
holds("forms/own", roots) := {"error": "only a gateway runs the Rego of this condition"}

# every-form.yaml:58: deny: the same name twice, side by side
holds("forms/sides", roots) := value.both(
	value.any_true([test |
		some each1_i in value.elements(value.field(value.ok(roots.args), "items"))
		test := value.given(each1_i, value.more(value.field(each1_i, "price"), value.ok(1)))
	]),
	value.any_true([test |
		some each1_i in value.elements(value.field(value.ok(roots.args), "items"))
		test := value.given(each1_i, value.less(value.field(each1_i, "price"), value.ok(1)))
	]),
)

# every-form.yaml:31: deny: sums
holds("forms/sums", roots) := value.both(
	value.both(
		value.both(
			value.more(
				value.subtract(
					value.multiply(
						value.add(
							value.field(value.ok(roots.args), "amount"),
							value.field(value.ok(roots.args), "count"),
						),
						value.field(value.ok(roots.args), "count"),
					),
					value.divide(value.field(value.ok(roots.args), "amount"), value.ok(100)),
				),
				value.subtract(
					value.field(value.ok(roots.args), "amount"),
					value.subtract(
						value.field(value.ok(roots.args), "amount"),
						value.field(value.ok(roots.args), "count"),
					),
				),
			),
			value.same(
				value.add(value.field(value.ok(roots.args), "currency"), value.ok("x")),
				value.ok("EURx"),
			),
		),
		value.same(
			value.multiply(
				value.negative(
					value.remainder(value.field(value.ok(roots.args), "count"), value.ok(7)),
				),
				value.ok(2),
			),
			value.ok(4),
		),
	),
	value.same(
		value.index(
			value.add(value.ok([1]), value.list([value.field(value.ok(roots.args), "count")])),
			value.ok(1),
		),
		value.ok(1),
	),
)

# every-form.yaml:43: deny: text
holds("forms/text", roots) := value.both(
	value.both(
		value.both(
			value.both(
				value.starts_with(value.field(value.ok(roots.args), "currency"), value.ok("E")),
				value.ends_with(value.field(value.ok(roots.args), "currency"), value.ok("R")),
			),
			value.includes(value.field(value.ok(roots.args), "currency"), value.ok("U")),
		),
		value.matches(value.field(value.ok(roots.args), "currency"), "^[A-Z]{3}\\b"),
	),
	value.same(value.size(value.field(value.ok(roots.args), "currency")), value.ok(3)),
)

# every-form.yaml:79: approval_needed: own Rego asks for a person
holds("forms/usual", roots) := {"error": "only a gateway runs the Rego of this condition"}

# every-form.yaml:21: approval_needed: a person looks
holds("forms/words", roots) := value.either(
	value.both(
		value.same(value.field(value.ok(roots.action), "effect"), value.ok("write")),
		value.differs(value.field(value.ok(roots.action), "risk"), value.ok("low")),
	),
	value.same(value.field(value.ok(roots.resource), "type"), value.ok("tool")),
)
