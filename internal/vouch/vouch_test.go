package vouch

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const whole = `# ours
attestations:
  - requirement: app-passwords
    what: app passwords are not allowed in the MFA service settings
    who: Ada Lovelace
    since: 2026-11-01
    until: 2027-04-30
    reason: no export shows it
    compensatingControl: looked at every quarter
    approvedBy: Grace Hopper
exceptions:
  - account: scanner@contoso.example   # the one on the third floor
    requirement: mfa-every-user
    who: Ada Lovelace
    since: 2026-11-01
    until: 2026-12-31
    reason: it cannot answer, and is replaced in December
`

func statement() Statement {
	return Statement{Kind: Attestation, Requirement: "app-passwords", Who: "Ada", Since: "2026-11-01", Until: "2027-04-30", Reason: "no export shows it"}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse("a.yaml", []byte(whole))
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if a := got[0]; a.Kind != Attestation || a.Requirement != "app-passwords" || a.Control != "looked at every quarter" || a.ApprovedBy != "Grace Hopper" ||
		a.Source.String() != "a.yaml:3" {
		t.Errorf("%+v", a)
	}
	if e := got[1]; e.Kind != Exception || e.Account != "scanner@contoso.example" || e.Until != "2026-12-31" || e.Source.Line != 12 {
		t.Errorf("%+v", e)
	}
}

func TestOn(t *testing.T) {
	t.Parallel()
	s := statement()
	for day, want := range map[string]string{
		"2026-10-31": "not_yet 181", "2026-11-01": "in_force 180", "2027-04-30": "in_force 0", "2027-05-01": "expired -1",
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		state, left := s.On(at.Add(23 * time.Hour))
		if got := fmt.Sprintf("%s %d", state, left); got != want {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
}

// TestHostile: what is refused, with the line and the reason.
func TestHostile(t *testing.T) {
	t.Parallel()
	change := func(old, with string) string {
		if !strings.Contains(whole, old) {
			t.Fatal(old)
		}
		return strings.Replace(whole, old, with, 1)
	}
	for name, c := range map[string][2]string{
		"no end":            {change("    until: 2027-04-30\n", ""), "line 3: until is missing"},
		"no person":         {change("    who: Ada Lovelace\n", ""), "line 3: who is missing"},
		"no reason":         {change("    reason: no export shows it\n", ""), "line 3: reason is missing"},
		"no beginning":      {change("    since: 2026-11-01\n", ""), "line 3: since is missing"},
		"no requirement":    {change("requirement: app-passwords\n    what", "what"), "line 3: requirement is missing"},
		"nobody":            {change("account: scanner@contoso.example   # the one on the third floor\n    req", "req"), "account or what is missing"},
		"too long a life":   {change("2027-04-30", "2027-12-31"), "more than a year"},
		"the wrong way":     {change("2027-04-30", "2026-10-01"), "is before since"},
		"no day":            {change("2027-04-30", "next year"), "has to be a day"},
		"a moment":          {change("2027-04-30", "2027-04-30T10:00:00Z"), "has to be a day"},
		"an unknown key":    {change("approvedBy", "aprovedBy"), "line 10"},
		"an unknown list":   {whole + "verdicts:\n  - x\n", "line 18"},
		"the key twice":     {change("    approvedBy: Grace Hopper\n", "    who: Mallory\n"), "line 10"},
		"the list twice":    {whole + "exceptions: []\n", "line 18"},
		"an account in it":  {change("what: app", "account: a@b.c\n    what: app"), "account stands in an attestation"},
		"an alias":          {change("who: Ada Lovelace", "who: &a Ada"), "anchors, aliases and tags"},
		"a tag":             {change("who: Ada Lovelace", "who: !!binary QWRh"), "anchors, aliases and tags"},
		"an octal number":   {change("who: Ada Lovelace", "who: 017"), "line 5: a number"},
		"a truth":           {change("who: Ada Lovelace", "who: true"), "line 5: a number or a yes"},
		"an escape":         {change("who: Ada Lovelace", `who: "Ada\e[31m"`), "cannot be seen"},
		"turned around":     {change("who: Ada Lovelace", "who: \"Ada\\u202e\""), "cannot be seen"},
		"a long text":       {change("no export shows it", strings.Repeat("x", 1001)), "longer than 1000 bytes"},
		"a list for a text": {change("who: Ada Lovelace", "who: [Ada, Grace]"), "line 5"},
		"one statement":     {"attestations:\n  requirement: x\n", "line 2"},
		"deep":              {"attestations:\n" + strings.Repeat("[", 40), "nested too deep"},
		"deep lines":        {"attestations:\n" + strings.Repeat("- ", 70) + "x", "nested too deep"},
		"two documents":     {whole + "---\n" + whole, "more than one YAML document"},
		"not UTF-8":         {"attestations:\n  - who: \xff\n", "not UTF-8"},
		"large":             {whole + strings.Repeat("# x\n", 70_000), "at most"},
		"many":              {"attestations:\n" + strings.Repeat("  - who: x\n", 501), "at most 500"},
		"the same again":    {whole + whole[strings.Index(whole, "  - account"):], "says the same as line 12"},
		"half":              {whole[:len(whole)/2] + "\n  : :", "line"},
	} {
		got, err := Parse("a.yaml", []byte(c[0]))
		if err == nil || !strings.Contains(err.Error(), c[1]) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{whole: true, "# x\n\nexceptions: []\n": true, "attestations:\r\n": true, "attestations: many\n": false,
		`{"attestations": []}`: false, "a,b\nattestations,c\n": false, "  attestations:\n": false, "": false, "---\nattestations:\n": true,
		"%YAML 1.2\n---\nexceptions:\n": true, "note: x\nexceptions:\n": true,
		"id,displayName\n1,\"x\nattestations:\n\"\n": false, "1;x\nexceptions: []\n": false} {
		if Is([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	s := statement()
	s.Reason = "it: \"has\" # signs\nand a second line"
	exception := Statement{Kind: Exception, Account: "x@contoso.example", Who: "Ada", Since: "2026-11-01", Until: "2026-12-01", Reason: "yes"}
	for name, old := range map[string]string{
		"nothing": "", "whole": whole, "no line break": strings.TrimSuffix(whole, "\n"), "an empty list": "attestations: []\nexceptions: []\n",
		"the other list alone": whole[strings.Index(whole, "exceptions"):],
		"not indented":         strings.ReplaceAll(strings.ReplaceAll(whole, "\n    ", "\n  "), "\n  - ", "\n- "),
		"remarks at the end":   whole + "# the end\n",
		"the other way round":  whole[strings.Index(whole, "exceptions"):] + "\n# more\n" + whole[:strings.Index(whole, "exceptions")],
	} {
		text := []byte(old)
		n := 0
		if old != "" {
			before, err := Parse("", text)
			if err != nil {
				t.Fatal(name, err)
			}
			n = len(before)
		}
		for _, add := range []Statement{s, exception} {
			var err error
			if text, err = Add(text, add); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, old)
			}
		}
		after, err := Parse("", text)
		if err != nil || len(after) != n+2 || !Is(text) {
			t.Errorf("%s: %d, %v\n%s", name, len(after), err, text)
		}
		for line := range strings.Lines(old) { // nothing of what stood there is lost
			if !strings.Contains(string(text), strings.TrimSpace(line)) && !strings.Contains(line, "[]") {
				t.Errorf("%s: lost %q", name, line)
			}
		}
		if _, err := Add(text, s); err == nil || !strings.Contains(err.Error(), "says so already") {
			t.Errorf("%s: added twice: %v", name, err)
		}
	}
	s.Until = ""
	if _, err := Add(nil, s); err == nil {
		t.Error("added without an end")
	}
	if _, err := Add([]byte("attestations: [{requirement: x, who: a, since: 2026-11-01, until: 2026-11-02, reason: r}]\n"), statement()); err == nil {
		t.Error("added to a list in brackets")
	}
}

// FuzzParse: no text makes it fall over; what is read is sound, and can be added
// to.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("attestations: []\n")
	f.Add("exceptions:\n- {account: a, who: b, since: 2026-11-01, until: 2026-11-02, reason: c}\n")
	f.Add("attestations:\n  - &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse("x", []byte(text))
		if err != nil {
			if list != nil {
				t.Error("both an answer and an error")
			}
			return
		}
		for i := range list {
			if err := list[i].Check(); err != nil {
				t.Error(err)
			}
			since, end := list[i].Life()
			if since.IsZero() || !end.After(since) || end.Sub(since) > (MaxDays+1)*24*time.Hour {
				t.Error(list[i])
			}
		}
		more, err := Add([]byte(text), statement())
		if err != nil {
			return
		}
		if after, err := Parse("x", more); err != nil || len(after) != len(list)+1 {
			t.Errorf("%d and one make %d, %v\n%s", len(list), len(after), err, more)
		}
	})
}
