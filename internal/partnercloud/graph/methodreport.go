package graph

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Counts of who registered what (contracts.md section 3.3).

const methodReports = "reports/authenticationMethods/"

// arguments reads the arguments of a function: name='value',name='value'.
func arguments(text string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			out[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), "'")
		}
	}
	return out
}

// counted are the users that a report is asked for.
func (c *call) counted(t *world.Tenant) (users []*registered, types, roles string, err error) {
	types, roles = "all", "all"
	if len(c.params) > 0 {
		for name, value := range arguments(c.params[0]) {
			switch {
			case name == "includedUserTypes" && slices.Contains(words("all member guest"), value):
				types = value
			case name == "includedUserRoles" && slices.Contains(words("all privilegedAdmin admin user"), value):
				roles = value
			default:
				return nil, "", "", badRequest("The parameter '%s' or its value is not known.", clip(name))
			}
		}
	}
	admins := adminsOf(t, c.now)
	for u := range t.Users.All() {
		if !u.Enabled || types == "member" && u.Guest || types == "guest" && !u.Guest {
			continue
		}
		x := c.registered(t, admins, u)
		if roles == "admin" && !x.admin || roles == "user" && x.admin || roles == "privilegedAdmin" && !(x.admin && privileged(t, u.ID, c.now)) {
			continue
		}
		users = append(users, x)
	}
	return users, types, roles, nil
}

// reportedMethods are the methods that the report counts, in its order.
var reportedMethods = words(`password email mobilePhone alternateMobilePhone officePhone securityQuestion microsoftAuthenticatorPush
	softwareOneTimePasscode hardwareOneTimePasscode microsoftAuthenticatorPasswordless windowsHelloForBusiness fido2SecurityKey temporaryAccessPass
	externalAuthMethod`)

func usersByMethod(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	users, types, roles, err := c.counted(t)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, x := range users {
		if !x.user.Password.None {
			count["password"]++
		}
		for _, m := range x.user.Registered() {
			count[m]++
		}
	}
	rows := []object{}
	for _, m := range reportedMethods {
		rows = append(rows, object{{"authenticationMethod", m}, {"userCount", count[m]}})
	}
	return give(object{
		{"@odata.context", c.root() + "/$metadata#microsoft.graph.userRegistrationMethodSummary"}, {"totalUserCount", len(users)}, {"userTypes", types},
		{"userRoles", roles}, {"userRegistrationMethodCounts", rows},
	})
}

func usersByFeature(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	users, types, roles, err := c.counted(t)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, x := range users {
		for feature, has := range map[string]bool{
			"ssprRegistered": x.second(), "mfaCapable": x.capable,
			"passwordlessCapable": x.user.Method(world.MethodFIDO2) != nil || x.user.Method(world.MethodHello) != nil,
		} {
			if has {
				count[feature]++
			}
		}
	}
	rows := []object{}
	for _, f := range words("ssprRegistered ssprEnabled ssprCapable passwordlessCapable mfaCapable") {
		rows = append(rows, object{{"feature", f}, {"userCount", count[f]}})
	}
	return give(object{
		{"@odata.context", c.root() + "/$metadata#microsoft.graph.userRegistrationFeatureSummary"}, {"totalUserCount", len(users)}, {"userTypes", types},
		{"userRoles", roles}, {"userRegistrationFeatureCounts", rows},
	})
}

// privileged reports a user with a role that Microsoft labels so, held or eligible.
func privileged(t *world.Tenant, id string, now time.Time) bool {
	return slices.ContainsFunc(append(t.RolesOf(id, now), t.EligibleOf(id, now)...), entra.PrivilegedRole)
}
