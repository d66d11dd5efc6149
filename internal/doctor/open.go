package doctor

import (
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// questions are the proofs behind rules that the settings decide.
var questions = map[string]string{
	"mfa-every-user": "mfa-every-user", "mfa-every-sign-in": "mfa-every-sign-in", "mfa-admin-roles": "mfa-admin-roles",
	"legacy-authentication": "legacy-blocked",
}

// open is what the access engine still misses for a rule, though the lists may
// be whole: a location without ranges, two copies of a policy that differ.
type open struct {
	kind evidence.Kind // "" when no request gives it
	cut  evidence.Cut
}

// stillOpen asks the engine each question; what it answers without doubt leaves
// nothing open, and where the settings are not there it is not asked.
func stillOpen(f *facts.Facts, n *names) map[string][]open {
	out := map[string][]open{}
	if !f.SettingsKnown() {
		return out
	}
	n.missed = map[string]map[evidence.Kind]bool{}
	e := access.Compile(n.tenant)
	for rule, name := range questions {
		q, ok := access.FindQuestion(name)
		if !ok {
			continue
		}
		p, err := e.Prove(q)
		if err != nil || p.Verdict != access.UnknownProof {
			continue
		}
		n.missed[rule] = map[evidence.Kind]bool{}
		for _, m := range p.Missing {
			o := openOf(m)
			out[rule] = append(out[rule], o)
			if o.kind != "" {
				n.missed[rule][o.kind] = true
			}
		}
	}
	return out
}

// openOf takes what an answer misses apart: what it is, and the request behind it.
func openOf(missing string) open {
	what, request := evidence.SplitAsk(missing)
	if request == "" {
		return open{cut: evidence.Cut{Why: what}}
	}
	o := open{cut: evidence.Cut{Why: "leaves open " + what, Request: request}}
	for _, r := range evidence.Requests() {
		line := r.String()
		switch {
		case request == line, line != "" && strings.HasPrefix(request, strings.Split(line, "{id}")[0]) && strings.Contains(line, "{id}"):
			o.kind = r.Kind
		case r.Kind == evidence.Group && strings.HasPrefix(request, "GET /groups/"):
			o.kind = r.Kind
		}
		if o.kind != "" {
			break
		}
	}
	o.cut.Kind = o.kind
	return o
}

// demote makes a list that is there and leaves something open a partial one.
func demote(one *CheckFile, still map[string][]open, r *evidence.Request, o *Options) {
	if one.Extent != evidence.Entire {
		return
	}
	for _, rule := range slices.Concat(one.NeededBy, one.Helps) {
		for _, s := range still[rule] {
			if s.kind == one.Kind && !slices.ContainsFunc(one.Why, func(c evidence.Cut) bool { return c.Why == s.cut.Why }) {
				one.Why = append(one.Why, s.cut)
			}
		}
	}
	if len(one.Why) > 0 {
		one.Extent, one.Run, one.PowerShell = evidence.Partly, one.Why[0].Settle(), line(r, o)
	}
}
