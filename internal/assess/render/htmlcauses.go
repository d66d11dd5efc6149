package render

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/print"
)

// pagePeople is how many people a cause shows.
const pagePeople = 50

// causeView is a cause as a page shows it.
type causeView struct {
	Anchor, Title, Detail string
	Rank                  int
	Urgent                bool
	Numbers               []figureView // what it closes, in large
	Due                   string
	Serves                []linkView
	Needs                 []linkView
	People                []personView
	PeopleTitle           string
	PeopleMore            int
	Proof                 string
	Effects               []effectView
	Evidence              []evidenceView
	Command               string
}

// HasMore reports that there is something behind the expander.
func (c *causeView) HasMore() bool {
	return len(c.People)+len(c.Effects)+len(c.Evidence) > 0 || c.Proof != "" || c.Command != ""
}

type (
	figureView struct{ N, Word string }
	linkView   struct{ Href, Text string }
	personView struct{ Name, Sub, Reason, Ways string }
	effectView struct{ Word, SignIns, Accounts string }
)

// effectWords say what a change does to recorded sign-ins, in the order of a
// rehearsal.
var effectWords = map[string]string{
	"opened": "would be open, and are not today", "blocked": "would be refused", "challenged_unable": "would be asked, and cannot answer",
	"challenged_unknown": "would be asked; whether they can answer was not read", "challenged_able": "would be asked, and can answer",
	"undecided": "hang on what was not read",
}

// causeRows makes the views; anchors are those of the requirements, by id.
func causeRows(list []*assess.Cause, r *assess.Report, anchors map[string]string) (out []causeView) {
	for _, c := range list {
		v := causeView{Anchor: fmt.Sprintf("cause-%d", c.Rank), Rank: c.Rank, Title: causeTitle(c), Detail: print.Ended(print.Saying(c.Detail)),
			Urgent: c.Kind == assess.CauseUrgent}
		if c.Accounts > 0 && c.Kind != assess.CauseRequirement {
			v.Numbers = append(v.Numbers, figure(int64(c.Accounts), "accounts"))
		}
		if c.SignIns > 0 {
			v.Numbers = append(v.Numbers, figure(c.SignIns, "sign-ins"))
		}
		if t := print.Settled(c.Due); t != nil {
			v.Due = print.When(*t)
		}
		for _, id := range c.Requirements {
			link := linkView{Text: requirementTitle(r, id)}
			if at := anchors[id]; at != "" {
				link.Href = "#" + at
			}
			v.Serves = append(v.Serves, link)
		}
		for _, n := range c.Needs {
			if n > 0 && n <= len(r.Causes) {
				v.Needs = append(v.Needs, linkView{fmt.Sprintf("#cause-%d", n), fmt.Sprint(n)})
			}
		}
		v.PeopleTitle = "Whom it is about"
		if c.Kind == assess.CauseSettings {
			v.PeopleTitle = "Who cannot answer yet"
		}
		v.people(c)
		v.facts(c, r)
		out = append(out, v)
	}
	return out
}

func figure(n int64, unit string) figureView {
	return figureView{print.Number(n), strings.TrimPrefix(print.Plural(n, unit), print.Number(n)+" ")}
}

func requirementTitle(r *assess.Report, id string) string {
	for i := range r.Requirements {
		if r.Requirements[i].ID == id {
			return print.Clean(r.Requirements[i].Title, print.MaxName)
		}
	}
	return print.Clean(id, print.MaxName)
}

func (v *causeView) people(c *assess.Cause) {
	for i := range c.People {
		if i == pagePeople {
			v.PeopleMore = len(c.People) - i
			return
		}
		p := &c.People[i]
		row := personView{Name: print.First(print.NoName, p.UserPrincipalName, p.DisplayName, p.ID), Reason: print.Saying(p.Reason),
			Sub: print.ClassWord(p.Class)}
		if d := print.Clean(p.DisplayName, print.MaxName); d != "" && d != row.Name {
			row.Sub = d + " · " + row.Sub
		}
		if p.SignIns > 0 {
			row.Sub += " · " + print.Plural(p.SignIns, "sign-ins")
		}
		row.Ways = strings.Join(wayWords(p.WaysOut), ", ")
		v.People = append(v.People, row)
	}
}

// wayWords are ways out in two or three words each.
func wayWords(ways []assess.WayOut) (out []string) {
	for _, way := range ways {
		w := directory.WayWord(way.ID)
		if w == "" {
			w = print.First("", way.Text, way.ID)
		}
		if !slices.Contains(out, w) && w != "" {
			out = append(out, w)
		}
	}
	return out
}

func (v *causeView) facts(c *assess.Cause, r *assess.Report) {
	if p := c.Proof; p != nil {
		v.Proof = fmt.Sprintf("Accounts that can sign in without MFA: %s today, %s with this alone.", print.Number(int64(p.Before)),
			print.Number(int64(p.After)))
		if p.Question == "legacy-blocked" {
			v.Proof = strings.Replace(v.Proof, "sign in without MFA", "still use legacy authentication", 1)
		}
		switch n := len(p.Gaps); {
		case n == 1:
			v.Proof += fmt.Sprintf(" It closes gap %d of prove.", p.Gaps[0])
		case n > 1:
			v.Proof += " It closes the gaps " + strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Gaps), " ", ", "), "[]") + " of prove."
		}
	}
	for _, e := range c.Effects {
		word, known := effectWords[e.Effect]
		if !known {
			word = print.Clean(e.Effect, print.MaxName)
		}
		v.Effects = append(v.Effects, effectView{word, print.Plural(e.SignIns, "sign-ins"), print.Plural(int64(e.Accounts), "accounts")})
	}
	for i := range c.Evidence {
		v.Evidence = append(v.Evidence, evidenceRow(&c.Evidence[i]))
	}
	v.Command = strings.Join(print.FoldCommand(rehearseCommand(c, r.From), 100), "\n")
}
