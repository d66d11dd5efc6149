package capture

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
)

// Feature is a part of the product that needs permissions.
type Feature string

// The features. Customers is always on: without it there is no partner work.
const (
	Customers        Feature = "customers"         // list customers, exchange, consent
	Forecast         Feature = "forecast"          // foretell when a connection dies
	SignIns          Feature = "sign-ins"          // judge the sign-in log
	Accounts         Feature = "accounts"          // accounts, groups, roles, apps
	Policies         Feature = "policies"          // Conditional Access, security defaults
	Methods          Feature = "methods"           // who registered what for MFA
	Eligibility      Feature = "eligibility"       // PIM (P2)
	Risk             Feature = "risk"              // risky users, and why (P2)
	SecureScore      Feature = "secure-score"      // Microsoft's identity secure score
	Licences         Feature = "licences"          //
	Delegation       Feature = "delegation"        // GDAP: read
	DelegationChange Feature = "delegation-change" // GDAP: change
	Alerts           Feature = "alerts"            // partner security alerts: read
	AlertsAnswer     Feature = "alerts-answer"     // answer them
	Azure            Feature = "azure"             // customers' subscriptions
	Collect          Feature = "collect"           // read live tenants into the archive: all that is judged by
	ExternalMFA      Feature = "external-mfa"      // register our MFA provider: app, method, people
	HardwareOATH     Feature = "hardware-oath"     // upload our seeds as hardware OATH tokens
	Mail             Feature = "mail"              // the mail bridge, as the account that signs in
	Remedy           Feature = "remedy"            // change settings by plan: Conditional Access, defaults, methods, stages' groups
	RemedyApps       Feature = "remedy-apps"       // change roles, consents and apps by plan
)

// Features lists all features.
func Features() []Feature {
	return []Feature{Customers, Forecast, SignIns, Accounts, Policies, Methods, Eligibility, Risk, SecureScore, Licences, Delegation, DelegationChange, Alerts,
		AlertsAnswer, Azure, Collect, ExternalMFA, HardwareOATH, Mail, Remedy, RemedyApps}
}

// Ids of the resources that permissions are on (contracts.md section 2.5).
const (
	GraphApp         = entra.AppGraph
	PartnerCenterApp = entra.AppPartnerCenter
	ARMApp           = entra.AppARM
	ExchangeApp      = entra.AppExchange
)

// delegated are the ids of the delegated permissions (contracts.md sections 2.1,
// 2.5 and 3.0; those of Exchange Online as its service principal lists them).
var delegated = map[string]map[string]string{
	PartnerCenterApp: {"user_impersonation": "1cebfa2a-fb4d-419e-b5f9-839b4383e05a"},
	ARMApp:           {"user_impersonation": "41094075-9dad-400e-a0bd-54e686782033"},
	ExchangeApp: {"SMTP.Send": "76faac2a-0f20-42f1-928a-50de5b9dbe52", "IMAP.AccessAsUser.All": "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
		"POP.AccessAsUser.All": "fb698133-92fa-453e-a9ed-688e10f2e5ac"},
	GraphApp: {
		"openid": "37f7f235-527c-4136-accd-4a02d197296e", "profile": "14dad69e-099b-42c9-810b-d002981feec1",
		"offline_access":                                  "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
		"User.Read":                                       "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
		"AuditLog.Read.All":                               "e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20",
		"Directory.Read.All":                              "06da0dbc-49e2-44d2-8312-53f166ab848a",
		"Policy.Read.All":                                 "572fea84-0151-49b2-9301-11cb16974376",
		"UserAuthenticationMethod.Read.All":               "aec28ec7-4d02-4e8c-b864-50163aea77eb",
		"RoleEligibilitySchedule.Read.Directory":          "eb0788c2-6d4e-4658-8c9e-c0fb8053f03d",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup": "8f44f93d-ecef-46ae-a9bf-338508d44d6b",
		"PrivilegedAssignmentSchedule.Read.AzureADGroup":  "02a32cc4-7ab5-4b58-879a-0586e0f7c495",
		"IdentityRiskyUser.Read.All":                      "d04bb851-cb7c-4146-97c7-ca3e71baf56c",
		"IdentityRiskEvent.Read.All":                      "8f6a01e7-0391-4ee5-aa22-a3af122cef27",
		"SecurityEvents.Read.All":                         "64733abd-851e-478a-bffb-e47a14b18235",
		"Organization.Read.All":                           "4908d5b9-3fb2-4b1e-9336-1888b7937185",
		"DelegatedAdminRelationship.Read.All":             "0c0064ea-477b-4130-82a5-4c2cc4ff68aa",
		"DelegatedAdminRelationship.ReadWrite.All":        "885f682f-a990-4bad-a642-36736a74b0c7",
		"PartnerSecurity.Read.All":                        "5567b981-0bf1-4796-9038-0648b46e116d",
		"PartnerSecurity.ReadWrite.All":                   "0cd2c1f6-94a1-4075-ab8c-0b1aff2e1ad5",
		"Application.ReadWrite.All":                       "bdfbf15f-ee85-4955-8675-146e8e5296b5",
		"Policy.ReadWrite.AuthenticationMethod":           "7e823077-d88e-468f-a337-e18f1f0e6c7c",
		"UserAuthMethod-External.ReadWrite.All":           "9d91805d-0f53-43e3-a0f3-303ad4f3056f",
		"UserAuthMethod-HardwareOATH.ReadWrite.All":       "480643f2-a162-43c5-a670-dc1494fc911b",
		"Policy.ReadWrite.ConditionalAccess":              "ad902697-1014-4ef5-81ef-2b4301988e8c",
		"Policy.ReadWrite.SecurityDefaults":               "0b2a744c-2abf-4f1e-ad7e-17a087e2be99",
		"Application.Read.All":                            "c79f8feb-a9db-4090-85f9-90d820caa0eb",
		"Group.ReadWrite.All":                             "4e46008b-f24c-477d-8fff-7bb4ec7aafe0",
		"RoleManagement.ReadWrite.Directory":              "d01b97e9-cbc0-49fe-810a-750afd5527a3",
		"DelegatedPermissionGrant.ReadWrite.All":          "41ce6ca6-6826-4807-84f1-1c82854f7ee5",
		"AppRoleAssignment.ReadWrite.All":                 "84bccea3-f856-4a8a-967b-dbe0a3d53a64",
		"Policy.ReadWrite.Authorization":                  "edd3c878-b384-41fd-95ad-e7407dd775be",
		"Policy.ReadWrite.ConsentRequest":                 "4d135e65-66b8-41a8-9f8b-081452c91774",
	},
}

// needs is the least that each feature asks for (contracts.md sections 3.0, 5.2).
var needs = map[Feature]map[string][]string{
	Customers:        {PartnerCenterApp: {"user_impersonation"}, GraphApp: {"openid", "profile", "offline_access", "User.Read"}},
	Forecast:         {GraphApp: {"Policy.Read.All", "Directory.Read.All"}},
	SignIns:          {GraphApp: {"AuditLog.Read.All", "Directory.Read.All"}},
	Accounts:         {GraphApp: {"Directory.Read.All"}},
	Policies:         {GraphApp: {"Policy.Read.All"}},
	Methods:          {GraphApp: {"UserAuthenticationMethod.Read.All", "AuditLog.Read.All"}},
	Eligibility:      {GraphApp: {"RoleEligibilitySchedule.Read.Directory"}},
	Risk:             {GraphApp: {"IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All"}},
	SecureScore:      {GraphApp: {"SecurityEvents.Read.All"}},
	Licences:         {GraphApp: {"Organization.Read.All"}},
	Delegation:       {GraphApp: {"DelegatedAdminRelationship.Read.All"}},
	DelegationChange: {GraphApp: {"DelegatedAdminRelationship.ReadWrite.All"}},
	Alerts:           {GraphApp: {"PartnerSecurity.Read.All"}},
	AlertsAnswer:     {GraphApp: {"PartnerSecurity.ReadWrite.All"}},
	Azure:            {ARMApp: {"user_impersonation"}},
	Mail:             {ExchangeApp: {"SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All"}},
	ExternalMFA: {GraphApp: {"Application.ReadWrite.All", "Policy.ReadWrite.AuthenticationMethod",
		"UserAuthMethod-External.ReadWrite.All"}},
	HardwareOATH: {GraphApp: {"Policy.ReadWrite.AuthenticationMethod", "UserAuthMethod-HardwareOATH.ReadWrite.All"}},
	Remedy: {GraphApp: {"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All", "Policy.ReadWrite.SecurityDefaults",
		"Policy.ReadWrite.AuthenticationMethod", "Group.ReadWrite.All", "AuditLog.Read.All"}},
	RemedyApps: {GraphApp: {"Directory.Read.All", "Application.ReadWrite.All", "RoleManagement.ReadWrite.Directory",
		"DelegatedPermissionGrant.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Policy.ReadWrite.Authorization", "Policy.ReadWrite.ConsentRequest"}},
	Collect: {ARMApp: {"user_impersonation"}, GraphApp: {"Policy.Read.All", "Directory.Read.All", "AuditLog.Read.All", "RoleEligibilitySchedule.Read.Directory",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.Read.AzureADGroup",
		"DelegatedAdminRelationship.Read.All", "PartnerSecurity.Read.All"}},
}

// Manifest is the least set of delegated permissions for some features. No
// application permission is ever in it.
type Manifest struct {
	Resources []Resource `json:"resources"` // Partner Center, Graph, Azure, Exchange Online
}

// Resource is what is needed of one resource.
type Resource struct {
	AppID  string       `json:"appId"`
	Name   string       `json:"name"`
	Scopes []Permission `json:"scopes"` // by value
}

// Permission is one delegated permission.
type Permission struct {
	ID    string    `json:"id"`
	Value string    `json:"value"`
	For   []Feature `json:"for"`
}

// Permissions is the least set for the features. A permission that another one
// of the set includes is left out.
func Permissions(features []Feature) Manifest {
	on := append([]Feature{Customers}, features...)
	var m Manifest
	for _, r := range []struct{ id, name string }{{PartnerCenterApp, "Microsoft Partner Center"}, {GraphApp, "Microsoft Graph"},
		{ARMApp, "Azure Service Management"}, {ExchangeApp, "Office 365 Exchange Online"}} {
		by := map[string][]Feature{}
		for _, f := range on {
			for _, v := range needs[f][r.id] {
				if !slices.Contains(by[v], f) {
					by[v] = append(by[v], f)
				}
			}
		}
		out := Resource{AppID: r.id, Name: r.name}
		for _, v := range slices.Sorted(maps.Keys(by)) {
			wider := ""
			for w := range by {
				if w != v && includes(w, v) {
					wider = w
				}
			}
			if wider == "" {
				out.Scopes = append(out.Scopes, Permission{delegated[r.id][v], v, by[v]})
			}
		}
		if len(out.Scopes) > 0 {
			m.Resources = append(m.Resources, out)
		}
	}
	return m
}

// Needed are the permissions by resource, as a cloud names them.
func (m Manifest) Needed(c msapi.Cloud) map[string][]string {
	out := map[string][]string{}
	for _, r := range m.Resources {
		for _, p := range r.Scopes {
			out[uriOf(c, r.AppID)] = append(out[uriOf(c, r.AppID)], p.Value)
		}
	}
	return out
}

func uriOf(c msapi.Cloud, app string) string {
	switch app {
	case PartnerCenterApp:
		return c.PartnerCenterResource
	case ARMApp:
		return c.ARMResource
	case ExchangeApp:
		return entra.OutlookResource
	}
	return c.GraphResource
}

// JSON is the manifest as an app registration takes it: requiredResourceAccess,
// ready to paste, with the audience and redirect URI the app must have.
func (m Manifest) JSON(redirects ...string) ([]byte, error) {
	type access struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	}
	type resource struct {
		AppID  string   `json:"resourceAppId"`
		Access []access `json:"resourceAccess"`
	}
	type web struct {
		URIs []string `json:"redirectUris"`
	}
	doc := struct {
		Audience string     `json:"signInAudience"`
		Web      *web       `json:"web,omitempty"`
		Required []resource `json:"requiredResourceAccess"`
	}{Audience: "AzureADMultipleOrgs", Required: []resource{}}
	if len(redirects) > 0 {
		doc.Web = &web{redirects}
	}
	for _, r := range m.Resources {
		out := resource{AppID: r.AppID}
		for _, p := range r.Scopes {
			out.Access = append(out.Access, access{p.ID, "Scope"})
		}
		doc.Required = append(doc.Required, out)
	}
	return json.MarshalIndent(doc, "", "  ")
}

// AdminConsentURL is the link by which an administrator of a tenant consents to
// everything the app's registration lists. redirect is one of the app's, and
// may be empty.
func AdminConsentURL(c msapi.Cloud, tenant, clientID, redirect string) string {
	q := url.Values{"client_id": {clientID}}
	if redirect != "" {
		q.Set("redirect_uri", redirect)
	}
	return c.Authority + "/" + url.PathEscape(cmp.Or(tenant, "organizations")) + "/adminconsent?" + q.Encode()
}

// Difference is what separates the permissions that were granted from those
// that are needed, by resource.
type Difference struct {
	Missing map[string][]string `json:"missing,omitempty"`
	More    map[string][]string `json:"more,omitempty"` // granted and not needed
}

// IsZero says that exactly what is needed was granted.
func (d Difference) IsZero() bool { return len(d.Missing) == 0 && len(d.More) == 0 }

// harmless permissions are no excess: they open nothing but the sign-in.
var harmless = map[string]bool{"openid": true, "profile": true, "email": true, "offline_access": true, "User.Read": true}

// Diff compares. A wider permission counts for a narrower one that it includes,
// and as more than needed. The permissions of OpenID Connect are not in tokens
// and are not missed.
func Diff(granted, needed map[string][]string) Difference {
	var d Difference
	add := func(m *map[string][]string, resource, v string) {
		if *m == nil {
			*m = map[string][]string{}
		}
		if !slices.Contains((*m)[resource], v) {
			(*m)[resource] = append((*m)[resource], v)
		}
	}
	for resource, list := range needed {
		for _, n := range list {
			if n != "User.Read" && harmless[n] {
				continue
			}
			if !slices.ContainsFunc(granted[resource], func(g string) bool { return strings.EqualFold(g, n) || includes(g, n) }) {
				add(&d.Missing, resource, n)
			}
		}
	}
	for resource, list := range granted {
		for _, g := range list {
			// What a needed one includes opens nothing more.
			if harmless[g] || slices.ContainsFunc(needed[resource], func(n string) bool { return includes(n, g) }) {
				continue
			}
			add(&d.More, resource, g)
		}
	}
	for _, m := range []map[string][]string{d.Missing, d.More} {
		for _, list := range m {
			slices.Sort(list)
		}
	}
	return d
}

// readByDirectory are what Directory.Read.All includes.
var readByDirectory = []string{
	"User.Read", "User.ReadBasic.All", "User.Read.All", "Group.Read.All", "GroupMember.Read.All", "Application.Read.All", "RoleManagement.Read.Directory",
	"Organization.Read.All", "LicenseAssignment.Read.All", "Device.Read.All",
}

// readByPolicy are what Policy.Read.All includes (contracts.md section 3.0).
var readByPolicy = []string{"Policy.Read.AuthenticationMethod", "Policy.Read.ConditionalAccess"}

// includes says whether permission w gives everything that n does.
func includes(w, n string) bool {
	if strings.EqualFold(w, n) {
		return true
	}
	if strings.Replace(w, ".ReadWrite.", ".Read.", 1) == n && w != n {
		return true
	}
	if w == "Group.ReadWrite.All" && n == "GroupMember.ReadWrite.All" {
		return true
	}
	if w == "Policy.Read.All" && slices.Contains(readByPolicy, n) {
		return true
	}
	if w == "Directory.ReadWrite.All" {
		w = "Directory.Read.All"
	}
	return w == "Directory.Read.All" && slices.Contains(readByDirectory, n)
}

// flat lists permissions of several resources, each with its resource's short
// name, in order.
func flat(m map[string][]string) []string {
	var out []string
	for _, r := range slices.Sorted(maps.Keys(m)) {
		short := r
		if u, err := url.Parse(r); err == nil && u.Host != "" {
			short = u.Host
		}
		for _, v := range m[r] {
			out = append(out, short+"/"+v)
		}
	}
	return out
}
