package assess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// person is what is known of one account before it is judged.
type person struct {
	key  string
	user *directory.User
	reg  *directory.Registration
	log  *signin.Account
	// without are Partner Center's records of it without MFA.
	without []without
}

// people joins users, registrations and the log by id, falling back to the
// UPN where a record has no id.
func (a *assessor) people() []person {
	all := map[string]*person{}
	at := func(key string) *person {
		p := all[key]
		if p == nil {
			p = &person{key: key}
			all[key] = p
		}
		return p
	}
	for key, u := range a.Directory.Users {
		at(key).user = u
	}
	for key, r := range a.Directory.Registrations {
		if by := a.Directory.KeyByUPN(r.UserPrincipalName); all[key] == nil && by != "" {
			key = by
		}
		at(key).reg = r
	}
	// Rows without a user id carry their UPN as key.
	byUPN := map[string]string{}
	for key, p := range all {
		if p.user != nil && p.user.UserPrincipalName != "" {
			byUPN[strings.ToLower(p.user.UserPrincipalName)] = key
		} else if p.reg != nil && p.reg.UserPrincipalName != "" {
			byUPN[strings.ToLower(p.reg.UserPrincipalName)] = key
		}
	}
	if a.SignIns != nil {
		for i := range a.SignIns.Accounts {
			s := &a.SignIns.Accounts[i]
			key := s.Key
			if key == "" || successes(s.Verdicts) == 0 && all[key] == nil && byUPN[strings.ToLower(s.UserPrincipalName)] == "" {
				continue // a guess at a name, or somebody who never got in
			}
			if by := byUPN[strings.ToLower(s.UserPrincipalName)]; all[key] == nil && by != "" && s.UserID == "" {
				key = by
			}
			if p := at(key); p.log == nil {
				p.log = s
			}
		}
	}
	for id := range a.Directory.PrivilegedUsers {
		at(id)
	}
	for _, w := range a.withoutMFA() {
		if by := byUPN[strings.ToLower(w.upn)]; all[w.key] == nil && by != "" {
			w.key = by
		}
		if w.key != "" {
			p := at(w.key)
			p.without = append(p.without, w)
		}
	}
	out := make([]person, 0, len(all))
	for _, key := range sortedKeys(all) {
		out = append(out, *all[key])
	}
	return out
}

// excluded names, by account, the enabled policies asking for MFA that leave it
// out, by its id or through a group.
func (a *assessor) excluded() map[string][]string {
	byGroup := map[string][]string{}
	out := map[string][]string{}
	for _, p := range a.enforced {
		if !p.RequiresMFA() {
			continue
		}
		for _, id := range p.Conditions.Users.ExcludeUsers {
			out[strings.ToLower(id)] = append(out[strings.ToLower(id)], p.DisplayName)
		}
		for _, id := range p.Conditions.Users.ExcludeGroups {
			byGroup[strings.ToLower(id)] = append(byGroup[strings.ToLower(id)], p.DisplayName)
		}
	}
	if len(byGroup) == 0 {
		return out
	}
	for member, groups := range a.GroupsByMember() {
		for _, g := range groups {
			for _, name := range byGroup[g] {
				if !slices.Contains(out[member], name) {
					out[member] = append(out[member], name)
				}
			}
		}
	}
	return out
}

// allAccounts judges every account known. Unmet ones come first, then by name.
func (a *assessor) allAccounts() []Account {
	excluded := a.excluded()
	var out []Account
	for _, p := range a.people() {
		out = append(out, a.judgeAccount(p, excluded[p.key]))
	}
	order := map[Verdict]int{NotMet: 0, Unknown: 1, Met: 2, Attested: 2, NotApplicable: 3}
	slices.SortStableFunc(out, func(x, y Account) int {
		return cmp.Or(cmp.Compare(order[x.MFA], order[y.MFA]), -cmp.Compare(b2i(x.Admin), b2i(y.Admin)),
			cmp.Compare(strings.ToLower(x.UserPrincipalName), strings.ToLower(y.UserPrincipalName)), cmp.Compare(x.ID, y.ID))
	})
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a *assessor) judgeAccount(p person, excludedBy []string) Account {
	u := directory.User{}
	if p.user != nil {
		u = *p.user
	}
	if p.reg != nil {
		u.UserPrincipalName, u.DisplayName = nonEmpty(u.UserPrincipalName, p.reg.UserPrincipalName), nonEmpty(u.DisplayName, p.reg.UserDisplayName)
		if u.UserType == "" {
			u.UserType = p.reg.UserType
		}
	}
	out := Account{ID: nonEmpty(u.ID, p.key), Roles: []string{}, WaysOut: []WayOut{}, LegacyClients: []string{}}
	if p.reg != nil && u.ID == "" {
		out.ID = nonEmpty(p.reg.ID, p.key)
	}
	signs := directory.Signs{Roles: a.roles[p.key], Excluded: len(excludedBy) > 0, RolesPartly: a.rolesPartly}
	if s := p.log; s != nil {
		u.UserPrincipalName, u.DisplayName = nonEmpty(u.UserPrincipalName, s.UserPrincipalName), nonEmpty(u.DisplayName, s.DisplayName)
		out.SignIns, out.LastSignIn, out.LastNotChallenged = tally(s.Verdicts), ref(s.LastSignIn), ref(s.LastNotChallenged)
		out.LegacyClients = append(out.LegacyClients, sortedKeys(s.LegacySuccesses)...)
		signs.ROPC = s.ROPC > 0
	}
	for _, w := range p.without {
		u.UserPrincipalName = nonEmpty(u.UserPrincipalName, w.upn)
		if u.ID == "" && p.reg == nil {
			out.ID = nonEmpty(w.id, out.ID)
		}
	}
	if pu := a.Directory.PrivilegedUsers[p.key]; pu != nil {
		u.DisplayName = nonEmpty(u.DisplayName, pu.DisplayName)
	}
	out.UserPrincipalName, out.DisplayName = u.UserPrincipalName, u.DisplayName
	for _, r := range signs.Roles {
		name := r.Name
		if r.Eligible {
			name += " (eligible)"
		}
		if directory.IsSyncRole(r.TemplateID) && !r.Eligible {
			continue
		}
		out.Roles = append(out.Roles, name)
	}
	out.Admin = len(out.Roles) > 0 || p.reg != nil && p.reg.IsAdmin.True()
	class := directory.Classify(&u, signs)
	out.Class, out.InScope = string(class), class.InScope()
	out.StrongestFactor = strongestFactor(p.reg)
	a.judgeMFA(&out, p, class, excludedBy, u.Purpose() == "shared")
	return out
}

// judgeMFA decides whether an account has MFA, as far as evidence goes: one
// recorded sign-in without it decides against, and only the settings can
// decide for.
func (a *assessor) judgeMFA(out *Account, p person, class directory.Class, excludedBy []string, mailbox bool) {
	unregistered := p.reg != nil && p.reg.IsMFARegistered.False() && !p.reg.IsMFACapable.Value && out.SignIns.SatisfiedByProvider == 0 &&
		out.SignIns.Challenged == 0
	cov := a.covers[strings.ToLower(out.ID)]
	switch {
	case class == directory.ClassDisabled:
		out.MFA, out.Reason = NotApplicable, "the account is disabled"
	case class == directory.ClassDirectorySync:
		out.MFA, out.Reason = NotApplicable, "the directory synchronisation account is not asked for MFA"
	case out.SignIns.NotChallenged > 0:
		out.MFA, out.Reason = NotMet, fmt.Sprintf("%s without MFA being asked for", count(int(out.SignIns.NotChallenged), "sign-in succeeded",
			"sign-ins succeeded"))
		if unregistered {
			out.Reason += ", and no MFA method is registered"
		}
	case len(p.without) > 0:
		out.MFA, out.Reason = NotMet, p.without[0].words()
	case cov.Cover == access.Open:
		out.MFA, out.Reason = NotMet, "the settings do not ask it for MFA"
		if cov.gap != nil {
			out.Reason = gapDetail(cov.gap)
		}
		if unregistered {
			out.Reason += "; no MFA method is registered"
		}
	case cov.Cover == access.Covered:
		out.MFA, out.Reason = Met, "the settings ask it for MFA in an ordinary sign-in"
		if unregistered {
			out.Reason += "; no method is registered yet, so its next sign-in stops at the registration"
		}
	case unregistered:
		out.MFA, out.Reason = NotMet, "no MFA method is registered"
	case cov.Cover == access.Uncertain:
		out.MFA, out.Reason = Unknown, "the settings may ask it for MFA; what is not in the export decides it"
	case len(excludedBy) > 0:
		out.MFA, out.Reason = Unknown, fmt.Sprintf("left out of %s; whether another policy covers it is not proved", list(excludedBy, 2))
	case successesOf(out.SignIns) > 0 && out.SignIns.Unknown == 0:
		out.MFA, out.Reason = Unknown, fmt.Sprintf("%s carried MFA, but the settings do not prove it",
			every(int(successesOf(out.SignIns)), "recorded sign-in", "recorded sign-ins"))
	case successesOf(out.SignIns) > 0:
		out.MFA, out.Reason = Unknown, fmt.Sprintf("%d of %d recorded sign-ins do not show whether they carried MFA", out.SignIns.Unknown,
			successesOf(out.SignIns))
	case p.reg != nil:
		out.MFA, out.Reason = Unknown, "an MFA method is registered, but no sign-in is recorded, and the settings do not prove it"
		if !p.reg.IsMFARegistered.Set {
			out.Reason = "its registration does not say whether a method is registered, and no sign-in is recorded"
		}
	default:
		out.MFA, out.Reason = Unknown, "neither its registration nor a sign-in is in the export"
	}
	if out.MFA == NotMet && a.maySync(p.key, out.UserPrincipalName, out.DisplayName) {
		out.MFA = Unknown
		out.Reason += "; it may be the directory synchronisation account, which its role alone would excuse, and the role assignments were not all read"
	}
	// Nobody signs in to a shared mailbox or a room: whatever is asked of it, its
	// sign-in is better blocked.
	unattended := out.InScope && (mailbox || class == directory.ClassResource)
	if out.MFA == NotMet || out.MFA == Unknown && len(excludedBy) > 0 || unattended {
		n := directory.Needs{
			Class: class, Mailbox: mailbox, Unregistered: unregistered || out.StrongestFactor == "none",
			Password: p.log != nil && p.log.ROPC > 0, Covered: cov.Cover == access.Covered && out.SignIns.NotChallenged == 0 &&
				!slices.ContainsFunc(p.without, func(w without) bool { return !w.request }),
		}
		out.WaysOut = waysOut(out, n, p)
	}
}

func successesOf(t Tally) int64 {
	return t.Challenged + t.SatisfiedByClaim + t.SatisfiedByProvider + t.NotChallenged + t.Unknown
}

// waysOut lists what would bring an account into line.
func waysOut(out *Account, n directory.Needs, p person) []WayOut {
	for _, c := range out.LegacyClients {
		if directory.OldMailClient(c) {
			n.OldMail = true
		} else {
			n.Device = true
		}
	}
	ways := directory.WaysOut(n)
	if slices.ContainsFunc(p.without, func(w without) bool { return w.request }) {
		ways = append([]WayOut{directory.WayConsentAgain}, ways...)
	}
	return ways
}

// Factor ranks, strongest first. The method names are userRegistrationDetails'
// methodsRegistered (contracts.md section 3.3, K).
var factorRanks = []struct {
	name    string
	methods []string
}{
	{"phishing_resistant", []string{"windowshelloforbusiness", "fido2securitykey", "fido2", "passkeydevicebound", "passkeydeviceboundauthenticator",
		"passkeysynced", "macossecureenclavekey", "x509certificatemultifactor"}},
	{"app", []string{"microsoftauthenticatorpush", "microsoftauthenticatorpasswordless", "externalauthmethod", "appnotification"}},
	{"otp", []string{"softwareonetimepasscode", "hardwareonetimepasscode", "appcode", "hardwareoath", "softwareoath"}},
	{"phone", []string{"mobilephone", "alternatemobilephone", "officephone", "sms", "voice", "mobilesms"}},
}

// strongestFactor names the strongest method registered. E-mail and security
// questions reset passwords and are no MFA; a temporary access pass passes.
func strongestFactor(r *directory.Registration) string {
	if r == nil {
		return "unknown"
	}
	for _, rank := range factorRanks {
		for _, m := range r.MethodsRegistered {
			if slices.Contains(rank.methods, strings.ToLower(m)) {
				return rank.name
			}
		}
	}
	if len(r.MethodsRegistered) == 0 && !r.IsMFARegistered.Set || r.IsMFARegistered.True() {
		return "unknown" // registered, by a method we do not know
	}
	return "none"
}

// account finds a judged account by its id or UPN.
func (a *assessor) account(key string) *Account {
	if i, ok := a.index[strings.ToLower(key)]; ok {
		return &a.accounts[i]
	}
	return nil
}

// indexAccounts makes account cheap. Ids outrank UPNs.
func (a *assessor) indexAccounts() {
	a.index = make(map[string]int, 2*len(a.accounts))
	for i := range a.accounts {
		if upn := strings.ToLower(a.accounts[i].UserPrincipalName); upn != "" {
			a.index[upn] = i
		}
	}
	for i := range a.accounts {
		a.index[strings.ToLower(a.accounts[i].ID)] = i
	}
}

// nameOf names a principal for a person.
func (a *assessor) nameOf(id string) string {
	if acc := a.account(id); acc != nil {
		return nonEmpty(acc.UserPrincipalName, acc.DisplayName, id)
	}
	if s := a.Directory.ServicePrincipals[id]; s != nil {
		return s.DisplayName
	}
	return id
}

// sourceOf is where the user object of a key was read, or nothing.
func (a *assessor) sourceOf(key string) evidence.Source {
	if u := a.Directory.Users[key]; u != nil {
		return u.Source
	}
	if r := a.Directory.Registrations[key]; r != nil {
		return r.Source
	}
	return evidence.Source{}
}

// admins lists the accounts in scope with a directory role.
func (a *assessor) admins() []*Account {
	var out []*Account
	for i := range a.accounts {
		if acc := &a.accounts[i]; acc.Admin && acc.InScope {
			out = append(out, acc)
		}
	}
	return out
}

// accountEvidence shows why an account does not have MFA: the row of the log
// where there is one, else its registration.
func (a *assessor) accountEvidence(acc *Account) Evidence {
	e := Evidence{Subject: nonEmpty(acc.UserPrincipalName, acc.DisplayName, acc.ID), Detail: acc.Reason, Observed: acc.LastNotChallenged, RecordID: acc.ID}
	key := strings.ToLower(acc.ID)
	if a.SignIns != nil && acc.LastNotChallenged != nil {
		i, found := slices.BinarySearchFunc(a.SignIns.Accounts, key, func(s signin.Account, k string) int { return cmp.Compare(s.Key, k) })
		if found && len(a.SignIns.Accounts[i].NotChallenged) > 0 {
			w := a.SignIns.Accounts[i].NotChallenged[0]
			e.RecordID, e.Source = w.ID, w.Source
			return e
		}
	}
	for _, w := range a.withoutMFA() {
		if acc.LastNotChallenged == nil && (w.key == key || strings.EqualFold(w.upn, acc.UserPrincipalName)) {
			w.evidence.Subject = e.Subject
			return w.evidence
		}
	}
	e.Source = a.sourceOf(key)
	if r := a.Directory.Registrations[key]; r != nil {
		e.Source, e.Observed = r.Source, ref(r.LastUpdated.Time)
	}
	return e
}

// accountsRuling is the common part of the two requirements on accounts.
func (a *assessor) accountsRuling(pick func(*Account) bool, p *access.Proof, what, many string) ruling {
	var ev []Evidence
	total, unknown, doubt := 0, 0, ""
	ways := map[string]int{}
	for i := range a.accounts {
		acc := &a.accounts[i]
		if !acc.InScope || !pick(acc) {
			continue
		}
		total++
		switch acc.MFA {
		case NotMet:
			ev = append(ev, a.accountEvidence(acc))
			for _, w := range acc.WaysOut {
				ways[w.ID]++
			}
		case Unknown:
			if unknown++; doubt == "" {
				doubt = nonEmpty(acc.UserPrincipalName, acc.DisplayName, acc.ID) + ": " + acc.Reason
			}
		}
	}
	if len(ev) > 0 {
		return ruling{verdict: NotMet, affected: len(ev), total: total, evidence: ev,
			reason: fmt.Sprintf("%s MFA or signed in without it", count(len(ev), what+" is not asked for", many+" are not asked for")),
			action: "give each its way out: " + wayWords(ways)}
	}
	switch {
	case p != nil && p.Verdict == access.GapFound:
		return ruling{verdict: NotMet, affected: p.Open, total: p.Accounts, evidence: a.gapEvidence(p), reason: p.Reason, relies: a.policyLists(),
			action: "close the gaps: no exclusion without another policy that covers it"}
	case unknown == 0 && p != nil && p.Verdict == access.Proved:
		reason := fmt.Sprintf("the settings ask %s for MFA", every(total, what, many))
		if whose := a.nameless(); whose != "" {
			return ruling{verdict: Unknown, total: total, evidence: a.centerRecords(), against: true, reason: reason + ", but " + whose,
				action: evidence.RequestFor(evidence.PartnerRequest)}
		}
		return a.withCenter(ruling{verdict: Met, total: total, heeds: against, reason: reason + a.noneRecorded("went without"), evidence: a.enforcedRows()})
	}
	if p != nil && p.Verdict == access.Proved {
		return ruling{verdict: Unknown, total: total, action: evidence.RequestFor(evidence.RoleAssignment),
			reason: fmt.Sprintf("for %s it is not known; %s", count(unknown, what, many), doubt)}
	}
	return unproved(a, p, total, fmt.Sprintf("none of %s is shown to lack MFA", count(total, what, many)))
}

// wayWords sums the ways out up, most needed first.
func wayWords(ways map[string]int) string {
	ids := sortedKeys(ways)
	slices.SortStableFunc(ids, func(x, y string) int { return cmp.Compare(ways[y], ways[x]) })
	var out []string
	for _, id := range ids {
		out = append(out, fmt.Sprintf("%s (%d)", directory.WayWord(id), ways[id]))
	}
	return strings.Join(out, ", ")
}

func (a *assessor) mfaEveryUser() ruling {
	if len(a.accounts) == 0 {
		return ruling{verdict: Unknown, reason: "no account is in the export",
			action: "export /users and /reports/authenticationMethods/userRegistrationDetails, and the sign-in logs"}
	}
	return a.accountsRuling(func(*Account) bool { return true }, a.proof("mfa-every-user"), "account", "accounts")
}

func (a *assessor) mfaAdminRoles() ruling {
	admins := len(a.admins())
	known := a.Seen[evidence.RoleAssignment]+a.Seen[evidence.DirectoryRole]+a.Seen[evidence.ScubaPrivilegedRole]+a.Seen[evidence.PrivilegedUser] > 0
	if admins == 0 {
		if known {
			return ruling{verdict: Unknown, reason: "role assignments were read, but none of them leads to an account in scope",
				action: "export /users, and groups with their members"}
		}
		return ruling{verdict: Unknown, reason: "who holds a directory role is not in the export",
			action: "export " + evidence.RequestFor(evidence.RoleAssignment) + ", and " + evidence.RequestFor(evidence.RoleEligibility)}
	}
	ru := a.accountsRuling(func(acc *Account) bool { return acc.Admin }, a.proof("mfa-admin-roles"), "administrator", "administrators")
	return a.besideScore(ru, a.Requirements["mfaenforcedforadmins"])
}
