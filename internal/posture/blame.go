package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// worth orders verdicts from bad to good.
var worth = map[string]int{NotMet: 0, Unknown: 1, Attested: 2, Met: 3, NotApplicable: 3}

// maxBecause bounds the causes named for one thing.
const maxBecause = 8

// turnedAccounts tells the accounts that turned, and why. A policy that covered an
// account, or covers it now, and that was changed, is shown to have done it.
func (c *comparison) turnedAccounts() {
	seen := map[string]bool{}
	for _, list := range [][]Account{c.b.Accounts, c.a.Accounts} {
		for i := range list {
			k := strings.ToLower(list[i].ID)
			if seen[k] {
				continue
			}
			seen[k] = true
			if t, turned := c.turnedAccount(c.accA[k], c.accB[k]); turned {
				c.out.Accounts = append(c.out.Accounts, t)
			}
		}
	}
	slices.SortStableFunc(c.out.Accounts, func(x, y TurnedAccount) int {
		return cmp.Or(-compareBool(x.Worse, y.Worse), cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.ID, y.ID))
	})
}

func (c *comparison) turnedAccount(o, n *Account) (t TurnedAccount, turned bool) {
	var from, to Account
	if o != nil {
		from = *o
	}
	if n != nil {
		to = *n
	}
	// Whoever is missing in a list that was not read whole is not known to be gone, or new.
	if o == nil && c.listA[userKind] != ListWhole {
		from.Verdict = Unknown
	}
	if n == nil && c.listB[userKind] != ListWhole {
		to.Verdict, to.Reason = Unknown, "the list of users was not read whole, and the account is not in what was read"
	}
	if from.Verdict == to.Verdict && (o == nil || n == nil || from.Cover == to.Cover) {
		return t, false
	}
	if !from.InScope && !to.InScope {
		return t, false
	}
	t = TurnedAccount{ID: or(to.ID, from.ID), Name: or(or(to.Name, from.Name), or(to.ID, from.ID)), From: from.Verdict, To: to.Verdict, WasBy: from.ByName,
		Reason: to.Reason, Worse: o == nil && to.Verdict == NotMet || o != nil && n != nil && worth[to.Verdict] < worth[from.Verdict], Because: []string{}}
	if o != nil && n != nil && from.Verdict == to.Verdict {
		t.From, t.To, t.Worse = from.Cover, to.Cover, from.Cover == Covered
	}
	by := slices.Concat(from.By, to.By)
	for pass := range 2 { // what surely did it, then what may have
		for i := range c.out.Causes {
			x := &c.out.Causes[i]
			sure := (strings.EqualFold(x.Object, t.ID) || x.Kind == UnaskedPast && x.Object == "" && o != nil && o.LastUnasked != nil) &&
				x.better*sign(t.Worse) >= 0 ||
				slices.Contains(x.kinds, policyKind) && slices.ContainsFunc(by, func(id string) bool { return strings.EqualFold(id, x.Object) })
			may := !x.Minor && (slices.Contains(x.kinds, policyKind) || x.Kind == SettingChanged || x.direct == "" && slices.Contains(x.kinds,
				userKind) && x.Object == userKind ||
				x.Kind == NotKnownAnyMore && to.Verdict == Unknown || x.Kind == RuleBook || x.Kind == Program)
			if x.Minor || (pass == 0) != sure || !sure && !may || len(t.Because) == maxBecause || pass == 1 && t.Sure && x.Kind != NotKnownAnyMore {
				continue
			}
			t.Because = append(t.Because, x.ID)
			t.Sure = t.Sure || sure
		}
	}
	t.Unexplained = len(t.Because) == 0
	return t, true
}

// sign is -1 for what got worse.
func sign(worse bool) int {
	if worse {
		return -1
	}
	return 1
}

// turned tells the requirements that turned, and why.
func (c *comparison) turned() {
	was := map[string]*Requirement{}
	for i := range c.a.Requirements {
		was[c.a.Requirements[i].ID] = &c.a.Requirements[i]
	}
	for i := range c.b.Requirements {
		n := &c.b.Requirements[i]
		o := was[n.ID]
		if o == nil || o.Verdict == n.Verdict {
			continue
		}
		t := Turned{ID: n.ID, Title: n.Title, From: o.Verdict, To: n.Verdict, Reason: n.Reason, Worse: worth[n.Verdict] < worth[o.Verdict],
			Because: []string{}, Newly: missing(n.Subjects, o.Subjects)}
		c.because(&t, o, n)
		c.out.Turned = append(c.out.Turned, t)
	}
	slices.SortStableFunc(c.out.Turned, func(x, y Turned) int { return -compareBool(x.Worse, y.Worse) })
}

// because names the causes of a requirement's turn: first what the accounts that
// turned with it name, and what is about it alone; then what touches its evidence.
func (c *comparison) because(t *Turned, o, n *Requirement) {
	byAccount := map[string]int{}
	for i := range c.out.Accounts {
		a := &c.out.Accounts[i]
		if a.Sure && (a.Worse == t.Worse) && n.Unit == "accounts" {
			for _, id := range a.Because {
				byAccount[id]++
			}
		}
	}
	scores := map[string]int{}
	for i := range c.out.Causes {
		x := &c.out.Causes[i]
		scores[x.ID] = c.weigh(x, t, n, byAccount[x.ID])
	}
	var ids []string
	for i := range c.out.Causes {
		if scores[c.out.Causes[i].ID] > 0 {
			ids = append(ids, c.out.Causes[i].ID)
		}
	}
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
	// What surely did it leaves out what only might have.
	if len(ids) > 0 && scores[ids[0]] >= surely {
		ids = slices.DeleteFunc(ids, func(id string) bool { return scores[id] < surely })
		t.Sure = true
	}
	t.Because = append(t.Because, ids[:min(len(ids), maxBecause)]...)
	t.Unexplained = len(t.Because) == 0
	// One change alone touched what it rests on: nothing else can have done it.
	if len(ids) == 1 && !t.Sure {
		x := c.cause(ids[0])
		t.Sure = x.Kind != RuleBook && x.Kind != Program && x.Kind != KnownNow && o.Affected != n.Affected
	}
	for _, id := range t.Because {
		x := c.cause(id)
		x.Turned = append(x.Turned, t.ID)
	}
}

// surely is the score from which on a cause is shown to have done it.
const surely = 100

// weigh scores a cause for a turn: 0 is none.
func (c *comparison) weigh(x *Cause, t *Turned, n *Requirement, accounts int) int {
	touches := slices.ContainsFunc(x.kinds, func(k string) bool { return slices.Contains(n.Kinds, k) })
	switch {
	case x.Minor:
		return 0
	case x.direct == n.ID:
		return surely + 10
	case x.direct != "":
		return 0
	case x.Kind == NotKnownAnyMore: // the only thing it does
		if touches && n.Verdict == Unknown {
			return surely
		}
		return 0
	case x.better*sign(t.Worse) < 0:
		return 0
	case accounts > 0 && touches:
		return surely + min(accounts, 9)
	case x.Kind == DisagreementSeen, x.Kind == DisagreementGone:
		if touches && t.To == Unknown {
			return 5
		}
		return 0
	case x.Kind == RuleBook:
		return 3
	case x.Kind == Program:
		return 2
	case touches && n.Verdict != Unknown && slices.ContainsFunc(n.Subjects, func(s string) bool { return strings.EqualFold(s, x.Subject) }):
		return surely + 1
	case touches:
		return 20 - rank[x.Kind]
	}
	return 0
}

func (c *comparison) cause(id string) *Cause {
	for i := range c.out.Causes {
		if c.out.Causes[i].ID == id {
			return &c.out.Causes[i]
		}
	}
	return &Cause{}
}

// except marks what stands under an exception.
func (c *Changes) except(list []Exception) {
	for i := range c.Turned {
		t := &c.Turned[i]
		for _, x := range list {
			if x.Requirement == t.ID && len(x.Accounts) == 0 {
				t.Excepted = x.excuse()
			}
		}
	}
	for i := range c.Accounts {
		a := &c.Accounts[i]
		for _, x := range list {
			if x.names(a.ID, a.Name) {
				a.Excepted = x.excuse()
			}
		}
	}
}

// Headline is the answer in one sentence.
func (c *Changes) Headline() string {
	worse, better, lost := 0, 0, 0
	for i := range c.Turned {
		switch t := &c.Turned[i]; {
		case t.To == Unknown:
			lost++
		case t.Worse:
			worse++
		default:
			better++
		}
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{{worse, "1 requirement got worse", "%d requirements got worse"}, {lost, "1 requirement is not known any more", "%d requirements are not known any more"},
		{better, "1 requirement got better", "%d requirements got better"}} {
		if p.n > 0 {
			parts = append(parts, amount(p.n, p.one, p.many))
		}
	}
	turned := amount(len(c.Accounts), "1 account turned", "%d accounts turned")
	switch {
	case len(parts) > 0 && len(c.Accounts) > 0:
		return strings.Join(parts, ", ") + "; " + turned
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case len(c.Accounts) > 0:
		return "no requirement turned; " + turned
	case len(c.Causes) > 0:
		return "no verdict turned, though something changed"
	}
	return "nothing changed"
}

// amount is a sentence about n things; many has its %d.
func amount(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}
