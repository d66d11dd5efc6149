package scenario

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// TestReplay asks the access engine, apart from signon, about every generated
// row of a user: the policies listed must be those that apply, the requirement
// what they come to, and a success must have satisfied it.
func TestReplay(t *testing.T) {
	t.Parallel()
	w := build(t, Options{Customers: 40, Days: 14})
	w.Read(func(s *world.State) {
		list := []string{s.Partner}
		for c := range s.PartnerTenant().Customers.All() {
			list = append(list, c.TenantID)
		}
		var rows, blocked, required, free, aobo, defaults int
		var dec read.Decoder
		var ev signin.Event
		for _, id := range list {
			for _, day := range readAll(s, s.Tenant(id), 14) {
				for _, r := range day {
					if r.UserID == "" || r.Status.ErrorCode == 50126 || r.Status.ErrorCode == 50053 {
						continue
					}
					rows++
					k := s.Tenant(r.ResourceTenantID)
					e := s.Engine(k)
					who := r.UserID
					if r.CrossTenant == "serviceProvider" {
						who = world.ServiceProviderSubject(s.Partner)
						aobo++
					}
					user, ok := e.Find(who)
					if !ok {
						t.Fatalf("%s is nobody in %s", who, k.Name)
					}
					u := s.Tenant(r.HomeTenantID)
					risk := "none"
					if u != nil && u.Users.Get(r.UserID) != nil {
						risk = u.Users.Get(r.UserID).Risk
					}
					during := r.RiskDuring
					if during == "hidden" {
						during = "none"
					}
					a := e.Decide(access.SignIn{
						User: user, App: r.ResourceID, Client: clientWord(r), Platform: platformWord(r), IP: netip.MustParseAddr(r.IPAddress),
						Country:    r.Place.Country,
						SignInRisk: during, UserRisk: risk, InsiderRisk: "none",
						Device: map[string]bool{access.AxisCompliant: false, access.AxisJoined: false, access.AxisApprovedApp: false,
							access.AxisProtectedApp: false},
					})
					raw, _ := json.Marshal(r)
					if r.Status.ErrorCode == 50057 {
						continue
					}
					var want, got []string
					for _, p := range a.Applied {
						if !strings.HasPrefix(p.ID, "partnerguard:") {
							want = append(want, p.ID)
						}
					}
					for _, p := range r.Applied {
						if p.Result == "success" || p.Result == "failure" {
							got = append(got, p.ID)
						}
					}
					slices.Sort(want)
					slices.Sort(got)
					if !slices.Equal(want, got) {
						t.Fatalf("%s: policies %v apply, the row says %v: %s", k.Name, want, got, raw)
					}
					if _, err := dec.Decode(raw, &ev); err != nil {
						t.Fatal(err)
					}
					proven := signin.Judge(&ev).Verdict.Proven()
					multi := r.Requirement == "multiFactorAuthentication"
					var providers []string
					for _, q := range r.Requirements {
						providers = append(providers, q.Provider)
					}
					switch {
					case a.Outcome == access.Blocked:
						blocked++
						if r.Status.ErrorCode != 53003 && r.Status.ErrorCode != 530035 {
							t.Fatalf("%s blocks, and the row says %d: %s", k.Name, r.Status.ErrorCode, raw)
						}
						continue
					case a.Outcome == access.MFARequired:
						required++
						if !multi || len(providers) == 0 {
							t.Fatalf("%s requires MFA, the row does not: %s", k.Name, raw)
						}
					case multi && slices.Contains(providers, "securityDefaults"):
						defaults++ // when necessary, which is not the engine's to say
					case multi && !slices.Contains(providers, "enforcedForCspAdmins"):
						t.Fatalf("%s requires nothing (%v), the row asks for MFA by %v: %s", k.Name, a.Outcome, providers, raw)
					case !multi:
						free++
					}
					if r.CrossTenant == "serviceProvider" && !slices.Contains(providers, "enforcedForCspAdmins") {
						t.Fatalf("work on behalf without the partner safeguard: %s", raw)
					}
					if r.Status.ErrorCode == 0 && multi && !proven {
						t.Fatalf("success without the MFA that was required: %s", raw)
					}
					if r.Status.ErrorCode == 0 && !multi && slices.Contains(providers, "multiConditionalAccess") {
						t.Fatalf("single factor beside a policy that asked: %s", raw)
					}
				}
			}
		}
		t.Logf("%d rows: %d blocked, %d required, %d not, %d on behalf, %d by security defaults when necessary", rows, blocked, required, free, aobo, defaults)
		for name, n := range map[string]int{"blocked": blocked, "required": required, "free": free, "on behalf": aobo, "security defaults": defaults} {
			if n == 0 {
				t.Errorf("no row is %s", name)
			}
		}
	})
}

func clientWord(r *world.SignIn) string {
	if r.Protocol == "deviceCode" {
		return "device-code"
	}
	switch r.ClientAppUsed {
	case "Browser":
		return "browser"
	case "Mobile Apps and Desktop clients":
		return "native"
	}
	return "other"
}

func platformWord(r *world.SignIn) string {
	switch {
	case strings.HasPrefix(r.Device.OperatingSystem, "Windows1"):
		return "windows"
	case r.Device.OperatingSystem == "MacOs":
		return "macOS"
	case r.Device.OperatingSystem == "Android":
		return "android"
	case r.Device.OperatingSystem == "Linux":
		return "linux"
	}
	return "unknown platform"
}

// TestHistoryIsFrozen changes policies and people, and reads the same past.
func TestHistoryIsFrozen(t *testing.T) {
	t.Parallel()
	read := func(change bool) string {
		var out string
		build(t, Options{}).Read(func(s *world.State) {
			p := s.PartnerTenant()
			if change {
				for _, d := range p.Policies.List() {
					p.Policies.Delete(d.ID)
				}
				p.SecurityDefaults = true
				s.Touch(p)
				if _, err := s.Clock.Jump(95 * 24 * 3600 * 1e9); err != nil {
					t.Fatal(err)
				}
			}
			b, _ := json.Marshal([]any{s.History.SignIns(s, p, start.AddDate(0, 0, -3)), s.History.Requests(s, p, start.AddDate(0, 0, -3))})
			out = string(b)
		})
		return out
	}
	before, after := read(false), read(true)
	if before != after || len(before) < 10_000 {
		t.Errorf("%d bytes before, %d after", len(before), len(after))
	}
}

// TestLasts compares what accounts say of their last sign-ins with the log.
func TestLasts(t *testing.T) {
	t.Parallel()
	build(t, Options{}).Read(func(s *world.State) {
		p := s.PartnerTenant()
		last := map[string]*world.SignIn{}
		for r := range s.Newest(p, s.History.First(), s.Created) {
			if r.IsInteractive && r.Status.ErrorCode == 0 && r.CrossTenant != "serviceProvider" && last[r.UserID] == nil {
				last[r.UserID] = r
			}
		}
		n := 0
		for u := range p.Users.All() {
			r := last[u.ID]
			switch {
			case r == nil:
			case u.LastInteractive.IsZero():
				t.Errorf("%s signed in on %s and knows nothing of it", u.UPN, r.CreatedDateTime)
			case u.LastInteractive.Before(r.CreatedDateTime.Add(-1e9 * 60)):
				t.Errorf("%s signed in on %s, and the account says %s", u.UPN, r.CreatedDateTime, u.LastInteractive)
			default:
				n++
			}
		}
		if n < 20 {
			t.Errorf("only %d accounts have signed in", n)
		}
	})
}

// TestRequests looks at a week of Partner Center.
func TestRequests(t *testing.T) {
	t.Parallel()
	build(t, Options{}).Read(func(s *world.State) {
		p := s.PartnerTenant()
		var portal, api, apiBare, portalBare, appOnly int
		for d := range 8 {
			for _, r := range s.History.Requests(s, p, start.AddDate(0, 0, -d)) {
				u := p.Users.Get(r.UserID)
				switch {
				case r.At.After(start) || r.ID == "" || r.TenantID != p.ID:
					t.Fatalf("%+v", r)
				case r.AppOnly:
					appOnly++
					if r.UserID != "" || r.MFA {
						t.Errorf("%+v", r)
					}
					continue
				case u == nil || r.MFA && len(u.Methods) == 0:
					t.Errorf("%+v", r)
				}
				switch {
				case r.Portal && r.MFA:
					portal++
				case r.Portal:
					portalBare++
				case r.MFA:
					api++
				default:
					apiBare++
				}
			}
		}
		if portal < 50 || api < 20 || apiBare < 5 || appOnly < 20 || portalBare != 0 {
			t.Errorf("portal %d and %d without, API %d and %d without, app-only %d", portal, portalBare, api, apiBare, appOnly)
		}
	})
}
