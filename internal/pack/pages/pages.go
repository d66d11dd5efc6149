package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Pages are the pages. List and Now are required.
type Pages struct {
	List func(ctx context.Context, limit int) ([]pack.Row, error)
	// Ask has a job make a pack that lies with the installation; nil: nothing is made here.
	Ask func(ctx context.Context, o pack.Options, actor string) (*pack.Asked, error)
	// Asks are those that were asked for lately, the newest first; nil: none.
	Asks func(ctx context.Context) ([]*pack.Asked, error)
	// Named are the names of tenants by their ids, lower case; nil: not known here.
	Named func(ctx context.Context) (map[string]string, error)
	// Read gives a pack that lies with the installation. Kind problem.NotFound where it does
	// not, problem.Limit where it is larger than a page hands out.
	Read func(ctx context.Context, name string) ([]byte, error)
	// Key is the key that packs are signed by, as trail key prints it; nil: not known here.
	Key func(ctx context.Context) (string, error)
	Now func() time.Time
}

// mostPacks bounds the list.
const mostPacks = 1000

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	one := screen.Screen{
		Name: "packs", Title: "Packs", Icon: "box", Group: screen.Evidence, Order: 60, See: screen.SeeTrail, Over: screen.OfHouse,
		About: "What was handed to auditors, insurers, Microsoft or customers: one file each, which they verify without us.",
		List:  packList, Params: []screen.Param{{Name: "pack", About: "The pack's name."},
			{Name: "ask", About: "What was asked for: how far it is."}},
	}
	if p.Ask != nil {
		one.Acts = []screen.Act{{
			Name: "make", Title: "Make a pack",
			About: "Judges the evidence of a period as of its end, and writes it with its proofs into one signed file.", Do: screen.Manage,
			Form: []screen.Field{
				{Name: "tenant", Label: "Tenant", Hint: "id; empty where it is clear whose", Max: 64},
				{Name: "from", Label: "From", Kind: "date", Required: true},
				{Name: "to", Label: "To", Hint: "the last day of the period", Kind: "date", Required: true},
				{Name: "reader", Label: "For", Kind: "select", Enum: []string{"auditor", "insurer", "microsoft", "customer"}, Required: true},
				{Name: "evidence", Label: "Evidence", Kind: "select", Enum: []string{form.All, form.Deciding, form.None}, Required: true},
				{Name: "names", Label: "Redact names", Kind: "check"},
				{Name: "addresses", Label: "Redact addresses", Kind: "check"},
				{Name: "keep", Label: "Shown all the same", Hint: "members, e.g. displayName, where a verdict needs them", Max: 400},
				{Name: "unjudged", Label: "Also where verdicts do not come out again", Kind: "check"},
			},
			Handle: p.make,
		}}
	}
	if p.Read != nil {
		one.Files = []screen.File{{Name: "file", About: "The pack that the address names, as it was made.", Load: p.file}}
	}
	one.Load = func(ctx context.Context, a *screen.Ask) (*screen.View, error) { return p.load(ctx, a, &one) }
	return []screen.Screen{one}
}

// row is a pack with the name of its tenant, "" where it is not known.
type row struct {
	pack.Row

	Called string `json:"tenantName,omitempty"`
}

// packList is the list of packs.
var packList = &screen.List[row]{
	Noun: "pack", Default: "-made", Search: "name, tenant, reader, SHA-256",
	Key:    func(r *row) string { return r.Name },
	Tenant: func(r *row) string { return r.Tenant },
	Columns: []screen.Column[row]{
		{Name: "name", Head: "Pack", Cell: func(r *row) screen.Cell { return screen.Named(r.Name, print.First("tenant "+r.Tenant, r.Called), "") },
			Text: func(r *row) string { return r.Name }},
		{Name: "tenant", Head: "Tenant", Only: true, Text: func(r *row) string { return r.Tenant }},
		{Name: "tenantName", Head: "Tenant's name", Only: true, Text: func(r *row) string { return r.Called }},
		{Name: "period", Head: "Period", Order: func(a, b *row) int { return a.From.Compare(b.From) },
			Cell: func(r *row) screen.Cell { return screen.Words(period(r)) }},
		{Name: "reader", Head: "For", Cell: func(r *row) screen.Cell { return screen.Words(r.Reader) }},
		{Name: "evidence", Head: "Evidence", Drop: true, Cell: func(r *row) screen.Cell {
			c := screen.Words(r.Evidence)
			if len(r.Redaction) > 0 {
				c.Sub = "without " + strings.Join(r.Redaction, " and ")
			}
			return c
		}},
		{Name: "size", Head: "Size", Right: true, Order: func(a, b *row) int { return cmp.Compare(a.Size, b.Size) },
			Cell: func(r *row) screen.Cell { return screen.Words(size(r.Size)) }, Text: func(r *row) string { return fmt.Sprint(r.Size) }},
		{Name: "made", Head: "Made", Right: true, Order: func(a, b *row) int { return a.Made.Compare(b.Made) },
			Cell: func(r *row) screen.Cell { return screen.When(r.Made, "") }},
		{Name: "sha256", Head: "SHA-256", Only: true, Text: func(r *row) string { return r.SHA256 }},
		{Name: "actor", Head: "By", Only: true, Text: func(r *row) string { return r.Actor }},
	},
	Filters: []screen.Filter[row]{{Name: "for", Head: "For", Of: func(r *row) []string { return []string{r.Reader} }}},
	Detail: func(r *row) []screen.Block {
		return []screen.Block{screen.Pairs{
			{Key: "Tenant", Cell: screen.Cell{Text: print.First(r.Tenant, r.Called), Sub: r.Tenant}},
			{Key: "SHA-256", Cell: screen.Cell{Text: r.SHA256, Mono: true}}, {Key: "Made by", Cell: screen.Words(print.Clean(r.Actor, 200))},
			{Key: "To verify", Cell: screen.Cell{Text: "partnerguard pack verify --key KEY " + r.Name + ".zip", Mono: true}},
			{Key: "Without us", Cell: screen.Cell{Text: "(cd verify && go run . --key KEY " + r.Name + ".zip)", Mono: true}},
			{Key: "The file", Cell: screen.Cell{Text: "Open it", Path: screen.With("/packs", "pack", r.Name)},
				From: "where it lies with the installation: one that a command made lies where that said"},
		}}
	},
}

func period(r *row) string {
	last := r.To.UTC()
	if h, m, s := last.Clock(); h+m+s == 0 {
		last = last.AddDate(0, 0, -1)
	}
	return r.From.UTC().Format("2 Jan 2006") + " to " + last.Format("2 Jan 2006")
}

func size(n int64) string {
	switch {
	case n < 1<<20:
		return print.Number((n+1023)>>10) + " KiB"
	case n < 10<<20: // of 1.5 MiB nobody is told that they are 2
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n < 10<<30:
		return print.Number((n+1<<19)>>20) + " MiB"
	}
	return print.Number((n+1<<29)>>30) + " GiB"
}

func (p *Pages) load(ctx context.Context, a *screen.Ask, one *screen.Screen) (*screen.View, error) {
	all, err := p.List(ctx, mostPacks)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r pack.Row) bool { return !a.Viewer.Sees(strings.ToLower(r.Tenant)) })
	named := map[string]string{}
	if p.Named != nil {
		if named, err = p.Named(ctx); err != nil {
			return nil, err
		}
	}
	rows := make([]row, len(all))
	for n := range all {
		rows[n] = row{all[n], print.Clean(named[strings.ToLower(all[n].Tenant)], print.MaxName)}
	}
	v := &screen.View{Rows: packList.Of(rows), Summary: map[string]any{"packs": len(all)},
		Sentence: "Each is one file: verdicts, the evidence with its proofs, and a signature. Whoever has it verifies it without this installation.",
		Nothing: &screen.Nothing{Head: "No pack was made yet",
			Text:    "A pack is what an auditor, an insurer, Microsoft or a customer is handed for a period.",
			Command: "partnerguard pack make --period 2026-10 --out pack.zip"}}
	if a.Machine {
		return v, nil
	}
	if err := p.asks(ctx, a, v); err != nil {
		return nil, err
	}
	if name := a.Values.Get("pack"); name != "" && p.Read != nil {
		if slices.ContainsFunc(all, func(r pack.Row) bool { return r.Name == name }) {
			v.Actions = append(v.Actions, screen.Action{Text: "File", Icon: "dl", Path: screen.With("/packs/file", "pack", name), Primary: true})
		}
	}
	if p.Key != nil {
		if key, err := p.Key(ctx); err == nil {
			v.Below = append(v.Below, screen.Card{Head: "The key that packs are signed by",
				Note: "Give it to readers by another way than the pack: a pack that is verified by its own key says nothing of who made it.",
				Body: []screen.Block{screen.Code{Text: key}}})
		}
	}
	if p.Ask != nil && a.Viewer.May(screen.Manage) {
		now := p.Now().UTC()
		first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
		values := url.Values{"from": {first.AddDate(0, -1, 0).Format(time.DateOnly)}, "to": {first.AddDate(0, 0, -1).Format(time.DateOnly)},
			"reader": {"auditor"}, "evidence": {form.All}}
		v.Below = append(v.Below, screen.Form{Screen: one, Act: "make", Values: values,
			Hint: "A job makes it: this page says how far it is, and may be left."})
	}
	return v, nil
}

// make makes one for a period of whole days.
func (p *Pages) make(ctx context.Context, a *screen.Ask, f url.Values) (screen.Done, error) {
	from, err1 := time.Parse(time.DateOnly, f.Get("from"))
	to, err2 := time.Parse(time.DateOnly, f.Get("to"))
	if err1 != nil || err2 != nil || to.Before(from) {
		return screen.Done{}, problem.New(problem.Usage, "the period does not go from one day to a later one, or the same")
	}
	o := pack.Options{Tenant: strings.ToLower(strings.TrimSpace(f.Get("tenant"))), From: from, To: to.AddDate(0, 0, 1), Reader: f.Get("reader"),
		Evidence: f.Get("evidence")}
	if a.Viewer.Customers != nil && !a.Viewer.Sees(o.Tenant) {
		return screen.Done{}, problem.New(problem.Forbidden, "you may make packs of your customers' tenants alone").WithHint("name one by its id")
	}
	for _, rule := range []string{form.Names, form.Addresses} {
		if f.Get(rule) != "" {
			o.Redact = append(o.Redact, rule)
		}
	}
	for _, member := range strings.Split(f.Get("keep"), ",") {
		if member = strings.TrimSpace(member); member != "" {
			o.Keep = append(o.Keep, member)
		}
	}
	if o.NotRejudged = f.Get("unjudged") != ""; len(o.Keep) > 0 && len(o.Redact) == 0 {
		return screen.Done{}, problem.New(problem.Usage, "members are shown all the same only where something is redacted")
	}
	m, err := p.Ask(ctx, o, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/packs", "ask", m.ID), Said: "The pack is being made.", Body: m}, nil
}

// asks says how far those are that were asked for: all that wait or run, and what became of
// the one that the address names.
func (p *Pages) asks(ctx context.Context, a *screen.Ask, v *screen.View) error {
	if p.Asks == nil {
		return nil
	}
	list, err := p.Asks(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		of := x.From.Format("2 Jan 2006") + " to " + x.To.AddDate(0, 0, -1).Format("2 Jan 2006") + ", for " + x.Reader
		n := screen.Notice{Tone: print.Muted, Lead: "Waiting.", Text: "The pack of " + of + " is made next; this page asks again by itself."}
		switch {
		case !a.Viewer.Sees(strings.ToLower(x.Tenant)), !x.Ended.IsZero() && x.ID != a.Values.Get("ask"):
			continue
		case x.Error != "":
			n = screen.Notice{Tone: print.Bad, Lead: "Not made.", Text: "The pack of " + of + ": " + print.Ended(print.Clean(x.Error, 600))}
			if x.Hint != "" {
				n.Text += " " + print.Sentence(print.Clean(x.Hint, 400))
			}
		case !x.Ended.IsZero():
			n = screen.Notice{Tone: print.Good, Lead: "Made.", Text: "The pack of " + of + " is " + x.Pack + ".", LinkText: "Open it",
				Path: screen.With("/packs", "pack", x.Pack)}
		case !x.Begun.IsZero():
			n.Lead, n.Text = "Making.", "The pack of "+of+" is judged and written; this page asks again by itself."
			n.Done, n.Of = x.Done, max(x.Of, 1)
		}
		if v.Notices = append(v.Notices, n); x.Ended.IsZero() && x.ID == a.Values.Get("ask") {
			v.Refresh = 2 * time.Second
		}
	}
	return nil
}

// file hands a pack out.
func (p *Pages) file(ctx context.Context, a *screen.Ask) (*screen.Download, error) {
	if !a.Viewer.May(screen.SeePeople) || !a.Viewer.May(screen.SeeTrail) {
		return nil, problem.New(problem.Forbidden, "a pack has people and the trail in it, and you may not see both")
	}
	name := a.Values.Get("pack")
	all, err := p.List(ctx, mostPacks)
	if err != nil {
		return nil, err
	}
	if !form.IsPack(name) || !slices.ContainsFunc(all, func(r pack.Row) bool { return r.Name == name && a.Viewer.Sees(strings.ToLower(r.Tenant)) }) {
		return nil, problem.New(problem.NotFound, "there is no such pack here").WithHint("the list of packs names them")
	}
	body, err := p.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	return &screen.Download{Name: name + ".zip", Type: "application/zip", Body: body}, nil
}
