//go:build !judge

package run

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Leftover is an object that a run which was taken back changed, and that is not as it was.
type Leftover struct {
	Step   int         `json:"step"` // the last of the run's that is about it
	Kind   remedy.Kind `json:"kind"`
	ID     string      `json:"id,omitempty"`
	Name   string      `json:"name"`
	Why    string      `json:"why"`    // why it was not taken back
	Settle string      `json:"settle"` // what a person does about it
}

// leftovers are the objects of a run that is over which were not taken back, the last first.
func leftovers(r *Run, list []Progress) (out []Leftover) {
	if r.State != Undone {
		return nil
	}
	seen := map[string]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		x := &list[i]
		key := string(x.Step.Kind) + " " + cmp.Or(x.ID, strconv.Itoa(x.Seq))
		if x.State != NotTaken && x.State != Stays || seen[key] {
			continue
		}
		seen[key] = true
		l := Leftover{Step: x.Seq, Kind: x.Step.Kind, ID: x.ID, Why: x.Words, Name: print.Clean(cmp.Or(x.Step.Name, x.ID, x.Step.Text), print.MaxName)}
		done := "partnerguard remedy approve " + r.ID + " --done " + strconv.Itoa(x.Seq)
		switch {
		case x.State == NotTaken:
			l.Settle = "look at it; the request by hand: partnerguard remedy rollback " + r.ID + " --print FILE; again by itself, once " +
				"nobody else's change stands in its way: partnerguard remedy rollback " + r.ID + " --reason TEXT; as it should be already: " + done
		case x.Step.Do == remedy.Ask:
			l.Settle = "take it back by hand, then: " + done
		default:
			l.Settle = "it stays as it is, or a person changes it back; seen to: " + done
		}
		out = append(out, l)
	}
	return out
}

// leftWords says in one sentence what is left; "" nothing.
func leftWords(list []Leftover) string {
	if len(list) == 0 {
		return ""
	}
	const most = 5
	var names []string
	for _, l := range list[:min(len(list), most)] {
		names = append(names, fmt.Sprintf("%s %q (%s)", l.Kind, l.Name, cmp.Or(l.Why, "it was not said why")))
	}
	words := fmt.Sprintf("%s not taken back: %s", plural(len(list), "object was", "objects were"), strings.Join(names, "; "))
	if more := len(list) - most; more > 0 {
		words += fmt.Sprintf("; and %d more", more)
	}
	return words
}

// settle says by a person that an object which was not taken back is as it should be.
func (c *Runner) settle(r *Run, list []Progress, seq int) error {
	at := slices.IndexFunc(leftovers(r, list), func(l Leftover) bool { return l.Step == seq })
	if at < 0 {
		return problem.New(problem.Conflict, "step %d of %s is %s, and waits for nobody", seq, r.ID, list[seq-1].State)
	}
	of := &list[seq-1]
	for i := range list {
		x := &list[i]
		same := x.Seq == seq || of.ID != "" && x.Step.Kind == of.Step.Kind && strings.EqualFold(x.ID, of.ID)
		if same && (x.State == NotTaken || x.State == Stays) {
			x.to(Reverted, c.now(), "it is as it should be, as "+c.d.Actor+" says")
			x.By = c.d.Actor
		}
	}
	if r.Why = leftWords(leftovers(r, list)); r.Why != "" {
		r.Why = print.Clean(r.Why, print.MaxSaying)
	}
	return nil
}

// acceptWords says of a shut gate which command takes what it tells upon somebody, or that
// nobody can.
func acceptWords(g *remedy.Gate, run string) string {
	first, may, never := "", 0, 0
	for i := range g.Findings {
		switch f := &g.Findings[i]; {
		case !f.Refuses():
		case !f.Acceptable:
			never++
		default:
			may++
			first = cmp.Or(first, f.ID)
		}
	}
	switch {
	case never > 0:
		return fmt.Sprintf("; %s nobody can accept: settle what stands against it, or partnerguard remedy rollback %s and plan anew",
			plural(never, "of them", "of them"), run)
	case may == 1:
		return "; mend it or accept it by name (partnerguard remedy approve " + run + " --accept " + first + " --why TEXT), then apply the plan again"
	case may > 1:
		return fmt.Sprintf("; mend them or accept each by name (partnerguard remedy approve %s --accept %s --why TEXT; "+
			"partnerguard remedy status %s has all %d), then apply the plan again", run, first, run, may)
	}
	return ""
}

// answered says who accepted what a run stopped at, where all of it is accepted: then it goes
// on when the plan is applied again. "" something is not.
func (c *Runner) answered(r *Run) string {
	if r.State != Stopped {
		return ""
	}
	now := c.now()
	var ids, by []string
	for i := range r.Findings {
		ids = append(ids, r.Findings[i].ID)
	}
	if r.Shut != nil {
		for i := range r.Shut.Findings {
			if f := &r.Shut.Findings[i]; f.Refuses() {
				ids = append(ids, f.ID)
			}
		}
	}
	said := c.said(r)
	for _, id := range ids {
		at := slices.IndexFunc(said, func(a remedy.Acceptance) bool { return a.Finding == id && a.Holds(now) })
		if at < 0 {
			return ""
		}
		if who := said[at].By; !slices.Contains(by, who) {
			by = append(by, who)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf("what it stopped at is accepted by name (%s, by %s): apply the plan again, and it goes on", strings.Join(ids[:min(len(ids), 5)], ", "),
		strings.Join(by, ", "))
}
