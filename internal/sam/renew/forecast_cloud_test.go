package renew_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
)

// TestForecastIsRight makes random policies and credentials, foretells the end,
// and then looks what the partner cloud does a second before and a second after
// that moment. Where the forecast hangs on something not known it may be early,
// never late.
func TestForecastIsRight(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	c := l.connect()
	if code := l.try(c.ID, l.cloud.GraphResource); code != 0 {
		t.Fatalf("Graph: %d", code)
	}
	ip, country := l.whence()
	rounds := uint64(120)
	if testing.Short() {
		rounds = 25
	}
	seen := map[string]int{}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(seed, 90))
		l.bare()
		l.secretEnds(l.now().Add(1000 * day))
		if r.IntN(3) == 0 {
			l.secretEnds(l.now().Add(time.Duration(1+r.IntN(120)) * day))
		}
		older := l.consent(samAgent, true)
		newer := l.consent(samAgent, true)
		newer.Scopes[l.cloud.GraphResource] = []string{"User.Read"}
		c := l.keep(newer)
		if r.IntN(2) == 0 { // a renewal makes no sign-in younger
			l.Jump(time.Duration(1+r.IntN(20)) * day / 2)
			if res := l.once(c.ID); res.Outcome != renew.Renewed && res.Connection.Trouble.Code != 7000222 {
				t.Fatalf("seed %d: %+v", seed, res.Connection.Trouble)
			}
		}
		held, err := l.store.Token(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		var made []string
		for i := range 1 + r.IntN(4) {
			text := randomPolicy(r, c.ObjectID)
			made = append(made, text)
			l.policy(fmt.Sprintf("r%d", i), text)
		}
		l.facts.from, l.facts.country = netip.Addr{}, ""
		if r.IntN(2) == 0 {
			l.facts.from, l.facts.country = ip, country
		}
		c, err = l.r.Forecast(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		f := c.Forecast
		perhaps := strings.Contains(f.Words, "if it applies")
		key := f.Cause
		if perhaps {
			key += " perhaps"
		}
		seen[key]++
		ask := func(refresh secret.Text) (codes []int) {
			for _, resource := range []string{l.cloud.PartnerCenterResource, l.cloud.GraphResource} {
				codes = append(codes, l.askWith(refresh, resource))
			}
			return codes
		}
		story := func() string {
			return fmt.Sprintf("seed %d: foretold %s in %s (%s) %v; from %v\n%s", seed, f.Cause, f.At.Sub(c.ObtainedAt), f.Words, f.Unknown, l.facts.from,
				strings.Join(made, "\n"))
		}
		if before := f.At.Add(-time.Second); before.After(l.now()) {
			l.Jump(before.Sub(l.now()))
			if codes := ask(held.Current); slices.ContainsFunc(codes, func(c int) bool { return c != 0 }) && !hangsOnBlock(f) {
				t.Fatalf("dead before its time: %v\n%s", codes, story())
			}
		}
		if perhaps {
			continue
		}
		l.Jump(max(f.At.Add(time.Second).Sub(l.now()), 0))
		want := map[string][]int{
			renew.CauseIdle: {700082}, renew.CauseFrequency: {70043}, renew.CauseSecret: {7000222}, renew.CauseBlocked: {53000, 53001, 53002, 53003, 50158},
		}[f.Cause]
		if hangsOnBlock(f) { // the cloud holds what it cannot tell to apply
			want = append(want, 53000, 53001, 53002, 53003)
		}
		after := held.Current
		if f.Cause == renew.CauseIdle {
			after = older.Refresh // asking a second ago kept the newer one alive
		}
		if codes := ask(after); !slices.ContainsFunc(codes, func(c int) bool { return slices.Contains(want, c) }) {
			t.Fatalf("alive after its time: %v\n%s", codes, story())
		}
	}
	for _, k := range []string{renew.CauseIdle, renew.CauseFrequency, renew.CauseFrequency + " perhaps", renew.CauseSecret, renew.CauseBlocked} {
		if seen[k] == 0 {
			t.Errorf("no round came to %q: %v", k, seen)
		}
	}
	t.Logf("%v", seen)
}

// hangsOnBlock says that a forecast named a policy that could refuse at once.
func hangsOnBlock(f *sam.Forecast) bool {
	return slices.ContainsFunc(f.Unknown, func(s string) bool { return strings.Contains(s, "if it applies") })
}

func (l *lab) askWith(refresh secret.Text, resource string) int {
	l.Helper()
	app, err := l.store.App(l.Context(), panelApp)
	if err != nil {
		l.Fatal(err)
	}
	_, err = l.api.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: app, Tenant: l.i.Tenant.ID, Refresh: refresh, Scope: resource + "/.default"})
	if err == nil {
		return 0
	}
	te, ok := errors.AsType[*msapi.TokenError](err)
	if !ok || te.Code == 0 {
		l.Fatalf("%v %+v", err, te)
	}
	return te.Code
}

// whence is the address and country that the cloud sees us come from.
func (l *lab) whence() (ip netip.Addr, country string) {
	l.Helper()
	l.s.World.Read(func(s *world.State) {
		list := s.PartnerTenant().SignIns
		row := list[len(list)-1]
		ip, _ = netip.ParseAddr(row.IPAddress)
		country = row.Place.Country
	})
	return ip, country
}

func (l *lab) secretEnds(at time.Time) {
	l.Edit(func(s *world.State, _ *world.Tenant) {
		_, app := s.App(panelApp)
		for i := range app.Passwords {
			app.Passwords[i].End = at
		}
	})
}

func randomPolicy(r *rand.Rand, agent string) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	users := pick(`{"includeUsers":["All"]}`, `{"includeUsers":["All"]}`, `{"includeUsers":["`+agent+`"]}`, `{"includeUsers":["All"],"excludeUsers":["`+agent+
		`"]}`,
		`{"includeUsers":["00000000-0000-4000-8000-000000000001"]}`, `{"includeGroups":["00000000-0000-4000-8000-000000000002"]}`,
		`{"includeRoles":["62e90394-69f5-4237-9190-012177145e10"]}`)
	apps := pick(`{"includeApplications":["All"]}`, `{"includeApplications":["`+graphApp+`"]}`,
		`{"includeApplications":["fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"]}`,
		`{"includeApplications":["All"],"excludeApplications":["fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"]}`, `{"includeApplications":["Office365"]}`)
	more := pick("", "", "", `,"clientAppTypes":["browser"]`, `,"clientAppTypes":["mobileAppsAndDesktopClients"]`,
		`,"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`,
		`,"platforms":{"includePlatforms":["windows","macOS"]}`, `,"signInRiskLevels":["high","medium"]`)
	grant := pick(`null`, `null`, `null`, `{"operator":"OR","builtInControls":["mfa"]}`, `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`,
		`{"operator":"OR","builtInControls":["mfa"],"authenticationStrength":null}`)
	switch r.IntN(14) {
	case 0:
		grant = `{"operator":"OR","builtInControls":["block"]}`
	case 1:
		grant = `{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`
	}
	frequency := fmt.Sprintf(`{"isEnabled":true,"value":%d,"type":"days","frequencyInterval":"timeBased"}`, 1+r.IntN(100))
	switch r.IntN(8) {
	case 0:
		frequency = `{"isEnabled":true,"frequencyInterval":"everyTime"}`
	case 1:
		frequency = fmt.Sprintf(`{"isEnabled":true,"value":%d,"type":"hours","frequencyInterval":"timeBased"}`, 1+r.IntN(72))
	case 2:
		frequency = `{"isEnabled":false,"value":1,"type":"days"}`
	case 3:
		frequency = `null`
	}
	state := pick("enabled", "enabled", "enabled", "enabled", "disabled", "enabledForReportingButNotEnforced")
	return fmt.Sprintf(`{"state":%q,"conditions":{"users":%s,"applications":%s%s},"grantControls":%s,"sessionControls":{"signInFrequency":%s}}`, state, users,
		apps, more, grant, frequency)
}
