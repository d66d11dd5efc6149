package authority

import (
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

func unix(n int64) time.Time { return time.Unix(n, 0).UTC() }

// knock checks a password outside the world's lock, with the lock-out of the
// account. The code is 0, 50053 or 50126.
func (a *Authority) knock(now time.Time, homeID, userID string, pw world.Password, seeded, plain string) int {
	key := "password\x00" + homeID + "\x00" + userID
	if a.guard.locked(now, key) {
		return entra.CodeLocked
	}
	if len(plain) > 256 || !world.CheckPassword(pw, seeded, plain) {
		if a.guard.wrong(now, key) {
			return entra.CodeLocked
		}
		return entra.CodeWrongPassword
	}
	a.guard.right(key)
	return 0
}

// password answers grant_type=password. It never carries MFA: where policy asks
// for it, the answer is 50076 (contracts.md section 4.2).
func (a *Authority) password(tr *tokenRequest) (*bundle, *oauth.Fault) {
	name, plain := tr.form.Get("username"), tr.form.Get("password")
	var (
		home   *world.Tenant
		user   *world.User
		seeded string
		t      *target
	)
	fault := a.do(func(s *world.State) (f *oauth.Fault) {
		if f = a.begin(s, tr); f != nil {
			return f
		}
		switch {
		case name == "":
			return oauth.Refuse(entra.CodeParameterMissing, "username")
		case plain == "":
			return oauth.Refuse(entra.CodeParameterMissing, "password")
		case !tr.client.public() && !tr.client.proved():
			return oauth.Refuse(entra.CodeCredentialMissing)
		}
		if t, f = tr.target(s, nil); f != nil {
			return f
		}
		if home, user = findAccount(s, tr.path, name); user == nil {
			return oauth.Refuse(entra.CodeUserUnknown, tr.tenantName)
		}
		seeded, _ = s.SeededPassword(user)
		return nil
	})
	if fault != nil {
		return nil, fault
	}
	bad := a.knock(tr.now, home.ID, user.ID, user.Password, seeded, plain)
	var b *bundle
	fault = a.do(func(s *world.State) *oauth.Fault {
		p := proof{home: home.ID, user: user.ID, authTime: tr.now, amr: []string{"pwd"}, combos: []string{"password"}, sid: world.NewGUID()}
		sub, f := resolve(s, tr.path, home.ID, user.ID, tr.client.AppID)
		if sub.user == nil {
			return f
		}
		at := tr.attempt(sub, tr.client, t, &p)
		at.Client, at.Protocol, at.Interactive = signon.Native, "ropc", true
		if bad != 0 {
			at.Tenant, at.AOBO = sub.home, false
			logRefused(s, at, bad, tr.step("Password", "Password in the cloud", false, "Invalid username or password", primary))
			return oauth.Refuse(bad)
		}
		at.Steps = []world.Step{tr.step("Password", "Password in the cloud", true, "Correct password", primary)}
		if f != nil {
			at.Tenant = sub.home
			logRefused(s, at, f.Code)
			return f
		}
		scopes, f := granted(s, sub, tr.client, t)
		if f != nil {
			logRefused(s, at, f.Code)
			return f
		}
		r, contexts := judge(s, at, tr.ask)
		if r.Outcome != signon.Allow {
			logSignIn(s, at, &r, -1, "")
			return refusal(&r, t, stamp(tr.now))
		}
		b = &bundle{access: a.accessToken(tr.request, s, sub, tr.client, t, &p, scopes, tr.ask, contexts), scope: t.answer(scopes), v1: tr.v1}
		a.remember(tr.request, t, &p, b)
		if t.openid {
			b.id = a.idToken(tr.request, sub, tr.client, t, &p, tr.ask, "", false)
		}
		if tr.form.Get("client_info") == "1" || tr.v1 {
			b.info = clientInfo(sub)
		}
		if t.offline {
			b.refresh = a.newRefresh(s, tr.request, refreshOf(&p, tr.client, t, "", platformOf(tr.client)))
		}
		logSignIn(s, at, &r, -1, b.access.UTI)
		note(s, sub, true)
		return nil
	})
	return b, fault
}

// platformOf tells what a grant without a redirect URI makes of a client.
func platformOf(c *client) platform {
	if c.proved() {
		return web
	}
	return native
}
