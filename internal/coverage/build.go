package coverage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
)

// Input is what a part is made from.
type Input struct {
	Engine   *access.Engine // nil: the settings are not known
	Unread   string         // why they are not
	Settings time.Time      // when the policies were read
	Allows   time.Duration  // how old they may be
	Changes  []Proposal     // of the report's causes
	// Changed says who changed a policy last and when; nil, and a zero time, is not known.
	Changed func(policyID string) (who string, at time.Time)
	Bounds  access.MatrixBounds
}

// Proposal are changes that a cause proposes together.
type Proposal struct {
	Changes []access.Change
	Title   string
	Detail  string
}

// Build makes the part. It is pure; equal input gives an equal part.
func Build(in Input) Part {
	p, _ := BuildFinding(in)
	return p
}

// Finder gives the key of the cell in which a sign-in is; "" where it is in none. It is
// for one goroutine.
type Finder func(*access.SignIn) string

// BuildFinding makes the part, and what finds its cells.
func BuildFinding(in Input) (Part, Finder) {
	nowhere := func(*access.SignIn) string { return "" }
	if in.Engine == nil {
		return Part{Unread: cmp.Or(in.Unread, "the policies were not read")}, nowhere
	}
	p := Part{Settings: in.Settings, Allows: in.Allows, Who: []Who{}, Places: []Side{}, Clients: []Side{}, Cells: [][]Cell{}, Details: []Detail{},
		Fixes:   []Fix{},
		Answers: []Answer{}, Policy: []Policy{}}
	m, err := in.Engine.Matrix(in.Bounds)
	if err != nil {
		p.Unread = "the settings could not be proved: " + err.Error()
		return p, nowhere
	}
	t := in.Engine.Tenant()
	p.More = [2]int{m.MoreWho, m.MorePlaces}
	for i := range m.Who {
		p.Who = append(p.Who, whoOf(&m.Who[i], t))
	}
	p.Places, p.Clients = sidesOf(m.Places), sidesOf(m.Clients)
	p.cells(m)
	p.details(m, t)
	p.fixes(&in, m)
	p.count(m)
	for _, q := range access.Questions() {
		proof, err := in.Engine.Prove(q)
		if err != nil {
			continue
		}
		p.Answers = append(p.Answers, Answer{q.Name, q.Title, proof.Verdict, proof.Reason, proof.Open, proof.Accounts})
	}
	p.policies(&in, m)
	if p.Counts.Unknown > 0 {
		p.Missing = m.Missing()
	}
	for _, l := range t.Locations {
		p.Inputs = append(p.Inputs, Location{l.ID, cmp.Or(l.DisplayName, l.ID)})
	}
	return p, func(s *access.SignIn) string {
		who, col, ok := m.Find(s)
		if !ok {
			return ""
		}
		return p.key(address{who, col})
	}
}

func whoOf(w *access.MatrixWho, t *access.Tenant) Who {
	out := Who{Key: w.Key, Name: w.Name, Personal: w.Personal, Traits: w.Traits, Count: len(w.Accounts), Some: []Person{}, StandsIn: w.StandsIn,
		Active: w.Active, BreakGlass: w.BreakGlass, Foreign: w.Foreign}
	for _, a := range w.Accounts[:min(len(w.Accounts), maxSome)] {
		out.Some = append(out.Some, personOf(&t.Users[a]))
	}
	return out
}

func personOf(s *access.Subject) Person { return Person{s.ID, cmp.Or(s.Name, s.ID)} }

func sidesOf(list []access.MatrixSide) []Side {
	out := make([]Side, len(list))
	for i := range list {
		s := &list[i]
		out[i] = Side{s.Key, s.Name, s.Values[:min(len(s.Values), maxSome)], s.Sample}
	}
	return out
}

func (p *Part) cells(m *access.Matrix) {
	for who := range m.Cells {
		row := make([]Cell, len(m.Cells[who]))
		for col, x := range m.Cells[who] {
			row[col] = Cell{State: x.State, Partly: x.Partly, ReportOnly: x.ReportOnly}
			switch x.State {
			case access.CellOpen:
				p.Who[who].Open++
			case access.CellUnknown:
				p.Who[who].Unknown++
			}
		}
		p.Cells = append(p.Cells, row)
	}
}

// details finds the witness of each open or unknown cell, as far as the bound goes; the
// open ones come first.
func (p *Part) details(m *access.Matrix, t *access.Tenant) {
	subjects := m.Subjects()
	for _, state := range []access.CellState{access.CellOpen, access.CellUnknown} {
		for who := range p.Cells {
			for col := range p.Cells[who] {
				if p.Cells[who][col].State != state || len(p.Details) >= maxDetails {
					continue
				}
				gap, more := m.Gap(who, col)
				if gap == nil {
					continue
				}
				s := gap.Witness.SignIn
				d := Detail{SignIn: s, Outcome: gap.Witness.Outcome.String(), Confirmed: gap.Witness.Confirmed, Why: gap.Why, More: more,
					Account: Person{Name: gap.Witness.Account}}
				d.Account.ID, d.Among, d.App = subjects[s.User].ID, gap.What, t.AppName(s.App)
				p.Details = append(p.Details, d)
				p.Cells[who][col].Detail = len(p.Details)
			}
		}
	}
}

// fixes asks, of each proposal, which witnesses it asks for MFA or refuses.
func (p *Part) fixes(in *Input, m *access.Matrix) {
	t := in.Engine.Tenant()
	subjects := m.Subjects()
	type fixed struct {
		Fix
		closes []int
	}
	open := map[int]bool{} // details of cells that count
	for who := range p.Cells {
		for _, x := range p.Cells[who] {
			if x.Detail > 0 && x.State == access.CellOpen && !p.Who[who].Foreign {
				open[x.Detail-1] = true
			}
		}
	}
	var all []fixed
	for i := range in.Changes {
		c := &in.Changes[i]
		if len(all) >= maxFixes || len(c.Changes) == 0 {
			continue
		}
		then := access.Compile(t.Apply(c.Changes...))
		at := map[string]int{}
		for n, s := range then.Subjects() {
			at[s.ID+"\x00"+s.Name] = n
		}
		f := fixed{Fix: Fix{Title: c.Title, Detail: c.Detail}}
		for _, change := range c.Changes {
			f.Changes = append(f.Changes, change.ID)
			f.Personal = f.Personal || change.Kind == access.ChangeRemove && strings.HasSuffix(change.Field, ".excludeUsers")
		}
		f.Plain = plainTitle(c)
		for d := range p.Details {
			s := p.Details[d].SignIn
			was := &subjects[s.User]
			n, ok := at[was.ID+"\x00"+was.Name]
			if s.User = n; !ok {
				continue // its roles are activated in other sets then
			}
			if o := then.Outcome(then.Point(&s)); o == access.MFARequired || o == access.Blocked {
				f.closes = append(f.closes, d)
			}
		}
		for _, d := range f.closes {
			if open[d] {
				f.Cells++
			}
		}
		if len(f.closes) > 0 {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b fixed) int { return cmp.Compare(b.Cells, a.Cells) })
	for i := range all {
		p.Fixes = append(p.Fixes, all[i].Fix)
		for _, d := range all[i].closes {
			p.Details[d].Fixes = append(p.Details[d].Fixes, i)
		}
	}
}

// plainTitle says what changes do without naming accounts.
func plainTitle(c *Proposal) string {
	var parts []string
	for _, x := range c.Changes {
		text := x.Text
		if strings.HasSuffix(x.Field, ".excludeUsers") {
			text = "Remove accounts from the exclusions of " + x.Policy
		}
		if !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}

func (p *Part) count(m *access.Matrix) {
	c := &p.Counts
	accounts, open := map[int]bool{}, map[int]bool{}
	for who := range p.Cells {
		if p.Who[who].Foreign {
			continue
		}
		for _, a := range m.Who[who].Accounts {
			accounts[a] = true
			if p.Who[who].Open > 0 {
				open[a] = true
			}
		}
		for _, x := range p.Cells[who] {
			c.Cells++
			switch x.State {
			case access.CellOpen:
				c.Open++
				if x.ReportOnly {
					c.ReportOnly++
				}
			case access.CellUnknown:
				c.Unknown++
			case access.CellAsked:
				c.Asked++
			case access.CellResistant:
				c.Resistant++
			case access.CellBlocked:
				c.Blocked++
			}
		}
	}
	c.Accounts, c.AccountsOpen = len(accounts), len(open)
}
