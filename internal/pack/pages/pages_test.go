package pages_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/pages"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

const (
	partner  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customer = "22222222-2222-4222-8222-222222222222"
)

func rows() []pack.Row {
	month := func(m time.Month) time.Time { return time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC) }
	return []pack.Row{
		{Name: "pack-7b2d1c5e-2026-10-01-a1b2c3", Tenant: partner, From: month(10), To: month(11), Reader: "auditor", Evidence: form.All, Size: 91 << 20,
			SHA256: strings.Repeat("ab", 32), Made: screentest.Now.Add(-50 * time.Hour), Actor: "local:ada"},
		{Name: "pack-7b2d1c5e-2026-10-01-d4e5f6", Tenant: partner, From: month(10), To: month(11), Reader: "insurer", Evidence: form.None, Size: 412_000,
			Redaction: []string{"addresses", "names"}, SHA256: strings.Repeat("cd", 32), Made: screentest.Now.Add(-49 * time.Hour),
			Actor: "<script>alert(1)</script>"},
		{Name: "pack-22222222-2026-09-01-0a0b0c", Tenant: customer, Customer: customer, From: month(9), To: month(10), Reader: "customer",
			Evidence: form.Deciding,
			Size:     3 << 20, SHA256: strings.Repeat("ef", 32), Made: screentest.Now.Add(-800 * time.Hour), Actor: "system:pack"},
	}
}

// asks are one that waits, one that runs, one that was made and one that could not be.
func asks() []*pack.Asked {
	of := func(id, tenant string, change func(*pack.Asked)) *pack.Asked {
		a := pack.AskOf(&pack.Options{Tenant: tenant, From: rows()[0].From, To: rows()[0].To, Reader: "auditor"}, "local:ada", screentest.Now)
		a.ID = id
		change(a)
		return a
	}
	return []*pack.Asked{
		of("000000000000000a", partner, func(*pack.Asked) {}),
		of("000000000000000b", partner, func(a *pack.Asked) { a.Begun, a.Done, a.Of = screentest.Now, 30, 100 }),
		of("000000000000000c", customer, func(a *pack.Asked) { a.Begun, a.Ended, a.Pack = screentest.Now, screentest.Now, "pack-c" }),
		of("000000000000000d", partner, func(a *pack.Asked) {
			a.Begun, a.Ended, a.Error, a.Hint = screentest.Now, screentest.Now, "verdicts come out <otherwise>", "--keep displayName"
		}),
	}
}

// TestAsked: the page says how far what was asked for is, comes again while its reader waits,
// and leads to the file.
func TestAsked(t *testing.T) {
	t.Parallel()
	h := house(&[]string{})
	for address, want := range map[string][]string{
		"/packs":                      {"Waiting.", "Making."},
		"/packs?ask=000000000000000b": {"Making.", `http-equiv="refresh"`, "<progress"},
		"/packs?ask=000000000000000c": {"Made.", "/packs?pack=pack-c"},
		"/packs?ask=000000000000000d": {"Not made.", "Verdicts come out", "--keep displayName"},
	} {
		text := h.HTML(t, address)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q: %.300s", address, w, text[max(0, strings.Index(text, "Not made")):])
			}
		}
		if strings.Contains(text, "<otherwise>") || address == "/packs" && (strings.Contains(text, "Made.") ||
			strings.Contains(text, "http-equiv=\"refresh\"")) {
			t.Errorf("%s says more", address)
		}
	}
	h.Viewer = screentest.Viewer()
	h.Viewer.Customers = []string{customer}
	if text := h.HTML(t, "/packs?ask=000000000000000b"); strings.Contains(text, "Making.") || strings.Contains(text, "Waiting.") {
		t.Error("who is limited to customers sees what the partner asked for")
	}
	h.Viewer = screentest.Viewer()
	h.Shoot(t, "packs-asked", "/packs?ask=000000000000000b")
}

// house is the page over a few packs; made are the packs that were asked for.
func house(made *[]string) *screentest.House {
	p := &pages.Pages{
		List: func(context.Context, int) ([]pack.Row, error) { return rows(), nil },
		Ask: func(_ context.Context, o pack.Options, actor string) (*pack.Asked, error) {
			*made = append(*made, fmt.Sprint(o.Tenant, " ", o.From.Format(time.DateOnly), " ", o.To.Format(time.DateOnly), " ", o.Reader, " ",
				o.Evidence, " ", o.Redact, o.Keep, " ", actor))
			return &pack.Asked{ID: "0123456789abcdef"}, nil
		},
		Asks: func(context.Context) ([]*pack.Asked, error) { return asks(), nil },
		Named: func(context.Context) (map[string]string, error) {
			return map[string]string{partner: "Contoso <b>"}, nil
		},
		Read: func(_ context.Context, name string) ([]byte, error) { return []byte("PK " + name), nil },
		Key:  func(context.Context) (string, error) { return "partnerguard/trail/abc+12345678+AQID", nil },
		Now:  func() time.Time { return screentest.Now },
	}
	return screentest.Of(p.Screens()...)
}

// TestPacks: the page lists packs with what they are, how they are verified and by which key.
func TestPacks(t *testing.T) {
	t.Parallel()
	h := house(&[]string{})
	text := h.HTML(t, "/packs")
	for _, want := range []string{"pack-7b2d1c5e-2026-10-01-a1b2c3", "1 Oct 2026 to 31 Oct 2026", "91 MiB", "403 KiB", "3.0 MiB", "Contoso &lt;b&gt;",
		"without addresses and names", "insurer",
		"partnerguard/trail/abc+12345678+AQID", "Make a pack", "Redact names"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "<script>alert") {
		t.Error("a script")
	}
	if text := h.HTML(t, "/packs?pack=pack-7b2d1c5e-2026-10-01-a1b2c3"); !strings.Contains(text, "/packs/file?pack=pack-7b2d1c5e") {
		t.Error("no way to the file")
	}
	screentest.HoldLists(t, h.Screens)
	h.Shoot(t, "packs", "/packs")
}

// TestLimited: who is limited to customers sees and has packs of theirs alone; who may not
// manage makes none; who may not see people has no file.
func TestLimited(t *testing.T) {
	t.Parallel()
	var made []string
	h := house(&made)
	h.Viewer = screentest.Viewer()
	h.Viewer.Customers = []string{customer}
	text := h.HTML(t, "/packs")
	if strings.Contains(text, "pack-7b2d1c5e") || !strings.Contains(text, "pack-22222222") {
		t.Error("not what is theirs alone")
	}
	s := &h.Screens[0]
	ask := func(v *screen.Viewer, name string) *screen.Ask {
		return &screen.Ask{Viewer: v, Values: url.Values{"pack": {name}}, Now: screentest.Now}
	}
	file := func(v *screen.Viewer, name string) error {
		_, err := s.Files[0].Load(t.Context(), ask(v, name))
		return err
	}
	if err := file(h.Viewer, rows()[0].Name); !errors.Is(err, problem.NotFound) {
		t.Errorf("a foreign pack: %v", err)
	}
	if err := file(h.Viewer, rows()[2].Name); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "../partnerguard.db", "pack-none"} {
		if err := file(screentest.Viewer(), name); !errors.Is(err, problem.NotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	few := screentest.Viewer()
	few.Rights = []screen.Right{screen.SeeTrail}
	if err := file(few, rows()[0].Name); !errors.Is(err, problem.Forbidden) {
		t.Errorf("who may not see people: %v", err)
	}
	h.Viewer = few
	if text := h.HTML(t, "/packs"); strings.Contains(text, "Redact names") {
		t.Error("a form for somebody who may not")
	}
	// Making.
	form := url.Values{"from": {"2026-10-01"}, "to": {"2026-10-31"}, "reader": {"insurer"}, "evidence": {"none"}, "names": {"on"},
		"keep":   {" displayName , mail"},
		"tenant": {strings.ToUpper(customer)}}
	act := s.Acts[0]
	limited := screentest.Viewer()
	limited.Customers = []string{customer}
	if done, err := act.Handle(t.Context(), ask(limited, ""), form); err != nil || !strings.Contains(done.Path, "ask=0123456789abcdef") {
		t.Error(done, err)
	}
	form.Set("tenant", "")
	if _, err := act.Handle(t.Context(), ask(limited, ""), form); !errors.Is(err, problem.Forbidden) {
		t.Errorf("of the partner: %v", err)
	}
	form.Set("to", "2026-09-01")
	if _, err := act.Handle(t.Context(), ask(screentest.Viewer(), ""), form); !errors.Is(err, problem.Usage) {
		t.Errorf("a period that ends before it begins: %v", err)
	}
	want := customer + " 2026-10-01 2026-11-01 insurer none [names] [displayName mail] " + limited.Actor
	if len(made) != 1 || made[0] != want {
		t.Errorf("made: %v, want %s", made, want)
	}
}
