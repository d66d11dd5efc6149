//go:build !judge

package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/archive"
	"partnerguard/internal/coverage"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/screen"
	"partnerguard/internal/signin"
	"partnerguard/internal/signins"
	"partnerguard/internal/snapshot"
)

func problemIs(err error, kind problem.Kind) bool { return errors.Is(err, kind) }

// cover supplies the pages Coverage and Sign-ins with what they want of an installation.
type cover struct {
	*Installation
	settings *compiled
	proposed *coverage.Feature
	recorded *signins.Feature
}

// cover makes them; they are closed with the installation.
func (i *Installation) cover() (*cover, error) {
	c := &cover{Installation: i, settings: newCompiled()}
	var err error
	c.proposed, err = coverage.New(coverage.Deps{
		Part: func(ctx context.Context, tenant string) (*coverage.Part, snapshot.Mark, error) {
			return snapshot.Get[coverage.Part](ctx, i.Snapshot, tenant, coverage.PartName)
		},
		Engine: c.engine, Rehearse: c.rehearse, Now: i.Now,
	})
	if err != nil {
		return nil, err
	}
	i.close = append(i.close, c.proposed.Close)
	c.recorded, err = signins.New(signins.Deps{
		Part: func(ctx context.Context, tenant string) (*signins.Part, snapshot.Mark, error) {
			return snapshot.Get[signins.Part](ctx, i.Snapshot, tenant, signins.PartName)
		},
		Between: c.between, Decide: c.decide, Raw: c.raw, Prove: c.prove, Now: i.Now,
	})
	return c, err
}

// Screens are the pages.
func (c *cover) Screens() []screen.Screen {
	return append(c.proposed.Screens(), c.recorded.Screens()...)
}

// judgedAt is when a tenant was judged the last time: what pages show is of then, and so
// is what is asked beside them.
func (c *cover) judgedAt(ctx context.Context, tenant string) (snapshot.Mark, error) {
	_, m, err := snapshot.Get[coverage.Part](ctx, c.Snapshot, tenant, coverage.PartName)
	return m, err
}

// reading reads the archive of a tenant as of its judgement, with logs from a moment on.
func (c *cover) reading(tenant string, asOf, since, until time.Time) Reading {
	return Reading{quick: true, From: []string{FromArchive + tenant}, AsOf: asOf, At: asOf, Now: c.Now(), Since: since, Until: until,
		Archive: func(ctx context.Context, a Archived) (fs.FS, error) { return c.Shown(ctx, a) }}
}

// engine gives the settings of a tenant as they were judged the last time.
func (c *cover) engine(ctx context.Context, tenant string) (*access.Engine, time.Time, error) {
	m, err := c.judgedAt(ctx, tenant)
	if err != nil {
		return nil, time.Time{}, err
	}
	return c.settings.of(ctx, tenant, m.Version, func() (*access.Engine, time.Time, error) {
		f, e, err := Settings(ctx, c.reading(tenant, m.At, m.At, m.At.Add(time.Second)))
		if err != nil {
			return nil, m.At, err
		}
		at := m.At
		if d, ok := f.Ages().Of(evidence.ConditionalAccessPolicy); ok && !d.Bound().IsZero() {
			at = d.Bound()
		}
		return e, at, nil
	})
}

// rehearse replays the log of a tenant, as it was judged, through a proposal.
func (c *cover) rehearse(ctx context.Context, tenant string, p coverage.Propose) (*coverage.Rehearsal, error) {
	m, err := c.judgedAt(ctx, tenant)
	if err != nil {
		return nil, err
	}
	proposal := Proposal{Changes: p.Changes, Preset: p.Preset, SecurityDefaults: p.Defaults}
	if p.Policies != "" {
		if err := coverage.CheckPolicies(p.Policies); err != nil {
			return nil, err
		}
		if proposal.given, err = access.ParsePolicies([]byte(p.Policies), 100); err != nil {
			return nil, err
		}
	}
	r, err := Rehearse(ctx, c.reading(tenant, m.At, m.At.AddDate(0, 0, -logDays), m.At.Add(time.Second)), proposal)
	if err != nil {
		return nil, err
	}
	return rehearsalOf(r, m.At), nil
}

func rehearsalOf(r *rehearse.Result, at time.Time) *coverage.Rehearsal {
	out := &coverage.Rehearsal{Proposal: r.Proposal, Rows: r.Rows, Notes: r.Notes, Complete: r.Complete, AsOf: at, People: []coverage.Affected{}}
	if r.First != nil && r.Last != nil {
		out.First, out.Last = *r.First, *r.Last
	}
	for _, t := range r.Totals {
		out.Totals = append(out.Totals, coverage.Total{Effect: string(t.Effect), Rows: t.Rows, Accounts: t.Accounts})
	}
	for _, p := range r.Policies {
		out.Policies = append(out.Policies, coverage.ProposedPolicy(p))
	}
	for _, of := range []struct {
		list []rehearse.Proof
		to   *[]coverage.Answer
	}{{r.Before, &out.Before}, {r.After, &out.After}} {
		for _, p := range of.list {
			*of.to = append(*of.to, coverage.Answer{Question: p.Question, Title: p.Title, Verdict: p.Verdict, Reason: p.Reason})
		}
	}
	at1 := map[string]int{}
	for n := range r.Groups { // the worst of an account is the first
		g := &r.Groups[n]
		k, known := at1[g.ID]
		if !known {
			k = len(out.People)
			at1[g.ID] = k
			x := coverage.Affected{ID: g.ID, Account: g.Account, Class: string(g.Class), Effect: string(g.Effect), Reason: g.Reason}
			for _, w := range g.WaysOut {
				x.WaysOut = append(x.WaysOut, w.Text)
			}
			out.People = append(out.People, x)
		}
		x := &out.People[k]
		x.Rows += g.Rows
		if g.Last != nil && g.Last.After(x.Last) {
			x.Last = *g.Last
		}
		for _, add := range []struct {
			to   *[]string
			list []string
		}{{&x.Apps, []string{g.App}}, {&x.Clients, []string{g.Client}}, {&x.Policies, g.Policies}} {
			for _, s := range add.list {
				if s != "" && !slices.Contains(*add.to, s) {
					*add.to = append(*add.to, s)
				}
			}
		}
	}
	return out
}

// newest are the newest rows of a time, whoever brings them.
type newest struct {
	from, to time.Time
	limit    int

	mu   sync.Mutex // guards rows and more
	rows []signins.Row
	more bool
	seen func(*signins.Row, *signin.Sighting)
}

// See implements [signin.Visitor].
func (n *newest) See(s *signin.Sighting) {
	if s.At.Before(n.from) || !s.At.Before(n.to) || s.Verdict == signin.NotUser {
		return
	}
	r := signins.RowOf(s)
	n.seen(&r, s)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rows = append(n.rows, r); len(n.rows) >= 2*n.limit {
		n.trim()
	}
}

func (n *newest) trim() {
	slices.SortFunc(n.rows, func(a, b signins.Row) int { return b.At.Compare(a.At) })
	if len(n.rows) > n.limit {
		n.rows, n.more = n.rows[:n.limit], true
	}
}

// between reads rows out of the archive. What surrounds the time is read too, so that a
// prompt finds the sign-in that it led to.
func (c *cover) between(ctx context.Context, tenant string, from, to time.Time, limit int) ([]signins.Row, bool, error) {
	m, err := c.judgedAt(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	const around = 15 * time.Minute
	r := c.reading(tenant, m.At, from.Add(-around), to.Add(around))
	var seen *shown
	r.Archive = func(ctx context.Context, a Archived) (fs.FS, error) {
		v, err := c.shown(ctx, a)
		seen = v
		return v, err
	}
	n := &newest{from: from, to: to, limit: limit, seen: func(row *signins.Row, s *signin.Sighting) {
		_, name, _ := strings.Cut(s.Source.Path, "/")
		if p, ok := seen.Where(name, s.Source.Line); ok {
			row.Segment, row.Entry = p.Segment, p.Entry
		}
	}}
	var settle func(*signins.Row)
	if e, _, err := c.engine(ctx, tenant); err == nil {
		settle = settleBy(e, nil)
	}
	r.Visit = visitWith(n)
	if _, err := Read(ctx, r, nil); err != nil {
		return nil, false, err
	}
	n.trim()
	if settle != nil {
		for k := range n.rows {
			settle(&n.rows[k])
		}
	}
	return n.rows, n.more, nil
}

// decide explains a row by the settings.
func (c *cover) decide(ctx context.Context, tenant string, r *signins.Row) (*signins.Decision, error) {
	e, at, err := c.engine(ctx, tenant)
	if err != nil {
		return nil, err
	}
	s := signInOf(e, r)
	a := e.Decide(s)
	d := &signins.Decision{Outcome: a.Outcome.String(), Reason: a.Reason, Place: e.Place(&s), Settings: at}
	says := func(u *access.Use) signins.PolicySays {
		return signins.PolicySays{ID: u.ID, Policy: u.Policy, Clause: u.Clause, Asks: u.Demands}
	}
	for n := range a.Applied {
		d.Asks = append(d.Asks, says(&a.Applied[n]))
	}
	for n := range a.Others {
		d.Lets = append(d.Lets, says(&a.Others[n]))
	}
	// An exclusion is nearer than what is about something else.
	slices.SortStableFunc(d.Lets, func(a, b signins.PolicySays) int {
		return b2i(strings.HasPrefix(b.Clause, "excludes")) - b2i(strings.HasPrefix(a.Clause, "excludes"))
	})
	for n := range a.Report {
		if a.Report[n].Applies == "yes" {
			d.Report = append(d.Report, says(&a.Report[n]))
		}
	}
	where := r.IP
	if where == "" {
		where = r.Country
	}
	d.Path = screen.With("/coverage/decide", "tenant", tenant, "account", a.Account, "app", s.App, "client", s.Client, "where", where,
		"signInRisk", s.SignInRisk)
	return d, nil
}

// errFound ends a reading once what was looked for is found.
var errFound = errors.New("found")

// located is the page of an entry, with its number among the pages of its segment.
type located struct {
	archive.Page
	segment archive.Segment
	number  int
	entry   int64
}

// locate finds the page in which a row lies: by its entry, or, where that is not known, the
// first that holds the row. A segment of another tenant is none.
func (c *cover) locate(ctx context.Context, tenant string, at signins.At) (*located, error) {
	none := problem.New(problem.NotFound, "the archive has no segment %.80q of this tenant", at.Segment)
	s, err := c.Archive.Segment(ctx, at.Segment)
	if errors.Is(err, problem.NotFound) || err == nil && !strings.EqualFold(s.Tenant, tenant) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	id, err := json.Marshal(at.ID)
	if err != nil {
		return nil, err
	}
	out := &located{segment: s, number: -1}
	var entry int64
	err = c.Archive.Read(ctx, s, func(p *archive.Page) error {
		out.number++
		if entry++; at.Entry >= 0 && entry-1 != at.Entry || at.Entry < 0 && !bytes.Contains(p.Body, id) {
			return nil
		}
		out.Page, out.entry = *p, entry-1
		out.Body = bytes.Clone(p.Body)
		return errFound
	}, func(*archive.Run) error { entry++; return nil })
	switch {
	case errors.Is(err, errFound):
		return out, nil
	case err != nil:
		return nil, err
	}
	return nil, problem.New(problem.NotFound, "the segment %s has no such entry", at.Segment)
}

// raw gives a row out of the archive.
func (c *cover) raw(ctx context.Context, tenant string, at signins.At) (*signins.Raw, error) {
	l, err := c.locate(ctx, tenant, at)
	if err != nil {
		return nil, err
	}
	var page struct {
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(l.Body, &page); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the page in the archive is no list of rows")
	}
	out := &signins.Raw{Of: len(page.Value), Resource: l.Resource, Run: l.Run, Read: l.At, Segment: l.segment.Name, Object: l.segment.Object, Entry: l.entry,
		SHA256: sum256(l.Body), Bytes: len(l.Body)}
	for n, raw := range page.Value {
		var row struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &row) == nil && row.ID == at.ID {
			if len(raw) > signins.MaxRaw {
				return nil, problem.New(problem.Limit, "the row has %d bytes; up to %d are shown", len(raw), signins.MaxRaw)
			}
			out.Line, out.Body = n+1, bytes.Clone(raw)
			return out, nil
		}
	}
	return nil, problem.New(problem.NotFound, "the page in the archive has no row %.80q", at.ID)
}

// prove proves the page of a row, and checks the proof as whoever gets it would.
func (c *cover) prove(ctx context.Context, tenant string, at signins.At) (*signins.Proof, error) {
	l, err := c.locate(ctx, tenant, at)
	if err != nil {
		return nil, err
	}
	signed, err := c.Keeper.Sign(ctx)
	if errors.Is(err, problem.NotFound) {
		return nil, problem.Wrap(err, problem.NotFound, "there is no key that signs checkpoints").WithHint("partnerguard trail key makes it")
	}
	if err != nil {
		return nil, err
	}
	p, err := c.Archive.Prove(ctx, c.Trail, l.segment, archive.Which{Page: l.number}, signed)
	if err != nil {
		return nil, err
	}
	by, err := c.Keeper.Verifiers(ctx)
	if err != nil {
		return nil, err
	}
	shows, err := p.Verify(by...)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(shows.Page.Body, []byte(at.ID)) {
		return nil, problem.New(problem.Unmet, "the page that is proved does not hold the row")
	}
	file, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	return &signins.Proof{File: file, Seq: shows.Seq, Checkpoint: shows.Checkpoint.Size, Root: shows.Checkpoint.Root.String(), At: c.Now().UTC(),
		SHA256: shows.SHA256}, nil
}

// sum256 is the SHA-256 of some bytes.
func sum256(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// visitWith has one visitor see all rows of a reading.
func visitWith(v signin.Visitor) func(*facts.Facts) (func() signin.Visitor, error) {
	return func(*facts.Facts) (func() signin.Visitor, error) { return func() signin.Visitor { return v }, nil }
}
