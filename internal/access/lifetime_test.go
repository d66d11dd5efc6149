package access

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

const (
	partnerCenterApp = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	graphApp         = "00000003-0000-0000-c000-000000000000"
)

// TestLifetimes asks for one account, browser client, Partner Center and Graph.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	const all = `"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}`
	policy := func(conditions, frequency string) string {
		return `{"id":"p","displayName":"P","state":"enabled","modifiedDateTime":"2026-01-02T03:04:05Z","conditions":{` + conditions +
			`},"grantControls":null,"sessionControls":{"signInFrequency":` + frequency + `}}`
	}
	const days30 = `{"isEnabled":true,"value":30,"type":"days","frequencyInterval":"timeBased","authenticationType":"primaryAndSecondaryAuthentication"}`
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		policy  string
		every   time.Duration
		applies string // "" does not
		hangs   string // part of the words
	}{
		"days":                 {policy(all, days30), 30 * day, "yes", ""},
		"hours":                {policy(all, `{"isEnabled":true,"value":8,"type":"hours"}`), 8 * time.Hour, "yes", ""},
		"every time":           {policy(all, `{"isEnabled":true,"value":null,"type":null,"frequencyInterval":"everyTime"}`), 5 * time.Minute, "yes", ""},
		"second factor alone":  {policy(all, `{"isEnabled":true,"value":1,"type":"days","authenticationType":"secondaryAuthentication"}`), day, "yes", ""},
		"off":                  {policy(all, `{"isEnabled":false,"value":1,"type":"days"}`), 0, "", ""},
		"none":                 {policy(all, `null`), 0, "", ""},
		"report-only":          {strings.Replace(policy(all, days30), `"enabled"`, `"enabledForReportingButNotEnforced"`, 1), 0, "", ""},
		"disabled":             {strings.Replace(policy(all, days30), `"enabled"`, `"disabled"`, 1), 0, "", ""},
		"no length":            {policy(all, `{"isEnabled":true,"type":"days"}`), 0, "perhaps", "how long"},
		"length zero":          {policy(all, `{"isEnabled":true,"value":0,"type":"days"}`), 0, "perhaps", "how long"},
		"length beyond reason": {policy(all, `{"isEnabled":true,"value":99999999999,"type":"days"}`), 0, "perhaps", "how long"},
		"a unit of the future": {policy(all, `{"isEnabled":true,"value":3,"type":"weeks"}`), 3 * time.Hour, "perhaps", "weeks"},
		"an interval to come":  {policy(all, `{"isEnabled":true,"value":3,"type":"days","frequencyInterval":"lunar"}`), 3 * day, "perhaps", "lunar"},
		"other users":          {policy(`"users":{"includeUsers":["u2"]},"applications":{"includeApplications":["All"]}`, days30), 0, "", ""},
		"left out": {policy(`"users":{"includeUsers":["All"],"excludeUsers":["u1"]},"applications":{"includeApplications":["All"]}`, days30),
			0, "", ""},
		"one of the apps": {policy(`"users":{"includeUsers":["All"]},"applications":{"includeApplications":["`+graphApp+`"]}`, days30), 30 * day,
			"yes", ""},
		"another app":    {policy(`"users":{"includeUsers":["All"]},"applications":{"includeApplications":["x"]}`, days30), 0, "", ""},
		"another client": {policy(all+`,"clientAppTypes":["mobileAppsAndDesktopClients"]`, days30), 0, "", ""},
		"outside trusted places": {policy(all+`,"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`, days30), 30 * day, "perhaps",
			"location"},
		"one platform": {policy(all+`,"platforms":{"includePlatforms":["iOS"]}`, days30), 30 * day, "perhaps", "platform"},
		"at high risk": {policy(all+`,"signInRiskLevels":["high"]`, days30), 0, "", ""},
		"a group not read": {policy(`"users":{"includeGroups":["g"]},"applications":{"includeApplications":["All"]}`, days30), 30 * day, "perhaps",
			"group g"},
		"a condition of tomorrow": {policy(all+`,"moonPhase":["full"]`, days30), 30 * day, "perhaps", "moonphase"},
	} {
		tenant := whole(decode(t, c.policy))
		tenant.Locations = []*NamedLocation{{ID: "hq", DisplayName: "HQ", IsTrusted: lenient.Bool{Value: true, Set: true},
			Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}}}
		e := Compile(tenant)
		u, _ := e.Find("u1")
		got := e.Lifetimes(SignIn{User: u, Client: "browser"}, []string{partnerCenterApp, graphApp})
		if c.applies == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Every != c.every || got[0].Applies != c.applies || !strings.Contains(got[0].Hangs, c.hangs) ||
			(got[0].Hangs == "") != (c.applies == "yes") ||
			got[0].Policy != "P" || got[0].Changed.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLifetimesOrder(t *testing.T) {
	t.Parallel()
	var list []*Policy
	for i, f := range []string{`{"isEnabled":true,"value":30,"type":"days"}`, `{"isEnabled":true,"type":"days"}`,
		`{"isEnabled":true,"value":8,"type":"hours"}`, `{"isEnabled":true,"frequencyInterval":"everyTime"}`} {
		list = append(list, decode(t, fmt.Sprintf(`{"id":"p%d","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":null,"sessionControls":{"signInFrequency":%s}}`, i, f)))
	}
	var got []string
	for _, l := range Compile(whole(list...)).Lifetimes(SignIn{Client: "browser"}, nil) {
		got = append(got, l.ID)
	}
	if diff := cmp.Diff([]string{"p3", "p2", "p0", "p1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		grant   string // the grant controls, and what follows them
		applies string
	}{
		"block":                          {`{"operator":"OR","builtInControls":["block"]}`, "yes"},
		"mfa":                            {`{"operator":"OR","builtInControls":["mfa"]}`, ""},
		"nothing":                        {`null`, ""},
		"empty":                          {`{"operator":"OR","builtInControls":[]}`, ""},
		"a compliant device":             {`{"operator":"OR","builtInControls":["compliantDevice"]}`, "yes"},
		"mfa or a compliant device":      {`{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`, ""},
		"mfa and a compliant device":     {`{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`, "yes"},
		"a joined or compliant device":   {`{"operator":"OR","builtInControls":["domainJoinedDevice","compliantDevice"]}`, "yes"},
		"an approved app":                {`{"operator":"OR","builtInControls":["approvedApplication"]}`, "yes"},
		"terms of use":                   {`{"operator":"AND","builtInControls":["mfa"],"termsOfUse":["t"]}`, "yes"},
		"a custom factor":                {`{"operator":"OR","customAuthenticationFactors":["Duo"]}`, "yes"},
		"any MFA strength":               {`{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000002"}}`, ""},
		"a phishing-resistant strength":  {`{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`, "perhaps"},
		"that or mfa":                    {`{"operator":"OR","builtInControls":["mfa"],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`, ""},
		"risk to be remedied":            {`{"operator":"AND","builtInControls":["mfa","riskRemediation"]}`, "perhaps"},
		"a control of tomorrow":          {`{"operator":"OR","builtInControls":["telepathy"]}`, "perhaps"},
		"token protection":               {`null,"sessionControls":{"secureSignInSession":{"isEnabled":true}}`, "perhaps"},
		"token protection, switched off": {`null,"sessionControls":{"secureSignInSession":{"isEnabled":false}}`, ""},
	} {
		e := Compile(whole(decode(t, `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":`+c.grant+`}`)))
		got := e.Refusals(SignIn{Client: "browser"}, []string{partnerCenterApp})
		switch {
		case c.applies == "" && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.applies != "" && (len(got) != 1 || got[0].Applies != c.applies || got[0].Demands == "" || c.applies == "perhaps" && got[0].Hangs == ""):
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestLifetimesAgreeWithDecide: what surely applies, applies to every sign-in
// that fills in what was left open; what applies to one of them is named.
func TestLifetimesAgreeWithDecide(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 43))
		tenant := randomTenant(r)
		for i, p := range tenant.Policies {
			p.SessionControls = &SessionControls{SignInFrequency: &SignInFrequency{IsEnabled: lenient.Bool{Value: true, Set: true},
				Value: lenient.Int{Value: int64(i + 1), Set: true}, Type: "days"}}
		}
		e := Compile(tenant)
		apps := []string{"app1", entra.AppExchange, "unnamed"}
		s := SignIn{User: r.IntN(len(tenant.Users)), Client: []string{"browser", "native"}[r.IntN(2)]}
		applies := map[string]string{}
		for _, l := range e.Lifetimes(s, apps) {
			applies[l.ID] = l.Applies
			seen[l.Applies]++
		}
		var places []string
		for _, p := range e.geo.places {
			places = append(places, p.label)
		}
		everywhere := map[string]map[string]bool{} // policy -> app -> applied to every sign-in so far
		for _, app := range apps {
			for _, place := range places {
				for _, platform := range platformNames {
					in := s
					in.App, in.Location, in.Platform = app, place, platform
					a := e.Decide(in)
					for _, u := range slices.Concat(a.Applied, a.Others) {
						if strings.HasPrefix(u.ID, "partnerguard:") {
							continue
						}
						if u.Applies != "no" && applies[u.ID] == "" {
							t.Fatalf("seed %d: %s applies (%s) at %s from %s on %s, and is not named", seed, u.ID, u.Applies, app, place, platform)
						}
						if everywhere[u.ID] == nil {
							everywhere[u.ID] = map[string]bool{}
						}
						if on, ok := everywhere[u.ID][app]; !ok || on {
							everywhere[u.ID][app] = u.Applies == "yes"
						}
					}
				}
			}
		}
		for id, word := range applies {
			on := false
			for _, v := range everywhere[id] {
				on = on || v
			}
			if word == "yes" && !on {
				t.Fatalf("seed %d: %s is said to apply surely", seed, id)
			}
		}
	}
	if seen["yes"] < 50 || seen["perhaps"] < 50 {
		t.Errorf("the worlds are too plain: %v", seen)
	}
}
