package authority_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestOnce lets many ask for what works once.
func TestOnce(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID)).signIn("ada@contoso.com")
	form := values("grant_type", "authorization_code", "client_id", samApp, "client_secret", secretOK, "redirect_uri", callback, "code", b.arrived().
		Get("code"), "code_verifier", verifier)
	var won, twice atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch r := l.post("/"+partnerID+"/oauth2/v2.0/token", form); r.code() {
			case 0:
				won.Add(1)
			case 54005:
				twice.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || twice.Load() != 7 {
		t.Fatalf("a code gave %d tokens, %d were told of it", won.Load(), twice.Load())
	}

	// One TOTP code in eight flows.
	code := l.codeOf("ada@contoso.com")
	flows := make([]*browser, 8)
	for i := range flows {
		flows[i] = l.browser().get(l.authorizeURL(partnerID, "amr_values", "mfa")).send("do", "account", "loginfmt", "ada@contoso.com").
			send("do", "password", "passwd", l.passwordOf("ada@contoso.com"))
	}
	won.Store(0)
	for _, f := range flows {
		wg.Go(func() {
			if f.send("do", "totp", "otc", code); strings.Contains(f.page, "Stay signed in?") {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Fatalf("a code opened %d sign-ins", won.Load())
	}
}

func TestAuthenticationContext(t *testing.T) {
	l := newLab(t)
	l.policy(`{"id":"ca-1","displayName":"c1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":[],"includeAuthenticationContextClassReferences":["c1"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)
	rt := l.browser().get(l.authorizeURL(partnerID)).signIn("ben@contoso.com").redeem(partnerID).Refresh
	ask := `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	if r := l.refresh(partnerID, rt, "claims", ask); r.code() != 50079 && r.code() != 50076 {
		t.Fatalf("%+v", r)
	}
	b := l.browser().get(l.authorizeURL(partnerID, "claims", ask)).signIn("ada@contoso.com")
	if c := l.claims(b.redeem(partnerID).Access); len(c.ACRs) != 1 || c.ACRs[0] != "c1" || !c.HasMFA() {
		t.Fatalf("%+v", c)
	}
}
