package authority_test

import (
	"slices"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// demanding is a policy that asks for MFA of an hour at an authentication context.
const demanding = `{"id":"ca-9","displayName":"step up","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{` +
	`"includeApplications":[],"includeAuthenticationContextClassReferences":["c7"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR",` +
	`"builtInControls":["mfa"]},"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":1,"frequencyInterval":"timeBased"}}}`

const claimsC7 = `{"id_token":{"acrs":{"essential":true,"value":"c7"}},"access_token":{"acrs":{"essential":true,"value":"c7"}}}`

// What a context's policy says of how often to sign in holds where it is asked for alone.
func TestContextFrequency(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.policy(demanding)
	r := l.sam()
	api := func(kv ...string) *reply {
		return l.refresh(partnerID, r.Refresh, append([]string{"scope", "api://" + apiApp + "/.default"}, kv...)...)
	}
	if k := l.claims(api("claims", claimsC7).Access); !slices.Equal(k.ACRs, []string{"c7"}) {
		t.Errorf("acrs %v", k.ACRs)
	}
	l.jump(61 * time.Minute)
	if got := api("claims", claimsC7); got.Access != "" || got.Raw["error"] != "invalid_grant" && got.Raw["error"] != "interaction_required" {
		t.Errorf("after an hour: %v", got.Raw["error"])
	}
	if got := api(); got.Access == "" {
		t.Errorf("without the context: %v", got.Raw)
	}
}

// An API sees what a client understands, and amr in version 2, where it asks for it.
func TestOptionalCapabilities(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := l.sam()
	api := func(kv ...string) *reply {
		return l.refresh(partnerID, r.Refresh, append([]string{"scope", "api://" + apiApp + "/.default"}, kv...)...)
	}
	able := []string{"claims", `{"access_token":{"xms_cc":{"values":["cp1"]}}}`}
	if k := l.claims(api(able...).Access); k.CC != nil || k.AuthTime != 0 {
		t.Errorf("nobody asked: %v %d", k.CC, k.AuthTime)
	}
	l.registration(apiApp, func(a *world.Application) {
		a.More = claimsOf("accessToken", "xms_cc", "auth_time", "amr")
		a.More["api"] = map[string]any{"requestedAccessTokenVersion": 2}
	})
	if k := l.claims(api(able...).Access); !slices.Equal(k.CC, []string{"cp1"}) || k.AuthTime == 0 || !slices.Contains(k.AMR, "mfa") {
		t.Errorf("%+v", k)
	}
	if k := l.claims(api().Access); k.CC != nil {
		t.Errorf("a client that cannot: %v", k.CC)
	}
}

// An ID token tells the contexts that it was asked for.
func TestContextInIDToken(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.policy(demanding)
	if k := l.claims(l.sam("claims", claimsC7).ID); !slices.Equal(k.ACRs, []string{"c7"}) {
		t.Errorf("acrs %v", k.ACRs)
	}
	l.jump(time.Minute)
	if k := l.claims(l.sam().ID); k.ACRs != nil {
		t.Errorf("unasked: %v", k.ACRs)
	}
}
