package story

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// actor is who does something: a user or an app, from an address.
type actor struct {
	user *world.User
	sp   *world.ServicePrincipal
	ip   netip.Addr
	mfa  bool
	app  string // the client's app id
}

// user is an account of the customer's tenant; nil when it is gone.
func (p *player) user(id string, far bool, which uint64) *actor {
	u := p.t.Users.Get(id)
	if u == nil {
		return nil
	}
	return &actor{user: u, ip: p.d.Address(p.t.Country, far, which), app: entra.AppAzurePortal}
}

// principal is an app of the customer's tenant; nil when it is gone.
func (p *player) principal(id string, which uint64) *actor {
	sp := p.t.SPs.Get(id)
	if sp == nil {
		return nil
	}
	return &actor{sp: sp, ip: p.d.Address(p.t.Country, true, which), app: sp.AppID}
}

func (a *actor) id() string {
	if a.user != nil {
		return a.user.ID
	}
	return a.sp.ID
}

// unable says why the actor can do nothing more; "" when he can. since is when he signed
// in.
func (a *actor) unable(since time.Time) string {
	switch {
	case a == nil:
		return "the account is gone"
	case a.user != nil && !a.user.Enabled:
		return "the account " + a.user.UPN + " is disabled"
	case a.user != nil && a.user.SessionsValidFrom.After(since):
		return "the sessions of " + a.user.UPN + " were revoked"
	case a.sp != nil && !a.sp.Enabled:
		return "the app " + a.sp.Name + " is disabled"
	}
	return ""
}

// by is the actor as the directory audit names him.
func (a *actor) by() world.Initiator {
	if a.sp != nil {
		return world.Initiator{App: &world.AuditApp{AppID: a.sp.AppID, Name: a.sp.Name, SP: &a.sp.ID}}
	}
	ip, name := a.ip.String(), a.user.Name
	return world.Initiator{User: &world.AuditUser{ID: a.user.ID, Name: &name, UPN: a.user.UPN, IP: &ip}}
}

// audited writes a row of the directory audit.
func (p *player) audited(a *actor, activity, category, operation, service string, target world.AuditTarget, changed ...world.Modified) {
	target.Modified = changed
	if changed == nil {
		target.Modified = []world.Modified{}
	}
	p.s.Audit(p.t, &world.DirectoryAudit{At: world.Stamp{Time: p.at}, Activity: activity, Category: category, Operation: operation, Service: service,
		By: a.by(), Targets: []world.AuditTarget{target}})
}

func userTarget(u *world.User) world.AuditTarget {
	return world.AuditTarget{ID: u.ID, Type: "User", Name: &u.Name, UPN: &u.UPN}
}

func appTarget(kind, id, name string) world.AuditTarget {
	return world.AuditTarget{ID: id, Type: kind, Name: &name}
}

// visit is how somebody signs in.
type visit struct {
	risk string // none, low, medium, high
	mfa  bool   // a second factor is shown, or a session that was stolen
	code int    // of a failure; 0 is success
}

// signIn writes the sign-in of a user as the tenant's own policies decide it, and says
// whether it let him in. Where MFA is asked for, a stolen session answers.
func (p *player) signIn(a *actor, v visit) bool {
	home := p.t
	if a.user.Guest && a.user.HomeTenant != "" {
		home = &world.Tenant{ID: a.user.HomeTenant, Name: "Invented Ltd"}
	}
	at := signon.Attempt{Tenant: p.t, Home: home, User: a.user, AppID: entra.AppAzurePortal, AppName: "Azure Portal",
		AppOwner: entra.TenantMicrosoftServices, Resource: entra.AppARM, ResourceName: "Windows Azure Service Management API", Client: signon.Browser,
		Interactive: true, Correlation: world.NewGUID(), Request: world.NewGUID(), SID: p.id("session/" + a.user.ID), IP: a.ip, Place: p.d.Locate(a.ip),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", OS: "Linux", BrowserName: "Firefox 145.0", Platform: "linux",
		SignInRisk: v.risk, AMR: []string{"pwd"}, Combos: []string{"password"}, AuthTime: p.at, Fresh: true,
		Steps: []world.Step{{At: world.Stamp{Time: p.at}, Method: "Password", Succeeded: v.code == 0, Result: "Correct password",
			Requirement: "Primary authentication"}}}
	r := signon.Judge(p.s, &at)
	if v.code == 0 && (r.Outcome == signon.NeedMFA || v.mfa) {
		at.MFA, at.Fresh, at.IncomingTokenType, at.Steps = true, false, "primaryRefreshToken", nil
		at.AMR, at.Combos = []string{"pwd", "mfa"}, []string{"password,softwareOath"}
		at.AuthTime = p.at.Add(-time.Hour)
		at.MFATime = at.AuthTime
		r = signon.Judge(p.s, &at)
	}
	code := -1
	if v.code != 0 {
		code = v.code
		at.Steps[0].Result = "Invalid password"
	}
	row := signon.Row(p.s, &at, &r, code)
	row.CreatedDateTime = world.Stamp{Time: p.at}
	for i := range row.Steps {
		row.Steps[i].At = world.Stamp{Time: p.at}
	}
	if v.risk != "none" && row.RiskDuring == v.risk {
		row.RiskState, row.RiskAggregated, row.RiskEvents = "atRisk", v.risk, []string{"unfamiliarFeatures"}
	}
	row.UniqueToken = p.id(fmt.Sprintf("token/%d", p.act))
	p.s.LogSignIn(p.t, row)
	a.mfa = at.MFA
	if v.code != 0 || r.Outcome == signon.Block {
		return false
	}
	p.t.Users.Change(a.user.ID, func(u *world.User) { u.LastInteractive, u.LastSuccess = p.at, p.at })
	p.s.Touch(p.t)
	return true
}

// appSignIn writes the sign-in of an app with a secret.
func (p *player) appSignIn(a *actor, key string) {
	t := p.t
	row := &world.SignIn{CreatedDateTime: world.Stamp{Time: p.at}, AppID: a.sp.AppID, AppDisplayName: a.sp.Name, IPAddress: a.ip.String(),
		UserAgent: "python-requests/2.32.5", CorrelationID: world.NewGUID(), OriginalRequestID: world.NewGUID(), ConditionalAccess: "notApplied",
		TokenIssuerType: "AzureAD", Requirement: "singleFactorAuthentication", Protocol: "none", IncomingTokenType: "none", TransferMethod: "none",
		CredentialType: "clientSecret", CredentialKeyID: key, CrossTenant: "none", HomeTenantID: t.ID, HomeTenantName: t.Name, ResourceTenantID: t.ID,
		AppOwnerTenant: t.ID, RiskDetail: "none", RiskAggregated: "none", RiskDuring: "none", RiskState: "none", RiskEvents: []string{},
		EventTypes: []string{"servicePrincipal"}, ProcessingTime: 40, Place: p.d.Locate(a.ip), Applied: []world.AppliedPolicy{}, Steps: []world.Step{},
		Processing: []world.KeyValue{}, Requirements: []world.Requirement{}, Lifetimes: []world.Lifetime{}, ServicePrincipalID: a.sp.ID,
		ServicePrincipalName: a.sp.Name, ResourceID: entra.AppARM, ResourceDisplayName: "Windows Azure Service Management API",
		ResourceOwnerTenant: entra.TenantMicrosoftServices, UniqueToken: p.id(fmt.Sprintf("token/%d", p.act))}
	row.Status.FailureReason = "Other."
	p.s.LogSignIn(t, row)
}

// riskUp makes an account risky, as Identity Protection does.
func (p *player) riskUp(u *world.User) {
	p.t.Users.Change(u.ID, func(u *world.User) { u.Risk, u.RiskState, u.RiskDetail, u.RiskAt = "high", "atRisk", "none", p.at })
	p.s.Touch(p.t)
}

// guestName is the name of a guest at the tenant.
func guestName(address, tenant string) string {
	return strings.Replace(address, "@", "_", 1) + "#EXT#@" + tenant
}
