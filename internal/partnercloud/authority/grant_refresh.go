package authority

import (
	"slices"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// refresh answers grant_type=refresh_token (contracts.md section 4.3): the token
// is bound to user and client, not to tenant or resource; each use makes a new
// one and leaves the old one alive.
func (a *Authority) refresh(tr *tokenRequest) (*bundle, *oauth.Fault) {
	var b *bundle
	fault := a.do(func(s *world.State) *oauth.Fault {
		if f := a.begin(s, tr); f != nil {
			return f
		}
		value := tr.form.Get("refresh_token")
		if value == "" {
			return oauth.Refuse(entra.CodeParameterMissing, "refresh_token")
		}
		rt := s.Refresh.Get(world.HashSecret(value))
		if rt == nil {
			return garbled()
		}
		if f := a.refreshAlive(s, tr, rt); f != nil {
			return f
		}
		t, f := tr.target(s, rt.Scopes)
		if f != nil {
			return f
		}
		g := &silent{
			proof: proof{home: rt.Tenant, user: rt.User, authTime: rt.AuthTime, mfaTime: rt.MFATime, amr: rt.AMR, combos: rt.Combos, sid: rt.SID},
			kind:  signon.Native, incoming: "refreshToken", issued: stamp(rt.Issued), confidential: rt.Confidential,
		}
		if rt.Confidential || rt.SPA {
			g.kind = signon.Browser
		}
		if rt.DeviceCode {
			g.transfer, g.protocol = "deviceCodeFlow", "deviceCode"
		}
		g.proof.external = slices.Contains(rt.Combos, externalMark)
		if _, b, f = a.silently(s, tr, t, g); f != nil {
			return f
		}
		next := *rt
		next.Hash = ""
		if !rt.SPA { // a page's token keeps the end of the first
			next.Issued = tr.now
		}
		b.refresh = a.newRefresh(s, tr.request, next)
		s.Refresh.Change(rt.Hash, func(r *world.RefreshToken) { r.LastUsed = tr.now })
		return nil
	})
	return b, fault
}

// externalMark stands among a proof's combinations for MFA by an external
// provider, which is none of any strength.
const externalMark = "external"

// refreshAlive checks everything that ends a refresh token by itself.
func (a *Authority) refreshAlive(s *world.State, tr *tokenRequest, rt *world.RefreshToken) *oauth.Fault {
	if rt.App != tr.client.AppID {
		f := oauth.Refuse(entra.CodeGrantOfAnother)
		f.Sub = "client_mismatch"
		return f
	}
	if rt.Confidential && !tr.client.proved() {
		return oauth.Refuse(entra.CodeCredentialMissing)
	}
	if rt.SPA && tr.Header.Get("Origin") == "" {
		return oauth.Refuse(entra.CodeOnlySPA)
	}
	if rt.Revoked != "" {
		return oauth.Refuse(entra.CodeRevoked, stamp(rt.Issued), stamp(tr.now))
	}
	if tr.now.Sub(rt.LastUsed) >= idleLimit {
		return oauth.Refuse(entra.CodeRefreshInactive, stamp(rt.Issued))
	}
	if rt.SPA && tr.now.Sub(rt.Issued) >= spaLimit {
		return oauth.Refuse(entra.CodeRefreshOfSPA, stamp(rt.Issued))
	}
	home := s.Tenant(rt.Tenant)
	if home == nil {
		return oauth.Refuse(entra.CodeGrantInvalid)
	}
	u := home.Users.Get(rt.User)
	if u == nil {
		return oauth.Refuse(entra.CodeUserUnknown, home.Name)
	}
	if !u.Enabled {
		return nil // silently says so, with a row
	}
	if since, dead := revoked(u, rt.Issued, rt.Confidential); dead {
		f := oauth.Refuse(entra.CodeRevoked, stamp(rt.Issued), stamp(since))
		return f
	}
	return nil
}

// endFamily ends every refresh token of one sign-in.
func endFamily(s *world.State, family, why string) {
	if family == "" {
		return
	}
	for _, r := range s.Refresh.List() {
		if r.Family == family && r.Revoked == "" {
			s.Refresh.Change(r.Hash, func(r *world.RefreshToken) { r.Revoked = why })
		}
	}
	s.Dirty()
}
