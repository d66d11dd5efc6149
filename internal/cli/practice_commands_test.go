package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/remedy/find"
)

// within is a command line inside a sentence: up to a mark that no command has.
var within = regexp.MustCompile(`partnerguard [^;:,]+`)

// TestPracticesCommandsParse: every command that a practice names is there, with every flag
// that it names; every plan that one offers is a goal of remedy plan, and every goal by which
// settings bring a practice about is offered by it.
func TestPracticesCommandsParse(t *testing.T) {
	t.Parallel()
	remedies := practice.Remedies()
	for _, p := range partner.Practices() {
		m := remedies[p.ID]
		if (m.Plan != "") != (find.PracticeGoal(p.ID) != "") || m.Plan != "" && m.Plan != p.ID {
			t.Errorf("%s offers the plan %q, and its goal is %q", p.ID, m.Plan, find.PracticeGoal(p.ID))
		}
		lines := append(slices.Clone(m.Steps), m.Command, m.Check)
		if m.Plan != "" {
			lines = append(lines, "partnerguard remedy plan "+m.Plan)
		}
		n := 0
		for _, line := range lines {
			for _, command := range within.FindAllString(line, -1) {
				n++
				words := strings.Fields(command)[1:]
				if err := parses(words); err != nil {
					t.Errorf("%s: %s: %v", p.ID, command, err)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s names no command, not even a check", p.ID)
		}
	}
}

// TestChoicesCommandsParse: so do the commands that remedy list names.
func TestChoicesCommandsParse(t *testing.T) {
	t.Parallel()
	for _, r := range partner.Book() {
		list := find.List(find.Input{Tenant: &access.Tenant{}, Unmet: []find.Unmet{{ID: r.ID, Title: r.Title, Action: "do it"}}})
		for _, c := range list {
			for _, line := range []string{c.Command, c.Check, c.Task, c.Way} {
				for _, command := range within.FindAllString(line, -1) {
					if err := parses(strings.Fields(command)[1:]); err != nil {
						t.Errorf("%s: %s: %v", r.ID, command, err)
					}
				}
			}
		}
	}
}
