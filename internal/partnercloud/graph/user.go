package graph

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

func newUserShape() *shape {
	type u = *world.User
	opt := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	own := []field{
		f("id", func(x u) any { return x.ID }),
		f("accountEnabled", func(x u) any { return x.Enabled }),
		f("assignedLicenses", func(x u) any { return licences(x) }),
		f("createdDateTime", func(x u) any { return x.Created }),
		f("creationType", func(x u) any {
			if x.Guest {
				return "Invitation"
			}
			return nil
		}),
		f("deletedDateTime", func(u) any { return nil }),
		f("department", func(x u) any { return opt(x.Department) }),
		f("displayName", func(x u) any { return x.Name }),
		f("externalUserState", func(x u) any {
			switch {
			case !x.Guest:
				return nil
			case x.More().Invited && x.LastSuccess.IsZero():
				return "PendingAcceptance"
			}
			return "Accepted"
		}),
		f("givenName", func(x u) any { return opt(x.Given) }),
		f("jobTitle", func(x u) any { return opt(x.Title) }),
		f("mail", func(x u) any { return opt(x.Mail) }),
		f("mailNickname", func(x u) any { return nickname(x) }),
		f("onPremisesSyncEnabled", func(x u) any {
			if x.Synced {
				return true
			}
			return nil
		}),
		f("proxyAddresses", func(x u) any {
			if x.Mail == "" {
				return []string{}
			}
			return []string{"SMTP:" + x.Mail}
		}),
		f("signInSessionsValidFromDateTime", func(x u) any { return later(x.SessionsValidFrom, x.Created) }),
		f("refreshTokensValidFromDateTime", func(x u) any { return later(x.SessionsValidFrom, x.Created) }),
		f("surname", func(x u) any { return opt(x.Surname) }),
		f("usageLocation", func(x u) any { return opt(x.Location) }),
		f("userPrincipalName", func(x u) any { return x.UPN }),
		f("userType", func(x u) any {
			if x.Guest {
				return "Guest"
			}
			return "Member"
		}),
		asked(f("lastPasswordChangeDateTime", func(x u) any { return later(x.PasswordChanged, x.Created) })),
		asked(f("signInActivity", func(x u) any { return activity(x) })),
		asked(f("imAddresses", func(x u) any { return []string{x.UPN} })),
		asked(f("identities", func(x u) any {
			_, domain, _ := strings.Cut(x.UPN, "@")
			return []object{{{"signInType", "userPrincipalName"}, {"issuer", domain}, {"issuerAssignedId", x.UPN}}}
		})),
		asked(f("licenseAssignmentStates", func(x u) any { return licenceStates(x) })),
		asked(f("securityIdentifier", func(x u) any { return securityIdentifier(x.ID) })),
	}
	sh := newShape("user", func(r any) string { return r.(u).ID }, append(own, keptFields()...)...)
	sh.standard = words("businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName id")
	return sh
}

func licences(u *world.User) []object {
	out := make([]object, 0, len(u.Licences))
	for _, id := range u.Licences {
		out = append(out, object{{"disabledPlans", disabledPlans(u, id)}, {"skuId", id}})
	}
	return out
}

func disabledPlans(u *world.User, sku string) []string {
	if u.Profile != nil {
		for id, plans := range u.Profile.Disabled {
			if strings.EqualFold(id, sku) {
				return plans
			}
		}
	}
	return []string{}
}

func licenceStates(u *world.User) []object {
	out := make([]object, 0, len(u.Licences))
	for _, id := range u.Licences {
		out = append(out, object{{"skuId", id}, {"assignedByGroup", nil}, {"disabledPlans", disabledPlans(u, id)}, {"error", "None"}, {"state", "Active"},
			{"lastUpdatedDateTime", u.Created}})
	}
	return out
}

// securityIdentifier is the SID that an object id stands for: S-1-12-1- and the four
// parts of the id as numbers.
func securityIdentifier(id string) any {
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(b) != 16 {
		return nil
	}
	// A GUID's first three fields are little-endian numbers in memory.
	b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7] = b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]
	n := binary.LittleEndian.Uint32
	return fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", n(b), n(b[4:]), n(b[8:]), n(b[12:]))
}

func activity(u *world.User) any {
	if u.LastInteractive.IsZero() && u.LastNonInteractive.IsZero() {
		return nil
	}
	return object{
		{"lastSignInDateTime", u.LastInteractive}, {"lastSignInRequestId", nil},
		{"lastNonInteractiveSignInDateTime", u.LastNonInteractive}, {"lastNonInteractiveSignInRequestId", nil},
		{"lastSuccessfulSignInDateTime", u.LastSuccess}, {"lastSuccessfulSignInRequestId", nil},
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// userFields are the members of POST and PATCH /users.
func userFields() fields {
	fs := fields{
		"accountEnabled": flag().need(), "displayName": text().need().upTo(256), "userPrincipalName": text().need().upTo(113), "mailNickname": text().upTo(64),
		"passwordProfile": obj(fields{"password": text().need().upTo(256), "forceChangePasswordNextSignIn": flag(),
			"forceChangePasswordNextSignInWithMfa": flag()}),
		"givenName": text().upTo(64), "surname": text().upTo(64), "jobTitle": text().upTo(128), "department": text().upTo(64), "usageLocation": text().
				upTo(2),
		"mail": text().upTo(256), "userType": enum("Member Guest"),
		"id": readOnly(), "imAddresses": readOnly(), "identities": readOnly(), "licenseAssignmentStates": readOnly(),
		"createdDateTime": readOnly(), "assignedLicenses": readOnly(), "assignedPlans": readOnly(), "signInActivity": readOnly(),
		"onPremisesSyncEnabled": readOnly(), "proxyAddresses": readOnly(), "deletedDateTime": readOnly(), "signInSessionsValidFromDateTime": readOnly(),
		"refreshTokensValidFromDateTime": readOnly(), "lastPasswordChangeDateTime": readOnly(), "creationType": readOnly(),
		"externalUserState": readOnly(), "securityIdentifier": readOnly(),
		"externalUserStateChangeDateTime": readOnly(), "onPremisesDistinguishedName": readOnly(), "onPremisesDomainName": readOnly(),
		"onPremisesLastSyncDateTime": readOnly(), "onPremisesSamAccountName": readOnly(), "onPremisesSecurityIdentifier": readOnly(),
		"onPremisesUserPrincipalName": readOnly(), "onPremisesProvisioningErrors": readOnly(), "provisionedPlans": readOnly(),
		"legalAgeGroupClassification": readOnly(), "isResourceAccount": readOnly(), "isManagementRestricted": readOnly(),
		"serviceProvisioningErrors": readOnly(),
	}
	maps.Copy(fs, kept())
	return fs
}

// findUser resolves the user of the path; "me" is the caller.
func (c *call) findUser(s *world.State, t *world.Tenant) (*world.User, error) {
	if strings.EqualFold(c.params[0], "me") {
		if c.caller.AppOnly() {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "/me request is only valid with delegated authentication flow.")
		}
		u, home := c.user(s, t)
		if u == nil || home != t {
			return nil, notFound(c.caller.ObjectID)
		}
		return u, nil
	}
	if u := t.UserByName(c.params[0]); u != nil {
		return u, nil
	}
	return nil, notFound(c.params[0])
}

// mayReadActivity: signInActivity, when it is asked for, needs the logs' permission
// and licence.
func (c *call) mayReadActivity(t *world.Tenant) error {
	asked := slices.ContainsFunc(c.q.Select, func(n string) bool { return strings.EqualFold(first(n), "signInActivity") })
	if c.q.Filter != nil {
		for _, path := range c.q.Filter.Paths() {
			asked = asked || strings.EqualFold(path[0], "signInActivity")
		}
	}
	if !asked {
		return nil
	}
	if !c.holds(words("AuditLog.Read.All")) {
		return denied()
	}
	return needPremium(c, nil, t)
}

func listUsers(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	c.planFor(t)
	if err := c.mayReadActivity(t); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.q.Select, func(n string) bool { return strings.EqualFold(first(n), "signInActivity") }) {
		c.takes.max = 500
	}
	return c.list(t, "users", c.g.sh.user, rows(&t.Users))
}

func deltaUsers(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.delta(s, t, c.g.sh.user, "users", rows(&t.Users), func(r any) int64 { return r.(*world.User).Changed })
}

func getUser(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	c.planFor(t)
	if err := c.mayReadActivity(t); err != nil {
		return nil, err
	}
	u, err := c.findUser(s, t)
	if err != nil {
		return nil, err
	}
	return c.one(t, "users", c.g.sh.user, u)
}

// userMemberships answers memberOf and transitiveMemberOf.
func userMemberships(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	return c.objects(t, c.memberships(t, u.ID, c.route.last() == "transitiveMemberOf"))
}

// revoke ends all sessions and refresh tokens of a user.
func revoke(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	if err := c.mayTouch(s, t, u); err != nil {
		return nil, err
	}
	old := u.SessionsValidFrom
	n := s.Change()
	t.Users.Change(u.ID, func(u *world.User) {
		u.SessionsValidFrom, u.Revoked, u.Changed = c.now, "revoked", n
	})
	s.EndSessions(t.ID, u.ID, "revoked")
	s.Touch(t)
	ch := change{activity: "Update StsRefreshTokenValidFrom Timestamp", category: "UserManagement", target: userTarget(u)}
	ch.changed("StsRefreshTokensValidFrom", old, c.now)
	c.audit(s, t, ch)
	return give(object{{"@odata.context", c.root() + "/$metadata#Edm.Boolean"}, {"value", true}})
}

func userTarget(u *world.User) world.AuditTarget {
	x := target("User", u.ID, u.Name)
	x.UPN = &u.UPN
	return x
}

// memberships lists the groups and directory roles that an object is in.
func (c *call) memberships(t *world.Tenant, id string, deep bool) []*entity {
	var out []*entity
	groups := t.GroupsOf(id)
	for _, g := range groups {
		row := t.Groups.Get(g)
		if row == nil || !deep && !slices.ContainsFunc(row.Members, func(m string) bool { return strings.EqualFold(m, id) }) {
			continue
		}
		out = append(out, &entity{shape: c.g.sh.group, row: row, beta: c.beta, mark: true})
	}
	for u := range t.Units.All() {
		if hasFold(u.Members, id) {
			out = append(out, &entity{shape: c.g.sh.unit, row: u, beta: c.beta, mark: true})
		}
	}
	holders := []string{id}
	if deep {
		holders = append(holders, groups...)
	}
	seen := map[string]bool{}
	for a := range t.Held.All() {
		if a.In(c.now) && !seen[a.Role] && slices.ContainsFunc(holders, func(h string) bool { return strings.EqualFold(h, a.Principal) }) {
			seen[a.Role] = true
			out = append(out, &entity{shape: c.g.sh.role, row: activeRole(t, a.Role), beta: c.beta, mark: true})
		}
	}
	return out
}
