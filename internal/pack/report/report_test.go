package report

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render/rendertest"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/vouch"
)

const tenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"

// seed makes the key of tests.
var seed = bytes.Repeat([]byte{7}, ed25519.SeedSize)

// signer signs as the trail's key does.
type signer struct{ key ed25519.PrivateKey }

func (s signer) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }
func (s signer) Key() string                      { return "trail.example+12345678+AQIDBAUG" }

func when(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }

// input is a whole one, for a reader.
func input(r Reader) Input {
	in := Input{Name: "contoso-2026-11", Tool: "partnerguard test", Made: when(21, 6), Reader: r, Tenant: tenant, From: when(1, 0), To: when(21, 0),
		Evidence: "all", Rejudges: true, Agreement: Agreement{Edition: "2025-10", Since: "2025-10-01", Source: "contracts"}, Report: rendertest.Typical(),
		Since:      when(1, 0),
		Checkpoint: Checkpoint{"trail.example", 812, strings.Repeat("ab", 32), when(21, 5)}, Sign: signer{ed25519.NewKeyFromSeed(seed)},
		Practices: json.RawMessage(`{"practices":[{"id":"P09","title":"Global Administrators are few","verdict":"not_met","reason":"9 of them"}]}`),
		Build: &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "partnerguard", Version: "v1.2.3"},
			Deps: []*debug.Module{{Path: "example.org/a b", Version: "v1.0.0", Sum: "h1:abc="}}},
	}
	in.Where = func(file string, line int) (string, bool) {
		return "evidence/s1/4.page", file == "signIns.jsonl" && line == 412
	}
	in.Report.Requirements[0].Evidence[0].Source = evidence.Source{Path: "archive:" + tenant + "/signIns.jsonl", Line: 412}
	in.Report.Requirements[0].Evidence[1].Source = evidence.Source{Path: "archive:" + tenant + "/users.json", Index: 3}
	for d := range 20 {
		verdict := "met"
		if d > 11 {
			verdict = "not_met"
		}
		in.Days = append(in.Days, Day{when(d+1, 0).Format(time.DateOnly), d != 4, map[string]string{"mfa-every-user": verdict, "no-dap": "unknown"}})
	}
	in.Statements = []vouch.Statement{{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada Lovelace", Since: "2026-11-01", Until: "2027-04-30",
		Reason: "no export shows it"}}
	in.Exceptions = []Exception{{ID: "x1", Requirement: "mfa-every-user", Accounts: []string{"frontdesk@contoso.com"}, Owner: "Grace Hopper",
		Reason:  "moved in December",
		AddedBy: "person:grace", Added: when(1, 8), Expires: when(30, 0), Standing: "approved"}}
	in.Gaps = []evidence.Gap{{Tenant: tenant, Resource: "riskDetections", Kind: evidence.SignIn, Since: when(2, 0), Why: "the tenant has no Entra ID P2",
		Reason: evidence.GapLicence, Can: "with the licence"}}
	return in
}

// written are the entries of a pack by path.
func written(t testing.TB, in Input) map[string][]byte {
	t.Helper()
	list, err := Files(&in)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range list {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		if out[f.Path] != nil {
			t.Errorf("%s twice", f.Path)
		}
		out[f.Path] = b.Bytes()
	}
	return out
}

// shared is a file beside the project; without it a test says so, and CI fails.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join(append([]string{"..", "..", "..", "..", "shared", "facts", "schemas"}, parts...)...))
	if err == nil {
		_, err = os.Stat(p)
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared schemas are missing: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: the shared schemas are missing: %v", err)
	}
	return p
}

// TestEqualInputsGiveEqualBytes: whoever makes the same pack again gets the same entries.
func TestEqualInputsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	a, b := written(t, input(Auditor)), written(t, input(Auditor))
	for path, text := range a {
		if !bytes.Equal(text, b[path]) {
			t.Errorf("%s differs from one making to the next", path)
		}
	}
	if len(a) != 11 {
		t.Errorf("%d entries", len(a))
	}
}

// TestNobodyIsNamed: an insurer and a customer are told no person, in no entry; an auditor
// is.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	names := []string{"frontdesk", "h.brandt", "scanner@", "Lovelace", "Hopper", "svc-billing", "Lindqvist", "9 of them"}
	for _, r := range Readers() {
		in := input(r)
		in.Report.Incomplete = append(in.Report.Incomplete, "the account h.brandt@contoso.com was not read")
		in.Report.Requirements[0].Reason += " First frontdesk@contoso.com."
		all := written(t, in)
		for path, text := range all {
			for _, name := range names {
				if !r.named() && bytes.Contains(text, []byte(name)) {
					t.Errorf("%s for %s names %s", path, r, name)
				}
			}
		}
		if named := bytes.Contains(all["report.json"], []byte("frontdesk@contoso.com")); named != r.named() {
			t.Errorf("report.json for %s: names are there: %v", r, named)
		}
		if told := bytes.Contains(all["README.txt"], []byte("No person is named")); told == r.named() {
			t.Errorf("README.txt for %s does not say what is left out", r)
		}
	}
}

// TestRedactedNamesNobody: where something is redacted, nobody is named unless the report was
// judged from the evidence as the redaction left it.
func TestRedactedNamesNobody(t *testing.T) {
	t.Parallel()
	in := input(Auditor)
	in.Redacted = []string{"names"}
	for i := range in.Statements {
		in.Statements[i].Reason, in.Statements[i].Control = "Niklaus Wirth's telephone is old", "Niklaus Wirth is asked by hand"
	}
	for i := range in.Exceptions {
		in.Exceptions[i].Reason, in.Exceptions[i].Control = "Niklaus Wirth's telephone is old", "Niklaus Wirth is asked by hand"
	}
	in.HideNames()
	for path, text := range written(t, in) {
		for _, name := range []string{"frontdesk", "h.brandt", "Lovelace", "Hopper", "Lindqvist", "Contoso Cloud", "9 of them", "Wirth"} {
			if bytes.Contains(text, []byte(name)) {
				t.Errorf("%s names %s", path, name)
			}
		}
	}
	in.Cut = true
	if all := written(t, in); !bytes.Contains(all["report.json"], []byte("frontdesk")) {
		t.Error("a report of redacted evidence is not told as it is")
	}
}

// TestMicrosoftIsToldTheProgramme: what is only recommended is left out, and no verdict of
// what is mandatory.
func TestMicrosoftIsToldTheProgramme(t *testing.T) {
	t.Parallel()
	must := 0
	full := input(Auditor)
	for i := range full.Report.Requirements {
		if full.Report.Requirements[i].Level == "mandatory" {
			must++
		}
	}
	in := input(Microsoft)
	shown := Shown(&in)
	if len(shown.Report.Requirements) != must || must == len(full.Report.Requirements) || shown.Practices != nil {
		t.Errorf("%d of %d rows, practices %s", len(shown.Report.Requirements), must, shown.Practices)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	for _, r := range Readers() {
		page := string(written(t, input(r))["report.html"])
		pagetest.CheckPage(t, string(r), page)
	}
	page := string(written(t, input(Auditor))["report.html"])
	pagetest.Has(t, page, "Evidence pack for an auditor", "1 November 2026 to 20 November 2026", "trail.example&#43;12345678", "frontdesk@",
		"in evidence/", "page</bdi>",
		"Day by day", "of 20 days judged", "8 of 32 accounts", "Global Administrators are few", "Ada Lovelace", "Grace Hopper", "tenant has no Entra ID P2",
		"How to verify this pack")
	hostile := input(Auditor)
	hostile.Report, hostile.Title = rendertest.Hostile(), `<script>alert(1)</script>`
	for path, text := range written(t, hostile) {
		if strings.HasSuffix(path, ".html") {
			pagetest.CheckPage(t, "hostile", string(text))
		} else if path == "README.txt" {
			pagetest.MustBePlain(t, path, string(text))
		}
	}
	huge := input(Auditor)
	huge.Report = rendertest.Huge(100_000)
	if n := len(written(t, huge)["report.html"]); n > 1<<20 {
		t.Errorf("a page of %d bytes", n)
	}
	for name, report := range map[string]*assess.Report{"bare": rendertest.Bare(), "empty": rendertest.Empty()} {
		in := input(Auditor)
		in.Report, in.Days, in.Gaps, in.Exceptions, in.Sign, in.Where, in.Practices = report, nil, nil, nil, nil, nil, nil
		pagetest.CheckPage(t, name, string(written(t, in)["report.html"]))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Input){
		"no report": func(in *Input) { in.Report = nil }, "a reader": func(in *Input) { in.Reader = "everybody" },
		"a period": func(in *Input) { in.To = in.From }, "a name": func(in *Input) { in.Name = "" },
	} {
		in := input(Auditor)
		change(&in)
		if list, err := Files(&in); err == nil || list != nil {
			t.Errorf("%s: %v", name, list)
		}
	}
}

// TestReadBack: what is judged by again comes back as it was.
func TestReadBack(t *testing.T) {
	t.Parallel()
	in := input(Auditor)
	all := written(t, in)
	s, err := ReadBeside(bytes.NewReader(all[StatementsEntry]))
	if err != nil || len(s.Statements) != 1 || !s.Statements[0].Same(&in.Statements[0]) {
		t.Errorf("%+v, %v", s, err)
	}
	g, err := ReadBeside(bytes.NewReader(all[GapsEntry]))
	if err != nil || len(g.Gaps) != 1 || g.Gaps[0].Resource != "riskDetections" {
		t.Errorf("%+v, %v", g, err)
	}
	terms, err := ReadTerms(bytes.NewReader(all[BookEntry]))
	if err != nil || terms.Kind != "direct-bill" || terms.Cloud != "public" || !terms.AsOf.Equal(rendertest.AsOf) || !terms.Since.Equal(when(1, 0)) {
		t.Errorf("%+v, %v", terms, err)
	}
	for name, text := range map[string]string{
		"another form": `{"schema":"partnerguard.pack-beside/2"}`, "an unknown member": `{"schema":"` + BesideSchema + `","verdicts":[]}`,
		"half": `{"schema":"` + BesideSchema, "more": `{"schema":"` + BesideSchema + `"}{}`, "nobody": `{"schema":"` + BesideSchema +
			`","statements":[{"kind":"attestation","requirement":"x","who":"","since":"2026-01-01","until":"2026-02-01","reason":"y"}]}`,
		"large": `{"schema":"` + strings.Repeat("x", maxBeside) + `"}`, "nothing": "",
	} {
		if b, err := ReadBeside(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
	for name, text := range map[string]string{"nothing": "", "another": `{"schema":"x"}`,
		"no cloud": `{"schema":"` + BookSchema + `","partnerKind":"direct-bill"}`} {
		if b, err := ReadTerms(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func FuzzReadBeside(f *testing.F) {
	all := written(f, input(Auditor))
	f.Add(all[StatementsEntry])
	f.Add(all[GapsEntry])
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := ReadBeside(bytes.NewReader(raw))
		if (b == nil) == (err == nil) {
			t.Error("both an answer and an error, or neither")
		}
	})
}
