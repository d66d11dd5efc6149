package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerguard/internal/app"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
)

// signedAnew changes entries of a pack, and signs it again, as its maker can.
func signedAnew(w *watched, path string, change map[string]func([]byte) []byte) string {
	w.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	r, err := form.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		w.Fatal(err)
	}
	m, err := r.ReadManifest()
	if err != nil {
		w.Fatal(err)
	}
	out, err := os.Create(filepath.Join(w.TempDir(), "pack.zip"))
	if err != nil {
		w.Fatal(err)
	}
	defer out.Close()
	z := form.NewWriter(out)
	for _, name := range r.Names() {
		text, err := r.Read(name, form.MaxEntry)
		if err != nil {
			w.Fatal(err)
		}
		if f := change[name]; f != nil {
			was := text
			if text = f(text); bytes.Equal(was, text) {
				w.Fatalf("%s is not changed", name)
			}
			sum := sha256.Sum256(text)
			at := slices.IndexFunc(m.Entries, func(e pack.Entry) bool { return e.Path == name })
			m.Entries[at].Size, m.Entries[at].SHA256 = int64(len(text)), hex.EncodeToString(sum[:])
		}
		if name == form.ManifestName {
			break
		}
		if err := z.Put(name, text); err != nil {
			w.Fatal(err)
		}
	}
	signer, err := w.s.Trail.Signer(w.Context(), w.s.Vault)
	if err != nil {
		w.Fatal(err)
	}
	text, err := form.Encode(m)
	if err != nil {
		w.Fatal(err)
	}
	note, err := form.Sign(m, text, signer)
	if err != nil {
		w.Fatal(err)
	}
	for name, b := range map[string][]byte{form.ManifestName: text} {
		if err := z.Put(name, b); err != nil {
			w.Fatal(err)
		}
	}
	if err := z.Put(form.NoteName, note); err != nil {
		w.Fatal(err)
	}
	if err := z.Close(); err != nil {
		w.Fatal(err)
	}
	return out.Name()
}

func once(old, with string) func([]byte) []byte {
	return func(raw []byte) []byte { return bytes.Replace(raw, []byte(old), []byte(with), 1) }
}

// filesHeld: a file of a pack that says something else than its evidence is found, though its
// maker signed it; and where nothing is judged again, a verdict that was not signed is.
func filesHeld(w *watched, o pack.Options) {
	w.Helper()
	o.Out = filepath.Join(w.TempDir(), "held.zip")
	made, err := w.s.MakePack(w.Context(), o)
	if err != nil {
		w.Fatal(err)
	}
	found := func(path, name string) {
		w.Helper()
		p := &app.PackReading{}
		r, err := pack.VerifyFile(w.Context(), path, form.Trust{}, p.Again, p.Told)
		if err != nil {
			w.Fatal(err)
		}
		if !slices.ContainsFunc(r.Faults, func(f form.Fault) bool { return f.Check == form.Verdicts && strings.Contains(f.What, name) }) {
			w.Errorf("%s: %+v, %+v", name, r.Faults, r.Files)
		}
	}
	for name, change := range map[string]func([]byte) []byte{
		"report.html":                    once("binding requirements met", "binding requirements are met"),
		"README.txt":                     once("KEY", "key"),
		"report.json":                    once(`"unit": "`, `"unit": "other `),
		"oscal/assessment-results.json":  once(`"title": "`, `"title": "Other `),
		"ocsf/compliance-findings.jsonl": once(`"severity_id":4`, `"severity_id":1`),
		"rules/book.json":                once(`"rules": [`, `"rules": [ `),
		"practices.json":                 once(`"title": "`, `"title": "Other `),
	} {
		found(signedAnew(w, made.Path, map[string]func([]byte) []byte{name: change}), name)
	}
	o.Evidence, o.Out = form.None, filepath.Join(w.TempDir(), "none.zip")
	if made, err = w.s.MakePack(w.Context(), o); err != nil {
		w.Fatal(err)
	}
	found(signedAnew(w, made.Path, map[string]func([]byte) []byte{"report.json": once(`"verdict": "not_met"`, `"verdict": "met"`)}), "report.json")
	found(signedAnew(w, made.Path, map[string]func([]byte) []byte{"oscal/assessment-results.json": once(`"state": "not-satisfied"`, `"state": "satisfied"`)}),
		"oscal/assessment-results.json")
}
