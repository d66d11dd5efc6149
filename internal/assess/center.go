package assess

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// centerKinds are Partner Center's own records of what came without MFA
// (contracts.md section 2.4). They look at the last days alone, so what they do
// not show proves nothing; what they show decides.
var centerKinds = []evidence.Kind{evidence.NonCompliantPrincipal, evidence.PartnerRequest, evidence.MFAAdoption}

// against are the kinds whose records can only speak against MFA. They need not
// be there; half of them will not do.
var against = append([]evidence.Kind{evidence.SignIn}, centerKinds...)

// without is one account's record at Partner Center.
type without struct {
	key, upn string
	id       string // as written
	request  bool   // an API request, not the portal
	evidence Evidence
}

// words is the record as an account's reason.
func (w *without) words() string {
	if w.request {
		return "Partner Center recorded an " + w.evidence.Detail
	}
	return w.evidence.Detail
}

// withoutMFA lists the accounts that Partner Center recorded without MFA, those
// of the portal first.
func (a *assessor) withoutMFA() []without {
	if a.recorded != nil {
		return a.recorded
	}
	out := []without{}
	names := map[string]string{}
	for _, row := range sorted(a.Adoption) {
		names[strings.ToLower(row.ApplicationID)] = nonEmpty(string(row.ApplicationName), names[strings.ToLower(row.ApplicationID)])
	}
	add := func(id, upn string, request bool, e Evidence) {
		key := strings.ToLower(id)
		if by := a.Directory.KeyByUPN(upn); by != "" && a.Directory.Users[key] == nil {
			key = by
		}
		if key == "" {
			key = strings.ToLower(upn)
		}
		out = append(out, without{key, upn, id, request, e})
	}
	for _, p := range sorted(a.Principals) {
		if at := p.Last(); !at.Set || !at.After(a.o.AsOf) {
			detail := "Partner Center recorded portal requests without MFA"
			if at.Set {
				detail += ", the last on " + at.Format("2006-01-02")
			}
			add(p.ObjectID, p.UPN, false, Evidence{Subject: nonEmpty(p.UPN, p.ObjectID), Detail: detail, Observed: ref(at.Time), RecordID: p.ObjectID,
				Source: p.Source})
		}
	}
	for _, r := range sorted(a.Requests) {
		if r.MFACompliant.False() && (!r.Time.Set || !r.Time.After(a.o.AsOf)) {
			add(string(r.ObjectID), string(r.UPN), true, Evidence{Subject: nonEmpty(string(r.UPN), string(r.ObjectID)),
				Detail: fmt.Sprintf("API request %s by app %s without MFA; way out: consent again with MFA", r.Operation,
					nonEmpty(names[strings.ToLower(string(r.ApplicationID))], string(r.ApplicationID))),
				Observed: ref(r.Time.Time), RecordID: r.RequestID, Source: r.Source})
		}
	}
	a.recorded = out
	return out
}

// centerRecords is everything that Partner Center recorded without MFA: accounts
// and requests, and apps where no request says whose they were.
func (a *assessor) centerRecords() (ev []Evidence) {
	named := false
	for _, w := range a.withoutMFA() {
		ev = append(ev, w.evidence)
		named = named || w.request
	}
	if named {
		return ev
	}
	for _, u := range a.apiUse() {
		if u.compliant < u.total {
			ev = append(ev, a.shortOf(&u))
		}
	}
	return ev
}

func (a *assessor) requestsWithoutMFA() (ev []Evidence) {
	for _, w := range a.withoutMFA() {
		if w.request {
			ev = append(ev, w.evidence)
		}
	}
	return ev
}

// nameless says that Partner Center counts requests without MFA and nothing
// read says whose they were; "" when not.
func (a *assessor) nameless() string {
	if len(a.requestsWithoutMFA()) > 0 {
		return ""
	}
	for _, u := range a.apiUse() {
		if u.compliant < u.total {
			return fmt.Sprintf("Partner Center counts %d of %d API requests of %s without MFA, and whose they were is not in the export", u.total-u.compliant,
				u.total, nonEmpty(u.name, a.appName(u.id)))
		}
	}
	return ""
}

// apiUse adds up the adoption rows per app.
type apiUse struct {
	id, name         string
	compliant, total int64
	unread           int // rows whose numbers cannot be read
	last             time.Time
	source           evidence.Source
}

func (a *assessor) apiUse() []apiUse {
	apps := map[string]*apiUse{}
	for _, row := range sorted(a.Adoption) {
		if row.LoginDate.Set && row.LoginDate.After(a.o.AsOf) {
			continue
		}
		id := strings.ToLower(row.ApplicationID)
		u := apps[id]
		if u == nil {
			u = &apiUse{id: id, source: row.Source}
			apps[id] = u
		}
		u.name = nonEmpty(string(row.ApplicationName), u.name)
		if !row.Compliant.Set || !row.Total.Set || row.Compliant.Value < 0 || row.Compliant.Value > row.Total.Value {
			u.unread++
			u.source = row.Source
			continue
		}
		u.compliant += row.Compliant.Value
		u.total += row.Total.Value
		if row.LoginDate.After(u.last) {
			u.last = row.LoginDate.Time
		}
	}
	var out []apiUse
	for _, u := range sorted(apps) {
		out = append(out, *u)
	}
	return out
}

// shortOf shows an app whose requests did not all carry MFA.
func (a *assessor) shortOf(u *apiUse) Evidence {
	return Evidence{Subject: nonEmpty(u.name, a.appName(u.id)), Detail: fmt.Sprintf("%d of %d Partner Center API requests without MFA", u.total-u.compliant,
		u.total),
		RecordID: u.id, Observed: ref(u.last), Source: u.source}
}

// centerUnread says that a record of Partner Center was there and cannot be
// weighed, so that it may speak against MFA; "" when not.
func (a *assessor) centerUnread() (why string, kind evidence.Kind) {
	n := 0
	for _, u := range a.apiUse() {
		n += u.unread
	}
	if n > 0 {
		return fmt.Sprintf("%s of Partner Center cannot be read", count(n, "count of API requests", "counts of API requests")), evidence.MFAAdoption
	}
	for _, r := range a.Requests {
		if !r.MFACompliant.Set {
			n++
		}
	}
	if n > 0 {
		return fmt.Sprintf("of %s at Partner Center it cannot be read whether MFA was done", count(n, "request", "requests")), evidence.PartnerRequest
	}
	return "", ""
}

// withCenter turns a ruling that is met to unknown where a record of Partner
// Center cannot be weighed.
func (a *assessor) withCenter(ru ruling) ruling {
	if why, kind := a.centerUnread(); why != "" {
		return ruling{verdict: Unknown, total: ru.total, evidence: ru.evidence, reason: ru.reason + ", but " + why, action: evidence.RequestFor(kind)}
	}
	return ru
}

// centerCount says in words how much Partner Center recorded without MFA.
func (a *assessor) centerCount() string {
	portal, requests := map[string]bool{}, 0
	for _, w := range a.withoutMFA() {
		if w.request {
			requests++
		} else {
			portal[w.key] = true
		}
	}
	var parts []string
	if n := len(portal); n > 0 {
		parts = append(parts, count(n, "account at its portal", "accounts at its portal"))
	}
	switch apps := len(a.centerRecords()) - len(a.withoutMFA()); {
	case requests > 0:
		parts = append(parts, count(requests, "API request", "API requests"))
	case apps > 0:
		parts = append(parts, "API requests of "+count(apps, "app", "apps"))
	}
	return strings.Join(parts, " and ")
}

// disagreeWithCenter shows both sides where the settings ask for MFA at every
// sign-in and Partner Center recorded one without.
func (a *assessor) disagreeWithCenter() (ev []Evidence) {
	if p := a.proof("mfa-every-sign-in"); p == nil || p.Verdict != access.Proved {
		return nil
	}
	for _, e := range a.centerRecords() {
		e.Detail = "the settings say: every sign-in is asked for MFA; Partner Center says: " + e.Detail
		ev = append(ev, e)
	}
	return ev
}
