//go:build !judge

package budget

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Ask is what a plan is made from.
type Ask struct {
	Cloud     string
	Now       time.Time
	Book      *Book
	Own       map[string]*Own // by customer; nil: nothing of Azure's own is planned
	Rule      Rule
	Customers []string // tenant ids or domains; nil: all
	Without   []string // leaves out
	Emails    []string // whom budgets of Azure's tell, beside the roles
	Roles     []string
	NoAzure   bool // Partner Center's budget alone
}

// Months of the past that the median is of.
const medianOf = 3

// Make makes a plan. It asks nobody and changes nothing. A budget that is there stays as it is,
// unless the rule says replace.
func Make(a *Ask) (Plan, error) {
	p := Plan{Version: 1, Cloud: a.Cloud, Tenant: a.Book.Partner, Made: a.Now.UTC().Truncate(time.Second), Facts: a.Book.AsOf.UTC().Truncate(time.Second),
		Rule: a.Rule}
	if err := a.check(); err != nil {
		return p, err
	}
	wanted, err := pick(a.Book, a.Customers)
	if err != nil {
		return p, err
	}
	without, err := pick(a.Book, a.Without)
	if err != nil {
		return p, err
	}
	for i := range a.Book.Customers {
		x := &a.Book.Customers[i]
		if a.Customers != nil && !wanted[x.Tenant] {
			continue
		}
		if len(a.Without) > 0 && without[x.Tenant] {
			p.Unchanged = append(p.Unchanged, Unchanged{x.Tenant, x.called(), "it was left out"})
			continue
		}
		c, why := a.customer(x)
		if why != "" {
			p.Unchanged = append(p.Unchanged, Unchanged{x.Tenant, x.called(), why})
			continue
		}
		p.Customers = append(p.Customers, c)
	}
	return p, nil
}

func (a *Account) called() string { return print.First(a.Tenant, a.Name, a.Domain) }

func (a *Ask) check() error {
	use := func(hint, format string, args ...any) error {
		return problem.New(problem.Usage, format, args...).WithHint("%s", hint)
	}
	switch {
	case len(a.Rule.Amount) == 0 && a.Rule.Median == 0:
		return use("--amount 500, --amount EUR=500, or --median 1.5x", "how much a budget is to be is not said")
	case a.Rule.Median != 0 && (math.IsNaN(a.Rule.Median) || a.Rule.Median < 0.1 || a.Rule.Median > 100):
		return use("--median 1.5x", "%v times is no rule for a budget", a.Rule.Median)
	case !guid.MatchString(a.Book.Partner):
		return problem.New(problem.NotFound, "whose customers these are is not known: the partner's organization was not read").
			WithHint("partnerguard collect --now --tenant partner")
	}
	for _, list := range []Amounts{a.Rule.Amount, a.Rule.Minimum} {
		for c, v := range list {
			if c != "*" && !currency.MatchString(c) {
				return use("--amount EUR=500", "%.20q is no currency", c)
			}
			if err := checkAmount(v, WasNone); err != nil {
				return problem.Wrap(err, problem.Usage, "%s", err.Error()).WithHint("%s", problem.HintOf(err))
			}
		}
	}
	if err := CheckContacts(a.Emails, a.Roles); err != nil {
		return problem.Wrap(err, problem.Usage, "%s", err.Error()).WithHint("%s", problem.HintOf(err))
	}
	return nil
}

// pick finds customers by tenant id or domain. Kind problem.NotFound for one that is not
// among those with Azure.
func pick(b *Book, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, n := range names {
		at := slices.IndexFunc(b.Customers, func(a Account) bool {
			return strings.EqualFold(a.Tenant, n) || a.Domain != "" && strings.EqualFold(a.Domain, n)
		})
		if at < 0 {
			return nil, problem.New(problem.NotFound, "no customer with Azure is called %.80q", n).
				WithHint("name a tenant id or domain; partnerguard spend status lists them")
		}
		out[b.Customers[at].Tenant] = true
	}
	return out, nil
}

// customer is what shall become of one customer's budgets; why says why nothing does.
func (a *Ask) customer(x *Account) (c Customer, why string) {
	amount, words, ok := a.amount(x)
	if !ok {
		return c, words
	}
	c = Customer{Tenant: x.Tenant, Name: x.called(), Currency: x.Currency, Why: words}
	var left []string
	switch {
	case x.Budgeted == Yes && a.Rule.Replace && same(*x.Budget, amount):
		left = append(left, "its spending budget is that already")
	case x.Budgeted == Yes && !a.Rule.Replace:
		left = append(left, "it has a spending budget of "+image{Amount: *x.Budget}.said(x.Currency)+", which stays without --replace")
	default:
		w := CenterWish{Amount: amount, Was: WasNone, Replace: a.Rule.Replace}
		if x.Budgeted == Yes {
			w.Was = WasAmount(*x.Budget)
		} else if x.Budgeted == Unknown {
			w.Was = WasNotRead
		}
		c.Center = &w
	}
	if !a.NoAzure {
		c.Azure = a.azure(x.Tenant, amount, &left)
	}
	if c.Center == nil && len(c.Azure) == 0 {
		return c, strings.Join(left, "; ")
	}
	if len(left) > 0 {
		c.Why += "; " + strings.Join(left, "; ")
	}
	return c, ""
}

// azure are the budgets of a customer's subscriptions: each gets the customer's whole amount,
// since one that runs away alone is to be told of, too.
func (a *Ask) azure(tenant string, amount float64, left *[]string) (out []*AzureWish) {
	o := a.Own[tenant]
	if o == nil || len(o.Subscriptions) == 0 {
		*left = append(*left, "no subscription of Azure was read there: GDAP or consent is missing, so that it gets Partner Center's budget alone")
		return nil
	}
	for i := range o.Subscriptions {
		s := &o.Subscriptions[i]
		w := &AzureWish{Subscription: s.ID, Name: s.Name, Amount: amount, Emails: a.Emails, Roles: a.Roles, Was: WasNone, Replace: a.Rule.Replace}
		if len(w.Emails) == 0 && len(w.Roles) == 0 {
			w.Roles = []string{"Owner"}
		}
		if o.Read != Yes {
			w.Was = WasNotRead
		}
		ours := slices.IndexFunc(s.Budgets, func(b AzureBudget) bool { return strings.EqualFold(b.Name, AzureName) })
		switch {
		case !guid.MatchString(s.ID) || strings.EqualFold(s.State, "Deleted"):
			continue
		case ours >= 0 && s.Budgets[ours].Amount != nil:
			if !a.Rule.Replace || same(*s.Budgets[ours].Amount, amount) {
				*left = append(*left, "the subscription "+print.First(s.ID, s.Name)+" has our budget already")
				continue
			}
			w.Was = WasAmount(*s.Budgets[ours].Amount)
		case len(s.Budgets) > 0 && !a.Rule.Replace:
			*left = append(*left, "the subscription "+print.First(s.ID, s.Name)+" has a budget of its own, "+s.Budgets[0].Name)
			continue
		}
		out = append(out, w)
	}
	return out
}

// amount is how much a customer's budget is to be, by the rule, and why.
func (a *Ask) amount(x *Account) (v float64, why string, ok bool) {
	fixed, set := a.Rule.Amount.In(x.Currency)
	v, why = fixed, "the amount that was said"
	if a.Rule.Median > 0 {
		switch mid, n := x.median(a.Now); {
		case n > 0:
			v, set = math.Ceil(mid*a.Rule.Median), true
			why = fmt.Sprintf("%g times what the median of %s cost, %s", a.Rule.Median, print.Plural(int64(n), "months"), image{Amount: mid}.said(x.Currency))
		case set:
			why = "no whole month of it is known yet, so that it gets the amount that was said"
		default:
			return 0, "no whole month of it is known yet: say --amount for such customers", false
		}
	}
	if !set {
		return 0, "no amount was said for " + print.First("a currency that is not known", x.Currency), false
	}
	if least, has := a.Rule.Minimum.In(x.Currency); has && v < least {
		v, why = least, why+", and at least the minimum"
	}
	if v <= 0 {
		return 0, "it cost nothing in the months that are known: say --minimum for such customers", false
	}
	return cents(v), why, true
}

// median is what the median of the last whole months cost, and of how many it is.
func (a *Account) median(now time.Time) (float64, int) {
	var list []float64
	for i := len(a.Months) - 1; i >= 0 && len(list) < medianOf; i-- {
		if m := &a.Months[i]; m.Whole() && m.Month < now.UTC().Format("2006-01") && m.Currency == a.Currency {
			list = append(list, m.Total)
		}
	}
	if len(list) == 0 {
		return 0, 0
	}
	slices.Sort(list)
	mid := list[len(list)/2]
	if len(list)%2 == 0 {
		mid = (mid + list[len(list)/2-1]) / 2
	}
	return cents(mid), len(list)
}
