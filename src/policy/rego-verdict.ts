/** The Rego module that turns findings of rules into a verdict: what `combine.ts` and `engine.ts` are here. */

/** Package `holdfast`: entry points `data.holdfast.verdict` and `data.holdfast.allow`; rules are `data.holdfast.policy`. */
export const verdictModule: string = String.raw`# The verdict on one request. input is {subject, action, resource, args, context}, and model where somebody asked it.
# data.holdfast.policy holds rules and tools; data.holdfast.conditions tests a rule's condition.
package holdfast

import rego.v1

import data.holdfast.policy

# For clients that want a yes or no. A call that must be changed first is no yes.
default allow := false

allow if {
	verdict.outcome == "allow"
	every obligation in verdict.obligations {
		obligation.kind != "redact"
	}
}

default verdict := {
	"outcome": "deny",
	"reason": "the request has not the form {subject, action, resource, args, context}",
	"determiningRules": [],
	"indeterminate": [],
	"obligations": [],
	"opened": false,
}

# Every agent of the chain is judged; the strictest outcome wins, so that delegation never adds rights.
verdict := {
	"outcome": outcome,
	"reason": reasons[0],
	"determiningRules": sort({id | some judged in strictest; some id in judged.determining}),
	"indeterminate": [{"rule": id, "why": whys[id]} | some id in sort(object.keys(whys))],
	"obligations": obligations(outcome, {id | some judged in judgements; some id in judged.holding}),
	"opened": count({id | some judged in judgements; some id in judged.opened}) > 0,
} if {
	input.action.effect in {"read", "write"}
	count(judgements) == count(chain)
	outcome := outcomes[min([rank | some judged in judgements; outcomes[rank] == judged.outcome])]
	strictest := [judged | some judged in judgements; judged.outcome == outcome]
	reasons := [reason_in_chain(i) | some i, judged in judgements; judged.outcome == outcome]
	whys := {id: first_why(id) | some judged in judgements; some id, _ in judged.errors}
}

# Strictest first.
outcomes := ["deny", "approval_needed", "sanitize", "allow"]

chain := array.concat([input.subject.id], input.subject.delegation)

judgements := [judge(agent) | some agent in chain]

reason_in_chain(0) := judgements[0].reason

reason_in_chain(i) := sprintf("%s (for %s in the delegation chain)", [judgements[i].reason, chain[i]]) if i > 0

first_why(id) := [judged.errors[id] | some judged in judgements][0]

# ---- one agent

judge(agent) := object.union(
	settled(denying, stuck, holding),
	{"errors": errors, "opened": opened, "holding": holding},
) if {
	findings := {rule.id: tested(rule, facts(agent)) | some rule in policy.rules; candidate(rule.match, agent)}
	errors := {id: finding.error | some id, finding in findings; finding.error}
	opened := {id | some id, _ in errors; may_open(rule_by_id[id])}
	stuck := object.keys(errors) - opened
	true_rules := {id | some id, finding in findings; finding.ok == true}
	broken := {id | some id in true_rules; count(broken_requirements(rule_by_id[id])) > 0}
	denying := broken | {id | some id in true_rules; rule_by_id[id].outcome == "deny"}
	holding := true_rules - broken
}

rule_by_id := {rule.id: rule | some rule in policy.rules}

facts(agent) := {
	"subject": object.union(input.subject, {"id": agent}),
	"action": input.action,
	"resource": input.resource,
	"args": input.args,
	"context": input.context,
	"model": object.get(input, "model", {"known": false, "why": "not_asked"}),
}

candidate(match, agent) if {
	fits_any(object.get(match, "agents", ["*"]), agent)
	fits_any(object.get(match, "tools", ["*"]), input.action.name)
	object.get(match, "effect", input.action.effect) == input.action.effect
}

fits_any(patterns, name) if {
	some pattern in patterns
	regex.match(name_regex(pattern), name)
}

# In names, * is any run of characters and everything else stands for itself.
name_regex(pattern) := sprintf("^(?s:%s)$", [concat(".*", [quoted(part) | some part in split(pattern, "*")])])

quoted(text) := regex.replace(text, "[\\\\.+*?()|\\[\\]{}^$]", "\\$0")

# {"ok": true}, {"ok": false} or {"error": why}.
tested(rule, _) := {"ok": true} if {
	not rule.when
}

tested(rule, roots) := result if {
	rule.when
	result := data.holdfast.conditions.holds(rule.id, roots)
	is_finding(result)
} else := {"error": "the condition is not a bool"} if {
	rule.when
}

is_finding(result) if is_boolean(result.ok)

is_finding(result) if is_string(result.error)

# A read opens where the rule says so; a write only where the catalog says so, at risk low.
may_open(rule) if {
	input.action.effect == "read"
	rule.onFailure == "open"
}

may_open(rule) if {
	input.action.effect == "write"
	some tool in policy.tools
	tool.id == input.action.name
	tool.risk == "low"
	tool.openOnFailure
	not reads_model(rule)
}

# Not knowing what a write would touch never opens it.
reads_model(rule) if {
	walk(rule.when, [_, part])
	part.op == "root"
	part.name == "model"
}

# What users' own Rego looks at is not known.
reads_model(rule) if rule.when.op == "rego"

# Deny first, then what could not be told, then the strictest of what is true, then deny by default.
settled(denying, stuck, holding) := {
	"outcome": "deny",
	"determining": denying,
	"reason": deny_reason(rule_by_id[min(denying)]),
} if {
	count(denying) > 0
} else := {
	"outcome": "deny",
	"determining": stuck,
	"reason": sprintf("the rule %s could not be evaluated", [min(stuck)]),
} if {
	count(stuck) > 0
} else := options[0] if {
	options := [option | some outcome in outcomes; option := said(outcome, holding)]
	count(options) > 0
} else := {"outcome": "deny", "determining": set(), "reason": "no rule allows this"}

said(outcome, holding) := {"outcome": outcome, "determining": saying, "reason": rule_by_id[min(saying)].reason} if {
	saying := {id | some id in holding; rule_by_id[id].outcome == outcome}
	count(saying) > 0
}

deny_reason(rule) := sprintf("%s: %s", [rule.reason, data.holdfast.wording[rule.id][broken[0]]]) if {
	broken := broken_requirements(rule)
	count(broken) > 0
} else := rule.reason

# ---- obligations

# Of all true rules, by rule id and position, without repetitions.
obligations("deny", _) := []

obligations(outcome, holding) := [duty |
	some i, duty in duties(holding)
	not duty in array.slice(duties(holding), 0, i)
] if {
	outcome != "deny"
}

duties(holding) := [duty | some id in sort(holding); some duty in rule_by_id[id].obligations]

# Positions of the requirements that the arguments fail, in order.
broken_requirements(rule) := [position |
	some position, duty in rule.obligations
	duty.kind == "require"
	fails(duty)
]

fails(duty) if {
	walk(input.args, [place, value])
	count(place) == count(duty.path)
	on_path(place, duty.path)
	not satisfies(value, duty.pattern)
}

fails(duty) if {
	duty.required
	walk(input.args, [place, value])
	count(place) < count(duty.path)
	on_path(place, duty.path)
	not goes_on(value, duty.path[count(place)])
}

on_path(place, path) if {
	every i, step in place {
		path[i] in ["*", step]
	}
}

goes_on(value, "*") if type_name(value) in {"array", "object"}

goes_on(value, name) if {
	is_object(value)
	name in object.keys(value)
}

satisfies(value, pattern) if regex.match(pattern, text(value))

text(value) := value if is_string(value)

text(value) := json.marshal(value) if type_name(value) in {"number", "boolean"}
`;
