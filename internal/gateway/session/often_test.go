package session_test

import (
	"maps"
	"testing"
	"time"
)

// TestEndedOnce: what ends a session can be asked for as often as somebody likes, with a
// cookie that is worth nothing any more too, and is written down once. Else one browser
// fills the list of what was revoked.
func TestEndedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	jar := maps.Clone(b.jar)
	for range 5 {
		b.jar = maps.Clone(jar)
		b.post("/.partnerguard/sign-out")
		r.at = r.at.Add(time.Second)
	}
	if len(r.ended) != 1 {
		t.Fatalf("signed out once, ended %d times", len(r.ended))
	}
	if e := r.ended[0]; e.Until.Before(monday.Add(8*time.Hour)) || e.Until.After(monday.Add(9*time.Hour)) {
		t.Errorf("a session of eight hours is remembered until %s", e.Until)
	}
	b.jar = maps.Clone(jar) // and a sign-in with the old cookie ends nothing
	b.issue(claims{"sid": "sid-2"})
	b.post("/.partnerguard/sign-in", "to", "/work")
	b.answer()
	b.get("/work")
	b.is(200)
	if len(r.ended) != 1 {
		t.Errorf("ended again: %+v", r.ended[1:])
	}
	for range 5 {
		r.front("sid=sid-2")
		r.at = r.at.Add(time.Second)
	}
	if len(r.ended) != 2 {
		t.Errorf("signed out at Entra ID once, ended %d times", len(r.ended)-1)
	}
}

// TestEverywhereAgain: what ended all of a user's sessions once ends later ones too.
func TestEverywhereAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	for n := 1; n <= 2; n++ {
		b := r.browser()
		b.enter()
		b.post("/.partnerguard/sign-out", "everywhere", "yes")
		if len(r.ended) != n || r.ended[n-1].ObjectID != ada {
			t.Fatalf("%+v", r.ended)
		}
		r.at = r.at.Add(time.Minute)
	}
}

// TestNobodysLinkSignsOut: a link to the front-channel logout with another sign-in's id
// leaves a session what it is.
func TestNobodysLinkSignsOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	b.get("/.partnerguard/front-channel-logout?sid=of-nobody")
	b.get("/work")
	b.is(200)
	b.get("/.partnerguard/front-channel-logout?sid=sid-1")
	if b.jar["__Host-pg"] != "" {
		t.Error("its own sign-in has ended, and the cookie stays")
	}
}
