package posture

import (
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// above is the answer: both views and the deadlines, the trend and what changed, and
// what to do first.
func (o *statusOf) above(deadlines []screen.Item, told bool) []screen.Block {
	top := []screen.Block{screen.Func(o.contractCard)}
	if o.part != nil {
		top = append(top, screen.Func(o.scoreCard))
	}
	if !o.past {
		top = append(top, o.deadlinesCard(deadlines, told))
	}
	out := []screen.Block{screen.Side{Shape: "g3", List: top}}
	since := o.sinceCard()
	if o.part != nil && o.part.Back != nil && len(o.part.Back.Days) > 0 {
		out = append(out, screen.Side{Shape: "g-main", List: []screen.Block{trendCard(o.part.Back, o.tenant.ID), since}})
	} else {
		out = append(out, since)
	}
	if o.part != nil && len(o.part.Causes) > 0 {
		out = append(out, o.causesCard())
	}
	return out
}

// keysOf are the verdicts as parts of a bar.
var keysOf = []struct{ verdict, class, fill string }{
	{NotMet, "f-not", "hatch"}, {Unknown, "f-unk", "dots"}, {Attested, "f-att", ""}, {Met, "f-met", ""}, {NotApplicable, "f-nabg", ""},
}

// contractCard is the contract's view: every account, every sign-in.
func (o *statusOf) contractCard(b *screen.Builder) {
	by, all := o.mandatory(), 0
	for _, n := range by {
		all += n
	}
	all -= by[NotApplicable]
	hold, verdict := by[Met]+by[Attested], Met
	switch {
	case by[NotMet] > 0:
		verdict = NotMet
	case by[Unknown] > 0 || all == 0:
		verdict = Unknown
	}
	b.Class("section", "card")
	b.Class("div", "pad")
	b.Elem("p", "Contract · every account, every sign-in", screen.A("class", "eyebrow"))
	b.Class("div", "row mt0")
	b.Class("span", "big")
	b.Text(print.Number(int64(hold)))
	b.Elem("small", "of "+print.Number(int64(all))+" mandatory hold")
	b.End("span")
	b.Class("span", "push")
	b.Said(*verdictSaid(verdict), false)
	b.End("span")
	b.End("div")
	b.Class("div", "mt")
	o.contractBar(b, all)
	b.End("div")
	b.Class("ul", "legend mt0")
	for _, k := range keysOf {
		if n := by[k.verdict]; n > 0 {
			b.Open("li")
			swatch(b, k.class, k.fill)
			b.Elem("a", print.VerdictWord(k.verdict), screen.A("href", screen.With("/status", "level", "mandatory", "verdict", k.verdict, "at", o.day())))
			b.Text(" ")
			b.Elem("b", print.Number(int64(n)))
			b.End("li")
		}
	}
	b.End("ul")
	b.Class("div", "mt")
	screen.Pairs{{Key: "Enforced", Cell: screen.Words(o.enforced(by[NotMet]))}, {Key: "Changed", Cell: screen.Words(o.changed())}}.Build(b)
	b.End("div")
	b.End("div")
	b.Open("footer")
	b.Text("Unknown never counts as met. ")
	if by[Unknown] > 0 {
		b.Elem("a", "What is unknown", screen.A("class", "push"), screen.A("href", screen.With("/status", "verdict", Unknown, "at", o.day())))
	}
	b.End("footer")
	b.End("section")
}

func (o *statusOf) enforced(notMet int) string {
	n := 0
	for i := range o.rows {
		if r := &o.rows[i]; r.Level == "mandatory" && r.Binding == "enforced" && r.Verdict == NotMet {
			n++
		}
	}
	if notMet == 0 {
		return "nothing that is not met"
	}
	return fmt.Sprintf("%d of %d not met are already enforced by Microsoft", n, notMet)
}

func (o *statusOf) changed() string {
	if o.since == nil {
		return "nothing to compare with yet"
	}
	return o.since.Headline() + ", within a day"
}

// contractBar is a part for each mandatory requirement, the worst first.
func (o *statusOf) contractBar(b *screen.Builder, all int) {
	if all == 0 {
		return
	}
	b.Open("svg", screen.A("viewBox", "0 0 400 14"), screen.A("role", "img"), screen.A("aria-label", print.Plural(int64(all), "mandatory requirements")))
	pitch, n := 404.0/float64(all), 0
	for i := range o.rows {
		r := &o.rows[i]
		if r.Level != "mandatory" || r.Verdict == NotApplicable {
			continue
		}
		for _, k := range keysOf {
			if k.verdict != r.Verdict {
				continue
			}
			at := []screen.Attr{screen.A("x", screen.Num(pitch*float64(n))), screen.A("y", "0"), screen.A("width", screen.Num(pitch-4)),
				screen.A("height", "14"), screen.A("rx", "3")}
			b.Open("rect", append(at, screen.A("class", k.class))...)
			b.Elem("title", r.Title+": "+print.VerdictWord(r.Verdict))
			b.End("rect")
			if k.fill != "" {
				b.Void("rect", append(at, screen.A("fill", "url(#p-"+k.fill+")"))...)
			}
		}
		n++
	}
	b.End("svg")
}

func swatch(b *screen.Builder, class, fill string) {
	b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
	b.Void("rect", screen.A("class", class), screen.A("width", "11"), screen.A("height", "11"))
	if fill != "" {
		b.Void("rect", screen.A("width", "11"), screen.A("height", "11"), screen.A("fill", "url(#p-"+fill+")"))
	}
	b.End("svg")
}

func points(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// scoreCard is Microsoft's own view, beside the contract and never added to it.
func (o *statusOf) scoreCard(b *screen.Builder) {
	s := &o.part.Score
	b.Class("section", "card")
	b.Class("div", "pad")
	b.Elem("p", "Microsoft’s score · admin roles only", screen.A("class", "eyebrow"))
	if !s.Known {
		b.Class("div", "row mt0")
		b.Said(page.Said{Tone: print.Doubt, Word: "not read"}, false)
		b.End("div")
		b.Elem("p", "Microsoft’s security score was not read. What reads it: "+evidence.RequestFor(evidence.SecurityScore)+".", screen.A("class", "note mt"))
		b.End("div")
		b.End("section")
		return
	}
	b.Class("div", "row mt0")
	b.Class("span", "big")
	b.Text(points(s.Current))
	b.Elem("small", "of "+points(s.Max))
	b.End("span")
	if !s.Updated.IsZero() {
		b.Class("span", "push")
		b.Elem("span", "of "+screen.Moment(s.Updated, b.Now()), screen.A("class", "tag"))
		b.End("span")
	}
	b.End("div")
	share := 0.0
	if s.Max > 0 {
		share = max(0, min(1, s.Current/s.Max))
	}
	b.Class("div", "mt")
	b.Open("svg", screen.A("viewBox", "0 0 400 14"), screen.A("role", "img"), screen.A("aria-label", points(s.Current)+" of "+points(s.Max)+" points"))
	b.Void("rect", screen.A("class", "f-nabg"), screen.A("width", "400"), screen.A("height", "14"), screen.A("rx", "3"))
	if share > 0 {
		b.Void("rect", screen.A("class", "f-1"), screen.A("width", screen.Num(400*share)), screen.A("height", "14"), screen.A("rx", "3"))
	}
	b.End("svg")
	b.End("div")
	b.Class("dl", "kv score mt")
	for _, q := range s.Requirements[:min(len(s.Requirements), 4)] {
		b.Elem("dt", strings.ReplaceAll(strings.TrimSpace(spaced(q.Type)), "mfa", "MFA"))
		b.Elem("dd", points(q.Score)+" of "+points(q.Max))
		b.Open("dd")
		b.Said(*verdictSaid(q.Verdict), true)
		b.End("dd")
	}
	b.End("dl")
	b.End("div")
	b.Open("footer")
	b.Text(fmt.Sprintf("It looks at %d of %d accounts, so full marks are not compliance.", s.Admins, s.Accounts))
	b.End("footer")
	b.End("section")
}

// spaced puts words apart that a name of Microsoft's writes as one: mfaEnforcedForAdmins.
func spaced(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r >= 'A' && r <= 'Z' && i > 0 {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	if s := b.String(); len(s) > 3 && strings.EqualFold(s[:4], "mfa ") {
		return "MFA " + s[4:]
	}
	return b.String()
}

// deadlinesCard is what ends next.
func (o *statusOf) deadlinesCard(list []screen.Item, told bool) screen.Block {
	const most = 4
	c := screen.Card{Head: "Next deadlines", Bare: true}
	if told {
		c.Links = []screen.Link{{Text: "All", Path: "/alerts/deadlines"}}
	}
	if len(list) == 0 && o.part != nil { // what Microsoft changes is known by itself
		for _, d := range o.part.Dates {
			list = append(list, screen.Item{When: untilDay(d.Date.Sub(o.at).Hours()), WhenSub: d.short(),
				Lead: print.Sentence(print.Clean(d.What, maxDeadline)),
				Meta: " " + print.Ended(print.Sentence(d.Hits))})
		}
	}
	c.Body = []screen.Block{screen.Items{List: list[:min(len(list), most)], Empty: "Nothing ends soon, as far as is known."}}
	return c
}

// maxDeadline bounds the title of a deadline.
const maxDeadline = 80

// short is the date where there is little room: a month where no day is meant.
func (d *DatedThing) short() string {
	if strings.Count(d.When, " ") == 2 {
		return d.Date.UTC().Format("2 Jan")
	}
	return d.Date.UTC().Format("Jan 06")
}

func untilDay(hours float64) string {
	if hours < 48 {
		return fmt.Sprintf("%d h", max(int(hours), 0))
	}
	return fmt.Sprintf("%d d", int(hours/24))
}

// maxSince bounds what changed on the page; the list shows all.
const maxSince = 5

// sinceCard is what changed within a day, with its cause and who did it.
func (o *statusOf) sinceCard() screen.Block {
	head := "Since yesterday"
	if o.past {
		head = "On that day"
	}
	c := screen.Card{Head: head}
	if o.since == nil {
		c.Body = []screen.Block{screen.Para{Text: "Nothing was judged before, so there is nothing to compare with.", Class: "note"}}
		return c
	}
	items := screen.Items{Timeline: true, Empty: "Nothing changed."}
	told := map[string]bool{}
	for i := range o.since.Turned {
		t := &o.since.Turned[i]
		it := screen.Item{Said: verdictSaid(t.To), Lead: t.Title, Path: screen.With("/status", "row", t.ID, "at", o.day()),
			Text: print.VerdictWord(t.From) + " → " + print.VerdictWord(t.To) + "."}
		for n, id := range t.Because {
			x := o.since.cause(id)
			if x == nil {
				continue
			}
			told[id] = true
			if n > 0 && t.Sure {
				break
			}
			lead := " "
			if !t.Sure {
				lead = " Perhaps: "
			}
			it.Text += lead + print.Ended(strings.TrimSpace(x.Subject+": "+x.Text))
			it.Meta = strings.TrimSpace(it.Meta + " " + x.Who)
		}
		if t.Unexplained {
			it.Text += " Nothing that changed explains it."
		}
		if t.Excepted != nil {
			it.Meta = strings.TrimSpace(it.Meta + " · excepted by " + t.Excepted.Owner)
		}
		items.List = append(items.List, it)
	}
	if n := len(o.since.Accounts); n > 0 {
		items.List = append(items.List, o.accountsItem(n, told))
	}
	items.List = append(items.List, o.otherCauses(told)...)
	if more := len(items.List) - maxSince; more > 0 {
		items.List = items.List[:maxSince]
		c.Foot = amount(more, "One more thing changed.", "%d more things changed.")
		c.Links = []screen.Link{{Text: "What turned", Path: screen.With("/status", "changed", "yes", "at", o.day())}}
	}
	c.Body = []screen.Block{items}
	if o.since.Short {
		c.Note = "Since the first judgement, which is less than a day old."
	}
	return c
}

// accountsItem is the accounts that turned, with what turned most of them.
func (o *statusOf) accountsItem(n int, told map[string]bool) screen.Item {
	worse, names, by := 0, []string{}, map[string]int{}
	for i := range o.since.Accounts {
		a := &o.since.Accounts[i]
		if a.Worse {
			worse++
		}
		if len(names) < 2 {
			names = append(names, or(a.Name, a.ID))
		}
		if len(a.Because) > 0 {
			by[a.Because[0]]++
		}
	}
	it := screen.Item{Said: verdictSaid(Met), Path: "/people", Lead: amount(n, "1 account turned", "%d accounts turned")}
	if worse > 0 {
		it.Said = verdictSaid(NotMet)
		it.Text = amount(worse, "1 to the worse: ", "%d to the worse: ")
	}
	it.Text += strings.Join(names, ", ")
	if n > len(names) {
		it.Text += fmt.Sprintf(" and %d more", n-len(names))
	}
	it.Text += "."
	most := ""
	for i := range o.since.Causes { // in their order: equal counts give the weightier
		if id := o.since.Causes[i].ID; by[id] > by[most] {
			most = id
		}
	}
	if x := o.since.cause(most); x != nil {
		told[most] = true
		it.Text += " " + print.Ended(strings.TrimSpace(x.Subject+": "+x.Text))
		it.Meta = x.Who
	}
	return it
}

// gathered are the kinds of causes of which many are one item, and what they are called.
var gathered = map[CauseKind][2]string{
	DisagreementSeen: {"1 place where settings and log disagree", "%d places where settings and log disagree"},
	DisagreementGone: {"1 disagreement of settings and log is gone", "%d disagreements of settings and log are gone"},
	SignedInUnasked:  {"1 account signed in without MFA", "%d accounts signed in without MFA"},
	UnaskedPast:      {"1 sign-in without MFA left the log", "the sign-ins without MFA of %d accounts left the log"},
	FactorGained:     {"1 account registered a stronger method", "%d accounts registered a stronger method"},
	AccountAdded:     {"1 account is new", "%d accounts are new"},
}

// otherCauses are what changed besides; many of one kind are told together.
func (o *statusOf) otherCauses(told map[string]bool) (out []screen.Item) {
	n, done := map[CauseKind]int{}, map[CauseKind]bool{}
	for i := range o.since.Causes {
		if x := &o.since.Causes[i]; !told[x.ID] && !x.Minor {
			n[x.Kind]++
		}
	}
	for i := range o.since.Causes {
		x := &o.since.Causes[i]
		if told[x.ID] || x.Minor {
			continue
		}
		it := screen.Item{Said: &page.Said{Tone: print.Muted, Word: "changed"}, Lead: x.Subject, Text: print.Ended(x.Text), Meta: x.Who}
		if words, many := gathered[x.Kind]; many && n[x.Kind] > 1 {
			if done[x.Kind] {
				continue
			}
			done[x.Kind] = true
			it = screen.Item{Said: it.Said, Lead: print.Sentence(amount(n[x.Kind], words[0], words[1])), Text: x.Subject + " among them."}
		}
		out = append(out, it)
	}
	return out
}

// maxCauses bounds the causes on the page; the report has all.
const maxCauses = 5

// causesCard is what to do first: causes, not symptoms.
func (o *statusOf) causesCard() screen.Block {
	list := o.part.Causes
	c := screen.Card{ID: "first", Head: "Fix first", Aside: "causes, not symptoms", Bare: true}
	c.Body = []screen.Block{screen.Func(func(b *screen.Builder) {
		b.Class("ol", "list")
		for i := range list[:min(len(list), maxCauses)] {
			o.cause(b, &list[i])
		}
		b.End("ol")
	})}
	if more := len(list) - maxCauses; more > 0 {
		c.Foot = amount(more, "One more cause is in the API and in partnerguard assess.", "%d more causes are in the API and in partnerguard assess.")
	}
	return c
}

// ranked names a cause by its number, and in words where the page does not list it.
func (o *statusOf) ranked(rank int) string {
	for i := range o.part.Causes {
		if c := &o.part.Causes[i]; c.Rank == rank && i >= maxCauses {
			return strconv.Itoa(rank) + " (" + c.Title + ")"
		}
	}
	return strconv.Itoa(rank)
}

func (o *statusOf) cause(b *screen.Builder, c *Fix) {
	b.Open("li")
	b.Class("span", "due")
	b.Text(strconv.Itoa(c.Rank))
	b.End("span")
	b.Open("div")
	b.Elem("b", c.Title)
	b.Text(" " + print.Ended(c.Detail))
	if len(c.Before) > 0 {
		var ranks []string
		for _, n := range c.Before {
			ranks = append(ranks, o.ranked(n))
		}
		b.Elem("span", "Before it: "+strings.Join(ranks, "; ")+".", screen.A("class", "meta"))
	}
	if c.Breaks > 0 {
		b.Elem("span", amount(c.Breaks, "1 account cannot answer yet.", "%d accounts cannot answer yet."), screen.A("class", "meta"))
	}
	if c.Proof != "" && c.Accounts > 0 {
		b.Elem("span", print.Ended(c.Proof), screen.A("class", "meta"))
	}
	if c.Kind == "urgent" {
		b.Class("span", "row mt")
		b.Elem("a", "Open the alerts", screen.A("class", "btn"), screen.A("href", "/fraud"))
		b.End("span")
	}
	if cmd := c.command(o.tenant.ID); cmd != "" {
		b.Class("span", "row mt")
		b.Elem("a", "Rehearse", screen.A("class", "btn"), screen.A("href", c.rehearse()))
		b.Elem("code", cmd, screen.A("class", "id"))
		b.End("span")
	}
	b.End("div")
	b.End("li")
}
