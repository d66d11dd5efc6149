//go:build !judge

package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/rollup"
	"partnerguard/internal/vouch"
)

// makePosture makes what keeps posture: without the vault it holds no exception to its
// mark, and so none is in force.
func (i *Installation) makePosture() (err error) {
	d := posture.Deps{DB: i.DB, Now: i.Now, Config: &i.Config.Posture, Log: i.Log, Last: i.lastOf, Judge: i.judgeAgain, Audits: i.audits,
		Snapshot: i.Snapshot, Deadlines: i.nextDeadlines}
	if !i.look {
		d.Record = i.Trail
	}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	i.Posture, err = posture.New(d)
	return err
}

// JudgeTenant judges a tenant from the archive as of a moment: what was answered later
// is not looked at, and of logs what was answered more than span before is not. days,
// when set, gets the sign-ins rolled up. Kind problem.NotFound where the archive has
// nothing of then.
func (i *Installation) JudgeTenant(ctx context.Context, tenant string, asOf time.Time, span time.Duration, days *rollup.Fold) (*Judged,
	posture.Position, error) {
	return i.judgeTenant(ctx, tenant, asOf, span, days, nil)
}

// judgeTenant is JudgeTenant, with the rows seen by what makes pages too.
func (i *Installation) judgeTenant(ctx context.Context, tenant string, asOf time.Time, span time.Duration, days *rollup.Fold, pages []maker) (*Judged,
	posture.Position, error) {
	at, err := i.position(ctx, tenant, asOf)
	if err != nil {
		return nil, at, err
	}
	from := asOf.Add(-span)
	var seen *shown
	where := func(s *signin.Sighting) (view.Place, bool) {
		_, name, _ := strings.Cut(s.Source.Path, "/")
		return seen.Where(name, s.Source.Line)
	}
	if days != nil {
		days.Where = func(s *signin.Sighting) rollup.Pointer {
			p, ok := where(s)
			if !ok {
				return rollup.Pointer{}
			}
			return rollup.Pointer{Segment: p.Segment, Entry: int(p.Entry) + 1}
		}
	}
	watch := func() signin.Visitor {
		var v signin.Visitor = noVisitor{}
		if days != nil {
			v = days.Visitor()
		}
		for _, m := range pages {
			if w := m.visitor(where); w != nil {
				v = both{v, w}
			}
		}
		return v
	}
	r := Reading{quick: true, records: recordsOf(pages), From: []string{FromArchive + tenant}, AsOf: asOf, Since: from, Until: asOf.Add(time.Second),
		Archive: func(ctx context.Context, _ Archived) (fs.FS, error) {
			v, err := i.shown(ctx, Archived{Tenant: tenant, AsOf: asOf, Since: from})
			seen = v
			return v, err
		}}
	q := Question{AsOf: asOf, Now: i.Now(), Cloud: partner.Cloud(i.cloudKind())}
	if slices.ContainsFunc(pages, func(m maker) bool { _, is := m.(delegationMaker); return is }) { // the partner, as of now
		if q.delegated, err = i.delegated(ctx); err != nil {
			i.Log.WarnContext(ctx, "what customers' logs say of delegated rights was not read", "error", err)
		}
	}
	j, err := judge(ctx, r, q, watch)
	return j, at, err
}

// cloudKind is the cloud as the rule book knows it: the laboratory plays the public one.
func (i *Installation) cloudKind() string {
	if i.Lab() {
		return string(partner.Public)
	}
	return i.Cloud.Name
}

// position is the newest segment of a tenant up to a moment.
func (i *Installation) position(ctx context.Context, tenant string, asOf time.Time) (posture.Position, error) {
	var at posture.Position
	var seq int64
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, To: asOf.Add(time.Microsecond)}) {
		if err != nil {
			return at, err
		}
		if s.Seq >= seq {
			seq, at = s.Seq, posture.Position{Segment: s.Name, Root: s.Root}
		}
	}
	return at, nil
}

// judgeAgain judges as of a moment of the past with the rules of now.
func (i *Installation) judgeAgain(ctx context.Context, tenant string, asOf time.Time, span time.Duration) (*posture.State, error) {
	j, at, err := i.JudgeTenant(ctx, tenant, asOf, span, nil)
	if err != nil {
		return nil, err
	}
	return j.State(tenant, i.Now(), at), nil
}

// KeepRound judges what was collected of a tenant, now, and keeps the verdicts and the
// sign-ins rolled up; it is what follows a round of collecting.
func (i *Installation) KeepRound(ctx context.Context, tenant string) (*Judged, posture.Kept, error) {
	pages := i.makers(ctx, tenant, true)
	j, at, days, err := i.judgeNow(ctx, tenant, pages)
	if err != nil {
		return nil, posture.Kept{}, err
	}
	kept, err := i.Posture.Keep(ctx, j.State(tenant, i.Now(), at))
	if err != nil {
		return j, kept, err
	}
	_, err = i.Posture.KeepDays(ctx, strings.ToLower(tenant), days)
	i.keepShown(ctx, j, tenant, at, pages)
	return j, kept, err
}

// KeepDays keeps the sign-ins of a tenant rolled up. The rule book is about partners:
// of a customer no verdict is kept.
func (i *Installation) KeepDays(ctx context.Context, tenant string) error {
	pages := i.makers(ctx, tenant, false)
	j, at, days, err := i.judgeNow(ctx, tenant, pages)
	if err == nil {
		_, err = i.Posture.KeepDays(ctx, strings.ToLower(tenant), days)
		i.keepShown(ctx, j, tenant, at, pages)
	}
	return err
}

// judgeNow judges a tenant as of now, with the days that were looked at whole.
func (i *Installation) judgeNow(ctx context.Context, tenant string, pages []maker) (*Judged, posture.Position, []*rollup.Day, error) {
	asOf := i.Now().UTC()
	span := cmp.Or(i.Config.Posture.Span, posture.DefaultSpan)
	var days rollup.Fold
	j, at, err := i.judgeTenant(ctx, tenant, asOf, span, &days, pages)
	if err != nil {
		return nil, at, nil, err
	}
	first := asOf.Add(-span).Format(time.DateOnly)
	return j, at, slices.DeleteFunc(days.Days(), func(d *rollup.Day) bool { return d.Date <= first }), nil
}

// auditsOf is the resource that the directory's audit rows are read by.
const auditsOf = "directoryAudits"

// audits gives the directory's audit rows of a tenant from the archive.
func (i *Installation) audits(ctx context.Context, tenant string, from, to time.Time) (rows []posture.AuditRow, whole bool, err error) {
	v, err := i.Archive.View(ctx, archive.ViewOf{Tenant: tenant, Since: from})
	if errors.Is(err, problem.NotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	lost := false
	for _, name := range v.Names() {
		if !strings.HasPrefix(strings.TrimPrefix(name, "logs/"), auditsOf) || !strings.HasSuffix(name, ".jsonl") {
			continue
		}
		if err := auditLines(v, name, func(raw []byte) {
			r, err := posture.ParseAudit(raw)
			if err != nil {
				lost = true
			} else if !r.At.Before(from) && r.At.Before(to) {
				rows = append(rows, r)
			}
		}); err != nil {
			return nil, false, err
		}
	}
	whole, err = i.readBetween(ctx, tenant, from, to)
	return rows, whole && !lost, err
}

// maxLine bounds a line of the audit log; a longer one is not read.
const maxLine = 4 << 20

// auditLines gives the rows of a file. A line that says that the list goes on elsewhere
// is none.
func auditLines(v *view.View, name string, each func([]byte)) error {
	f, err := v.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	b := bufio.NewReaderSize(f, 1<<16)
	var line []byte
	for {
		part, err := b.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if s := strings.TrimSpace(string(line[:min(len(line), 1)])); s != "" && !isPage(line) {
			each(line)
		}
		line = line[:0]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func isPage(line []byte) bool {
	var p struct {
		Value *json.RawMessage `json:"value"`
	}
	return json.Unmarshal(line, &p) == nil && p.Value != nil
}

// late is how long after an act its row of the audit log may come.
const late = 3 * time.Hour

// readBetween reports that whole readings of the audit log cover the time, but for the
// last hours, whose rows may be on their way.
func (i *Installation) readBetween(ctx context.Context, tenant string, from, to time.Time) (bool, error) {
	type span struct{ from, to time.Time }
	var spans []span
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, Resource: auditsOf}) {
		if err != nil {
			return false, err
		}
		for _, p := range s.Runs {
			if p.Resource == auditsOf && p.End != nil && p.End.Whole && s.Removed.IsZero() {
				spans = append(spans, span{p.End.From, p.End.To})
			}
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	at := from
	for _, s := range spans {
		if !s.from.After(at) && s.to.After(at) {
			at = s.to
		}
	}
	return !at.Before(to.Add(-late)), nil
}

// KeepStatement keeps what somebody vouches for in the database, for every tenant that
// is judged, and gives its id.
func (i *Installation) KeepStatement(ctx context.Context, v vouch.Statement) (string, error) {
	k, err := i.Posture.KeepStatement(ctx, "", v, i.Actor)
	return k.ID, err
}
