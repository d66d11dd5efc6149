package signon

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// demand is what one policy or built-in rule asks at this attempt.
type demand struct {
	provider string // requirementProvider
	applied  int    // index of its row in Ruling.Applied plus one; 0: it has none
	block    bool
	code     int // of a block
	mfa      bool
	strength []string // combinations allowed, when it asks for a strength
	unmet    int      // code of a control that nothing in a browser can mend
	open     bool     // met by something besides MFA
	password bool
}

// Judge decides an attempt with the settings of the tenant it is for. Who is
// asked by what:
//
//   - the request itself (amr_values, claims): provider request;
//   - AOBO: every partner user in a customer's tenant (enforcedForCspAdmins),
//     as far as enforcement stands at this moment in this world;
//   - security defaults: administrators and Azure management at every sign-in,
//     who registered nothing, to register (contracts.md section 9.4), everybody
//     else when necessary, which here means: without a success in the last 30
//     days, or at risk (K: Microsoft does not publish the rule);
//   - per-user MFA, Conditional Access through [access.Engine.Decide].
//
// Policies that are not understood are held to apply. now is the world's clock.
func Judge(s *world.State, a *Attempt) Ruling {
	now := s.Clock.Now()
	r := Ruling{Outcome: Allow, Requirements: []world.Requirement{}, Applied: []world.AppliedPolicy{}, CAStatus: "notApplied"}
	if code, reason := account(now, a); code != 0 {
		r.Outcome, r.Code, r.Reason = Block, code, reason
		return r
	}
	demands := policies(s, a, &r)
	for _, c := range a.Controls {
		howOften(c, &r)
	}
	demands = append(demands, others(s, a, now)...)
	settle(s, a, &r, demands, now)
	return r
}

// account refuses accounts that cannot sign in at all.
func account(now time.Time, a *Attempt) (int, string) {
	switch {
	case !a.User.Enabled:
		return entra.CodeUserDisabled, "The user account is disabled."
	case a.User.PasswordExpired:
		return entra.CodePasswordExpired, "The password is expired."
	}
	return 0, ""
}

// policies asks the access engine and turns what applies into demands.
func policies(s *world.State, a *Attempt, r *Ruling) (out []demand) {
	e := s.Engine(a.Tenant)
	name := a.User.ID
	if a.AOBO {
		name = world.ServiceProviderSubject(a.Home.ID)
	}
	user, ok := e.Find(name)
	if !ok {
		user = e.Stranger()
	}
	app, lets := audience(a, s.Clock.Now())
	r.Audience = app
	in := access.SignIn{
		User: user, App: app, Client: a.Client, Platform: cmpOr(a.Platform, "unknown platform"), IP: a.IP, Country: a.Place.Country,
		SignInRisk: cmpOr(a.SignInRisk, "none"), UserRisk: cmpOr(a.User.Risk, "none"), InsiderRisk: "none",
		Device: map[string]bool{access.AxisCompliant: a.Compliant, access.AxisJoined: a.Joined, access.AxisApprovedApp: false, access.AxisProtectedApp: false},
	}
	answer := e.Decide(in)
	for _, u := range answer.Applied {
		if u.Applies == "no" {
			continue
		}
		if excuses(a, a.Tenant.Policy(u.ID), lets) {
			r.Applied = append(r.Applied, notApplied(u))
			continue
		}
		out = append(out, demandOf(a, u, r))
	}
	for _, u := range answer.Others {
		if strings.HasPrefix(u.ID, "partnerguard:") {
			continue
		}
		r.Applied = append(r.Applied, notApplied(u))
	}
	for _, u := range answer.Report {
		p := a.Tenant.Policy(u.ID)
		row := world.AppliedPolicy{ID: u.ID, DisplayName: u.Policy, GrantControls: grantNames(p), SessionControls: sessionNames(a, u.ID),
			Result: "reportOnlyNotApplied"}
		if u.Applies != "no" && p != nil && !excuses(a, p, lets) {
			d := grantDemand(a, p)
			switch {
			case d.block || d.unmet != 0 && !d.open:
				row.Result = "reportOnlyFailure"
			case (d.mfa || d.strength != nil) && !d.open && !meets(a, d):
				row.Result = "reportOnlyInterrupted"
			default:
				row.Result = "reportOnlySuccess"
			}
		}
		r.Applied = append(r.Applied, row)
	}
	return out
}

// notApplied is the row of a policy that does not reach a sign-in.
func notApplied(u access.Use) world.AppliedPolicy {
	return world.AppliedPolicy{ID: u.ID, DisplayName: u.Policy, GrantControls: []string{}, SessionControls: []string{}, Result: "notApplied"}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// demandOf turns one applying policy into a demand and notes its row.
func demandOf(a *Attempt, u access.Use, r *Ruling) demand {
	if strings.HasPrefix(u.ID, "partnerguard:") {
		d := demand{provider: "securityDefaults", mfa: true}
		switch {
		case strings.Contains(u.ID, "per-user"):
			d.provider = "user"
		case strings.Contains(u.ID, "baseline"):
			d.provider = "baselineProtection"
		}
		if strings.HasSuffix(u.ID, "-legacy") {
			d.mfa, d.block, d.code = false, true, entra.CodeBlockedByDefaults
			if d.provider == "baselineProtection" {
				d.code = entra.CodeBlockedByPolicy
			}
		}
		return d
	}
	p := a.Tenant.Policy(u.ID)
	row := world.AppliedPolicy{ID: u.ID, DisplayName: u.Policy, GrantControls: grantNames(p), SessionControls: sessionNames(a, u.ID), Result: "success"}
	d := demand{provider: "multiConditionalAccess", block: true, code: entra.CodeBlockedByPolicy}
	if p != nil {
		d = grantDemand(a, p)
		session(a, u.ID, p, r)
	}
	r.Applied = append(r.Applied, row)
	d.applied = len(r.Applied)
	return d
}

// grantDemand is what a policy's grant demands of the attempt. Approved and
// protected apps, custom controls and terms of use are not part of this cloud:
// never met.
func grantDemand(a *Attempt, p *access.Policy) demand {
	g := p.GrantControls.Demand(func(c access.Control) bool {
		return c == access.ControlCompliantDevice && a.Compliant || c == access.ControlDomainJoined && a.Joined
	})
	d := demand{provider: "multiConditionalAccess", block: g.Block, mfa: g.MFA, open: g.Open, password: g.PasswordChange, unmet: unmetCode(g.Unmet)}
	if g.Strength != nil {
		d.strength = a.Tenant.Strength(g.Strength)
		d.block = d.block || len(d.strength) == 0 // a strength that cannot be resolved: fail closed
	}
	if d.block {
		d.code = entra.CodeBlockedByPolicy
	}
	return d
}

// unmetCode is how a sign-in ends that lacks a control; 0 where it lacks none.
func unmetCode(c access.Control) int {
	switch c {
	case access.NoControl:
		return 0
	case access.ControlCompliantDevice:
		return entra.CodeDeviceNotCompliant
	case access.ControlDomainJoined:
		return entra.CodeDeviceNotDomainJoined
	case access.ControlApprovedApp, access.ControlProtectedApp:
		return entra.CodeAppNotApproved
	case access.ControlCustomFactor, access.ControlTermsOfUse:
		return entra.CodeExternalChallenge
	}
	return entra.CodeBlockedByPolicy
}

// meets reports that the factors given satisfy what is asked.
func meets(a *Attempt, d demand) bool {
	if d.mfa && !a.MFA {
		return false
	}
	if d.strength != nil && !strongEnough(a.Combos, d.strength) {
		return false
	}
	return true
}

// strongEnough reports one combination done that the strength allows.
func strongEnough(done, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(want string) bool {
		return slices.ContainsFunc(done, func(have string) bool { return sameCombination(have, want) })
	})
}

func sameCombination(a, b string) bool {
	x, y := strings.Split(strings.ReplaceAll(a, " ", ""), ","), strings.Split(strings.ReplaceAll(b, " ", ""), ",")
	slices.Sort(x)
	slices.Sort(y)
	return strings.EqualFold(strings.Join(x, ","), strings.Join(y, ","))
}

// others are the demands that no policy object makes.
func others(s *world.State, a *Attempt, now time.Time) (out []demand) {
	if a.AskMFA {
		out = append(out, demand{provider: "request", mfa: true})
	}
	if a.AOBO && s.Enforcement.AOBO.Stage(now) != world.StageNone {
		if st := s.Enforcement.AOBO.Stage(now); st == world.StageEnforced || st == world.StageRamping {
			// A refusal is counted only where there would be one.
			if a.MFA || s.Refuses(s.Enforcement.AOBO, a.Home, true) {
				out = append(out, demand{provider: "enforcedForCspAdmins", mfa: true})
			}
		}
	}
	if a.Tenant.SecurityDefaults && a.Client == DeviceCode && !a.Tenant.Created.Before(deviceCodeEnds) {
		out = append(out, demand{provider: "securityDefaults", block: true, code: entra.CodeBlockedByDefaults})
	}
	if a.Tenant.SecurityDefaults && !a.AOBO && (whenNecessary(a, now) || unregistered(a)) && !exempt(a, now) {
		out = append(out, demand{provider: "securityDefaults", mfa: true})
	}
	return out
}

// deviceCodeEnds is since when security defaults of new tenants block the device
// code flow (contracts.md section 9.4).
var deviceCodeEnds = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// exempt is the directory synchronisation account, which nobody asks.
func exempt(a *Attempt, now time.Time) bool {
	return slices.Contains(a.Tenant.RolesOf(a.User.ID, now), entra.RoleDirectorySync)
}

// necessaryAfter is how long a success is remembered by security defaults (ours).
const necessaryAfter = 30 * 24 * time.Hour

func whenNecessary(a *Attempt, now time.Time) bool {
	return a.SignInRisk == "medium" || a.SignInRisk == "high" || a.Interactive && now.Sub(a.User.LastSuccess) > necessaryAfter
}

// unregistered reports a member who signs in and could answer nothing.
func unregistered(a *Attempt) bool {
	return a.Interactive && a.Home.ID == a.Tenant.ID && len(Possible(a.Home, a.User)) == 0
}

// settle weighs the demands: a block first, then controls that cannot be met,
// then sign-in frequency, then MFA.
func settle(s *world.State, a *Attempt, r *Ruling, demands []demand, now time.Time) {
	fail := func(d *demand, outcome Outcome, code int) {
		if d.applied != 0 {
			r.Applied[d.applied-1].Result = "failure"
		}
		if r.Outcome == Allow { // blocks come first
			r.Outcome, r.Code, r.Reason = outcome, code, Reason(code)
		}
	}
	for i := range demands {
		d := &demands[i]
		if d.applied != 0 {
			r.CAStatus = "success"
		}
		switch {
		case d.block:
			fail(d, Block, d.code)
		case d.unmet != 0:
			fail(d, Block, d.unmet)
		}
	}
	for i := range demands {
		d := &demands[i]
		if !d.mfa && d.strength == nil || d.block {
			continue
		}
		if d.open {
			continue
		}
		r.MFARequired = true
		r.PasswordChange = r.PasswordChange || d.password
		if !slices.ContainsFunc(r.Requirements, func(q world.Requirement) bool { return q.Provider == d.provider }) {
			r.Requirements = append(r.Requirements, world.Requirement{Provider: d.provider, Detail: requirementDetail(d.provider)})
		}
		if d.strength != nil {
			r.Strengths = append(r.Strengths, d.strength)
			r.Requirements = append(r.Requirements, world.Requirement{Provider: "authenticationStrengths", Detail: "Conditional Access"})
		}
		if !meets(a, *d) {
			outcome, code := NeedMFA, entra.CodeMFARequired
			if !able(a, r.Strengths) {
				outcome, code = Register, entra.CodeMustEnroll
			}
			if !a.Interactive && d.provider == "user" {
				code = entra.CodeMustEnroll
			}
			fail(d, outcome, code)
		}
	}
	if r.Outcome == Allow && due(a, r, now) {
		r.Outcome, r.Code = Again, entra.CodeMFAExpired
		if !a.Interactive {
			r.Code = entra.CodeFrequencyExpired
		}
		r.Reason = Reason(r.Code)
	}
	if r.Outcome != Allow {
		if slices.ContainsFunc(r.Applied, func(p world.AppliedPolicy) bool { return p.Result == "failure" }) {
			r.CAStatus = "failure"
		}
	}
	if r.MFARequired && a.MFA && !a.Fresh {
		r.Detail = "MFA requirement satisfied by claim in the token"
		if a.External {
			r.Detail = "MFA requirement satisfied by claim provided by external provider"
		}
	} else if r.MFARequired && a.MFA {
		r.Detail = "MFA completed in Azure AD"
	}
}

// due reports that a sign-in frequency asks for a fresh sign-in.
func due(a *Attempt, r *Ruling, now time.Time) bool {
	if a.AuthTime.IsZero() {
		return false
	}
	if r.EveryTime {
		return !a.Fresh && now.Sub(a.AuthTime) > 5*time.Minute
	}
	return r.Frequency > 0 && now.Sub(a.AuthTime) >= r.Frequency
}

// able reports that a registered method could answer: any second factor, or one
// that yields a combination of each strength.
func able(a *Attempt, strengths [][]string) bool {
	combos := Possible(a.Home, a.User)
	if len(combos) == 0 {
		return false
	}
	for _, s := range strengths {
		if !strongEnough(combos, s) {
			return false
		}
	}
	return true
}

// Possible lists the combinations that a user's registered methods can yield. An
// external method yields none of them: it never satisfies a strength, but MFA.
func Possible(_ *world.Tenant, u *world.User) []string {
	var out []string
	for _, m := range u.Methods {
		switch m.Type {
		case world.MethodTOTP:
			out = append(out, "password,softwareOath")
		case world.MethodHardware:
			out = append(out, "password,hardwareOath")
		case world.MethodFIDO2:
			out = append(out, "fido2")
		case world.MethodPush:
			out = append(out, "password,microsoftAuthenticatorPush", "deviceBasedPush")
		case world.MethodPhone:
			out = append(out, "password,sms", "password,voice")
		case world.MethodHello:
			out = append(out, "windowsHelloForBusiness")
		case world.MethodAltPhone, world.MethodOffice:
			out = append(out, "password,voice")
		case world.MethodPass:
			out = append(out, m.Pass.Combination())
		case world.MethodExternal:
			out = append(out, "external")
		}
	}
	return out
}

func requirementDetail(provider string) string {
	switch provider {
	case "multiConditionalAccess":
		return "Conditional Access"
	case "enforcedForCspAdmins":
		return "Partner security requirements"
	case "securityDefaults":
		return "Security defaults"
	case "user":
		return "Per-user MFA"
	case "request":
		return "Requested by the application"
	}
	return ""
}
