package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/directory"
	"partnerguard/internal/print"
)

// accountView is a row of the accounts.
type accountView struct {
	assess.Account
	Row           string // classes by which the row is filtered and sorted
	Name, LastBad string
	SameName      bool
	Open          string // sign-ins without MFA
	Ways          []string
}

// chip is a filter or an order of the accounts: a radio button and its words.
type chip struct {
	ID, Word, Count string
	On              bool
}

// wayView is a way out in two or three words, with its whole text.
type wayView struct{ Word, Text string }

// accountFilters are the filters, each with its test.
var accountFilters = []struct {
	id, word string
	takes    func(*assess.Account) bool
}{
	{"todo", "To do", func(a *assess.Account) bool { return rank(a.MFA) < 2 }},
	{"admin", "Admins", func(a *assess.Account) bool { return rank(a.MFA) < 2 && a.Admin }},
	{"nofactor", "No factor", func(a *assess.Account) bool { return rank(a.MFA) < 2 && a.StrongestFactor == "none" }},
	{"service", "Services and shared", func(a *assess.Account) bool {
		return rank(a.MFA) < 2 && (a.Class == string(directory.ClassService) || a.Class == string(directory.ClassShared))
	}},
	{"guest", "Guests", func(a *assess.Account) bool { return rank(a.MFA) < 2 && a.Class == string(directory.ClassGuest) }},
	{"fine", "In line or out of scope", func(a *assess.Account) bool { return rank(a.MFA) >= 2 }},
	{"all", "All", func(*assess.Account) bool { return true }},
}

// accountOrders are the orders of the rows; each but the first has a property of
// the style sheet in which a row keeps its place.
var accountOrders = []struct {
	id, word string
	compare  func(a, b *assess.Account) int
}{
	{"worst", "Worst first", nil},
	{"name", "Name", func(a, b *assess.Account) int {
		return cmp.Compare(strings.ToLower(a.UserPrincipalName), strings.ToLower(b.UserPrincipalName))
	}},
	{"open", "Sign-ins without MFA", func(a, b *assess.Account) int { return cmp.Compare(b.SignIns.NotChallenged, a.SignIns.NotChallenged) }},
	{"factor", "Weakest factor", func(a, b *assess.Account) int { return cmp.Compare(weakness(a), weakness(b)) }},
}

// weakness is the place of an account's factor, the weakest first.
func weakness(a *assess.Account) int {
	for i, f := range factors {
		if f.id == a.StrongestFactor {
			if f.id == "unknown" {
				return 1
			}
			return -i
		}
	}
	return 1
}

func (p *pageView) accounts(list []assess.Account) {
	order, open := accountOrder(list)
	if len(list) == 0 {
		return
	}
	bad := 0
	for _, i := range order[:open] {
		if list[i].MFA == assess.NotMet {
			bad++
		}
	}
	p.HasAccounts = true
	p.AccountsBad = print.Number(int64(bad)) + " of " + print.Plural(int64(len(list)), "accounts")
	shown := slices.Concat(order[:min(open, pageAccounts)], order[open:min(len(order), open+pageInLine)])
	if n := len(order) - len(shown); n > 0 {
		p.AccountsMore = print.Number(int64(n))
	}
	counts := map[string]int{}
	for _, i := range shown {
		p.Accounts = append(p.Accounts, accountRow(&list[i], counts))
	}
	for i, f := range accountFilters {
		if n := counts[f.id]; n > 0 || i == 0 {
			p.Filters = append(p.Filters, chip{"f-" + f.id, f.word, print.Number(int64(n)), false})
		}
	}
	p.Filters[0].On = counts["todo"] > 0
	p.Filters[len(p.Filters)-1].On = counts["todo"] == 0
	p.sorts(list, shown)
	p.waysOut()
}

func accountRow(a *assess.Account, counts map[string]int) accountView {
	v := accountView{Account: *a, Name: print.First(print.NoName, a.UserPrincipalName, a.DisplayName, a.ID), Ways: wayWords(a.WaysOut)}
	d := print.Clean(a.DisplayName, print.MaxName)
	v.SameName = d == "" || d == v.Name
	if t := print.Settled(a.LastNotChallenged); t != nil {
		v.LastBad = t.UTC().Format("2 Jan 2006")
	}
	if n := a.SignIns.NotChallenged; n > 0 {
		v.Open = print.Number(n)
	}
	var classes []string
	for _, f := range accountFilters {
		if f.takes(a) {
			counts[f.id]++
			classes = append(classes, "k-"+f.id)
		}
	}
	v.Row = strings.Join(classes, " ")
	return v
}

// sorts writes down each row's place in each order, as rules of the style sheet:
// a page without a script sorts by them.
func (p *pageView) sorts(list []assess.Account, shown []int) {
	var rules strings.Builder
	places := make([]string, len(shown))
	rules.WriteString("@layer feature{")
	for _, o := range accountOrders {
		p.Orders = append(p.Orders, chip{"s-" + o.id, o.word, "", o.compare == nil})
		if o.compare == nil {
			continue
		}
		by := make([]int, len(shown))
		for i := range by {
			by[i] = i
		}
		slices.SortStableFunc(by, func(a, b int) int { return o.compare(&list[shown[a]], &list[shown[b]]) })
		for place, i := range by {
			places[i] += fmt.Sprintf("--%s:%d;", o.id, place)
		}
		fmt.Fprintf(&rules, ".accounts:has(#s-%s:checked) tbody tr{order:var(--%s)}", o.id, o.id)
	}
	for i, s := range places {
		fmt.Fprintf(&rules, ".a%d{%s}", i, s)
		p.Accounts[i].Row += fmt.Sprintf(" a%d", i)
	}
	for _, f := range p.Filters {
		fmt.Fprintf(&rules, ".accounts:has(#%s:checked) tbody tr:not(.%s){display:none}", f.ID, "k-"+strings.TrimPrefix(f.ID, "f-"))
	}
	rules.WriteString("}")
	p.Rules = rules.String()
}

// waysOut lists the ways out that the rows name, each once, with its whole text.
func (p *pageView) waysOut() {
	seen := map[string]bool{}
	for i := range p.Accounts {
		for _, way := range p.Accounts[i].WaysOut {
			w := wayView{directory.WayWord(way.ID), print.Saying(way.Text)}
			if w.Word != "" && !seen[w.Text] && len(p.WaysOut) < 40 {
				seen[w.Text] = true
				p.WaysOut = append(p.WaysOut, w)
			}
		}
	}
	slices.SortStableFunc(p.WaysOut, func(a, b wayView) int { return cmp.Compare(a.Word, b.Word) })
}
