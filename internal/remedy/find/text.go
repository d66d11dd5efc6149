package find

import (
	"io"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
)

// Text writes choices for a terminal, the answer first.
func Text(w io.Writer, list []Choice, from string, sample bool, o print.Options) error {
	s := print.NewScreen(w, o)
	open, settings := map[string]bool{}, map[string]bool{}
	for i := range list {
		open[list[i].Requirement] = true
		if list[i].Goal != "" {
			settings[list[i].Requirement] = true
		}
	}
	s.Sample(sample)
	switch n := int64(len(open)); {
	case n == 0:
		s.Headline(print.Good, "Nothing is left to remedy.")
	default:
		line := print.Plural(n, "requirements") + " not met or not known; settings decide " + print.Number(int64(len(settings))) + " of them."
		s.Headline(print.Bad, line)
	}
	last := ""
	for i := range list {
		c := &list[i]
		if c.Requirement != last {
			last = c.Requirement
			s.Section(print.Clean(c.Title, print.MaxName), c.Requirement+", "+print.VerdictWord(c.Verdict))
		}
		choice(s, c, from)
	}
	return s.Flush()
}

func choice(s *print.Screen, c *Choice, from string) {
	tone := print.Muted
	if c.Question != "" {
		tone = print.ToneOf(c.After)
	}
	s.Para("  "+tone.Mark+" ", print.Ended(print.Clean(c.Way, print.MaxSaying)), print.Plain)
	if c.Goal != "" {
		words := "shown by " + c.Check
		switch {
		case c.Question == "":
		case c.After == string(access.Proved):
			words = "closes " + print.Plural(int64(c.Closes), "accounts") + ", and it is proved then"
		default:
			words = "closes " + print.Plural(int64(c.Closes), "accounts") + ", and it is not proved then"
		}
		switch {
		case !c.Known:
			words += "; who breaks is not known without a sign-in log"
		case c.Breaks == 0:
			words += "; nobody breaks who signed in"
		default:
			words += "; " + print.Plural(int64(c.Breaks), "accounts") + " would break (" + print.Plural(c.SignIns, "sign-ins") + ")"
		}
		s.Para("    ", words+"; "+print.Plural(int64(c.Objects), "objects"), print.Dim)
		variant := ""
		if c.Changes != "" {
			variant = " --way " + c.Changes
		}
		s.Command(4, "partnerguard remedy plan "+c.Goal+variant+from+" > plan.yaml")
		return
	}
	s.Command(4, c.Command)
	if c.Task != "" && c.Task != c.Way {
		s.Para("    ", print.Ended(print.Clean(c.Task, print.MaxSaying)), print.Dim)
	}
	if c.Check != "" && c.Check != c.Command {
		s.Para("    ", "shown by "+c.Check, print.Dim)
	}
}
