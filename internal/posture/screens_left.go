package posture

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

func standingValues() (out []string) {
	for _, s := range standings {
		out = append(out, s.value)
	}
	return out
}

// who are the accounts that are left out, a few by name.
func (l *Left) who(most int) string {
	switch {
	case len(l.Accounts) == 0:
		return "the whole requirement"
	case len(l.Accounts) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(l.Accounts[:most], ", "), len(l.Accounts)-most)
	}
	return strings.Join(l.Accounts, ", ")
}

// lastDay is the last whole day it counts.
func (l *Left) lastDay() time.Time { return l.Ends.Add(-time.Microsecond) }

func untilCell(l *Left) screen.Cell {
	c := screen.Cell{Text: day(l.lastDay())}
	switch left := l.Ends.Sub(l.now); {
	case !l.Ended.IsZero():
		c.Sub = "ended on " + day(l.Ended)
	case left <= 0:
		c.Sub = screen.Ago(l.Ends, l.now)
	case left <= soon && l.open():
		c.Tags = []screen.Tag{{Text: screen.Ago(l.Ends, l.now), Tone: print.Doubt}}
	default:
		c.Sub = screen.Ago(l.Ends, l.now)
	}
	return c
}

func approvedCell(l *Left) screen.Cell {
	switch {
	case l.ApprovedBy != "":
		return screen.Cell{Text: l.ApprovedBy, SubAt: l.Approved}
	case l.Kind == kindAttestation:
		return screen.Cell{Text: "kept by " + l.AskedBy, Quiet: true, SubAt: l.Asked}
	}
	return screen.Cell{Text: "nobody", Quiet: true, Sub: "asked by " + l.AskedBy}
}

// silences says what it does, in a sentence.
func (l *Left) silences() string {
	switch {
	case l.Kind == kindAttestation && l.Standing == "in_force":
		return "The requirement reads attested where nothing speaks against it, and never met."
	case l.Kind == kindAttestation:
		return "It counts for nothing now."
	case l.Standing == "approved" && len(l.Accounts) == 0:
		return "Alerts about this requirement are silent. Its verdict stays."
	case l.Standing == "approved":
		return "Alerts about this requirement are silent for " + l.who(5) + ". Verdicts stay."
	case l.Standing == "proposed":
		return "Nothing: it was not approved. Once it is, alerts about " + l.who(5) + " are silent."
	case l.Standing == lapsed:
		return "Nothing, and it never did: its end came before anybody approved it."
	}
	return "Nothing now."
}

func (l *Left) detail(sc *screen.Screen) []screen.Block {
	return []screen.Block{
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "What it is about")
			p := screen.Pairs{{Key: "Requirement", Cell: screen.Named(l.Title, l.Requirement, requirementPath(l.Requirement))},
				{Key: "Leaves out", Cell: screen.Words(l.who(20))}, {Key: "Reason", Cell: screen.Words(l.Reason)}}
			if l.Control != "" {
				p = append(p, screen.Pair{Key: "In its place", Cell: screen.Words(l.Control)})
			}
			p = append(p, screen.Pair{Key: "Silences", Cell: screen.Words(l.silences())})
			if l.Refused != "" {
				p = append(p, screen.Pair{Key: "Does not count", Cell: screen.Cell{Said: verdictSaid(NotMet), Text: l.Refused}})
			}
			p.Build(b)
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "Who and when")
			l.steps().Build(b)
			b.Elem("p", "Id "+l.ID, screen.A("class", "meta"))
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "What can be done")
			l.acts(b, sc)
			b.End("div")
		}),
	}
}

func (l *Left) steps() screen.Pairs {
	asked := "Asked by"
	if l.Kind == kindAttestation {
		asked = "Kept by"
	}
	p := screen.Pairs{{Key: "Owner", Cell: screen.Words(l.Owner)}, {Key: asked, Cell: screen.Cell{Text: l.AskedBy, SubAt: l.Asked}}}
	switch {
	case l.ApprovedBy != "":
		p = append(p, screen.Pair{Key: "Approved by", Cell: screen.Cell{Text: l.ApprovedBy, SubAt: l.Approved}})
	case l.Kind == kindException:
		p = append(p, screen.Pair{Key: "Approved by", Cell: screen.Cell{Text: "nobody", Quiet: true}})
	}
	if l.EndedBy != "" {
		p = append(p, screen.Pair{Key: "Ended by", Cell: screen.Cell{Text: l.EndedBy, SubAt: l.Ended}})
	}
	p = append(p, screen.Pair{Key: "Last day", Cell: screen.Words(day(l.lastDay()))})
	return append(p, screen.Pair{Key: "In the trail", Cell: screen.Cell{Text: "what was done with it", Path: screen.With("/trail", "q", l.ID)}})
}

// acts are the forms of what the viewer may do with it; the frame leaves out those that
// they may not.
func (l *Left) acts(b *screen.Builder, sc *screen.Screen) {
	form := func(act string) {
		screen.Form{Screen: sc, Act: act, Values: url.Values{"id": {l.ID}}, Plain: true}.Build(b)
	}
	switch {
	case l.Kind == kindAttestation:
		form("withdraw")
	case l.Standing == "proposed" && l.mine:
		b.Elem("p", "You asked for it or answer for it, so another person has to approve it.", screen.A("class", "note"))
		form("end")
	case l.Standing == "proposed":
		form("approve")
		form("end")
	case l.Standing == "approved", l.Standing == "refused":
		form("end")
	default:
		b.Elem("p", "It is over. Ask for a new one where it is needed.", screen.A("class", "note"))
	}
}

// requirementPath is the page that shows a requirement, or a best practice.
func requirementPath(id string) string {
	if _, ok := partner.FindPractice(id); ok {
		return screen.With("/practices/one", "id", id)
	}
	return screen.With("/status", "row", id)
}
