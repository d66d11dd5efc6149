package authority

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// proof is what a user proved, at a sign-in or long before it.
type proof struct {
	home, user string // tenant that checks the password, and object id there
	authTime   time.Time
	mfaTime    time.Time
	amr        []string
	combos     []string
	external   bool
	fresh      bool // the MFA was done in this very sign-in
	sid        string
}

func (p *proof) mfa() bool { return !p.mfaTime.IsZero() }

// add notes one factor's marks.
func (p *proof) add(marks ...string) {
	for _, m := range marks {
		if !slices.Contains(p.amr, m) {
			p.amr = append(slices.Clone(p.amr), m)
		}
	}
}

// subject is a user in the tenant that a token is for.
type subject struct {
	tenant *world.Tenant // of the token
	home   *world.Tenant // that checks the password
	user   *world.User   // the account that policies see: the guest object of a guest
	self   *world.User   // the account at home
	aobo   bool
	rights world.Delegation
}

// resolve finds what a user is in the tenant of the path: at home, a guest, or
// a partner's delegated administrator; everybody else has nothing there
// (contracts.md sections 3.2, 3.11).
func resolve(s *world.State, path pathTenant, homeID, userID, appID string) (subject, *oauth.Fault) {
	home := s.Tenant(homeID)
	if home == nil {
		return subject{}, oauth.Refuse(entra.CodeTenantNotFound, homeID)
	}
	u := home.Users.Get(userID)
	if u == nil {
		return subject{}, oauth.Refuse(entra.CodeUserUnknown, home.Name)
	}
	sub := subject{tenant: home, home: home, user: u, self: u}
	t := path.tenant
	if t == nil || t.ID == home.ID {
		return sub, nil
	}
	sub.tenant = t
	guest := guestOf(t, home, u)
	if home.ID == s.Partner && t.Kind == world.CustomerTenant {
		if d, ok := s.Delegated(u, t); ok {
			sub.aobo, sub.rights = true, d
			return sub, nil
		}
		if guest != nil {
			return sub, oauth.Refuse(entra.CodePassthroughRefused, u.UPN, home.ID, t.Name)
		}
		return sub, oauth.Refuse(entra.CodeUserNotInTenant, u.UPN, home.ID, t.Name, appID)
	}
	if guest == nil {
		return sub, oauth.Refuse(entra.CodeUserNotInTenant, u.UPN, home.ID, t.Name, appID)
	}
	sub.user = guest
	return sub, nil
}

// guestOf finds a user of another tenant among a tenant's guests.
func guestOf(t, home *world.Tenant, u *world.User) *world.User {
	for g := range t.Users.All() {
		if !g.Guest || !strings.EqualFold(g.HomeTenant, home.ID) {
			continue
		}
		if strings.EqualFold(g.HomeUser, u.ID) || g.HomeUser == "" && g.Mail != "" && (strings.EqualFold(g.Mail, u.UPN) || strings.EqualFold(g.Mail, u.Mail)) {
			return g
		}
	}
	return nil
}

// findAccount finds the account of a sign-in name: at its home by domain, else
// a guest of the asked tenant whose home is not in this world and who is
// therefore checked where they are a guest.
func findAccount(s *world.State, path pathTenant, name string) (*world.Tenant, *world.User) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 320 {
		return nil, nil
	}
	if home := s.Home(name); home != nil {
		if u := home.UserByName(name); u != nil && !foreign(s, home, u) {
			return home, u
		}
	}
	t := path.tenant
	if t == nil {
		t = s.PartnerTenant()
	}
	if t != nil && strings.Contains(name, "@") {
		if u := t.UserByName(name); u != nil && !foreign(s, t, u) {
			return t, u
		}
	}
	return nil, nil
}

// foreign reports a guest whose home checks the password.
func foreign(s *world.State, t *world.Tenant, u *world.User) bool {
	return u.Guest && u.HomeTenant != "" && !strings.EqualFold(u.HomeTenant, t.ID) && s.Tenant(u.HomeTenant) != nil
}

// revoked reports that what was issued at a moment does not live any more, and
// since when: revocation ends everything; a user's own change of password ends
// only what a public client holds (contracts.md section 4.3).
func revoked(u *world.User, issued time.Time, confidential bool) (since time.Time, dead bool) {
	if v := u.SessionsValidFrom; !v.IsZero() && issued.Before(v) {
		switch u.Revoked {
		case "changed", "selfService", "portalReset":
			dead = !confidential
		default:
			dead = true
		}
		since = v
	}
	if !dead && !confidential && !u.PasswordChanged.IsZero() && issued.Before(u.PasswordChanged) {
		return u.PasswordChanged, true
	}
	return since, dead
}

// attempt describes a sign-in of a subject for a target with what was proved.
func (q *request) attempt(sub subject, c *client, t *target, p *proof) *signon.Attempt {
	at := &signon.Attempt{
		Tenant: sub.tenant, Home: sub.home, User: sub.user, AOBO: sub.aobo, AppID: c.AppID, AppName: c.Name, AppOwner: c.Owner,
		Resource: t.res.AppID, ResourceName: t.res.Name, Client: signon.Browser, Correlation: q.correlation, Request: q.trace,
		IP: q.ip, Place: q.place, UserAgent: clip(q.UserAgent(), 512), AMR: p.amr, Combos: p.combos, MFA: p.mfa(), AuthTime: p.authTime, MFATime: p.mfaTime,
		Fresh: p.fresh, External: p.external, SID: p.sid,
	}
	if named := t.basic || !t.all && t.res.AppID == entra.AppGraph; named && signon.BaselineScopes(t.scopes) {
		at.Baseline = true
		at.SignInOnly = c.App != nil && c.App.Confidential() && !slices.ContainsFunc(t.scopes, func(v string) bool { return !oidc(v) })
	}
	at.Platform, at.OS, at.BrowserName = agent(at.UserAgent)
	return at
}

// origin is where a sign-in came from. Who redeems a code for it sits elsewhere:
// a web app's server, or the device beside the browser.
type origin struct {
	ip    netip.Addr
	place world.Place
	agent string
}

func (q *request) origin() *origin { return &origin{q.ip, q.place, q.UserAgent()} }

// on puts an attempt at the place of the sign-in behind it.
func (o *origin) on(at *signon.Attempt) {
	at.IP, at.Place, at.UserAgent = o.ip, o.place, clip(o.agent, 512)
	at.Platform, at.OS, at.BrowserName = agent(at.UserAgent)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return strings.ToValidUTF8(s, "")
}

// agent reads a user agent: the engine's word for the platform, and what the
// log shows.
func agent(ua string) (platform, os, browser string) {
	has := func(s string) bool { return strings.Contains(ua, s) }
	switch {
	case has("Windows Phone"):
		platform, os = "windowsPhone", "Windows Phone"
	case has("Windows"):
		platform, os = "windows", "Windows10"
	case has("iPhone"), has("iPad"):
		platform, os = "iOS", "Ios"
	case has("Android"):
		platform, os = "android", "Android"
	case has("Mac OS X"), has("Darwin"), has("darwin"):
		platform, os = "macOS", "MacOs"
	case has("Linux"), has("linux"):
		platform, os = "linux", "Linux"
	}
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "Chrome Headless"}, {"Chrome/", "Chrome"},
		{"Version/", "Safari"}} {
		if _, rest, ok := strings.Cut(ua, b[0]); ok {
			v, _, _ := strings.Cut(rest, " ")
			return platform, os, b[1] + " " + clip(v, 20)
		}
	}
	return platform, os, ""
}

// meaning is the text of a code, from the log's words or the endpoint's.
func meaning(code int) string {
	if t := signon.Reason(code); t != "Other." && t != "" {
		return t
	}
	return oauth.Meaning(code)
}
