package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// Our own measures, where Microsoft gives none (docs/practices.md says each).
const (
	scoreSpan  = 28 * 24 * time.Hour // over which a score may not fall
	scoreFall  = 0.05                // of what can be reached
	scoreFresh = 7 * 24 * time.Hour
	day        = 24 * time.Hour     // by which clocks and days may differ
	riskWait   = 7 * 24 * time.Hour // how long an account may be at risk before somebody acts
)

// secureScore holds the newest score of each tenant against that of four weeks before.
func (j *judge) secureScore() ruling {
	v, e, settle := scoreOf(j.Facts, j.bench.At(evidence.SecureScore))
	e.Subject = "the partner's tenant"
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		if c.own == nil {
			return assess.Unknown, assess.Evidence{Detail: "its secure score was not read"}, evidence.ReadingOf(evidence.SecureScore)
		}
		return scoreOf(c.own.Facts, j.o.AsOf)
	})
	n := 1 + len(j.customers)
	switch {
	case v == assess.NotMet || len(a.against) > 0:
		ev := a.against
		if v == assess.NotMet {
			ev = append([]assess.Evidence{e}, ev...)
		}
		return ruling{Verdict: assess.NotMet, Affected: len(ev), Total: n, Evidence: ev, Action: "look at what fell in the secure score, and bring it back",
			Reason: fmt.Sprintf("the secure score of %s fell by 5 %% or more within four weeks, and was not brought back", count(len(ev), "tenant",
				"tenants"))}
	case v == assess.Unknown:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: []assess.Evidence{e}, Action: settle, Reason: "of the partner's own tenant " + e.Detail}
	case len(a.open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: a.open, Action: a.settle,
			Reason: fmt.Sprintf("the partner's own score did not fall; of %s of %d it was not read", count(len(a.open), "customer",
				"customers"), len(j.customers))}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.SecureScore}, Evidence: []assess.Evidence{e},
		Reason: fmt.Sprintf("the secure score of %s was read with its history and did not fall", count(n, "tenant", "tenants"))}
}

// scoreOf judges one tenant's score.
func scoreOf(f *facts.Facts, at time.Time) (v assess.Verdict, e assess.Evidence, settle string) {
	settle = evidence.ReadingOf(evidence.SecureScore)
	list := slices.Clone(f.Beside.Scores)
	slices.SortFunc(list, func(a, b facts.SecureScore) int { return a.Created.Compare(b.Created.Time) })
	list = slices.DeleteFunc(list, func(s facts.SecureScore) bool {
		return !s.Created.Set || s.Current == nil || s.Max == nil || *s.Max <= 0 || s.Created.After(at.Add(day))
	})
	whose := ""
	if orgs := f.Directory.Organizations; len(orgs) > 0 {
		whose = nonEmpty(orgs[0].ID, orgs[0].TenantID)
	}
	foreign := slices.ContainsFunc(list, func(s facts.SecureScore) bool {
		if whose == "" {
			whose = s.Tenant
		}
		return s.Tenant != "" && whose != "" && !strings.EqualFold(s.Tenant, whose)
	})
	switch {
	case foreign:
		e.Detail = "scores of another tenant are among them"
		return assess.Unknown, e, settle
	case len(list) == 0:
		e.Detail = "the secure score was not read"
		return assess.Unknown, e, settle
	}
	last := &list[len(list)-1]
	e.RecordID, e.Source, e.Observed = last.ID, last.Source, &last.Created.Time
	if at.Sub(last.Created.Time) > scoreFresh {
		e.Detail = "the newest score is of " + last.Created.Format(time.DateOnly)
		return assess.Unknown, e, settle
	}
	i := slices.IndexFunc(list, func(s facts.SecureScore) bool { return s.Created.After(last.Created.Add(-scoreSpan)) })
	if i <= 0 {
		e.Detail = "the history of the score covers less than four weeks"
		return assess.Unknown, e, settle
	}
	// The highest of what was reached four weeks ago and before counts not: what was, then.
	before := &list[i-1]
	now, then := *last.Current / *last.Max, *before.Current / *before.Max
	e.Detail = fmt.Sprintf("%.0f %% on %s, after %.0f %% on %s", 100*now, last.Created.Format(time.DateOnly), 100*then, before.Created.Format(time.DateOnly))
	if now <= then-scoreFall {
		return assess.NotMet, e, ""
	}
	return assess.Met, e, ""
}

// everyAccount asks beyond the requirement whether every account has registered a method.
func (j *judge) everyAccount() ruling {
	var without, unknown []assess.Evidence
	n := 0
	for i := range j.report.Accounts {
		a := &j.report.Accounts[i]
		if !a.InScope {
			continue
		}
		n++
		e := assess.Evidence{Subject: nonEmpty(a.UserPrincipalName, a.DisplayName, a.ID), RecordID: a.ID, Source: j.sourceOf(a.ID)}
		switch a.StrongestFactor {
		case "none":
			e.Detail = "has registered no second factor"
			without = append(without, e)
		case "unknown", "":
			e.Detail = "what it has registered was not read"
			unknown = append(unknown, e)
		}
	}
	switch {
	case len(without) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(without), Total: n, Evidence: without,
			Reason: fmt.Sprintf("%s of %d registered no second factor", count(len(without), "account", "accounts"), n),
			Action: "have them register: https://aka.ms/mysecurityinfo"}
	case len(unknown) > 0 || n == 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: unknown, Action: evidence.ReadingOf(evidence.RegistrationDetails),
			Reason: fmt.Sprintf("of %s it is not known whether a second factor is registered", count(len(unknown), "account", "accounts"))}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.User, evidence.RegistrationDetails},
		Reason: fmt.Sprintf("all of %s are asked for MFA and have registered a second factor", count(n, "account", "accounts"))}
}

// sourceOf is where an account's registration, else the account, was read.
func (j *judge) sourceOf(id string) evidence.Source {
	key := strings.ToLower(id)
	if r := j.Directory.Registrations[key]; r != nil {
		return r.Source
	}
	if u := j.Directory.Users[key]; u != nil {
		return u.Source
	}
	return evidence.Source{}
}

func nonEmpty(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// phishingResistant asks whether administrators registered such methods, and whether the
// settings take no other from them.
func (j *judge) phishingResistant() ruling {
	admins, lack := j.admins()
	if lack != nil {
		return *lack
	}
	var weak, unknown []assess.Evidence
	for _, a := range admins {
		e := assess.Evidence{Subject: nonEmpty(a.UserPrincipalName, a.DisplayName, a.ID), RecordID: a.ID, Source: j.sourceOf(a.ID)}
		switch a.StrongestFactor {
		case "phishing_resistant":
		case "unknown", "":
			e.Detail = "what it has registered was not read"
			unknown = append(unknown, e)
		default:
			e.Detail = "its strongest registered method is " + strings.ReplaceAll(a.StrongestFactor, "_", " ")
			weak = append(weak, e)
		}
	}
	n := len(admins)
	p := j.bench.Proof("phishing-resistant-admins")
	switch {
	case len(weak) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(weak), Total: n, Evidence: weak,
			Reason: fmt.Sprintf("%s of %d registered no phishing-resistant method", count(len(weak), "administrator", "administrators"), n),
			Action: "give each a passkey, a security key or a certificate, then ask for that strength"}
	case len(unknown) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: unknown, Action: evidence.ReadingOf(evidence.RegistrationDetails),
			Reason: fmt.Sprintf("what %s registered is not known", count(len(unknown), "administrator", "administrators"))}
	case p == nil:
		return ruling{Verdict: assess.Unknown, Total: n, Reason: "administrators have such methods; whether the settings take others from them is not known",
			Action: evidence.ReadingOf(evidence.ConditionalAccessPolicy)}
	case p.Verdict == access.GapFound:
		return ruling{Verdict: assess.NotMet, Affected: p.Open, Total: n, Evidence: j.bench.Gaps(p),
			Reason: fmt.Sprintf("the settings take other methods from %s too", count(p.Open, "administrator", "administrators")),
			Action: "ask for phishing-resistant MFA of every directory role: partnerguard prove --question phishing-resistant-admins"}
	case p.Verdict != access.Proved:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: j.bench.Gaps(p),
			Reason: "whether the settings take nothing less is not known: " + p.Reason,
			Action: firstRequest(p.Missing)}
	}
	return j.whole(ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.User, evidence.RegistrationDetails, evidence.ConditionalAccessPolicy},
		Reason: fmt.Sprintf("all %d administrators have a phishing-resistant method, and the settings take nothing less", n)})
}

// firstRequest is the request of the first thing that is missing.
func firstRequest(missing []string) string {
	if len(missing) == 0 {
		return evidence.ReadingOf(evidence.ConditionalAccessPolicy)
	}
	if _, request := evidence.SplitAsk(missing[0]); request != "" {
		return request
	}
	return missing[0]
}

// riskyUsers asks whether accounts that Microsoft holds for compromised wait.
func (j *judge) riskyUsers() ruling {
	if j.Extent(evidence.RiskyUser) == evidence.Absent {
		if j.Whole(evidence.SubscribedSku) && !j.Directory.HasServicePlan("AAD_PREMIUM_P2") {
			return ruling{Verdict: assess.NotMet, Relies: []evidence.Kind{evidence.SubscribedSku},
				Reason: "no licence in force carries Entra ID P2, so nobody can read the risky users", Action: "license Entra ID P2 for the admin agents"}
		}
		return ruling{Verdict: assess.Unknown, Reason: "the risky users were not read", Action: evidence.ReadingOf(evidence.RiskyUser)}
	}
	var late, dim []assess.Evidence
	at := j.bench.At(evidence.RiskyUser)
	for _, u := range sorted(j.Beside.Risky) {
		e := assess.Evidence{Subject: nonEmpty(u.Name, u.ID), RecordID: u.ID, Source: u.Source}
		if u.Updated.Set {
			e.Observed = &u.Updated.Time
		}
		state := strings.ToLower(string(u.State))
		switch state {
		case "remediated", "dismissed", "confirmedsafe", "none":
			continue
		case "atrisk", "confirmedcompromised":
		default:
			e.Detail = fmt.Sprintf("its risk state %q is none that is known", state)
			dim = append(dim, e)
			continue
		}
		e.Detail = fmt.Sprintf("%s at risk", nonEmpty(strings.ToLower(string(u.Level)), "it is"))
		switch {
		case u.Deleted.True():
		case !u.Updated.Set:
			e.Detail += "; since when is not in the record"
			dim = append(dim, e)
		case at.Sub(u.Updated.Time) > riskWait:
			e.Detail += " since " + u.Updated.Format(time.DateOnly) + ", and nobody acted"
			late = append(late, e)
		}
	}
	n := len(j.Beside.Risky)
	switch {
	case len(late) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(late), Total: n, Evidence: late,
			Reason: fmt.Sprintf("%s at risk for more than 7 days, and nobody acted", count(len(late), "account is", "accounts are")),
			Action: "change the password and end the sessions of each, or dismiss the risk with a reason"}
	case len(dim) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: dim, Action: evidence.ReadingOf(evidence.RiskyUser),
			Reason: fmt.Sprintf("of %s it cannot be told whether somebody acted", count(len(dim), "account", "accounts"))}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.RiskyUser}, Reason: "no account is at risk for more than 7 days"}
}
