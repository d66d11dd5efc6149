//go:build !judge

package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func pageSaid(t print.Tone, word string) page.Said { return page.Said{Tone: t, Word: word} }

func slicesSort(list []line) {
	slices.SortStableFunc(list, func(a, b line) int { return byClock(&a, &b) })
}

// rowList are the rows of a timeline.
var rowList = &screen.List[inquiry.Row]{
	Noun: "row", Default: "at", Search: "who, what, where", PerPage: 200, Tight: true, Lead: 2,
	Key: func(r *inquiry.Row) string { return r.ID },
	Columns: []screen.Column[inquiry.Row]{
		{Name: "at", Head: "When", Plain: true, Order: byTime, Blank: func(r *inquiry.Row) bool { return r.At.IsZero() },
			Cell: func(r *inquiry.Row) screen.Cell {
				c := screen.Cell{At: r.At, Never: "not said"}
				if !r.Until.IsZero() {
					c.Sub = "until " + r.Until.Format("15:04")
				}
				return c
			}, Text: func(r *inquiry.Row) string { return stamp(r.At) }},
		{Name: "source", Head: "From", Drop: true, Cell: func(r *inquiry.Row) screen.Cell { return screen.Cell{Text: r.Source.Name(), Quiet: true} }},
		{Name: "what", Head: "What", Cell: func(r *inquiry.Row) screen.Cell {
			c := screen.Cell{Text: r.Who + " " + r.What, Sub: rowSub(r)}
			switch r.Weight {
			case inquiry.Cause:
				c.Tags = []screen.Tag{{Text: "it may begin here", Tone: print.Bad}}
			case inquiry.Suspect:
				c.Tags = []screen.Tag{{Text: "looked at", Tone: print.Cautious}}
			}
			if r.Count > 1 {
				c.Tags = append(c.Tags, screen.Tag{Text: fmt.Sprintf("%d times", r.Count)})
			}
			return c
		}, Text: func(r *inquiry.Row) string { return r.What }},
		{Name: "who", Head: "Who", Only: true, Text: func(r *inquiry.Row) string { return r.Who }},
		{Name: "place", Head: "Where from", Drop: true, Cell: func(r *inquiry.Row) screen.Cell {
			return screen.Cell{Text: r.IP, Mono: true, Sub: r.Country, Never: "–"}
		}, Text: func(r *inquiry.Row) string { return strings.TrimSpace(r.IP + " " + r.Country) }},
		{Name: "region", Head: "Region", Only: true, Text: func(r *inquiry.Row) string { return r.Region }},
		{Name: "sku", Head: "Size", Only: true, Text: func(r *inquiry.Row) string { return r.SKU }},
		{Name: "resource", Head: "Resource", Only: true, Text: func(r *inquiry.Row) string { return r.Resource }},
		{Name: "weight", Head: "Weight", Only: true, Text: func(r *inquiry.Row) string { return string(r.Weight) }},
		{Name: "count", Head: "Times", Only: true, Text: func(r *inquiry.Row) string { return fmt.Sprint(r.Count) }},
		{Name: "archived", Head: "Archived in", Only: true, Text: func(r *inquiry.Row) string { return places(r) }},
	},
	Filters: []screen.Filter[inquiry.Row]{
		{Name: "weight", Head: "Weight", Enum: []string{"cause", "suspect", "mark", "usual"},
			Of: func(r *inquiry.Row) []string { return []string{string(r.Weight)} },
			Word: func(v string) string {
				return map[string]string{"cause": "where it may begin", "suspect": "looked at", "mark": "alert and response", "usual": "beside it"}[v]
			}},
		{Name: "source", Head: "From", Of: func(r *inquiry.Row) []string { return []string{string(r.Source)} },
			Word: func(v string) string { return inquiry.Source(v).Name() }},
	},
	Detail: rowDetail,
}

func byTime(a, b *inquiry.Row) int { return a.At.Compare(b.At) }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func places(r *inquiry.Row) string {
	var out []string
	for _, p := range r.Places {
		if p.Segment != "" {
			out = append(out, fmt.Sprintf("%s/%d", p.Segment, p.Entry))
		}
	}
	return strings.Join(out, "; ")
}

// rowSub is the second line of a row.
func rowSub(r *inquiry.Row) string {
	var parts []string
	for _, s := range append([]string{r.SKU, r.Region}, r.Why...) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if r.Late {
		parts = append(parts, "known late")
	}
	return strings.Join(parts, " · ")
}

// rowDetail is where a row was read, and what proves it.
func rowDetail(r *inquiry.Row) []screen.Block {
	p := screen.Pairs{{Key: "As Microsoft calls it", Cell: screen.Cell{Text: r.Act, Mono: true, Never: "–"}}}
	if r.Resource != "" {
		p = append(p, screen.Pair{Key: "Resource", Cell: screen.Cell{Text: r.Resource, Mono: true}})
	}
	items := screen.Items{Empty: "It comes from here, and not from Microsoft's logs."}
	for _, x := range r.Places {
		switch {
		case x.Segment != "":
			items.List = append(items.List, screen.Item{Lead: fmt.Sprintf("segment %s, entry %d", x.Segment, x.Entry),
				Meta: fmt.Sprintf("%s · entry %d of the trail · SHA-256 of the page %s", x.Resource, x.Seq, x.SHA256)})
		case x.File != "":
			items.List = append(items.List, screen.Item{Lead: x.File})
		}
	}
	if r.More > 0 {
		items.List = append(items.List, screen.Item{Text: fmt.Sprintf("and %d more", r.More)})
	}
	return []screen.Block{screen.Bit{Head: "The row", Body: []screen.Block{p}}, screen.Bit{Head: "Archived", Body: []screen.Block{items}}}
}

// summary is a case in numbers, for the API.
type summary struct {
	Case    line              `json:"case"`
	Says    string            `json:"says"`
	For     []inquiry.Reason  `json:"forFraud"`
	Against []inquiry.Reason  `json:"againstFraud"`
	Unknown []inquiry.Reason  `json:"notKnown"`
	Actors  []inquiry.Actor   `json:"actors"`
	Things  []inquiry.Thing   `json:"things"`
	Reads   []inquiry.Read    `json:"reads"`
	Costs   []inquiry.Cost    `json:"costs"`
	Archive []inquiry.Segment `json:"segments"`
}

func (p *Pages) loadCase(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	c, err := p.of(ctx, a.Viewer, a.Values.Get("alert"))
	if err != nil {
		return nil, err
	}
	t, err := p.Inquiry.Timeline(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	l := lineOf(c, names(a)[c.Customer], a.Now)
	v := &screen.View{Rows: rowList.Of(t.Rows), Summary: summary{l, t.Says, t.For, t.Against, t.Unknown, t.Actors, t.Things, t.Reads, t.Costs, t.Places},
		Sentence: l.Customer + ": " + print.Ended(l.What), Nothing: &screen.Nothing{Head: "No rows yet", Text: "They come as what the alert is about is read."}}
	v.Facts = facts(t)
	if a.Machine {
		return v, nil
	}
	v.Notices = caseNotices(c, t)
	v.Actions = []screen.Action{{Text: "All alerts", Icon: "fraud", Path: "/fraud"}}
	runs, runErr := p.runs(ctx, c.ID)
	left := []screen.Block{clockCard(c, &l), aid(t), drawn(c.ID, t), containment(c, runs, runErr)}
	right := []screen.Block{p.acts(c, a.Viewer), known(c, &l), p.notes(c), reports(c.ID), readings(t)}
	v.Above = []screen.Block{screen.Side{Shape: "g-side", List: []screen.Block{stack(left), stack(right)}}}
	return v, nil
}

func (p *Pages) runs(ctx context.Context, alert string) ([]contain.Status, error) {
	if p.Runs == nil {
		return nil, nil
	}
	return p.Runs(ctx, alert)
}

func stack(list []screen.Block) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("div", "stack")
		for _, x := range list {
			x.Build(b)
		}
		b.End("div")
	})
}

// facts are what the page rests on.
func facts(t *inquiry.Timeline) (out []screen.Fact) {
	for _, name := range []string{"azureActivity", "directoryAudits", "signIns.interactiveUser"} {
		for i := range t.Reads {
			if r := &t.Reads[i]; r.Resource == name && !r.Partner {
				out = append(out, screen.Fact{What: inquiry.ResourceName(name), At: r.At, Source: name, Rests: name == "azureActivity"})
			}
		}
	}
	return out
}

func caseNotices(c *desk.Case, t *inquiry.Timeline) (out []screen.Notice) {
	switch {
	case c.Refused != "":
		out = append(out, screen.Notice{Tone: print.Bad, Lead: "What is kept of this alert counts for nothing.", Text: print.Ended(c.Refused)})
	case c.Test:
		out = append(out, screen.Notice{Tone: print.Muted, Lead: "A test of Microsoft's.", Text: "It is left out of the average, and nobody is called."})
	case !c.Gone.IsZero():
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Microsoft lists it no more.", Text: "What was read of it stays here."})
	}
	left := 0
	for i := range t.Reads {
		if s := t.Reads[i].State; s == inquiry.ReadFailed || s == inquiry.ReadNever || s == inquiry.ReadBefore {
			left++
		}
	}
	if left > 0 && c.Open() {
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Not all of it was read since the alert came.", Text: print.Plural(int64(left), "lists") +
			" are being read, or are tried again; what is not read is not known."})
	}
	if c.Answer != nil && c.Answer.State != desk.Sent {
		tone := print.Cautious
		if c.Answer.State == desk.Failed || c.Answer.State == desk.Other {
			tone = print.Bad
		}
		out = append(out, screen.Notice{Tone: tone, Lead: "The answer " + string(c.Answer.Reason) + " is " + answerWords[c.Answer.State] + ".",
			Text: print.Ended(print.Clean(c.Answer.Why, 300))})
	}
	return out
}

var answerWords = map[desk.AnswerState]string{desk.Queued: "queued: it is sent as soon as Microsoft answers", desk.Asked: "being sent", desk.Sent: "sent",
	desk.Other: "not sent: somebody else answered meanwhile", desk.Failed: "not taken by Microsoft"}

// clockCard is the clock with who has it.
func clockCard(c *desk.Case, l *line) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("section", "card alert")
		b.Class("div", "al")
		dial(b, l)
		b.Open("div")
		b.Class("p", "row mt0")
		b.Said(statusSaid(c), false)
		b.Said(*severitySaid(l.Severity), false)
		b.End("p")
		words, _ := l.left()
		b.Elem("p", cmp.Or(print.Sentence(words), "Its clock does not run"), screen.A("class", "mt0"))
		b.Elem("p", "The duty is an average of 24 h over 30 days. "+goal(l), screen.A("class", "note"))
		b.Class("p", "meta mt0")
		if l.Assignee == "" {
			b.Text("nobody has it")
		} else {
			b.Text(l.Assignee + " has it")
		}
		b.End("p")
		b.End("div")
		b.End("div")
		b.Open("footer")
		b.Class("span", "row")
		if l.Assignee == "" && c.Open() {
			screen.Do{Path: "/fraud/case/take", Right: screen.DoAlerts, Text: "Take it", Fields: values("alert", c.ID), Primary: true}.Build(b)
		}
		for _, x := range [][2]string{{"#do", "Answer"}, {"#contain", "Contain"}, {"#timeline", "Timeline"}} {
			b.Elem("a", x[1], screen.A("class", "btn"), screen.A("href", x[0]))
		}
		b.End("span")
		b.End("footer")
		b.End("section")
	})
}

func statusSaid(c *desk.Case) page.Said {
	word := print.Clean(cmp.Or(string(c.Status), "not said"), 40)
	switch {
	case !c.Open():
		return pageSaid(print.Good, word+": "+print.Clean(cmp.Or(string(c.Reason), "no reason"), 40))
	case c.Status == fraud.Investigating:
		return pageSaid(print.Cautious, word)
	}
	return pageSaid(print.Bad, word)
}
