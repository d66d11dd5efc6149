//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/signin"
)

// statusMaker makes what the page Status shows beside the kept state.
type statusMaker struct{ *Installation }

func (statusMaker) visitor(whereIs) signin.Visitor { return nil }

func (m statusMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	back, err := m.Posture.Lookback(ctx, tenant, j.Report.AsOf)
	if err != nil && !errors.Is(err, problem.NotFound) {
		return nil, err
	}
	return map[string]any{posture.StatusPartName: statusOf(j, tenant, back)}, nil
}

// statusOf is a report as the page shows it.
func statusOf(j *Judged, tenant string, back *posture.Lookback) posture.StatusPart {
	r := j.Report
	in := posture.StatusInput{StatusPart: posture.StatusPart{Tenant: tenant, At: r.AsOf, Book: r.RuleBook, Kind: r.Partner.Kind, Cloud: r.Partner.Cloud,
		Complete: r.Complete, Incomplete: r.Incomplete, Back: back, Score: scoreOf(j), Facts: statusFacts(j)}}
	for i := range r.Requirements {
		in.Details = append(in.Details, detailOf(&r.Requirements[i]))
	}
	for i := range r.Causes {
		in.Causes = append(in.Causes, fixOf(&r.Causes[i]))
	}
	for i := range r.Dates {
		if d := &r.Dates[i]; d.Standing == "ahead" {
			in.Dates = append(in.Dates, posture.DatedThing{ID: d.ID, Date: d.Date.Time, When: d.When(), What: d.What, Hits: d.Text})
		}
	}
	if j.Facts.SignIns != nil {
		t := r.SignIns.Total
		in.Log = map[string]int64{"challenged": t.Challenged, "satisfiedByClaim": t.SatisfiedByClaim, "satisfiedByProvider": t.SatisfiedByProvider,
			"notChallenged": t.NotChallenged, "unknown": t.Unknown}
		l := r.SignIns.Legacy
		in.Legacy = l.Challenged + l.SatisfiedByClaim + l.SatisfiedByProvider + l.NotChallenged + l.Unknown
	}
	return posture.BuildStatus(in)
}

func detailOf(q *assess.Requirement) posture.Detail {
	d := posture.Detail{ID: q.ID, Action: q.Action, More: q.More, Age: q.Age.Text, Hours: q.Age.AllowedHours, HoursWhy: q.Age.Why,
		Oldest: moment(q.Age.Oldest),
		By:     q.AttestedBy, Until: q.AttestedUntil}
	for i := range q.Evidence {
		e := &q.Evidence[i]
		d.Evidence = append(d.Evidence, posture.Decider{Subject: e.Subject, Detail: e.Detail, At: moment(e.Observed), Record: e.RecordID,
			Source: e.Source.String()})
	}
	return d
}

func moment(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func fixOf(c *assess.Cause) posture.Fix {
	f := posture.Fix{Rank: c.Rank, Kind: string(c.Kind), Title: c.Title, Detail: c.Detail, Requirements: c.Requirements, Mandatory: c.Mandatory,
		Accounts: c.Accounts, SignIns: c.SignIns, Before: c.Needs, Due: moment(c.Due)}
	for i := range c.Changes {
		f.Changes = append(f.Changes, c.Changes[i].ID)
	}
	if c.Kind == assess.CauseSettings {
		f.Breaks = len(c.People)
	}
	if p := c.Proof; p != nil {
		f.Proof = fmt.Sprintf("%d accounts with a gap before, %d after: %s", p.Before, p.After, p.Reason)
	}
	return f
}

func scoreOf(j *Judged) posture.Score {
	s := j.Report.Score
	out := posture.Score{Known: s.Available, Current: s.Current, Max: s.Max, Updated: moment(s.Updated)}
	for i := range s.Requirements {
		q := &s.Requirements[i]
		out.Requirements = append(out.Requirements, posture.ScorePoint{Type: q.Type, Verdict: string(q.Verdict), Score: q.Score, Max: q.MaxScore,
			Detail: q.Detail})
	}
	for i := range j.Report.Accounts {
		if a := &j.Report.Accounts[i]; a.InScope {
			out.Accounts++
			if a.Admin {
				out.Admins++
			}
		}
	}
	return out
}

// statusFacts are the lists by which most is judged, with their ages.
func statusFacts(j *Judged) (out []posture.StatusFact) {
	ages := j.Facts.Ages()
	for _, x := range []struct {
		kind evidence.Kind
		what string
	}{{evidence.ConditionalAccessPolicy, "Policies"}, {evidence.User, "Accounts"}, {evidence.RegistrationDetails, "Registration"},
		{evidence.RoleAssignment, "Roles"}, {evidence.SignIn, "Sign-ins"}, {evidence.SecurityAlert, "Alerts"}, {evidence.Relationship, "Relationships"}} {
		f := posture.StatusFact{What: x.what, Hours: hoursOf(x.kind), Gaps: len(j.Facts.Cuts(x.kind)), Source: evidence.RequestFor(x.kind)}
		if j.Facts.Extent(x.kind) != evidence.Absent {
			d, _ := ages.Of(x.kind)
			f.At = d.Bound()
		}
		out = append(out, f)
	}
	return slices.DeleteFunc(out, func(f posture.StatusFact) bool { return f.At.IsZero() && f.What != "Policies" && f.What != "Sign-ins" })
}

// mostDeadlines bounds those that a page shows.
const mostDeadlines = 4

// nextDeadlines are the next dates that a viewer may know of, soonest first.
func (i *Installation) nextDeadlines(ctx context.Context, v *screen.Viewer) (out []screen.Item) {
	if i.Alerts == nil {
		return nil
	}
	list, missing := i.Alerts.Deadlines(ctx)
	now := i.Now()
	for n := range list {
		d := &list[n]
		if d.Tenant != "" && !v.Sees(d.Tenant) || d.Past(now) {
			continue
		}
		if len(out) == mostDeadlines {
			break
		}
		it := screen.Item{When: untilWord(d.At.Sub(now)), WhenSub: d.At.UTC().Format("2 Jan"), Lead: print.Clean(d.Title, maxDeadline), Path: d.Path,
			Meta: " " + print.Clean(d.Detail, maxDeadline)}
		if d.At.Sub(now) < 24*time.Hour {
			it.Class = "tx not"
		}
		out = append(out, it)
	}
	if len(missing) > 0 {
		out = append(out, screen.Item{Said: &page.Said{Tone: print.Doubt, Word: "not read"}, Text: "Not read just now: " + strings.Join(missing, ", ") + "."})
	}
	return out
}

// maxDeadline bounds the words of a deadline on a page.
const maxDeadline = 64

// untilWord is how long until a moment, in one unit: there is little room.
func untilWord(d time.Duration) string {
	switch {
	case d <= -48*time.Hour:
		return fmt.Sprintf("%d d late", int(-d.Hours()/24))
	case d <= 0:
		return fmt.Sprintf("%d h late", int(-d.Hours()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}
