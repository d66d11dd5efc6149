//go:build !judge

package run

import (
	"encoding/json"
	"fmt"
	"time"

	"partnerguard/internal/remedy"
)

// Exposed says, in a clause, that a tenant stands between security defaults, which the run
// switched off, and the policies that are to take their place, as far as the run knows; ""
// where it does not. Since is when they went off. For as long nobody is asked for MFA.
func (s *Status) Exposed() (words string, since time.Time) {
	for i := range s.Steps {
		p := &s.Steps[i]
		if p.Step.Kind != remedy.Defaults || says(p.Step.After, "isEnabled") != false {
			continue
		}
		switch p.State {
		case Going, Done, Undoes, NotTaken: // what was asked for and not answered may be so
			since = p.Since
			if !p.Asked.IsZero() {
				since = p.Asked
			}
		case Reverted, Left:
			since = time.Time{}
		}
	}
	if since.IsZero() {
		return "", since
	}
	on, all := s.inForce()
	if all == 0 || on == all {
		return "", time.Time{}
	}
	return fmt.Sprintf("security defaults are off, and %d of %s that take their place %s on", on, plural(all, "policy", "policies"), isAre(all)), since
}

// inForce counts the policies that the plan wants on, and those of them that are on for
// those whom they are for.
func (s *Status) inForce() (on, all int) {
	now := map[int]bool{}
	for i := range s.Steps {
		p := &s.Steps[i]
		if p.Step.Kind == remedy.Policy && p.Of != 0 && p.Step.Do != remedy.Delete && says(p.Step.After, "state") == "enabled" {
			now[p.Of] = p.State == Done || p.State == Found
		}
	}
	if s.File == nil {
		for _, is := range now {
			if all++; is {
				on++
			}
		}
		return on, all
	}
	for i := range s.File.Steps {
		x := &s.File.Steps[i]
		if x.Kind != remedy.Policy || x.Do == remedy.Delete || says(x.After, "state") != "enabled" {
			continue
		}
		if all++; now[x.N] {
			on++
		}
	}
	return on, all
}

func says(o remedy.Object, member string) any {
	var m map[string]any
	if json.Unmarshal(o, &m) != nil {
		return nil
	}
	return m[member]
}

// plural counts things: 1 policy, 2 policies.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
