package verify_test

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

var now = gatewaytest.Now

var here = netip.MustParseAddr("192.0.2.1")

// rig is a verifier of one authority, with a clock of its own.
type rig struct {
	testing.TB
	*gatewaytest.Authority
	*verify.Verifier
	clock atomic.Int64 // seconds
}

func issuers() []string { return []string{gatewaytest.IssuerV1, gatewaytest.IssuerV2} }

func newRig(t testing.TB, l verify.Limits) *rig {
	t.Helper()
	return rigOf(t, gatewaytest.NewAuthority(), l)
}

func rigOf(t testing.TB, a *gatewaytest.Authority, l verify.Limits) *rig {
	t.Helper()
	r := &rig{TB: t, Authority: a}
	r.clock.Store(now.Unix())
	r.Verifier = verify.New(verify.Deps{Keys: r.Authority, Now: r.now, Limits: l})
	r.turn(1)
	return r
}

func (r *rig) now() time.Time { return time.Unix(r.clock.Load(), 0) }

func (r *rig) turn(generation uint64) {
	r.Helper()
	if err := r.Turn(generation, []gateway.Authority{{Name: "public", Issuers: issuers()}}); err != nil {
		r.Fatal(err)
	}
}

// want says what becomes of a token now.
func (r *rig) want(tok string, want gateway.Reason) *gateway.Identity {
	r.Helper()
	id, got := r.Verify(tok, here, r.now())
	if got != want || (id != nil) != (got == gateway.Passed || got == gateway.Expired || got == gateway.NotYetValid) {
		r.Errorf("%s with %+v, want %s", got, id, want)
	}
	return id
}

func TestGood(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	for range 2 { // cold, and known
		id := r.want(r.Mint(gatewaytest.V1(gatewaytest.Partner)), gateway.Passed)
		if id == nil || !id.Proven || id.Tenant != gatewaytest.Partner || id.Audience != gatewaytest.Audience || id.Account != gatewaytest.Account {
			t.Errorf("%+v", id)
		}
		id = r.want(r.Mint(gatewaytest.V2(gatewaytest.Partner)), gateway.Passed)
		if id == nil || id.Proven || id.Lacks != gateway.VersionHides {
			t.Errorf("%+v", id)
		}
		id = r.want(r.Mint(gatewaytest.AppOnly(gatewaytest.Partner)), gateway.Passed)
		if id == nil || !id.IsApp || id.Proven || id.Home != "" {
			t.Errorf("%+v", id)
		}
		id = r.want(r.Mint(gatewaytest.AOBO(gatewaytest.Customer)), gateway.Passed)
		if id == nil || id.Home != gatewaytest.Partner || id.Tenant != gatewaytest.Customer {
			t.Errorf("%+v", id)
		}
	}
	if s := r.Status(); s.Found != 4 || s.Kept != 4 || s.Results["passed"] != 4 {
		t.Errorf("%+v", s)
	}
}

// TestHome: an account is the tenant's own where idp names nobody else, and a guest is one
// whoever vouches for them.
func TestHome(t *testing.T) {
	r := newRig(t, verify.Limits{})
	own := gatewaytest.Issuer(gatewaytest.IssuerV1, gatewaytest.Partner)
	for idp, want := range map[string]string{
		own: "", gatewaytest.Issuer(gatewaytest.IssuerV2, gatewaytest.Partner): "",
		gatewaytest.Issuer(gatewaytest.IssuerV1, gatewaytest.Customer): gatewaytest.Customer,
		"live.com": gateway.OtherHome, "mail": gateway.OtherHome, "google.com": gateway.OtherHome,
		"https://idp.example/" + gatewaytest.Partner + "/": gateway.OtherHome,
	} {
		if id := r.want(r.Good(gatewaytest.Set("idp", idp)), gateway.Passed); id != nil && id.Home != want {
			t.Errorf("%s: the home is %q, want %q", idp, id.Home, want)
		}
	}
}
