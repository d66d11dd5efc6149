package cause

import (
	"cmp"
	"slices"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/facts"
	"partnerguard/internal/rehearse"
)

// Input is what causes are found from.
type Input struct {
	Facts    *facts.Facts
	Report   *assess.Report              // judged from the facts
	History  *rehearse.History           // nil: no sign-in was read
	Accounts map[string]rehearse.Account // as a rehearsal takes them
	Today    *access.Engine              // the settings that were judged, compiled
	// Settled says that the settings were read to their end; without it no change
	// of theirs is proposed, because what is not here may close it already.
	Settled bool
}

// Find lists the causes: urgent duties, then changes of the settings in the order
// in which they close most, accounts that no setting brings into line, and what
// requirements ask for besides; then those of break-glass accounts alone, and at
// last what is recommended. Equal input gives equal causes.
func Find(in Input) []assess.Cause {
	f := &finder{Input: in, personOf: in.Report.People()}
	f.alerts()
	if in.Settled && f.stale(toldBySettings) == nil {
		f.settings()
	}
	f.accounts()
	f.requirements()
	out := f.out
	slices.SortStableFunc(out, func(a, b assess.Cause) int {
		return cmp.Compare(order(&a), order(&b))
	})
	for i := range out {
		out[i].Rank = i + 1
	}
	needs(out)
	if out == nil {
		out = []assess.Cause{}
	}
	return out
}

// The requirements whose evidence is what a cause is found from.
const (
	toldBySettings = "security-defaults-or-conditional-access"
	toldByAlerts   = "security-alerts-answered"
)

// stale is the age of what a requirement rests on where that is too old to say how
// things are; nil where it is not. What was to be changed then may be changed since.
func (f *finder) stale(requirement string) *assess.Age {
	for i := range f.Report.Requirements {
		if q := &f.Report.Requirements[i]; q.ID == requirement && q.Age.Past {
			return &q.Age
		}
	}
	return nil
}

// order is the place of a cause among the others.
func order(c *assess.Cause) int {
	switch {
	case c.BreakGlass:
		return 7
	case c.Kind == assess.CauseUrgent:
		return 0
	case !c.Mandatory:
		return 8
	case c.Kind == assess.CauseSettings:
		return 1
	case c.Kind == assess.CauseAccount:
		return 2
	}
	return 3
}

// needs says of changes of settings which causes are to be seen to before: those
// of accounts that cannot answer.
func needs(all []assess.Cause) {
	for i := range all {
		c := &all[i]
		if c.Kind != assess.CauseSettings {
			continue
		}
		ids := map[string]bool{}
		for k := range c.People {
			ids[c.People[k].ID] = true
		}
		for k := range all {
			if all[k].Kind == assess.CauseAccount && slices.ContainsFunc(all[k].People, func(p assess.CausePerson) bool { return ids[p.ID] }) {
				c.Needs = append(c.Needs, all[k].Rank)
			}
		}
	}
}

// finder holds what is found.
type finder struct {
	Input
	personOf func(key string) assess.CausePerson
	out      []assess.Cause
}

func (f *finder) add(c assess.Cause, requirements ...string) {
	f.Report.Serve(&c, requirements...)
	if c.People == nil {
		c.People = []assess.CausePerson{}
	}
	if c.Changes == nil {
		c.Changes = []access.Change{}
	}
	if c.Needs == nil {
		c.Needs = []int{}
	}
	if c.Effects == nil {
		c.Effects = []assess.CauseEffects{}
	}
	if c.Evidence == nil {
		c.Evidence = []assess.Evidence{}
	}
	f.out = append(f.out, c)
}

// Change finds changes by the ids of a report, separated as given, among all that
// could be made to the tenant's settings. It reports the first id that none has.
func Change(t *access.Tenant, ids []string) (changes []access.Change, unknown string) {
	all := append(t.Changes(), t.Additions()...)
	for _, id := range ids {
		i := slices.IndexFunc(all, func(c access.Change) bool { return c.ID == id })
		if i < 0 {
			return nil, id
		}
		changes = append(changes, all[i])
	}
	return changes, ""
}
