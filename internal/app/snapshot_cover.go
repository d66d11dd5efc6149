//go:build !judge

package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/coverage"
	"partnerguard/internal/evidence"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin"
	"partnerguard/internal/signins"
)

// coverMaker makes what the pages Coverage and Sign-ins show.
type coverMaker struct {
	*Installation
	rows signins.Builder
	once sync.Once // guards rows.Where
}

func (i *Installation) coverMaker() *coverMaker {
	return &coverMaker{Installation: i, rows: signins.Builder{Until: i.Now().UTC()}}
}

func (m *coverMaker) visitor(where whereIs) signin.Visitor {
	m.once.Do(func() {
		m.rows.Where = func(s *signin.Sighting) (string, int64, bool) {
			p, ok := where(s)
			return p.Segment, p.Entry, ok
		}
	})
	return m.rows.Visitor()
}

func (m *coverMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	asOf := j.Report.AsOf
	span := cmp.Or(m.Config.Posture.Span, posture.DefaultSpan)
	from := asOf.Add(-span)
	edits, _, err := m.audits(ctx, tenant, from, asOf)
	if err != nil {
		return nil, err
	}
	edits = slices.DeleteFunc(edits, func(r posture.AuditRow) bool { return !aboutPolicies(&r) })
	slices.SortStableFunc(edits, func(a, b posture.AuditRow) int { return a.At.Compare(b.At) })
	in := coverageOf(j)
	in.Changed = func(id string) (string, time.Time) {
		for n := len(edits) - 1; n >= 0; n-- {
			if slices.ContainsFunc(edits[n].Targets, func(t posture.Target) bool { return strings.EqualFold(t.ID, id) }) {
				return edits[n].By, edits[n].At
			}
		}
		return "", time.Time{}
	}
	cover, find := coverage.BuildFinding(in)
	rows := signins.Input{From: from, To: asOf, Allows: time.Duration(hoursOf(evidence.SignIn)) * time.Hour, Settle: settleBy(j.Engine, find)}
	if rows.Gaps, err = m.unreadLog(ctx, tenant, from, asOf); err != nil {
		return nil, err
	}
	for n := range edits {
		rows.Marks = append(rows.Marks, signins.Mark{At: edits[n].At, Text: editWords(&edits[n]), By: edits[n].By})
	}
	if j.Facts.SignIns == nil {
		rows.Unread = "no sign-in log was read of this tenant"
	}
	return map[string]any{coverage.PartName: cover, signins.PartName: m.rows.Build(rows)}, nil
}

// aboutPolicies reports a row of the audit log by which a Conditional Access policy or
// what it names was changed.
func aboutPolicies(r *posture.AuditRow) bool {
	a := strings.ToLower(r.Activity)
	return strings.Contains(a, "conditional access") || strings.Contains(a, "named location") || strings.Contains(a, "security defaults")
}

func editWords(r *posture.AuditRow) string {
	for _, t := range r.Targets {
		if t.Name != "" {
			return t.Name + " changed"
		}
	}
	return cmp.Or(r.Activity, "a policy changed")
}

// coverageOf is what coverage is made from.
func coverageOf(j *Judged) coverage.Input {
	in := coverage.Input{Engine: j.Engine, Allows: time.Duration(hoursOf(evidence.ConditionalAccessPolicy)) * time.Hour}
	if d, ok := j.Facts.Ages().Of(evidence.ConditionalAccessPolicy); ok {
		in.Settings = d.Bound()
	}
	if err := settingsRead(j.Facts); err != nil {
		in.Engine, in.Unread = nil, "no Conditional Access policy and no security defaults were read"
	} else if j.Engine == nil {
		in.Unread = "the log names accounts that the lists lack: what is set for them is not known"
	}
	for n := range j.Report.Causes {
		c := &j.Report.Causes[n]
		if len(c.Changes) > 0 {
			in.Changes = append(in.Changes, coverage.Proposal{Changes: c.Changes, Title: c.Title, Detail: c.Detail})
		}
	}
	return in
}

// unreadLog are the times of the sign-in log that were never read.
func (i *Installation) unreadLog(ctx context.Context, tenant string, from, to time.Time) (out []signins.Span, err error) {
	t, err := i.Collect.Tenant(ctx, tenant)
	if err != nil {
		return nil, ignore(err, problem.NotFound) // its pages were restored from elsewhere
	}
	gaps, err := i.Collect.Gaps(ctx, t.ID, to)
	if err != nil {
		return nil, err
	}
	for n := range gaps {
		if g := &gaps[n]; g.Kind == evidence.SignIn && g.Interval() && decides(g, from) {
			out = append(out, signins.Span{From: g.From, To: g.To})
		}
	}
	return out, nil
}

// settleBy says of a row what settings ask of it; nil where they are not known.
func settleBy(e *access.Engine, find coverage.Finder) func(*signins.Row) {
	if e == nil {
		return nil
	}
	return func(r *signins.Row) {
		s := signInOf(e, r)
		r.Place = e.Place(&s)
		if find != nil {
			r.Cell = find(&s)
		}
		p := e.Point(&s)
		o := e.Outcome(p)
		r.Settings, r.By = o.String(), e.Protecting(p)
		r.Disagrees = r.Disagree(r.Settings)
		if o == access.MFANotRequired && r.Verdict == signin.NotChallenged.String() {
			for _, u := range e.Decide(s).Others { // whom nothing asks, some policy leaves out
				if strings.HasPrefix(u.Clause, "excludes") && len(r.By) < 5 {
					r.By = append(r.By, u.Policy)
				}
			}
		}
	}
}

// signInOf is a row as the engine decides it: whoever is not in the directory's list is a
// further member.
func signInOf(e *access.Engine, r *signins.Row) access.SignIn {
	s := rehearse.SignInOf(&signin.Sighting{AppID: r.AppID, ClientAppUsed: r.Client, IPAddress: r.IP, Country: r.Country, Platform: r.Platform,
		RiskLevel: r.Risk, Compliant: r.Compliant, HybridJoined: r.Joined, Legacy: r.Legacy, DeviceCode: r.DeviceCode, ROPC: r.ROPC})
	s.User = e.Stranger()
	for _, name := range []string{r.UserID, r.User} {
		if n, ok := e.Find(name); ok && name != "" {
			s.User = n
			break
		}
	}
	return s
}

// ignore is nil for an error of a kind.
func ignore(err error, kind problem.Kind) error {
	if problemIs(err, kind) {
		return nil
	}
	return err
}

// maxSettings bounds the settings that are held compiled.
const maxSettings = 4

// compiled remembers settings that were read of the archive, one reading at a time.
type compiled struct {
	turn chan struct{}
	kept []compiledSettings // oldest first; whoever has the turn changes it
}

type compiledSettings struct {
	tenant, version string
	engine          *access.Engine
	at              time.Time // when the policies were read
}

func newCompiled() *compiled { return &compiled{turn: make(chan struct{}, 1)} }

// of gives the settings of a version, or makes them.
func (c *compiled) of(ctx context.Context, tenant, version string, make func() (*access.Engine, time.Time, error)) (*access.Engine, time.Time, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, time.Time{}, problem.Wrap(ctx.Err(), problem.Unavailable, "other settings are being read").WithHint("ask again in a moment")
	}
	defer func() { <-c.turn }()
	for _, k := range c.kept {
		if k.tenant == tenant && k.version == version {
			return k.engine, k.at, nil
		}
	}
	e, at, err := make()
	if err != nil {
		return nil, at, fmt.Errorf("read the settings of %s: %w", tenant, err)
	}
	c.kept = append(c.kept, compiledSettings{tenant, version, e, at})
	if n := len(c.kept) - maxSettings; n > 0 {
		c.kept = slices.Delete(c.kept, 0, n)
	}
	return e, at, nil
}
