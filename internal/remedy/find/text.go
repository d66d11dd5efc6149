package find

import (
	"io"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// Text writes choices for a terminal, the answer first.
func Text(w io.Writer, list []Choice, from string, sample bool, o print.Options) error {
	s := print.NewScreen(w, o)
	s.Sample(sample)
	headline(s, list)
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

// headline says how much is unmet, and how much of it settings decide: of requirements, and
// of practices, which bind nobody.
func headline(s *print.Screen, list []Choice) {
	open, settings, done := [2]map[string]bool{{}, {}}, [2]map[string]bool{{}, {}}, [2]map[string]bool{{}, {}}
	for i := range list {
		k := 0
		if _, is := partner.FindPractice(list[i].Requirement); is {
			k = 1
		}
		open[k][list[i].Requirement] = true
		if list[i].Goal != "" {
			settings[k][list[i].Requirement] = true
		}
		if list[i].Settled {
			done[k][list[i].Requirement] = true
		}
	}
	if len(list) == 0 {
		s.Headline(print.Good, "Nothing is left to remedy.")
	}
	for k, what := range []string{"requirements", "practices"} {
		if n := int64(len(open[k])); n > 0 {
			words := print.Plural(n, what) + " not met or not known; settings decide " + print.Number(int64(len(settings[k]))) + " of them."
			if n := int64(len(done[k])); n > 0 {
				words = strings.TrimSuffix(words, ".") + ", and settled " + print.Number(n) + " already."
			}
			s.Headline(print.Bad, words)
		}
	}
}

func choice(s *print.Screen, c *Choice, from string) {
	tone := print.Muted
	if c.Question != "" {
		tone = print.ToneOf(c.After)
	}
	if c.Settled {
		tone = print.Good
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
		case c.Unweighed:
			words += "; who uses it is for the plan's gate to tell"
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
		settled(s, c)
		return
	}
	s.Command(4, c.Command)
	if w := waits(c.Until); w != "" {
		s.Para("    ", print.Ended(print.Sentence(w)), print.Dim)
	}
	if c.Settled && c.Task != "" {
		s.Para("    ", print.Ended("What counts against it: "+print.Clean(c.Task, print.MaxSaying)), print.Dim)
	} else if c.Task != "" && c.Task != c.Way {
		s.Para("    ", print.Ended(print.Clean(c.Task, print.MaxSaying)), print.Dim)
	}
	if c.Check != "" && c.Check != c.Command {
		s.Para("    ", "shown by "+c.Check, print.Dim)
	}
	settled(s, c)
}

// settled says what decides whether it is needed at all.
func settled(s *print.Screen, c *Choice) {
	switch {
	case c.Settles == "" || c.Settles == c.Command:
	case strings.HasPrefix(c.Settles, "partnerguard "):
		s.Command(4, c.Settles)
	default:
		s.Para("    ", "whether it is needed is settled by "+print.Clean(c.Settles, print.MaxSaying), print.Dim)
	}
}
