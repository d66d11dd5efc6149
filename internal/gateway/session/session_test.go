package session_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway/session"
)

const cookie = session.CookieSecure

// Somebody with MFA comes in, is where they wanted to be, and goes on; then leaves.
func TestEnter(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.issue(nil)
	b.begin("/work?a=1&b=%2F")
	if a := r.entra.asked; a.Redirect != home+"/.partnerguard/callback" || a.Nonce.IsZero() || a.Challenge == "" || a.Prompt != "" || a.AMR != "" {
		t.Errorf("asked %+v", a)
	}
	b.answer("iss", "https://login.microsoftonline.com/"+tenantID+"/v2.0")
	b.leads("/work?a=1&b=%2F")
	b.get("/work?a=1&b=%2F")
	b.is(200, "upstream saw ada@contoso.com")
	if len(b.jar[cookie]) == 0 || len(b.jar[cookie]) > 3600 || strings.Contains(b.jar[cookie], "contoso") {
		t.Errorf("the cookie is %d long", len(b.jar[cookie]))
	}
	b.get("/.partnerguard/sign-out")
	b.is(200, "ada@contoso.com", "Sign out here")
	kept := b.jar[cookie]
	b.post("/.partnerguard/sign-out")
	b.leads("/.partnerguard/sign-in?why=left")
	b.get("/.partnerguard/sign-in?why=left")
	b.is(200, "signed out here")
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork")
	b.jar[cookie] = kept // a thief's
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	if got := r.words(); got != "entered, left" {
		t.Error(got)
	}
	if len(r.ended) != 1 || r.ended[0].ID == "" || r.ended[0].Session != "" || r.ended[0].ObjectID != "" {
		t.Errorf("%+v", r.ended)
	}
}

// Who comes without MFA is told so, steps up by a press, and is in.
func TestStepUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.issue(claims{"amr": []string{"pwd"}})
	b.begin("/work")
	b.answer()
	b.leads("/work")
	b.get("/work")
	b.leads("/.partnerguard/step-up?to=%2Fwork&why=single-factor")
	b.get("/.partnerguard/step-up?to=%2Fwork&why=single-factor")
	b.is(200, "does not prove MFA", "ada@contoso.com", "Sign in with MFA", "a password", host+"/work")
	before := b.jar[cookie]
	b.post("/.partnerguard/step-up", "to", "/work")
	b.leads("https://login.microsoftonline.com/" + tenantID + "/authorize")
	if a := r.entra.asked; a.Prompt != "login" || a.AMR != "mfa" || a.MaxAge > 10*time.Minute || a.LoginHint != "ada@contoso.com" ||
		a.Claims != `{"id_token":{"amr":{"essential":true,"values":["mfa"]}}}` {
		t.Errorf("asked %+v", a)
	}
	b.issue(nil)
	b.answer()
	b.leads("/work")
	b.get("/work")
	b.is(200, "upstream saw")
	after := b.jar[cookie]
	b.jar[cookie] = before
	b.get("/work")
	if b.last.Code == 200 || before == after {
		t.Error("the session before the step-up lives on")
	}
	if got := r.words(); got != "entered, stepped up" || len(r.ended) != 1 {
		t.Error(got, r.ended)
	}
	// A new sign-in was demanded, and an older one came: the demand was taken out of the address.
	b = r.browser()
	b.issue(claims{"amr": []string{"pwd"}})
	b.begin("/work")
	b.answer()
	b.post("/.partnerguard/step-up", "to", "/work")
	b.issue(claims{"auth_time": monday.Add(-time.Hour).Unix()})
	b.answer()
	b.is(403, "private window")
}

// A step-up that comes back without what was demanded says what must be set, and goes
// round in no circle.
func TestStepUpInVain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule    string
		claims  claims
		promise []string
	}{
		"no MFA": {"", claims{"amr": []string{"pwd"}}, []string{"Conditional Access policy that requires MFA", "single-factor"}},
		"third party": {"", claims{"amr": []string{"fed", "http://schemas.microsoft.com/claims/multipleauthn"}},
			[]string{"External MFA", "third-party-mfa"}},
		"version 2": {"", claims{"amr": nil, "ver": "2.0", "iss": "https://login.microsoftonline.com/" + tenantID + "/v2.0"},
			[]string{"optional claim amr"}},
		"no context":    {"    mfa: {context: c3}\n", nil, []string{"authentication context c3", "context-missing"}},
		"an old one":    {"    mfa: {maxAge: 1h}\n", claims{"auth_time": monday.Add(-2 * time.Hour).Unix()}, []string{"private window", "too-old"}},
		"no age":        {"    mfa: {maxAge: 1h}\n", claims{"auth_time": nil}, []string{"optional claim auth_time", "age-unknown"}},
		"age as a text": {"    mfa: {maxAge: 1h}\n", claims{"auth_time": "tomorrow"}, []string{"age-unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.rule)
			b := r.browser()
			b.issue(c.claims)
			b.begin("/work")
			b.answer()
			b.get("/work")
			where := b.last.Header().Get("Location")
			if !strings.HasPrefix(where, "/.partnerguard/step-up?") {
				t.Fatalf("%d %s %s", b.last.Code, where, text(b.last.Body.String()))
			}
			b.get(where)
			b.is(200)
			b.post("/.partnerguard/step-up", "to", "/work")
			b.answer()
			b.is(403, append(c.promise, "Not enough", "ada@contoso.com")...)
			if strings.Contains(b.last.Body.String(), "/.partnerguard/sign-in") {
				t.Error("it leads on by itself")
			}
		})
	}
}

// The clock goes on: an MFA grows too old, and is asked for again.
func TestGrowsOld(t *testing.T) {
	t.Parallel()
	r := newRig(t, "    mfa: {maxAge: 1h}\n")
	b := r.browser()
	b.enter()
	for range 6 { // used all along, so that it does not idle
		r.at = r.at.Add(12 * time.Minute)
		b.get("/work")
	}
	b.leads("/.partnerguard/step-up?to=%2Fwork&why=too-old")
	b.get(b.last.Header().Get("Location"))
	b.is(200, "older than 1 hour")
	b.post("/.partnerguard/step-up", "to", "/work")
	// Somebody took prompt=login out of the address, and the old sign-in came back.
	b.issue(claims{"auth_time": monday.Unix()})
	b.answer()
	b.is(403, "too-old")
	b.post("/.partnerguard/step-up", "to", "/work")
	b.issue(nil)
	b.answer()
	b.leads("/work")
	b.get("/work")
	b.is(200)
}

// A context's claim is asked for without a new sign-in.
func TestContext(t *testing.T) {
	t.Parallel()
	r := newRig(t, "    mfa: {context: c3}\n")
	b := r.browser()
	b.issue(nil)
	b.begin("/work")
	b.answer()
	b.get("/work")
	b.leads("/.partnerguard/step-up?to=%2Fwork&why=context-missing")
	b.post("/.partnerguard/step-up", "to", "/work")
	if a := r.entra.asked; a.Prompt != "" || !strings.Contains(a.Claims, `"acrs":{"essential":true,"value":"c3"}`) {
		t.Errorf("asked %+v", a)
	}
	b.issue(claims{"acrs": []string{"c3"}})
	b.answer()
	b.get("/work")
	b.is(200)
}

// A session ends when it is not used, and after its life whatever happens: at the tick.
func TestLives(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	in := func(by time.Duration) bool { r.at = r.at.Add(by); b.get("/work"); return b.last.Code == 200 }
	if !in(30*time.Minute - time.Second) {
		t.Error("it ended before its time")
	}
	if !in(29 * time.Minute) {
		t.Error("it ended although it was used")
	}
	if in(30 * time.Minute) {
		t.Error("it idles for ever")
	}
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	b.get(b.last.Header().Get("Location"))
	b.is(200, "8 hours at most", "30 minutes")
	r.at, b.jar = monday, map[string]string{}
	b.enter()
	first := b.jar[cookie]
	for r.at.Before(monday.Add(8*time.Hour - 20*time.Minute)) {
		if !in(20 * time.Minute) {
			t.Fatalf("it ended at %s", r.at)
		}
	}
	if !in(20*time.Minute-time.Second) || in(time.Second) {
		t.Errorf("its life is another: %s", r.at)
	}
	if b.jar[cookie] == first {
		t.Error("the cookie was never given anew")
	}
}

// What is used goes on in another process too, which knows of it by the cookie alone.
func TestAnotherProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	for range 3 {
		r.at = r.at.Add(20 * time.Minute)
		r.start()
		b.get("/work")
		b.is(200)
	}
	r.at = r.at.Add(-10 * time.Minute) // the clock was set back
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
}

// What the routes ask about is in the cookie and nothing else; a file that asks about
// more has everybody sign in again.
func TestGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t, "    groups: ["+group+"]\n")
	b := r.browser()
	var many []string
	for i := range 400 {
		many = append(many, strings.Replace(bo, "0001", "1"+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)), 1))
	}
	b.issue(claims{"groups": append(many, group)})
	b.begin("/work")
	b.answer()
	b.get("/work")
	b.is(200)
	if len(b.jar[cookie]) > 1200 {
		t.Errorf("the cookie is %d long", len(b.jar[cookie]))
	}
	b.issue(claims{"groups": many})
	b.jar = map[string]string{}
	b.begin("/work")
	b.answer()
	b.get("/work")
	b.is(403, "role-missing")
	b.issue(claims{"_claim_names": map[string]string{"groups": "src1"}})
	b.jar = map[string]string{}
	b.begin("/work")
	b.answer()
	b.get("/work")
	b.is(403, "roles-elsewhere")
	r.guard.Take(table(t, file("    groups: ["+group+", "+bo+"]\n"), 2))
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
}

// A route that wants everything written down lets nobody in when it cannot be.
func TestCannotBeWritten(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]int{"": 303, "    trail: full\n": 503} {
		r := newRig(t, rule)
		b := r.browser()
		b.issue(nil)
		r.fails = errors.New("disk full")
		q := url.Values{"to": {"/work"}}
		b.get("/.partnerguard/sign-in?" + q.Encode())
		b.answer()
		if b.last.Code != want || (b.jar[cookie] == "") != (want == 503) {
			t.Errorf("%q: %d", rule, b.last.Code)
		}
	}
}

// By 127.0.0.1 a sign-in begins at localhost, where its cookie will be.
func TestLoopback(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.host = "127.0.0.1:8480"
	b.get("/.partnerguard/sign-in?to=/x")
	b.leads("http://localhost:8480/.partnerguard/sign-in?to=%2Fx")
	b.host = "localhost:8480"
	b.issue(nil)
	b.get("/.partnerguard/sign-in?to=/x")
	b.answer()
	b.leads("/x")
	b.get("/x")
	b.is(200, "upstream saw")
	if b.jar[session.CookiePlain] == "" {
		t.Errorf("%v", b.jar)
	}
}
