package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// textCauses is how many causes the text shows.
const textCauses = 5

// first splits the causes: those to do first (urgent ones, and those of mandatory
// requirements), those of break-glass accounts alone, and the rest.
func first(list []assess.Cause) (now, apart, later []*assess.Cause) {
	for i := range list {
		c := &list[i]
		switch {
		case c.BreakGlass:
			apart = append(apart, c)
		case c.Mandatory || c.Kind == assess.CauseUrgent:
			now = append(now, c)
		default:
			later = append(later, c)
		}
	}
	return now, apart, later
}

// causes is what to do first.
func (p *screen) causes(r *assess.Report) {
	now, apart, later := first(r.Causes)
	if len(now)+len(apart) == 0 {
		return
	}
	p.Section("Fix first", "causes, not symptoms")
	for n, c := range now[:min(len(now), textCauses)] {
		if n > 0 {
			p.Blank()
		}
		p.cause(c, r.From)
	}
	if len(apart) > 0 {
		p.Blank()
		p.Para("  ", "Break-glass accounts apart: they may use another method, but not none.", print.Dim)
		for _, c := range apart {
			p.cause(c, r.From)
		}
	}
	p.More("  ", max(len(now)-textCauses, 0)+len(later), " in the JSON and the page")
}

// cause is one of them: what to do, what it brings, who is in the way, and how to
// see the rehearsal of exactly that.
func (p *screen) cause(c *assess.Cause, from []string) {
	lead := fmt.Sprintf("%2d  ", c.Rank)
	style := print.Bold
	if c.Kind == assess.CauseUrgent {
		style = print.Red.Strong()
	}
	p.Para(lead, causeTitle(c), style)
	p.Para("    ", print.Saying(causeDetail(c)), print.Plain)
	if c.Kind == assess.CauseSettings {
		for i := range c.People {
			if i == textEvidence {
				p.More("      ", len(c.People)-i, " in the JSON and the page")
				break
			}
			p.Para("    · ", print.Clean(causePerson(&c.People[i]), print.MaxSaying), print.Dim)
		}
	}
	if cmd := rehearseCommand(c, from); cmd != nil {
		for _, line := range print.FoldCommand(cmd, p.Width()-4) {
			p.Command(4, line)
		}
	}
}

// causesOf are the causes that serve a requirement, each with its rank.
func causesOf(r *assess.Report, id string) (out []string) {
	for i := range r.Causes {
		if c := &r.Causes[i]; c.Kind != assess.CauseRequirement && slices.Contains(c.Requirements, id) {
			out = append(out, fmt.Sprintf("%d. %s: %s", c.Rank, print.Clean(c.Title, print.MaxSaying), print.Clean(causeDetail(c), print.MaxSaying)))
		}
	}
	return out
}

// causeTitle is what to do, a request shortened as in the requirements.
func causeTitle(c *assess.Cause) string { return print.Saying(evidence.Brief(c.Title)) }

// causeDetail is what it brings, and what has to be done before.
func causeDetail(c *assess.Cause) string {
	out := c.Detail
	if len(c.Needs) > 0 {
		var ranks []string
		for _, n := range c.Needs {
			ranks = append(ranks, fmt.Sprint(n))
		}
		out += "; first do number " + strings.Join(ranks, " and number ")
	}
	return out
}

// causePerson says who it is, why they cannot answer, and their ways out.
func causePerson(p *assess.CausePerson) string {
	out := print.First(print.NoName, p.UserPrincipalName, p.DisplayName, p.ID) + ": " + print.Clean(p.Reason, print.MaxSaying)
	var ways []string
	for _, way := range p.WaysOut {
		ways = append(ways, print.First(way.Text, directory.WayWord(way.ID)))
	}
	if len(ways) > 0 {
		out += " → " + strings.Join(ways, ", ")
	}
	return out
}

// changeID is how changes are named; what is not named so is no name of ours.
var changeID = regexp.MustCompile(`^[0-9a-f]{8}$`)

// rehearseCommand is the words of the command that rehearses a cause's change, as the reader
// named the inputs; nil when nothing is to be changed.
func rehearseCommand(c *assess.Cause, from []string) []string {
	if len(c.Changes) == 0 {
		return nil
	}
	words := []string{"partnerguard", "rehearse"}
	for i := range c.Changes {
		if !changeID.MatchString(c.Changes[i].ID) {
			return nil
		}
	}
	for _, f := range from {
		words = append(words, "--from "+print.Quote(print.Clean(f, print.MaxSaying)))
	}
	for i := range c.Changes {
		words = append(words, "--change "+c.Changes[i].ID)
	}
	return words
}
