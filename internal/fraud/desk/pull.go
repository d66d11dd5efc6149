//go:build !judge

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// whole is the source of the desk's own reading: whichever interface answered.
const whole = "desk"

// ageRule is how old an alert is that was there before this installation first read: all
// active ones count for Microsoft, and those of years ago wake nobody one by one.
const ageRule = 7 * 24 * time.Hour

// Pull reads the alerts of Microsoft now and gives those that are new, oldest first.
func (d *Desk) Pull(ctx context.Context) ([]Case, error) {
	list, _, err := d.pull(ctx, false)
	return list, err
}

// pull reads, of both interfaces where that is wanted, and counts the alerts that stand
// otherwise than before.
func (d *Desk) pull(ctx context.Context, both bool) (out []Case, turned int, err error) {
	if d.d.Marks == nil {
		return nil, 0, errNoVault()
	}
	told, err := d.read(ctx, both)
	if err != nil {
		return nil, 0, errors.Join(err, d.missed(ctx, err))
	}
	var fresh []kept
	if err := d.d.DB.InTx(ctx, func(ctx context.Context) error {
		fresh, turned, err = d.take(ctx, &told)
		return err
	}); err != nil {
		return nil, 0, err
	}
	if len(fresh) == 0 {
		return nil, turned, nil
	}
	now := d.now()
	s := shelf{}
	for i := range fresh {
		out = append(out, d.caseOf(&s, &fresh[i], now))
	}
	slices.SortStableFunc(out, func(a, b Case) int { return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID)) })
	d.mu.Lock()
	hooks := slices.Clone(d.hooks)
	d.mu.Unlock()
	for i := range out {
		for _, f := range hooks {
			if !out[i].Test && !out[i].Aged {
				f(ctx, out[i])
			}
		}
	}
	return out, turned, nil
}

func (d *Desk) read(ctx context.Context, both bool) (Told, error) {
	if d.d.Cloud == nil {
		return Told{}, problem.New(problem.Unavailable, "there is no way to Microsoft").WithHint("partnerguard connect makes a connection")
	}
	c, err := d.d.Cloud(ctx)
	if err != nil {
		return Told{}, err
	}
	return c.Alerts(ctx, both)
}

// missed keeps why the alerts could not be read: the clocks go on with what is kept.
func (d *Desk) missed(ctx context.Context, why error) error {
	if errors.Is(why, context.Canceled) {
		return nil
	}
	return d.d.DB.InTx(ctx, func(ctx context.Context) error {
		r, err := d.reading(ctx, whole)
		if err != nil {
			return err
		}
		r.Tried, r.Why, r.Fix = d.now(), print.Clean(why.Error(), print.MaxSaying), print.Clean(problem.HintOf(why), print.MaxSaying)
		return d.putReading(ctx, &r)
	})
}

// reading is how reading a source went until now; a first that something else wrote is none.
func (d *Desk) reading(ctx context.Context, source string) (Reading, error) {
	list, err := d.readings(ctx)
	if err != nil {
		return Reading{}, err
	}
	for _, r := range list {
		if r.Source != source {
			continue
		}
		if err := d.d.Marks.Fits(ctx, pullBook, r.mark, r.values()...); errors.Is(err, vault.ErrForged) {
			r.First = time.Time{}
		} else if err != nil {
			return r, err
		}
		return r, nil
	}
	return Reading{Source: source}, nil
}

// take keeps what was read, within a transaction, and gives what is new.
func (d *Desk) take(ctx context.Context, told *Told) (fresh []kept, turned int, err error) {
	now := d.now()
	desk, err := d.reading(ctx, whole)
	if err != nil {
		return nil, 0, err
	}
	forged := desk.First.IsZero() && !desk.Good.IsZero()
	if desk.First.IsZero() {
		desk.First = now
	}
	old, err := d.vouched(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range identify(old, told.List) {
		k, has := old[a.ID]
		if !has {
			n := kept{Alert: a, settled: now, seen: now}
			n.aged = !forged && !a.Detected.IsZero() && a.Detected.Before(desk.First.Add(-ageRule))
			if err := d.putAlert(ctx, &n); err != nil {
				return nil, 0, err
			}
			fresh = append(fresh, n)
			continue
		}
		is, err := d.turn(ctx, k, a, now)
		if err != nil {
			return nil, 0, err
		}
		if is {
			turned++
		}
		delete(old, a.ID)
	}
	for _, k := range old { // Microsoft lists it no more, where it was asked
		asked := fraud.Center
		if k.GraphID != "" {
			asked = fraud.Graph
		}
		if !k.gone.IsZero() || told.Lost > 0 || !slices.Contains(told.From, asked) {
			continue
		}
		k.gone = now
		if err := d.putAlert(ctx, k); err != nil {
			return nil, 0, err
		}
	}
	if err := d.noted(ctx, desk, told, now); err != nil {
		return nil, 0, err
	}
	return fresh, turned, d.tellTrail(ctx, fresh)
}

// vouched are the alerts that are kept as they were written, by id. A row that is not is
// dropped: what it stands for is read anew.
func (d *Desk) vouched(ctx context.Context) (map[string]*kept, error) {
	list, err := d.alerts(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]*kept{}
	for i := range list {
		k := &list[i]
		err := d.d.Marks.Fits(ctx, alertBook, k.mark, k.values()...)
		if errors.Is(err, vault.ErrForged) {
			if err = d.dropAlert(ctx, k.ID); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		out[k.ID] = k
	}
	return out, nil
}

// identify finds which of the kept alerts were read again. Each has the id that it has here,
// or a new one.
func identify(old map[string]*kept, list []fraud.Alert) []fraud.Alert {
	together := make([]fraud.Alert, 0, len(old)+len(list))
	for _, k := range old {
		together = append(together, k.Alert)
	}
	slices.SortFunc(together, func(a, b fraud.Alert) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range list {
		a.ID = ""
		together = append(together, a)
	}
	graph, event := map[string]string{}, map[string]string{}
	linked := map[string][]string{}
	for _, a := range fraud.Join(together) {
		graph[strings.ToLower(a.GraphID)], event[strings.ToLower(a.EventID)] = a.ID, a.ID
		linked[a.ID] = a.Linked
	}
	by := map[string]int{}
	var out []fraud.Alert
	for _, a := range list {
		if a.ID = graph[strings.ToLower(a.GraphID)]; a.GraphID == "" {
			a.ID = event[strings.ToLower(a.EventID)]
		}
		a.Linked = linked[a.ID]
		if n, has := by[a.ID]; has {
			out[n] = fraud.Newer(out[n], a)
			out[n].Linked = linked[a.ID]
			continue
		}
		by[a.ID] = len(out)
		out = append(out, a)
	}
	return out
}

// turn keeps what changed of an alert, and says whether its status did.
func (d *Desk) turn(ctx context.Context, k *kept, a fraud.Alert, now time.Time) (bool, error) {
	was := *k
	linked := a.Linked
	k.Alert = fraud.Update(k.Alert, a, now.Sub(k.settled))
	k.Linked, k.gone = linked, time.Time{}
	if err := k.write(); err != nil || k.raw == was.raw && was.gone.IsZero() {
		return false, err
	}
	if k.Status != was.Status || !k.Changed.Equal(was.Changed) {
		k.settled = now
	}
	if err := d.putAlert(ctx, k); err != nil {
		return false, err
	}
	if k.Status == was.Status {
		return false, nil
	}
	return true, d.record(ctx, audit.FraudTurned, audit.Done, "microsoft", k.ID, k.Customer, "",
		map[string]string{"from": print.Clean(string(was.Status), 40), "to": print.Clean(string(k.Status), 40), "by": print.Clean(k.ResolvedBy, 100)})
}

// noted keeps that reading came about.
func (d *Desk) noted(ctx context.Context, desk Reading, told *Told, now time.Time) error {
	desk.Good, desk.Tried, desk.Count, desk.Why, desk.Fix = now, now, len(told.List), "", ""
	if told.Lost > 0 {
		desk.Why, desk.Fix = fmt.Sprintf("%d alerts could not be read", told.Lost), "look in Partner Center; and report it, without names"
	}
	if err := d.putReading(ctx, &desk); err != nil {
		return err
	}
	for _, source := range told.From {
		r, err := d.reading(ctx, source)
		if err != nil {
			return err
		}
		n := 0
		for i := range told.List {
			if slices.Contains(told.List[i].From, source) {
				n++
			}
		}
		r.Good, r.Tried, r.Count, r.Why, r.Fix, r.First = now, now, n, "", "", cmp.Or(r.First, now)
		if err := d.putReading(ctx, &r); err != nil {
			return err
		}
	}
	return nil
}

// tellTrail records what is new: one event a cause, however many alerts a storm has.
func (d *Desk) tellTrail(ctx context.Context, fresh []kept) error {
	type cause struct {
		first *kept
		n     int
	}
	by := map[string]*cause{}
	var order []*cause
	for i := range fresh {
		k := &fresh[i]
		key := fmt.Sprint(k.Cause(), k.Test, k.aged)
		if by[key] == nil {
			by[key] = &cause{first: k}
			order = append(order, by[key])
		}
		by[key].n++
	}
	for _, c := range order {
		details := map[string]string{"type": print.Clean(c.first.Type, 100), "subscription": print.Clean(c.first.Subscription, 60), "alerts": fmt.Sprint(c.n)}
		if c.first.Test {
			details["test"] = "true"
		}
		if err := d.record(ctx, audit.FraudDetected, audit.Done, "microsoft", c.first.ID, c.first.Customer, "", details); err != nil {
			return err
		}
	}
	return nil
}
