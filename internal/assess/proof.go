package assess

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// compileSettings prepares the access engine and the cover of each account.
func (a *assessor) compileSettings() {
	a.proofs = map[string]*access.Proof{}
	if !a.SettingsKnown() || len(a.policyLists()) > 0 && len(a.cuts(evidence.ConditionalAccessPolicy)) > 0 {
		return // a policy that is not here may ask for MFA
	}
	a.engine = a.o.Engine
	if a.engine == nil {
		a.engine = access.Compile(a.Tenant())
	}
	tenant := a.engine.Tenant()
	a.covers = map[string]cover{}
	q, _ := access.FindQuestion("mfa-every-user")
	covers, err := a.engine.Coverage(q)
	if err != nil { // a built-in question always compiles
		return
	}
	proof := a.proof("mfa-every-user")
	for i, c := range covers {
		a.covers[tenant.Users[i].ID] = cover{c, proof.GapOf(i)}
	}
}

// cover is what the settings say about one account's ordinary sign-in.
type cover struct {
	access.Cover
	gap *access.Gap // when open
}

// proof answers a built-in question once. It is nil when the settings are not
// known.
func (a *assessor) proof(name string) *access.Proof {
	if a.engine == nil {
		return nil
	}
	if p := a.proofs[name]; p != nil {
		return p
	}
	q, ok := access.FindQuestion(name)
	if !ok {
		return nil
	}
	p, err := a.engine.Prove(q)
	if err != nil {
		return nil
	}
	a.proofs[name] = p
	return p
}

// gapEvidence shows the gaps of a proof, with the clauses that open them.
func (a *assessor) gapEvidence(p *access.Proof) (ev []Evidence) {
	if p == nil {
		return nil
	}
	for i := range p.Gaps {
		g := &p.Gaps[i]
		e := Evidence{Subject: whoText(&g.Who), Detail: strings.TrimSpace(gapDetail(g))}
		for _, w := range g.Why {
			for _, pol := range a.Policies {
				if w.ID != "" && pol.ID == w.ID {
					e.RecordID, e.Source = pol.ID, pol.Source
				}
			}
			if e.RecordID != "" {
				break
			}
		}
		if e.Source.Path == "" && a.Defaults != nil {
			e.Source = a.Defaults.Source
		}
		ev = append(ev, e)
	}
	return ev
}

func whoText(w *access.Who) string {
	s := list(w.Names, 3)
	if w.Count > len(w.Names) || len(w.Names) > 3 {
		s = fmt.Sprintf("%d accounts, %s among them", w.Count, strings.Join(w.Names[:min(2, len(w.Names))], ", "))
	}
	if w.BreakGlass {
		s += " (break-glass)"
	}
	return s
}

// gapDetail is a gap without its accounts: what is open, and why.
func gapDetail(g *access.Gap) string {
	_, what, _ := strings.Cut(g.Text, ": ")
	s := "can sign in without MFA: " + what
	if len(g.Why) > 0 {
		w := g.Why[0]
		if w.Policy != "" {
			s += fmt.Sprintf(" (%s %s)", w.Policy, w.Clause)
		} else {
			s += " (" + w.Clause + ")"
		}
	}
	return s
}

// policyLists are the lists that a gap rests on: a policy that is not in them
// may close it. Security defaults decide without them.
func (a *assessor) policyLists() []evidence.Kind {
	if a.Defaults != nil && a.Defaults.IsEnabled.True() {
		return nil
	}
	return []evidence.Kind{evidence.ConditionalAccessPolicy}
}

// settling is what to do about what a proof misses: each request once. The
// reason has named the things.
func settling(missing []string) string {
	var requests, things []string
	for _, m := range missing {
		thing, request := evidence.SplitAsk(m)
		switch {
		case request == "":
			things = append(things, thing)
		case !slices.Contains(requests, request):
			requests = append(requests, request)
		}
	}
	switch {
	case len(requests) > 0:
		s := "export " + strings.Join(requests[:min(3, len(requests))], "; ")
		if n := len(requests) - 3; n > 0 {
			s += fmt.Sprintf("; and %d more", n)
		}
		return s
	case len(things) > 0:
		return "find out " + list(things, 3)
	}
	return ""
}

// unproved is the ruling of a requirement that the settings did not prove.
func unproved(a *assessor, p *access.Proof, total int, first string) ruling {
	r := ruling{verdict: Unknown, total: total, reason: first}
	if p == nil {
		r.reason += ", and the settings that would prove it are not in the export"
		r.action = "export " + evidence.RequestFor(evidence.ConditionalAccessPolicy) + ", and " + evidence.RequestFor(evidence.SecurityDefaults)
		if cuts := a.cuts(evidence.ConditionalAccessPolicy); len(cuts) > 0 {
			r.reason, r.action = first+", and the settings that would prove it were not all read: "+a.lackText(evidence.ConditionalAccessPolicy),
				cuts[0].Settle()
		}
		return r
	}
	r.reason += ", but the settings do not prove it"
	if things, ok := strings.CutPrefix(p.Reason, access.Hangs+": "); ok {
		r.reason += "; missing: " + things
	} else {
		r.reason += ": " + p.Reason
	}
	r.action = settling(p.Missing)
	return r
}
