package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/report"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/sample"
	"partnerguard/internal/vouch"
)

// packed is the evidence of a pack that is read: its files, and its other entries.
type packed struct {
	fs.FS
	entries map[string][]byte
}

func (p *packed) Entry(name string) ([]byte, error) {
	b, has := p.entries[name]
	if !has {
		return nil, problem.New(problem.NotFound, "no entry is called %s", name)
	}
	return b, nil
}

// making is what a pack says of itself before it is judged.
func making(tenant string, asOf time.Time, redact ...string) *pack.Manifest {
	m := &pack.Manifest{Form: form.Form, Name: "contoso-2026-11", Tool: "partnerguard test", Tenant: tenant, From: asOf.AddDate(0, 0, -30), To: asOf,
		Since: asOf.AddDate(0, 0, -30), AsOf: asOf, Reader: "auditor", Made: asOf.Add(time.Hour), Evidence: form.All, Redaction: redact}
	return m
}

// judgedInto judges what is whole, writes the entries, and gives what a pack of the files
// would be.
func judgedInto(t *testing.T, i *app.Installation, whole, files fs.FS, m *pack.Manifest) (*pack.Evidence, map[string][]byte) {
	t.Helper()
	p := i.Packer()
	j, err := p.Judge(t.Context(), &pack.Evidence{FS: whole, Manifest: m})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Redaction) > 0 {
		// Some accounts are known by their names alone: whoever makes packs hears of it.
		again, err := p.Again(t.Context(), &pack.Evidence{FS: files, Manifest: m})
		m.Verdicts, m.Book = j.Verdicts, j.Book
		diffs := app.ComparePack(m, again)
		if err != nil || !slices.ContainsFunc(diffs, func(d app.PackDifference) bool {
			return d.Requirement == "automation-without-user-credentials"
		}) {
			t.Fatalf("%+v, %v", diffs, err)
		}
		j.Verdicts = again
	}
	entries := map[string][]byte{}
	for _, f := range j.Files {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(f.Path, err)
		}
		entries[f.Path] = b.Bytes()
	}
	m.Verdicts, m.Book, m.Agreement = j.Verdicts, j.Book, j.Agreement
	return &pack.Evidence{FS: &packed{files, entries}, Manifest: m}, entries
}

func comesOut(t *testing.T, what string, ev *pack.Evidence) {
	t.Helper()
	if len(ev.Manifest.Verdicts) < 10 {
		t.Errorf("%s: %d verdicts", what, len(ev.Manifest.Verdicts))
	}
	diffs, err := app.RejudgePack(t.Context(), ev)
	if err != nil || len(diffs) > 0 {
		t.Errorf("%s: %+v, %v", what, diffs, err)
	}
}

// pseudonyms shows files with every address of mail under a name that is the same wherever
// it is the same.
type pseudonyms struct{ *view.View }

var mail = regexp.MustCompile(`"[^"@\s]+@[^"\s]+"`)

func (p pseudonyms) Open(name string) (fs.File, error) {
	f, err := p.View.Open(name)
	if err != nil || !strings.Contains(name, ".json") || name == view.Manifest {
		return f, err
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	raw = mail.ReplaceAllFunc(raw, func(b []byte) []byte {
		sum := sha256.Sum256(bytes.ToLower(b))
		return []byte(`"redacted-` + hex.EncodeToString(sum[:4]) + `"`)
	})
	s, err := f.Stat()
	return &memory{bytes.NewReader(raw), s}, err
}

type memory struct {
	*bytes.Reader
	info fs.FileInfo
}

func (m *memory) Stat() (fs.FileInfo, error) { return m.info, nil }
func (m *memory) Close() error               { return nil }

// TestRejudgePack: the verdicts of a pack come out again from its evidence, on the sample, of
// an installation after two rounds, and where names are redacted; and what was changed in
// between is named.
func TestRejudgePack(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	tenant := w.lab.Info.Tenant.ID
	w.collect(w.s.Now().AddDate(0, 0, -20))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(26 * time.Hour)
	w.collect(w.s.Now().AddDate(0, 0, -2))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	now := w.s.Now().UTC()
	if _, err := w.s.KeepStatement(t.Context(), vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada Lovelace", Reason: "we looked",
		Since: now.AddDate(0, 0, -1).Format(time.DateOnly), Until: now.AddDate(0, 0, 90).Format(time.DateOnly)}); err != nil {
		t.Fatal(err)
	}
	w.lab.Jump(time.Minute)
	asOf := w.s.Now().UTC()
	shown := func() *view.View {
		v, err := w.s.Archive.View(t.Context(), archive.ViewOf{Tenant: tenant, AsOf: asOf, Since: asOf.AddDate(0, 0, -30)})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	ev, entries := judgedInto(t, w.s, shown(), shown(), making(tenant, asOf))
	comesOut(t, "the installation", ev)
	if n := slices.IndexFunc(ev.Manifest.Verdicts, func(v pack.Verdict) bool { return v.Requirement == "app-passwords" }); n < 0 ||
		ev.Manifest.Verdicts[n].Verdict != "attested" {
		t.Errorf("what was vouched for does not count: %+v", ev.Manifest.Verdicts[max(n, 0)])
	}
	var told struct {
		Days []report.Day
	}
	if err := json.Unmarshal(entries["report.json"], &told); err != nil || len(told.Days) != 31 || !told.Days[30].Judged || len(told.Days[30].Verdicts) < 10 ||
		told.Days[3].Judged {
		t.Errorf("the days: %d, %v", len(told.Days), err)
	}
	if !bytes.Contains(entries["oscal/assessment-results.json"], []byte("../evidence/")) {
		t.Error("nothing refers to the evidence")
	}
	named(t, ev, entries)

	redacted, hidden := judgedInto(t, w.s, shown(), pseudonyms{shown()}, making(tenant, asOf, form.Names))
	comesOut(t, "redacted", redacted)
	for path, text := range hidden {
		for _, name := range []string{"@contoso", "Lovelace"} {
			if path != "sbom.cdx.json" && bytes.Contains(text, []byte(name)) {
				t.Errorf("%s names %s", path, name)
			}
		}
	}
	if !bytes.Contains(hidden["report.json"], []byte("redacted-")) {
		t.Error("a redacted report has no pseudonyms")
	}
	// The sample, which is no archive.
	m := making(contoso, sample.AsOf)
	m.Made = sample.AsOf.Add(time.Minute)
	of, _ := judgedInto(t, w.s, sample.FS(), sample.FS(), m)
	comesOut(t, "the sample", of)
	for _, reader := range []string{"insurer", "microsoft", "customer"} {
		m := making(contoso, sample.AsOf)
		m.Reader = reader
		of, _ := judgedInto(t, w.s, sample.FS(), sample.FS(), m)
		comesOut(t, reader, of)
	}
}

// otherwise has the first verdict of a list be another one.
func otherwise(t *testing.T, in, list string) func([]byte) []byte {
	return func(raw []byte) []byte {
		t.Helper()
		var r map[string]any
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		r[in].(map[string]any)[list].([]any)[0].(map[string]any)["verdict"] = "met "
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// toldOtherwise: a report that says what was not signed as the verdict is found, though its maker
// signed it too.
func toldOtherwise(t *testing.T, ev *pack.Evidence, entries map[string][]byte) {
	t.Helper()
	for name, change := range map[string]func([]byte) []byte{
		"report.json":    otherwise(t, "assessment", "requirements"),
		"practices.json": otherwise(t, "practices", "practices"),
		"oscal/assessment-results.json": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"state": "not-satisfied"`), []byte(`"state": "satisfied"`), 1)
		},
		"ocsf/compliance-findings.jsonl": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"status_id":3`), []byte(`"status_id":1`), -1)
		},
	} {
		kept := entries[name]
		for what, text := range map[string][]byte{"changed": change(kept), "shortened": kept[:len(kept)/2], "none": nil} {
			if entries[name] = text; text == nil {
				delete(entries, name)
			}
			diffs, err := app.RejudgePack(t.Context(), ev)
			if err != nil || len(diffs) != 1 || diffs[0].Requirement != "report" || !strings.Contains(diffs[0].Why, name) {
				t.Errorf("%s %s: %+v, %v", name, what, diffs, err)
			}
		}
		entries[name] = kept
	}
}

// named changes a pack in every way that judging again has to find.
func named(t *testing.T, ev *pack.Evidence, entries map[string][]byte) {
	t.Helper()
	find := func(id string) *pack.Verdict {
		return &ev.Manifest.Verdicts[slices.IndexFunc(ev.Manifest.Verdicts, func(v pack.Verdict) bool { return v.Requirement == id })]
	}
	whole := slices.Clone(ev.Manifest.Verdicts)
	for name, c := range map[string]struct {
		change func()
		id     string
		says   string
	}{
		"a verdict":    {func() { find("mfa-every-user").Verdict = "met" }, "mfa-every-user", "another verdict"},
		"a number":     {func() { find("mfa-every-user").Affected++ }, "mfa-every-user", "other numbers"},
		"a reason":     {func() { find("mfa-every-user").Reason = "it is fine" }, "mfa-every-user", "another reason"},
		"one left out": {func() { ev.Manifest.Verdicts = ev.Manifest.Verdicts[1:] }, whole[0].Requirement, "says nothing of it"},
		"an invented one": {func() {
			ev.Manifest.Verdicts = append(slices.Clone(whole), pack.Verdict{Requirement: "all-is-well", AsOf: ev.Manifest.AsOf, Verdict: "met"})
		}, "all-is-well", "no such requirement"},
		"twice": {func() {
			ev.Manifest.Verdicts = append(slices.Clone(whole), whole[0])
		}, whole[0].Requirement, "says it twice"},
		"a statement": {func() {
			ev.FS.(*packed).entries[report.StatementsEntry] = []byte(`{"schema":"` + report.BesideSchema + `"}`)
		}, "app-passwords", "another verdict"},
	} {
		ev.Manifest.Verdicts = slices.Clone(whole)
		kept := entries[report.StatementsEntry]
		c.change()
		diffs, err := app.RejudgePack(t.Context(), ev)
		if err != nil || len(diffs) != 1 || diffs[0].Requirement != c.id || !strings.Contains(diffs[0].Why, c.says) {
			t.Errorf("%s: %+v, %v", name, diffs, err)
		}
		entries[report.StatementsEntry] = kept
	}
	ev.Manifest.Verdicts = whole
	toldOtherwise(t, ev, entries)
	// Where judging again is not possible it fails, and says of what.
	book := entries[report.BookEntry]
	for name, text := range map[string][]byte{"no book": nil, "another day": bytes.Replace(book, []byte(`"asOf": "20`), []byte(`"asOf": "19`), 1),
		"no kind": bytes.Replace(book, []byte(`"direct-bill"`), []byte(`"anybody"`), 1)} {
		if entries[report.BookEntry] = text; text == nil {
			delete(entries, report.BookEntry)
		}
		if _, err := app.AgainPack(t.Context(), ev); !errors.Is(err, problem.Unmet) || !strings.Contains(err.Error(), "rule book") &&
			!strings.Contains(err.Error(), report.BookEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
	entries[report.BookEntry] = book
	if _, err := app.AgainPack(t.Context(), &pack.Evidence{FS: sample.FS(), Manifest: ev.Manifest}); !errors.Is(err, problem.Unmet) {
		t.Error(err)
	}
	older := *ev.Manifest
	older.Book = "2020-01-01"
	if out := app.ComparePack(&older, whole); len(out) != 0 || partner.Revised.String() == older.Book {
		t.Errorf("another book alone is no difference: %+v", out)
	}
}
