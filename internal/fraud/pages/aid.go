//go:build !judge

package pages

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// aid is what speaks for fraud, what against, and what is not known. It decides nothing.
func aid(t *inquiry.Timeline) screen.Block {
	side := func(head string, list []inquiry.Reason, tone print.Tone, word, empty string) screen.Block {
		items := screen.Items{Empty: empty}
		for i := range list {
			r := &list[i]
			s := page.Said{Tone: tone, Word: word}
			it := screen.Item{Said: &s, Text: r.Text}
			if r.Strong {
				it.Lead, it.Text = r.Text, ""
			}
			if r.Ask != "" {
				it.Meta = "Settled by: " + r.Ask
			} else if len(r.Rows) > 0 {
				it.Meta = "rows " + strings.Join(r.Rows[:min(len(r.Rows), 6)], ", ")
			}
			items.List = append(items.List, it)
		}
		return screen.Bit{Head: fmt.Sprintf("%s (%d)", head, len(list)), Body: []screen.Block{items}}
	}
	return screen.Card{Head: "What speaks for and against", ID: "aid", Note: t.Says, Body: []screen.Block{
		side("For fraud", t.For, print.Bad, "for fraud", "Nothing that was read."),
		side("For a legitimate deployment", t.Against, print.Good, "against fraud", "Nothing that was read."),
		side("Not known", t.Unknown, print.Doubt, "not known", "Nothing that is wanted is missing."),
	}}
}

// drawn is the timeline as a picture, wide and for a phone.
func drawn(alert string, t *inquiry.Timeline) screen.Block {
	wide, phone := t.Draw(false), t.Draw(true)
	if len(wide.Lanes) == 0 {
		return screen.Card{Head: "Timeline", Body: []screen.Block{screen.Para{Text: "Nothing that was read has a time to draw.", Class: "note"}}}
	}
	return screen.Card{Head: "Timeline", ID: "timeline", Aside: wide.Head, Links: []screen.Link{{Text: "Picture", Path: screen.With("/fraud/case/picture", "alert", alert)}},
		Body: []screen.Block{screen.Func(func(b *screen.Builder) {
			b.Open("figure", screen.A("class", "plot full"))
			lanes(b, wide, "wid")
			lanes(b, phone, "nar")
			b.End("figure")
			b.Open("ul", screen.A("class", "legend"))
			for _, k := range [][2]string{{"f-not", "looked at; the ring is where it may begin"}, {"f-na", "beside it"}, {"f-3", "alert and response"}} {
				b.Open("li")
				b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
				b.Void("circle", screen.A("class", k[0]), screen.A("cx", "5.5"), screen.A("cy", "5.5"), screen.A("r", "4.5"))
				b.End("svg")
				b.Text(k[1])
				b.End("li")
			}
			b.End("ul")
		})}}
}

// lanes writes a picture in the page; the table below has each row.
func lanes(b *screen.Builder, p *inquiry.Picture, class string) {
	num := screen.Num
	b.Open("svg", screen.A("class", class), screen.A("viewBox", "0 0 "+num(p.W)+" "+num(p.H)), screen.A("role", "img"), screen.A("aria-label", print.Clean(p.Says, 600)))
	upright := func(class string, x, from, to float64) {
		b.Void("path", screen.A("class", class), screen.A("d", "M"+num(x)+" "+num(from)+"V"+num(to)))
	}
	for _, t := range p.Ticks {
		class := "gl"
		if t.Day {
			class = "ax"
		}
		upright(class, t.X, p.Top(), p.H-22)
		b.Elem("text", t.Text, screen.A("class", "lo"), screen.A("x", num(t.X)), screen.A("y", num(p.H-6)), screen.A("text-anchor", "middle"))
	}
	for _, l := range p.Lanes {
		b.Elem("text", l.Name, screen.A("class", "em"), screen.A("x", num(l.X)), screen.A("y", num(l.Y)))
		b.Void("path", screen.A("class", "ax"), screen.A("d", "M"+num(p.LaneLeft())+" "+num(l.Base)+"H"+num(p.W-4)))
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		line, text, x, anchor := "l-not dash", "t-not", l.X+4, "start"
		if l.Done {
			line, text = "l-3 dash", "em"
		}
		if l.End {
			x, anchor = l.X-4, "end"
		}
		upright(line, l.X, l.Y-8, p.H-22)
		b.Elem("text", l.Text, screen.A("class", text), screen.A("x", num(x)), screen.A("y", num(l.Y)), screen.A("text-anchor", anchor))
	}
	for i := range p.Spots {
		s := &p.Spots[i]
		b.Open("g")
		b.Elem("title", print.Clean(s.Title, 400))
		if s.Weight == inquiry.Cause {
			b.Void("circle", screen.A("class", "sel"), screen.A("cx", num(s.X)), screen.A("cy", num(s.Y)), screen.A("r", num(s.R+3.5)))
		}
		b.Void("circle", screen.A("class", s.Class()), screen.A("cx", num(s.X)), screen.A("cy", num(s.Y)), screen.A("r", num(s.R)))
		b.End("g")
	}
	b.End("svg")
}

// acts are what can be done about the alert.
func (p *Pages) acts(c *desk.Case) screen.Block {
	id := values("alert", c.ID)
	return screen.Func(func(b *screen.Builder) {
		b.Class("section", "card")
		b.Open("header")
		b.Elem("h2", "Do")
		b.End("header")
		b.Class("div", "pad")
		b.Class("div", "stack")
		screen.Row{
			screen.Do{Path: "/fraud/case/take", Right: screen.DoAlerts, Text: "Take it", Fields: id, Primary: c.Assignee == "" && c.Open()},
			screen.Do{Path: "/fraud/case/inquire", Right: screen.DoAlerts, Text: "Read everything anew", Fields: id},
		}.Build(b)
		if c.Open() && c.Refused == "" {
			screen.Form{Screen: &p.one, Act: "answer", Values: id, Plain: true}.Build(b)
		}
		screen.Form{Screen: &p.one, Act: "hand", Values: id, Plain: true}.Build(b)
		screen.Code{Text: "partnerguard fraud contain " + c.ID + " --plan > plan.yaml", Wrap: true}.Build(b)
		b.End("div")
		b.End("div")
		b.End("section")
	})
}

// known is what the alert says.
func known(c *desk.Case, l *line) screen.Block {
	p := screen.Pairs{{Key: "Customer", Cell: screen.Named(l.Customer, l.Tenant, screen.With("/customers/one", "tenant", l.Tenant))},
		{Key: "Subscription", Cell: screen.Cell{Text: print.Clean(c.Subscription, 100), Mono: true, Never: "not said"}},
		{Key: "Kind", Cell: screen.Cell{Text: print.Clean(c.Words(), 120), Sub: print.Clean(c.Type, 120)}},
		{Key: "Confidence", Cell: screen.Cell{Text: print.Clean(c.Confidence, 40), Never: "not said"}},
		{Key: "Detected", Cell: screen.Cell{At: c.Detected, Never: "not said"}}, {Key: "First seen", Cell: screen.Cell{At: c.First, Never: "not said"}},
		{Key: "Last seen", Cell: screen.Cell{At: c.Last, Never: "not said"}}, {Key: "Read here", Cell: screen.Cell{At: c.Seen}}}
	if c.Description != "" {
		p = append(p, screen.Pair{Key: "Microsoft says", Cell: screen.Words(print.Clean(c.Description, 600))})
	}
	for i, r := range c.Resources {
		if i == 8 {
			p = append(p, screen.Pair{Key: "", Cell: screen.Cell{Text: fmt.Sprintf("and %d more", len(c.Resources)-8), Quiet: true}})
			break
		}
		key := ""
		if i == 0 {
			key = "Resources"
		}
		p = append(p, screen.Pair{Key: cmp.Or(key, "also"), Cell: screen.Cell{Text: print.Clean(r.ID[strings.LastIndexByte(r.ID, '/')+1:], 100), Sub: print.Clean(r.Type, 100)}})
	}
	return screen.Card{Head: "What is known", Body: []screen.Block{p}, Foot: "from " + cmp.Or(strings.Join(c.From, " and "), "Microsoft")}
}

// notes are what people wrote down.
func (p *Pages) notes(c *desk.Case) screen.Block {
	items := screen.Items{Empty: "Nobody wrote anything down yet.", Timeline: true}
	for _, n := range slices.Backward(c.Notes) {
		if len(items.List) == 30 {
			break
		}
		items.List = append(items.List, screen.Item{Icon: "doc", Text: print.Clean(n.Text, maxNote), Meta: print.Clean(n.By, maxName) + ", " + print.When(n.At)})
	}
	return screen.Card{Head: "Hand-over", Note: "For whoever is next; it stays in the house.", Body: []screen.Block{
		screen.Form{Screen: &p.one, Act: "note", Values: values("alert", c.ID), Plain: true}, items}}
}

// reports are what is handed out.
func reports(alert string) screen.Block {
	items := screen.Items{}
	for _, who := range inquiry.Audiences() {
		items.List = append(items.List, screen.Item{Icon: "dl", Lead: "Report for the " + who, Path: screen.With("/fraud/case/report", "alert", alert, "for", who)})
	}
	return screen.Card{Head: "Reports", Note: "One file each, to print or to send. That it was made is recorded.", Body: []screen.Block{items}}
}

// readings say what was read and what was not.
func readings(t *inquiry.Timeline) screen.Block {
	items := screen.Items{}
	add := func(tone print.Tone, word, lead, text, meta string) {
		items.List = append(items.List, screen.Item{Said: &page.Said{Tone: tone, Word: word}, Lead: lead, Text: text, Meta: meta})
	}
	read := 0
	for i := range t.Reads {
		r := &t.Reads[i]
		name := inquiry.ResourceName(r.Resource)
		if r.Partner {
			name += ", the partner's own"
		}
		switch r.State {
		case inquiry.ReadSince:
			read++
		case inquiry.ReadRefused:
			add(print.Doubt, "refused", name, print.Ended(cmp.Or(r.Why, "it was refused")), strings.TrimSpace("needs "+cmp.Or(r.Needs, "what is not said")))
		case inquiry.ReadBefore:
			add(print.Cautious, "older", name, "read before the alert came, and not since.", print.When(r.At))
		default:
			add(print.Cautious, "not read yet", name, print.Ended(cmp.Or(r.Why, "it was not read yet")), r.Ask)
		}
	}
	foot := fmt.Sprintf("%d of %d lists were read since the alert came. The rows rest on %s of the archive.", read, len(t.Reads),
		print.Plural(int64(len(t.Places)), "segments"))
	items.Empty = "Everything that is wanted was read since the alert came."
	return screen.Card{Head: "What was read", ID: "read", Body: []screen.Block{items}, Foot: foot}
}

// containment is how the plans stand that were applied, with the second person's yes.
func containment(c *desk.Case, runs []contain.Status, err error) screen.Block {
	if err != nil {
		return screen.Card{Head: "Containment", Body: []screen.Block{screen.Para{Text: print.Ended(print.Sentence(err.Error())), Class: "note"}}}
	}
	if len(runs) == 0 {
		text := "No plan was applied. A plan shows for each step what stops and whether it can be taken back; another person approves it."
		if c.Status == fraud.Resolved {
			text = "No plan was applied."
		}
		return screen.Card{Head: "Containment", ID: "contain", Body: []screen.Block{screen.Para{Text: text, Class: "note"}}}
	}
	var body []screen.Block
	for i := range slices.Backward(runs) {
		body = append(body, run(c, &runs[i]))
	}
	return screen.Card{Head: "Containment", ID: "contain", Note: "Answering Microsoft stops nothing; this does.", Body: body}
}

func run(c *desk.Case, r *contain.Status) screen.Block {
	tone := map[contain.RunState]print.Tone{contain.Waiting: print.Cautious, contain.Running: print.Cautious, contain.Over: print.Good}[r.State]
	if tone.Class == "" || len(r.Left) > 0 && r.State == contain.Over {
		tone = print.Doubt
	}
	items := screen.Items{Timeline: true}
	for k := range r.Steps {
		if k == 60 {
			items.List = append(items.List, screen.Item{Text: fmt.Sprintf("and %d more steps", len(r.Steps)-60)})
			break
		}
		items.List = append(items.List, step(&r.Steps[k]))
	}
	state := page.Said{Tone: tone, Word: string(r.State)}
	head := screen.Items{List: []screen.Item{{Said: &state, Lead: "Plan " + r.ID, Text: print.Clean(r.Why, 300), Meta: "applied by " + print.Clean(r.Actor, maxName) + ", " +
		print.When(r.Applied)}}}
	body := []screen.Block{head}
	if r.State == contain.Waiting && r.Refused == "" {
		body = append(body, screen.Do{Path: "/fraud/case/approve", Right: screen.Approve, Text: "Approve these steps", Primary: true,
			Fields: values("alert", c.ID, "run", r.ID)})
	}
	body = append(body, items)
	for i, left := range r.Left {
		if i == 20 {
			break
		}
		body = append(body, screen.Para{Text: "Left: " + left, Class: "note"})
	}
	return screen.Func(func(b *screen.Builder) {
		for _, x := range body {
			x.Build(b)
		}
	})
}

func step(p *contain.Progress) screen.Item {
	tone := print.Cautious
	switch p.State {
	case contain.Done, contain.Found, contain.Undone:
		tone = print.Good
	case contain.Failed, contain.NotTaken:
		tone = print.Bad
	case contain.Left, contain.Stays:
		tone = print.Muted
	}
	back := "can be taken back"
	if !p.Step.Undo {
		back = "cannot be taken back"
	}
	s := page.Said{Tone: tone, Word: string(p.State)}
	return screen.Item{Said: &s, Lead: print.Clean(string(p.Step.Kind)+" "+cmp.Or(p.Step.Name, p.Step.Target), 160), Text: print.Clean(p.Step.Stops, 240),
		Meta: string(p.State) + " · " + back + suffix(print.Clean(p.Words, 200))}
}

func suffix(s string) string {
	if s == "" {
		return ""
	}
	return " · " + s
}
