package bridge_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault/vaulttest"
)

var (
	monday = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	here   = netip.MustParseAddr("192.0.2.17")
)

type rig struct {
	*testing.T
	*bridge.Store
	deps  bridge.Deps
	trail *trail.Trail
	at    time.Time
}

func newRig(t *testing.T, d *db.DB) *rig {
	t.Helper()
	r := &rig{T: t, at: monday}
	now := func() time.Time { return r.at }
	var err error
	r.trail, err = trail.Open(t.Context(), d, trail.Options{Now: now})
	r.must(err)
	r.deps = bridge.Deps{DB: d, Vault: vaulttest.Open(t, d), Trail: r.trail, Now: now}
	r.again()
	return r
}

// again is another process over the same database.
func (r *rig) again() {
	r.Helper()
	var err error
	r.Store, err = bridge.New(r.deps)
	r.must(err)
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func scanner() bridge.Device {
	return bridge.Device{Name: "Scanner, second floor", Mailbox: "Scans@contoso.example", Protocols: []string{bridge.SMTP}, Sources: []string{"192.0.2.0/24"},
		Ends: monday.Add(90 * 24 * time.Hour)}
}

func (r *rig) enter(password secret.Text, change func(*bridge.Attempt)) (bridge.Device, error) {
	a := bridge.Attempt{User: "scans@contoso.example", Password: password, Protocol: bridge.SMTP, Address: here}
	if change != nil {
		change(&a)
	}
	return r.Enter(r.Context(), a)
}

func (r *rig) events(a audit.Action) []trail.Entry {
	r.Helper()
	f, err := r.trail.Search(r.Context(), trail.Query{Limit: 100})
	r.must(err)
	var out []trail.Entry
	for _, e := range f.Entries {
		if e.Action == a {
			out = append(out, e)
		}
	}
	return out
}

func TestDevice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		made, password, err := r.Create(t.Context(), scanner(), "local:ada")
		r.must(err)
		if made.Mailbox != "scans@contoso.example" || len(strings.ReplaceAll(password.Reveal(), "-", "")) != 24 {
			t.Fatalf("%+v", made)
		}
		// Typed at a keypad: without dashes, in capitals.
		loud := secret.New(strings.ToUpper(strings.ReplaceAll(password.Reveal(), "-", "")))
		for _, p := range []secret.Text{password, loud} {
			if got, err := r.enter(p, nil); err != nil || got.ID != made.ID {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if _, err := r.enter(password, func(a *bridge.Attempt) { a.User = made.ID }); err != nil {
			t.Errorf("by its id: %v", err)
		}
		rows, err := r.List(t.Context())
		if err != nil || len(rows) != 1 || rows[0].UsedFrom != "192.0.2.17" || rows[0].UsedBy != "smtp" || rows[0].Used.IsZero() || rows[0].Refused != "" {
			t.Fatalf("%+v %v", rows, err)
		}
		for name, change := range map[string]func(*bridge.Attempt){
			"another mailbox":   func(a *bridge.Attempt) { a.User = "boss@contoso.example" },
			"another protocol":  func(a *bridge.Attempt) { a.Protocol = bridge.IMAP },
			"another address":   func(a *bridge.Attempt) { a.Address = netip.MustParseAddr("198.51.100.1") },
			"a wrong password":  func(a *bridge.Attempt) { a.Password = secret.New(wrong(password)) },
			"no password":       func(a *bridge.Attempt) { a.Password = secret.New("") },
			"a long password":   func(a *bridge.Attempt) { a.Password = secret.New(strings.Repeat("x", 100_000)) },
			"an unknown device": func(a *bridge.Attempt) { a.Password = secret.New(strings.Repeat("0", 24)) },
		} {
			if _, err := r.enter(password, change); !errors.Is(err, bridge.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.at = monday.Add(91 * 24 * time.Hour)
		if _, err := r.enter(password, nil); !errors.Is(err, bridge.ErrRefused) {
			t.Errorf("after its end: %v", err)
		}
		if e := r.events(audit.BridgeDeviceMade); len(e) != 1 || e[0].Actor != "local:ada" || e[0].Object != made.ID {
			t.Errorf("%+v", e)
		}
		for _, e := range append(r.events(audit.BridgeRefused), r.events(audit.BridgeDeviceMade)...) {
			for _, v := range e.Details {
				if strings.Contains(v, password.Reveal()) || strings.Contains(v, loud.Reveal()) {
					t.Error("the trail has a password")
				}
			}
		}
		if len(r.events(audit.BridgeRefused)) < 6 {
			t.Errorf("%d refusals in the trail", len(r.events(audit.BridgeRefused)))
		}
	})
}

// wrong is a password that picks the same row and does not open it.
func wrong(p secret.Text) string {
	b := []byte(p.Reveal())
	if last := len(b) - 1; b[last] == '0' {
		b[last] = '1'
	} else {
		b[last] = '0'
	}
	return string(b)
}

// A revoked device is cut off, and does not come back with the row it had.
func TestRevoke(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		made, password, err := r.Create(t.Context(), scanner(), "local:ada")
		r.must(err)
		var mark []byte
		r.must(d.QueryRowContext(t.Context(), "SELECT mark FROM bridge_devices").Scan(&mark))
		cut := 0
		gone := r.Live(made.ID, func() { cut++ })
		r.must(r.Sweep(t.Context()))
		if cut != 0 {
			t.Fatal("a good device was cut off")
		}
		if _, err := r.Revoke(t.Context(), made.ID, "local:ada"); err != nil || cut != 1 {
			t.Fatalf("%v, cut %d times", err, cut)
		}
		gone()
		if r.InUse() != 0 {
			t.Error("it is still in")
		}
		if _, err := r.enter(password, nil); !errors.Is(err, bridge.ErrRefused) {
			t.Errorf("revoked, and %v", err)
		}
		if _, err := r.Revoke(t.Context(), made.ID, "local:ada"); !errors.Is(err, problem.Conflict) {
			t.Errorf("twice: %v", err)
		}
		if _, err := r.Revoke(t.Context(), "bd-none", "local:ada"); !errors.Is(err, problem.NotFound) {
			t.Errorf("nobody: %v", err)
		}
		// Another process finds it by sweeping.
		other, err := bridge.New(r.deps)
		r.must(err)
		other.Live(made.ID, func() { cut++ })
		r.must(other.Sweep(t.Context()))
		if cut != 2 {
			t.Errorf("elsewhere it was cut off %d times", cut-1)
		}
		// The row of before is put back, with the mark it had.
		_, err = d.ExecContext(t.Context(), "UPDATE bridge_devices SET revoked = 0, revoker = '', mark = $1", mark)
		r.must(err)
		r.again()
		if _, err := r.enter(password, nil); !errors.Is(err, bridge.ErrRefused) {
			t.Errorf("put back, and %v", err)
		}
		if rows, err := r.List(t.Context()); err != nil || rows[0].Refused == "" || rows[0].State(r.at) != "refused" {
			t.Errorf("%+v %v", rows, err)
		}
	})
}

// What the database was made to say lets nobody in.
func TestForged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"another mailbox": "UPDATE bridge_devices SET mailbox = 'boss@contoso.example'",
		"anywhere":        "UPDATE bridge_devices SET sources = '[]'",
		"for ever":        "UPDATE bridge_devices SET ends = ends * 2",
		"a sender more":   `UPDATE bridge_devices SET senders = '["boss@contoso.example"]'`,
		"another hash":    "UPDATE bridge_devices SET hash = 'argon2id-19456-2-1$AAAA$AAAA'",
		"without a mark":  "UPDATE bridge_devices SET mark = ''",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			r := newRig(t, d)
			made, password, err := r.Create(t.Context(), scanner(), "local:ada")
			r.must(err)
			if name == "without a mark" {
				change = "UPDATE bridge_devices SET mark = x''"
			}
			_, err = d.ExecContext(t.Context(), change)
			r.must(err)
			for _, user := range []string{made.Mailbox, "boss@contoso.example"} {
				if _, err := r.enter(password, func(a *bridge.Attempt) { a.User = user }); !errors.Is(err, bridge.ErrRefused) {
					t.Errorf("%s: %v", user, err)
				}
			}
			if rows, err := r.List(t.Context()); err != nil || rows[0].Refused == "" {
				t.Errorf("%+v %v", rows, err)
			}
		})
	}
}

// Whoever guesses waits; the device that came in from where it is does not.
func TestSlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	dev := scanner()
	dev.Sources = nil
	_, password, err := r.Create(t.Context(), dev, "local:ada")
	r.must(err)
	if _, err := r.enter(password, nil); err != nil {
		t.Fatal(err)
	}
	attacker := func(a *bridge.Attempt) {
		a.Address, a.Password = netip.MustParseAddr("198.51.100.7"), secret.New(wrong(password))
	}
	waited, refused := 0, 0
	for range 60 {
		switch _, err := r.enter(password, attacker); {
		case errors.Is(err, problem.Limit):
			waited++
			r.at = r.at.Add(time.Second)
		case errors.Is(err, bridge.ErrRefused):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if waited < 40 || refused > 12 {
		t.Errorf("%d waited, %d were looked at", waited, refused)
	}
	if _, err := r.enter(password, nil); err != nil {
		t.Errorf("the victim waits: %v", err)
	}
	// Even with the right password the attacker's source waits.
	if _, err := r.enter(password, func(a *bridge.Attempt) { a.Address = netip.MustParseAddr("198.51.100.7") }); !errors.Is(err, problem.Limit) {
		t.Errorf("%v", err)
	}
	// Guessers of one network of IPv6 are one.
	for i := range 20 {
		at := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		_, err = r.enter(password, func(a *bridge.Attempt) { a.Address, a.Password = at, secret.New("x") })
	}
	if !errors.Is(err, problem.Limit) {
		t.Errorf("IPv6: %v", err)
	}
	for range 100 { // and are told of
		r.at = r.at.Add(16 * time.Minute)
		_, _ = r.enter(password, attacker)
	}
	if len(r.events(audit.BridgeSlowed)) == 0 {
		t.Error("nobody is told of many wrong passwords")
	}
}

// A flood of passwords takes no more memory than its two hashes, and is turned away.
func TestFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	dev := scanner()
	dev.Sources = nil
	_, password, err := r.Create(t.Context(), dev, "local:ada")
	r.must(err)
	busy := make(chan bool, 200)
	for i := range 200 {
		go func() {
			_, err := r.enter(password, func(a *bridge.Attempt) {
				a.Address, a.Password = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), secret.New(wrong(password))
			})
			busy <- errors.Is(err, problem.Limit)
		}()
	}
	turned := 0
	for range 200 {
		if <-busy {
			turned++
		}
	}
	if turned < 100 {
		t.Errorf("%d of 200 were turned away", turned)
	}
}

func TestDeviceFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	for name, change := range map[string]func(*bridge.Device){
		"no name":           func(d *bridge.Device) { d.Name = " " },
		"an unseen name":    func(d *bridge.Device) { d.Name = "a\u202eb" },
		"a long name":       func(d *bridge.Device) { d.Name = strings.Repeat("a", 81) },
		"no mailbox":        func(d *bridge.Device) { d.Mailbox = "" },
		"a mailbox of two":  func(d *bridge.Device) { d.Mailbox = "a@b@c" },
		"a quoted mailbox":  func(d *bridge.Device) { d.Mailbox = `"a b"@c.example` },
		"a line in it":      func(d *bridge.Device) { d.Mailbox = "a@c.example\r\nRCPT TO:<b@c>" },
		"no protocol":       func(d *bridge.Device) { d.Protocols = nil },
		"a strange one":     func(d *bridge.Device) { d.Protocols = []string{"ftp"} },
		"a strange source":  func(d *bridge.Device) { d.Sources = []string{"everywhere"} },
		"a strange network": func(d *bridge.Device) { d.Sources = []string{"192.0.2.0/33"} },
		"many sources":      func(d *bridge.Device) { d.Sources = make([]string, 33) },
		"a strange sender":  func(d *bridge.Device) { d.Senders = []string{"*"} },
		"over":              func(d *bridge.Device) { d.Ends = monday },
		"for ever":          func(d *bridge.Device) { d.Ends = monday.Add(20_000 * time.Hour) },
	} {
		d := scanner()
		change(&d)
		if _, _, err := r.Create(t.Context(), d, "local:ada"); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// While the database is away nobody comes in, and nobody is cut off for it.
func TestAway(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d)
	made, password, err := r.Create(t.Context(), scanner(), "local:ada")
	r.must(err)
	cut := 0
	r.Live(made.ID, func() { cut++ })
	r.must(d.Close())
	if _, err := r.enter(password, nil); !errors.Is(err, problem.Unavailable) {
		t.Errorf("%v", err)
	}
	if err := r.Sweep(context.WithoutCancel(t.Context())); err == nil || cut != 0 {
		t.Errorf("%v, cut %d", err, cut)
	}
}

// Letters of other scripts that look or fold alike make another address.
func TestMayWriteAs(t *testing.T) {
	t.Parallel()
	d := bridge.Device{Mailbox: "desk-scans@contoso.example", Senders: []string{"kiosk@contoso.example"}}
	for address, want := range map[string]bool{"Desk-Scans@CONTOSO.example": true, "KIOSK@contoso.example": true, "boss@contoso.example": false, "": false,
		"desk-\u017fcans@contoso.example": false, "\u212aiosk@contoso.example": false, "desk-scans@conto\u017fo.example": false,
		"desk-scans@contoso.example\r\nX: y": false} {
		if got := d.MayWriteAs(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
