package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// checkWitnesses asks of each gap's witness whether it is open in a world.
func checkWitnesses(t *testing.T, seed int, w *aWorld, q *Question, proof *Proof, e *Engine) {
	t.Helper()
	for _, g := range proof.Gaps {
		s, ok := tryOf(&g.Witness.SignIn)
		if !ok || has(w.mfaIPs, s.ip) { // the address stands for those of its class that are not among the MFA trusted IPs
			continue
		}
		user := g.Witness.SignIn.User
		account := e.account(user)
		subject := e.subject(user)
		for k := range w.people {
			who := &w.people[k]
			if who.subject != account && !(subject.External == ServiceProvider && who.subject == -2) || !sameState(who, subject) {
				continue
			}
			if !w.asked(q, who) || !w.open(who, &s, q.Require) {
				t.Fatalf("seed %d %s: the gap %q has the witness %+v, and in a world %+v is protected\n%s", seed, q.Name, g.Text, g.Witness.SignIn, *who,
					tellTenant(w.t, w))
			}
		}
	}
}

// sameState reports a person whose activations are those of the subject.
func sameState(who *person, s *Subject) bool {
	for _, r := range s.Roles {
		if !slices.Contains(who.roles, r) {
			return false
		}
	}
	for _, g := range s.Groups {
		if !slices.Contains(who.groups, g) {
			return false
		}
	}
	for _, id := range who.active { // no activation beyond
		if !slices.Contains(s.Roles, id) && !slices.Contains(s.Groups, id) {
			return false
		}
	}
	return true
}

// tryOf brings a witness to the small universe, when it has a place there.
func tryOf(s *SignIn) (try, bool) {
	out := try{client: s.Client, app: s.App, platform: s.Platform, country: s.Country, gps: "", risk: s.SignInRisk}
	if at, gps, ok := strings.Cut(s.Location, ", by GPS in "); ok {
		out.gps = map[string]string{"NL": "NL", "a country that no policy names": "DE", "no country": ""}[gps]
		ip := map[string]string{"HQ": probes[0], "HQ and Lab": probes[1], "any other location": probes[2]}[at]
		if ip == "" {
			return out, false
		}
		s.IP = netip.MustParseAddr(ip)
	} else if s.Location != "" {
		return out, false
	}
	ip := s.IP.String()
	switch {
	case netip.MustParsePrefix("203.0.113.128/25").Contains(s.IP):
		out.ip = probes[1]
	case netip.MustParsePrefix("203.0.113.0/24").Contains(s.IP):
		out.ip = probes[0]
	case strings.Contains(ip, "."):
		out.ip = probes[2]
	default:
		return out, false
	}
	for name, on := range s.Device {
		switch {
		case name == AxisCompliant && on:
			out.dev.compliant = "True"
		case name == `device.iscompliant -eq "False"` && on:
			out.dev.compliant = "False"
		case name == AxisJoined && on:
			out.dev.trust = "ServerAD"
		case name == `device.trusttype -eq "AzureAD"` && on:
			out.dev.trust = "AzureAD"
		case name == AxisApprovedApp:
			out.dev.approved = on
		case name == AxisProtectedApp:
			out.dev.protected = on
		case on:
			return out, false // a model that the universe may not have
		}
	}
	return out, true
}

func tellTenant(t *Tenant, w *aWorld) string {
	var b strings.Builder
	for _, p := range t.Policies {
		fmt.Fprintf(&b, "%s %s users %+v apps %+v clients %v platforms %+v locations %+v risk %v flows %+v", p.ID, p.State, p.Conditions.Users,
			p.Conditions.Applications, p.Conditions.ClientAppTypes, p.Conditions.Platforms.Items, p.Conditions.Locations.Items, p.Conditions.SignInRiskLevels,
			p.Conditions.Flows.Items)
		for _, d := range p.Conditions.Devices.Items {
			fmt.Fprintf(&b, " filter %+v", *d.Filter)
		}
		fmt.Fprintf(&b, " grant %+v unsupported %v fate %d\n", p.GrantControls, p.Unsupported, w.fate[p])
	}
	fmt.Fprintf(&b, "users %+v\nknown groups %v, open activation %v, roles known %v, open roles %v, custom %v, eligible lack %q, whole %v\n", t.Users,
		t.KnownGroups, t.OpenActivation, t.RolesKnown, t.OpenRoles, t.CustomRoles, t.EligibleLack, t.Whole)
	fmt.Fprintf(&b, "world: where %v, trusted %v, MFA IPs %v, suite %q, strength %v, changed %v", w.where, w.trusted, w.mfaIPs, w.suite, w.strength, w.changed)
	return b.String()
}
