//go:build !judge

package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Spend is the console's page of what customers' Azure costs. Standing must be safe for
// concurrent use; what it gives is not changed. Kind problem.NotFound where nothing was
// collected yet.
type Spend struct {
	Standing func(ctx context.Context) (*budget.Report, error)
	// Odd are findings in a customer's spending, by tenant in lower case; nil: nobody looks.
	Odd func(ctx context.Context) (map[string][]OddSpending, error)
}

// OddSpending is something odd in a customer's spending.
type OddSpending struct {
	Title string // as it is shown, cleaned
	At    time.Time
	Path  string // of the page about it; "" none
}

// NewSpend makes the page.
func NewSpend(standing func(context.Context) (*budget.Report, error), odd func(context.Context) (map[string][]OddSpending, error)) *Spend {
	return &Spend{standing, odd}
}

// SpendRow is a customer as the page shows it.
type SpendRow struct {
	budget.Row
	Odd    []OddSpending `json:"findings"`
	looked bool          // somebody looks for what is odd
}

// usageAge is how old Partner Center's list may be: it is an estimate of about each day.
const usageAge = 3 * 24 * time.Hour

// Screens are the pages.
func (s *Spend) Screens() []screen.Screen {
	return []screen.Screen{{
		Name: "spend", Title: "Spend", Icon: "customers", Group: screen.Reach, Order: 14, See: screen.SeeCustomers, Over: screen.OfHouse,
		About: "What each customer's Azure costs this month beside its budget, and what it will have cost.",
		List:  spendList, Load: s.load,
	}}
}

var spendList = &screen.List[SpendRow]{
	Noun: "customer", Default: "standing", Search: "customer, domain, tenant id", PerPage: 200, Tight: true,
	Key:    func(r *SpendRow) string { return r.Tenant },
	Tenant: func(r *SpendRow) string { return r.Tenant },
	Columns: []screen.Column[SpendRow]{
		{Name: "customer", Head: "Customer", Cell: func(r *SpendRow) screen.Cell { return screen.Named(r.Name, r.Domain, "") },
			Text: func(r *SpendRow) string { return r.Name }},
		{Name: "domain", Head: "Domain", Only: true, Text: func(r *SpendRow) string { return r.Domain }},
		{Name: "tenantId", Head: "Tenant id", Only: true, Text: func(r *SpendRow) string { return r.Tenant }},
		{Name: "standing", Head: "Standing", Order: byStanding, Cell: func(r *SpendRow) screen.Cell {
			return screen.Cell{Said: &page.Said{Tone: toneOf(r.Standing), Word: r.Standing.Word()}}
		}, Text: func(r *SpendRow) string { return string(r.Standing) }},
		{Name: "cost", Head: "This month", About: "so far, by Partner Center's estimate", Right: true, Plain: true, Order: byNumber(func(r *SpendRow) *float64 { return r.Cost }),
			Blank: func(r *SpendRow) bool { return r.Cost == nil }, Cell: func(r *SpendRow) screen.Cell { return sum(r.Cost, r.Currency, "not known") },
			Text: func(r *SpendRow) string { return plainSum(r.Cost) }},
		{Name: "currency", Head: "Currency", Only: true, Text: func(r *SpendRow) string { return r.Currency }},
		{Name: "days", Head: "By day", About: "what each day of this month cost", Fixed: true, Drop: true, Plain: true, Cell: dayBars,
			Text: func(r *SpendRow) string { return strconv.Itoa(len(r.Days)) }},
		{Name: "budget", Head: "Budget", About: "Partner Center's; it tells people, and never caps", Right: true, Plain: true,
			Order: byNumber(func(r *SpendRow) *float64 { return r.Budget }), Blank: func(r *SpendRow) bool { return r.Budget == nil }, Cell: budgetCell,
			Text: func(r *SpendRow) string { return print.First(string(r.Budgeted), plainSum(r.Budget)) }},
		{Name: "share", Head: "Spent", About: "of the budget, in percent", Right: true, Plain: true, Order: byNumber(func(r *SpendRow) *float64 { return r.Share }),
			Blank: func(r *SpendRow) bool { return r.Share == nil }, Cell: shareCell, Text: func(r *SpendRow) string { return plainSum(r.Share) }},
		{Name: "forecast", Head: "Forecast", About: "of the whole month: what it cost, and each day that is left as the last seven", Right: true, Plain: true,
			Order: byNumber(func(r *SpendRow) *float64 { return r.Forecast }), Blank: func(r *SpendRow) bool { return r.Forecast == nil },
			Cell: func(r *SpendRow) screen.Cell { return sum(r.Forecast, r.Currency, "not known") }, Text: func(r *SpendRow) string { return plainSum(r.Forecast) }},
		{Name: "azure", Head: "Azure's own", About: "subscriptions with a budget of Azure's, of those that were read", Drop: true, Plain: true, Right: true,
			Order: func(a, b *SpendRow) int { return a.Azure.With - b.Azure.With }, Blank: func(r *SpendRow) bool { return r.Azure.Read != budget.Yes },
			Cell: azureCell, Text: func(r *SpendRow) string {
				if r.Azure.Read != budget.Yes {
					return "not read"
				}
				return fmt.Sprintf("%d of %d", r.Azure.With, r.Azure.Subscriptions)
			}},
		{Name: "findings", Head: "Odd", About: "what our own eyes found", Fixed: true, Cell: oddCell, Text: oddText},
		{Name: "of", Head: "As of", About: "when Microsoft made the estimate", Right: true, Drop: true, Plain: true,
			Order: func(a, b *SpendRow) int { return a.CostAt.Compare(b.CostAt) }, Blank: func(r *SpendRow) bool { return r.CostAt.IsZero() },
			Cell: func(r *SpendRow) screen.Cell { return screen.Cell{At: r.CostAt, Ago: true, Never: "–"} }},
	},
	Filters: []screen.Filter[SpendRow]{
		{Name: "standing", Head: "Standing", Enum: standingNames(), Of: func(r *SpendRow) []string { return []string{string(r.Standing)} },
			Word: func(v string) string { return budget.Standing(v).Word() }},
		{Name: "azure", Head: "Azure's own", Enum: []string{"without", "not-read"}, Of: func(r *SpendRow) []string {
			switch {
			case r.Azure.Read != budget.Yes:
				return []string{"not-read"}
			case r.Azure.With < r.Azure.Subscriptions:
				return []string{"without"}
			}
			return nil
		}, Word: func(v string) string {
			return map[string]string{"without": "subscription without one", "not-read": "Azure not read"}[v]
		}},
		{Name: "currency", Head: "Currency", Quiet: true, Of: func(r *SpendRow) []string { return []string{r.Currency} }},
	},
	Detail: spendDetail,
}

func standingNames() (out []string) {
	for _, s := range budget.Standings() {
		out = append(out, string(s))
	}
	return out
}

func toneOf(s budget.Standing) print.Tone {
	switch s {
	case budget.WithinBudget:
		return print.Good
	case budget.NotKnown:
		return print.Doubt
	case budget.WillBeOver:
		return print.Cautious
	}
	return print.Bad
}

func byStanding(a, b *SpendRow) int {
	of := func(r *SpendRow) int { return slices.Index(budget.Standings(), r.Standing) }
	share := func(r *SpendRow) float64 {
		if r.Share != nil {
			return *r.Share
		}
		return 0
	}
	return cmp.Or(of(a)-of(b), -cmp.Compare(share(a), share(b)), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
}

func byNumber(of func(*SpendRow) *float64) func(a, b *SpendRow) int {
	v := func(r *SpendRow) float64 {
		if p := of(r); p != nil {
			return *p
		}
		return 0
	}
	return func(a, b *SpendRow) int { return cmp.Compare(v(a), v(b)) }
}

// sum is an amount of money without its cents; the file has them.
func sum(v *float64, currency, unknown string) screen.Cell {
	if v == nil {
		return screen.Cell{Text: unknown, Quiet: true}
	}
	return screen.Cell{Text: strings.TrimSpace(print.Number(int64(math.Round(*v))) + " " + currency)}
}

func plainSum(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

func budgetCell(r *SpendRow) screen.Cell {
	if r.Budgeted == budget.No {
		return screen.Cell{Text: "none"}
	}
	return sum(r.Budget, r.Currency, "not known")
}

func shareCell(r *SpendRow) screen.Cell {
	if r.Share == nil {
		return screen.Cell{Text: "–", Quiet: true}
	}
	percent := int64(math.Round(min(*r.Share, 1e6) * 100))
	return screen.Cell{Of: &screen.Part{N: percent, Of: 100, Unit: "%", Bar: true, Tone: toneOf(r.Standing)}}
}

func azureCell(r *SpendRow) screen.Cell {
	switch {
	case r.Azure.Read != budget.Yes:
		return screen.Cell{Text: "not read", Quiet: true}
	case r.Azure.Subscriptions == 0:
		return screen.Cell{Text: "–", Quiet: true}
	}
	return screen.Cell{Of: &screen.Part{N: int64(r.Azure.With), Of: int64(r.Azure.Subscriptions)}}
}

func oddCell(r *SpendRow) screen.Cell {
	switch {
	case !r.looked:
		return screen.Cell{Text: "not looked", Quiet: true}
	case len(r.Odd) == 0:
		return screen.Cell{Text: "–", Quiet: true}
	}
	return screen.Cell{Said: &page.Said{Tone: print.Bad, Word: print.Plural(int64(len(r.Odd)), "findings")}, Path: r.Odd[0].Path}
}

func oddText(r *SpendRow) string {
	if !r.looked {
		return "not looked"
	}
	var out []string
	for _, o := range r.Odd {
		out = append(out, o.Title)
	}
	return strings.Join(out, "; ")
}

// dayBars are what each day of this month cost, the highest as the measure.
func dayBars(r *SpendRow) screen.Cell {
	costs := daily(r)
	if len(costs) < 2 {
		return screen.Cell{Text: "–", Quiet: true}
	}
	top := slices.Max(costs)
	c := screen.Cell{Spoken: fmt.Sprintf("%s: %s read, at most %s a day", r.Name, print.Plural(int64(len(costs)), "days"), print.Number(int64(math.Round(top))))}
	tone := toneOf(r.Standing)
	for _, v := range costs {
		high := 0.0
		if top > 0 {
			high = max(v, 0) / top
		}
		c.Bars = append(c.Bars, screen.Step{High: high, Tone: tone})
	}
	return c
}

// daily is what each reading's day cost: what the month had cost by then, without what it had
// cost by the reading before, shared over the days between.
func daily(r *SpendRow) (out []float64) {
	for i := 1; i < len(r.Days); i++ {
		days := max(1, int(math.Round(r.Days[i].At.Sub(r.Days[i-1].At).Hours()/24)))
		for range min(days, 31) {
			out = append(out, (r.Days[i].Total-r.Days[i-1].Total)/float64(days))
		}
	}
	return out
}

func spendDetail(r *SpendRow) []screen.Block {
	said := r.Why
	if r.How != "" {
		said += ". The forecast goes by " + r.How
	}
	list := screen.Items{Empty: "All that were read have one."}
	if r.Azure.Read != budget.Yes {
		list.Empty = print.Ended(print.Sentence(print.First("they were not read", r.Azure.Why)))
	}
	for _, s := range r.Azure.List {
		list.List = append(list.List, screen.Item{Lead: s, Icon: screen.Mark(print.Bad)})
	}
	odd := screen.Items{Empty: "Nothing was found."}
	if !r.looked {
		odd.Empty = "Nobody looks for it here."
	}
	for _, o := range r.Odd {
		odd.List = append(odd.List, screen.Item{Lead: o.Title, Icon: screen.Mark(print.Bad)})
	}
	return []screen.Block{screen.Bit{Head: "Standing", Body: []screen.Block{screen.Para{Text: print.Ended(print.Sentence(said))}}},
		screen.Bit{Head: "Subscriptions without a budget of Azure's", Body: []screen.Block{list}}, screen.Bit{Head: "Odd spending", Body: []screen.Block{odd}}}
}

// spendSum is the page in numbers.
type spendSum struct {
	Customers int                     `json:"customers"`
	Standing  map[budget.Standing]int `json:"standing"`
	Cost      map[string]float64      `json:"costByCurrency"` // of those that are known
	Unknown   int                     `json:"costNotKnown"`
}

func (s *Spend) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	none := &screen.Nothing{Head: "No usage was read yet", Text: "It is known once Partner Center's list of usage was read.", LinkText: "Collection",
		Path: "/collection", Command: "partnerguard collect --now --tenant partner"}
	r, err := s.Standing(ctx)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: spendList.Of(nil), Missing: true, Nothing: none}, nil
	}
	if err != nil {
		return nil, err
	}
	var odd map[string][]OddSpending
	if s.Odd != nil {
		if odd, err = s.Odd(ctx); err != nil {
			return nil, err
		}
	}
	var rows []SpendRow
	n := spendSum{Standing: map[budget.Standing]int{}, Cost: map[string]float64{}}
	for i := range r.Rows {
		x := &r.Rows[i]
		if !a.Viewer.Sees(x.Tenant) {
			continue
		}
		rows = append(rows, SpendRow{Row: *x, Odd: odd[x.Tenant], looked: odd != nil})
		n.Customers++
		n.Standing[x.Standing]++
		if x.Cost == nil {
			n.Unknown++
		} else {
			n.Cost[x.Currency] += *x.Cost
		}
	}
	v := &screen.View{Rows: spendList.Of(rows), Summary: n, Nothing: none,
		Facts:    []screen.Fact{{What: "Usage", At: r.Usage.At, Allows: usageAge, Source: "Partner Center usagerecords", Rests: true}},
		Sentence: print.Plural(int64(n.Customers), "customers") + " with Azure. A budget tells people; it never caps."}
	if a.Viewer.Customers == nil { // they count all customers
		for _, note := range r.Notes {
			v.Notices = append(v.Notices, screen.Notice{Tone: print.Doubt, Text: note})
		}
	}
	if bare := n.Standing[budget.NoBudget]; bare > 0 {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: print.Plural(int64(bare), "customers") + " without a budget.",
			Text: "Nobody is told there, whatever is spent. At a terminal: partnerguard budgets plan --median 1.5x --amount 500"})
	}
	if !a.Machine && len(rows) > 0 {
		v.Above = []screen.Block{n.tiles()}
	}
	return v, nil
}

func (s *spendSum) tiles() screen.Tiles {
	var costs []string
	for _, c := range slices.Sorted(maps.Keys(s.Cost)) {
		costs = append(costs, strings.TrimSpace(print.Number(int64(math.Round(s.Cost[c])))+" "+c))
	}
	out := screen.Tiles{{Head: "This month so far", N: print.First("not known", costs...), Delta: print.Plural(int64(s.Unknown), "customers") + " not known"}}
	if len(costs) > 1 {
		out[0].Delta = strings.Join(costs[1:min(len(costs), 4)], ", ") + "; " + out[0].Delta
	}
	for _, x := range []struct {
		of    budget.Standing
		head  string
		delta string
	}{
		{budget.OverBudget, "Over budget", "more was spent than the budget"}, {budget.WillBeOver, "Will be over", "by the forecast"},
		{budget.NoBudget, "No budget", "nobody is told"}, {budget.NotKnown, "Not known", "not read, or too old"},
	} {
		out = append(out, screen.Tile{Head: x.head, N: print.Number(int64(s.Standing[x.of])), Of: "of " + print.Number(int64(s.Customers)), Delta: x.delta,
			Path: "/spend?standing=" + string(x.of)})
	}
	return out
}
