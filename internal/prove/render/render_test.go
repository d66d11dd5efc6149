package render

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/page/pagetest"
	"partnerguard/internal/prove"
	"partnerguard/internal/prove/render/rendertest"
)

// reports are what every format must stand.
func reports() map[string]*prove.Report {
	return map[string]*prove.Report{
		"typical": rendertest.Typical(), "single": rendertest.Single(), "proved": rendertest.Proved(), "unknown": rendertest.Unknown(),
		"empty": rendertest.Empty(), "huge": rendertest.Huge(), "hostile": rendertest.Hostile(), "bare": {},
	}
}

type format func(io.Writer, *prove.Report) error

func formats() map[string]format {
	return map[string]format{
		"text": func(w io.Writer, r *prove.Report) error { return Text(w, r, Options{Width: 100}) },
		"html": HTML, "csv": CSV, "json": JSON,
	}
}

func write(t *testing.T, f format, r *prove.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEqualReportsGiveEqualBytes(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		for kind := range reports() {
			first := write(t, f, reports()[kind])
			if again := write(t, f, reports()[kind]); again != first {
				t.Errorf("%s of the %s report differs between two runs", name, kind)
			}
		}
	}
}

// A format shows a report, it does not change it.
func TestReportStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		r := rendertest.Typical()
		r.Proofs[0].Gaps[0].Why, r.Proofs[0].Missing, r.Inputs = nil, nil, nil
		before := write(t, JSON, r)
		write(t, f, r)
		if r.Proofs[0].Gaps[0].Why != nil || r.Proofs[0].Missing != nil || r.Inputs != nil || write(t, JSON, r) != before {
			t.Errorf("%s changed the report", name)
		}
	}
}

func TestWriteErrorsAreTold(t *testing.T) {
	t.Parallel()
	for name, f := range formats() {
		for _, n := range []int{0, 500} {
			if err := f(&pagetest.BrokenWriter{N: n}, rendertest.Typical()); err == nil {
				t.Errorf("%s: a writer that breaks after %d bytes is not noticed", name, n)
			}
		}
	}
}

func TestTextKeepsItsWidth(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`^ +(partnerguard decide|--[a-z])`)
	for kind, r := range reports() {
		for _, w := range []int{1, 40, 79, 100, 200} {
			var b, kept strings.Builder
			if err := Text(&b, r, Options{Width: w}); err != nil {
				t.Fatal(err)
			}
			pagetest.MustBePlain(t, kind, b.String())
			for l := range strings.Lines(b.String()) {
				// A command stays whole: a word of it may be wider than the screen.
				if !word.MatchString(l) {
					kept.WriteString(l)
				}
			}
			pagetest.CheckScreen(t, kind, kept.String(), w)
		}
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// Colour adds nothing but colour.
func TestTextColour(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		var plain, coloured strings.Builder
		if err := Text(&plain, r, Options{Width: 90}); err != nil {
			t.Fatal(err)
		}
		if err := Text(&coloured, r, Options{Width: 90, Color: true}); err != nil {
			t.Fatal(err)
		}
		if sgr.ReplaceAllString(coloured.String(), "") != plain.String() || strings.Contains(plain.String(), "\x1b") {
			t.Errorf("%s: colour changes the text", kind)
		}
	}
}

func TestTextSaysWhatMatters(t *testing.T) {
	t.Parallel()
	pagetest.Has(t, write(t, formats()["text"], rendertest.Typical()), "Contoso Cloud Partners", "of 7 questions have a gap", "The answer is complete",
		"✗ Does every sign-in need MFA?", "42 of 43 accounts can sign in without MFA", "mfa-every-sign-in", "by any legacy client",
		"why Require MFA for all users", "Block legacy authentication would close it, but is report-only", "try ",
		"signs in to any other app with a legacy client on windows from",
		"partnerguard decide --from exports/ --user", "--app 'any other app'", "--client other", "Break-glass accounts apart", "bg1@contoso.onmicrosoft.com",
		"Policies", "Pilot: phishing-resistant for admins: not enabled", "Inputs")
	pagetest.Has(t, write(t, formats()["text"], rendertest.Unknown()), "? No question can be answered", "INCOMPLETE",
		"Open, unless what is not in the export says otherwise", "→ What settles it: A, B at the end", "What settles it",
		"A GET /users?$select=…, every page", "B the members of group", "prints each request in full")
	pagetest.Has(t, write(t, formats()["text"], rendertest.Proved()), "✓ All 4 questions are proved.", "✓ Does every sign-in need MFA? proved")
	pagetest.Has(t, write(t, formats()["text"], rendertest.Single()), "✗ Does every sign-in need MFA? No: there is a gap.")
	pagetest.Has(t, write(t, formats()["text"], rendertest.Huge()), "further gaps"[8:], "in the JSON")
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		page := write(t, HTML, r)
		pagetest.CheckPage(t, kind, page)
		if len(page) > 1<<20 {
			t.Errorf("%s: a page of %d bytes", kind, len(page))
		}
	}
	page := write(t, HTML, rendertest.Typical())
	pagetest.Has(t, page, "Contoso Cloud Partners", "of 7 questions have a gap", "Accounts asked about, by question", "Does every sign-in need MFA?",
		"A sign-in to try",
		`<code class="code">partnerguard decide --from exports/`, "Break-glass accounts, apart", "Policies that do not count as protection", "How to read this")
	if n := strings.Count(page, `<figure class="plot `); n != 1 {
		t.Errorf("%d plots", n)
	}
	pagetest.Has(t, write(t, HTML, rendertest.Unknown()), "What settles it: <a href=\"#ask-a\">A</a>", `<dt id="ask-a">A</dt>`)
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for kind, r := range reports() {
		out := write(t, CSV, r)
		pagetest.CheckSheet(t, kind, out)
		rows := 0
		for _, p := range r.Proofs {
			rows += max(len(p.Gaps)+len(p.Possible), 1)
		}
		if got := len(pagetest.Sheet(t, out)); got != rows+1 {
			t.Errorf("%s: %d rows, want %d", kind, got, rows+1)
		}
	}
}

// The command printed with a gap decides the very sign-in that the witness
// shows: reading its words as decide does, the engine answers the same.
func TestCommandsDecideTheWitness(t *testing.T) {
	t.Parallel()
	for _, n := range []int{12, 40} {
		tenant := rendertest.Tenant(n)
		e := access.Compile(tenant)
		tried := 0
		for _, q := range access.Questions() {
			p, err := e.Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range p.Gaps {
				g := &p.Gaps[i]
				words := command(p, g, nil)
				if words == nil {
					continue
				}
				s := access.SignIn{Device: map[string]bool{}}
				for _, w := range words[2:] {
					flag, value, _ := strings.Cut(w, " ")
					value = strings.Trim(value, "'")
					switch flag {
					case "--user":
						k, ok := e.Find(value)
						if !ok {
							t.Fatalf("no account %s", value)
						}
						s.User = k
					case "--app":
						s.App = value
					case "--client":
						s.Client = value
					case "--location":
						if ip, err := netip.ParseAddr(value); err == nil {
							s.IP = ip
						} else {
							s.Location = value
						}
					case "--platform":
						s.Platform = value
					case "--sign-in-risk":
						s.SignInRisk = value
					case "--user-risk":
						s.UserRisk = value
					case "--insider-risk":
						s.InsiderRisk = value
					case "--device":
						name, v, _ := strings.Cut(value, "=")
						s.Device[name] = v == "true"
					default:
						t.Errorf("decide knows no %s", flag)
					}
				}
				tried++
				if a := e.Decide(s); a.Outcome != g.Witness.Outcome {
					t.Errorf("%s, %s: %v gives %s, the witness %s", q.Name, g.Text, words, a.Outcome, g.Witness.Outcome)
				}
			}
		}
		if tried < 8 {
			t.Errorf("only %d commands tried", tried)
		}
	}
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	p := func(v ...access.ProofVerdict) (out []*access.Proof) {
		for _, v := range v {
			out = append(out, &access.Proof{Title: "Is it?", Verdict: v})
		}
		return out
	}
	for want, list := range map[string][]*access.Proof{
		"Nothing was asked.":                                   nil,
		"Is it? Yes, proved.":                                  p(access.Proved),
		"Is it? Not known.":                                    p("odd"),
		"All 2 questions are proved":                           p(access.Proved, access.Proved),
		"1 of 3 questions has a gap, and 1 cannot be answered": p(access.Proved, access.GapFound, access.UnknownProof),
		"No gap was found, but 1 of 2 questions cannot":        p(access.Proved, access.UnknownProof),
		"No question can be answered":                          p(access.UnknownProof, ""),
	} {
		if _, got := headline(list); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDecideText(t *testing.T) {
	t.Parallel()
	for kind, a := range rendertest.Decisions() {
		for _, w := range []int{40, 80, 120} {
			var b strings.Builder
			if err := DecideText(&b, &a, Options{Width: w}); err != nil {
				t.Fatal(err)
			}
			pagetest.CheckScreen(t, kind, b.String(), w)
		}
	}
	var b strings.Builder
	a := rendertest.Decisions()["required"]
	if err := DecideText(&b, &a, Options{}); err != nil {
		t.Fatal(err)
	}
	pagetest.Has(t, b.String(), "✓ MFA is required", "MFA is required by Require MFA for all users", "a.moreau@contoso.com signs in to",
		"Policies that apply", "Require MFA for all users: MFA",
		"Report-only: what they would do", "Policies that do not apply", "does not include the account", "Registered methods", "✓ microsoftAuthenticatorPush")
	hostile := access.Answer{Reason: pagetest.Marks[10], Account: pagetest.Marks[11], Able: pagetest.Marks, Notes: pagetest.Marks}
	for _, m := range pagetest.Marks {
		hostile.Applied = append(hostile.Applied, access.Use{ID: m, Policy: m, State: access.State(m), Applies: m, Clause: m, Demands: m})
	}
	b.Reset()
	if err := DecideText(&b, &hostile, Options{Width: 60}); err != nil {
		t.Fatal(err)
	}
	pagetest.CheckScreen(t, "hostile", b.String(), 60)
	b.Reset()
	if err := DecideGraph(&b, &hostile); err != nil || !json.Valid([]byte(b.String())) {
		t.Errorf("not JSON: %v", err)
	}
}

func TestDecideGraph(t *testing.T) {
	t.Parallel()
	want := map[string]map[string]string{
		"required": {"Require MFA for all users": "true notSet", "Require MFA for admins": "false users", "Block legacy authentication": "false clientApps"},
		"not":      {"Require MFA for all users": "false users", "Kiosks: MFA outside the Netherlands": "false application"},
		"perhaps":  {"Require MFA for all users": "false notEnoughInformation"},
	}
	for kind, a := range rendertest.Decisions() {
		var b bytes.Buffer
		if err := DecideGraph(&b, &a); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Value []struct {
				ID, DisplayName, State, AnalysisReasons string
				PolicyApplies                           *bool
			}
		}
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, v := range doc.Value {
			if v.ID == "" || v.State == "" || v.PolicyApplies == nil {
				t.Errorf("%s: %+v lacks something", kind, v)
				continue
			}
			got[v.DisplayName] = map[bool]string{true: "true ", false: "false "}[*v.PolicyApplies] + v.AnalysisReasons
		}
		for name, w := range want[kind] {
			if got[name] != w {
				t.Errorf("%s: %s is %q, want %q", kind, name, got[name], w)
			}
		}
	}
}

// The words of What If for the clauses the engine has.
func TestAnalysis(t *testing.T) {
	t.Parallel()
	for clause, want := range map[string]string{
		"does not include the account": "users", "excludes the account by name": "users", "excludes the group Kiosks": "users",
		"excludes the role Global Administrator": "users", "excludes guests and external users": "users",
		"excludes the location Headquarters": "location", "excludes all trusted locations": "location", "does not include the location": "location",
		"does not take any other location": "location",
		"excludes Exchange Online":         "application", "does not take any other app": "application",
		"takes only Exchange Online or another app of Office 365": "application",
		"does not take browser":                                   "clientApps", "takes only Exchange ActiveSync or another legacy client": "clientApps",
		"does not take device code flow": "authenticationFlow",
		"does not take linux":            "devicePlatform", "takes only android or iOS": "devicePlatform", "asks only at sign-in risk high": "signInRisk",
		"asks only at user risk high": "userRisk", "asks only at insider risk elevated": "insiderRisk",
	} {
		if got := analysis(&access.Use{Applies: "no", Clause: clause}); got != want {
			t.Errorf("%s: %s, want %s", clause, got, want)
		}
	}
}

func TestEveryQuestionHasAShortTitle(t *testing.T) {
	t.Parallel()
	for _, q := range access.Questions() {
		if shortTitles[q.Name] == "" {
			t.Errorf("%s has none", q.Name)
		}
	}
}
