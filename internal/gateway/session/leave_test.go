package session_test

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// front asks as Entra ID's frame does: without cookies.
func (r *rig) front(query string) *httptest.ResponseRecorder {
	b := r.browser()
	b.get("/.partnerguard/front-channel-logout?" + query)
	return b.last
}

// Who signs out at Entra ID is signed out here, by the sign-in's id.
func TestFrontChannel(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	iss := url.QueryEscape("https://sts.windows.net/" + tenantID + "/")
	for _, bad := range []string{"", "sid=", "iss=" + iss, "sid=sid-1&sid=sid-2", "sid=sid-1&iss=https://evil.example/", "sid=" + strings.Repeat("a", 200),
		"sid=a%0ab", "sid=sid-1&iss=" + url.QueryEscape("https://sts.windows.net/"+bo+"/")} {
		if res := r.front(bad); res.Code != 400 {
			t.Errorf("%q: %d", bad, res.Code)
		}
	}
	b.get("/work")
	b.is(200)
	res := r.front("sid=sid-1&iss=" + iss)
	if res.Code != 200 || !strings.Contains(res.Header().Get("Content-Security-Policy"), "frame-ancestors https://login.microsoftonline.com") ||
		res.Header().Get("X-Frame-Options") != "" || res.Header().Get("Set-Cookie") != "" {
		t.Errorf("%d %v", res.Code, res.Header())
	}
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	if e := r.ended[len(r.ended)-1]; e.Session != "sid-1" || e.ObjectID != "" {
		t.Errorf("%+v", e)
	}
	// One that this process has not seen: it holds all the same, and is told to nobody.
	r = newRig(t, "")
	b = r.browser()
	b.enter()
	r.start()
	b.h = r.h
	r.front("sid=sid-1")
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	if len(r.ended) != 0 || r.words() != "entered" {
		t.Errorf("a stranger writes: %v %s", r.ended, r.words())
	}
}

// A logout token ends sessions when it is one.
func TestBackChannel(t *testing.T) {
	t.Parallel()
	k, other := signers()
	event := map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}
	n := monday.Unix()
	good := claims{"iss": "https://sts.windows.net/" + tenantID + "/", "tid": tenantID, "ver": "1.0", "aud": appID, "iat": n, "exp": n + 120, "jti": "j1",
		"sid": "sid-1", "events": event}
	send := func(r *rig, form url.Values) *httptest.ResponseRecorder {
		b := r.browser()
		b.do("POST", "/.partnerguard/back-channel-logout", form, "Sec-Fetch-Site", "cross-site")
		return b.last
	}
	of := func(kind string, c claims) url.Values {
		return url.Values{"logout_token": {sign(t, k, kind, c).Reveal()}}
	}
	for name, c := range map[string]url.Values{
		"nothing":                 {},
		"twice":                   {"logout_token": {"a", "b"}},
		"no token":                {"logout_token": {"x"}},
		"a nonce":                 of("logout+jwt", with(good, claims{"nonce": "x"})),
		"a nonce that is null":    of("logout+jwt", with(good, claims{"nonce": json.RawMessage("null")})),
		"no event":                of("logout+jwt", with(good, claims{"events": nil})),
		"another event":           of("logout+jwt", with(good, claims{"events": map[string]any{"x": map[string]any{}}})),
		"an event that is a text": of("logout+jwt", with(good, claims{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": "x"}})),
		"no jti":                  of("logout+jwt", with(good, claims{"jti": nil})),
		"nobody":                  of("logout+jwt", with(good, claims{"sid": nil})),
		"an old one":              of("logout+jwt", with(good, claims{"iat": n - 3600})),
		"no iat":                  of("logout+jwt", with(good, claims{"iat": nil})),
		"expired":                 of("logout+jwt", with(good, claims{"exp": n - 3600, "iat": n - 3700})),
		"another's":               of("logout+jwt", with(good, claims{"aud": bo})),
		"another tenant's":        of("logout+jwt", with(good, claims{"tid": bo, "iss": "https://sts.windows.net/" + bo + "/"})),
		"another type":            of("secevent+jwt", good),
		"signed by another":       {"logout_token": {sign(t, other, "logout+jwt", good).Reveal()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "")
			b := r.browser()
			b.enter()
			if res := send(r, c); res.Code != 400 || !strings.Contains(res.Body.String(), "invalid_request") || len(r.ended) != 0 {
				t.Errorf("%d %s %v", res.Code, res.Body, r.ended)
			}
			b.get("/work")
			b.is(200)
		})
	}
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	form := of("logout+jwt", good)
	if res := send(r, form); res.Code != 200 || res.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	if res := send(r, form); res.Code != 400 || !strings.Contains(res.Body.String(), "came before") {
		t.Errorf("again: %d %s", res.Code, res.Body)
	}
	clear(b.jar)
	r.at = r.at.Add(time.Second)
	b.issue(claims{"sid": "sid-2"})
	b.begin("/work")
	b.answer()
	r.at = r.at.Add(time.Second)
	if res := send(r, of("JWT", with(good, claims{"sid": nil, "oid": ada, "jti": "j2"}))); res.Code != 200 {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
}
