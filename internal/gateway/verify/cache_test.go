package verify_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// TestKnownTokensGrowOld: a known token is held to the moment each time.
func TestKnownTokensGrowOld(t *testing.T) {
	t.Parallel()
	r := &rig{TB: t, Authority: gatewaytest.NewAuthority()}
	r.clock.Store(now.Unix())
	r.Verifier = verify.New(verify.Deps{Keys: r.Authority, Now: r.now, Leeway: 2 * time.Minute})
	r.turn(1)
	tok := r.Good(gatewaytest.Set("exp", now.Unix()+600), gatewaytest.Drop("iat"))
	r.want(tok, gateway.Passed)
	for _, c := range []struct {
		after time.Duration
		want  gateway.Reason
	}{
		{719 * time.Second, gateway.Passed}, {720 * time.Second, gateway.Expired}, {-420 * time.Second, gateway.Passed},
		{-421 * time.Second, gateway.NotYetValid},
		{0, gateway.Passed},
	} {
		r.clock.Store(now.Unix() + int64(c.after/time.Second))
		if id := r.want(tok, c.want); id == nil || id.ObjectID != gatewaytest.Person {
			t.Errorf("%s: %+v", c.after, id)
		}
	}
	if s := r.Status(); s.Results["passed"] != 1 {
		t.Errorf("it was verified again: %+v", s)
	}
}

// TestTurnForgets: what was verified by one generation of rules is verified anew by the
// next, and an authority that is not accepted any more is not believed.
func TestTurnForgets(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	r.turn(2)
	if s := r.Status(); s.Generation != 2 || s.Kept != 0 {
		t.Errorf("%+v", s)
	}
	r.want(tok, gateway.Passed)
	if s := r.Status(); s.Results["passed"] != 2 || s.Found != 0 || r.Asked() != 1 {
		t.Errorf("%+v, asked %d times", s, r.Asked())
	}
	if err := r.Turn(3, []gateway.Authority{{Name: "public", Issuers: []string{gatewaytest.IssuerV2}}}); err != nil {
		t.Fatal(err)
	}
	r.want(tok, gateway.BadIssuer)
	if err := r.Turn(4, nil); err != nil {
		t.Fatal(err)
	}
	r.want(tok, gateway.BadIssuer)
	for _, bad := range [][]gateway.Authority{
		{{Name: "", Issuers: issuers()}}, {{Name: "a"}}, {{Name: "a", Issuers: issuers()}, {Name: "a", Issuers: issuers()}},
		{{Name: "a", Issuers: []string{"sts.windows.net"}}}, {{Name: "a", Issuers: []string{"https://sts.windows.net/x{tenantid}/"}}},
		{{Name: "a", Issuers: []string{"https://sts.windows.net/{tenantid}/{tenantid}/"}}},
		{{Name: "a", Issuers: []string{"https://u:p@sts.windows.net/{tenantid}/"}}},
		{{Name: "a", Issuers: []string{"ftp://sts.windows.net/{tenantid}/"}}},
	} {
		if r.Turn(5, bad) == nil || r.Status().Generation != 4 {
			t.Errorf("taken: %+v", bad)
		}
	}
}

// TestWholeIssuers: an issuer that is named whole is that one alone.
func TestWholeIssuers(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	if err := r.Turn(2,
		[]gateway.Authority{{Name: "file", Keys: "k.json", Issuers: []string{"http://127.0.0.1:8480/" + gatewaytest.Partner + "/v2.0"}}}); err != nil {
		t.Fatal(err)
	}
	iss := func(tenant string) gatewaytest.Edit {
		return gatewaytest.Set("iss", "http://127.0.0.1:8480/"+tenant+"/v2.0")
	}
	v2 := gatewaytest.V2(gatewaytest.Partner)
	r.want(r.Mint(v2, iss(gatewaytest.Partner)), gateway.Passed)
	r.want(r.Mint(v2), gateway.BadIssuer)
	r.want(r.Mint(v2, iss(gatewaytest.Partner), gatewaytest.Set("ver", "1.0")), gateway.BadClaim)
	r.want(r.Mint(v2, iss(gatewaytest.Partner), gatewaytest.Set("tid", gatewaytest.Elsewhere)), gateway.BadIssuer)
	r.want(r.Mint(v2, iss(gatewaytest.Elsewhere), gatewaytest.Set("tid", gatewaytest.Elsewhere)), gateway.BadIssuer)
}

// TestTake: a table brings its own leeway and time for keys.
func TestTake(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	table := &gateway.Table{Generation: 7, Leeway: time.Minute, KeysKept: time.Hour, Authorities: []gateway.Authority{{Name: "public", Issuers: issuers()}}}
	if err := r.Take(table); err != nil {
		t.Fatal(err)
	}
	r.want(r.Good(gatewaytest.Set("exp", now.Unix()-59)), gateway.Passed)
	r.want(r.Good(gatewaytest.Set("exp", now.Unix()-60)), gateway.Expired)
	if s := r.Status(); s.Generation != 7 || !s.Authorities[0].Until.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	if r.Take(&gateway.Table{Authorities: []gateway.Authority{{Name: "public"}}}) == nil || r.Status().Generation != 7 {
		t.Error("a table without issuers is taken")
	}
}

// TestBounded: more tokens than there is room for, and those who are here every day stay.
func TestBounded(t *testing.T) {
	t.Parallel()
	r, _ := fast(t, verify.Limits{Tokens: 64, Bytes: 1 << 20})
	daily := r.Good()
	r.want(daily, gateway.Passed)
	for i := range 400 {
		r.want(r.Good(gatewaytest.Set("uti", fmt.Sprint(i))), gateway.Passed)
		r.want(daily, gateway.Passed)
	}
	s := r.Status()
	if s.Kept > 64 || s.Kept < 32 || s.KeptBytes > 1<<20 || s.Found != 400 {
		t.Errorf("%+v", s)
	}
	big, _ := fast(t, verify.Limits{Bytes: 64 << 10})
	for i := range 200 {
		big.want(big.Good(gatewaytest.Set("upn", fmt.Sprintf("%0900d", i))), gateway.Passed)
	}
	if s := big.Status(); s.KeptBytes > 64<<10 || s.Kept == 0 {
		t.Errorf("%+v", s)
	}
}

// TestFlood: an address that sends bad signatures is not listened to for a minute; what
// is known of it passes all the same, and others are not touched.
func TestFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{Forgive: 20, Bad: 64})
	known := r.Good()
	r.want(known, gateway.Passed)
	fresh := r.Good(gatewaytest.Set("uti", "fresh"))
	for i := range 20 {
		bad := r.Good(gatewaytest.Set("uti", fmt.Sprint(i)), gatewaytest.ForgedBy(gatewaytest.Stranger()))
		r.want(bad, gateway.BadSignature)
		if i < 19 {
			r.want(bad, gateway.BadSignature) // known to be bad: it costs nothing, and does not count
		}
	}
	r.want(r.Good(gatewaytest.Set("uti", "more"), gatewaytest.ForgedBy(gatewaytest.Stranger())), gateway.TooMany)
	r.want(fresh, gateway.TooMany)
	r.want(known, gateway.Passed)
	if _, reason := r.Verify(fresh, netip.MustParseAddr("192.0.2.2"), r.now()); reason != gateway.Passed {
		t.Errorf("another address: %s", reason)
	}
	r.pass(time.Minute)
	r.want(r.Good(gatewaytest.Set("uti", "a minute later")), gateway.Passed)

	six := newRig(t, verify.Limits{Forgive: 1})
	forged := six.Good(gatewaytest.ForgedBy(gatewaytest.Stranger()))
	if _, reason := six.Verify(forged, netip.MustParseAddr("2001:db8::1"), now); reason != gateway.BadSignature {
		t.Error(reason)
	}
	for addr, want := range map[string]gateway.Reason{"2001:db8::2": gateway.TooMany, "2001:db8:0:1::1": gateway.Passed, "::ffff:192.0.2.9": gateway.Passed} {
		six.turn(2)
		if _, reason := six.Verify(six.Good(gatewaytest.Set("uti", addr)), netip.MustParseAddr(addr), now); reason != want {
			t.Errorf("%s: %s, want %s", addr, reason, want)
		}
	}
}

// TestNothingAllocates: a known token costs no memory, and a new one little.
func TestNothingAllocates(t *testing.T) { //nolint:paralleltest // memory is the process's
	r := newRig(t, verify.Limits{})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	if n := testing.AllocsPerRun(100, func() { r.Verify(tok, here, now) }); n != 0 {
		t.Errorf("a known token costs %.0f allocations", n)
	}
	toks := make([]string, 102)
	for i := range toks {
		toks[i] = r.Good(gatewaytest.Set("uti", fmt.Sprint(i)))
	}
	i := 0
	if n := testing.AllocsPerRun(100, func() { r.Verify(toks[i], here, now); i++ }); n > 20 { // of which the signature takes nine
		t.Errorf("a new token costs %.0f allocations", n)
	}
}

// TestCrowd: many callers, turns of the rules and rolling keys at a time; nobody is taken
// who must not be, and nobody refused who is good.
func TestCrowd(t *testing.T) {
	t.Parallel()
	r, _ := fast(t, verify.Limits{Tokens: 32, Forgive: 1 << 20})
	var good, bad []string
	for i := range 24 {
		good = append(good, r.Good(gatewaytest.Set("uti", fmt.Sprint(i))))
		bad = append(bad, r.Good(gatewaytest.Set("uti", fmt.Sprint(i)), gatewaytest.ForgedBy(gatewaytest.Stranger())))
	}
	r.want(good[0], gateway.Passed)
	var all sync.WaitGroup
	var done atomic.Bool
	all.Go(func() {
		for g := uint64(2); !done.Load(); g++ {
			r.turn(g)
			r.Status()
			time.Sleep(time.Millisecond)
		}
	})
	var callers sync.WaitGroup
	for c := range 4 {
		callers.Go(func() {
			for i := range 100 {
				r.want(good[(i+c)%len(good)], gateway.Passed)
				r.want(bad[(i*7+c)%len(bad)], gateway.BadSignature)
			}
		})
	}
	callers.Wait()
	done.Store(true)
	all.Wait()
}
