package delegation

import (
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/print"
)

// OwnName is a customer's own part of the snapshot.
const OwnName = "delegated"

// Own is what a customer's own facts say of who reaches in.
type Own struct {
	Azure     []AzureRight `json:"azure,omitempty"`
	AzureRead Answer       `json:"azureRead"`          // its role assignments of Azure were read, all that could be seen
	Consents  []Consent    `json:"consents,omitempty"` // of apps of other tenants
}

// Bounds of what is kept of one customer.
const (
	maxRights   = 2_000
	maxConsents = 2_000
)

// BuildOwn makes a customer's own part. It is pure.
func BuildOwn(f *facts.Facts) Own {
	o := Own{AzureRead: Unknown}
	if f.Whole(evidence.AzureRoleAssignment) {
		o.AzureRead = Yes
	}
	for _, key := range sorted(f.AzureRoles) {
		a := f.AzureRoles[key]
		p := &a.Properties
		scope := strings.ToLower(p.Scope)
		rest, ok := strings.CutPrefix(scope, "/subscriptions/")
		if !ok || p.Principal == "" || len(o.Azure) == maxRights {
			continue
		}
		subscription, _, _ := strings.Cut(rest, "/")
		role := strings.ToLower(p.Role[strings.LastIndexByte(p.Role, '/')+1:])
		o.Azure = append(o.Azure, AzureRight{Subscription: clean(subscription), Scope: clean(p.Scope), Role: print.First(clean(role), azureRoles[role]),
			Principal: clean(strings.ToLower(p.Principal)), Type: clean(string(p.PrincipalType)), Source: where(a.Source)})
	}
	o.Consents = consentsOf(f)
	return o
}

// consentsOf are what apps of other tenants may do here.
func consentsOf(f *facts.Facts) (out []Consent) {
	d := f.Directory
	delegated, own := map[string][]string{}, map[string][]string{}
	for _, key := range sorted(d.Grants) {
		g := d.Grants[key]
		delegated[strings.ToLower(g.ClientID)] = append(delegated[strings.ToLower(g.ClientID)], strings.Fields(string(g.Scope))...)
	}
	for _, key := range sorted(f.AppRoles) {
		a := f.AppRoles[key]
		role := strings.ToLower(a.AppRoleID)
		own[strings.ToLower(a.PrincipalID)] = append(own[strings.ToLower(a.PrincipalID)], print.First(role, appRoles[role]))
	}
	for _, key := range sorted(d.ServicePrincipals) {
		sp := d.ServicePrincipals[key]
		id := strings.ToLower(sp.ID)
		for i, list := range [][]string{delegated[id], own[id]} {
			if len(list) == 0 || sp.AppOwnerOrganizationID == "" || len(out) == maxConsents {
				continue
			}
			c := Consent{App: clean(strings.ToLower(sp.AppID)), Name: clean(sp.DisplayName), AppOnly: i == 1,
				Owner: clean(strings.ToLower(string(sp.AppOwnerOrganizationID)))}
			for _, p := range list {
				if p = clean(p); !slices.Contains(c.Permissions, p) && len(c.Permissions) < maxConsents {
					c.Permissions = append(c.Permissions, p)
				}
			}
			slices.Sort(c.Permissions)
			out = append(out, c)
		}
	}
	return out
}

// appRoles are the permissions of Microsoft Graph that are looked out for, by the id of the
// app role (Microsoft Graph permissions reference).
var appRoles = map[string]string{
	"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
	"06b708a9-e830-4db3-a914-8e69da51d44f": "AppRoleAssignment.ReadWrite.All",
	"1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
	"19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
	"50483e42-d915-4231-9639-7fdb7fd190e5": "UserAuthenticationMethod.ReadWrite.All",
}

// azureRoles are the built-in roles of Azure that are named (Azure built-in roles).
var azureRoles = map[string]string{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
	"acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}

// Join gives an inventory with what customers' own facts say, by tenant in lower case. It
// changes neither: what it gives shares all else with the inventory. Of Azure's rights those
// count that reach the partner: a group of another tenant, or somebody of the partner's; of
// consents those of its own apps.
func Join(inv *Inventory, own map[string]*Own) *Inventory {
	out := *inv
	out.Customers = slices.Clone(inv.Customers)
	for i := range out.Customers {
		c := &out.Customers[i]
		o := own[c.Tenant]
		if o == nil {
			continue
		}
		for _, a := range o.Azure {
			if strings.EqualFold(a.Type, "ForeignGroup") || inv.Groups[a.Principal] != nil || inv.People[a.Principal] != nil {
				c.Azure = append(slices.Clip(c.Azure), a)
			}
		}
		c.AzureRead = o.AzureRead
		for _, x := range o.Consents {
			if x.Owner == inv.Tenant && inv.Tenant != "" {
				c.Consents = append(slices.Clip(c.Consents), x)
			}
		}
	}
	return &out
}
