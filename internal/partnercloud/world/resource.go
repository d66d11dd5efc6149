package world

import (
	"strings"
	"sync"
)

// FirstPartyTenant owns the built-in apps (K: the owner tenant of Microsoft's).
const FirstPartyTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

// App ids of resources (contracts.md sections 2.1, 2.5).
const (
	GraphAppID         = "00000003-0000-0000-c000-000000000000"
	ARMAppID           = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
	PartnerCenterAppID = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	ExchangeAppID      = "00000002-0000-0ff1-ce00-000000000000"
	SharePointAppID    = "00000003-0000-0ff1-ce00-000000000000"
	ManagementAppID    = "c5393580-f805-4401-95e8-94b7a6ef2fc2"
	AADGraphAppID      = "00000002-0000-0000-c000-000000000000"
	PartnerAPIAppID    = "4990cffe-04e8-4e8b-808a-1175604b879f"
	PortalAppID        = "4990cffe-04e8-4e8b-808a-1175604b879f"
	KeyVaultAppID      = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
)

// Resource is an API that tokens can be asked for.
type Resource struct {
	AppID  string
	Name   string
	URIs   []string // audiences, the first is the one put into tokens
	V2     bool     // issues v2 access tokens
	Scopes []Scope  // delegated permissions
	Roles  []Scope  // application permissions
	// Managed marks APIs that nobody consents to: what the token says is
	// user_impersonation, and the caller's own rights decide.
	Retired bool
	Owner   string // tenant id of a registered API; FirstPartyTenant otherwise
}

var resources = sync.OnceValue(func() []*Resource {
	impersonation := func(id string) []Scope { return []Scope{{ID: id, Value: "user_impersonation"}} }
	return []*Resource{
		{AppID: GraphAppID, Name: "Microsoft Graph", URIs: []string{"https://graph.microsoft.com", "https://graph.microsoft.com/", "https://graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"}, Scopes: graphScopes(), Roles: graphRoles()},
		{AppID: ARMAppID, Name: "Windows Azure Service Management API", URIs: []string{"https://management.azure.com", "https://management.azure.com/", "https://management.core.windows.net/", "https://management.core.windows.net", "https://management.usgovcloudapi.net", "https://management.chinacloudapi.cn"}, Scopes: impersonation("41094075-9dad-400e-a0bd-54e686782033")},
		{AppID: PartnerCenterAppID, Name: "Microsoft Partner Center", URIs: []string{"https://api.partnercenter.microsoft.com", "https://api.partnercenter.microsoft.com/", "https://partner.partnercenterapi.microsoftonline.cn"}, Scopes: impersonation("1cebfa2a-fb4d-419e-b5f9-839b4383e05a")},
		{AppID: ExchangeAppID, Name: "Office 365 Exchange Online", URIs: []string{"https://outlook.office365.com", "https://outlook.office365.com/", "https://outlook.office.com"}, Scopes: []Scope{{ID: "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c", Value: "Exchange.Manage", Admin: true}}},
		{AppID: ManagementAppID, Name: "Office 365 Management APIs", URIs: []string{"https://manage.office.com", "https://manage.office.com/"}, Scopes: []Scope{{ID: "594c1fb6-4f81-4475-ae41-0c394909246c", Value: "ActivityFeed.Read", Admin: true}}},
		{AppID: SharePointAppID, Name: "Office 365 SharePoint Online", URIs: []string{"https://microsoft.sharepoint-df.com"}},
		{AppID: PartnerAPIAppID, Name: "Microsoft Partner", URIs: []string{"https://api.partner.microsoft.com", "https://api.partner.microsoft.com/"}, Scopes: impersonation("eabf9ef3-1f9e-f3da-19a1-bcd60d080567")},
		{AppID: KeyVaultAppID, Name: "Azure Key Vault", URIs: []string{"https://vault.azure.net", "https://vault.azure.net/"}, Scopes: impersonation("f53da476-18e3-4152-8e01-aec403e6edc0")},
		{AppID: AADGraphAppID, Name: "Windows Azure Active Directory", URIs: []string{"https://graph.windows.net", "https://graph.windows.net/"}, Retired: true, Scopes: impersonation("a42657d6-7f20-40e3-b6f0-cee03008a62a")},
	}
})

// FindResource finds a built-in resource by app id or any of its URIs, or nil.
// The result must not be changed.
func FindResource(idOrURI string) *Resource {
	for _, r := range resources() {
		if strings.EqualFold(r.AppID, idOrURI) {
			return r
		}
		for _, u := range r.URIs {
			if strings.EqualFold(strings.TrimSuffix(u, "/"), strings.TrimSuffix(idOrURI, "/")) {
				return r
			}
		}
	}
	return nil
}

// Resources lists the built-in resources.
func Resources() []*Resource { return resources() }

// Resource finds a built-in resource, or the API of a registered app by app id
// or identifier URI.
func (s *State) Resource(idOrURI string) *Resource {
	if r := FindResource(idOrURI); r != nil {
		return r
	}
	id := strings.TrimPrefix(idOrURI, "api://")
	t, a := s.App(id)
	if a == nil {
		for owner := range s.ownersOfApps() {
			for c := range owner.Apps.All() {
				for _, u := range c.Identifiers {
					if strings.EqualFold(u, idOrURI) {
						t, a = owner, c
					}
				}
			}
		}
	}
	if a == nil {
		return nil
	}
	uris := append([]string{}, a.Identifiers...)
	if len(uris) == 0 {
		uris = append(uris, "api://"+a.AppID)
	}
	return &Resource{AppID: strings.ToLower(a.AppID), Name: a.Name, URIs: append(uris, a.AppID), V2: a.TokenV2, Scopes: a.Scopes, Roles: a.Roles, Owner: t.ID}
}

// FirstPartyClients are Microsoft's own public clients that tools sign in with,
// by app id. They need no consent and no secret.
var FirstPartyClients = map[string]string{
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
	"a0c73c16-a7e3-4564-9a95-2bdf47383716": "Microsoft Exchange Online Remote PowerShell",
	"fb78d390-0c51-40cd-8e17-fdbfab77341b": "Microsoft Exchange REST API Based Powershell",
	"1b730954-1685-4b74-9bfd-dac224a7b894": "Azure Active Directory PowerShell",
	"d3590ed6-52b3-4102-aeff-aad2292ab01c": "Microsoft Office",
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
	PortalAppID:                            "Microsoft Partner Center",
	"00000002-0000-0ff1-ce00-000000000000": "Office 365 Exchange Online",
	"00000006-0000-0ff1-ce00-000000000000": "Microsoft Office 365 Portal",
	"4765445b-32c6-49b0-83e6-1d93765276ca": "OfficeHome",
	"1fec8e78-bce4-4aaf-ab1b-5451cc387264": "Microsoft Teams",
	"618dd325-23f6-4b6f-8380-4df78026e39b": "Microsoft 365 admin center",
	"cb1056e2-e479-49de-ae31-7812af012ed8": "Microsoft Azure Active Directory Connect",
}

// ScopeByValue finds a delegated permission by its value, without case.
func (r *Resource) ScopeByValue(v string) (Scope, bool) {
	for _, s := range r.Scopes {
		if strings.EqualFold(s.Value, v) {
			return s, true
		}
	}
	return Scope{}, false
}
