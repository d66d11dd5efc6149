package access

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// Entry says whether an account surely gets in at a point, with what it has registered and
// by a device that nobody manages.
type Entry struct {
	In  bool
	How string // by which method; "" by a password alone
	Why string // why not, a clause
}

// lasting are registered methods that answer a challenge and stay, the strongest first,
// with the words of authentication strengths that they satisfy
// (authenticationMethodModes). A temporary access pass ends, so it is none.
var lasting = []struct {
	method string
	modes  []string
}{
	{"fido2securitykey", []string{"fido2"}},
	{"fido2", []string{"fido2"}},
	{"passkeydevicebound", []string{"fido2"}},
	{"passkeydeviceboundauthenticator", []string{"fido2"}},
	{"passkeysynced", []string{"fido2"}},
	{"windowshelloforbusiness", []string{"windowshelloforbusiness"}},
	{"macossecureenclavekey", []string{"windowshelloforbusiness"}},
	{"microsoftauthenticatorpasswordless", []string{"devicebasedpush"}},
	{"microsoftauthenticatorpush", []string{"password,microsoftauthenticatorpush"}},
	{"softwareonetimepasscode", []string{"password,softwareoath"}},
	{"hardwareonetimepasscode", []string{"password,hardwareoath"}},
	{"externalauthmethod", nil}, // satisfies no strength (contracts.md section 6)
	{"mobilephone", []string{"password,sms", "password,voice"}},
	{"alternatemobilephone", []string{"password,voice"}},
	{"officephone", []string{"password,voice"}},
}

// Lasts says that a method is registered that can answer a challenge and does not end by
// itself.
func (s *Subject) Lasts() bool {
	for i := range lasting {
		if s.has(lasting[i].method) {
			return true
		}
	}
	return false
}

func (s *Subject) has(method string) bool {
	return slices.ContainsFunc(s.Methods, func(m string) bool { return strings.EqualFold(m, method) })
}

// entry decides a point for what the account has. Whatever may apply counts: what is not
// known keeps people out here.
func (e *Engine) entry(p Point) Entry {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	switch e.verdict(p, sure, could) {
	case Blocked:
		return Entry{Why: "blocked by " + join(e.stopping(p, could))}
	case Undecided:
		return Entry{Why: "what is not known of " + join(e.stopping(p, could)) + " decides it"}
	case MFANotRequired:
		if names := e.stopping(p, could); len(names) > 0 {
			return Entry{Why: join(names) + " may stop it"}
		}
		return Entry{In: true}
	}
	if names := e.stopping(p, could); len(names) > 0 {
		return Entry{Why: join(names) + " may stop it"}
	}
	s := e.subject(p.User)
	if !s.MethodsKnown {
		return Entry{Why: "which methods it has registered is not known"}
	}
	var why string
	for i := range lasting {
		if m := &lasting[i]; s.has(m.method) {
			refused := e.refusing(p, could, m.modes)
			if refused == "" {
				return Entry{In: true, How: s.Methods[slices.IndexFunc(s.Methods, func(x string) bool { return strings.EqualFold(x, m.method) })]}
			}
			if why == "" {
				why = quoted(refused) + " takes none of its methods"
			}
		}
	}
	if why == "" {
		why = "it has no registered method that answers and lasts"
	}
	return Entry{Why: why}
}

// stopping names the policies that may refuse a point whatever second factor is given.
func (e *Engine) stopping(p Point, could mask) (names []string) {
	could.each(func(i int) {
		if !e.enforced.has(i) && !(e.unsupported.has(i) && e.policies[i].MayBeEnforced()) {
			return
		}
		d := &e.demands[i]
		stops := d.block || d.unread || e.unsupported.has(i) && !d.nothing() || d.mfa && d.mfaUnknown
		if !stops && !d.mfa && d.other && d.refuses {
			stops = e.withoutAlternative(d, p) != no
		}
		if g := e.policies[i].GrantControls; !stops && g != nil && (len(g.CustomFactors) > 0 || slices.Contains(g.controls(), ControlUnknown)) {
			stops = g.all() || !d.mfa // another's service has to answer
		}
		if name := e.policies[i].DisplayName; stops && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// refusing names a policy that may apply and is not satisfied by a method; "" there is none.
func (e *Engine) refusing(p Point, could mask, modes []string) (name string) {
	could.each(func(i int) {
		d := &e.demands[i]
		if name != "" || !e.enforced.has(i) || !d.mfa || d.strength == nil || e.withoutAlternative(d, p) == no {
			return
		}
		if g := e.policies[i].GrantControls; !g.all() && slices.Contains(g.controls(), ControlMFA) {
			return // plain MFA will do
		}
		if !d.strength.takes(modes) {
			name = e.policies[i].DisplayName
		}
	})
	return name
}

// takes says that a strength surely takes one of the combinations.
func (s *Strength) takes(modes []string) bool {
	if len(s.AllowedCombinations.Items) == 0 {
		switch {
		case !s.builtIn():
			return false
		case s.phishingResistant():
			return slices.ContainsFunc(modes, func(m string) bool { return slices.Contains(phishingProof, m) })
		case strings.EqualFold(s.ID, entra.StrengthMFA):
			return len(modes) > 0
		}
		return slices.ContainsFunc(modes, func(m string) bool { return !strings.HasPrefix(m, "password,") })
	}
	for _, c := range s.AllowedCombinations.Items {
		parts := strings.Split(strings.ToLower(strings.ReplaceAll(string(c), " ", "")), ",")
		slices.Sort(parts)
		for _, m := range modes {
			have := strings.Split(m, ",")
			slices.Sort(have)
			if slices.Equal(parts, have) {
				return true
			}
		}
	}
	return false
}

// Kept says whether an account that gets in by browser before still does after: from every
// place and at every risk at which it got in, into every one of the apps, on one platform
// at least, and somewhere at all. Both engines must be of one directory, and the account is
// a number of [Tenant.Users]. It is safe for concurrent use.
func Kept(before, after *Engine, user int, apps []string) Entry {
	var first Entry
	for _, platform := range []string{"windows", "macOS", "iOS", "android", "linux"} {
		got := kept(before, after, user, platform, apps)
		if got.In {
			return got
		}
		if first.Why == "" {
			first = got
		}
	}
	return first
}

func kept(before, after *Engine, user int, platform string, apps []string) Entry {
	best := Entry{}
	device := map[string]bool{AxisCompliant: false, AxisJoined: false, AxisApprovedApp: false, AxisProtectedApp: false}
	for _, app := range apps {
		s := SignIn{User: user, App: app, Client: "browser", Platform: platform, Device: device}
		p := after.Point(&s)
		fail := ""
		after.everywhere(p, func(at Point, risks [3]int32) bool {
			is := after.entry(at)
			if is.In {
				if !best.In {
					best = is
				}
				return true
			}
			was := before.follow(after, at, &s, user)
			for i, l := range riskDims {
				was.Classes[l] = risks[i]
			}
			if before.entry(was).In || best.Why == "" {
				best.Why = is.Why + " (" + after.spot(at) + ")"
			}
			if before.entry(was).In {
				fail = best.Why
				return false
			}
			return true
		})
		if fail != "" {
			return Entry{Why: fail}
		}
	}
	if best.In {
		best.Why = ""
	}
	return best
}

var riskDims = [3]dimID{dimSignInRisk, dimUserRisk, dimInsiderRisk}

// everywhere calls f for a point at each real place and each risk that some policy tells
// apart, until it says no.
func (e *Engine) everywhere(p Point, f func(Point, [3]int32) bool) {
	levels := func(l dimID) []int32 {
		if !slices.Contains(e.live, int(l)) {
			return []int32{0}
		}
		return []int32{0, 1, 2, 3}
	}
	d := &e.dims[dimLocation]
	for c := range e.geo.places {
		if d.vague[c] || d.blur[c] {
			continue
		}
		p.Classes[dimLocation] = int32(c)
		for _, a := range levels(dimSignInRisk) {
			for _, b := range levels(dimUserRisk) {
				for _, i := range levels(dimInsiderRisk) {
					p.Classes[dimSignInRisk], p.Classes[dimUserRisk], p.Classes[dimInsiderRisk] = a, b, i
					if !f(p, [3]int32{a, b, i}) {
						return
					}
				}
			}
		}
	}
}

// spot says where a point is and at which risk.
func (e *Engine) spot(p Point) string {
	out := "from " + e.geo.places[p.Classes[dimLocation]].label
	for _, l := range riskDims {
		if c := p.Classes[l]; c > 0 {
			out += ", " + e.dims[l].name + " " + e.dims[l].labels[c]
		}
	}
	return out
}
