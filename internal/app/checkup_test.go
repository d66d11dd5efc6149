package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/app"
	"partnerguard/internal/checkup"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// CheckUp tells what features know, and neither makes nor records anything.
func TestCheckUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.must(false)
	for id, left := range map[string]time.Duration{"5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10": 10 * 24 * time.Hour,
		"5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e11": -time.Hour, "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e12": 300 * 24 * time.Hour} {
		r := sam.Registration{ClientID: id, Tenant: "contoso.com", Kind: msapi.ClientSecret, Created: s.Now(), NotAfter: s.Now().Add(left)}
		if _, err := s.SAM.AddRegistration(t.Context(), r, secret.New("Secret-of-this-test-1")); err != nil {
			t.Fatal(err)
		}
	}
	before, err := s.Trail.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	had := files(t, p.dir)
	var told int64
	r, err := app.CheckUp(t.Context(), p.options(false), true, func(done, _ int64) { told = done })
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Trail.Head(t.Context())
	if err != nil || after.Seq != before.Seq {
		t.Errorf("entries %d, then %d, %v", before.Seq, after.Seq, err)
	}
	if diff := cmp.Diff(had, files(t, p.dir)); diff != "" {
		t.Errorf("a look made or removed files:\n%s", diff)
	}
	if told < 10 {
		t.Errorf("told of %d looks", told)
	}
	for _, want := range []struct {
		level      checkup.Level
		about, has string
		fix        string
	}{
		{checkup.Bad, "app", "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e11 ended on",
			"partnerguard connect app certificate --client-id 5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e11"},
		{checkup.Warning, "app", "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10 ends on", "partnerguard connect app certificate"},
		{checkup.Well, "app", "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e12 is good until", ""},
		{checkup.Warning, "trail", "has no anchor", "anchors"}, {checkup.Well, "archive", "nothing was collected yet", ""},
		{checkup.Well, "master key", "opens the vault", ""}, {checkup.Warning, "backup", "nothing was ever backed up", "partnerguard backup"},
	} {
		at := slices.IndexFunc(r.Findings, func(f checkup.Finding) bool { return f.About == want.about && strings.Contains(f.Text, want.has) })
		if at < 0 || r.Findings[at].Level != want.level || !strings.Contains(r.Findings[at].Fix, want.fix) {
			t.Errorf("%+v is not in %+v", want, r.Findings)
		}
	}
	if r.Findings[0].Level != checkup.Bad || r.Bad != 1 || r.Err() == nil {
		t.Errorf("the worst is not first: %+v", r.Findings)
	}
	if slices.ContainsFunc(r.Findings, func(f checkup.Finding) bool { return f.About == "network" }) {
		t.Error("offline, and somebody was asked")
	}
}
