package authority

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// What registrations ask for in tokens: an API in its access tokens, a client in its
// ID tokens.

// optionalClaims adds the claims that a registration asks for by name. Names that
// the cloud has no facts for add nothing, as where a user lacks the property.
func optionalClaims(k *bearer.Claims, sub subject, app *world.Application, kind string, p *proof, q *request,
	ask *oauth.ClaimsRequest) {
	u := sub.user
	for _, name := range app.Optional(kind) {
		switch name {
		case "acrs":
			for _, c := range ask.Contexts() { // it is answered only where a policy let it through
				if !slices.Contains(k.ACRs, c) {
					k.ACRs = append(k.ACRs, c)
				}
			}
		case "acct":
			n := 0
			if u.Guest {
				n = 1
			}
			k.Account = &n
		case "amr":
			k.AMR = p.amr
		case "auth_time":
			k.AuthTime = p.authTime.Unix()
		case "ctry":
			k.Country = u.Location
		case "email":
			k.Email = u.Mail
		case "family_name":
			k.Family = u.Surname
		case "given_name":
			k.Given = u.Given
		case "ipaddr":
			k.IPAddr = ipAddr(q)
		case "login_hint":
			k.LoginHint = u.UPN
		case "preferred_username":
			k.Preferred = u.UPN
		case "sid":
			k.SID = p.sid
		case "tenant_region_scope":
			k.Region = regionOf(sub.tenant)
		case "upn":
			k.UPN = u.UPN
		case "xms_cc":
			k.CC = capabilities(ask)
		case "verified_primary_email":
			if u.Mail != "" && slices.ContainsFunc(sub.home.Domains, func(d string) bool {
				return strings.HasSuffix(strings.ToLower(u.Mail), "@"+strings.ToLower(d))
			}) {
				k.Verify = []string{u.Mail}
			}
		}
	}
}

// capabilities are what a client says that it understands.
func capabilities(ask *oauth.ClaimsRequest) []string {
	if ask.CAE() {
		return []string{"cp1"}
	}
	return nil
}

// maxGroups is how many groups a JWT names; past it the token says where to ask.
const maxGroups = 200

// groupClaims adds the groups that a registration asks for by groupMembershipClaims.
func groupClaims(k *bearer.Claims, sub subject, app *world.Application) {
	words := app.GroupClaims()
	has := func(w string) bool {
		return slices.ContainsFunc(words, func(v string) bool { return strings.EqualFold(v, w) })
	}
	if sub.aobo || !has("All") && !has("SecurityGroup") && !has("ApplicationGroup") {
		return
	}
	groups := sub.tenant.GroupsOf(sub.user.ID)
	if !has("All") && !has("SecurityGroup") {
		groups = slices.DeleteFunc(slices.Clone(groups), func(id string) bool { return !assignedGroup(sub.tenant, app, id) })
	}
	if len(groups) > maxGroups {
		k.Where = map[string]string{"groups": "src1"}
		k.Places = map[string]bearer.Place{"src1": {
			Endpoint: entra.Graph + "/v1.0/users/" + sub.user.ID + "/getMemberObjects",
		}}
		return
	}
	k.Groups = groups
}

// assignedGroup reports a group that is assigned to the app itself.
func assignedGroup(t *world.Tenant, app *world.Application, group string) bool {
	sp := t.SP(app.AppID)
	if sp == nil {
		return false
	}
	for r := range t.AppRoles.All() {
		if strings.EqualFold(r.Resource, sp.ID) && strings.EqualFold(r.Principal, group) {
			return true
		}
	}
	return false
}
