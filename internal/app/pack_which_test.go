package app_test

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
)

var keepForm = regexp.MustCompile(`--keep ([A-Za-z.,]+)`)

// TestPackNamesMembers: where a verdict of the laboratory does not come out again with names
// and addresses left out, the members that caused it are named, and with these shown it does.
func TestPackNamesMembers(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.s.Now().AddDate(0, 0, -2))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(time.Minute)
	now := w.s.Now().UTC()
	o := pack.Options{Tenant: tenant, From: now.AddDate(0, 0, -2), To: now, Reader: "auditor", Redact: []string{form.Names, form.Addresses},
		Out: filepath.Join(t.TempDir(), "cut.zip")}
	_, err := w.s.MakePack(t.Context(), o)
	p, ok := errors.AsType[*problem.Error](err)
	if !ok || !errors.Is(err, problem.Unmet) {
		t.Fatalf("it is made: %v", err)
	}
	t.Logf("%s; %s", p.Public, p.Hint)
	names := keepForm.FindStringSubmatch(p.Hint)
	if names == nil {
		t.Fatalf("no member is named: %s; %s", p.Public, p.Hint)
	}
	o.Keep = strings.Split(names[1], ",")
	if len(o.Keep) > 4 {
		t.Errorf("it names more than caused it: %v", o.Keep)
	}
	made, err := w.s.MakePack(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := packHolds(t, made)
	if !strings.Contains(text["report.json"], "redacted-") {
		t.Error("report.json has no pseudonyms: it is not of the evidence that was cut")
	}
	r := &app.PackReading{}
	v, err := pack.VerifyFile(t.Context(), made.Path, form.Trust{}, r.Again, r.Told)
	if err != nil || v.Err() != nil || !v.Rejudged || len(v.Files.Again) < 6 {
		t.Errorf("%v %+v", err, v)
	}
}
