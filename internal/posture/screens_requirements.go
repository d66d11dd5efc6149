package posture

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// statusList is how requirements are listed.
func statusList() *screen.List[StatusRow] {
	only := func(name, about string, text func(*StatusRow) string) screen.Column[StatusRow] {
		return screen.Column[StatusRow]{Name: name, Head: name, About: about, Only: true, Plain: true, Fixed: true, Text: text}
	}
	return &screen.List[StatusRow]{
		Noun: "requirement", Default: "verdict", Search: "requirement, reason", Key: func(r *StatusRow) string { return r.ID }, Lead: 1,
		Detail: requirementDetail, Part: func(r *StatusRow) string { return print.Sentence(r.Level) },
		Columns: []screen.Column[StatusRow]{
			{Name: "verdict", Head: "Verdict", About: "mandatory requirements first, then the worst",
				Order: func(a, b *StatusRow) int { return a.weight() - b.weight() },
				Cell:  verdictCell, Text: func(r *StatusRow) string { return r.Verdict }},
			{Name: "requirement", Head: "Requirement", Cell: titleCell, Text: func(r *StatusRow) string { return r.Title + "; " + r.Reason },
				Order: func(a, b *StatusRow) int { return strings.Compare(a.Title, b.Title) }},
			{Name: "short", Head: "Fall short", About: "how many fall short, of how many", Right: true, Cell: shortCell, Plain: true,
				Order: func(a, b *StatusRow) int { return cmp.Compare(a.Affected, b.Affected) },
				Blank: func(r *StatusRow) bool { return r.Total == 0 && r.Affected == 0 }},
			{Name: "days", Head: "Last 30 days", About: "its verdict at the end of each day", Fixed: true, Plain: true, Drop: true,
				Cell: func(r *StatusRow) screen.Cell {
					return screen.Cell{Bars: stepsOf(r.Days), Spoken: spokenDays(r.Title, r.Days, r.first)}
				}, Text: func(r *StatusRow) string { return strings.Join(r.Days, " ") }},
			{Name: "since", Head: "Since", About: "since when its verdict is what it is", Plain: true,
				Cell:  func(r *StatusRow) screen.Cell { return screen.Cell{At: r.Since, Ago: true, Quiet: true} },
				Order: func(a, b *StatusRow) int { return a.Since.Compare(b.Since) }},
			{Name: "next", Head: "Next", Fixed: true, Plain: true, Cell: nextCell},
			only("id", "its id in the rule book", func(r *StatusRow) string { return r.ID }),
			only("level", "mandatory or recommended", func(r *StatusRow) string { return r.Level }),
			only("binding", "how the rule stands", func(r *StatusRow) string { return r.Binding }),
			only("action", "what to do, or what settles an unknown", func(r *StatusRow) string {
				if r.Detail == nil {
					return ""
				}
				return r.Detail.Action
			}),
			only("source", "where the rule is written", func(r *StatusRow) string { _, s := ruleText(r.ID); return s }),
		},
		Filters: []screen.Filter[StatusRow]{
			{Name: "level", Head: "Level", Enum: []string{"mandatory", "recommended"}, Of: func(r *StatusRow) []string { return []string{r.Level} }},
			{Name: "verdict", Head: "Verdict", Enum: verdictOrder, Word: func(v string) string { return strings.ReplaceAll(v, "_", " ") },
				Of: func(r *StatusRow) []string { return []string{r.Verdict} }},
			{Name: "changed", Head: "Changed", Enum: []string{"yes"}, Word: func(string) string { return "changed since yesterday" },
				Of: func(r *StatusRow) []string {
					if r.Changed {
						return []string{"yes"}
					}
					return nil
				}},
		},
	}
}

// verdictCell says beside the verdict where a requirement does not bind.
func verdictCell(r *StatusRow) screen.Cell {
	c := screen.Cell{Said: verdictSaid(r.Verdict)}
	switch {
	case r.Level != "mandatory": // its part of the list says so
	case r.Binding == "announced" || r.Binding == "not_yet":
		c.Sub = "not binding yet"
	}
	return c
}

func titleCell(r *StatusRow) screen.Cell {
	c := screen.Named(r.Title, r.Reason, screen.With("/status", "row", r.ID, "at", r.day))
	if r.Excepted != nil {
		c.Tags = append(c.Tags, screen.Tag{Text: "excepted until " + day(r.Excepted.Expires), Path: screen.With("/exceptions", "row", r.Excepted.ID)})
	}
	if r.Stale {
		c.Tags = append(c.Tags, screen.Tag{Text: "evidence too old", Tone: print.Doubt, Path: "/collection"})
	}
	return c
}

func shortCell(r *StatusRow) screen.Cell {
	switch {
	case r.Verdict == Attested && r.Total == 0:
		return screen.Cell{Text: "by a person", Quiet: true}
	case r.Verdict == NotApplicable:
		return screen.Cell{Text: "–", Quiet: true}
	case r.Verdict == Unknown:
		return screen.Cell{Text: "not readable", Quiet: true}
	case r.Total == 0 && r.Affected == 0:
		return screen.Cell{Text: "not counted", Quiet: true}
	}
	return screen.Cell{Of: &screen.Part{N: int64(r.Affected), Of: int64(r.Total), Unit: r.Unit, Bar: true, Tone: print.Bad}, Path: opens(r.ID, r.tenant)}
}

func nextCell(r *StatusRow) screen.Cell {
	for i := range r.causes {
		if p := r.causes[i].rehearse(); p != "" {
			return screen.Cell{Tags: []screen.Tag{{Text: "Rehearse", Path: p}}}
		}
	}
	to := opens(r.ID, r.tenant)
	switch {
	case to == "" || r.Verdict == Met || r.Verdict == NotApplicable:
		return screen.Cell{}
	case r.Verdict == Unknown:
		return screen.Cell{Tags: []screen.Tag{{Text: "Settle", Path: screen.With("/status", "row", r.ID, "at", r.day)}}}
	}
	return screen.Cell{Tags: []screen.Tag{{Text: "Open", Path: to}}}
}

// requirementDetail is what decided a requirement, what it asks for, and what to do.
func requirementDetail(r *StatusRow) []screen.Block {
	return []screen.Block{
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "What decided it")
			r.deciders(b)
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			head := "What to do"
			if r.Verdict == Unknown {
				head = "What settles it"
			}
			b.Elem("h3", head)
			r.todo(b)
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "The rule")
			r.rule(b)
			b.End("div")
		}),
	}
}

// maxDeciders bounds the evidence shown of a requirement.
const maxDeciders = 5

// shortSource is where something was read, without whose archive it is: the page says.
func shortSource(s string) string {
	if rest, is := strings.CutPrefix(s, "archive:"); is {
		if _, file, ok := strings.Cut(rest, "/"); ok {
			return "archive/" + file
		}
	}
	return s
}

func (r *StatusRow) deciders(b *screen.Builder) {
	if r.Reason != "" {
		b.Elem("p", print.Ended(r.Reason))
	}
	d := r.Detail
	if d == nil {
		var list screen.Items
		for _, s := range r.Subjects {
			list.List = append(list.List, screen.Item{Lead: s})
		}
		for _, s := range r.Sources {
			list.List = append(list.List, screen.Item{Text: s, Meta: " source"})
		}
		list.Empty = "No evidence is kept of it."
		list.Build(b)
		return
	}
	list := screen.Items{Empty: "Nothing single decides it."}
	for i := range d.Evidence[:min(len(d.Evidence), maxDeciders)] {
		e := &d.Evidence[i]
		it := screen.Item{Lead: e.Subject, Text: e.Detail, Meta: " " + shortSource(e.Source)}
		if !e.At.IsZero() {
			it.Meta = " " + e.At.UTC().Format("2 Jan 2006, 15:04") + " UTC ·" + it.Meta
		}
		list.List = append(list.List, it)
	}
	list.Build(b)
	if more := d.More + max(len(d.Evidence)-maxDeciders, 0); more > 0 {
		b.Elem("p", amount(more, "One more is in the API.", "%d more are in the API, as far as they are kept."), screen.A("class", "note"))
	}
	if to := opens(r.ID, r.tenant); to != "" {
		b.Class("div", "row mt")
		b.Elem("a", "Open what it counts", screen.A("class", "btn"), screen.A("href", to))
		b.End("div")
	}
}

// maxLacking bounds the lists that are named as missing.
const maxLacking = 4

func (r *StatusRow) todo(b *screen.Builder) {
	said := false
	d := r.Detail
	if d != nil && d.Action != "" {
		b.Elem("p", print.Ended(print.Sentence(d.Action)))
		said = true
	}
	var list screen.Items
	for i := range r.causes {
		c := &r.causes[i]
		list.List = append(list.List, screen.Item{Lead: print.Number(int64(c.Rank)) + ". " + c.Title, Path: c.rehearse(), Text: c.Detail})
	}
	for n, l := range r.Lacking {
		if n == maxLacking || r.Verdict != Unknown && d != nil {
			break // else what is missing did not decide it
		}
		it := screen.Item{Said: &page.Said{Tone: print.Doubt, Word: "not read whole"}, Lead: evidence.ListName(evidence.Kind(l.Kind)), Text: stateWord(l.State),
			Meta: " " + evidence.Brief(evidence.RequestFor(evidence.Kind(l.Kind)))}
		if l.Why != "" {
			it.Text += ": " + l.Why
		}
		list.List = append(list.List, it)
	}
	if len(list.List) > 0 {
		list.Build(b)
	} else if !said {
		b.Elem("p", "Nothing.", screen.A("class", "note"))
	}
	if r.Verdict == NotMet || r.Verdict == Unknown {
		b.Class("div", "row mt")
		b.Elem("a", "Ask for an exception", screen.A("class", "btn ghost"), screen.A("href", screen.With("/exceptions/ask", "requirement", r.ID)))
		b.Elem("a", "Attest", screen.A("class", "btn ghost"), screen.A("href", screen.With("/exceptions/attest", "requirement", r.ID)))
		b.End("div")
	}
}

func (r *StatusRow) rule(b *screen.Builder) {
	text, source := ruleText(r.ID)
	p := screen.Pairs{{Key: "Stands as", Cell: screen.Words(cmp.Or(bindingWords[r.Binding], r.Binding))}}
	if rule, ok := partner.Find(r.ID); ok {
		for _, s := range slices.Backward(rule.Enforced) {
			p = append(p, screen.Pair{Key: "Enforced " + s.Date.String(), Cell: screen.Words(s.What)})
		}
	}
	if d := r.Detail; d != nil {
		if d.Hours > 0 {
			p = append(p, screen.Pair{Key: "Evidence", Cell: screen.Cell{Text: cmp.Or(d.Age, "nothing dates it"), Sub: "at most " +
				partner.MaxAge{Hours: d.Hours}.String() + " old: " + d.HoursWhy}})
		}
		if d.Counted != "" {
			p = append(p, screen.Pair{Key: "In the log", Cell: screen.Words(d.Counted)})
		}
		if d.By != "" {
			p = append(p, screen.Pair{Key: "Attested", Cell: screen.Cell{Text: "by " + d.By, Sub: "until " + d.Until,
				Path: screen.With("/exceptions", "kind", "attestation")}})
		}
	}
	if x := r.Excepted; x != nil {
		p = append(p, screen.Pair{Key: "Excepted", Cell: screen.Cell{Text: "by " + x.Owner + " until " + day(x.Expires),
			Sub: "alerts are silent, the verdict stays", Path: screen.With("/exceptions", "row", x.ID)}})
	}
	p = append(p, screen.Pair{Key: "Id", Cell: screen.Cell{Text: r.ID, Mono: true}})
	if text != "" {
		b.Elem("p", text)
	}
	p.Build(b)
	if source != "" {
		b.Open("p")
		b.Elem("a", "Where Microsoft writes it", screen.A("href", source), screen.A("rel", "noreferrer"))
		b.End("p")
	}
}
