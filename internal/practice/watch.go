package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// keptFor is how far back audit logs have to go (contracts-2026-11 section 7, P28).
const keptFor = 30 * 24 * time.Hour

// keptUntil is how long ago an installation that keeps a log may have read it last.
const keptUntil = 2 * 24 * time.Hour

// auditKept asks whether audit rows of 30 days are there, of the partner and of each
// customer. A tenant where nothing happened 30 days ago looks like one whose rows were lost:
// that is unknown.
func (j *judge) auditKept() ruling {
	settle := evidence.ReadingOf(evidence.DirectoryAudit)
	v, detail := j.keptAt(j.Facts, j.o.Own)
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		if c.own == nil {
			return assess.Unknown, assess.Evidence{Detail: "its audit log was not read"}, settle
		}
		v, detail := j.keptAt(c.own.Facts, c.own.Own)
		return v, assess.Evidence{Detail: detail}, settle
	})
	own := assess.Evidence{Subject: "the partner's tenant", Detail: detail}
	n := 1 + len(j.customers)
	switch {
	case v == assess.NotMet:
		return ruling{Verdict: assess.NotMet, Affected: 1, Total: n, Evidence: []assess.Evidence{own}, Reason: "the partner's audit log has a gap: " + detail,
			Action: "collect without a pause: partnerguard serve"}
	case v != assess.Met:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: []assess.Evidence{own}, Action: settle, Reason: "of the partner's own tenant " + detail}
	case len(a.against) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(a.against), Total: n, Evidence: a.against,
			Reason: fmt.Sprintf("the audit log of %s has a gap", count(len(a.against), "customer", "customers")),
			Action: "collect without a pause: partnerguard serve"}
	case len(a.open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: a.open, Action: a.settle,
			Reason: fmt.Sprintf("the partner's own audit log is kept; of %s of %d it is not known", count(len(a.open), "customer",
				"customers"), len(j.customers))}
	}
	return ruling{Verdict: assess.Met, Total: n, Evidence: []assess.Evidence{own}, Relies: []evidence.Kind{evidence.Customer},
		Reason: fmt.Sprintf("audit rows of 30 days are kept of %s", count(n, "tenant", "tenants"))}
}

// keptAt says of one tenant's audit rows how far back they go: by what an installation
// keeps, where it knows, else by the rows.
func (j *judge) keptAt(f *facts.Facts, own *Own) (assess.Verdict, string) {
	first := f.Directory.AuditFirst
	if own == nil {
		own = &Own{}
	}
	switch {
	case len(own.Gaps) > 0:
		return assess.NotMet, own.Gaps[0]
	case !own.KeptFrom.IsZero() && j.o.AsOf.Sub(own.KeptFrom) >= keptFor && j.o.AsOf.Sub(own.KeptUntil) < keptUntil:
		return assess.Met, "kept by this installation since " + own.KeptFrom.Format(time.DateOnly)
	case f.Extent(evidence.DirectoryAudit) == evidence.Absent || first.IsZero():
		return assess.Unknown, "no audit row was read"
	case len(f.Cuts(evidence.DirectoryAudit)) > 0:
		return assess.Unknown, "the audit log is not whole"
	case j.o.AsOf.Sub(first) < keptFor:
		return assess.Unknown, "the oldest audit row is of " + first.Format(time.DateOnly) + ", less than 30 days ago"
	}
	return assess.Met, "audit rows go back to " + first.Format(time.DateOnly)
}

// demandsDevice says whether a policy lets nobody in but from a device that is compliant or
// joined, and that it has no further condition.
func demandsDevice(p *access.Policy) bool {
	g, c := p.GrantControls, &p.Conditions
	if g == nil || !p.Enforced() || len(p.Unsupported) > 0 {
		return false
	}
	device := 0
	for _, b := range g.BuiltInControls {
		if strings.EqualFold(b, "compliantDevice") || strings.EqualFold(b, "domainJoinedDevice") {
			device++
		}
	}
	others := len(g.BuiltInControls) - device + len(g.CustomFactors) + len(g.TermsOfUse)
	if g.Strength != nil {
		others++
	}
	and := strings.EqualFold(nonEmpty(string(g.Operator), string(g.OperatorMS)), "AND")
	return device > 0 && (and || others == 0) &&
		slices.ContainsFunc(c.Applications.IncludeApplications, func(a string) bool { return strings.EqualFold(a, "All") }) &&
		len(c.Applications.ExcludeApplications) == 0 && len(c.Platforms.Items)+len(c.Locations.Items)+len(c.Devices.Items)+len(c.Flows.Items) == 0 &&
		len(c.SignInRiskLevels)+len(c.UserRiskLevels)+len(c.InsiderRisk) == 0 && !c.Workload
}

// healthyDevices asks whether whoever works at customers gets in from healthy devices
// alone.
func (j *judge) healthyDevices() ruling {
	groups, byDAP := j.workGroups()
	var ev, out []assess.Evidence
	forAll := false
	for _, p := range sorted(j.Policies) {
		if !demandsDevice(p) {
			continue
		}
		u := &p.Conditions.Users
		all := slices.ContainsFunc(u.IncludeUsers, func(id string) bool { return strings.EqualFold(id, "All") })
		covers := all || len(groups) > 0
		for id := range groups {
			covers = covers && (all || slices.ContainsFunc(u.IncludeGroups, func(g string) bool { return strings.EqualFold(g, id) }))
		}
		e := assess.Evidence{Subject: p.DisplayName, RecordID: p.ID, Source: p.Source}
		left := len(u.ExcludeUsers) + len(u.ExcludeGroups) + len(u.ExcludeRoles) + len(u.ExcludeExternals.Items)
		switch {
		case !covers:
		case left > 0:
			e.Detail = fmt.Sprintf("asks for a healthy device, and leaves out %s", count(left, "account or group", "accounts or groups"))
			out = append(out, e)
		default:
			e.Detail = "asks for a healthy device of whoever works at customers"
			ev, forAll = append(ev, e), forAll || all
		}
	}
	policies := []evidence.Kind{evidence.ConditionalAccessPolicy}
	switch {
	case len(ev) > 0 && !forAll && !byDAP:
		return ruling{Verdict: assess.Unknown, Total: 1, Evidence: ev, Reason: dapUnknown, Action: evidence.ReadingOf(evidence.Customer)}
	case len(ev) > 0:
		return ruling{Verdict: assess.Met, Total: 1, Evidence: ev, Relies: append(policies, evidence.AccessAssignment),
			Reason: "an enabled policy lets those who work at customers in from healthy devices alone"}
	case len(out) > 0:
		return ruling{Verdict: assess.Unknown, Total: len(out), Evidence: out, Action: attestOrLook,
			Reason: "a policy asks for healthy devices and leaves somebody out; whether they work at customers is not judged"}
	case j.Extent(evidence.ConditionalAccessPolicy) == evidence.Absent:
		return ruling{Verdict: assess.Unknown,
			Reason: "the Conditional Access policies were not read", Action: evidence.ReadingOf(evidence.ConditionalAccessPolicy)}
	}
	return ruling{Verdict: assess.NotMet, Affected: 1, Total: 1, Relies: policies,
		Reason: "no enabled policy asks those who work at customers for a compliant or joined device on every app",
		Action: "enable a policy that grants access from compliant devices alone, for the groups of GDAP"}
}

const attestOrLook = "partnerguard decide --help: try the accounts that are left out"

// workstations asks whether a policy blocks administrators from devices that a filter does
// not single out. That these are workstations for that alone is a person's word.
func (j *judge) workstations() ruling {
	var ev []assess.Evidence
	for _, p := range sorted(j.Policies) {
		if !p.Enforced() || !p.Blocks() || len(p.Unsupported) > 0 {
			continue
		}
		u := &p.Conditions.Users
		admins := slices.ContainsFunc(u.IncludeUsers, func(id string) bool { return strings.EqualFold(id, "All") }) ||
			slices.ContainsFunc(u.IncludeRoles, func(id string) bool { return strings.EqualFold(id, entra.RoleGlobalAdministrator) })
		for _, d := range p.Conditions.Devices.Items {
			if admins && d.Filter != nil && strings.EqualFold(string(d.Filter.Mode), "exclude") {
				ev = append(ev, assess.Evidence{Subject: p.DisplayName, RecordID: p.ID, Source: p.Source,
					Detail: "blocks administrators but from devices of the filter " + d.Filter.Rule})
			}
		}
	}
	ru := j.said()
	if len(ev) > 0 {
		ru.Evidence, ru.Total = ev, len(ev)
		ru.Reason = "a policy singles devices out for administrators; that these serve privileged work alone is a person's word"
	}
	return ru
}
