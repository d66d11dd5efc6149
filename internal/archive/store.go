package archive

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"time"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/problem"
)

// Segment is a segment as its row has it.
type Segment struct {
	Name    string    `json:"name"`
	Tenant  string    `json:"tenant"`
	Object  string    `json:"object"` // its key in the place
	Seq     int64     `json:"seq"`    // its entry in the trail
	Made    time.Time `json:"made"`
	Size    int64     `json:"size"`   // bytes of the object
	SHA256  string    `json:"sha256"` // of the object
	Root    string    `json:"root"`   // of the tree of its entries
	Entries int64     `json:"entries"`
	Pages   int       `json:"pages"`
	Bytes   int64     `json:"bytes"` // of the pages' bodies
	First   time.Time `json:"first"` // moments of its pages and ends
	Last    time.Time `json:"last"`
	Runs    []Part    `json:"runs"`
	Removed time.Time `json:"removed,omitzero"` // by policy: the object is gone
	Policy  string    `json:"policy,omitempty"`
}

func segmentOf(d *segment.Done, made time.Time) Segment {
	return Segment{
		Name: d.Name, Tenant: d.Tenant, Object: key(d.Tenant, d.Name, made), Made: made.UTC().Truncate(time.Microsecond),
		Size: d.Size, SHA256: d.SHA256, Root: d.Root, Entries: entries(&d.Manifest), Pages: d.Pages, Bytes: d.Bytes,
		First: micro(d.First.UnixMicro()), Last: micro(d.Last.UnixMicro()), Runs: d.Parts,
	}
}

// entries are the leaves of a segment's tree: pages, ends of runs, and the frames.
func entries(m *segment.Manifest) (n int64) {
	for _, f := range m.Frames {
		n += int64(f.Entries)
	}
	return n + 1
}

func micro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func (a *Archive) insert(ctx context.Context, s *Segment) error {
	parts, err := json.Marshal(s.Runs)
	if err != nil {
		return err
	}
	_, err = a.DB.ExecContext(ctx, putSegment, s.Name, s.Tenant, s.Object, s.Made.UnixMicro(), s.Size, s.SHA256, s.Root, s.Entries, s.Pages, s.Bytes,
		s.First.UnixMicro(), s.Last.UnixMicro(), string(parts))
	return err
}

type row interface{ Scan(...any) error }

func scan(r row) (s Segment, err error) {
	var made, first, last, removed int64
	var parts string
	err = r.Scan(&s.Name, &s.Tenant, &s.Object, &s.Seq, &made, &s.Size, &s.SHA256, &s.Root, &s.Entries, &s.Pages, &s.Bytes,
		&first, &last, &parts, &removed, &s.Policy)
	if err != nil {
		return s, err
	}
	s.Made, s.First, s.Last, s.Removed = micro(made), micro(first), micro(last), micro(removed)
	if err := json.Unmarshal([]byte(parts), &s.Runs); err != nil {
		return s, problem.Wrap(err, problem.BadInput, "the row of the segment %.80q is damaged", s.Name).
			WithHint("partnerguard archive verify says what else is")
	}
	return s, nil
}

// Segment is the segment of a name.
func (a *Archive) Segment(ctx context.Context, name string) (Segment, error) {
	s, err := scan(a.DB.QueryRowContext(ctx, readSegment, name))
	if errors.Is(err, sql.ErrNoRows) {
		return s, problem.Wrap(err, problem.NotFound, "there is no segment %.80q", name).WithHint("partnerguard archive list names them")
	}
	return s, err
}

func missing(err error) bool { return errors.Is(err, problem.NotFound) }

// Query says which segments; what is zero asks for nothing.
type Query struct {
	Tenant   string
	Resource string    // with something of it
	From, To time.Time // whose pages were answered then: From <= time < To
	After    int64     // behind this entry of the trail
}

// Segments are the segments that answer a query, in the order of the trail, those
// that were removed too.
func (a *Archive) Segments(ctx context.Context, q Query) iter.Seq2[Segment, error] {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		to = q.To.UnixMicro()
	}
	return func(yield func(Segment, error) bool) {
		for after := q.After; ; {
			list, err := a.page(ctx, after, q.Tenant, from, to)
			if err != nil {
				yield(Segment{}, err)
				return
			}
			for _, s := range list {
				if after = s.Seq; !s.has(q.Resource) {
					continue
				}
				if !yield(s, nil) {
					return
				}
			}
			if len(list) == 0 {
				return
			}
		}
	}
}

func (s *Segment) has(resource string) bool {
	return resource == "" || slices.ContainsFunc(s.Runs, func(p Part) bool { return p.Resource == resource })
}

func (a *Archive) page(ctx context.Context, after int64, tenant string, from, to int64) ([]Segment, error) {
	rows, err := a.DB.QueryContext(ctx, readSegments, after, tenant, from, to)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []Segment
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	return list, nil
}

func unread(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Internal, "the list of the archive's segments cannot be read")
}

// Tenants are those that the archive has something of, sorted.
func (a *Archive) Tenants(ctx context.Context) (out []string, err error) {
	rows, err := a.DB.QueryContext(ctx, listTenants)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, unread(err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// Total is how much there is.
type Total struct {
	Segments int       `json:"segments"`
	Size     int64     `json:"size"`          // bytes of the objects
	Last     time.Time `json:"last,omitzero"` // the newest page
}

// Total adds up what was not removed.
func (a *Archive) Total(ctx context.Context) (t Total, err error) {
	var last int64
	err = a.DB.QueryRowContext(ctx, sumSegments).Scan(&t.Segments, &t.Size, &last)
	t.Last = micro(last)
	return t, err
}
