package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// alerts adds the alerts that wait for an answer.
func (f *finder) alerts() {
	names := map[string]string{}
	for id, c := range f.Facts.Customers {
		names[strings.ToLower(id)] = c.Name()
		if t := c.CompanyProfile.TenantID; t != "" {
			names[strings.ToLower(t)] = c.Name()
		}
	}
	for _, a := range assess.OpenAlerts(f.Facts, f.Report.AsOf) {
		due, seen := a.Due, a.Detected
		c := assess.Cause{Kind: assess.CauseUrgent, Title: "Answer the alert: " + a.Name, Due: &due,
			Evidence: []assess.Evidence{{Subject: a.Name, Detail: a.Status, Observed: &seen, RecordID: a.ID, Source: a.Source}}}
		switch who := names[strings.ToLower(a.Customer)]; {
		case who != "":
			c.Title += " (" + who + ")"
		case a.Customer != "":
			c.Title += " (customer " + a.Customer + ")"
		}
		age := f.Report.AsOf.Sub(a.Detected)
		if left := a.Due.Sub(f.Report.AsOf); left >= 0 {
			c.Detail = fmt.Sprintf("raised %s ago; an answer is due within %s", span(age), span(left))
		} else {
			c.Detail = fmt.Sprintf("unanswered for %s, %s past the day that Microsoft gives", span(age), span(-left))
		}
		if age := f.stale(toldByAlerts); age != nil {
			c.Detail = "it waited for an answer when it was exported: look first whether it still does; " + age.Text
		}
		c.Detail += "; first stop what is abused: recording an answer stops nothing"
		f.add(c, "azure-fraud-watch", "security-alerts-answered")
	}
}

// span is a duration in the unit a person would use.
func span(d time.Duration) string {
	switch h := int(d.Hours()); {
	case d < 2*time.Hour:
		return counted(int(d.Minutes()), "minute", "minutes")
	case h < 72:
		return counted(h, "hour", "hours")
	default:
		return counted(h/24, "day", "days")
	}
}

// works are the ways out that are somebody's work on a program, device or client
// and no matter of settings, with the requirements that they serve.
var works = []struct {
	ways      []directory.WayOut
	one, many string // titles; %s is the account, %d their number
	serves    []string
}{
	{[]directory.WayOut{directory.WaySAM, directory.WayConsentAgain},
		"Take %s off its stored password: consent again with MFA, Secure Application Model",
		"Take %d accounts off their stored passwords: consent again with MFA, Secure Application Model",
		[]string{"secure-application-model", "automation-without-user-credentials"}},
	{[]directory.WayOut{directory.WayAppPassword},
		"Replace what signs in as %s by a legacy protocol, or relay its mail",
		"Replace what signs in as %d accounts by legacy protocols, or relay their mail",
		[]string{"legacy-authentication", "automation-without-user-credentials"}},
	{[]directory.WayOut{directory.WayUpgrade},
		"Upgrade the old mail client of %s",
		"Upgrade the old mail clients of %d accounts",
		[]string{"legacy-authentication", "modern-authentication-clients"}},
	{[]directory.WayOut{directory.WayExternalMFA},
		"Move %s from the custom control to External MFA",
		"Move %d accounts from the custom control to External MFA",
		[]string{"third-party-mfa-claim"}},
}

// accounts adds what has to be done to programs, devices and clients.
func (f *finder) accounts() {
	for _, w := range works {
		var c assess.Cause
		for i := range f.Report.Accounts {
			a := &f.Report.Accounts[i]
			ways := slices.DeleteFunc(slices.Clone(a.WaysOut), func(o assess.WayOut) bool { return !slices.Contains(w.ways, o) })
			if len(ways) == 0 || a.MFA != assess.NotMet {
				continue
			}
			p := f.personOf(directory.Key(a.ID, a.UserPrincipalName))
			p.Reason, p.WaysOut = a.Reason, ways
			c.People = append(c.People, p)
			c.SignIns += p.SignIns
		}
		if len(c.People) == 0 {
			continue
		}
		c.Kind, c.Accounts = assess.CauseAccount, len(c.People)
		c.Title = fmt.Sprintf(w.many, len(c.People))
		if len(c.People) == 1 {
			c.Title = fmt.Sprintf(w.one, name(&c.People[0]))
		}
		c.Detail = counted(int(c.SignIns), "recorded sign-in", "recorded sign-ins") + " without MFA"
		f.add(c, w.serves...)
	}
}

// requirements adds what is still open and served by no cause. What only an
// export settles is one cause: the same person makes it in one go.
func (f *finder) requirements() {
	served := map[string]bool{}
	for i := range f.out {
		for _, id := range f.out[i].Requirements {
			served[id] = true
		}
	}
	for _, verdict := range []assess.Verdict{assess.NotMet, assess.Unknown} {
		if verdict == assess.Unknown {
			f.exports(served)
		}
		for i := range f.Report.Requirements {
			r := &f.Report.Requirements[i]
			if r.Verdict != verdict || served[r.ID] || r.Action == "" {
				continue
			}
			if ids, titles := f.sameAction(r); len(ids) > 1 {
				for _, id := range ids {
					served[id] = true
				}
				f.add(assess.Cause{Kind: assess.CauseRequirement, Title: titled(r), Detail: "it settles " + strings.Join(titles, ", ")}, ids...)
				continue
			}
			c := assess.Cause{Kind: assess.CauseRequirement, Title: titled(r), Detail: r.Title + ": " + r.Reason, Evidence: r.Evidence}
			if r.Unit == "accounts" {
				c.Accounts = r.Affected
			}
			f.add(c, r.ID)
		}
	}
}

// exports joins the requirements that are unknown for want of an export, the
// mandatory apart from the others, and marks them as served.
func (f *finder) exports(served map[string]bool) {
	for _, level := range []partner.Level{partner.Mandatory, partner.Recommended} {
		var ids []string
		var list []assess.Evidence
		for i := range f.Report.Requirements {
			r := &f.Report.Requirements[i]
			if r.Verdict != assess.Unknown || r.Level != string(level) || served[r.ID] || !asksForExport(r.Action) {
				continue
			}
			ids = append(ids, r.ID)
			list = append(list, assess.Evidence{Subject: r.Title, Detail: r.Reason + "; " + r.Action})
		}
		if len(ids) < 2 {
			continue
		}
		for _, id := range ids {
			served[id] = true
		}
		f.add(assess.Cause{Kind: assess.CauseRequirement, Evidence: list,
			Title:  fmt.Sprintf("Export what is missing: %d %s requirements cannot be judged without it", len(ids), level),
			Detail: "run partnerguard export check: it names each request, and export plan has it as a line to paste"}, ids...)
	}
}

// asksForExport reports an action that is an export and nothing else.
func asksForExport(action string) bool {
	return strings.HasPrefix(action, "export ") || evidence.IsRequest(action) || strings.HasPrefix(action, "Get-")
}

// titled is the action of a requirement as something to do that can stand alone.
func titled(r *assess.Requirement) string {
	const each = "give each its way out"
	switch rest, ok := strings.CutPrefix(r.Action, each); {
	case ok && r.Unit == "accounts" && r.Affected == 1:
		return "Give the one account its way out" + rest
	case ok && r.Unit == "accounts" && r.Affected > 1:
		return fmt.Sprintf("Give %d accounts their ways out%s", r.Affected, rest)
	case evidence.IsRequest(r.Action), strings.HasPrefix(r.Action, "Get-"):
		return "Export " + r.Action
	}
	return upper(r.Action)
}

// sameAction lists the requirements that one action is for, as one request often
// settles several.
func (f *finder) sameAction(r *assess.Requirement) (ids, titles []string) {
	for i := range f.Report.Requirements {
		if o := &f.Report.Requirements[i]; o.Action == r.Action && o.Verdict == r.Verdict {
			ids, titles = append(ids, o.ID), append(titles, o.Title)
		}
	}
	return ids, titles
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
