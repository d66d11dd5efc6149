package render

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/prove"
)

// headline is the one sentence above everything.
func headline(list []*access.Proof) (print.Tone, string) {
	var gaps, unknown int64
	for _, p := range list {
		switch print.ToneOf(p.Verdict) {
		case print.Bad:
			gaps++
		case print.Doubt:
			unknown++
		}
	}
	n := int64(len(list))
	switch {
	case n == 0:
		return print.Doubt, "Nothing was asked."
	case n == 1:
		p := list[0]
		return print.ToneOf(p.Verdict), sentence(title(p), answer(p.Verdict))
	case gaps == 0 && unknown == 0:
		return print.Good, fmt.Sprintf("All %s are proved.", print.Plural(n, "questions"))
	case gaps == 0 && unknown == n:
		return print.Doubt, "No question can be answered from what was read."
	case gaps == 0:
		return print.Doubt, fmt.Sprintf("No gap was found, but %s of %s cannot be answered from what was read.", print.Number(unknown),
			print.Plural(n, "questions"))
	}
	has := "have"
	if gaps == 1 {
		has = "has"
	}
	s := fmt.Sprintf("%s of %s %s a gap", print.Number(gaps), print.Plural(n, "questions"), has)
	if unknown > 0 {
		s += fmt.Sprintf(", and %s cannot be answered from what was read", print.Number(unknown))
	}
	return print.Bad, s + "."
}

// sentence answers a question that is phrased as one.
func sentence(question, answer string) string {
	if strings.HasSuffix(question, "?") {
		return question + " " + answer
	}
	return question + ": " + answer
}

func answer(v access.ProofVerdict) string {
	switch v {
	case access.Proved:
		return "Yes, proved."
	case access.GapFound:
		return "No: there is a gap."
	}
	return "Not known."
}

func title(p *access.Proof) string {
	if t := print.Clean(p.Title, print.MaxSaying); t != "" {
		return t
	}
	return print.Clean(p.Question, print.MaxName)
}

func partnerName(r *prove.Report) string {
	return print.First("Unnamed partner", r.Partner)
}

// split parts the gaps of break-glass accounts from the others.
func split(gaps []access.Gap) (list, glass []*access.Gap) {
	for i := range gaps {
		if gaps[i].Who.BreakGlass {
			glass = append(glass, &gaps[i])
		} else {
			list = append(list, &gaps[i])
		}
	}
	return list, glass
}

// number is a gap's place in the answer, from 1, as the causes of a report name it.
func number(q *access.Proof, g *access.Gap) int {
	for i := range q.Gaps {
		if &q.Gaps[i] == g {
			return i + 1
		}
	}
	return 0
}

// who names the accounts of a gap, at most limit of them.
func who(w *access.Who, limit int) string {
	var names []string
	for _, n := range w.Names[:min(len(w.Names), limit)] {
		names = append(names, print.Clean(n, print.MaxName))
	}
	s := strings.Join(names, ", ")
	if more := w.Count - len(names); more > 0 && s != "" {
		s += fmt.Sprintf(" and %s more", print.Number(int64(more)))
	}
	if s == "" {
		s = print.Plural(int64(w.Count), "accounts")
	}
	return s
}

// what is a gap without its accounts.
func what(g *access.Gap) string {
	if len(g.What) == 0 {
		return "any app, any client, anywhere"
	}
	if _, s, ok := strings.Cut(g.Text, ": "); ok {
		if s = print.Clean(s, print.MaxSaying); s != "" {
			return s
		}
	}
	var parts []string
	for _, n := range g.What {
		parts = append(parts, narrow(&n))
	}
	return strings.Join(parts, "; ")
}

// narrow is one dimension of a gap, in full.
func narrow(n *access.Narrow) string {
	var values []string
	for i, v := range n.Values {
		if i == 8 {
			values = append(values, fmt.Sprintf("%d others", len(n.Values)-i))
			break
		}
		values = append(values, print.Clean(v, print.MaxName))
	}
	return print.Clean(n.Dimension, print.MaxName) + ": " + strings.Join(values, " or ")
}

// why is one clause with its policy.
func why(w *access.Why) string {
	clause := print.Clean(w.Clause, print.MaxSaying)
	if p := print.Clean(w.Policy, print.MaxName); p != "" {
		return p + " " + clause
	}
	return print.Saying(clause)
}

var clientWords = map[string]string{
	"browser": "with a browser", "native": "with a mobile or desktop app", "device-code": "by the device code flow",
	"transfer": "by authentication transfer", "eas": "by Exchange ActiveSync", "other": "with a legacy client",
}

// actionWords are the user actions that a policy can target in place of an app.
var actionWords = map[string]string{
	"urn:user:registersecurityinfo": "to register security information", "urn:user:registerdevice": "to register or join a device",
}

// signIn describes one sign-in in words.
func signIn(s *access.SignIn) string {
	var parts []string
	add := func(format, v string, limit int) {
		if v = print.Clean(v, limit); v != "" {
			parts = append(parts, fmt.Sprintf(format, v))
		}
	}
	parts = append(parts, "signs in")
	if w := actionWords[strings.ToLower(s.App)]; w != "" {
		parts = append(parts, w)
	} else {
		add("to %s", s.App, print.MaxName)
	}
	if w := clientWords[s.Client]; w != "" {
		parts = append(parts, w)
	} else {
		add("with the client %s", s.Client, 40)
	}
	add("on %s", s.Platform, 40)
	switch {
	case s.Location != "":
		add("from %s", s.Location, print.MaxName)
	case s.IP.IsValid() && s.Country != "":
		add("from %s", s.IP.String()+" ("+s.Country+")", print.MaxName)
	case s.IP.IsValid():
		add("from %s", s.IP.String(), print.MaxName)
	default:
		add("from %s", s.Country, 40)
	}
	for _, r := range []struct{ name, v string }{{"sign-in risk", s.SignInRisk}, {"user risk", s.UserRisk}, {"insider risk", s.InsiderRisk}} {
		if r.v != "" && r.v != "none" {
			add("at "+r.name+" %s", r.v, 40)
		}
	}
	var yes []string
	for name, v := range s.Device {
		if v {
			yes = append(yes, print.Clean(name, print.MaxSaying))
		}
	}
	slices.Sort(yes)
	for _, n := range yes {
		add("with a %s", n, print.MaxSaying)
	}
	return strings.Join(parts, " ")
}

var outcomes = map[access.Outcome]page.Said{
	access.Blocked:        {Tone: print.Good, Word: "blocked"},
	access.MFARequired:    {Tone: print.Good, Word: "MFA is required"},
	access.MFANotRequired: {Tone: print.Bad, Word: "MFA is not required"},
}

// outcome is how what becomes of a sign-in is shown.
func outcome(o access.Outcome) page.Said {
	if s, ok := outcomes[o]; ok {
		return s
	}
	return page.Said{Tone: print.Doubt, Word: "undecided"}
}

// notCounted is a policy that protects nobody here, and why.
type notCounted struct {
	Policy, Why string
	Questions   []string // empty: the same for every question
}

// uncounted lists the policies that do not count, each reason once.
func uncounted(list []*access.Proof) (out []notCounted, counted int) {
	type key struct{ id, why string }
	at := map[key]int{}
	used := map[string]bool{}
	for _, p := range list {
		for i := range p.Policies {
			u := &p.Policies[i]
			if u.Counts {
				used[u.ID+"\x00"+u.Policy] = true
				continue
			}
			k := key{u.ID + "\x00" + u.Policy, u.Why}
			n, ok := at[k]
			if !ok {
				n = len(out)
				at[k] = n
				out = append(out, notCounted{Policy: print.Clean(u.Policy, print.MaxName), Why: print.Clean(u.Why, print.MaxSaying)})
				if out[n].Policy == "" {
					out[n].Policy = print.Clean(u.ID, print.MaxName)
				}
			}
			out[n].Questions = append(out[n].Questions, print.Clean(p.Question, print.MaxName))
		}
	}
	for i := range out {
		if len(out[i].Questions) == len(list) {
			out[i].Questions = nil
		}
	}
	return out, len(used)
}

// facts are what else to know, each said once.
func facts(list []*access.Proof) (out []string) {
	for _, p := range list {
		for _, f := range p.Facts {
			if f = print.Saying(f); f != "" && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}
