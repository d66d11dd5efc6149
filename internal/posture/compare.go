package posture

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// comparison is two states being compared.
type comparison struct {
	a, b    *State
	edits   []AuditRow
	audited bool // the audit rows of the time between are whole
	out     *Changes
	names   map[string]string // what ids are called
	listA   map[string]string // state by kind
	listB   map[string]string
	accA    map[string]*Account
	accB    map[string]*Account
}

// Compare says what differs from a to b and why. edits are the directory's audit rows
// of the time between; audited says that they are all of them. It looks at nothing
// else, and nothing that is missing in b is removed where b's list was not whole.
func Compare(a, b *State, edits []AuditRow, audited bool) *Changes {
	c := &comparison{a: a, b: b, edits: edits, audited: audited, names: map[string]string{},
		out: &Changes{Tenant: b.Tenant, Turned: []Turned{}, Accounts: []TurnedAccount{}, Causes: []Cause{}, Notes: []string{}}}
	c.listA, c.listB = lists(a), lists(b)
	c.accA, c.accB = accounts(a), accounts(b)
	for _, s := range []*State{a, b} {
		for i := range s.Accounts {
			c.names[strings.ToLower(s.Accounts[i].ID)] = s.Accounts[i].Name
		}
		for i := range s.Settings {
			maps.Copy(c.names, s.Settings[i].Names)
			c.names[strings.ToLower(s.Settings[i].ID)] = s.Settings[i].Name
		}
	}
	c.rules()
	c.settings()
	c.people()
	c.evidence()
	c.statements()
	c.disagreements()
	c.gather()
	c.sort()
	c.turnedAccounts()
	c.turned()
	return c.out
}

func lists(s *State) map[string]string {
	out := map[string]string{}
	for _, l := range s.Lists {
		out[l.Kind] = l.State
	}
	return out
}

func accounts(s *State) map[string]*Account {
	out := map[string]*Account{}
	for i := range s.Accounts {
		out[strings.ToLower(s.Accounts[i].ID)] = &s.Accounts[i]
	}
	return out
}

// add keeps a cause, with who did it where that is looked for.
func (c *comparison) add(x Cause) { c.out.Causes = append(c.out.Causes, x) }

// rules are what changed in what is judged by.
func (c *comparison) rules() {
	if c.a.Book != c.b.Book {
		c.add(Cause{Kind: RuleBook, Subject: c.b.Book, Text: fmt.Sprintf("the rule book of %s judges, and that of %s judged before", c.b.Book, c.a.Book)})
	}
	if c.a.Program != c.b.Program {
		c.add(Cause{Kind: Program, Subject: c.b.Program, Text: fmt.Sprintf("%s judges, and %s judged before", c.b.Program, c.a.Program)})
	}
	was := map[string]*Requirement{}
	for i := range c.a.Requirements {
		was[c.a.Requirements[i].ID] = &c.a.Requirements[i]
	}
	for i := range c.b.Requirements {
		r := &c.b.Requirements[i]
		o := was[r.ID]
		switch {
		case o == nil:
		case o.Binding != r.Binding:
			c.add(Cause{Kind: RuleDate, Subject: r.Title, Object: r.ID, direct: r.ID,
				Text: fmt.Sprintf("a date of the rule was reached: it stood as %s and stands as %s", words(o.Binding), words(r.Binding))})
		}
		if o != nil && r.Stale && !o.Stale {
			c.add(Cause{Kind: EvidenceOld, Subject: r.Title, Object: r.ID, direct: r.ID, better: -1,
				Text: "what would decide it is older than it may be: it is not known any more"})
		}
	}
}

func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// evidence is what is not known any more, or known now.
func (c *comparison) evidence() {
	for _, kind := range slices.Sorted(maps.Keys(c.listB)) {
		was, is := cmp.Or(c.listA[kind], ListAbsent), c.listB[kind]
		switch {
		case was == is && c.days(c.a, kind) > c.days(c.b, kind):
			c.add(Cause{Kind: NotKnownAnyMore, Subject: kind, Object: kind, kinds: []string{kind},
				Text: fmt.Sprintf("the log %s goes over about %s, and went over about %s: what it showed then is not known any more", kind,
					amount(c.days(c.b, kind), "1 day", "%d days"), amount(c.days(c.a, kind), "1 day", "%d days"))})
		case was == is:
		case was == ListWhole:
			c.add(Cause{Kind: NotKnownAnyMore, Subject: kind, Object: kind, kinds: []string{kind}, better: -1,
				Text: fmt.Sprintf("the list %s was read whole and is now %s%s: what is missing in it is not mended", kind, stateWord(is), c.why(kind))})
		case is == ListWhole:
			c.add(Cause{Kind: KnownNow, Subject: kind, Object: kind, kinds: []string{kind},
				Text: fmt.Sprintf("the list %s was %s and is now read whole", kind, stateWord(was))})
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.listA)) {
		if _, still := c.listB[kind]; !still && c.listA[kind] == ListWhole {
			c.add(Cause{Kind: NotKnownAnyMore, Subject: kind, Object: kind, kinds: []string{kind}, better: -1,
				Text: fmt.Sprintf("the list %s was read whole and is not there any more", kind)})
		}
	}
}

func (c *comparison) days(s *State, kind string) int {
	for _, l := range s.Lists {
		if l.Kind == kind {
			return l.Days
		}
	}
	return 0
}

func (c *comparison) why(kind string) string {
	for _, l := range c.b.Lists {
		if l.Kind == kind && l.Why != "" {
			return " (" + l.Why + ")"
		}
	}
	return ""
}

func stateWord(s string) string {
	switch s {
	case ListCut:
		return "not whole"
	case ListRefused:
		return "refused"
	case ListAbsent:
		return "not there"
	}
	return s
}

// statements are attestations that began to count, or ended.
func (c *comparison) statements() {
	key := func(s *Statement) string { return subject(s.Kind, s.Requirement, s.Account, s.Who, s.Until) }
	was := map[string]*Statement{}
	for i := range c.a.Statements {
		was[key(&c.a.Statements[i])] = &c.a.Statements[i]
	}
	const counts = "in_force"
	for i := range c.b.Statements {
		s := &c.b.Statements[i]
		o := was[key(s)]
		delete(was, key(s))
		switch {
		case s.State == counts && (o == nil || o.State != counts):
			c.add(Cause{Kind: StatementMade, Subject: s.Requirement + s.Account, direct: s.Requirement, better: 1,
				Text: fmt.Sprintf("%s vouches until %s", s.Who, s.Until), Minor: s.Kind != "attestation"})
		case s.State != counts && o != nil && o.State == counts:
			c.add(Cause{Kind: StatementEnded, Subject: s.Requirement + s.Account, direct: s.Requirement, better: -1,
				Text: fmt.Sprintf("what %s vouched for ended on %s and counts no more", s.Who, s.Until), Minor: s.Kind != "attestation"})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(was)) {
		if s := was[k]; s.State == counts {
			c.add(Cause{Kind: StatementEnded, Subject: s.Requirement + s.Account, direct: s.Requirement, better: -1,
				Text: fmt.Sprintf("what %s vouched for until %s is there no more", s.Who, s.Until), Minor: s.Kind != "attestation"})
		}
	}
}

// disagreements between settings and log that came or went.
func (c *comparison) disagreements() {
	key := func(d *Disagreement) string { return subject(d.Account, said(d.Text)) }
	in := func(list []Disagreement) map[string]*Disagreement {
		out := map[string]*Disagreement{}
		for i := range list {
			out[key(&list[i])] = &list[i]
		}
		return out
	}
	was, is := in(c.a.Disagreements), in(c.b.Disagreements)
	for _, k := range slices.Sorted(maps.Keys(is)) {
		if was[k] == nil {
			c.add(Cause{Kind: DisagreementSeen, Subject: is[k].Account, Text: is[k].Text, kinds: []string{"signIn"}, better: -1})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(was)) {
		// Where the log or the settings cannot be seen as they could, nothing is settled.
		if is[k] == nil && c.listB[signInKind] == ListWhole && c.listB[policyKind] == ListWhole && c.days(c.a, signInKind) <= c.days(c.b, signInKind) {
			c.add(Cause{Kind: DisagreementGone, Subject: was[k].Account, Text: "no more: " + said(was[k].Text), kinds: []string{"signIn"}, better: 1})
		}
	}
}

// gather makes one cause of many sign-ins that left the log.
func (c *comparison) gather() {
	const many = 3
	left := 0
	for i := range c.out.Causes {
		if c.out.Causes[i].Kind == UnaskedPast {
			left++
		}
	}
	if left <= many {
		return
	}
	c.out.Causes = slices.DeleteFunc(c.out.Causes, func(x Cause) bool { return x.Kind == UnaskedPast })
	c.add(Cause{Kind: UnaskedPast, Subject: fmt.Sprintf("%d accounts", left), kinds: []string{signInKind}, better: 1,
		Text: "their sign-ins without MFA are older than the log that is looked at: nothing of the accounts themselves changed by that"})
}

// rank orders causes, the weighty first.
var rank = map[CauseKind]int{
	PolicyEdited: 1, PolicyRemoved: 1, PolicyAdded: 1, SettingChanged: 2, AccountAdded: 3, AccountEnabled: 3, FactorLost: 3, RoleGiven: 3, RoleTaken: 3,
	AccountRemoved: 3, AccountDisabled: 3, FactorGained: 3, SignedInUnasked: 4, UnaskedPast: 4, RuleDate: 5, StatementEnded: 6, StatementMade: 6,
	EvidenceOld: 7, NotKnownAnyMore: 7, KnownNow: 8, RuleBook: 9, Program: 10, DisagreementSeen: 11, DisagreementGone: 11,
}

func (c *comparison) sort() {
	slices.SortStableFunc(c.out.Causes, func(x, y Cause) int {
		return cmp.Or(compareBool(x.Minor, y.Minor), cmp.Compare(rank[x.Kind], rank[y.Kind]), cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.Object,
			y.Object))
	})
	for i := range c.out.Causes {
		x := &c.out.Causes[i]
		x.ID = fmt.Sprintf("c%d", i+1)
		c.credit(x)
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func compareKeys(a, b *fact) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.subject, b.subject))
}

// after says whether a moment lies in what happened since a.
func after(t *time.Time, than *time.Time) bool {
	return t != nil && (than == nil || t.After(*than))
}
