package renew_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/access"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func connection() sam.Connection {
	return sam.Connection{
		ID: "c-1", Name: "contoso", Cloud: msapi.Commercial(), ClientID: panelApp, Account: "sam@contoso.com", ObjectID: "u1", State: sam.Active, Generation: 1,
		Scopes: map[string][]string{"https://api.partnercenter.microsoft.com": {"user_impersonation"}}, AuthTime: noon, ConsentedAt: noon, ObtainedAt: noon,
	}
}

func tenantWith(t *testing.T, policies ...string) *access.Tenant {
	t.Helper()
	out := &access.Tenant{Users: []access.Subject{{ID: "u1", Name: "sam@contoso.com"}}, KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
	for i, text := range policies {
		p := new(access.Policy)
		if err := p.UnmarshalJSON([]byte(`{"id":"p` + fmt.Sprint(i) + `","displayName":"P` + fmt.Sprint(i) + `","state":"enabled",` + text + `}`)); err != nil {
			t.Fatal(err)
		}
		out.Policies = append(out.Policies, p)
	}
	return out
}

const everyone = `"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}}`

func TestPredict(t *testing.T) {
	t.Parallel()
	secretApp := &sam.Registration{ClientID: panelApp, Kind: msapi.ClientSecret, NotAfter: noon.Add(400 * day)}
	certApp := &sam.Registration{ClientID: panelApp, Kind: msapi.Certificate, Thumbprint: "aa", NotAfter: noon.Add(300 * day)}
	read := func(tenant *access.Tenant, list ...renew.Credential) *renew.Settings {
		return &renew.Settings{Tenant: tenant, Credentials: list, CredentialsRead: true}
	}
	ours := renew.Credential{ID: "k", Kind: msapi.Certificate, Thumbprint: "AA", NotAfter: noon.Add(300 * day)}
	frequency := func(n int) string {
		return everyone + fmt.Sprintf(`,"sessionControls":{"signInFrequency":{"isEnabled":true,"value":%d,"type":"days"}}`, n)
	}
	outside := strings.Replace(frequency(10), `["All"]}}`, `["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}}`, 1)
	dated := `"modifiedDateTime":"2026-04-01T00:00:00Z",`
	for name, c := range map[string]struct {
		f       renew.Facts
		change  func(*sam.Connection)
		at      time.Duration // after noon
		cause   string
		unknown string // a part of one; "" none
	}{
		"all read, nothing ends it": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t), ours)}, nil, 90 * day, renew.CauseIdle, ""},
		"nothing read":              {renew.Facts{Registration: certApp}, nil, 90 * day, renew.CauseIdle, "Conditional Access policies"},
		"nothing read, and why": {renew.Facts{Registration: certApp, Why: "the account may not read policies"}, nil, 90 * day, renew.CauseIdle,
			"may not read"},
		"no credential here": {renew.Facts{Settings: read(tenantWith(t))}, nil, 90 * day, renew.CauseIdle, "has none for"},
		"the reader says": {renew.Facts{Registration: certApp, Settings: &renew.Settings{Tenant: tenantWith(t),
			Credentials: []renew.Credential{ours}, CredentialsRead: true, Unknown: []string{"named locations"}}}, nil, 90 * day, renew.CauseIdle,
			"named locations"},
		"the certificate is removed": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t))}, nil, 40 * day,
			renew.CauseCertificate, ""},
		"the registration ends it sooner": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t), renew.Credential{ID: "k", Kind: msapi.Certificate, Thumbprint: "aa", NotAfter: noon.Add(50 * day)})}, nil, 50 * day,
			renew.CauseCertificate, ""},
		"a thumbprint not told": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t), renew.Credential{Kind: msapi.Certificate})}, nil,
			90 * day, renew.CauseIdle, "is ours"},
		"a secret": {renew.Facts{Registration: secretApp,
			Settings: read(tenantWith(t), renew.Credential{Kind: msapi.ClientSecret, NotAfter: noon.Add(60 * day)})}, nil, 60 * day, renew.CauseSecret, ""},
		"one of two secrets": {renew.Facts{Registration: secretApp,
			Settings: read(tenantWith(t), renew.Credential{Kind: msapi.ClientSecret, NotAfter: noon.Add(70 * day)},
				renew.Credential{Kind: msapi.ClientSecret, NotAfter: noon.Add(60 * day)})}, nil, 60 * day, renew.CauseSecret, "which of"},
		"the secret is gone": {renew.Facts{Registration: secretApp, Settings: read(tenantWith(t))}, nil, 40 * day, renew.CauseSecret, ""},
		"a secret of unknown end": {renew.Facts{Registration: &sam.Registration{Kind: msapi.ClientSecret}}, nil, 90 * day, renew.CauseIdle,
			"secret expires"},
		"sign-in frequency": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, frequency(30)), ours)}, nil, 30 * day,
			renew.CauseFrequency, ""},
		"the shortest": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, frequency(30), frequency(20)), ours)}, nil,
			20 * day, renew.CauseFrequency, ""},
		"longer than idle": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, frequency(100)), ours)}, nil, 90 * day,
			renew.CauseIdle, ""},
		"sign-in not known": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, frequency(30)), ours)},
			func(c *sam.Connection) { c.AuthTime = time.Time{} }, 30 * day, renew.CauseFrequency, "last signed in"},
		"somewhere, perhaps": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, outside), ours)}, nil, 10 * day,
			renew.CauseFrequency, ""},
		"somewhere, and not here": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t, dated+outside), ours)},
			func(c *sam.Connection) { c.ObtainedAt = noon.Add(11 * day) }, 101 * day, renew.CauseIdle, ""},
		"somewhere, changed since": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, strings.Replace(dated, "2026-04-01", "2026-07-01", 1)+outside), ours)},
			func(c *sam.Connection) { c.ObtainedAt = noon.Add(11 * day) }, 40 * day, renew.CauseFrequency, ""},
		"blocked": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, everyone+`,"grantControls":{"operator":"OR","builtInControls":["block"]}`), ours)}, nil, 40 * day,
			renew.CauseBlocked, ""},
		"blocked since": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, `"modifiedDateTime":"2026-05-11T12:00:00Z",`+everyone+
				`,"grantControls":{"operator":"OR","builtInControls":["block"]},"sessionControls":{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}`), ours)}, nil, 10 * day, renew.CauseBlocked, ""},
		"a frequency that came later": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, `"modifiedDateTime":"2026-05-11T12:00:00Z",`+frequency(5)), ours)}, nil, 10 * day, renew.CauseFrequency, ""},
		"a strength, perhaps": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, everyone+
				`,"grantControls":{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`), ours)}, nil, 90 * day,
			renew.CauseIdle, "authentication strength"},
		"token protection": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, everyone+`,"sessionControls":{"secureSignInSession":{"isEnabled":true}}`), ours)}, nil, 90 * day, renew.CauseIdle,
			"token protection"},
		"an unreadable length": {renew.Facts{Registration: certApp,
			Settings: read(tenantWith(t, everyone+`,"sessionControls":{"signInFrequency":{"isEnabled":true,"value":"soon","type":"days"}}`), ours)}, nil,
			90 * day, renew.CauseIdle, "how long"},
		"an account not read": {renew.Facts{Registration: certApp, Settings: read(&access.Tenant{RolesKnown: true}, ours)}, nil, 90 * day,
			renew.CauseIdle, "groups and roles"},
		"a resource not known": {renew.Facts{Registration: certApp, Settings: read(tenantWith(t), ours)},
			func(c *sam.Connection) { c.Scopes["api://x"] = nil }, 90 * day, renew.CauseIdle, "api://x"},
	} {
		con := connection()
		if c.change != nil {
			c.change(&con)
		}
		now := noon.Add(40 * day)
		got := renew.Predict(con, c.f, now)
		unknown := strings.Join(got.Unknown, "; ")
		if !got.At.Equal(noon.Add(c.at)) || got.Cause != c.cause || got.Words == "" || got.Fix == "" || !got.Computed.Equal(now) ||
			(c.unknown == "") != (unknown == "") || !strings.Contains(unknown, c.unknown) {
			t.Errorf("%s: %s in %s: %s\nunknown: %s", name, got.Cause, got.At.Sub(noon), got.Words, unknown)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	c := connection()
	c.Forecast = &sam.Forecast{At: noon.Add(100 * day), Cause: renew.CauseFrequency, Words: "w", Computed: noon.Add(80 * day)}
	end := c.Forecast.At
	keys := map[string]bool{}
	for _, x := range []struct {
		before time.Duration
		days   int // 0: none
	}{
		{30 * day, 0}, {14*day + 1, 0}, {14 * day, 14}, {14*day - 1, 14}, {7*day + 1, 14}, {7 * day, 7}, {day + 1, 7}, {day, 1}, {0, 1}, {-day, 1},
	} {
		got := renew.Warnings(end.Add(-x.before), []sam.Connection{c})
		if x.days == 0 && len(got) != 0 || x.days != 0 && (len(got) != 1 || got[0].Days != x.days) {
			t.Errorf("%s before: %+v", x.before, got)
		}
		for _, w := range got {
			keys[w.Key] = true
		}
	}
	if len(keys) != 3 {
		t.Errorf("%d warnings for three thresholds: %v", len(keys), keys)
	}
	dead := c
	dead.State = sam.Rejected
	soon := c
	soon.Forecast = &sam.Forecast{At: end.Add(-time.Hour), Cause: renew.CauseIdle}
	none := connection()
	none.ObtainedAt = end
	if got := renew.Warnings(end.Add(-day), []sam.Connection{c, dead, soon, none}); len(got) != 2 || !got[0].At.Before(got[1].At) {
		t.Errorf("%+v", got)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := noon.Add(day)
	for name, c := range map[string]struct {
		change func(*sam.Connection)
		want   renew.Health
		words  string
	}{
		"healthy":         {func(c *sam.Connection) {}, renew.Healthy, "healthy"},
		"not all known":   {func(c *sam.Connection) { c.Forecast.Unknown = []string{"x"} }, renew.Unsure, "could be read"},
		"no forecast":     {func(c *sam.Connection) { c.Forecast = nil }, renew.Unsure, "could be read"},
		"an old forecast": {func(c *sam.Connection) { c.Forecast.Computed = noon.Add(-4 * day) }, renew.Unsure, "could be read"},
		"idle soon":       {func(c *sam.Connection) { c.Forecast.At = now.Add(14 * day) }, renew.Dying, "dying on 2026-05-16 because w"},
		"a sign-in frequency": {func(c *sam.Connection) { c.Forecast.Cause, c.Forecast.At = renew.CauseFrequency, now.Add(80*day) }, renew.Dying,
			"dying on 2026-07-21"},
		"blocked": {func(c *sam.Connection) { c.Forecast.Cause, c.Forecast.At = renew.CauseBlocked, noon }, renew.Dying, "dying on"},
		"time is up": {func(c *sam.Connection) { c.Forecast.At = noon }, renew.Dying,
			"was to die on 2026-05-01 because w, and nobody has asked since"},
		"a passing trouble": {func(c *sam.Connection) { c.Trouble = &sam.Trouble{Transient: true, Times: 1} }, renew.Healthy, "healthy"},
		"rejected": {func(c *sam.Connection) {
			c.State, c.Trouble = sam.Rejected, &sam.Trouble{Code: 50173, Words: "revoked"}
		}, renew.Dead, "dead because AADSTS50173: revoked"},
		"said once": {func(c *sam.Connection) {
			c.State, c.Trouble = sam.Rejected, &sam.Trouble{Code: 50173, Words: "revoked (AADSTS50173)"}
		}, renew.Dead, "AADSTS50173: revoked\x00"},
		"damaged": {func(c *sam.Connection) { c.State, c.Trouble = sam.Damaged, &sam.Trouble{Words: "it does not open"} }, renew.Dead,
			"dead because it does not open"},
	} {
		con := connection()
		con.Forecast = &sam.Forecast{At: noon.Add(90 * day), Cause: renew.CauseIdle, Words: "w", Fix: "f", Computed: noon}
		c.change(&con)
		if got := renew.Judge(con, now); got.Health != c.want || !strings.Contains(got.Words()+"\x00", c.words) {
			t.Errorf("%s: %s, %s", name, got.Health, got.Words())
		}
	}
}

// With a certificate: the forecast is its end, the cloud refuses it then, and a
// certificate taken off the registration is seen.
func TestCertificateEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	m, err := l.store.MakeCertificate(t.Context(), sam.NewCertificate{ClientID: panelApp, Life: 60 * day})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(m.Certificate))
	put := func(keys ...world.KeyCredential) {
		l.Edit(func(s *world.State, _ *world.Tenant) {
			_, app := s.App(panelApp)
			app.Keys = keys
		})
	}
	key := world.KeyCredential{KeyID: "00000000-0000-4000-8000-0000000000aa", Type: "AsymmetricX509Cert", Usage: "Verify", DER: block.Bytes,
		End: m.Registration.NotAfter}
	put(key)
	c := l.keep(l.consent(samAgent, true))
	l.once(c.ID)
	got := l.find(c.ID).Forecast
	if got.Cause != renew.CauseCertificate || !got.At.Equal(m.Registration.NotAfter) || len(got.Unknown) != 0 {
		t.Fatalf("%+v", got)
	}
	put()
	if again, err := l.r.Forecast(t.Context(), c.ID); err != nil || again.Forecast.At.After(l.now()) || again.Forecast.Cause != renew.CauseCertificate {
		t.Errorf("taken off: %+v %v", again.Forecast, err)
	}
	if code := l.try(c.ID, l.cloud.PartnerCenterResource); code != 700027 {
		t.Errorf("taken off: %d", code)
	}
	put(key)
	l.Jump(got.At.Add(-time.Second).Sub(l.now()))
	if code := l.try(c.ID, l.cloud.PartnerCenterResource); code != 0 {
		t.Errorf("before: %d", code)
	}
	l.Jump(2 * time.Second)
	if code := l.try(c.ID, l.cloud.PartnerCenterResource); code != 7000222 {
		t.Errorf("after: %d", code)
	}
}

// Settings that cannot be read are named, and the row is not called healthy.
func TestSettingsNotRead(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	c := l.connect()
	l.facts.fails = problem.New(problem.BadInput, "the account may not read policies")
	if res := l.once(c.ID); res.Outcome != renew.Renewed || !strings.Contains(strings.Join(res.Connection.Forecast.Unknown, ";"), "may not read policies") {
		t.Errorf("%+v", res.Connection.Forecast)
	}
	if rows, err := l.r.Status(t.Context(), nil); err != nil || rows[0].Health != renew.Unsure || len(rows[0].Unknown) == 0 {
		t.Errorf("%+v %v", rows, err)
	}
	l.facts.fails = nil
	if _, err := l.r.Forecast(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if rows, err := l.r.Status(t.Context(), nil); err != nil || rows[0].Health != renew.Dying && rows[0].Health != renew.Healthy {
		t.Errorf("%+v %v", rows, err)
	}
}

// Through the queue: what is due is renewed once, what is not is left alone.
func TestThroughJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d)
		l.bare()
		l.Register(l.store)
		first := l.consent(samAgent, true)
		a := l.keep(first)
		other := l.keep(l.consent("ravi.menon@contoso.com", true))
		l.Jump(sam.RenewEvery)
		if res := l.once(other.ID); res.Outcome != renew.Renewed {
			t.Fatalf("%+v %+v", res, res.Connection.Trouble)
		}
		q, err := jobs.Open(t.Context(), d, jobs.Options{Poll: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		l.r.Jobs(q)
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			n, err := q.Waiting(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 && l.find(a.ID).Forecast != nil && l.find(a.ID).Generation > 1 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%d jobs are left", n)
			}
		}
		if err := q.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if x, y := l.find(a.ID), l.find(other.ID); x.Generation != 2 || y.Generation != 2 {
			t.Errorf("generations %d and %d", x.Generation, y.Generation)
		}
	})
}

// The pace: no more than so many a second, and a pause for everybody after 429.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := renew.NewPace(10)
		for range 32 {
			if err := p.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d < 2900*time.Millisecond || d > 3100*time.Millisecond {
			t.Errorf("32 at 10 a second took %s", d)
		}
		p.Saw(&msapi.TokenError{Status: 429, Transient: true, RetryAfter: 20 * time.Second})
		began = time.Now()
		if err := p.Wait(t.Context()); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("after a 429: %s, %v", time.Since(began), err)
		}
		for range 100 {
			p.Saw(&msapi.TokenError{Status: 429, Transient: true, RetryAfter: 1})
		}
		if got := p.PerSecond(); got != 0.5 {
			t.Errorf("the slowest is %v a second", got)
		}
		for range 1000 {
			p.Saw(nil)
		}
		if got := p.PerSecond(); got != 10 {
			t.Errorf("and back at %v", got)
		}
		p.Saw(errors.New("another"))
		if got := p.PerSecond(); got != 10 {
			t.Errorf("%v after another error", got)
		}
	})
}

func TestPlan(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]time.Duration{0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 5: 16 * time.Minute, 9: 256 * time.Minute,
		10: 6 * time.Hour, 1_000_000: 6 * time.Hour} {
		if got := renew.NextAfterTrouble(noon, times, 0, 0).Sub(noon); got != want {
			t.Errorf("%d times: %s", times, got)
		}
		if got := renew.NextAfterTrouble(noon, times, 0, 0.999).Sub(noon); got <= want || got > want*3/2 {
			t.Errorf("%d times, by chance: %s", times, got)
		}
	}
	for after, want := range map[time.Duration]time.Duration{-time.Hour: time.Minute, 30 * time.Second: time.Minute, time.Hour: time.Hour,
		1000 * time.Hour: 24 * time.Hour} {
		if got := renew.NextAfterTrouble(noon, 1, after, 0).Sub(noon); got != want {
			t.Errorf("Retry-After %s: %s", after, got)
		}
	}
	var got []time.Duration
	for _, c := range []float64{0, 0.5, 0.999} {
		got = append(got, renew.NextAfterSuccess(noon, 10*day, c).Sub(noon).Round(time.Hour))
	}
	if diff := cmp.Diff([]time.Duration{10 * day, 9*day + 12*time.Hour, 9 * day}, got); diff != "" {
		t.Error(diff)
	}
}
