package access

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilters: rules and the ways they can be met; text in quotes is kept byte
// for byte.
func TestFilters(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`device.isCompliant -eq True`:      `+iscompliant eq True`,
		`device.isCompliant -ne "true"`:    `-iscompliant eq True`,
		`device.isCompliant -eq False`:     `+iscompliant eq False`,
		`device.model -in ["A", "B"]`:      `+model eq A | +model eq B`,
		`device.model -notIn ["A", "B"]`:   `-model eq A & -model eq B`,
		`device.model -notContains "a b"`:  `-model contains a b`,
		`device.model -eq "  two  spaces"`: `+model eq   two  spaces`,
		`device.model -eq "and -or (x"`:    `+model eq and -or (x`,
		`device.model -eq "A" -or device.model -eq "B" -and device.trustType -eq "serverad"`: `+model eq A | +model eq B & +trusttype eq ServerAD`,
		`(device.model -eq "A" -or device.model -eq "B") -and -not (device.model -eq 'C')`:   `+model eq A & -model eq C | +model eq B & -model eq C`,
		`device.model`:                          `+device.model rule device.model`,
		`device.model -regex "x"`:               `+device.model -regex "x" rule device.model -regex "x"`,
		`device.model -eq "open`:                `+device.model -eq "open rule device.model -eq "open`,
		`device.model -eq "a" device.x -eq "b"`: `+device.model -eq "a" device.x -eq "b" rule device.model -eq "a" device.x -eq "b"`,
		`device.model -eq ""`:                   `+model eq `,
	} {
		if got := termsText(readFilter(rule, false)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", rule, got, want)
		}
	}
	if got := termsText(readFilter(`device.model -eq "A" -or device.isCompliant -eq True`, true)); got != `-model eq A & -iscompliant eq True` {
		t.Errorf("excluded: %s", got)
	}
	long := strings.Repeat(`(`, 70) + `device.model -eq "A"` + strings.Repeat(`)`, 70)
	if got := readFilter(long, false); got[0][0].op != "rule" {
		t.Error("a rule nested beyond reason is taken apart")
	}
}

func termsText(terms [][]literal) string {
	var ways []string
	for _, term := range terms {
		var all []string
		for _, l := range term {
			sign := "-"
			if l.want {
				sign = "+"
			}
			all = append(all, fmt.Sprintf("%s%s %s %s", sign, l.attr, l.op, l.value))
		}
		ways = append(ways, strings.Join(all, " & "))
	}
	return strings.Join(ways, " | ")
}

// TestUnregisteredDevices: negative tests take a device without a value,
// positive ones do not.
func TestUnregisteredDevices(t *testing.T) {
	t.Parallel()
	filtered := func(mode, rule string) *Policy {
		return decode(t, fmt.Sprintf(`{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"devices":{"deviceFilter":{"mode":%[1]q,"rule":%[2]q}}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, mode, rule))
	}
	type half struct{ mode, rule string }
	for _, c := range []struct {
		a, b half
		want ProofVerdict
	}{
		{half{"include", `device.isCompliant -eq True`}, half{"include", `device.isCompliant -ne True`}, Proved},
		{half{"include", `device.isCompliant -eq True`}, half{"include", `device.isCompliant -eq False`}, GapFound},
		{half{"exclude", `device.isCompliant -eq True`}, half{"include", `device.isCompliant -eq True`}, Proved},
		{half{"exclude", `device.isCompliant -ne False`}, half{"include", `device.isCompliant -eq True`}, GapFound},
		{half{"include", `device.model -startsWith "Surf"`}, half{"include", `device.model -notStartsWith "Surf"`}, Proved},
		{half{"include", `device.model -eq "A"`}, half{"include", `device.model -notIn ["A","B"]`}, GapFound},
		{half{"exclude", `device.model -eq "A"`}, half{"exclude", `device.model -eq "B"`}, Proved}, // no device is both
		{half{"exclude", `device.model -contains "A"`}, half{"exclude", `device.model -contains "B"`}, GapFound},
		{half{"exclude", `device.model -eq "a"`}, half{"exclude", `device.model -eq "A"`}, UnknownProof}, // perhaps the same text
		{half{"include", `device.model -contains "kiosk"`}, half{"exclude", `device.model -contains "KIOSK"`}, UnknownProof},
		{half{"include", `device.extensionAttribute1 -eq "SAW"`}, half{"include", `device.extensionAttribute1 -ne "SAW"`}, UnknownProof},
		{half{"include", `device.oddity -near "x"`}, half{"exclude", `device.oddity -near "x"`}, Proved},
		{half{"include", `device.oddity -near "x"`}, half{"include", `device.oddity -near "x"`}, UnknownProof},
	} {
		if p := mustProve(t, whole(filtered(c.a.mode, c.a.rule), filtered(c.b.mode, c.b.rule)), "mfa-every-sign-in"); p.Verdict != c.want {
			t.Errorf("%v and %v: %s because %s, want %s", c.a, c.b, p.Verdict, p.Reason, c.want)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, r := range filterRules {
		f.Add(r)
	}
	f.Add(`-not (device.a -eq "b" -or device.c -in ["d","e"])`)
	f.Fuzz(func(t *testing.T, rule string) {
		for _, exclude := range []bool{false, true} {
			terms := readFilter(rule, exclude)
			if len(terms) == 0 || len(terms) > maxTerms {
				t.Errorf("%q: %d ways", rule, len(terms))
			}
			for _, term := range terms {
				if len(term) == 0 {
					t.Errorf("%q: a way without a test", rule)
				}
			}
		}
	})
}
