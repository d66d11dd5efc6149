package checkup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
)

// Limits of a database.
const (
	walLarge = 256 << 20
	waiting  = 15 * time.Minute // a job that could run
)

// database looks at the schema, whether it is whole, its size and its clock.
func (d *Deps) database(ctx context.Context) (list []Finding, err error) {
	if d.DB == nil {
		return nil, nil
	}
	h, err := d.DB.Examine(ctx)
	if err != nil {
		return nil, err
	}
	if len(h.Damage) > 0 && h.Schema == 0 { // not even that could be read
		h.Schema = h.Known
	}
	say := func(level Level, fix, format string, args ...any) {
		list = append(list, Finding{Level: level, Text: fmt.Sprintf(format, args...), Fix: fix})
	}
	switch {
	case h.Schema > h.Known:
		say(Bad, "install the newer program; an older one refuses this database", "the database has schema %d, and this program knows %d", h.Schema, h.Known)
	case h.Schema < h.Known:
		say(Warning, "partnerguard backup --out FILE, then partnerguard db migrate",
			"the database has schema %d, which this program raises to %d when it starts", h.Schema, h.Known)
	}
	if len(h.Damage) > 0 {
		say(Bad, "stop partnerguard, copy the database away, then: partnerguard restore FILE", "the database is damaged: %.200q", h.Damage[0])
	}
	if h.WAL > walLarge {
		say(Warning, "restart partnerguard: something reads the database without an end", "the database's write-ahead log has %s", bytes(uint64(h.WAL)))
	}
	if off := h.Clock.Sub(d.Now()); !h.Clock.IsZero() && off.Abs() > clockOdd {
		list = append(list, Finding{About: "clock", Level: Warning, Fix: "timedatectl set-ntp true, on both machines",
			Text: fmt.Sprintf("the clocks of this machine and of the database are %s apart", off.Abs().Round(time.Second))})
	}
	if !slices.ContainsFunc(list, func(f Finding) bool { return f.Level == Bad }) {
		whole := ""
		if h.Checked {
			whole = ", whole by a quick check"
		}
		say(Well, "", "%s, schema %d, %s%s", h.Version, h.Schema, bytes(uint64(max(h.Size, 0))), whole)
	}
	return list, nil
}

// queue looks at dead jobs, and whether anybody works.
func (d *Deps) queue(ctx context.Context) (list []Finding, err error) {
	if d.DB == nil {
		return nil, nil
	}
	all, err := jobs.Look(ctx, d.DB)
	if err != nil {
		return nil, err
	}
	workers, err := jobs.Working(ctx, d.DB)
	if err != nil {
		return nil, err
	}
	var dead []string
	old, waits := jobs.State{}, 0
	for _, s := range all {
		if waits += s.Waiting; s.Dead > 0 {
			dead = append(dead, fmt.Sprintf("%d %s", s.Dead, s.Kind))
		}
		if s.Oldest > old.Oldest {
			old = s
		}
	}
	slices.Sort(dead)
	if len(dead) > 0 {
		list = append(list, Finding{Level: Bad, Text: "jobs failed for the last time: " + strings.Join(dead, ", "),
			Fix: "the log says why (msg=job outcome=dead); partnerguard db jobs --revive runs them again"})
	}
	works, err := d.works(len(workers))
	switch {
	case err != nil:
		return list, err
	case old.Oldest > waiting:
		f := Finding{Level: Bad, Text: fmt.Sprintf("the oldest job that could run, %s, waits since %s", old.Kind, old.Oldest.Round(time.Minute)),
			Fix: "partnerguard serve, or with PostgreSQL more of: partnerguard worker"}
		if works != "" {
			f.Text += ", while " + works
		} else {
			f.Text += ", and nobody works the queue"
		}
		list = append(list, f)
	case works == "" && waits > 0:
		list = append(list, Finding{Level: Warning, Text: fmt.Sprintf("%d jobs wait, and nobody works the queue", waits), Fix: "partnerguard serve"})
	}
	if len(list) == 0 {
		list = append(list, Finding{Level: Well, Text: fmt.Sprintf("%d jobs wait; %s", waits, cmp.Or(works, "nobody works the queue"))})
	}
	return list, nil
}

// works says who does the jobs.
func (d *Deps) works(workers int) (string, error) {
	if d.DB.Dialect == db.SQLite {
		h, err := db.HeldBy(d.Database)
		if err != nil || h == nil {
			return "", err
		}
		return h.String() + " works", nil
	}
	switch workers {
	case 0:
		return "", nil
	case 1:
		return "one process works", nil
	}
	return fmt.Sprintf("%d processes work", workers), nil
}
