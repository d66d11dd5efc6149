package practice

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// mfaOf says whether every account of a customer is asked for MFA: by the customer's own
// settings alone, for Microsoft's count says who is, and not who is not asked. It speaks
// against it all the same.
func (j *judge) mfaOf(c *known) (v assess.Verdict, e assess.Evidence, settle string) {
	settle = evidence.ReadingOf(evidence.ConditionalAccessPolicy)
	i := j.Insights[c.tenant]
	if i != nil {
		e.Source = i.Source
		m := &i.MFA
		compliant := m.CompliantAdmins.Value + m.CompliantOthers.Value
		switch {
		case off(m.Defaults) && off(m.Policy) && off(m.Legacy):
			e.Detail = "Microsoft sees neither security defaults nor a policy nor per-user MFA there"
			return assess.NotMet, e, ""
		case m.CompliantAdmins.Set && m.CompliantOthers.Set && m.TotalUsers.Set && compliant < m.TotalUsers.Value:
			e.Detail = fmt.Sprintf("Microsoft counts %d of its %d accounts with MFA", compliant, m.TotalUsers.Value)
			return assess.NotMet, e, ""
		}
	}
	if c.own == nil || c.own.Report == nil {
		e.Detail = "its own settings were not read"
		return assess.Unknown, e, settle
	}
	q := requirementOf(c.own.Report, "mfa-every-user")
	e.Detail, settle = q.Reason, q.Action
	if len(q.Evidence) > 0 {
		e.Source = q.Evidence[0].Source
	}
	if q.Verdict == assess.Attested {
		return assess.Unknown, e, settle
	}
	return q.Verdict, e, settle
}

func off(status lenient.String) bool { return strings.EqualFold(string(status), "disabled") }

func requirementOf(r *assess.Report, id string) *assess.Requirement {
	for i := range r.Requirements {
		if r.Requirements[i].ID == id {
			return &r.Requirements[i]
		}
	}
	return &assess.Requirement{Verdict: assess.Unknown, Reason: "it was not judged"}
}

func (j *judge) customersMFA() ruling {
	ru := j.ofCustomers(j.ask(j.mfaOf), "not every account is asked for MFA", "every account is asked for MFA",
		"turn on security defaults there, or policies for all users where it has Entra ID P1")
	if ru.Verdict == assess.Met {
		ru.Relies = append(ru.Relies, evidence.CustomerInsight) // which may speak against it
	}
	return ru
}

// reaches says whether the partner reaches into the customer, and how; known is false where
// the lists that would say are not whole.
func (j *judge) reaches(c *known) (how string, source evidence.Source, knows bool) {
	for _, r := range sorted(j.Relationships) {
		if r.Customer != nil && strings.EqualFold(r.Customer.TenantID, c.tenant) && r.Active(j.bench.At(evidence.Relationship)) {
			return "the relationship " + r.DisplayName + " is active", r.Source, true
		}
	}
	for _, p := range sorted(j.Customers) {
		if strings.EqualFold(nonEmpty(p.CompanyProfile.TenantID, p.ID), c.tenant) && p.AllowDelegatedAccess.True() {
			return "DAP is in place", p.Source, true
		}
	}
	return "", source, j.Whole(evidence.Relationship) && j.Whole(evidence.Customer)
}

// reachWithoutMFA asks whether the partner reaches into customers who ask nobody for MFA.
func (j *judge) reachWithoutMFA() ruling {
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		how, src, knows := j.reaches(c)
		switch {
		case how == "" && knows:
			return assess.Met, assess.Evidence{}, ""
		case how == "":
			return assess.Unknown, assess.Evidence{Detail: "whether the partner reaches into it is not in the export"},
				evidence.ReadingOf(evidence.Relationship)
		}
		v, e, settle := j.asksAtAll(c)
		e.Detail = how + ", and " + e.Detail
		if e.Source.Path == "" {
			e.Source = src
		}
		return v, e, settle
	})
	ru := j.ofCustomers(a, "the partner reaches in, and nothing asks for MFA there", "those that the partner reaches into ask for MFA",
		"have MFA turned on there first; until then take back GDAP roles and write rights in Azure")
	if ru.Verdict == assess.Met {
		ru.Relies = append(ru.Relies, evidence.CustomerInsight, evidence.Relationship)
	}
	return ru
}

// asksAtAll says whether anything asks for MFA in a customer.
func (j *judge) asksAtAll(c *known) (v assess.Verdict, e assess.Evidence, settle string) {
	if i := j.Insights[c.tenant]; i != nil && off(i.MFA.Defaults) && off(i.MFA.Policy) && off(i.MFA.Legacy) {
		return assess.NotMet, assess.Evidence{Detail: "Microsoft sees nothing that asks for MFA there", Source: i.Source}, ""
	}
	if c.own == nil || c.own.Report == nil {
		return assess.Unknown, assess.Evidence{Detail: "its own settings were not read"}, evidence.ReadingOf(evidence.SecurityDefaults)
	}
	q := requirementOf(c.own.Report, "security-defaults-or-conditional-access")
	return q.Verdict, assess.Evidence{Detail: q.Reason}, q.Action
}

// dap weighs DAP: none is best; where it is, it must be in use and not replaced.
func (j *judge) dap() ruling {
	none := j.requirements([]string{"no-dap"})
	if none.Verdict != assess.NotMet {
		return none
	}
	var replaced []assess.Evidence
	for _, c := range sorted(j.Customers) {
		tenant := nonEmpty(c.CompanyProfile.TenantID, c.ID)
		if !c.AllowDelegatedAccess.True() {
			continue
		}
		for _, r := range sorted(j.Relationships) {
			if r.Customer != nil && strings.EqualFold(r.Customer.TenantID, tenant) && r.Active(j.bench.At(evidence.Relationship)) {
				replaced = append(replaced, assess.Evidence{Subject: c.Name(), RecordID: c.ID, Source: c.Source,
					Detail: "still grants DAP beside the active relationship " + r.DisplayName})
				break
			}
		}
	}
	inactive := j.requirements([]string{"inactive-dap"})
	switch {
	case len(replaced) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(replaced), Total: len(j.Customers), Evidence: replaced,
			Reason: fmt.Sprintf("%s DAP where GDAP serves", count(len(replaced), "customer still grants", "customers still grant")), Action: none.Action}
	case inactive.Verdict == assess.NotMet || inactive.Verdict == assess.Unknown:
		return inactive
	}
	inactive.Relies = append(inactive.Relies, evidence.Relationship)
	return inactive
}

// relationshipsReviewed asks whether an active relationship is used by no group: then
// nobody reviewed it. That somebody did is a person's word.
func (j *judge) relationshipsReviewed() ruling {
	used := map[string]bool{}
	for _, a := range j.Assignments {
		if s := strings.ToLower(string(a.Status)); s != "deleted" && s != "deleting" {
			used[a.Of()] = true
		}
	}
	var idle []assess.Evidence
	n := 0
	for _, r := range sorted(j.Relationships) {
		if !r.Active(j.bench.At(evidence.Relationship)) {
			continue
		}
		n++
		if !used[strings.ToLower(r.ID)] && len(r.Assignments.Items) == 0 {
			idle = append(idle, assess.Evidence{Subject: r.CustomerName(), RecordID: r.ID, Source: r.Source,
				Detail: "the relationship " + r.DisplayName + " is active, and no group uses it"})
		}
	}
	switch {
	case n == 0 && j.Whole(evidence.Relationship):
		return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.Relationship}, Reason: "no delegated admin relationship is active"}
	case len(idle) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(idle), Total: n, Evidence: idle, Relies: []evidence.Kind{evidence.AccessAssignment},
			Reason: fmt.Sprintf("%s of %d used by no group", count(len(idle), "active relationship is", "active relationships are"), n),
			Action: "end those that nobody needs, then attest the review"}
	}
	return ruling{Verdict: assess.Unknown, Total: n, Action: attestCommand("P20"),
		Reason: fmt.Sprintf("%s; that somebody looked at each is a person's word", count(n, "relationship is active", "relationships are active"))}
}

// partnersAccounts looks for accounts of the partner among the users of customers.
func (j *judge) partnersAccounts() ruling {
	domains := j.domains()
	if len(domains) == 0 {
		return ruling{Verdict: assess.Unknown,
			Reason: "the partner's own domains are not known: its users were not read", Action: evidence.ReadingOf(evidence.User)}
	}
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		if c.own == nil || c.own.Facts.Extent(evidence.User) == evidence.Absent {
			return assess.Unknown, assess.Evidence{Detail: "its users were not read"}, evidence.ReadingOf(evidence.User)
		}
		d := c.own.Facts.Directory
		for _, key := range sorted(keysOf(d.Users)) {
			u := d.Users[key]
			if domain := ofDomains(u, domains); domain != "" && !u.AccountEnabled.False() {
				e := assess.Evidence{Detail: "has the account " + u.UserPrincipalName + " of the partner's domain " + domain, RecordID: u.ID,
					Source: u.Source}
				if held := c.own.Facts.Standing().Roles[key]; len(held) > 0 {
					e.Detail += ", which holds " + held[0].Name
				}
				return assess.NotMet, e, ""
			}
		}
		if !c.own.Facts.Whole(evidence.User) {
			return assess.Unknown, assess.Evidence{Detail: "the list of its users is not whole"}, evidence.ReadingOf(evidence.User)
		}
		return assess.Met, assess.Evidence{}, ""
	})
	ru := j.ofCustomers(a, "an account of the partner's is among its users", "no account of the partner's is among the users",
		"work through GDAP, and have those accounts deleted there")
	if ru.Verdict == assess.Met {
		ru.Relies = append(ru.Relies, evidence.User) // whose domains are the partner's
	}
	return ru
}

// domains are those of the partner's own accounts, the ones that Microsoft gives left in.
func (j *judge) domains() []string {
	seen := map[string]bool{}
	for _, u := range j.Directory.Users {
		if strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#") {
			continue
		}
		if _, domain, ok := strings.Cut(strings.ToLower(u.UserPrincipalName), "@"); ok && domain != "" {
			seen[domain] = true
		}
	}
	out := make([]string, 0, len(seen))
	for d := range seen {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

// ofDomains is the domain among those that an account of another tenant belongs to: by its
// name, by the name that an invitation gave it, or by its address.
func ofDomains(u *directory.User, domains []string) string {
	name := strings.ToLower(u.UserPrincipalName)
	guest, _, invited := strings.Cut(name, "#ext#")
	for _, d := range domains {
		if strings.HasSuffix(name, "@"+d) || invited && strings.HasSuffix(guest, "_"+d) || strings.HasSuffix(strings.ToLower(string(u.Mail)), "@"+d) {
			return d
		}
	}
	return ""
}

// unifiedAudit asks of each customer whether its unified audit log takes anything.
func (j *judge) unifiedAudit() ruling {
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		settle := evidence.ReadingOf(evidence.AuditConfig)
		if c.own == nil || len(c.own.Facts.Beside.AuditConfigs) == 0 {
			return assess.Unknown, assess.Evidence{Detail: "whether its unified audit log is on was not read"}, settle
		}
		on := 0
		for i := range c.own.Facts.Beside.AuditConfigs {
			x := &c.own.Facts.Beside.AuditConfigs[i]
			switch {
			case x.Ingestion.False():
				return assess.NotMet, assess.Evidence{Detail: "UnifiedAuditLogIngestionEnabled is false", Source: x.Source}, ""
			case x.Ingestion.True():
				on++
			}
		}
		if on == 0 {
			return assess.Unknown, assess.Evidence{Detail: "the export does not say UnifiedAuditLogIngestionEnabled"}, settle
		}
		return assess.Met, assess.Evidence{}, ""
	})
	return j.ofCustomers(a, "the unified audit log is off", "the unified audit log is on",
		"run Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true there")
}

// customersAdmins asks of each customer whether it has two administrators of its own that
// are kept apart. That the emergency accounts are tested and nobody shares one is a
// person's word.
func (j *judge) customersAdmins() ruling {
	a := j.ask(func(c *known) (assess.Verdict, assess.Evidence, string) {
		word := assess.Evidence{Detail: "its emergency accounts and whether administrators share one are a person's word"}
		if c.own == nil || !c.own.Facts.RolesKnown() || !c.own.Facts.Whole(evidence.User) {
			word.Detail = "its users and roles were not read, or not all of them"
			return assess.Unknown, word, evidence.ReadingOf(evidence.RoleAssignment)
		}
		n := 0
		for _, held := range c.own.Facts.Standing().Roles {
			if slices.ContainsFunc(held, func(h directory.HeldRole) bool { return h.TemplateID == entra.RoleGlobalAdministrator }) {
				n++
			}
		}
		if n < fewestGA && len(c.own.Facts.Standing().OpenRoles) == 0 {
			return assess.NotMet, assess.Evidence{Detail: fmt.Sprintf("%s Global Administrator there", count(n, "account holds", "accounts hold"))}, ""
		}
		if c.own.Report != nil {
			var admins []assess.Account
			for i := range c.own.Report.Accounts {
				if x := &c.own.Report.Accounts[i]; x.Admin && x.InScope {
					admins = append(admins, *x)
				}
			}
			if bad, _ := mixed(admins, c.own.Facts.Directory); len(bad) > 0 {
				bad[0].Detail = bad[0].Subject + " " + bad[0].Detail
				bad[0].Subject = c.name
				return assess.NotMet, bad[0], ""
			}
		}
		return assess.Unknown, word, ""
	})
	ru := j.ofCustomers(a, "its administrators are too few or not kept apart", "administrators are kept apart",
		"have each keep two emergency accounts, and administrators without mailboxes")
	if ru.Verdict == assess.Unknown && (len(j.customers) > 0 || j.Whole(evidence.Customer)) {
		ru.Action = nonEmpty(ru.Action, attestCommand("P36"))
	}
	return ru
}

// dedicated asks whether those who work at customers have mailboxes: then the account is
// their daily one.
func (j *judge) dedicated() ruling {
	groups, byDAP := j.workGroups()
	if len(groups) == 0 {
		if j.Whole(evidence.AccessAssignment) && byDAP {
			return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.AccessAssignment, evidence.Customer},
				Reason: "no group of the partner reaches customers, by GDAP or by DAP"}
		}
		if j.Whole(evidence.AccessAssignment) {
			return ruling{Verdict: assess.Unknown, Reason: dapUnknown, Action: evidence.ReadingOf(evidence.Customer)}
		}
		return ruling{Verdict: assess.Unknown,
			Reason: "which groups reach customers is not in the export", Action: evidence.ReadingOf(evidence.AccessAssignment)}
	}
	var bad, open []assess.Evidence
	n, settle := 0, usersPlans
	for _, key := range sorted(keysOf(j.Directory.Users)) {
		in := ""
		for _, id := range slices.Concat(j.standing.Groups[key], j.standing.Activate[key], j.standing.Perhaps[key]) {
			in = nonEmpty(in, groups[id])
		}
		u := j.Directory.Users[key]
		if in == "" || u.AccountEnabled.False() {
			continue
		}
		n++
		e := assess.Evidence{Subject: nonEmpty(u.UserPrincipalName, key), RecordID: u.ID, Source: u.Source}
		switch mail, known := u.Gives(exchange); {
		case mail || u.Purpose() == "user":
			e.Detail = "is in " + in + " and has a mailbox"
			bad = append(bad, e)
		case !known:
			e.Detail = "is in " + in + "; whether it has a mailbox is not in the export"
			open = append(open, e)
		}
	}
	for _, id := range sorted(keysOf(groups)) {
		if j.Directory.Groups[id] == nil || j.standing.OpenGroups[id] != "" {
			open = append([]assess.Evidence{{Subject: groups[id], RecordID: id, Detail: "not every member of this group is in the export"}}, open...)
			settle = membersOf(id)
		}
	}
	switch {
	case len(bad) > 0:
		return ruling{Verdict: assess.NotMet, Affected: len(bad), Total: n, Evidence: bad,
			Reason: fmt.Sprintf("%s of %d that work at customers %s for mail too", count(len(bad), "account", "accounts"), n, isAre(len(bad))),
			Action: "give whoever works at customers an account for that alone, without a mailbox"}
	case len(open) > 0:
		return ruling{Verdict: assess.Unknown, Total: n, Evidence: open, Action: settle,
			Reason: "of those that work at customers it is not known of each whether the account has a mailbox"}
	case !byDAP:
		return ruling{Verdict: assess.Unknown, Total: n, Reason: dapUnknown, Action: evidence.ReadingOf(evidence.Customer)}
	case n == 0:
		return ruling{Verdict: assess.NotApplicable, Relies: []evidence.Kind{evidence.User, evidence.Group, evidence.AccessAssignment, evidence.Customer},
			Reason: "no enabled account is in a group that works at customers"}
	}
	return ruling{Verdict: assess.Met, Total: n, Relies: []evidence.Kind{evidence.User, evidence.Group, evidence.AccessAssignment, evidence.Customer},
		Reason: fmt.Sprintf("none of %d accounts that work at customers has a mailbox", n)}
}

// mailTenant shows whether people's mail lives in the tenant of the partner programme.
func (j *judge) mailTenant() ruling {
	ru := j.said()
	var ev []assess.Evidence
	for _, s := range sorted(j.Directory.SKUs) {
		for _, p := range s.ServicePlans.Items {
			name := strings.ToUpper(string(p.Name)) // EXCHANGE_S_FOUNDATION gives no mailbox
			if strings.HasPrefix(name, "EXCHANGE_S_") && name != "EXCHANGE_S_FOUNDATION" && s.ConsumedUnits.Value > 0 {
				ev = append(ev, assess.Evidence{Subject: s.SKUPartNumber, RecordID: s.ID, Source: s.Source,
					Detail: fmt.Sprintf("%d licences with mail are in use in this tenant", s.ConsumedUnits.Value)})
				break
			}
		}
	}
	if len(ev) > 0 {
		ru.Evidence = ev
		ru.Reason = "licences with mail are in use in this tenant; how it is kept apart all the same a person has to say"
	}
	return ru
}
