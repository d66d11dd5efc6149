package authority

import (
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// code is an authorization code, kept by the hash of its value until ten
// minutes are over, also when it was redeemed: so that a second use is seen.
type code struct {
	mu       sync.Mutex // guards redeemed and family
	redeemed bool
	family   string // of the refresh token it gave

	tenant    string // id of the tenant it is for
	client    string
	redirect  string
	platform  platform
	challenge oauth.Challenge
	target    *target
	proof     proof
	nonce     string
	ask       *oauth.ClaimsRequest
	authTime  bool // max_age was asked: tell auth_time
	issued    time.Time
	from      *origin
	info      bool
}

// codeLife is how long a code may be redeemed.
const codeLife = 10 * time.Minute

// redeemCode answers grant_type=authorization_code.
func (a *Authority) redeemCode(tr *tokenRequest) (*bundle, *oauth.Fault) {
	value := tr.form.Get("code")
	if value == "" {
		return nil, oauth.Refuse(entra.CodeParameterMissing, "code")
	}
	var b *bundle
	fault := a.do(func(s *world.State) *oauth.Fault {
		if f := a.begin(s, tr); f != nil {
			return f
		}
		// A code is kept for twice its life, to tell expired from unknown.
		c, ok := a.codes.get(tr.now, world.HashSecret(value))
		if !ok {
			return garbled()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if f := a.codeFits(s, tr, c); f != nil {
			return f
		}
		c.redeemed = true
		var f *oauth.Fault
		b, f = a.exchange(s, tr, c)
		return f
	})
	return b, fault
}

// garbled refuses a code or refresh token that is none of ours, as Entra ID does
// one that it cannot read: the code of any malformed request, with invalid_grant.
func garbled() *oauth.Fault {
	f := oauth.Refuse(entra.CodeMalformed)
	f.Word = "invalid_grant"
	return f
}

// codeFits checks that this client may redeem the code, here and now. Only what
// proves a theft, a second use, ends what the code gave.
func (a *Authority) codeFits(s *world.State, tr *tokenRequest, c *code) *oauth.Fault {
	if c.client != tr.client.AppID {
		return oauth.Refuse(entra.CodeGrantOfAnother)
	}
	if f := platformFits(tr, c.platform); f != nil {
		return f
	}
	if c.redeemed {
		endFamily(s, c.family, "code redeemed twice")
		return oauth.Refuse(entra.CodeCodeRedeemed)
	}
	if tr.now.Sub(c.issued) >= codeLife {
		return oauth.Refuse(entra.CodeGrantExpired)
	}
	if tr.path.tenant != nil && tr.path.tenant.ID != c.tenant {
		return oauth.Refuse(entra.CodeGrantOfAnother)
	}
	if tr.form.Get("redirect_uri") != c.redirect {
		return oauth.Refuse(entra.CodeRedirectMismatch)
	}
	if c.platform == spa && c.challenge.None() {
		return oauth.Refuse(entra.CodeProofKeyNeeded)
	}
	return c.challenge.Check(tr.form.Get("code_verifier"))
}

// platformFits holds a client to the platform that its redirect URI belongs to.
func platformFits(tr *tokenRequest, p platform) *oauth.Fault {
	origin := tr.Header.Get("Origin")
	switch {
	case p == web && !tr.client.proved():
		return oauth.Refuse(entra.CodeCredentialMissing)
	case p == native && tr.client.proved():
		return oauth.Refuse(entra.CodePublicClient)
	case p == spa && origin == "":
		return oauth.Refuse(entra.CodeOnlySPA)
	case p != spa && origin != "" && origin != "null":
		return oauth.Refuse(entra.CodeNotSPA)
	}
	return nil
}

// exchange makes the tokens of a code. It is called under the world's lock.
func (a *Authority) exchange(s *world.State, tr *tokenRequest, c *code) (*bundle, *oauth.Fault) {
	t := c.target
	quiet := true
	if tr.form.Get("scope") != "" || tr.form.Get("resource") != "" {
		asked, f := tr.target(s, t.words())
		if f != nil {
			return nil, f
		}
		if !asked.basic {
			quiet = asked.res.AppID == t.res.AppID
			asked.openid, asked.offline = asked.openid || t.openid, asked.offline || t.offline
			asked.profile, asked.email = asked.profile || t.profile, asked.email || t.email
			t = asked
		}
	}
	t.v1 = tr.v1
	if len(tr.ask.AccessToken)+len(tr.ask.IDToken) == 0 {
		tr.ask = c.ask
	}
	tr.path = pathTenant{tenant: s.Tenant(c.tenant)}
	kind := signon.Browser
	if c.platform == native {
		kind = signon.Native
	}
	g := &silent{proof: c.proof, kind: kind, issued: stamp(c.issued), confidential: c.platform == web, quiet: quiet, incoming: "none"}
	if quiet {
		g.from = c.from
	}
	if home := s.Tenant(c.proof.home); home != nil {
		if u := home.Users.Get(c.proof.user); u != nil {
			if since, dead := revoked(u, c.issued, g.confidential); dead {
				return nil, oauth.Refuse(entra.CodeRevoked, stamp(c.issued), stamp(since))
			}
		}
	}
	sub, b, f := a.silently(s, tr, t, g)
	if f != nil {
		return nil, f
	}
	b.id = nil
	if t.openid {
		b.id = a.idToken(tr.request, sub, tr.client, t, &c.proof, tr.ask, c.nonce, c.authTime)
	}
	if c.info {
		b.info = clientInfo(sub)
	}
	if t.offline {
		c.family = world.NewGUID()
		b.refresh = a.newRefresh(s, tr.request, refreshOf(&c.proof, tr.client, t, c.family, c.platform))
	}
	return b, nil
}

// refreshOf freezes a proof into a refresh token.
func refreshOf(p *proof, c *client, t *target, family string, pl platform) world.RefreshToken {
	return world.RefreshToken{
		Family: family, Tenant: p.home, User: p.user, App: c.AppID, AuthTime: p.authTime, MFATime: p.mfaTime, AMR: p.amr, Combos: p.combos,
		SID: p.sid, SPA: pl == spa, Confidential: pl == web, Scopes: t.words(),
	}
}
