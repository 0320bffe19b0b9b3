/** The Rego module that gives OPA the values of a condition: what `values.ts` and `operators.ts` are here. */

/**
 * Package `holdfast.value`. Every function is total: it takes and returns `{"ok": value}` or `{"error": why}`, so that
 * neither `undefined` nor Rego's order between types can leak into a decision.
 */
export const valueModule: string = `# Values of a condition. {"ok": x} is the value x, {"error": why} is no value.
# Every function here is total. Values of different types are never compared: that is an error.
package holdfast.value

import rego.v1

ok(x) := {"ok": x}

# The error of the first operand that has one, else why the operands do not fit.
refuse(operands, why) := {"error": errors[0]} if {
	errors := [operand.error | some operand in operands; operand.error]
	count(errors) > 0
} else := {"error": why}

# ---- fields and elements

field(of, name) := {"ok": of.ok[name]} if {
	is_object(of.ok)
} else := refuse([of], "no such field")

has_field(of, name) := {"ok": name in object.keys(of.ok)} if {
	is_object(of.ok)
} else := refuse([of], "not a map")

index(of, at) := {"ok": of.ok[at.ok]} if {
	is_array(of.ok)
	is_number(at.ok)
} else := {"ok": of.ok[at.ok]} if {
	is_object(of.ok)
	is_string(at.ok)
} else := refuse([of, at], "no such element")

list(items) := {"ok": [item.ok | some item in items]} if {
	every item in items {
		not item.error
	}
} else := refuse(items, "")

size(of) := {"ok": count(of.ok)} if {
	type_name(of.ok) in {"string", "array", "object"}
} else := refuse([of], "has no size")

# ---- logic: a side that decides wins over an error on the other side

negation(a) := {"ok": false} if {
	a == {"ok": true}
} else := {"ok": true} if {
	a == {"ok": false}
} else := refuse([a], "not a bool")

both(a, b) := {"ok": false} if {
	{"ok": false} in [a, b]
} else := {"ok": true} if {
	a == {"ok": true}
	b == {"ok": true}
} else := refuse([a, b], "not a bool")

either(a, b) := {"ok": true} if {
	{"ok": true} in [a, b]
} else := {"ok": false} if {
	a == {"ok": false}
	b == {"ok": false}
} else := refuse([a, b], "not a bool")

choose(test, yes, _) := yes if {
	test == {"ok": true}
}

choose(test, _, no) := no if {
	test == {"ok": false}
}

choose(test, _, _) := refuse([test], "not a bool") if {
	not test == {"ok": true}
	not test == {"ok": false}
}

# ---- comparison

same(a, b) := {"ok": a.ok == b.ok} if {
	comparable(a.ok, b.ok)
} else := refuse([a, b], "different types")

differs(a, b) := {"ok": a.ok != b.ok} if {
	comparable(a.ok, b.ok)
} else := refuse([a, b], "different types")

less(a, b) := {"ok": a.ok < b.ok} if {
	ordered(a.ok, b.ok)
} else := refuse([a, b], "no order")

at_most(a, b) := {"ok": a.ok <= b.ok} if {
	ordered(a.ok, b.ok)
} else := refuse([a, b], "no order")

more(a, b) := {"ok": a.ok > b.ok} if {
	ordered(a.ok, b.ok)
} else := refuse([a, b], "no order")

at_least(a, b) := {"ok": a.ok >= b.ok} if {
	ordered(a.ok, b.ok)
} else := refuse([a, b], "no order")

ordered(x, y) if {
	type_name(x) == type_name(y)
	type_name(x) in {"number", "string", "boolean"}
}

comparable(x, y) if {
	type_name(x) == type_name(y)
	not is_container(x)
}

comparable(x, y) if {
	type_name(x) == type_name(y)
	is_container(x)
	count(clashes(x, y)) == 0
}

is_container(x) if type_name(x) in {"array", "object"}

# Places that both have, with values of different types. Where sizes or keys differ the answer is known (unequal), so
# nothing inside counts.
clashes(x, y) := {path |
	lefts := {path: node | walk(x, [path, node])}
	rights := {path: node | walk(y, [path, node])}
	shared := {path | some path, _ in lefts; path in object.keys(rights)}
	decided := {path |
		some path in shared
		type_name(lefts[path]) == type_name(rights[path])
		members(lefts[path]) != members(rights[path])
	}
	some path in shared
	type_name(lefts[path]) != type_name(rights[path])
	every above in decided {
		array.slice(path, 0, count(above)) != above
	}
}

members(x) := count(x) if is_array(x)

members(x) := object.keys(x) if is_object(x)

# Member of a list (one equal member wins over errors of others), or key of a map.
member(a, b) := any_true([same(a, {"ok": item}) | some item in b.ok]) if {
	not a.error
	is_array(b.ok)
} else := {"ok": a.ok in object.keys(b.ok)} if {
	is_string(a.ok)
	is_object(b.ok)
} else := refuse([a, b], "no list, and no map with such keys")

# ---- exists, all, exists_one: over tests of each member

elements(of) := [{"ok": member} | some member in of.ok] if {
	is_array(of.ok)
} else := [{"ok": key} | some key, _ in of.ok] if {
	is_object(of.ok)
} else := [refuse([of], "neither list nor map")]

given(member, _) := member if member.error

given(member, test) := test if not member.error

any_true(tests) := {"ok": true} if {
	{"ok": true} in tests
} else := {"ok": false} if {
	every test in tests {
		test == {"ok": false}
	}
} else := refuse(tests, "not a bool")

all_true(tests) := {"ok": false} if {
	{"ok": false} in tests
} else := {"ok": true} if {
	every test in tests {
		test == {"ok": true}
	}
} else := refuse(tests, "not a bool")

one_true(tests) := {"ok": count([test | some test in tests; test.ok]) == 1} if {
	every test in tests {
		is_boolean(test.ok)
	}
} else := refuse(tests, "not a bool")

# ---- strings

starts_with(a, b) := {"ok": startswith(a.ok, b.ok)} if {
	is_string(a.ok)
	is_string(b.ok)
} else := refuse([a, b], "not a string")

ends_with(a, b) := {"ok": endswith(a.ok, b.ok)} if {
	is_string(a.ok)
	is_string(b.ok)
} else := refuse([a, b], "not a string")

includes(a, b) := {"ok": contains(a.ok, b.ok)} if {
	is_string(a.ok)
	is_string(b.ok)
} else := refuse([a, b], "not a string")

matches(a, pattern) := {"ok": regex.match(pattern, a.ok)} if {
	is_string(a.ok)
} else := refuse([a], "not a string")

# ---- arithmetic: exact decimals; an inexact result is an error

whole_max := 9007199254740991

digits_bound := 1000000000000000

power := [1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000]

is_whole(n) if {
	is_number(n)
	n == round(n)
	abs(n) <= whole_max
}

# n as coefficient and decimal places; undefined when it needs more digits than are computed with.
decimal(n) := {"coefficient": n, "places": 0} if is_whole(n)

decimal(n) := {"coefficient": coefficient, "places": places} if {
	is_number(n)
	n != round(n)
	places := min([p | some p in numbers.range(1, 15); round(n * power[p]) / power[p] == n])
	coefficient := round(n * power[places])
	abs(coefficient) < digits_bound
}

number(coefficient, 0) := coefficient if abs(coefficient) <= whole_max

number(coefficient, places) := coefficient / power[places] if {
	places > 0
	abs(coefficient) < digits_bound
}

# Both coefficients with the same number of places.
aligned(x, y) := {"a": a, "b": b, "places": places} if {
	left := decimal(x)
	right := decimal(y)
	places := max([left.places, right.places])
	a := left.coefficient * power[places - left.places]
	b := right.coefficient * power[places - right.places]
	fits_aligned(a, b, places)
}

fits_aligned(_, _, 0)

fits_aligned(a, b, places) if {
	places > 0
	abs(a) < digits_bound
	abs(b) < digits_bound
}

add(a, b) := {"ok": concat("", [a.ok, b.ok])} if {
	is_string(a.ok)
	is_string(b.ok)
} else := {"ok": array.concat(a.ok, b.ok)} if {
	is_array(a.ok)
	is_array(b.ok)
} else := {"ok": total} if {
	pair := aligned(a.ok, b.ok)
	total := number(pair.a + pair.b, pair.places)
} else := refuse([a, b], "no exact sum")

subtract(a, b) := {"ok": difference} if {
	pair := aligned(a.ok, b.ok)
	difference := number(pair.a - pair.b, pair.places)
} else := refuse([a, b], "no exact difference")

multiply(a, b) := {"ok": product} if {
	left := decimal(a.ok)
	right := decimal(b.ok)
	product := number(left.coefficient * right.coefficient, left.places + right.places)
} else := refuse([a, b], "no exact product")

# Six places, cut off toward zero, when it does not come out even.
divide(a, b) := {"ok": quotient} if {
	pair := aligned(a.ok, b.ok)
	pair.b != 0
	quotient := divided(pair.a, pair.b)
} else := refuse([a, b], "no quotient")

divided(a, b) := number(a / b, 0) if a % b == 0

divided(a, b) := number((((a - rest) / b) * 1000000) + ((shifted - (shifted % b)) / b), 6) if {
	rest := a % b
	rest != 0
	shifted := rest * 1000000
	abs(shifted) < digits_bound
}

remainder(a, b) := {"ok": a.ok % b.ok} if {
	is_whole(a.ok)
	is_whole(b.ok)
	b.ok != 0
} else := refuse([a, b], "no remainder")

negative(a) := {"ok": 0 - a.ok} if {
	is_number(a.ok)
} else := refuse([a], "not a number")
`;
