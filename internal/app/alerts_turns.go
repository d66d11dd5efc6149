//go:build !judge

package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/evidence"
	"partnerguard/internal/notify"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
)

// turns are what judgements turned, as alerts want it.
type turns struct{ i *Installation }

func (t turns) Tenants(ctx context.Context) ([]string, error) { return t.i.Posture.Tenants(ctx) }

// Excepted says which exception leaves something out. What cannot be read silences
// nothing.
func (t turns) Excepted(ctx context.Context) (func(alert.Hit) string, error) {
	list, err := t.i.Posture.InForce(ctx)
	if err != nil {
		t.i.Log.WarnContext(ctx, "exceptions silence no alert: they cannot be read", "error", err)
		list = nil
	}
	return func(h alert.Hit) string {
		for k := range list {
			x := &list[k]
			if h.Account == "" && x.Covers(h.Requirement, "", "") || h.Account != "" && slices.ContainsFunc(x.Accounts, func(a string) bool {
				return strings.EqualFold(a, h.Account) || h.Name != "" && strings.EqualFold(a, h.Name)
			}) {
				return x.ID
			}
		}
		return ""
	}, nil
}

// Standing says of what turned whether it still falls short. Whoever is missing in a list
// that is not whole is not known to be well.
func (t turns) Standing(ctx context.Context, tenant string) (*alert.Standing, error) {
	st, _, err := t.i.Posture.Newest(ctx, tenant)
	if err != nil {
		return nil, err
	}
	well := func(verdict string) bool { return verdict != posture.NotMet && verdict != posture.Unknown }
	reqs, accs := map[string]*posture.Requirement{}, map[string]*posture.Account{}
	for k := range st.Requirements {
		reqs[st.Requirements[k].ID] = &st.Requirements[k]
	}
	of := 0
	for k := range st.Accounts {
		accs[strings.ToLower(st.Accounts[k].ID)] = &st.Accounts[k]
		if st.Accounts[k].InScope {
			of++
		}
	}
	users := slices.ContainsFunc(st.Lists, func(l posture.List) bool { return l.Kind == string(evidence.User) && l.State == posture.ListWhole })
	return &alert.Standing{Of: of, Has: func(h *alert.Hit) bool {
		if h.Account == "" {
			r := reqs[h.Requirement]
			return r != nil && !well(r.Verdict)
		}
		a := accs[strings.ToLower(h.Account)]
		switch {
		case a == nil:
			return !users
		case !a.Enabled || !a.InScope:
			return false
		case h.Cover:
			return a.Cover != posture.Covered
		}
		return !well(a.Verdict)
	}}, nil
}

// gravity is how grave it is that a requirement stands at a verdict.
func gravity(r *posture.Requirement, verdict string) notify.Severity {
	bound := r != nil && r.Level == string(partner.Mandatory) && partner.Standing(r.Binding).Binding()
	switch {
	case bound && verdict == posture.NotMet:
		return notify.Urgent
	case bound:
		return notify.Warning
	}
	return notify.Notice
}

// Turned groups what turned worse by the first cause of each.
func (t turns) Turned(ctx context.Context, tenant string, round int64) (*alert.Turn, error) {
	st, mark, err := t.i.Posture.Newest(ctx, tenant)
	if errors.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil || mark.Round <= round {
		return nil, err
	}
	reqs := map[string]*posture.Requirement{}
	for k := range st.Requirements {
		reqs[st.Requirements[k].ID] = &st.Requirements[k]
	}
	out := &alert.Turn{Round: mark.Round}
	if round == 0 {
		if c := firstSeen(tenant, st, mark); len(c.Hits) > 0 {
			out.Causes = append(out.Causes, c)
		}
		return out, nil
	}
	c, err := t.i.Posture.Since(ctx, tenant, round)
	if err != nil || c == nil {
		return out, err
	}
	g := grouping{tenant: tenant, round: mark.Round, c: c, at: map[string]int{}}
	for k := range c.Turned {
		if x := &c.Turned[k]; x.Worse {
			g.add(x.Because, x.Sure, x.ID, "“"+x.Title+"” turned from "+word(x.From)+" to "+word(x.To), x.Reason,
				alert.Hit{Requirement: x.ID, Name: x.Title, Severity: gravity(reqs[x.ID], x.To)})
		}
	}
	for k := range c.Accounts {
		if x := &c.Accounts[k]; x.Worse {
			sev := notify.Warning
			if x.To == posture.NotMet || x.To == posture.NotCovered {
				sev = gravity(reqs["mfa-every-user"], posture.NotMet)
			}
			g.add(x.Because, x.Sure, "accounts", "Accounts turned worse", "Nothing that changed explains it.",
				alert.Hit{Account: x.ID, Name: x.Name, Severity: sev, Cover: x.From == posture.Covered, Unsure: x.To == posture.Unknown})
		}
	}
	out.Causes = g.out
	return out, nil
}

func word(verdict string) string { return strings.ReplaceAll(verdict, "_", " ") }

// firstSeen is what falls short at the first judgement: nothing turned, so it is one
// finding, and none of it is urgent.
func firstSeen(tenant string, st *posture.State, m posture.Mark) alert.Culprit {
	c := alert.Culprit{Key: "first:" + tenant, Kind: alert.Requirement, Title: "Requirements fall short since the first judgement", Since: m.AsOf,
		Command: "partnerguard posture", Path: "/status", Fix: "the report names the change that mends most of it first"}
	for k := range st.Requirements {
		r := &st.Requirements[k]
		if r.Verdict == posture.NotMet && gravity(r, r.Verdict) == notify.Urgent {
			c.Hits = append(c.Hits, alert.Hit{Requirement: r.ID, Name: r.Title, Severity: notify.Warning})
		}
	}
	return c
}

// grouping gathers what turned by what made it turn.
type grouping struct {
	tenant string
	round  int64
	c      *posture.Changes
	at     map[string]int
	out    []alert.Culprit
}

func (g *grouping) add(because []string, sure bool, own, title, reason string, h alert.Hit) {
	x := alert.Culprit{Kind: alert.Requirement, Title: title, Cause: reason, Since: g.c.To.AsOf, Path: "/status",
		Command: "partnerguard changes --since " + g.c.From.AsOf.UTC().Format(time.DateOnly), Key: fmt.Sprintf("turned:%s:%s:%d", g.tenant, own, g.round)}
	if len(because) > 0 {
		if n := slices.IndexFunc(g.c.Causes, func(c posture.Cause) bool { return c.ID == because[0] }); n >= 0 {
			c := &g.c.Causes[n]
			x.Kind, x.Title, x.Cause = alert.Caused, causeTitle(c), c.Text+". "+c.Who
			if !sure {
				x.Cause = "It may have done it: " + x.Cause
			}
			x.Fix = "look whether it was meant; " + map[bool]string{true: "if not, put it back", false: "the changes name the others that may be it"}[sure]
			x.Key = fmt.Sprintf("cause:%s:%s:%s:%d", g.tenant, c.Kind, cmp.Or(c.Object, c.Subject), g.round)
			for _, e := range c.Edits {
				if !e.At.IsZero() {
					x.Since = e.At
					break
				}
			}
		}
	}
	n, has := g.at[x.Key]
	if !has {
		n = len(g.out)
		g.at[x.Key] = n
		g.out = append(g.out, x)
	}
	g.out[n].Hits = append(g.out[n].Hits, h)
}

// causeTitle is what happened, in some words.
func causeTitle(c *posture.Cause) string {
	kind := map[posture.CauseKind]string{posture.PolicyEdited: "The policy “%s” was edited", posture.PolicyAdded: "The policy “%s” was added",
		posture.PolicyRemoved: "The policy “%s” was removed", posture.SettingChanged: "“%s” was changed", posture.AccountAdded: "The account %s was added",
		posture.AccountEnabled: "The account %s was enabled", posture.FactorLost: "%s lost a method of MFA", posture.RoleGiven: "%s was given a role",
		posture.SignedInUnasked: "%s signed in without MFA", posture.RuleDate: "A rule took effect: %s", posture.RuleBook: "The rule book is another: %s",
		posture.EvidenceOld: "Evidence is too old: %s", posture.NotKnownAnyMore: "Not known any more: %s",
		posture.StatementEnded:   "What was vouched for ended: %s",
		posture.DisagreementSeen: "Settings and log disagree: %s"}[c.Kind]
	if kind == "" {
		return cmp.Or(c.Text, c.Subject)
	}
	return fmt.Sprintf(kind, c.Subject)
}
