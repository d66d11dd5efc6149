package watch

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
)

// SeenName is a customer's part of the snapshot that says since when which rights are known.
const SeenName = "delegation-seen"

// maxSeen bounds how many rights of a customer are kept.
const maxSeen = 5_000

// Seen says since when rights at a customer are known, so that what is new is told once it comes.
type Seen struct {
	Azure    map[string]time.Time `json:"azure,omitempty"`    // rights, by what they are
	Consents map[string]time.Time `json:"consents,omitempty"` // permissions of apps
	// Since when a list is watched: what was there then is not new. Zero: it was not read whole yet.
	AzureFrom    time.Time `json:"azureFrom,omitzero"`
	ConsentsFrom time.Time `json:"consentsFrom,omitzero"`
	// Full: there were more than are kept, and what is not kept is not told.
	Full bool `json:"full,omitempty"`
}

// Next is what is known at a moment, given what was known before (nil: nothing) and what was
// read. azure and consents say whether the lists were read whole: only then is what is gone
// forgotten, and does watching begin. It changes neither.
func Next(before *Seen, rights []delegation.AzureRight, azure bool, consents []delegation.Consent, granted bool, at time.Time) *Seen {
	if before == nil {
		before = &Seen{}
	}
	next := &Seen{AzureFrom: before.AzureFrom, ConsentsFrom: before.ConsentsFrom, Full: before.Full}
	var have []string
	for i := range rights {
		have = append(have, rightKey(&rights[i]))
	}
	next.Azure = next.carry(before.Azure, have, azure, at)
	have = nil
	for i := range consents {
		for _, p := range consents[i].Permissions {
			have = append(have, consentKey(&consents[i], p))
		}
	}
	next.Consents = next.carry(before.Consents, have, granted, at)
	if azure && next.AzureFrom.IsZero() {
		next.AzureFrom = at
	}
	if granted && next.ConsentsFrom.IsZero() {
		next.ConsentsFrom = at
	}
	return next
}

// carry keeps since when each key is known.
func (s *Seen) carry(before map[string]time.Time, have []string, whole bool, at time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	if !whole { // what was not read may still be there
		for k, t := range before {
			out[k] = t
		}
	}
	slices.Sort(have)
	for _, k := range have {
		since, known := before[k]
		if !known {
			since = at
		}
		if len(out) >= maxSeen {
			s.Full = true
			break
		}
		out[k] = since
	}
	return out
}

func rightKey(a *delegation.AzureRight) string {
	return strings.ToLower(strings.Join([]string{a.Scope, a.Role, a.Principal}, "|"))
}

func consentKey(c *delegation.Consent, permission string) string {
	kind := "delegated"
	if c.AppOnly {
		kind = "app-only"
	}
	return strings.ToLower(strings.Join([]string{c.App, kind, permission}, "|"))
}

// owns are Azure's roles that give rights away, by name in lower case.
var owns = []string{"owner", "user access administrator", "role based access control administrator"}

// seen tells of rights that came since watching began.
func (f *finder) seen(c *delegation.Customer) {
	s := f.Seen[c.Tenant]
	if s == nil {
		return
	}
	for i := range c.Azure {
		a := &c.Azure[i]
		since, known := s.Azure[rightKey(a)]
		if !slices.Contains(owns, strings.ToLower(a.Role)) || s.AzureFrom.IsZero() || !known || !since.After(s.AzureFrom) {
			continue
		}
		f.add(Finding{ID: "azure-owner/" + c.Tenant + "/" + short(rightKey(a)), Kind: Azure, Severity: Urgent, Sure: true, Customer: c.Tenant, CustomerName: c.Name,
			Group: a.Principal, Since: since, Where: a.Scope + " of " + c.Name,
			What: "A new right of " + a.Role + " reaches the partner, by " + a.Type + " " + a.Principal,
			Do:   "ask who gave it and what for, and take it away if nobody knows"})
	}
	for i := range c.Consents {
		f.grew(c, &c.Consents[i], s)
	}
}

// grew tells of an app that may do more than before.
func (f *finder) grew(c *delegation.Customer, x *delegation.Consent, s *Seen) {
	if s.ConsentsFrom.IsZero() {
		return
	}
	var more []string
	var since time.Time
	for _, p := range x.Permissions {
		if at, known := s.Consents[consentKey(x, p)]; known && at.After(s.ConsentsFrom) {
			more = append(more, p)
			if since.IsZero() || at.After(since) {
				since = at
			}
		}
	}
	if len(more) == 0 {
		return
	}
	name := x.Name
	if name == "" {
		name = x.App
	}
	kind := "in people's names"
	severity := Notice
	if x.AppOnly {
		kind, severity = "by itself", Warning
	}
	f.add(Finding{ID: "consent-grew/" + c.Tenant + "/" + short(consentKey(x, strings.Join(more, " "))), Kind: Grew, Severity: severity, Sure: true,
		Customer: c.Tenant, CustomerName: c.Name, App: x.App, Since: since, Where: c.Name,
		What: "The app " + name + " may do more there " + kind + ": " + listed(more),
		Do:   "ask who consented and what for, and take the permission away if nobody knows"})
}
