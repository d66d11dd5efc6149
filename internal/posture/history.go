package posture

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Stretch is a time over which one thing was judged the same.
type Stretch struct {
	Tenant string `json:"tenant"`
	Mark          // of the judgement that it began with
	// Until is the judgement that ended it; nil while it lasts.
	Until        *Mark         `json:"until,omitempty"`
	Verdict      string        `json:"verdict"`
	Reason       string        `json:"reason"`
	Requirement  *Requirement  `json:"requirement,omitempty"`
	Account      *Account      `json:"account,omitempty"`
	Disagreement *Disagreement `json:"disagreement,omitempty"`
}

// HistoryOf says whose history is asked for: one requirement, one account (by id or
// user principal name), the disagreements, or with nothing all requirements.
type HistoryOf struct {
	Tenant        string
	Requirement   string
	Account       string
	Disagreements bool
	Since         time.Time // what ended before is left out; zero leaves out nothing
}

// History gives the stretches of what is asked for, by subject and then oldest first.
// Kind NotFound where nothing was kept of it.
func (s *Store) History(ctx context.Context, q HistoryOf) ([]Stretch, error) {
	rounds, err := s.rounds(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	if len(rounds) == 0 {
		return nil, problem.New(problem.NotFound, "nothing of tenant %s was judged yet", q.Tenant).WithHint("partnerguard collect --now reads and judges it")
	}
	kind, sub := ofRequirement, subject(q.Requirement)
	switch {
	case q.Disagreements:
		kind, sub = ofDisagreement, ""
	case q.Account != "":
		kind = ofAccount
		if sub, err = s.accountKey(ctx, q.Tenant, q.Account); err != nil {
			return nil, err
		}
	}
	rows, err := s.factsOf(ctx, q.Tenant, kind, sub)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 && kind == ofRequirement {
		return nil, problem.New(problem.NotFound, "no requirement %.80q was ever judged", q.Requirement).WithHint("partnerguard rules lists them")
	}
	marks := map[int64]*Mark{}
	for i := range rounds {
		marks[rounds[i].Round] = &rounds[i]
	}
	out := []Stretch{}
	for i := range rows {
		x, err := stretch(q.Tenant, &rows[i], marks)
		if err != nil {
			return nil, err
		}
		if x.Until == nil || !x.Until.AsOf.Before(q.Since) {
			out = append(out, x)
		}
	}
	return out, nil
}

func stretch(tenant string, f *fact, marks map[int64]*Mark) (Stretch, error) {
	x := Stretch{Tenant: tenant, Until: marks[f.till]}
	if m := marks[f.since]; m != nil {
		x.Mark = *m
	}
	var err error
	switch f.kind {
	case ofAccount:
		x.Account = &Account{}
		err = json.Unmarshal([]byte(f.body), x.Account)
		x.Verdict, x.Reason = x.Account.Verdict, x.Account.Reason
	case ofDisagreement:
		x.Disagreement = &Disagreement{}
		err = json.Unmarshal([]byte(f.body), x.Disagreement)
		x.Reason = x.Disagreement.Text
	default:
		x.Requirement = &Requirement{}
		err = json.Unmarshal([]byte(f.body), x.Requirement)
		x.Verdict, x.Reason = x.Requirement.Verdict, x.Requirement.Reason
	}
	if err != nil {
		return x, problem.Wrap(err, problem.BadInput, "the kept row of %s %.80s is damaged", f.kind, f.subject)
	}
	return x, nil
}

// accountKey finds an account by id or name, also one that is there no more.
func (s *Store) accountKey(ctx context.Context, tenant, account string) (string, error) {
	rows, err := s.factsOf(ctx, tenant, ofAccount, "")
	if err != nil {
		return "", err
	}
	found := ""
	for i := range rows {
		if rows[i].subject == subject(account) {
			return rows[i].subject, nil
		}
		var a Account
		if json.Unmarshal([]byte(rows[i].body), &a) == nil && strings.EqualFold(a.Name, account) {
			found = rows[i].subject
		}
	}
	if found == "" {
		return "", problem.New(problem.NotFound, "no account %.80q was ever judged", account).WithHint("accounts are found by user principal name or id")
	}
	return found, nil
}

// Words of what is kept, for completion.
func (s *Store) AccountNames(ctx context.Context) ([]string, error) {
	bodies, err := s.bodiesNow(ctx, ofAccount)
	var out []string
	for _, b := range bodies {
		var a Account
		if json.Unmarshal([]byte(b), &a) == nil && a.Name != "" {
			out = append(out, a.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// DayOf is one day of a trend.
type DayOf struct {
	Day      string         `json:"day"`
	Verdicts map[string]int `json:"verdicts,omitempty"` // requirements by verdict at the day's end; absent before the first judgement
	Verdict  string         `json:"verdict,omitempty"`  // of the one requirement or account asked for
	SignIns  int64          `json:"signIns"`
	Unasked  int64          `json:"unasked"` // not challenged
	Log      bool           `json:"log"`     // sign-ins of the day were rolled up
}

// maxTrend bounds the days of a trend.
const maxTrend = 800

// Trend tells, day by day, how the stretches of a history stood at the day's end, and
// how many sign-ins were not asked for MFA.
func (s *Store) Trend(ctx context.Context, tenant string, list []Stretch, since, until time.Time) ([]DayOf, error) {
	since, until = since.UTC().Truncate(24*time.Hour), until.UTC()
	if until.Sub(since) > maxTrend*24*time.Hour {
		since = until.Add(-maxTrend * 24 * time.Hour).Truncate(24 * time.Hour)
	}
	rolled, err := s.rolled(ctx, tenant, since.Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	one := map[string]bool{}
	for i := range list {
		one[list[i].subject()] = true
	}
	out := []DayOf{}
	for day := since; !day.After(until); day = day.Add(24 * time.Hour) {
		end := day.Add(24 * time.Hour)
		d := DayOf{Day: day.Format(time.DateOnly)}
		for i := range list {
			x := &list[i]
			if !x.AsOf.Before(end) || x.Until != nil && x.Until.AsOf.Before(end) {
				continue
			}
			if len(one) == 1 {
				d.Verdict = x.Verdict
			}
			if d.Verdicts == nil {
				d.Verdicts = map[string]int{}
			}
			d.Verdicts[x.Verdict]++
		}
		if r, has := rolled[d.Day]; has {
			d.Log, d.SignIns, d.Unasked = true, r.rows, r.unasked
		}
		out = append(out, d)
	}
	return out, nil
}

func (x *Stretch) subject() string {
	switch {
	case x.Account != nil:
		return x.Account.ID
	case x.Requirement != nil:
		return x.Requirement.ID
	case x.Disagreement != nil:
		return x.Disagreement.Account
	}
	return ""
}
