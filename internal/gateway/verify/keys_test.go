package verify_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/problem"
)

// pass lets time go by; tokens are of the moment.
func (r *rig) pass(d time.Duration) { r.clock.Add(int64(d / time.Second)) }

// fresh is a good token of now.
func (r *rig) fresh(edits ...gatewaytest.Edit) string {
	return r.Good(append([]gatewaytest.Edit{gatewaytest.Times(r.now().Sub(now))}, edits...)...)
}

func (r *rig) state() verify.AuthorityStatus { return r.Status().Authorities[0] }

// settled waits until the reading in the background has ended.
func (r *rig) settled(want verify.State) {
	r.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if r.state().State == want {
			return
		}
	}
	r.Fatalf("the state is %+v, want %s", r.state(), want)
}

func TestKeysRoll(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	old := r.Newest()
	tok := r.Good()
	r.want(tok, gateway.Passed)
	r.Roll()
	r.want(r.Good(), gateway.Passed) // an unknown key is asked for at once
	r.want(tok, gateway.Passed)
	if r.Asked() != 2 || len(r.state().Keys) != 2 || r.Status().Found != 1 {
		t.Errorf("asked %d times: %+v", r.Asked(), r.Status())
	}
	r.Remove(old.ID)
	r.pass(2 * time.Hour)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Store(now.Unix())
	r.want(tok, gateway.UnknownKey) // though it was known: its key is gone, and it with it
	if s := r.state(); s.Dropped != 1 || len(s.Keys) != 1 {
		t.Errorf("%+v", s)
	}
}

// TestKeyOfOtherMaterial: a key that comes again under the same name is another.
func TestKeyOfOtherMaterial(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	old := r.Newest()
	tok := r.Good()
	r.want(tok, gateway.Passed)
	r.Remove(old.ID)
	k := gatewaytest.NewKey()
	k.ID = old.ID
	r.Publish(k)
	r.pass(2 * time.Hour)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Store(now.Unix())
	r.want(tok, gateway.BadSignature)
	r.want(r.Good(), gateway.Passed)
}

func TestAuthorityAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	r.Away(true)
	r.want(r.Good(), gateway.KeysAway) // nothing is known at all
	if !r.state().Alarm() || !errors.Is(r.Refresh(t.Context()), problem.Unavailable) {
		t.Errorf("no alarm: %+v", r.state())
	}
	r.Away(false)
	r.pass(time.Minute)
	tok := r.fresh()
	r.want(tok, gateway.Passed)
	r.Away(true)
	r.Roll()
	r.pass(90 * time.Minute)
	r.want(r.fresh(gatewaytest.Set("uti", "other")), gateway.KeysAway) // a key that is not known meanwhile
	r.settled(verify.KeysAway)
	known := r.Newest()
	r.Remove(known.ID)
	good := r.fresh(gatewaytest.Set("uti", "later"))
	r.want(good, gateway.Passed) // known keys go on
	r.want(good, gateway.Passed)
	r.pass(24 * time.Hour)
	r.want(r.fresh(gatewaytest.Set("uti", "next day")), gateway.KeysAway) // but not for ever
	long := gatewaytest.Set("exp", r.now().Unix()+3600)
	r.want(r.Good(gatewaytest.Set("iat", r.now().Unix()-60), gatewaytest.Set("nbf", r.now().Unix()-60), long), gateway.KeysAway)
	r.Away(false)
	r.pass(time.Minute)
	r.want(r.fresh(), gateway.Passed)
	r.settled(verify.KeysGood)
}

// TestKnownTokenOfOldKeys: what was verified is believed as long as its key may be used.
func TestKnownTokenOfOldKeys(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{Kept: 10 * time.Minute})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	r.Away(true)
	r.pass(9 * time.Minute)
	r.want(tok, gateway.Passed)
	r.pass(2 * time.Minute)
	r.want(tok, gateway.KeysAway)
}

func TestKeysEmptied(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	r.want(r.Good(), gateway.Passed)
	r.Empty(true)
	r.pass(61 * time.Minute)
	if err := r.Refresh(t.Context()); !errors.Is(err, problem.Unavailable) {
		t.Errorf("%v", err)
	}
	if s := r.state(); s.State != verify.KeysEmptied || !s.Alarm() || len(s.Keys) != 1 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
	r.want(r.fresh(), gateway.Passed)
	r.Empty(false)
	r.pass(time.Minute)
	if err := r.Refresh(t.Context()); err != nil || r.state().Alarm() {
		t.Errorf("%v %+v", err, r.state())
	}
}

// changing is a source whose set can be changed.
type changing struct {
	atomic.Pointer[jose.JSONWebKeySet]
}

func (c *changing) Keys(context.Context, gateway.Authority, string) (jose.JSONWebKeySet, error) {
	return *c.Load(), nil
}

// TestNothingUsable: a set without a key that is for us is no set, whoever says so.
func TestNothingUsable(t *testing.T) {
	t.Parallel()
	a, src := gatewaytest.NewAuthority(), &changing{}
	set, err := a.Keys(t.Context(), gateway.Authority{}, "")
	if err != nil {
		t.Fatal(err)
	}
	src.Store(&set)
	at := now
	v := verify.New(verify.Deps{Keys: src, Now: func() time.Time { return at }})
	if err := v.Turn(1, []gateway.Authority{{Name: "a", Issuers: issuers()}}); err != nil {
		t.Fatal(err)
	}
	if err := v.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // it must not be taken
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]jose.JSONWebKeySet{
		"empty": {}, "a shared key": {Keys: []jose.JSONWebKey{{Key: []byte("0123456789abcdef"), KeyID: "k"}}},
		"a weak key": {Keys: []jose.JSONWebKey{{Key: small.Public(), KeyID: "w"}}},
	} {
		at = at.Add(2 * time.Hour)
		src.Store(&s)
		if err := v.Refresh(t.Context()); !errors.Is(err, problem.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if got := v.Status().Authorities[0]; got.State != verify.KeysEmptied || len(got.Keys) != 1 || got.Dropped != 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if _, reason := v.Verify(a.Good(gatewaytest.Times(at.Sub(now))), here, at); reason != gateway.Passed {
			t.Errorf("%s: %s", name, reason)
		}
	}
}

// TestUnknownKeysCostLittle: whoever makes up keys does not make us hammer the authority.
func TestUnknownKeysCostLittle(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	r.want(r.Good(), gateway.Passed)
	before := r.Asked()
	for i := range 200 {
		r.want(r.Good(gatewaytest.Head("kid", fmt.Sprint("made-up-", i))), gateway.UnknownKey)
	}
	if n := r.Asked() - before; n == 0 || n > 3 {
		t.Errorf("asked %d times for 200 keys", n)
	}
	r.pass(10 * time.Minute)
	before = r.Asked()
	for range 200 {
		r.want(r.fresh(gatewaytest.Head("kid", "made-up")), gateway.UnknownKey)
	}
	if n := r.Asked() - before; n != 1 {
		t.Errorf("asked %d times for one key", n)
	}
	r.pass(10 * time.Minute)
	k := r.Roll()
	r.want(r.fresh(), gateway.Passed)
	if r.Newest() != k {
		t.Error("not by the new key")
	}
}

// TestSlowAuthority: many wait for one reading, a bounded time; those whose key is known
// do not wait.
func TestSlowAuthority(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{KeysWait: 5 * time.Second})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	known := r.Good(gatewaytest.Set("uti", "known key"))
	r.Slow(time.Minute)
	r.Roll()
	other := r.Good()
	var all sync.WaitGroup
	from := time.Now()
	for range 20 {
		all.Go(func() { r.want(other, gateway.KeysAway) })
	}
	r.want(tok, gateway.Passed)
	r.want(known, gateway.Passed)
	if took := time.Since(from); took > 4*time.Second {
		t.Errorf("known keys waited %s", took)
	}
	all.Wait()
	if took := time.Since(from); took > 30*time.Second {
		t.Errorf("waited %s", took)
	}
	if r.Asked() != 2 {
		t.Errorf("asked %d times", r.Asked())
	}
}

// fixed is a source of one set.
type fixed []jose.JSONWebKey

func (f fixed) Keys(context.Context, gateway.Authority, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{Keys: f}, nil
}

// TestPinned: a key verifies by its own algorithm alone, and one that is not for us by none.
func TestPinned(t *testing.T) {
	t.Parallel()
	a := gatewaytest.NewAuthority()
	k, curve := a.Newest(), gatewaytest.NewCurveKey()
	pss := *k
	pss.Algorithm, pss.ID = "PS256", "pss"
	named := func(key any, id, alg, use string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: alg, Use: use}
	}
	pub := k.Private.Public()
	v := verify.New(verify.Deps{Keys: fixed{
		named(pub, k.ID, "", ""), named(pub, "pss", "PS256", ""), named(curve.Private.Public(), curve.ID, "", "sig"), named(pub, "enc", "", "enc"),
		named(pub, "hs", "HS256", "sig"), named(pub, "es", "ES256", ""), named([]byte("0123456789abcdef0123456789abcdef"), "oct", "", ""),
		named(k.Private, "private", "", ""), named(pub, "twin", "", ""), named(gatewaytest.Stranger().Private.Public(), "twin", "", ""), named(pub, "", "", ""),
	}})
	if err := v.Turn(1, []gateway.Authority{{Name: "a", Issuers: issuers()}}); err != nil {
		t.Fatal(err)
	}
	under := func(id, alg string) *gatewaytest.Key {
		return &gatewaytest.Key{ID: id, Algorithm: alg, Private: k.Private}
	}
	for _, c := range []struct {
		key  *gatewaytest.Key
		want gateway.Reason
	}{
		{k, gateway.Passed}, {&pss, gateway.Passed}, {curve, gateway.Passed}, {under(k.ID, "PS256"), gateway.BadAlgorithm},
		{under("pss", "RS256"), gateway.BadAlgorithm},
		{under("enc", "RS256"), gateway.UnknownKey}, {under("hs", "RS256"), gateway.UnknownKey}, {under("es", "RS256"), gateway.UnknownKey},
		{under("oct", "RS256"), gateway.UnknownKey}, {under("private", "RS256"), gateway.UnknownKey}, {under("twin", "RS256"), gateway.UnknownKey},
		{under(curve.ID, "RS256"), gateway.BadAlgorithm},
	} {
		if _, got := v.Verify(a.Good(gatewaytest.By(c.key)), here, now); got != c.want {
			t.Errorf("%s with %s: %s, want %s", c.key.ID, c.key.Algorithm, got, c.want)
		}
	}
	short := func(t *gatewaytest.Token) { t.Sign = func(in string) []byte { return curve.Sign(in)[:63] } }
	if _, got := v.Verify(a.Good(gatewaytest.By(curve), short), here, now); got != gateway.BadSignature {
		t.Errorf("a signature of 63 bytes: %s", got)
	}
}

// TestClockSetBack: after a clock that was far ahead is set right, keys are read as often as
// before, and who was unknown then is asked for again.
func TestClockSetBack(t *testing.T) {
	r := newRig(t, verify.Limits{})
	ahead := 240 * time.Hour
	r.pass(ahead)
	r.want(r.fresh(), gateway.Passed)
	later := gatewaytest.NewKey()
	r.want(r.fresh(gatewaytest.By(later)), gateway.UnknownKey)
	r.pass(-ahead)
	kept, gone := r.fresh(), r.Newest()
	asked := r.Asked()
	for end := time.Now().Add(10 * time.Second); r.Asked() == asked && time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.want(kept, gateway.Passed)
	}
	if r.Asked() == asked {
		t.Error("keys are not read again for ten days")
	}
	r.settled(verify.KeysGood)
	r.Publish(later)
	r.pass(30 * time.Second)
	r.want(r.fresh(gatewaytest.By(later)), gateway.Passed)
	r.Remove(gone.ID)
	r.pass(2 * time.Hour)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, reason := r.Verify(r.fresh(gatewaytest.By(gone)), here, r.now()); reason == gateway.UnknownKey {
			return
		}
	}
	t.Error("a key that was taken back counts")
}
