//go:build !judge

package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// Drifted says how an object stands that a run left behind.
type Drifted string

// How objects stand.
const (
	Same    Drifted = "equal"
	Changed Drifted = "changed"
	Gone    Drifted = "gone"
	Back    Drifted = "back" // it was taken away, and is there again
	Unread  Drifted = "unknown"
	NotBack Drifted = "not-taken-back" // its run was taken back, and it was not
)

// Drift is how one object of a run stands now.
type Drift struct {
	Run    string      `json:"run"`
	Tenant string      `json:"tenant"`
	Kind   remedy.Kind `json:"kind"`
	ID     string      `json:"id"`
	Name   string      `json:"name,omitempty"`
	State  Drifted     `json:"state"`
	Words  []string    `json:"words,omitempty"` // what is different, or why it could not be read
	By     string      `json:"by,omitempty"`    // who changed it, where the directory's log tells
}

// Away says that it is no longer as it was left.
func (d *Drift) Away() bool { return d.State == Changed || d.State == Gone || d.State == Back }

// left is what a run left of an object.
type leftOver struct {
	run   *Run
	step  *Progress
	since time.Time
	back  *Leftover // of a run that was taken back
}

// Drift reads every object that plans left behind, and says what is no longer so and by
// whom; and which objects were not taken back of runs that were, and are still not as before.
// What several plans changed is held to the last of them. Run "" is all of them. What
// drifted newly is an event of the trail.
func (c *Runner) Drift(ctx context.Context, run string) ([]Drift, error) {
	if c.d.Marks == nil {
		return nil, errNoVault()
	}
	list, err := c.runs(ctx)
	if err != nil {
		return nil, err
	}
	last := map[string]leftOver{}
	for i := range list {
		r := &list[i]
		if r.State != Ended && r.State != Holding && r.State != Undone {
			continue
		}
		if *r, err = c.trusted(ctx, r.ID); err != nil {
			return nil, err
		}
		steps, err := c.trustedSteps(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, o := range leftovers(r, steps) {
			if x := &steps[o.Step-1]; x.Step.Do != remedy.Ask {
				last[r.Tenant+" "+string(x.Step.Kind)+" "+strings.ToLower(x.ID)] = leftOver{r, x, x.Since, &o}
			}
		}
		for k := range steps {
			x := &steps[k]
			if r.State == Undone {
				break
			}
			if (x.State == Done || x.State == Found) && x.Step.Do != remedy.Ask && (x.ID != "" || x.Step.Do == remedy.Update) {
				last[r.Tenant+" "+string(x.Step.Kind)+" "+strings.ToLower(x.ID)] = leftOver{r, x, x.Since, nil}
			}
		}
	}
	out := []Drift{}
	for _, l := range last {
		if run == "" || l.run.ID == run {
			d, err := c.drift(ctx, l)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Drift) int {
		return strings.Compare(a.Run+" "+string(a.Kind)+" "+a.ID, b.Run+" "+string(b.Kind)+" "+b.ID)
	})
	return out, c.tellDrift(ctx, list, out)
}

// drift reads one object.
func (c *Runner) drift(ctx context.Context, l leftOver) (Drift, error) {
	x := l.step
	d := Drift{Run: l.run.ID, Tenant: l.run.Tenant, Kind: x.Step.Kind, ID: x.ID, Name: print.Clean(x.Step.Name, print.MaxName), State: Same}
	p, err := c.plan(ctx, l.run)
	if err != nil {
		return d, err
	}
	t := &turn{c: c, r: *l.run, plan: p}
	var live remedy.Object
	if t.cloud, err = c.cloud(ctx, p); err == nil {
		live, _, err = t.read(ctx, x.Step.Kind, x.ID)
	}
	if ctx.Err() != nil {
		return d, ctx.Err()
	}
	switch {
	case err != nil:
		d.State, d.Words = Unread, []string{print.Clean(err.Error()+hint(err), print.MaxSaying)}
		return d, nil
	case l.back != nil:
		if x.Step.Do == remedy.Create && live == nil || x.Step.Do != remedy.Create && x.Was != nil && object.Equal(x.Step.Kind, live, x.Was) {
			return d, nil // somebody saw to it
		}
		d.State, d.Words = NotBack, []string{"the plan was taken back, and this was not: " + l.back.Why, l.back.Settle}
		return d, nil
	case x.Step.Do == remedy.Delete && live == nil:
		return d, nil
	case x.Step.Do == remedy.Delete:
		d.State, d.Words = Back, []string{"it was taken away, and is there again"}
	case live == nil:
		d.State, d.Words = Gone, []string{"it does not exist any more"}
	case !object.Equal(x.Step.Kind, live, x.Became):
		d.State = Changed
		for _, ch := range object.Diff(x.Step.Kind, x.Became, live, nil) {
			d.Words = append(d.Words, print.Clean(ch.Words, print.MaxSaying))
		}
	}
	if d.Away() && c.d.Who != nil {
		if by, err := c.d.Who(ctx, t.cloud, x.ID, l.since); err == nil {
			d.By = print.Clean(by, print.MaxName)
		}
	}
	return d, nil
}

// tellDrift writes into the trail what drifted since the last look.
func (c *Runner) tellDrift(ctx context.Context, runs []Run, list []Drift) error {
	for i := range runs {
		r := &runs[i]
		var words []string
		for k := range list {
			if d := &list[k]; d.Run == r.ID && d.Away() {
				words = append(words, string(d.Kind)+" "+d.ID+" "+string(d.State)+" "+strings.Join(d.Words, ", ")+" "+d.By)
			}
		}
		sum := ""
		if len(words) > 0 {
			sum = hashOf(strings.Join(words, "\n"))
		}
		if sum == r.Drifted || r.State != Ended && r.State != Holding {
			continue
		}
		err := c.retry(ctx, func(ctx context.Context) error {
			y, err := c.trusted(ctx, r.ID)
			if err != nil || y.Drifted == sum {
				return err
			}
			y.Drifted = sum
			if err := c.updateRun(ctx, &y); err != nil || sum == "" {
				return err
			}
			return c.record(ctx, audit.RemedyDrifted, audit.Done, &y, strings.Join(words, "; "), nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
