package remedy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"partnerguard/internal/problem"
)

// hostile is a file that is refused, and what is said of it.
type hostile struct{ name, text, says string }

func hostileHeads(good string, swap func(old, with string) string) []hostile {
	long := strings.Repeat("x", 3000)
	return []hostile{
		{"nothing", "", "no plan"},
		{"a comment alone", "# nothing\n", "no plan"},
		{"two documents", good + "---\nform: x\n", "more than one"},
		{"no YAML", "a: [1, 2\nb: }", "YAML"},
		{"a list", "- 1\n- 2\n", "line 1"},
		{"a text", "hello\n", "line 1"},
		{"not UTF-8", "form: \xff\n", "UTF-8"},
		{"too long", good + strings.Repeat("# x\n", MaxFile/4), "bytes"},
		{"deep brackets", "a: " + strings.Repeat("[", 60) + strings.Repeat("]", 60), "deeper"},
		{"deep indentation", "a:\n" + strings.Repeat(" ", 200) + "b: 1\n", "deeper"},
		{"an anchor", swap("goal: mfa-every-sign-in", "goal: &x mfa-every-sign-in"), "anchors"},
		{"an alias", swap("goal: mfa-every-sign-in", "goal: *x"), "line"},
		{"a tag", swap("goal: mfa-every-sign-in", "goal: !!str mfa"), "tags"},
		{"a merge", swap("tenant:\n", "tenant:\n  <<: {id: x}\n"), "line"},
		{"a member twice", swap("goal: mfa", "form: x\ngoal: mfa"), "line 8"},
		{"a number as a name", swap("goal: mfa", "1: x\ngoal: mfa"), "name"},
		{"an unknown member", swap("goal: mfa", "gaol: x\ngoal: mfa"), `"gaol"`},
		{"another case", swap("goal: mfa", "Goal: mfa"), "line"},
		{"an unknown member of a step", swap("  do: create\n", "  do: create\n  force: true\n"), `"force"`},
		{"an unknown member of a wait", swap("  signIns: 100\n", "  signIns: 100\n  sign: 1\n"), "wait"},
		{"another form", swap("form: partnerguard-plan/1", "form: partnerguard-plan/2"), "form"},
		{"form without quotes as a number", swap("form: partnerguard-plan/1", "form: 1"), "line"},
		{"no id", swap("id: \"7k2m9q4x\"", "id: \"\""), "no id of a plan"},
		{"a path as id", swap("id: \"7k2m9q4x\"", "id: ../../etc"), "no id of a plan"},
		{"no goal", swap("goal: mfa-every-sign-in", "goal: \"\""), "every plan"},
		{"a goal of two lines", swap("goal: mfa-every-sign-in", `goal: "a\nb"`), "one line"},
		{"a goal too long", swap("goal: mfa-every-sign-in", "goal: "+long), "one line"},
		{"made never", swap(`made: "2026-11-30T09:00:00Z"`, `made: "0001-01-01T00:00:00Z"`), "when it was made"},
		{"made at no time", swap(`made: "2026-11-30T09:00:00Z"`, `made: yesterday`), "made"},
		{"a tenant by its domain", swap("id: \""+aTenant+"\"", "id: fabrikam.example"), "no id of a tenant"},
		{"a tenant in capitals", swap("id: \""+aTenant+"\"", `id: "ABCDEF00-1111-1111-1111-111111111111"`), "no id of a tenant"},
		{"a cloud", swap("cloud: public", `cloud: "a b"`), "no cloud"},
		{"what was", swap("before:\n    isEnabled: true", "before:\n    isEnabled: false"), "were"},
		{"what was, without its hash", strings.Replace(swap(`isEnabled: true`, `isEnabled: false`), "sha256:", "sha257:", 1), "sha257"},
		{"no hash", swap("sha256: ", "sha256: x"), "no hash"},
		{"no stage", swap("stages:\n- report-only\n- pilot\n- \"10%\"\n- all\n", "stages: []\n"), "everybody"},
		{"stages without all", swap("- \"10%\"\n- all\n", "- \"10%\"\n"), "everybody"},
		{"stages in disorder", swap("- pilot\n- \"10%\"", "- \"10%\"\n- pilot"), "order"},
		{"a stage twice", swap("- pilot\n", "- pilot\n- pilot\n"), "order"},
		{"a stage of 0%", swap("\"10%\"", "\"0%\""), "no stage"},
		{"a stage of words", swap("\"10%\"", "half"), "no stage"},
		{"a pilot by name", swap("pilot:\n- \""+aUser+"\"", "pilot:\n- lena"), "cannot stand"},
		{"a pilot twice", swap("pilot:\n- \""+aUser+"\"", "pilot:\n- \""+aUser+"\"\n- \""+aUser+"\""), "twice"},
		{"a wait of years", swap("reportOnly: \"72h\"", "reportOnly: \"72000h\""), "no time to wait"},
		{"a wait below zero", swap("reportOnly: \"72h\"", "reportOnly: \"-72h\""), "no time to wait"},
		{"a wait as a number", swap("reportOnly: \"72h\"", "reportOnly: 72"), "line"},
		{"sign-ins below zero", swap("signIns: 100", "signIns: -1"), "sign-ins"},
		{"a hex number", swap("signIns: 100", "signIns: 0x10"), "numbers"},
		{"an octal number", swap("signIns: 100", "signIns: 0o7"), "numbers"},
		{"a number of many digits", swap("signIns: 100", "signIns: 99999999999999999999"), "wait"},
		{"infinity", swap("signIns: 100", "signIns: .inf"), "line"},
		{"not a number", swap("signIns: 100", "signIns: .nan"), "line"},
	}
}

func hostileSteps(good string, swap func(old, with string) string) []hostile {
	return []hostile{
		{"steps that do not count", swap("- n: 2\n", "- n: 3\n"), "step 3 stands where 2"},
		{"an unknown kind", swap("kind: security-defaults", "kind: mailbox"), "no kind"},
		{"an unknown deed", swap("do: delete", "do: destroy"), "nothing that a step does"},
		{"a person that deletes", swap("do: ask", "do: delete"), "person"},
		{"an unknown way back", swap("undo: soft-deleted", "undo: maybe"), "way back"},
		{"no text", swap("text: Take the old policy away", "text: \"\""), "every plan"},
		{"a key twice", swap("kind: conditional-access-policy\n  name", "kind: conditional-access-policy\n  key: testers\n  name"), "twice"},
		{"a key of the stages", swap("key: testers", "key: pilot"), "stages' own"},
		{"a key of a twin", swap("key: testers", "key: twin-2"), "stages' own"},
		{"a key of a share's own group", swap("key: testers", "key: share-10-2"), "stages' own"},
		{"a key of capitals", swap("key: testers", "key: Testers"), "key"},
		{"a key that nothing makes", swap("{testers}", "{tasters}"), "nothing before it makes"},
		{"a key of what does not make", swap("kind: security-defaults\n", "kind: security-defaults\n  key: defaults\n"), "key of this step"},
		{"an id by name", swap("id: \""+aPolicy+"\"", "id: Old policy"), "no id of a"},
		{"an id that leads elsewhere", swap("id: \""+aPolicy+"\"", "id: \"../"+aPolicy+"\""), "no id of a"},
		{"an id of what is made", swap("kind: group\n", "kind: group\n  id: \""+aPolicy+"\"\n"), "no id yet"},
		{"a delete that wants", swap("before:\n    displayName: old\n", "before:\n    displayName: old\n  after:\n    displayName: old\n"), "wanted no more"},
		{"a delete of nothing", swap("  before:\n    displayName: old\n", ""), "was"},
		{"a create of what was", swap("  after:\n    conditions:", "  before:\n    a: b\n  after:\n    conditions:"), "not there"},
		{"an object that is a list", swap("before:\n    displayName: old", "before:\n  - old"), "no object"},
		{"a delete in stages", swap("undo: soft-deleted", "undo: soft-deleted\n  staged: true"), "not done in stages"},
		{"first and staged", swap("staged: true", "staged: true\n  first: true"), "not done in stages"},
		{"a task without a thing to do", swap("task:\n    do:\n    - Open the service settings\n", "task:\n    do: []\n"), "person does"},
		{"a task beside a change", swap("kind: security-defaults\n", "kind: security-defaults\n  task:\n    do:\n    - x\n"), "own"},
		{"a permission that is a sentence", swap("- Policy.Read.All", "- \"all of them; now\""), "cannot stand"},
		{"a place that leads elsewhere", swap("segment: \"20261130T0900-settings\"", "segment: ../x"), "no place"},
		{"a place below zero", swap("index: 4", "index: -4"), "no place"},
		{"a yes to nothing", swap("- finding: \"0a1b2c3d\"", "- finding: all"), "no id of a finding"},
		{"a yes of nobody", swap("  by: \"local:lena\"\n  why", "  by: \"\"\n  why"), "every plan"},
		{"a yes for ever", swap(`until: "2027-03-02T09:00:00Z"`, `until: "0001-01-01T00:00:00Z"`), "until when"},
		{"a text in a true", swap("passed: true", "passed: \"true\""), "passed"},
		{"a long signature", good + "signature: \"" + strings.Repeat("x", 9000) + "\"\n", "signature"},
	}
}

// TestHostile: each of these is refused with its line, and with what to do.
func TestHostile(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) string {
		if !strings.Contains(string(good), old) {
			t.Fatalf("the plan has no %q", old)
		}
		return strings.Replace(string(good), old, with, 1)
	}
	cases := append(hostileHeads(string(good), swap), hostileSteps(string(good), swap)...)
	if len(cases) < 60 {
		t.Errorf("only %d cases", len(cases))
	}
	for _, x := range cases {
		p, err := ReadFile([]byte(x.text))
		switch {
		case err == nil:
			t.Errorf("%s: it is taken: %+v", x.name, p.Goal)
		case !errors.Is(err, problem.BadInput) && !errors.Is(err, problem.Limit):
			t.Errorf("%s: an error of another kind: %v", x.name, err)
		case !strings.Contains(err.Error(), x.says):
			t.Errorf("%s: it says %q, not %q", x.name, err, x.says)
		case problem.HintOf(err) == "":
			t.Errorf("%s: it does not say what to do: %v", x.name, err)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for old, with := range map[string]string{
		"undo: soft-deleted": "undo: maybe", "signIns: 100": "signIns: -1", "state: enabled": "state: \"{nothing}\"",
		"kind: security-defaults": "kindly: security-defaults", "index: 4": "index: four",
	} {
		text := strings.Replace(string(good), old, with, 1)
		at := 1 + strings.Count(text[:strings.Index(text, with)], "\n")
		_, err := ReadFile([]byte(text))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line %d", at)) {
			t.Errorf("%s: %v, it is in line %d", with, err, at)
		}
	}
}

func FuzzReadFile(f *testing.F) {
	good, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("form: partnerguard-plan/1\nsteps:\n- n: 1\n  after: {a: \"\\u2028\"}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ReadFile(raw)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			if errors.Is(err, problem.Limit) {
				return
			}
			t.Fatal(err)
		}
		again, err := ReadFile(b.Bytes())
		if err != nil {
			t.Fatalf("what it writes is refused: %v\n%s", err, b.Bytes())
		}
		if p.SHA256() == "" || p.SHA256() != again.SHA256() {
			t.Fatalf("another plan comes back:\n%s", b.Bytes())
		}
	})
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{"", "a", "yes", "1e3", ".inf", "tab\tq", "a: b", " x", "x ", "#", "\u2028",
		"\ufeff", "\x7f", "\"\\", "🙂", "{a}", "- ", "\r\n"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		name, text = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(text, "?")
		want := `{` + string(quoted(name)) + `:[` + string(quoted(text)) + `,{"k":` + string(quoted(text)) + `,"l":[[],{}]}]}`
		var b bytes.Buffer
		if err := writeYAML(&b, []byte(want)); err != nil {
			t.Fatal(err)
		}
		d, err := readYAML(b.Bytes())
		if err != nil || string(d.json) != want {
			t.Fatalf("%v\n%s\n%s", err, want, b.Bytes())
		}
	})
}

func quoted(s string) []byte {
	c := &converter{}
	_ = c.text(s)
	return c.out.Bytes()
}
