package remedy

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
)

const (
	aTenant = "11111111-1111-1111-1111-111111111111"
	aUser   = "22222222-2222-2222-2222-222222222222"
	aPolicy = "33333333-3333-3333-3333-333333333333"
)

var update = flag.Bool("update", false, "write testdata/plan.yaml")

// sample is a plan with something of everything.
func sample() *Plan {
	day := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	p := &Plan{
		Form: Form, ID: "7k2m9q4x", Goal: "mfa-every-sign-in", Made: day, By: "local:lena", Program: "partnerguard 1.9", RuleBook: "2026-11",
		Tenant: Tenant{aTenant, "Fabrikam: \"the\" partner #1", "public"},
		Basis:  Basis{AsOf: day.Add(-time.Hour), From: []string{"live", "exports/yes", "1e3"}},
		Serves: []string{"mfa-every-sign-in", "P09"}, Stages: []Stage{ReportOnly, Pilot, "10%", All}, Pilot: []string{aUser},
		Actor: "app:" + aUser, Wait: Wait{72 * time.Hour, 48 * time.Hour, 90 * time.Minute, 100},
		Steps: []Step{
			{N: 1, Do: Create, Kind: Group, Key: "testers", Text: "Make the pilot's group", First: true, Undo: Removes,
				After: Object(`{"displayName":"Partnerguard stage 7k2m9q4x pilot","mailNickname":"pg-7k2m9q4x","securityEnabled":true}`)},
			{N: 2, Do: Create, Kind: Policy, Text: "Ask everybody for MFA", Name: "MFA: everybody\u2028", Staged: true, Undo: Removes,
				Permissions: []string{"Policy.Read.All"}, Role: "Conditional Access Administrator", Traps: []string{"one request a second"},
				After: Object(`{"conditions":{"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"users":{"includeGroups":["{testers}"]}},` +
					`"displayName":"no","grantControls":{"builtInControls":["mfa"],"operator":"OR"},"sessionControls":{"signInFrequency":` +
					`{"isEnabled":true,"type":"hours","value":12}},"state":"enabled","x":[{"a":1.5},[[]],{},null,"\t"]}`)},
			{N: 3, Do: Update, Kind: Defaults, Text: "Switch security defaults off", Undo: Restores, Before: Object(`{"isEnabled":true}`),
				After: Object(`{"isEnabled":false}`), ETag: `W/"2"`, Modified: day, Place: &Place{"20261130T0900-settings", 4}},
			{N: 4, Do: Delete, Kind: Policy, ID: aPolicy, Text: "Take the old policy away", Undo: SoftDeleted, Before: Object(`{"displayName":"old"}`)},
			{N: 5, Do: Ask, Kind: Person, Text: "Switch app passwords off", Undo: ByPerson, Task: &Task{Do: []string{"Open the service settings"},
				Check: "app passwords are off", Within: "7 days"}},
		},
		Gate: &Gate{At: day, Stage: ReportOnly, Passed: true, Log: &Log{From: day, To: day, SignIns: 9, Breaks: 1}, Ways: []Way{{aUser, "bg1", "a key", ""}},
			Findings: []Finding{{ID: "0a1b2c3d", Kind: Breaks, Step: 2, Text: "the scanner breaks", WaysOut: []string{"a mailbox"}, Acceptable: true}}},
		Accepted: []Acceptance{{"0a1b2c3d", "local:lena", "the scanner goes in May", day.AddDate(0, 3, 0)}},
	}
	p.Basis.SHA256 = p.BeforeSHA256()
	return p
}

func written(t *testing.T, p *Plan, comment ...string) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, comment...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	p := sample()
	text := written(t, p, "What is to be changed", "evil\nform: other\r", "", "\u2028x")
	got, err := ReadFile([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if p.SHA256() == "" || got.SHA256() != p.SHA256() {
		t.Errorf("its hash is another")
	}
	want := *p
	want.tidy()
	if a, b := compacted(t, &want), compacted(t, got); a != b {
		t.Errorf("another plan:\n%s\n%s", a, b)
	}
	if again := written(t, got, "What is to be changed", "evil\nform: other\r", "", "\u2028x"); again != text {
		t.Errorf("written otherwise:\n%s\n%s", text, again)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "#") && strings.ContainsAny(line, "\r\u2028") {
			t.Errorf("a comment that ends early: %q", line)
		}
	}
	const golden = "testdata/plan.yaml"
	if *update {
		_ = os.WriteFile(golden, []byte(text), 0o600)
	}
	had, err := os.ReadFile(golden)
	if err != nil || string(had) != text {
		t.Errorf("%v: the file looks otherwise than it did; -update writes it:\n%s", err, text)
	}
}

func compacted(t *testing.T, p *Plan) string {
	t.Helper()
	b, err := p.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFields asks that every member of the nouns goes through the file: one that is
// forgotten would be lost in silence.
func TestFields(t *testing.T) {
	t.Parallel()
	got, err := ReadFile([]byte(written(t, sample())))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(v reflect.Value, at string)
	zero := map[string]bool{".Signature": true, ".Gate.Actor": true, ".Gate.Answers": true}
	walk = func(v reflect.Value, at string) {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			f, name := v.Field(i), at+"."+v.Type().Field(i).Name
			if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct {
				continue
			}
			if f.IsZero() && !zero[name] {
				t.Errorf("%s was lost", name)
			}
			walk(f, name)
		}
	}
	walk(reflect.ValueOf(got).Elem(), "")
}

func TestSignature(t *testing.T) {
	t.Parallel()
	secret, public, err := note.GenerateKey(nil2reader{}, "guard.example/trail")
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(secret)
	verifier, _ := note.NewVerifier(public)
	other, otherPublic, _ := note.GenerateKey(nil2reader{1}, "guard.example/trail")
	otherSigner, _ := note.NewSigner(other)
	otherVerifier, _ := note.NewVerifier(otherPublic)

	p := sample()
	if by, err := Signed(p, verifier); by != "" || err != nil {
		t.Errorf("an unsigned plan: %q %v", by, err)
	}
	if err := Sign(p, signer); err != nil {
		t.Fatal(err)
	}
	back, err := ReadFile([]byte(written(t, p, "comments are not signed")))
	if err != nil {
		t.Fatal(err)
	}
	if by, err := Signed(back, verifier); by != "guard.example/trail" || err != nil {
		t.Errorf("%q %v", by, err)
	}
	refused := func(what string, p *Plan, v ...note.Verifier) {
		t.Helper()
		if by, err := Signed(p, v...); by != "" || !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s: %q %v", what, by, err)
		}
	}
	refused("another key", back, otherVerifier)
	refused("no key", back)
	for what, change := range map[string]func(*Plan){
		"a state": func(p *Plan) {
			p.Steps[1].After = Object(strings.Replace(string(p.Steps[1].After), `"enabled"`, `"disabled"`, 1))
		},
		"a step fewer": func(p *Plan) { p.Steps = p.Steps[:4] },
		"a stage":      func(p *Plan) { p.Stages = p.Stages[1:] },
		"a yes":        func(p *Plan) { p.Accepted = nil },
		"the tenant":   func(p *Plan) { p.Tenant.ID = aUser },
		"a wait":       func(p *Plan) { p.Wait.ReportOnly = 0 },
		"the id":       func(p *Plan) { p.ID = "7k2m9q4y" },
	} {
		x, _ := ReadFile([]byte(written(t, p)))
		change(x)
		refused(what, x, verifier)
	}
	x, _ := ReadFile([]byte(written(t, p)))
	if err := Sign(x, otherSigner); err != nil {
		t.Fatal(err)
	}
	refused("signed by somebody else", x, verifier)
	x.Signature = "no note"
	refused("no note", x, verifier)
}

// nil2reader gives bytes that are no secret: keys of a test.
type nil2reader []byte

func (r nil2reader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i + len(r)*7)
	}
	return len(b), nil
}
