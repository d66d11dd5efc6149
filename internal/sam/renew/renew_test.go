package renew_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
)

// A year of weekly renewals: the connection lives, with two sealed tokens at
// most, and the trail knows each.
func TestAYear(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d)
		l.bare()
		c := l.connect()
		weeks := 53
		if testing.Short() {
			weeks = 14 // past the idle limit
		}
		for week := range weeks {
			l.Jump(sam.RenewEvery)
			var got []renew.Result
			if err := l.r.Due(t.Context(), func(r renew.Result) { got = append(got, r) }); err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].Outcome != renew.Renewed || got[0].Connection.Generation != int64(week+2) || got[0].Note != "" {
				t.Fatalf("week %d: %+v", week, got)
			}
		}
		var rows int
		if err := d.QueryRow("SELECT count(*) FROM vault_rows WHERE owner = $1", c.ID).Scan(&rows); err != nil || rows != 2 {
			t.Errorf("%d sealed tokens (%v)", rows, err)
		}
		if n := events(t, d); n != weeks {
			t.Errorf("%d events", n)
		}
		c = l.find(c.ID)
		if c.State != sam.Active || c.Forecast == nil || c.Forecast.Cause != renew.CauseIdle || !c.Forecast.At.Equal(c.ObtainedAt.Add(renew.IdleLimit)) ||
			c.Proof.Answer != "proven" {
			t.Errorf("%+v %+v", c, c.Forecast)
		}
	})
}

// TestRejections: whatever ends a connection is named by its code with what to
// do, is not asked about again within the day, and heals by what heals it.
func TestRejections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kill func(*lab)
		code int
		says string // part of the words or the fix
		heal func(*lab, sam.Connection)
	}{
		"sessions revoked": {func(l *lab) {
			l.Jump(time.Second)
			l.Edit(func(s *world.State, t *world.Tenant) { s.EndSessions(t.ID, t.UserByName(samAgent).ID, "revoked") })
		}, 50173, "revoked", consentAgain},
		"password reset by an administrator": {func(l *lab) {
			l.Jump(time.Second)
			l.agent(func(u *world.User) { u.SessionsValidFrom, u.Revoked = l.Now(), "reset" })
			l.Jump(time.Second)
		}, 50173, "reset", consentAgain},
		"90 idle days": {func(l *lab) { l.Jump(renew.IdleLimit) }, 700082, "90 days", consentAgain},
		"sign-in frequency": {func(l *lab) {
			l.policy("freq", `{"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"sessionControls":{"signInFrequency":{"isEnabled":true,"value":1,"type":"days","frequencyInterval":"timeBased"}}}`)
			l.Jump(25 * time.Hour)
		}, 70043, "frequency", consentAgain},
		"secret expired": {func(l *lab) {
			l.Edit(func(s *world.State, _ *world.Tenant) {
				_, app := s.App(panelApp)
				for i := range app.Passwords {
					app.Passwords[i].End = l.Now()
				}
			})
		}, 7000222, "expired", func(l *lab, _ sam.Connection) {
			l.Edit(func(s *world.State, _ *world.Tenant) {
				_, app := s.App(panelApp)
				for i := range app.Passwords {
					app.Passwords[i].End = l.Now().Add(365 * day)
				}
			})
			l.Register(l.store) // a new secret is given
		}},
		"consent lost": {func(l *lab) {
			l.Edit(func(_ *world.State, t *world.Tenant) {
				for _, g := range t.Grants.List() {
					t.Grants.Delete(g.ID)
				}
			})
		}, 65001, "consent", nil},
		"account disabled": {func(l *lab) { l.agent(func(u *world.User) { u.Enabled = false }) }, 50057, "disabled", func(l *lab, c sam.Connection) {
			l.agent(func(u *world.User) { u.Enabled = true })
			l.Jump(27 * time.Hour) // looked at daily
		}},
		"blocked by Conditional Access": {func(l *lab) {
			l.policy("block", `{"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
		}, 53003, "block", func(l *lab, _ sam.Connection) { l.bare(); l.Jump(27 * time.Hour) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, dbtest.SQLite(t))
			l.bare()
			con := l.connect()
			if res := l.once(con.ID); res.Outcome != renew.Renewed {
				t.Fatalf("before: %+v", res)
			}
			c.kill(l)
			res := l.once(con.ID)
			got := res.Connection
			if res.Outcome != renew.Rejected || got.State != sam.Rejected || got.Trouble == nil || got.Trouble.Code != c.code || got.Trouble.Transient ||
				got.Trouble.Fix == "" ||
				!strings.Contains(got.Trouble.Words+got.Trouble.Fix, c.says) {
				t.Fatalf("%+v %+v", got, got.Trouble)
			}
			if a := l.trail.Actions(); a[len(a)-1] != "connection.rejected" || got.Generation != 2 {
				t.Errorf("%v", a)
			}
			if wait := got.RenewAfter.Sub(l.now()); wait < day || wait > 27*time.Hour {
				t.Errorf("looked at again in %s", wait)
			}
			// Until then it is left alone, and the trail is not filled.
			asked := l.asked()
			for range 5 {
				if err := l.r.Due(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			n := len(l.trail.Actions())
			l.once(con.ID)
			if l.asked() > asked+2 || len(l.trail.Actions()) != n {
				t.Errorf("asked %d more times, %d events", l.asked()-asked, len(l.trail.Actions())-n)
			}
			rows, err := l.r.Status(t.Context(), func(c sam.Connection) string { return "heal " + c.Name })
			if err != nil || len(rows) != 1 || rows[0].Health != renew.Dead || rows[0].Code != c.code || rows[0].Heal != "heal "+con.Name ||
				!strings.Contains(rows[0].Words(), fmt.Sprintf("AADSTS%d", c.code)) {
				t.Errorf("%+v %v", rows, err)
			}
			if c.heal == nil {
				return
			}
			c.heal(l, con)
			if err := l.r.Due(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := l.find(con.ID); got.State != sam.Active || got.Trouble != nil {
				t.Errorf("not healed: %+v %+v", got, got.Trouble)
			}
		})
	}
}

func consentAgain(l *lab, c sam.Connection) {
	again := l.keep(l.consent(samAgent, true))
	if again.ID != c.ID {
		l.Errorf("another connection: %s", again.ID)
	}
}

// TestPassingTroubles: what may pass is told apart from a rejection, tried
// again later each time, and costs no token.
func TestPassingTroubles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    gate.Fault
		from time.Duration // the earliest next try
	}{
		"429":                    {gate.Fault{Kind: gate.Throttle, RetryAfter: time.Hour}, time.Hour},
		"429 without a time":     {gate.Fault{Kind: gate.ThrottleBare}, time.Minute},
		"500":                    {gate.Fault{Kind: gate.Error500}, time.Minute},
		"503 with a time":        {gate.Fault{Kind: gate.Error503, RetryAfter: 10 * time.Minute}, 10 * time.Minute},
		"cut before it was seen": {gate.Fault{Kind: gate.Cut}, time.Minute},
		"half an answer":         {gate.Fault{Kind: gate.Half}, time.Minute},
		"a lost answer":          {gate.Fault{Kind: gate.Lost}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, dbtest.SQLite(t))
			l.bare()
			con := l.connect()
			c.f.Service, c.f.PathPrefix = gate.Login, "/"+l.i.Tenant.ID+"/oauth2/v2.0/token"
			if _, err := l.s.Gate.Inject(c.f); err != nil {
				t.Fatal(err)
			}
			var waits []time.Duration
			for i := range 3 {
				res := l.once(con.ID)
				got := res.Connection
				if res.Outcome != renew.Failed || got.State != sam.Active || got.Trouble == nil || !got.Trouble.Transient || got.Trouble.Times != i+1 ||
					got.Generation != 1 {
					t.Fatalf("try %d: %+v %+v", i, res, got.Trouble)
				}
				waits = append(waits, got.RenewAfter.Sub(l.now()))
			}
			if waits[0] < c.from || waits[0] > c.from*3/2+time.Second || waits[2] < 4*time.Minute {
				t.Errorf("waits %v", waits)
			}
			if rows, err := l.r.Status(t.Context(), nil); err != nil || rows[0].Health == renew.Dead || !strings.Contains(rows[0].Note, "3 renewals") {
				t.Errorf("%+v %v", rows, err)
			}
			l.s.Gate.Clear("")
			if res := l.once(con.ID); res.Outcome != renew.Renewed || res.Connection.Trouble != nil || res.Connection.Generation != 2 || res.Note != "" {
				t.Errorf("after it passed: %+v", res)
			}
		})
	}
}

// A renewed token without MFA is not used, and what is kept stays.
func TestWithoutMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	l.Register(l.store)
	c := l.keep(l.consent(nomfa, false))
	res := l.once(c.ID)
	if res.Outcome != renew.Rejected || res.Connection.State != sam.Rejected || res.Connection.Generation != 1 ||
		!strings.Contains(res.Connection.Trouble.Words, "MFA") || res.Connection.Trouble.Fix == "" {
		t.Errorf("%+v %+v", res.Connection, res.Connection.Trouble)
	}
	rows, err := l.r.Status(t.Context(), nil)
	if err != nil || rows[0].Health != renew.Dead {
		t.Errorf("%+v %v", rows, err)
	}
}

// spoilt answers with tokens of somebody else, or with what is no token.
type spoilt struct {
	msapi.Authority
	spoil func(*msapi.Grant)
}

func (s *spoilt) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	g, err := s.Authority.Refresh(ctx, r)
	if err == nil && s.spoil != nil {
		s.spoil(g)
	}
	return g, err
}

func TestAnswersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	rig := frozen(t)
	for name, spoil := range map[string]func(l *lab, g *msapi.Grant){
		"an opaque token":         func(_ *lab, g *msapi.Grant) { g.Access = secret.New("opaque-" + "0123456789") },
		"no token":                func(_ *lab, g *msapi.Grant) { g.Access = secret.Text{} },
		"somebody else's token":   func(l *lab, g *msapi.Grant) { g.Access = l.other },
		"the first half of a JWT": func(_ *lab, g *msapi.Grant) { g.Access = secret.New(g.Access.Reveal()[:len(g.Access.Reveal())/3]) },
	} {
		t.Run(name, func(t *testing.T) {
			sp := &spoilt{}
			l := labOver(t, rig, dbtest.SQLite(t), func(d *renew.Deps) { sp.Authority, d.Authority = d.Authority, sp })
			l.bare()
			l.Register(l.store)
			other := l.keep(l.consent("ravi.menon@contoso.com", true))
			h, err := l.store.Token(t.Context(), other.ID)
			if err != nil {
				t.Fatal(err)
			}
			app, err := l.store.App(t.Context(), panelApp)
			if err != nil {
				t.Fatal(err)
			}
			g, err := l.api.Refresh(t.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: app, Tenant: l.i.Tenant.ID, Refresh: h.Current,
				Scope: l.cloud.PartnerCenterResource + "/.default offline_access"})
			if err != nil {
				t.Fatal(err)
			}
			l.other = g.Access
			c := l.keep(l.consent(samAgent, true))
			sp.spoil = func(g *msapi.Grant) { spoil(l, g) }
			if res := l.once(c.ID); res.Outcome != renew.Rejected || res.Connection.Generation != 1 || res.Connection.Trouble.Fix == "" {
				t.Errorf("%+v %+v", res, res.Connection.Trouble)
			}
			sp.spoil = nil
			if res := l.once(c.ID); res.Outcome != renew.Renewed {
				t.Errorf("afterwards: %+v %+v", res, res.Connection.Trouble)
			}
		})
	}
}

// The newest token is unknown to Entra ID, as after a store that was restored
// or written wrong: the previous one carries on, and the result says so.
func TestPreviousToken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d)
		l.bare()
		c := l.connect()
		if _, err := l.store.Renewed(t.Context(), c.ID, sam.Renewal{From: 1, Used: 1, Refresh: secret.New("0.PC.not-a-token-of-theirs"),
			At: l.now()}); err != nil {
			t.Fatal(err)
		}
		res := l.once(c.ID)
		if res.Outcome != renew.Renewed || !strings.Contains(res.Note, "previous") || !strings.Contains(res.Note, "AADSTS9002313") ||
			res.Connection.Generation != 3 {
			t.Fatalf("%+v %+v", res, res.Connection.Trouble)
		}
		h, err := l.store.Token(t.Context(), c.ID)
		if err != nil || h.PreviousOf != 1 || h.Of != 3 {
			t.Errorf("%+v %v", h, err)
		}
		if res := l.once(c.ID); res.Outcome != renew.Renewed || res.Note != "" {
			t.Errorf("afterwards: %+v", res)
		}
	})
}

// A revocation is about every token of the sign-in: the previous is not tried.
func TestPreviousIsNotTriedAfterRevocation(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	c := l.connect()
	l.once(c.ID)
	l.Jump(time.Second)
	l.Edit(func(s *world.State, t *world.Tenant) { s.EndSessions(t.ID, t.UserByName(samAgent).ID, "revoked") })
	before := l.asked()
	if res := l.once(c.ID); res.Outcome != renew.Rejected || l.asked() != before+1 {
		t.Errorf("%+v, asked %d times", res, l.asked()-before)
	}
}

// The app has no credential here any more: said so, not hammered, healed at once.
func TestNoCredential(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	c := l.connect()
	if _, err := l.store.RemoveRegistration(t.Context(), panelApp); err != nil {
		t.Fatal(err)
	}
	res := l.once(c.ID)
	if res.Outcome != renew.Failed || res.Connection.Trouble == nil || res.Connection.Trouble.Transient || res.Connection.RenewAfter.Sub(l.now()) < day {
		t.Errorf("%+v %+v", res, res.Connection.Trouble)
	}
	if rows, err := l.r.Status(t.Context(), nil); err != nil || rows[0].Health != renew.Dead {
		t.Errorf("%+v %v", rows, err)
	}
	l.Register(l.store)
	if err := l.r.Due(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := l.find(c.ID); got.Trouble != nil || got.Generation != 2 {
		t.Errorf("%+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	for name, d := range map[string]renew.Deps{
		"nothing":   {},
		"no trail":  {Store: l.store, Authority: l.api},
		"too often": {Store: l.store, Authority: l.api, Record: l.trail, Every: time.Minute},
		"too rare":  {Store: l.store, Authority: l.api, Record: l.trail, Every: 80 * day},
		"backwards": {Store: l.store, Authority: l.api, Record: l.trail, Pace: -1},
	} {
		if _, err := renew.New(d); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A network that is down heals nothing: what was rejected stays so, with its
// reason, until Entra ID says otherwise.
func TestRejectedStaysRejected(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	c := l.connect()
	l.agent(func(u *world.User) { u.Enabled = false })
	l.once(c.ID)
	if _, err := l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Cut}); err != nil {
		t.Fatal(err)
	}
	res := l.once(c.ID)
	if got := res.Connection; res.Outcome != renew.Failed || got.State != sam.Rejected || got.Trouble.Code != 50057 ||
		got.RenewAfter.Sub(l.now()) > 3*time.Hour {
		t.Errorf("%+v %+v", res, res.Connection.Trouble)
	}
	l.s.Gate.Clear("")
	l.agent(func(u *world.User) { u.Enabled = true })
	if res := l.once(c.ID); res.Outcome != renew.Renewed {
		t.Errorf("%+v", res)
	}
}

// A damaged connection is said to be so and does not stop the others.
func TestDamagedConnection(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t))
	l.bare()
	l.Register(l.store)
	a, b := l.keep(l.consent(samAgent, true)), l.keep(l.consent("ravi.menon@contoso.com", true))
	if _, err := l.d.Exec("UPDATE vault_rows SET sealed = $1 WHERE owner = $2", []byte("nonsense"), a.ID); err != nil {
		t.Fatal(err)
	}
	l.Jump(sam.RenewEvery)
	got := map[string]renew.Outcome{}
	if err := l.r.Due(t.Context(), func(r renew.Result) { got[r.Connection.ID] = r.Outcome }); err != nil {
		t.Fatal(err)
	}
	if got[a.ID] != renew.Damaged || got[b.ID] != renew.Renewed {
		t.Errorf("%v", got)
	}
	rows, err := l.r.Status(t.Context(), nil)
	if err != nil || rows[0].Connection.ID != a.ID || rows[0].Health != renew.Dead {
		t.Errorf("%+v %v", rows, err)
	}
}
