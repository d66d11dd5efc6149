package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/google/cel-go/cel"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"partnerguard/internal/access"
)

// peer answers case i. Its requests are made beforehand and not measured.
type peer struct {
	name   string
	decide func(i int) access.Outcome
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

// cedarPeer makes blocks forbid and MFA permit: allowed is MFA required,
// forbidden is blocked, and denied for want of a permit is MFA not required.
func cedarPeer(w *small) (peer, error) {
	var b strings.Builder
	in := func(kind string, ids []string) string {
		list := make([]string, len(ids))
		for i, id := range ids {
			list[i] = fmt.Sprintf("%s::%q", kind, id)
		}
		return "principal in [" + strings.Join(list, ", ") + "]"
	}
	for _, f := range w.rules {
		effect := "permit"
		if f.block {
			effect = "forbid"
		}
		var when, unless []string
		var who []string
		for kind, ids := range map[string][]string{"User": f.inUsers, "Group": f.inGroups, "Role": f.inRoles} {
			if len(ids) > 0 {
				who = append(who, in(kind, ids))
			}
		}
		if !f.allUsers {
			when = append(when, "("+strings.Join(who, " || ")+")")
		}
		for _, l := range []struct {
			kind string
			ids  []string
		}{{"User", f.outUsers}, {"Group", f.outGroups}, {"Role", f.outRoles}} {
			if len(l.ids) > 0 {
				unless = append(unless, in(l.kind, l.ids))
			}
		}
		one := func(attr string, list []string, to *[]string) {
			if len(list) > 0 {
				*to = append(*to, fmt.Sprintf("[%s].contains(context.%s)", quoted(list), attr))
			}
		}
		one("app", f.inApps, &when)
		one("app", f.outApps, &unless)
		one("client", f.clients, &when)
		one("platform", f.inPlatforms, &when)
		one("platform", f.outPlatforms, &unless)
		one("risk", f.risk, &when)
		if len(f.inPlaces) > 0 {
			when = append(when, fmt.Sprintf("context.places.containsAny([%s])", quoted(f.inPlaces)))
		}
		if len(f.outPlaces) > 0 {
			unless = append(unless, fmt.Sprintf("context.places.containsAny([%s])", quoted(f.outPlaces)))
		}
		if f.compliantWillDo {
			unless = append(unless, "context.compliant")
		}
		fmt.Fprintf(&b, "%s (principal, action, resource)", effect)
		if len(when) > 0 {
			fmt.Fprintf(&b, " when { %s }", strings.Join(when, " && "))
		}
		if len(unless) > 0 {
			fmt.Fprintf(&b, " unless { %s }", strings.Join(unless, " || "))
		}
		b.WriteString(";\n")
	}
	set, err := cedar.NewPolicySetFromBytes("rules.cedar", []byte(b.String()))
	if err != nil {
		return peer{}, err
	}
	entities := cedar.EntityMap{}
	for _, u := range w.users {
		var parents []cedar.EntityUID
		for _, g := range u.groups {
			parents = append(parents, cedar.NewEntityUID("Group", cedar.String(g)))
		}
		for _, r := range u.roles {
			parents = append(parents, cedar.NewEntityUID("Role", cedar.String(r)))
		}
		uid := cedar.NewEntityUID("User", cedar.String(u.id))
		entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(parents...)}
	}
	requests := make([]cedar.Request, len(w.cases))
	for i, c := range w.cases {
		var places []cedar.Value
		for _, p := range c.places {
			places = append(places, cedar.String(p))
		}
		requests[i] = cedar.Request{
			Principal: cedar.NewEntityUID("User", cedar.String(w.users[c.user].id)),
			Action:    cedar.NewEntityUID("Action", "signIn"),
			Resource:  cedar.NewEntityUID("App", cedar.String(c.app)),
			Context: cedar.NewRecord(cedar.RecordMap{
				"app": cedar.String(c.app), "client": cedar.String(c.client), "platform": cedar.String(c.platform),
				"risk": cedar.String(c.risk), "places": cedar.NewSet(places...), "compliant": cedar.Boolean(c.compliant),
			}),
		}
	}
	return peer{"cedar-go", func(i int) access.Outcome {
		decision, diagnostic := cedar.Authorize(set, entities, requests[i])
		switch {
		case len(diagnostic.Errors) > 0:
			return access.Undecided
		case decision == cedar.Allow:
			return access.MFARequired
		case len(diagnostic.Reasons) > 0:
			return access.Blocked
		}
		return access.MFANotRequired
	}}, nil
}

// celPeer compiles one program a policy and stops at the first that decides:
// blocks first, then MFA.
func celPeer(w *small) (peer, error) {
	env, err := cel.NewEnv(
		cel.Variable("user", cel.StringType), cel.Variable("groups", cel.ListType(cel.StringType)), cel.Variable("roles", cel.ListType(cel.StringType)),
		cel.Variable("app", cel.StringType), cel.Variable("client", cel.StringType), cel.Variable("platform", cel.StringType),
		cel.Variable("risk", cel.StringType), cel.Variable("places", cel.ListType(cel.StringType)), cel.Variable("compliant", cel.BoolType))
	if err != nil {
		return peer{}, err
	}
	var blocks, mfas []cel.Program
	for _, f := range w.rules {
		terms := []string{"true"}
		one := func(name string, list []string, not string) {
			if len(list) > 0 {
				terms = append(terms, fmt.Sprintf("%s(%s in [%s])", not, name, quoted(list)))
			}
		}
		many := func(name string, list []string, not string) {
			if len(list) > 0 {
				terms = append(terms, fmt.Sprintf("%s%s.exists(x, x in [%s])", not, name, quoted(list)))
			}
		}
		if !f.allUsers {
			var who []string
			if len(f.inGroups) > 0 {
				who = append(who, fmt.Sprintf("groups.exists(x, x in [%s])", quoted(f.inGroups)))
			}
			if len(f.inRoles) > 0 {
				who = append(who, fmt.Sprintf("roles.exists(x, x in [%s])", quoted(f.inRoles)))
			}
			terms = append(terms, "("+strings.Join(who, " || ")+")")
		}
		one("user", f.outUsers, "!")
		many("groups", f.outGroups, "!")
		many("roles", f.outRoles, "!")
		one("app", f.inApps, "")
		one("app", f.outApps, "!")
		one("client", f.clients, "")
		one("platform", f.inPlatforms, "")
		one("platform", f.outPlatforms, "!")
		one("risk", f.risk, "")
		many("places", f.inPlaces, "")
		many("places", f.outPlaces, "!")
		if f.compliantWillDo {
			terms = append(terms, "!compliant")
		}
		tree, issues := env.Compile(strings.Join(terms, " && "))
		if issues.Err() != nil {
			return peer{}, issues.Err()
		}
		program, err := env.Program(tree, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return peer{}, err
		}
		if f.block {
			blocks = append(blocks, program)
		} else {
			mfas = append(mfas, program)
		}
	}
	inputs := make([]cel.Activation, len(w.cases))
	for i, c := range w.cases {
		u := w.users[c.user]
		if inputs[i], err = cel.NewActivation(map[string]any{
			"user": u.id, "groups": u.groups, "roles": u.roles, "app": c.app, "client": c.client, "platform": c.platform,
			"risk": c.risk, "places": c.places, "compliant": c.compliant,
		}); err != nil {
			return peer{}, err
		}
	}
	any := func(list []cel.Program, in cel.Activation) (bool, bool) {
		for _, p := range list {
			out, _, err := p.Eval(in)
			if err != nil {
				return false, false
			}
			if out.Value() == true {
				return true, true
			}
		}
		return false, true
	}
	return peer{"cel-go", func(i int) access.Outcome {
		blocked, ok := any(blocks, inputs[i])
		if !ok {
			return access.Undecided
		}
		if blocked {
			return access.Blocked
		}
		mfa, ok := any(mfas, inputs[i])
		switch {
		case !ok:
			return access.Undecided
		case mfa:
			return access.MFARequired
		}
		return access.MFANotRequired
	}}, nil
}

// opaPeer writes a rule a policy and asks a prepared query with parsed input.
func opaPeer(w *small) (peer, error) {
	var b strings.Builder
	b.WriteString("package access\n\ndefault blocked := false\ndefault mfa := false\n")
	for n, f := range w.rules {
		head := "mfa"
		if f.block {
			head = "blocked"
		}
		var terms []string
		one := func(name string, list []string, not string) {
			if len(list) > 0 {
				terms = append(terms, fmt.Sprintf("%sinput.%s in {%s}", not, name, quoted(list)))
			}
		}
		many := func(name string, list []string, out bool) {
			switch {
			case len(list) == 0:
			case out:
				terms = append(terms, fmt.Sprintf("count(input.%s & {%s}) == 0", name, quoted(list)))
			default:
				terms = append(terms, fmt.Sprintf("count(input.%s & {%s}) > 0", name, quoted(list)))
			}
		}
		if !f.allUsers {
			terms = append(terms, fmt.Sprintf("who_%d", n))
			if len(f.inGroups) > 0 {
				fmt.Fprintf(&b, "who_%d if count(input.groups & {%s}) > 0\n", n, quoted(f.inGroups))
			}
			if len(f.inRoles) > 0 {
				fmt.Fprintf(&b, "who_%d if count(input.roles & {%s}) > 0\n", n, quoted(f.inRoles))
			}
		}
		one("user", f.outUsers, "not ")
		many("groups", f.outGroups, true)
		many("roles", f.outRoles, true)
		one("app", f.inApps, "")
		one("app", f.outApps, "not ")
		one("client", f.clients, "")
		one("platform", f.inPlatforms, "")
		one("platform", f.outPlatforms, "not ")
		one("risk", f.risk, "")
		many("places", f.inPlaces, false)
		many("places", f.outPlaces, true)
		if f.compliantWillDo {
			terms = append(terms, "not input.compliant")
		}
		fmt.Fprintf(&b, "%s if {\n\t%s\n}\n", head, strings.Join(terms, "\n\t"))
	}
	b.WriteString("answer := \"blocked\" if {\n\tblocked\n} else := \"mfa\" if {\n\tmfa\n} else := \"open\"\n")
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.access.answer"), rego.Module("access.rego", b.String())).PrepareForEval(ctx)
	if err != nil {
		return peer{}, err
	}
	set := func(list []string) *ast.Term {
		terms := make([]*ast.Term, len(list))
		for i, s := range list {
			terms[i] = ast.StringTerm(s)
		}
		return ast.SetTerm(terms...)
	}
	inputs := make([]ast.Value, len(w.cases))
	for i, c := range w.cases {
		u := w.users[c.user]
		pair := func(k string, v *ast.Term) [2]*ast.Term { return [2]*ast.Term{ast.StringTerm(k), v} }
		inputs[i] = ast.NewObject(
			pair("user", ast.StringTerm(u.id)), pair("groups", set(u.groups)), pair("roles", set(u.roles)),
			pair("app", ast.StringTerm(c.app)), pair("client", ast.StringTerm(c.client)), pair("platform", ast.StringTerm(c.platform)),
			pair("risk", ast.StringTerm(c.risk)), pair("places", set(c.places)), pair("compliant", ast.BooleanTerm(c.compliant)))
	}
	answers := map[any]access.Outcome{"blocked": access.Blocked, "mfa": access.MFARequired, "open": access.MFANotRequired}
	return peer{"OPA (prepared)", func(i int) access.Outcome {
		result, err := query.Eval(ctx, rego.EvalParsedInput(inputs[i]))
		if err != nil || len(result) != 1 {
			return access.Undecided
		}
		return answers[result[0].Expressions[0].Value]
	}}, nil
}
