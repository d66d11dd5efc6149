package authority

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// bundle is what one successful token request will answer, before signing: it
// is put together under the world's lock and signed after it.
type bundle struct {
	access  *bearer.Claims
	id      *bearer.Claims // nil: none asked for
	refresh string
	scope   string
	v1      bool
	info    string // client_info
}

// lifetime is how long an access token lives: 60 to 90 minutes by chance, a day
// and more for a client of Graph that can be told of a revocation.
func lifetime(cae bool) time.Duration {
	var b [4]byte
	_, _ = rand.Read(b[:])
	n := time.Duration(binary.BigEndian.Uint32(b[:]))
	if cae {
		return 24*time.Hour + n%(4*3600)*time.Second
	}
	return time.Hour + n%1800*time.Second
}

func token22() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// accessToken makes the claims of a user's access token (contracts.md section
// 4.4): v1 unless the API asks for v2.
func (a *Authority) accessToken(q *request, s *world.State, sub subject, c *client, t *target, p *proof, scopes []string, ask *oauth.ClaimsRequest,
	contexts []string) *bearer.Claims {
	cae := ask.CAE() && t.res.AppID == entra.AppGraph
	now := q.now.Unix()
	k := &bearer.Claims{
		IssuedAt: now, Issued: q.now.UnixNano(), NotBefore: now, Expires: q.now.Add(lifetime(cae)).Unix(), TenantID: sub.tenant.ID, ObjectID: sub.user.ID,
		Subject: bearer.Pairwise(sub.home.ID, sub.self.ID, t.res.AppID), Scope: t.claim(scopes), Name: sub.user.Name, SID: p.sid, UTI: token22(),
		IPAddr: ipAddr(q), ACRs: contexts, Region: regionOf(sub.tenant), IDType: "user",
	}
	if k.Scope == "" {
		k.Scope = "openid"
	}
	groupClaims(k, sub, t.res.App)
	defer optionalClaims(k, sub, t.res.App, "accessToken", p, q, ask)
	if t.res.App == nil { // Microsoft's own; other APIs see it where their registration asks for it
		k.CC = capabilities(ask)
	}
	if sub.aobo {
		k.HomeTenant, k.IDP, k.Delegation, k.Wids = sub.home.ID, bearer.IssuerV1(sub.home.ID), "dap", slices.Clone(sub.rights.Roles)
		if sub.rights.GDAP {
			k.Delegation = "gdap"
		}
	} else {
		k.Wids = sub.tenant.RolesOf(sub.user.ID, q.now)
		if sub.home.ID != sub.tenant.ID {
			k.IDP = bearer.IssuerV1(sub.home.ID)
		}
	}
	if t.res.AppID == entra.AppGraph {
		k.ForClient = &bearer.ForClient{Subject: bearer.Pairwise(sub.home.ID, sub.self.ID, c.AppID)}
	}
	if t.res.V2 {
		k.Version, k.Issuer, k.Audience = "2.0", q.issuerV2(sub.tenant.ID), t.res.AppID
		k.AZP, k.AZPACR, k.Preferred = c.AppID, c.acr, sub.user.UPN
		if _, ok := ask.AccessToken["amr"]; ok {
			k.AMR = p.amr
		}
		return k
	}
	k.Version, k.Issuer, k.Audience = "1.0", bearer.IssuerV1(sub.tenant.ID), t.aud
	k.AppID, k.AppIDACR, k.AppName = c.AppID, c.acr, c.Name
	k.ACR, k.AMR = "1", p.amr
	k.UniqueName, k.UPN, k.Given, k.Family = sub.user.UPN, sub.user.UPN, sub.user.Given, sub.user.Surname
	return k
}

func ipAddr(q *request) string {
	if q.ip.IsValid() {
		return q.ip.String()
	}
	return ""
}

// idToken makes the claims of an ID token for the client.
func (a *Authority) idToken(q *request, sub subject, c *client, t *target, p *proof, ask *oauth.ClaimsRequest, nonce string, authTime bool) *bearer.Claims {
	now := q.now.Unix()
	k := &bearer.Claims{
		Audience: c.AppID, IssuedAt: now, NotBefore: now, Expires: now + 3600, TenantID: sub.tenant.ID, ObjectID: sub.user.ID,
		Subject: bearer.Pairwise(sub.home.ID, sub.self.ID, c.AppID), Name: sub.user.Name, Nonce: nonce, SID: p.sid, UTI: token22(),
	}
	groupClaims(k, sub, c.App)
	defer optionalClaims(k, sub, c.App, "idToken", p, q, ask)
	if want, ok := ask.IDToken["acrs"]; ok { // those that it was asked for, once policies let it through
		for _, c := range ask.Contexts() {
			if slices.Contains(want.Values, c) {
				k.ACRs = append(k.ACRs, c)
			}
		}
	}
	if sub.aobo || sub.home.ID != sub.tenant.ID {
		k.IDP = bearer.IssuerV1(sub.home.ID)
	}
	if authTime {
		k.AuthTime = p.authTime.Unix()
	}
	if t.v1 {
		k.Version, k.Issuer = "1.0", bearer.IssuerV1(sub.tenant.ID)
		k.UniqueName, k.UPN, k.Given, k.Family, k.AMR, k.IPAddr = sub.user.UPN, sub.user.UPN, sub.user.Given, sub.user.Surname, p.amr, ipAddr(q)
		return k
	}
	k.Version, k.Issuer = "2.0", q.issuerV2(sub.tenant.ID)
	k.Preferred = sub.user.UPN
	if t.email && sub.user.Mail != "" {
		k.Email = sub.user.Mail
	}
	if _, ok := ask.IDToken["amr"]; ok {
		k.AMR = p.amr
	}
	if _, ok := ask.IDToken["auth_time"]; ok {
		k.AuthTime = p.authTime.Unix()
	}
	return k
}

// appToken makes the claims of an app-only access token.
func (a *Authority) appToken(q *request, tenant *world.Tenant, sp *world.ServicePrincipal, c *client, t *target, roles []string,
	ask *oauth.ClaimsRequest) *bearer.Claims {
	now := q.now.Unix()
	cae := ask.CAE() && t.res.AppID == entra.AppGraph
	k := &bearer.Claims{
		IssuedAt: now, NotBefore: now, Expires: q.now.Add(lifetime(cae)).Unix(), TenantID: tenant.ID, ObjectID: sp.ID, Subject: sp.ID,
		Roles: roles, IDType: "app", UTI: token22(), Wids: tenant.RolesOf(sp.ID, q.now), Region: regionOf(tenant),
	}
	if t.res.App == nil || slices.Contains(t.res.App.Optional("accessToken"), "xms_cc") {
		k.CC = capabilities(ask)
	}
	if t.res.V2 {
		k.Version, k.Issuer, k.Audience, k.AZP, k.AZPACR = "2.0", q.issuerV2(tenant.ID), t.res.AppID, c.AppID, c.acr
		return k
	}
	k.Version, k.Issuer, k.Audience = "1.0", bearer.IssuerV1(tenant.ID), t.aud
	k.AppID, k.AppIDACR, k.AppName, k.IDP = c.AppID, c.acr, c.Name, bearer.IssuerV1(tenant.ID)
	return k
}

// clientInfo names the account for MSAL's cache: object id and tenant at home.
func clientInfo(sub subject) string {
	b, _ := json.Marshal(map[string]string{"uid": sub.self.ID, "utid": sub.home.ID})
	return base64.RawURLEncoding.EncodeToString(b)
}

// halfHash is c_hash and at_hash: the left half of SHA-256.
func halfHash(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// answer signs a bundle and writes the token answer, with v1's numbers as text.
func (a *Authority) answer(w http.ResponseWriter, q *request, b *bundle) {
	access, err := a.keys.Sign(b.access)
	if err != nil {
		a.log.Error("sign", "err", err)
		a.writeFault(w, q, &oauth.Fault{Code: entra.CodeTransient, Word: "temporarily_unavailable", Status: http.StatusServiceUnavailable,
			Text: "A transient error has occurred. Please try again."})
		return
	}
	life := b.access.Expires - b.access.IssuedAt
	out := map[string]any{"token_type": "Bearer", "access_token": access, "ext_expires_in": life, "expires_in": life}
	if b.scope != "" {
		out["scope"] = b.scope
	}
	if b.v1 {
		text := func(n int64) string { return strconv.FormatInt(n, 10) }
		out["expires_in"], out["ext_expires_in"] = text(life), text(life)
		out["expires_on"], out["not_before"] = text(b.access.Expires), text(b.access.NotBefore)
		out["resource"] = b.access.Audience
	}
	if b.refresh != "" {
		out["refresh_token"] = b.refresh
	}
	if b.id != nil {
		id, err := a.keys.Sign(b.id)
		if err == nil {
			out["id_token"] = id
		}
	}
	if b.info != "" {
		out["client_info"] = b.info
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, http.StatusOK, out)
}

// newRefresh makes a refresh token and keeps its hash. It is called under the
// world's lock.
func (a *Authority) newRefresh(s *world.State, q *request, r world.RefreshToken) string {
	value := "0.PC." + world.NewSecret()
	r.Hash = world.HashSecret(value)
	if r.Family == "" {
		r.Family = world.NewGUID()
	}
	r.LastUsed = q.now
	if r.Issued.IsZero() {
		r.Issued = q.now
	}
	s.Refresh.Put(&r)
	s.Dirty()
	a.prune(s, q.now)
	return value
}

// Lifetimes of what the state keeps (contracts.md section 4.3).
const (
	idleLimit       = 90 * 24 * time.Hour
	spaLimit        = 24 * time.Hour
	sessionLimit    = 24 * time.Hour
	persistentLimit = 90 * 24 * time.Hour
	// A dead token is remembered for a while so that its refusal can say why.
	graceOfDead = 275 * 24 * time.Hour
	refreshRoom = 200_000
	pruneEvery  = time.Hour
)

// prune removes what is long dead. It runs at most once an hour of the world's
// clock, or when there is too much.
func (a *Authority) prune(s *world.State, now time.Time) {
	a.pruneMu.Lock()
	defer a.pruneMu.Unlock()
	full := s.Refresh.Len() > refreshRoom
	if !full && now.Sub(a.pruned) < pruneEvery {
		return
	}
	a.pruned = now
	// The tables delete in linear time, so they are made anew.
	var keep world.Table[world.RefreshToken, *world.RefreshToken]
	list := s.Refresh.List()
	if full {
		list = list[len(list)-refreshRoom*9/10:]
	}
	for _, r := range list {
		if now.Sub(r.LastUsed) < idleLimit+graceOfDead {
			keep.Put(r)
		}
	}
	s.Refresh = keep
	var live world.Table[world.Session, *world.Session]
	for x := range s.Sessions.All() {
		if sessionAlive(x, now) {
			live.Put(x)
		}
	}
	s.Sessions = live
	s.Dirty()
}

func sessionAlive(x *world.Session, now time.Time) bool {
	limit := sessionLimit
	if x.Persistent {
		limit = persistentLimit
	}
	return now.Sub(x.LastUsed) < limit
}
