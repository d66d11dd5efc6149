package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/notify"
	"partnerguard/internal/secret"
)

// One person has a new factor and is guessed at, another has none: alerts name the
// first, doctor the second.
func TestFactorAlerts(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	ctx, s := t.Context(), w.s.MFA
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ada := mfa.Account{Tenant: w.lab.Info.Tenant.ID, Object: "aaaaaaaa-2222-3333-4444-555555555555"}
	_, link, err := s.Invite(ctx, ada, "Ada", "ada@contoso.com", "local:test")
	must(err)
	_, _, err = s.Invite(ctx, mfa.Account{Tenant: ada.Tenant, Object: "bbbbbbbb-2222-3333-4444-555555555555"}, "Bob", "bob@contoso.com", "local:test")
	must(err)
	x, _, err := s.BeginInvited(ctx, secret.New(link.Reveal()[strings.LastIndex(link.Reveal(), "/")+1:])) // of its address
	must(err)
	p, err := s.Of(ctx, ada)
	must(err)
	got, err := s.AskPasscodes(ctx, &x, &p)
	must(err)
	e, err := factor.ReadURI(got.URI)
	must(err)
	code, err := totp.GenerateCode(e.Seed.Secret.Reveal(), w.s.Now())
	must(err)
	_, _, err = s.AddPasscodes(ctx, &x, "phone", secret.New(code))
	must(err)
	for range 12 { // wrong ones, and then none is looked at
		if _, err := s.ShowCode(ctx, mfa.Try{Person: p, Source: "198.51.100.9", What: "own"}, mfa.TOTP, secret.New("00000x")); err == nil {
			t.Fatal("a wrong passcode is taken")
		}
	}
	must(w.s.Alerts.Look(ctx))
	list, err := w.s.Alerts.List(ctx, alert.Listing{})
	must(err)
	found := map[string]notify.Severity{}
	for _, a := range list {
		if a.Kind == alert.Factors && a.Count == 1 && a.Subjects[0] == "ada@contoso.com" {
			found[a.Key] = a.Severity
		}
	}
	if len(found) != 2 || found["factors:new"] != notify.Notice || found["factors:locked"] != notify.Warning {
		t.Errorf("%v of %+v", found, list)
	}
	o := app.Options{Config: w.s.Config, Lab: w.s.LabInfo(), Actor: "local:test", Now: time.Now, Getenv: func(string) string { return "" }}
	must(w.s.Close())
	r, err := app.CheckUp(ctx, o, true, nil)
	must(err)
	if said := fmt.Sprintf("%+v", r); !strings.Contains(said, "1 of 2 people have no second factor: Bob") {
		t.Errorf("doctor: %s", said)
	}
}
