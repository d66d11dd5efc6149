//go:build !judge

package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// deadJob is a job that is tried no more.
type deadJob struct {
	ID      int64     `json:"id"`
	Kind    string    `json:"kind"`
	Tenant  string    `json:"tenant,omitempty"` // where its arguments name one
	Tries   int       `json:"tries"`
	Since   time.Time `json:"since,omitzero"`
	Words   string    `json:"words"`
	GivenUp bool      `json:"givenUp,omitempty"`

	called string // the tenant, to people
}

// everybody is whose a job is that no tenant is named of: who is limited to customers does
// not see it.
const everybody = ""

var jobList = &screen.List[deadJob]{
	Noun: "dead job", Default: "-since", Search: "kind, tenant, what was said",
	Key:    func(j *deadJob) string { return strconv.FormatInt(j.ID, 10) },
	Tenant: func(j *deadJob) string { return j.Tenant },
	Columns: []screen.Column[deadJob]{
		{Name: "kind", Head: "Job", Cell: func(j *deadJob) screen.Cell {
			return screen.Cell{Text: j.Kind, Sub: "no. " + strconv.FormatInt(j.ID, 10)}
		}},
		{Name: "tenant", Head: "Of", Cell: func(j *deadJob) screen.Cell {
			if j.Tenant == everybody {
				return screen.Cell{Text: "the installation", Quiet: true}
			}
			return screen.Cell{Text: j.called, Path: screen.With("/collection", "tenant", j.Tenant)}
		}},
		{Name: "words", Head: "What was said last", Cell: func(j *deadJob) screen.Cell { return screen.Words(print.Sentence(print.Clean(j.Words, 300))) }},
		{Name: "tries", Head: "Tries", Right: true, Plain: true, Order: func(a, b *deadJob) int { return a.Tries - b.Tries },
			Cell: func(j *deadJob) screen.Cell {
				c := screen.Count(int64(j.Tries), "")
				if j.GivenUp {
					c.Tags = []screen.Tag{{Text: "given up"}}
				}
				return c
			}},
		{Name: "since", Head: "Dead", Right: true, Order: func(a, b *deadJob) int { return a.Since.Compare(b.Since) },
			Cell: func(j *deadJob) screen.Cell { return screen.When(j.Since, "not known") }},
	},
	Filters: []screen.Filter[deadJob]{{Name: "kind", Head: "Kind", Of: func(j *deadJob) []string { return []string{j.Kind} }}},
	Detail: func(j *deadJob) []screen.Block {
		return []screen.Block{
			screen.Para{Text: print.Sentence(print.Clean(j.Words, 1500))},
			screen.Do{Path: "/collection/jobs/revive", Right: screen.Operate, Text: "Revive", Fields: url.Values{"job": {strconv.FormatInt(j.ID, 10)}}},
		}
	},
}

// dead are the dead jobs that a viewer may see.
func (d *Desk) dead(ctx context.Context, v *screen.Viewer) ([]deadJob, error) {
	list, err := d.Queue.Dead(ctx, "")
	if err != nil || len(list) == 0 {
		return nil, err
	}
	names, err := d.names(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]deadJob, 0, len(list))
	for i := range list {
		j := deadJob{ID: list[i].ID, Kind: list[i].Kind, Tries: list[i].Tries, Since: list[i].Since, Words: list[i].Words, GivenUp: list[i].GivenUp}
		var of tenantArgs
		if json.Unmarshal(list[i].Args, &of) == nil && of.Tenant != "" {
			j.Tenant, j.called = of.Tenant, of.Tenant
			if n := names[of.Tenant]; n != "" {
				j.called = n
			}
		}
		if v.Customers == nil || j.Tenant != everybody && v.Sees(j.Tenant) {
			out = append(out, j)
		}
	}
	return out, nil
}

// names are what the tenants are called, by id.
func (d *Desk) names(ctx context.Context) (map[string]string, error) {
	all, err := d.Readings.Tenants(ctx)
	out := make(map[string]string, len(all))
	for i := range all {
		out[all[i].ID] = name(&all[i])
	}
	return out, err
}

func (d *Desk) loadJobs(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	dead, err := d.dead(ctx, a.Viewer)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: jobList.Of(dead), Sentence: "What waits, what runs, and what is tried no more. The queue forgets dead jobs after a week.",
		Nothing: &screen.Nothing{Head: "No dead job", Text: "Everything that failed is being tried again, or was done."}}
	if a.Machine || a.Viewer.Customers != nil { // the queue is the whole house's
		return v, nil
	}
	states, err := d.Queue.States(ctx)
	if err != nil {
		return nil, err
	}
	workers, err := d.Queue.Workers(ctx)
	if err != nil {
		return nil, err
	}
	v.Above = []screen.Block{queueTiles(states, len(workers), ""), queueCard(jobs.Sorted(states), workers)}
	return v, nil
}

// queueTiles are the queue in four numbers.
func queueTiles(states map[string]jobs.State, workers int, path string) screen.Tiles {
	var sum jobs.State
	for _, s := range states {
		sum.Running += s.Running
		sum.Waiting += s.Waiting
		sum.Dead += s.Dead
		sum.GivenUp += s.GivenUp
		sum.Oldest = max(sum.Oldest, s.Oldest)
	}
	waits := "nothing is late"
	if sum.Oldest > time.Second {
		waits = "the oldest for " + screen.Span(sum.Oldest)
	}
	return screen.Tiles{
		{Head: "Workers", N: print.Number(int64(workers)), Delta: "processes that work the queue", Path: path},
		{Head: "Running", N: print.Number(int64(sum.Running)), Path: path},
		{Head: "Waiting", N: print.Number(int64(sum.Waiting)), Delta: waits, Path: path},
		{Head: "Dead", N: print.Number(int64(sum.Dead + sum.GivenUp)), Delta: fmt.Sprintf("%d failed, %d given up", sum.Dead, sum.GivenUp), Path: path},
	}
}

// queueCard is the queue by kind, and who works it.
func queueCard(states []jobs.State, workers []jobs.Worker) screen.Block {
	var rows [][]screen.Cell
	for _, s := range states {
		rows = append(rows, []screen.Cell{{Text: s.Kind, Mono: true}, screen.Count(int64(s.Running), ""), screen.Count(int64(s.Waiting), ""),
			screen.Count(int64(s.Dead), ""), screen.Count(int64(s.GivenUp), "")})
	}
	slices.SortFunc(workers, func(a, b jobs.Worker) int { return b.Seen.Compare(a.Seen) })
	var at [][]screen.Cell
	for _, w := range workers {
		at = append(at, []screen.Cell{{Text: print.Clean(w.Host, 60), Sub: "process " + strconv.Itoa(w.PID)}, screen.When(w.Seen, "never")})
	}
	return screen.Side{Shape: "g2", List: []screen.Block{
		screen.Card{Head: "By kind", Bare: true, Body: []screen.Block{screen.Table{Label: "Jobs by kind", Tight: true,
			Empty: "Nothing waits, and nothing runs.",
			Heads: []screen.Head{{Text: "Job"}, {Text: "Running", Right: true}, {Text: "Waiting", Right: true}, {Text: "Dead", Right: true},
				{Text: "Given up", Right: true}}, Rows: rows}}},
		screen.Card{Head: "Workers", Note: "By their own word: one that was killed is here for a minute more.", Bare: true,
			Body: []screen.Block{screen.Table{Label: "Workers",
				Empty: "No process says that it works the queue: partnerguard serve or partnerguard worker does.",
				Heads: []screen.Head{{Text: "Process"}, {Text: "Heard", Right: true}}, Rows: at}}},
	}}
}

// revive has dead jobs tried again: of those that the viewer may see alone.
func (d *Desk) revive(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	dead, err := d.dead(ctx, a.Viewer)
	if err != nil {
		return screen.Done{}, err
	}
	var ids []int64
	var events []audit.Event
	for _, word := range form["job"] {
		id, err := strconv.ParseInt(word, 10, 64)
		i := slices.IndexFunc(dead, func(j deadJob) bool { return j.ID == id })
		if err != nil || i < 0 {
			return screen.Done{}, problem.New(problem.NotFound,
				"there is no such dead job").WithHint("it may have been revived by somebody else; the list has those there are")
		}
		ids = append(ids, id)
		events = append(events, audit.Event{Action: audit.JobRevived, Outcome: audit.Done, Actor: a.Viewer.Actor, Object: word, Tenant: dead[i].Tenant,
			Details: map[string]string{"kind": dead[i].Kind}})
	}
	for _, e := range events { // before: nothing is done that the trail does not hold
		if err := d.Record.Record(ctx, e); err != nil {
			return screen.Done{}, err
		}
	}
	n, err := d.Queue.Revive(ctx, ids...)
	if err != nil {
		return screen.Done{}, err
	}
	said := print.Plural(int64(n), "jobs") + " will be tried again now."
	if n == 0 {
		said = "Nothing was revived: the same is waiting or running already."
	}
	return screen.Done{Path: "/collection/jobs", Said: said, Body: map[string]int{"revived": n}}, nil
}
