package authority

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// appOnly answers grant_type=client_credentials: an app by itself, in one
// tenant, with the application permissions it holds there.
func (a *Authority) appOnly(tr *tokenRequest) (*bundle, *oauth.Fault) {
	var b *bundle
	fault := a.do(func(s *world.State) *oauth.Fault {
		fault := a.begin(s, tr)
		if tr.client == nil || tr.path.any && fault == nil {
			if fault == nil {
				fault = oauth.Refuse(entra.CodeNoTenantNamed)
			}
			return fault
		}
		if tr.path.any {
			return fault
		}
		if fault == nil && !tr.client.proved() {
			fault = oauth.Refuse(entra.CodeCredentialMissing)
		}
		if fault == nil && !tr.v1 {
			fault = defaultOnly(tr.form.Get("scope"))
		}
		t, bad := tr.target(s, nil)
		if fault == nil {
			fault = bad
		}
		sp := tr.path.tenant.SP(tr.client.AppID)
		if sp == nil && tr.path.tenant.ID == tr.client.Owner {
			sp = s.EnsureSP(tr.path.tenant, tr.client.AppID)
		}
		switch {
		case fault != nil:
		case sp == nil:
			fault = oauth.Refuse(entra.CodePrincipalMissing, tr.client.AppID, tr.path.tenant.ID)
		case !sp.Enabled:
			fault = oauth.Refuse(entra.CodeAppDisabled, tr.client.AppID)
		case t.res.Owner == "":
			s.EnsureSP(tr.path.tenant, t.res.AppID)
		case tr.path.tenant.SP(t.res.AppID) == nil && t.res.Owner == tr.path.tenant.ID:
			s.EnsureSP(tr.path.tenant, t.res.AppID)
		case tr.path.tenant.SP(t.res.AppID) == nil:
			fault = oauth.Refuse(entra.CodeResourceNotFound, t.res.Name, tr.path.tenant.Name)
		}
		if fault == nil {
			roles := s.AppPermissions(tr.path.tenant, sp.ID, t.res)
			slices.Sort(roles)
			b = &bundle{access: a.appToken(tr.request, tr.path.tenant, sp, tr.client, t, roles, tr.ask), v1: tr.v1}
		}
		a.logApp(s, tr, sp, t, b, fault)
		return fault
	})
	return b, fault
}

// logApp writes the row of a service principal's sign-in.
func (a *Authority) logApp(s *world.State, tr *tokenRequest, sp *world.ServicePrincipal, t *target, b *bundle, fault *oauth.Fault) {
	row := &world.SignIn{
		CreatedDateTime: world.Stamp{Time: tr.now}, AppID: tr.client.AppID, AppDisplayName: tr.client.Name, IPAddress: ipAddr(tr.request),
		UserAgent: clip(tr.UserAgent(), 512), CorrelationID: tr.correlation, OriginalRequestID: tr.trace, ConditionalAccess: "notApplied",
		TokenIssuerType: "AzureAD",
		Requirement:     "singleFactorAuthentication", Protocol: "none", IncomingTokenType: "none", TransferMethod: "none",
		CredentialType: tr.client.credential, CredentialKeyID: tr.client.keyID, CredentialThumbprint: tr.client.thumbprint, FederatedID: tr.client.federated,
		CrossTenant: "none", HomeTenantID: tr.path.tenant.ID, HomeTenantName: tr.path.tenant.Name, ResourceTenantID: tr.path.tenant.ID,
		AppOwnerTenant: tr.client.Owner,
		RiskDetail:     "none", RiskAggregated: "none", RiskDuring: "none", RiskState: "none", RiskEvents: []string{}, EventTypes: []string{"servicePrincipal"},
		ProcessingTime: 40,
		Place:          tr.place, Applied: []world.AppliedPolicy{}, Steps: []world.Step{}, Processing: []world.KeyValue{}, Requirements: []world.Requirement{},
		Lifetimes: []world.Lifetime{},
	}
	if sp != nil {
		row.ServicePrincipalID, row.ServicePrincipalName = sp.ID, sp.Name
	}
	if t != nil {
		row.ResourceID, row.ResourceDisplayName, row.ResourceOwnerTenant = t.res.AppID, t.res.Name, entra.TenantMicrosoftServices
		if t.res.Owner != "" {
			row.ResourceOwnerTenant = t.res.Owner
		}
		if res := tr.path.tenant.SP(t.res.AppID); res != nil {
			row.ResourceSP = res.ID
		}
	}
	row.Status.FailureReason = "Other."
	if fault != nil {
		row.Status = world.Status{ErrorCode: fault.Code, FailureReason: meaning(fault.Code)}
	} else {
		row.UniqueToken = b.access.UTI
	}
	s.LogSignIn(tr.path.tenant, row)
}

// onBehalf answers the on-behalf-of grant: an API trades the user token it was
// called with for one of the next API.
func (a *Authority) onBehalf(tr *tokenRequest) (*bundle, *oauth.Fault) {
	if tr.form.Get("requested_token_use") != "on_behalf_of" {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "requested_token_use")
	}
	text := tr.form.Get("assertion")
	if text == "" {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "assertion")
	}
	claims, bad := a.keys.Parse(text)
	var b *bundle
	fault := a.do(func(s *world.State) *oauth.Fault {
		if f := a.begin(s, tr); f != nil {
			return f
		}
		switch {
		case !tr.client.proved():
			return oauth.Refuse(entra.CodeCredentialMissing)
		case bad != nil && bad.Code == "Expired":
			return oauth.Refuse(entra.CodeAssertionTime)
		case bad != nil:
			return oauth.Refuse(entra.CodeUserAssertionInvalid)
		}
		res := s.Resource(tr.client.AppID)
		if res == nil || !slices.ContainsFunc(append(slices.Clone(res.URIs), res.AppID, "api://"+res.AppID), func(u string) bool {
			return strings.EqualFold(u, claims.Audience)
		}) || claims.Client() == "" {
			return oauth.Refuse(entra.CodeAssertionAudience)
		}
		if claims.AppOnly() {
			return oauth.Refuse(entra.CodeOnBehalfRefused)
		}
		home := claims.TenantID
		if claims.HomeTenant != "" {
			home = claims.HomeTenant
		}
		p, ok := a.proofs.get(tr.now, claims.UTI)
		if !ok { // after a restart: what the token itself tells
			p = proof{home: home, user: claims.ObjectID, amr: claims.AMR, sid: claims.SID, authTime: tr.now}
			if claims.HasMFA() {
				p.mfaTime = tr.now
			}
		}
		if tr.path.any {
			tr.path = pathTenant{tenant: s.Tenant(claims.TenantID)}
		}
		if h := s.Tenant(p.home); h != nil {
			if u := h.Users.Get(p.user); u != nil {
				if since, dead := revoked(u, unix(claims.IssuedAt), true); dead {
					return oauth.Refuse(entra.CodeRevoked, stamp(unix(claims.IssuedAt)), stamp(since))
				}
			}
		}
		t, f := tr.target(s, nil)
		if f != nil {
			return f
		}
		if _, b, f = a.silently(s, tr, t, &silent{proof: p, kind: signon.Browser, incoming: "none", issued: stamp(unix(claims.IssuedAt)),
			confidential: true}); f != nil {
			return f
		}
		if t.offline {
			b.refresh = a.newRefresh(s, tr.request, refreshOf(&p, tr.client, t, "", web))
		}
		return nil
	})
	return b, fault
}
