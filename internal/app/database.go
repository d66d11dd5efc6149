//go:build !judge

package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// DatabaseStatus is how the database of an installation stands.
type DatabaseStatus struct {
	db.Health
	Of     string        `json:"of,omitempty"` // "microsoft", "partner-cloud"
	Holder *db.Holder    `json:"holder"`       // the process that works a file; nil: none
	Works  []jobs.Worker `json:"workers"`      // of PostgreSQL, by their own word
	Jobs   []jobs.State  `json:"jobs"`
	Backed time.Time     `json:"lastBackup,omitzero"`
}

// Database looks at the database as it is, whatever its schema: nothing is opened,
// made or changed. full reads all of it; else a file's pages are looked at quickly.
// Kind problem.NotFound where there is none.
func Database(ctx context.Context, o Options, full bool, tell func(done, of int64)) (*DatabaseStatus, error) {
	i, d, err := peek(ctx, o)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	s := &DatabaseStatus{Works: []jobs.Worker{}, Jobs: []jobs.State{}}
	if s.Health, err = d.Examine(ctx); err != nil {
		return nil, err
	}
	if full && len(s.Damage) == 0 {
		if s.Damage, err = d.Scrutinise(ctx, tell); err != nil {
			return nil, err
		}
		s.Checked = true
	}
	if s.Holder, err = db.HeldBy(i.database()); err != nil {
		return nil, err
	}
	if len(s.Damage) > 0 {
		return s, nil // what else it would say is not to be relied on
	}
	if d.Dialect == db.Postgres {
		if s.Works, err = jobs.Working(ctx, d); err != nil {
			return nil, err
		}
	}
	all, err := jobs.Look(ctx, d)
	if err != nil {
		return nil, err
	}
	s.Jobs = jobs.Sorted(all)
	if s.Schema > 0 {
		if s.Of, err = d.Setting(ctx, whose); err != nil {
			return nil, err
		}
		s.Backed, err = lastBackup{d}.at(ctx)
	}
	return s, err
}

func peek(ctx context.Context, o Options) (*Installation, *db.DB, error) {
	i := newInstallation(o)
	if err := i.choose(ctx, o); err != nil {
		return nil, nil, err
	}
	d, err := db.Peek(ctx, i.database())
	if errors.Is(err, problem.NotFound) {
		err = problem.Wrap(err, problem.NotFound, "%s: nothing is kept here yet", err).
			WithHint("partnerguard connect makes the first connection; --data names another folder")
	}
	return i, d, err
}

// Migrate brings the database's schema up to this program's, and says which it had.
// Kind problem.Conflict while another process works it, or is there to.
func Migrate(ctx context.Context, o Options) (from, to int64, err error) {
	i, d, err := peek(ctx, o)
	if err != nil {
		return 0, 0, err
	}
	h, err := d.Examine(ctx)
	workers := []jobs.Worker{}
	if err == nil {
		workers, err = jobs.Working(ctx, d)
	}
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return 0, 0, err
	case d.Dialect == db.Postgres && len(workers) > 0 && h.Schema != h.Known:
		return h.Schema, h.Schema, problem.New(problem.Conflict, "%d processes work the database %s, the first on %.80q, process %d", len(workers), h.Where,
			workers[0].Host, workers[0].PID).WithHint("stop all, upgrade all, start all; one that was killed is forgotten within a minute")
	}
	release, err := db.Hold(i.database(), "db migrate", i.clock.now())
	if err != nil {
		return h.Schema, h.Schema, err
	}
	defer func() { _ = release() }()
	now, err := db.Open(ctx, i.database())
	if err != nil {
		return h.Schema, h.Schema, err
	}
	defer now.Close()
	to, err = now.Schema(ctx)
	return h.Schema, to, err
}

// Queue is the jobs that ended badly, and the states of all.
type Queue struct {
	States []jobs.State `json:"states"`
	Dead   []jobs.Dead  `json:"dead"`
}

// Jobs looks at the queue of an installation; with revive the dead ones of a kind, or
// of all with "", wait again, and it says how many.
func (i *Installation) Jobs(ctx context.Context, revive bool, kind string) (*Queue, int, error) {
	q, err := jobs.Open(ctx, i.DB, jobs.Options{Log: i.Log})
	if err != nil {
		return nil, 0, err
	}
	dead, err := q.Dead(ctx, kind)
	if err != nil {
		return nil, 0, err
	}
	dead = slices.DeleteFunc(dead, func(d jobs.Dead) bool { return d.GivenUp }) // by their own word: trying again would not help
	n := 0
	if revive {
		ids := make([]int64, len(dead))
		for k, d := range dead {
			ids[k] = d.ID
		}
		if n, err = q.Revive(ctx, ids...); err != nil {
			return nil, n, err
		}
		dead = []jobs.Dead{}
	}
	all, err := q.States(ctx)
	return &Queue{jobs.Sorted(all), dead}, n, err
}

// apart is a feature that keeps something beside the database, which no backup has: a
// sentence of what, and where with how far it goes.
type apart interface {
	Apart(context.Context) (what, where string, err error)
}

// keptApart says what the features keep beside the database.
func (i *Installation) keptApart(ctx context.Context) (list [][2]string) {
	for _, m := range i.modules() {
		f, ok := m.feature.(apart)
		if !ok {
			continue
		}
		what, where, err := f.Apart(ctx)
		if err != nil {
			what, where = "what "+m.name+" keeps", "where that is could not be read"
		}
		if what = strings.TrimSpace(what); what != "" {
			list = append(list, [2]string{what, where})
		}
	}
	return list
}
