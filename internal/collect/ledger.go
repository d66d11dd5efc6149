//go:build !judge

package collect

import (
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
)

// note writes a gap down. One that is open for the same stays as old as it is.
func (s *Store) note(ctx context.Context, g gapRow) error {
	open, err := s.openGaps(ctx, g.Tenant, g.Resource)
	if err != nil {
		return err
	}
	for _, old := range open {
		if old.Of == g.Of && old.From.Equal(g.From) && old.To.Equal(g.To) {
			g.Since = old.Since
			if old.Lost && g.Reason != evidence.GapRetention {
				return nil
			}
		}
	}
	return s.putGap(ctx, &g)
}

// settle closes what a run has read: of a list all gaps, of a log those in
// [from, to). What the run itself found missing stays open.
func (s *Store) settle(ctx context.Context, tenant, resource, run string, from, to time.Time) error {
	open, err := s.openGaps(ctx, tenant, resource)
	if err != nil {
		return err
	}
	for _, g := range open {
		switch {
		case g.run == run && g.Reason != evidence.GapLate:
		case !g.Interval():
			err = s.close(ctx, g)
		case to.IsZero() || !g.From.Before(to) || !from.Before(g.To):
		default:
			err = s.cut(ctx, g, from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cut takes [from, to) out of a gap: what is left of it stays open.
func (s *Store) cut(ctx context.Context, g gapRow, from, to time.Time) error {
	if err := s.close(ctx, g); err != nil {
		return err
	}
	for _, part := range [][2]time.Time{{g.From, from}, {to, g.To}} {
		if left := g; part[0].Before(part[1]) {
			left.From, left.To = part[0], part[1]
			if err := s.putGap(ctx, &left); err != nil {
				return err
			}
		}
	}
	return nil
}

// close says that a gap was read. It was open for a while, whatever the clock says.
func (s *Store) close(ctx context.Context, g gapRow) error {
	g.closed = s.now()
	if least := g.Since.Add(time.Microsecond); g.closed.Before(least) {
		g.closed = least
	}
	return s.putGap(ctx, &g)
}

// undated closes the gaps of a log that a wrong clock made up: noticed in the
// future, or of it.
func (s *Store) undated(ctx context.Context, tenant, resource string, limit time.Time) error {
	open, err := s.openGaps(ctx, tenant, resource)
	if err != nil {
		return err
	}
	for _, g := range open {
		if g.Interval() && (g.Since.After(limit) || g.To.After(limit)) {
			if err := s.close(ctx, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// Gaps are what was not read of a tenant as of a moment, or of all tenants with "":
// what the ledger has, what was never read at all, and the logs that nobody has
// read on since. They are in the order of the plan.
func (s *Store) Gaps(ctx context.Context, tenant string, asOf time.Time) ([]evidence.Gap, error) {
	if asOf.IsZero() {
		asOf = s.now()
	}
	rows, err := s.gapRows(ctx, tenant, asOf)
	if err != nil {
		return nil, err
	}
	all, err := s.named(ctx, tenant)
	if err != nil {
		return nil, err
	}
	cursors, err := s.cursors(ctx, tenant)
	if err != nil {
		return nil, err
	}
	at := map[[2]string]*cursor{}
	for i := range cursors {
		at[[2]string{cursors[i].tenant, cursors[i].resource}] = &cursors[i]
	}
	var out []evidence.Gap
	for i := range rows {
		g := &rows[i]
		r, known := s.resource(g.Resource)
		if !known || !g.asWas(r, asOf) || g.Reason == evidence.GapNever && slices.ContainsFunc(rows, func(x gapRow) bool {
			return x.Tenant == g.Tenant && x.Resource == g.Resource && x.Reason != evidence.GapNever && !x.Interval() && x.Of == ""
		}) {
			continue // it is read no more, or there is more to say of it
		}
		out = append(out, s.dress(g.Gap, r, at))
	}
	for _, t := range all {
		if tenant == "" || t.ID == tenant {
			out = append(out, s.unread(t, at, out, asOf)...)
		}
	}
	s.sort(out, all)
	return out, nil
}

// ever is since when what was never read was not.
var ever = time.UnixMicro(1).UTC()

// asWas brings what was written down of a time that is over to a moment in it; false
// where it was none then.
func (g *gapRow) asWas(r evidence.Resource, asOf time.Time) bool {
	if g.closed.IsZero() {
		return true
	}
	switch g.Reason {
	case evidence.GapNever:
		g.Since = asOf
	case evidence.GapLate:
		if asOf.Sub(g.From) <= late(r) {
			return false
		}
		if g.To.After(asOf) {
			g.To = asOf
		}
	}
	return true
}

// dress adds to a gap what the table says of its resource.
func (s *Store) dress(g evidence.Gap, r evidence.Resource, at map[[2]string]*cursor) evidence.Gap {
	g.Kind = r.Kind
	if g.Request == "" {
		g.Request = r.String()
	}
	for _, name := range r.Fallback {
		if c := at[[2]string{g.Tenant, name}]; c != nil && !c.whole.IsZero() && c.refused == "" {
			g.Nearest = append(g.Nearest, name)
		}
	}
	return g
}

// unread are the resources of a tenant that were never read, and the logs that were
// not read on.
func (s *Store) unread(t Tenant, at map[[2]string]*cursor, known []evidence.Gap, asOf time.Time) (out []evidence.Gap) {
	for _, r := range s.plan {
		if !r.Scope.Covers(t.Partner) {
			continue
		}
		if slices.ContainsFunc(known, func(g evidence.Gap) bool {
			return g.Tenant == t.ID && g.Resource == r.Name && !g.Interval() && g.Of == ""
		}) {
			continue
		}
		c := at[[2]string{t.ID, r.Name}]
		if c != nil && c.refused == evidence.GapLicence && r.Nobody {
			continue // without that licence there is nothing to read
		}
		g := evidence.Gap{Tenant: t.ID, Resource: r.Name, Since: asOf}
		switch {
		case c == nil || c.whole.IsZero() && c.covered.IsZero():
			g.Reason, g.Why, g.Can = evidence.GapNever, "it was never read", "partnerguard collect --now reads it"
			if c != nil && c.words != "" {
				g.Why += ": " + c.words
			}
			if !t.Seen.IsZero() && t.Seen.Before(asOf) {
				g.Since = t.Seen
			}
		case r.Way == evidence.Sliced && c.covered.Before(asOf.Add(-late(r))):
			g.Reason, g.From, g.To, g.Since = evidence.GapLate, c.covered, asOf, c.covered
			g.Why, g.Can = "it was not read on", "partnerguard collect --now reads it, as far back as Microsoft keeps it"
			if c.words != "" {
				g.Why += ": " + c.words
			}
		default:
			continue
		}
		out = append(out, s.dress(g, r, at))
	}
	return out
}

// late is how far a log may be behind without a word: as often as it is read, twice,
// and what is late anyway.
func late(r evidence.Resource) time.Duration { return 2*r.Every + r.Overlap }

// sort puts the partner's own first, and the rest as the plan has it.
func (s *Store) sort(out []evidence.Gap, all []Tenant) {
	place := map[string]int{}
	for i, r := range s.plan {
		place[r.Name] = i
	}
	who := map[string]int{}
	for i, t := range all {
		who[t.ID] = i
	}
	slices.SortStableFunc(out, func(a, b evidence.Gap) int {
		if d := who[a.Tenant] - who[b.Tenant]; d != 0 {
			return d
		}
		if d := place[a.Resource] - place[b.Resource]; d != 0 {
			return d
		}
		if d := a.From.Compare(b.From); d != 0 {
			return d
		}
		return strings.Compare(a.Of, b.Of)
	})
}
