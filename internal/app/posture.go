//go:build !judge

package app

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
)

// State brings what was judged to the form in which it is kept. tenant is whose it is
// where the report does not say.
func (j *Judged) State(tenant string, judged time.Time, at posture.Position) *posture.State {
	r := j.Report
	st := &posture.State{Tenant: strings.ToLower(cmp.Or(tenant, r.Partner.TenantID)), AsOf: r.AsOf, Judged: judged, Book: r.RuleBook,
		Program: r.Program, Position: at}
	for i := range r.Requirements {
		st.Requirements = append(st.Requirements, keptRequirement(&r.Requirements[i]))
	}
	st.Accounts = j.accounts()
	st.Settings = j.settings()
	st.Lists = j.lists()
	for i := range r.Disagreements {
		d := &r.Disagreements[i]
		st.Disagreements = append(st.Disagreements, posture.Disagreement{Account: d.Subject, Text: d.Detail, At: d.Observed, Record: d.RecordID,
			Source: d.Source.String()})
	}
	for i := range r.Attestations {
		v := &r.Attestations[i]
		st.Statements = append(st.Statements, posture.Statement{Kind: v.Kind, Requirement: v.Requirement, Account: v.Account, Who: v.Who,
			Until: v.Until, State: v.State})
	}
	return st
}

func keptRequirement(q *assess.Requirement) posture.Requirement {
	out := posture.Requirement{ID: q.ID, Title: q.Title, Level: q.Level, Binding: q.Binding, Verdict: string(q.Verdict), Reason: q.Reason,
		Affected: q.Affected,
		Total:    q.Total, Unit: q.Unit, Stale: q.Age.Past}
	if rule, ok := partner.Find(q.ID); ok {
		for _, k := range rule.Evidence() {
			out.Kinds = append(out.Kinds, string(k))
		}
	}
	for i := range q.Evidence {
		e := &q.Evidence[i]
		if e.Subject != "" && !slices.Contains(out.Subjects, e.Subject) {
			out.Subjects = append(out.Subjects, e.Subject)
		}
		if s := e.Source.String(); s != "" && !slices.Contains(out.Sources, s) {
			out.Sources = append(out.Sources, s)
		}
	}
	slices.Sort(out.Subjects)
	return out
}

// accounts are all but those that are only known from guesses at their names. Whoever
// covers one is asked of an ordinary sign-in in a browser.
func (j *Judged) accounts() []posture.Account {
	var names map[string][]string
	at := map[string]int{}
	if j.Engine != nil {
		names = j.policiesByName()
		for i := range j.Engine.Tenant().Users {
			at[strings.ToLower(j.Engine.Tenant().Users[i].ID)] = i
		}
	}
	covers, every := j.covers("mfa-every-user"), j.covers("mfa-every-sign-in")
	out := make([]posture.Account, 0, len(j.Report.Accounts))
	for i := range j.Report.Accounts {
		a := &j.Report.Accounts[i]
		key := strings.ToLower(a.ID)
		x := posture.Account{ID: a.ID, Name: a.UserPrincipalName, Class: a.Class, InScope: a.InScope, Enabled: a.Class != "disabled", Verdict: string(a.MFA),
			Reason: a.Reason, Cover: "unknown", Every: "unknown", Factor: a.StrongestFactor, Roles: a.Roles, LastUnasked: a.LastNotChallenged}
		if u := j.Facts.Directory.Users[key]; u != nil && !u.Derived {
			x.DirectoryKnown, x.Source = true, u.Source.String()
			x.Enabled = !u.AccountEnabled.False()
		}
		if n, known := at[key]; known {
			x.Cover, x.Every = coverWord(covers[n]), coverWord(every[n])
			p := j.Engine.Point(&access.SignIn{User: n, App: ordinaryApp, Client: "browser", IP: nowhere})
			for _, name := range j.Engine.Protecting(p) {
				x.ByName = append(x.ByName, name)
				x.By = append(x.By, names[name]...)
			}
		}
		out = append(out, x)
	}
	return out
}

// ordinaryApp is what an ordinary sign-in goes to: Office 365.
const ordinaryApp = "Office365"

// nowhere is an address that nobody has (RFC 2544), and so no place that policies name.
var nowhere = netip.MustParseAddr("198.18.0.1")

func (j *Judged) policiesByName() map[string][]string {
	out := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(j.Facts.Policies)) {
		p := j.Facts.Policies[id]
		out[p.DisplayName] = append(out[p.DisplayName], p.ID)
	}
	return out
}

// covers are what the settings prove of each account by a question.
func (j *Judged) covers(question string) []access.Cover {
	if j.Engine == nil {
		return nil
	}
	q, ok := access.FindQuestion(question)
	if !ok {
		return make([]access.Cover, len(j.Engine.Tenant().Users))
	}
	covers, err := j.Engine.Coverage(q)
	if err != nil {
		return make([]access.Cover, len(j.Engine.Tenant().Users))
	}
	return covers
}

func coverWord(c access.Cover) string {
	switch c {
	case access.Covered:
		return posture.Covered
	case access.Open:
		return posture.NotCovered
	}
	return "unknown"
}

var anID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// settings are the policies and what they name, flattened.
func (j *Judged) settings() (out []posture.Setting) {
	f := j.Facts
	names := map[string]string{}
	for id, g := range f.Directory.Groups {
		names[strings.ToLower(id)] = g.DisplayName
	}
	for id, d := range f.Directory.RoleDefinitions {
		names[strings.ToLower(id)] = d.DisplayName
	}
	add := func(kind evidence.Kind, id, name string, v any, src evidence.Source) {
		b, err := json.Marshal(v)
		if err != nil {
			return
		}
		s := posture.Setting{Kind: string(kind), ID: id, Name: cmp.Or(name, id), Members: posture.Flatten(b), Source: src.String(),
			Names: map[string]string{}}
		for _, id := range anID.FindAllString(strings.ToLower(string(b)), -1) {
			if names[id] != "" {
				s.Names[id] = names[id]
			}
		}
		if p, is := v.(*access.Policy); is && len(p.Unsupported) > 0 {
			list, _ := json.Marshal(p.Unsupported) // texts alone
			s.Members["notUnderstood"] = string(list)
		}
		out = append(out, s)
	}
	for _, p := range f.Policies {
		add(evidence.ConditionalAccessPolicy, p.ID, p.DisplayName, p, p.Source)
	}
	for _, l := range f.Locations {
		add(evidence.NamedLocation, l.ID, l.DisplayName, l, l.Source)
	}
	for _, s := range f.Strengths {
		add(evidence.AuthenticationStrength, s.ID, s.DisplayName, s, s.Source)
	}
	if f.Defaults != nil {
		add(evidence.SecurityDefaults, cmp.Or(f.Defaults.ID, "securityDefaults"), "security defaults", f.Defaults, f.Defaults.Source)
	}
	if f.Methods != nil {
		add(evidence.AuthenticationMethods, cmp.Or(f.Methods.ID, "authenticationMethodsPolicy"), "authentication methods", f.Methods, f.Methods.Source)
	}
	return out
}

// lists say of every kind that a rule takes how much of it was read.
func (j *Judged) lists() (out []posture.List) {
	seen := map[evidence.Kind]bool{}
	for _, rule := range partner.Book() {
		for _, k := range rule.Evidence() {
			if seen[k] {
				continue
			}
			seen[k] = true
			l := posture.List{Kind: string(k), State: posture.ListAbsent}
			switch j.Facts.Extent(k) {
			case evidence.Entire:
				l.State = posture.ListWhole
			case evidence.Partly:
				l.State = posture.ListCut
				if cuts := j.Facts.Cuts(k); len(cuts) > 0 {
					l.Why = cuts[0].Why
				}
			}
			if s := j.Facts.SignIns; k == evidence.SignIn && s != nil && l.State != posture.ListAbsent {
				l.Days = daysOf(s.First, s.Last)
			}
			out = append(out, l)
		}
	}
	return out
}

// daysOf is over how many days a log goes, as far as it matters: none, 1, 7 or 30.
func daysOf(first, last time.Time) int {
	if last.IsZero() {
		return 0
	}
	switch n := int(last.Sub(first)/(24*time.Hour)) + 1; {
	case n >= 29:
		return 30
	case n >= 7:
		return 7
	}
	return 1
}
