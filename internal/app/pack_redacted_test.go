package app_test

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/jobs"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/report"
	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// TestPackNamesNobody: a pack of an installation with names and addresses left out, leaf by
// leaf, holds, is judged again, tells the practices by pseudonyms, and has in no entry the
// name or the address of anybody of the laboratory.
func TestPackNamesNobody(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.s.Now().AddDate(0, 0, -2))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(time.Minute)
	now := w.s.Now().UTC()
	o := pack.Options{Tenant: tenant, From: now.AddDate(0, 0, -2), To: now, Reader: "auditor", Out: filepath.Join(t.TempDir(), "whole.zip")}
	whole, err := w.s.MakePack(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := packHolds(t, whole)
	names := append(laboratoryNames(w, now), personalNames(w, now)...)
	if found := tells(entries, names); len(found) < 20 {
		t.Fatalf("the whole pack tells of %d names and addresses of %d alone: nothing is tried", len(found), len(names))
	}
	filesHeld(w, o)
	for _, reader := range []string{"insurer", "microsoft", "customer"} {
		o := o
		o.Reader, o.Out = reader, filepath.Join(t.TempDir(), reader+".zip")
		made, err := w.s.MakePack(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		p := &app.PackReading{}
		if r, err := pack.VerifyFile(t.Context(), made.Path, form.Trust{}, p.Again, p.Told); err != nil || r.Err() != nil || len(r.Files.Again) < 6 {
			t.Errorf("%s: %v %+v", reader, err, r)
		}
	}
	for _, not := range []bool{false, true} {
		o.Redact, o.NotRejudged, o.Out = []string{form.Names, form.Addresses}, not, filepath.Join(t.TempDir(), "cut.zip")
		cut, err := w.s.MakePack(t.Context(), o)
		if err != nil {
			t.Fatalf("%v: %s", err, problem.HintOf(err))
		}
		sameVerdicts(t, whole.Manifest, cut.Manifest)
		namesNobody(t, cut, names)
		smallHolds(t, cut)
	}
}

// TestPackPage: the console's page has a job make a pack that lies with the installation, says
// how far it is, and hands it out; one that lies elsewhere, or is named otherwise, it does not.
func TestPackPage(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Days = 3 })
	w.collect(w.s.Now().AddDate(0, 0, -2))
	w.lab.Jump(time.Minute)
	q, err := jobs.Open(t.Context(), w.s.DB, jobs.Options{Workers: 1, Poll: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.s.Packs.Jobs(q); err != nil {
		t.Fatal(err)
	}
	all := w.s.ScreensWith(q)
	page := &all[slices.IndexFunc(all, func(s screen.Screen) bool { return s.Name == "packs" })]
	now := w.s.Now()
	ask := func(name string) *screen.Ask {
		return &screen.Ask{Viewer: screentest.Viewer(), Values: url.Values{"pack": {name}}, Now: now}
	}
	asked := url.Values{"tenant": {w.lab.Info.Tenant.ID}, "from": {now.AddDate(0, 0, -2).Format(time.DateOnly)},
		"to": {now.Format(time.DateOnly)}, "reader": {"auditor"}, "evidence": {form.All}}
	done, err := page.Acts[0].Handle(t.Context(), ask(""), asked)
	if err != nil {
		t.Fatal(err)
	}
	asks := &pack.Asks{Dir: filepath.Join(w.s.Config.Data, "packs", "asked"), Now: w.s.Now}
	id := done.Body.(*pack.Asked).ID
	if a, err := asks.Get(id); err != nil || !a.Begun.IsZero() {
		t.Fatalf("it is made within the request: %+v, %v", a, err)
	}
	asked.Set("names", "on")
	other, err := page.Acts[0].Handle(t.Context(), ask(""), asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer q.Stop(context.WithoutCancel(t.Context())) //nolint:errcheck // of a test
	ended := func(id string) *pack.Asked {
		for range 600 {
			if a, err := asks.Get(id); err == nil && !a.Ended.IsZero() {
				return a
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatal("it is not made")
		return nil
	}
	if a := ended(other.Body.(*pack.Asked).ID); a.Pack == "" || a.Error != "" {
		t.Errorf("%+v", a)
	}
	a := ended(id)
	if a.Error != "" {
		t.Fatalf("%+v", a)
	}
	path := filepath.Join(w.s.Config.Data, "packs", a.Pack+".zip")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	made := &pack.Made{Manifest: &pack.Manifest{Name: a.Pack}, Path: path, Size: info.Size()}
	packHolds(t, made)
	view, err := page.Load(t.Context(), &screen.Ask{Viewer: screentest.Viewer(), Values: url.Values{"ask": {id}}, Now: now})
	if err != nil || len(view.Notices) != 1 || view.Notices[0].Lead != "Made." || view.Refresh != 0 {
		t.Errorf("the page says %+v, %v", view, err)
	}
	got, err := page.Files[0].Load(t.Context(), ask(made.Manifest.Name))
	if err != nil || int64(len(got.Body)) != made.Size {
		t.Errorf("it is not handed out: %v", err)
	}
	o := pack.Options{Tenant: w.lab.Info.Tenant.ID, From: now.AddDate(0, 0, -1), To: now, Reader: "auditor", Evidence: form.None,
		Out: filepath.Join(t.TempDir(), "elsewhere.zip")}
	elsewhere, err := w.s.MakePack(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{elsewhere.Manifest.Name, "../partnerguard.db", "pack-none"} {
		if _, err := page.Files[0].Load(t.Context(), ask(name)); !errors.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// packHolds reads a pack's entries, and holds that it is whole and has the practices, whose
// verdicts come out again.
func packHolds(t *testing.T, made *pack.Made) (map[string]string, *pack.Report) {
	t.Helper()
	p := &app.PackReading{}
	r, err := pack.VerifyFile(t.Context(), made.Path, form.Trust{}, p.Again, p.Told)
	if err != nil || r.Err() != nil || r.Rejudged != (made.Manifest.Unjudged == "") {
		t.Fatalf("%v %+v", err, r)
	}
	if r.Files == nil || (len(r.Files.Again) > 5) != r.Rejudged || (r.Files.Why == "") != r.Rejudged || len(r.Files.Word) < 5 {
		t.Errorf("of its files it says %+v", r.Files)
	}
	z, err := zip.OpenReader(made.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(f.Name, err)
		}
		out[f.Name] = string(raw)
	}
	marks := strings.Split(strings.TrimSpace(out["trail/checkpoints.jsonl"]), "\n")
	var own struct{ Note string }
	if err := json.Unmarshal([]byte(marks[len(marks)-1]), &own); err != nil {
		t.Fatal(err)
	}
	at := strings.Split(own.Note, "\n")
	root, err := base64.StdEncoding.DecodeString(at[2])
	if chain := at[0] + "/" + at[1] + "/" + hex.EncodeToString(root) + "/"; err != nil || !strings.Contains(out["ocsf/compliance-findings.jsonl"], chain) {
		t.Errorf("the findings are not bound to the pack's own checkpoint %s", chain)
	}
	var told struct {
		Made      bool
		Practices struct{ Practices []report.PracticeRow }
	}
	if err := json.Unmarshal([]byte(out["practices.json"]), &told); err != nil || !told.Made || len(told.Practices.Practices) != len(partner.Practices()) {
		t.Errorf("practices.json: %v, %d practices", err, len(told.Practices.Practices))
	}
	said := 0
	for _, v := range r.Manifest.Verdicts {
		said += len(slices.Collect(func(yield func(int) bool) {
			for k, p := range told.Practices.Practices {
				if p.ID == v.Requirement && string(p.Verdict) == v.Verdict && !yield(k) {
					return
				}
			}
		}))
	}
	if made.Manifest.Unjudged == "" && said != len(partner.Practices()) {
		t.Errorf("%d verdicts of practices are under the signature", said)
	}
	return out, r
}
