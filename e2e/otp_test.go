//go:build browser

package e2e

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/factor"
	"partnerguard/internal/otp"
	"partnerguard/internal/otp/page"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

// The page of a shared floor: a person opens their own file by keyboard and without a
// script, takes a code, and closes it.
func TestOTPPage(t *testing.T) {
	const words = "correct horse battery staple"
	folder := filepath.Join(t.TempDir(), "people")
	file, err := otp.PersonFile(folder, "ada")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 30, 9, 0, 4, 0, time.UTC) }
	m := vault.NewPassphrase(func(context.Context, string, bool) (secret.Text, error) { return secret.New(words), nil })
	if err := otp.NewStore(file, m).Change(t.Context(), true, func(b *otp.Book) error {
		for _, issuer := range []string{"Contoso", "Partnerguard"} {
			if _, err := b.Add(factor.Entry{Issuer: issuer, Account: "ada@contoso.com", Seed: factor.NewSeed()}, "", now()); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	trail := &audittest.Recorder{}
	d, err := page.New(t.Context(), page.Deps{Folder: folder, Record: trail, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	k := web.NewKernel(web.Deps{})
	if err := d.Mount(k); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k)
	t.Cleanup(s.Close)

	script := axe(t)
	p := open(t, browser(t), s.URL+page.Path, 1280, "light")
	looks(t, p, "otp-form", script)
	fill(t, p, "person", "ada")
	enter(t, p, `input[type="password"]`, "not that horse at all")
	says(t, p, "The name or the passphrase is wrong")
	excuse(t, p, "403")
	time.Sleep(1100 * time.Millisecond) // the next one waits
	fill(t, p, "person", "ada")
	enter(t, p, `input[type="password"]`, words)
	says(t, p, "Contoso", "Partnerguard")
	looks(t, p, "otp-list", script)
	press(t, p, "Contoso")
	says(t, p, "Valid for 26 s")
	shape(t, p, 360, "light") // this page loads itself anew: no more is looked at than there is time for
	if out := eval[[]string](t, p, overflowIn); len(out) > 0 {
		t.Errorf("sideways overflow: %v", out)
	}
	snap(t, p, "otp-desk")
	press(t, p, "Close")
	if visit(t, p, s.URL+"/otp/codes"); path(t, p) != page.Path {
		t.Error("it is open yet")
	}
	alone(t, p, s.URL)
	var said []string
	for _, e := range trail.Events() {
		said = append(said, string(e.Action))
	}
	if got := strings.Join(said, " "); got != "otp.refused otp.opened otp.code-taken" {
		t.Errorf("the trail has %s", got)
	}
}
