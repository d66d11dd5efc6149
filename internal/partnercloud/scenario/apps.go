package scenario

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// appIDOf is an app's client id.
func (b *builder) appIDOf(a *App) string {
	return strings.ToLower(cmp.Or(a.ID, b.state.GUID("app/"+strings.ToLower(a.Name))))
}

func (b *builder) spID(t *world.Tenant, appID string) string {
	return b.state.GUID("sp/" + t.ID + "/" + strings.ToLower(appID))
}

// apps registers apps in their own tenant.
func (b *builder) apps(t *world.Tenant, apps []App) {
	for i := range apps {
		a := &apps[i]
		id := b.appIDOf(a)
		created := a.Created.or(b.created, t.Created.AddDate(0, 6, 0))
		app := &world.Application{
			ID: b.state.GUID("object/" + id), AppID: id, Name: a.Name, Created: created.Truncate(time.Second), Web: a.Web, SPA: a.SPA, Public: a.Public,
			Fallback:    a.Fallback,
			Identifiers: a.Identifiers, TokenV2: a.TokenV2, Panel: a.Panel, About: a.About,
			Audience: map[string]string{"": "AzureADMyOrg", "one": "AzureADMyOrg", "many": "AzureADMultipleOrgs",
				"personal": "AzureADandPersonalMicrosoftAccount"}[a.Audience],
		}
		if a.IDTokens {
			app.More = map[string]any{"web": map[string]any{"implicitGrantSettings": map[string]any{"enableIdTokenIssuance": true}}}
		}
		for _, p := range a.Publishes {
			app.Scopes = append(app.Scopes, world.Scope{ID: b.state.GUID("scope/" + id + "/" + p), Value: p, Name: p})
		}
		for _, r := range a.Requires {
			res := resource(r.Resource)
			need := world.RequiredAccess{Resource: res.AppID}
			for _, v := range r.Scopes {
				s, _ := res.ScopeByValue(v)
				need.Scopes = append(need.Scopes, s.ID)
			}
			for _, v := range r.Roles {
				need.Roles = append(need.Roles, roleOf(res, v))
			}
			app.Required = append(app.Required, need)
		}
		for _, s := range a.Secrets {
			from := s.From.or(b.created, b.created.AddDate(0, -3, 0)).Truncate(time.Second)
			app.Passwords = append(app.Passwords, world.PasswordCredential{
				KeyID: b.state.GUID("key/" + id + "/" + s.Name), Name: s.Name, Hint: b.state.SeededSecret(id)[:3], Start: from,
				End: s.Until.or(b.created, from.AddDate(2, 0, 0)).Truncate(time.Second),
			})
		}
		for _, text := range a.Certificate {
			if crt, err := certificate(text); err == nil {
				app.Keys = append(app.Keys, world.KeyCredential{
					KeyID: b.state.GUID("key/" + id + "/" + thumb(crt.Raw)), Name: crt.Subject.String(), Type: "AsymmetricX509Cert", Usage: "Verify",
					Start: crt.NotBefore.UTC(), End: crt.NotAfter.UTC(), DER: crt.Raw,
				})
			}
		}
		for _, f := range a.Federated {
			audiences := f.Audiences
			if len(audiences) == 0 {
				audiences = []string{"api://AzureADTokenExchange"}
			}
			app.Federated = append(app.Federated, world.FederatedCredential{ID: b.state.GUID("federated/" + id + "/" + f.Name), Name: f.Name,
				Issuer: f.Issuer, Subject: f.Subject, Audiences: audiences, Description: f.About})
		}
		t.Apps.Put(app)
		b.consent(t, a, t.ID)
	}
}

// principal finds or makes an app's service principal in a tenant.
func (b *builder) principal(t *world.Tenant, appID, name, owner string) *world.ServicePrincipal {
	id := b.spID(t, appID)
	if p := t.SPs.Get(id); p != nil {
		return p
	}
	p := &world.ServicePrincipal{ID: id, AppID: strings.ToLower(appID), Name: name, Owner: owner, Type: "Application", Enabled: true,
		Created: t.Created.AddDate(0, 0, 1)}
	if owner != entra.TenantMicrosoftServices {
		p.Tags = []string{"WindowsAzureActiveDirectoryIntegratedApp"}
	}
	t.SPs.Put(p)
	return p
}

// consent makes an app's service principal with the grants that were agreed to.
func (b *builder) consent(t *world.Tenant, a *App, owner string) {
	id := b.appIDOf(a)
	sp := b.principal(t, id, a.Name, owner)
	for _, r := range a.Roles {
		b.assign(t, &t.Held, sp.ID, r, "held", t.Created)
	}
	who := ""
	switch strings.ToLower(a.Consent) {
	case "", "none":
		return
	case "admin":
	default:
		if t.Kind != world.CustomerTenant {
			who = b.person(t, a.Consent)
		}
	}
	for _, r := range a.Requires {
		res := resource(r.Resource)
		to := b.principal(t, res.AppID, res.Name, entra.TenantMicrosoftServices)
		if len(r.Scopes) > 0 {
			scopes := slices.Clone(r.Scopes)
			for k, v := range scopes {
				s, _ := res.ScopeByValue(v)
				scopes[k] = s.Value
			}
			t.Grants.Put(&world.Grant{ID: b.state.GUID("grant/" + sp.ID + "/" + to.ID + "/" + who), Client: sp.ID, Resource: to.ID, Principal: who,
				Scopes: scopes})
		}
		// Consent in a customer's tenant by the partner covers delegated scopes only.
		if t.Kind == world.CustomerTenant {
			continue
		}
		for _, v := range r.Roles {
			t.AppRoles.Put(&world.AppRoleAssignment{
				ID: b.state.GUID("approle/" + sp.ID + "/" + to.ID + "/" + v), Principal: sp.ID, PrincipalType: "ServicePrincipal", Resource: to.ID,
				Role: roleOf(res, v), Created: t.Created.AddDate(0, 6, 0),
			})
		}
	}
}
