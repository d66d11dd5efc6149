package pack

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/segment"
	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
)

// leavesForm names how leaves are made, in the entry of the trail.
const leavesForm = "partnerguard-leaf-1"

// cutter cuts the entries of a segment into salted records.
type cutter struct {
	salter *leaf.Salter
	tree   segment.Tree // of the entries
}

// entry adds an entry to the tree. each, when it is not nil, is given its records, the
// line first, numbered from 0; a number of -1 takes the place of all but the line.
func (c *cutter) entry(e *segment.Entry, each func(n int, r *leaf.Record)) error {
	var t leaf.Stack
	n := 0
	one := func(scalars []leaf.Scalar) error {
		if each == nil {
			t.Add(leaf.Over(c.salter.Root(e.Index, n, scalars)))
		} else {
			r := c.salter.Salt(e.Index, n, scalars)
			t.Add(leaf.Over(r.Root))
			each(n, r)
		}
		n++
		return nil
	}
	if err := leaf.Cut(e.Line, one); err != nil {
		return problem.Wrap(err, problem.Internal, "the line of entry %d cannot be cut", e.Index)
	}
	if e.Page != nil {
		line := t.Root() // of one leaf: it itself
		if err := leaf.Cut(e.Page.Body, one); err != nil {
			// It is no JSON: one record, that is never shown.
			t, n = leaf.Stack{}, 1
			t.Add(line)
			r := c.salter.Salt(e.Index, 1, leaf.Opaque(e.Page.Body))
			t.Add(leaf.Over(r.Root))
			if each != nil {
				each(-1, &leaf.Record{Root: r.Root})
			}
		}
	}
	c.tree.Add(leaf.Over(t.Root()))
	return nil
}

// salter is that of a segment.
func (s *Store) salter(ctx context.Context, name string) (*leaf.Salter, error) {
	if s.Secret == nil {
		return nil, problem.New(problem.Usage, "a pack with something left out needs the vault, whose key makes the salts")
	}
	key, err := s.Secret(ctx)
	if err != nil {
		return nil, err
	}
	return leaf.NewSalter([]byte(key.Reveal()), name), nil
}

// leaved finds the entry of the trail with the salted root of a segment, and makes it
// where there is none.
func (s *Store) leaved(ctx context.Context, of *archive.Segment) (seq int64, root string, err error) {
	if seq, root, err = s.findLeaved(ctx, of); err != nil || seq > 0 {
		return seq, root, err
	}
	root, entries, err := s.saltedRoot(ctx, of)
	if err != nil {
		return 0, "", err
	}
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		res, err := s.DB.ExecContext(ctx, putLeaved, of.Name, s.Now().UnixMicro())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // somebody else was faster
		}
		if err := s.Trail.Record(ctx, audit.Event{Action: audit.PackLeaved, Outcome: audit.Done, Actor: "system:pack", Object: of.Name, Tenant: of.Tenant,
			Details: map[string]string{"root": root, "entries": strconv.FormatInt(entries, 10), "form": leavesForm}}); err != nil {
			return err
		}
		head, err := s.Trail.Head(ctx)
		if err != nil {
			return err
		}
		_, err = s.DB.ExecContext(ctx, setLeaved, head.Seq, of.Name)
		return err
	})
	if err != nil {
		return 0, "", err
	}
	return s.findLeaved(ctx, of)
}

// findLeaved believes the entry of the trail, and of the row only where it is.
func (s *Store) findLeaved(ctx context.Context, of *archive.Segment) (seq int64, root string, err error) {
	err = s.DB.QueryRowContext(ctx, getLeaved, of.Name).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", problem.Wrap(err, problem.Internal, "it cannot be read which segments have leaves")
	}
	e, err := s.Trail.Entry(ctx, seq)
	if err != nil {
		return 0, "", err
	}
	if e.Action != audit.PackLeaved || e.Object != of.Name || e.Tenant != of.Tenant || e.Details["form"] != leavesForm {
		return 0, "", problem.New(problem.Conflict, "entry %d of the trail is to have the salted root of %s, and is of something else", seq, of.Name).
			WithHint("the row of pack_leaved was changed: partnerguard trail verify says whether more was")
	}
	return seq, e.Details["root"], nil
}

// saltedRoot cuts a whole segment.
func (s *Store) saltedRoot(ctx context.Context, of *archive.Segment) (root string, entries int64, err error) {
	salter, err := s.salter(ctx, of.Name)
	if err != nil {
		return "", 0, err
	}
	r, err := s.Archive.Open(ctx, *of)
	if err != nil {
		return "", 0, err
	}
	c := cutter{salter: salter}
	err = r.All(ctx, func(e *segment.Entry) error {
		if err := e.Check(); err != nil {
			return err
		}
		return c.entry(e, nil)
	})
	return c.tree.Root(), c.tree.Size(), err
}

// Leave makes the salted roots of segments that have none, the oldest first, until
// there are no more or so long has passed. It gives how many it made.
func (s *Store) Leave(ctx context.Context, within time.Duration) (made int, err error) {
	until := s.Now().Add(within)
	for of, err := range s.Archive.Segments(ctx, archive.Query{}) {
		if err != nil {
			return made, err
		}
		if !of.Removed.IsZero() {
			continue
		}
		seq, _, err := s.findLeaved(ctx, &of)
		if err != nil {
			return made, err
		}
		if seq > 0 {
			continue
		}
		if s.Now().After(until) {
			return made, nil
		}
		if _, _, err := s.leaved(ctx, &of); err != nil {
			if ctx.Err() != nil {
				return made, err
			}
			s.Log.WarnContext(ctx, "a segment has no salted root, so nothing of it can be left out later", "segment", of.Name, "because", err)
			continue
		}
		made++
	}
	return made, nil
}

// Jobs registers what packs do by themselves: salted roots, soon after collecting, so
// that what is left out later was fixed then.
func (s *Store) Jobs(q *jobs.Queue) error {
	q.Handle("pack-leave", func(ctx context.Context, _ jobs.Job) error {
		n, err := s.Leave(ctx, 10*time.Minute)
		if n > 0 {
			s.Log.InfoContext(ctx, "segments have salted roots", "segments", n)
		}
		return err
	})
	q.Every(24*time.Hour, "pack-leave", nil)
	if s.Asked != nil {
		q.Handle(MakeJob, func(ctx context.Context, j jobs.Job) error {
			var x MakeArgs
			if err := json.Unmarshal(j.Args, &x); err != nil {
				return err
			}
			return s.Asked(ctx, x.Ask)
		})
	}
	return nil
}

// MakeJob is the kind of the jobs that make packs which were asked for, MakeArgs what they
// are of.
const MakeJob = "pack-make"

// MakeArgs name an ask.
type MakeArgs struct {
	Ask string `json:"ask"`
}
