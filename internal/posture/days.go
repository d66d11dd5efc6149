package posture

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// TrendDays is how far back a trend of accounts goes.
const TrendDays = 90

// AccountDay is how the accounts stood at the end of one UTC day, as they were kept.
// Counted are those that the contract binds.
type AccountDay struct {
	Day       string `json:"day"`
	Judged    bool   `json:"judged"` // false: nothing is known of that day
	Accounts  int    `json:"accounts"`
	Open      int    `json:"open"`     // some sign-in is asked for nothing; -1: that was not kept then
	Ordinary  int    `json:"ordinary"` // an ordinary sign-in is asked for nothing
	Unproved  int    `json:"unproved"` // what decides it is not known
	Seen      int    `json:"seen"`     // the log of the time before has a sign-in without MFA
	None      int    `json:"none"`     // nothing registered
	Admins    int    `json:"admins"`
	Resistant int    `json:"resistant"` // of them with a phishing-resistant method
}

// PolicyMark is a day on which what is set changed.
type PolicyMark struct {
	Day  string `json:"day"`
	Text string `json:"text"` // "CA004 turned on"
}

// Lookback is what the page Status shows of the time before a moment.
type Lookback struct {
	Days  []AccountDay `json:"days"`
	Marks []PolicyMark `json:"marks"`
	Since *Changes     `json:"since,omitempty"` // the last day; nil where nothing was judged before
}

// Lookback gathers what was kept of a tenant up to a moment. It reads the directory's
// audit rows, and takes seconds where there are many: it is for who makes snapshots.
func (s *Store) Lookback(ctx context.Context, tenant string, at time.Time) (*Lookback, error) {
	tenant = strings.ToLower(tenant)
	rounds, err := s.rounds(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if len(rounds) == 0 {
		return nil, problem.New(problem.NotFound, "nothing of tenant %s was judged yet", tenant)
	}
	days := daysOf(rounds, at, TrendDays)
	first := int64(0)
	for _, d := range days {
		if d.round > 0 {
			first = d.round
			break
		}
	}
	out := &Lookback{}
	accounts, err := s.factsSince(ctx, tenant, ofAccount, first)
	if err != nil {
		return nil, err
	}
	if out.Days, err = accountDays(days, accounts); err != nil {
		return nil, err
	}
	settings, err := s.factsSince(ctx, tenant, ofSetting, first)
	if err != nil {
		return nil, err
	}
	if out.Marks, err = marksOf(rounds, settings, days[0].date); err != nil {
		return nil, err
	}
	out.Since, err = s.Between(ctx, tenant, at.Add(-24*time.Hour), at)
	return out, err
}

// Between compares the tenant's states as of two moments, and says why. Where nothing
// was judged by the first, the first round stands for it. Kind NotFound where nothing was
// judged by the second.
func (s *Store) Between(ctx context.Context, tenant string, since, until time.Time) (*Changes, error) {
	to, err := s.roundAt(ctx, tenant, until)
	if err != nil {
		return nil, err
	}
	if to.Round == 0 {
		return nil, problem.New(problem.NotFound, "nothing of tenant %s was judged by %s", tenant, until.UTC().Format("2006-01-02 15:04 UTC"))
	}
	from, err := s.roundAt(ctx, tenant, since)
	if err != nil {
		return nil, err
	}
	short := from.Round == 0
	if short {
		rounds, err := s.rounds(ctx, tenant)
		if err != nil {
			return nil, err
		}
		from = rounds[0]
	}
	c, err := s.between(ctx, tenant, from, to)
	if err != nil {
		return nil, err
	}
	c.Asked, c.Short = since.UTC(), short
	return c, nil
}

// aDay is a UTC day with the round that stood at its end; 0 where nothing was judged
// on that day, nor the same after it.
type aDay struct {
	date  string
	round int64
}

// daysOf are the last days up to a moment, oldest first. A day between two judgements
// that lie further apart was not judged: nothing is said of it.
func daysOf(rounds []Mark, at time.Time, n int) []aDay {
	last := at.UTC().Truncate(24 * time.Hour)
	out := make([]aDay, n)
	for i := range out {
		begin := last.AddDate(0, 0, i-n+1)
		end := begin.Add(24 * time.Hour)
		if end.After(at) {
			end = at.Add(time.Microsecond)
		}
		out[i].date = begin.Format(time.DateOnly)
		for k := len(rounds) - 1; k >= 0; k-- {
			if m := &rounds[k]; m.AsOf.Before(end) {
				// It stood until it was last judged the same, or until the next.
				stood := later(m.LastOf, m.AsOf)
				if k+1 < len(rounds) && rounds[k+1].AsOf.Sub(stood) < 24*time.Hour {
					stood = later(stood, rounds[k+1].AsOf)
				}
				if !stood.Before(begin) {
					out[i].round = m.Round
				}
				break
			}
		}
	}
	return out
}

// holds reports that a row held in a round.
func (f *fact) holds(round int64) bool {
	return round > 0 && f.since <= round && (f.till == 0 || f.till > round)
}

func accountDays(days []aDay, rows []fact) ([]AccountDay, error) {
	out := make([]AccountDay, len(days))
	for i := range days {
		out[i] = AccountDay{Day: days[i].date, Judged: days[i].round > 0}
	}
	for i := range rows {
		var a Account
		if err := json.Unmarshal([]byte(rows[i].body), &a); err != nil {
			return nil, fmt.Errorf("the kept row of %s %.80s is damaged: %w", rows[i].kind, rows[i].subject, err)
		}
		if !a.InScope || !a.Enabled {
			continue
		}
		for d := range days {
			if rows[i].holds(days[d].round) {
				out[d].add(&a)
			}
		}
	}
	return out, nil
}

func (d *AccountDay) add(a *Account) {
	d.Accounts++
	switch {
	case a.Every == "" || d.Open < 0:
		d.Open = -1
	case a.Every == NotCovered:
		d.Open++
	}
	switch a.Cover {
	case Covered:
	case NotCovered:
		d.Ordinary++
	default:
		d.Unproved++
	}
	if a.LastUnasked != nil {
		d.Seen++
	}
	if a.Factor == "none" {
		d.None++
	}
	if len(a.Roles) > 0 {
		d.Admins++
		if a.Factor == "phishing_resistant" {
			d.Resistant++
		}
	}
}

// The kinds of settings whose changes are marked.
var markedKinds = []string{"conditionalAccessPolicy", "identitySecurityDefaultsEnforcementPolicy"}

// marksOf are the changes of policies from a day on, oldest first.
func marksOf(rounds []Mark, rows []fact, first string) ([]PolicyMark, error) {
	at := map[int64]string{}
	for i := range rounds {
		at[rounds[i].Round] = rounds[i].AsOf.UTC().Format(time.DateOnly)
	}
	oldest := rounds[0].Round
	states := map[string]*Setting{}
	out := []PolicyMark{}
	// A row that ends and none that begins with the same round: it is gone.
	ends := map[string]*Setting{}
	slices.SortStableFunc(rows, func(a, b fact) int { return cmp.Compare(a.since, b.since) })
	for i := range rows {
		f := &rows[i]
		var x Setting
		if err := json.Unmarshal([]byte(f.body), &x); err != nil {
			return nil, fmt.Errorf("the kept row of %s %.80s is damaged: %w", f.kind, f.subject, err)
		}
		if !slices.Contains(markedKinds, x.Kind) {
			continue
		}
		delete(ends, fmt.Sprint(f.subject, f.since))
		was := states[f.subject]
		states[f.subject] = &x
		if f.till > 0 {
			ends[fmt.Sprint(f.subject, f.till)] = &x
		}
		if text := markText(was, &x); text != "" && f.since > oldest && at[f.since] >= first {
			out = append(out, PolicyMark{at[f.since], text})
		}
	}
	for i := range rows {
		f := &rows[i]
		if x := ends[fmt.Sprint(f.subject, f.till)]; x != nil && at[f.till] >= first {
			out = append(out, PolicyMark{at[f.till], shortName(x.Name) + " removed"})
			delete(ends, fmt.Sprint(f.subject, f.till))
		}
	}
	slices.SortStableFunc(out, func(a, b PolicyMark) int {
		return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(a.Text, b.Text))
	})
	return slices.Compact(out), nil
}

// stateWords say what a policy became.
var stateWords = map[string]string{"enabled": "on", "disabled": "off", "enabledForReportingButNotEnforced": "report-only", "true": "on", "false": "off"}

func markText(was, is *Setting) string {
	state := func(x *Setting) string { return strings.Trim(cmp.Or(x.Members["state"], x.Members["isEnabled"]), `"`) }
	name := shortName(is.Name)
	switch {
	case was == nil:
		return name + " added"
	case state(was) != state(is):
		return name + " " + cmp.Or(stateWords[state(is)], state(is))
	case was.Name != is.Name:
		return "" // a name changes no sign-in
	}
	return name + " edited"
}

// shortName is a policy's name as a chart has room for it: its number where it begins
// with one, as most do.
func shortName(name string) string {
	if word, _, ok := strings.Cut(name, " "); ok && strings.ContainsAny(word, "0123456789") && len(word) <= 12 {
		return word
	}
	if r := []rune(name); len(r) > 24 {
		return string(r[:23]) + "…"
	}
	return name
}

// requirementDays are the verdicts of each requirement at the end of each day, by id; ""
// where nothing was judged. A row that cannot be read is left out: whoever reads the
// state of a day says so.
func requirementDays(days []aDay, rows []fact) map[string][]string {
	byID := map[string][]string{}
	for i := range rows {
		f := &rows[i]
		var r Requirement
		if json.Unmarshal([]byte(f.body), &r) != nil {
			continue
		}
		if byID[r.ID] == nil {
			byID[r.ID] = make([]string, len(days))
		}
		for d := range days {
			if f.holds(days[d].round) {
				byID[r.ID][d] = r.Verdict
			}
		}
	}
	return byID
}
