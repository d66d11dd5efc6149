//go:build !judge

package desk

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// The bounds of what people write down.
const (
	maxNotes = 500
	maxNote  = 2000
)

// Assign gives an alert, named as by [Desk.Get], to somebody, who has acknowledged it by that;
// to "" gives it to nobody, and it pages again.
func (d *Desk) Assign(ctx context.Context, id, to, actor string) (*Case, error) {
	to = print.Clean(to, print.MaxName)
	return d.change(ctx, id, func(f *file) error {
		if f.body.Assignee == to {
			return problem.New(problem.Conflict, "the alert %s is theirs already", f.alert)
		}
		f.body.Assignee, f.body.Acknowledged = to, d.now()
		if to == "" {
			f.body.Acknowledged = time.Time{}
		}
		return nil
	}, audit.FraudAssigned, actor, map[string]string{"to": to})
}

// Note writes something down about an alert for whoever is next.
func (d *Desk) Note(ctx context.Context, id, text, actor string) (*Case, error) {
	text = print.Clean(text, maxNote)
	if text == "" {
		return nil, problem.New(problem.Usage, "a note has words").WithHint("partnerguard fraud note ALERT \"called the customer, nobody answers\"")
	}
	return d.change(ctx, id, func(f *file) error {
		if len(f.body.Notes) >= maxNotes {
			return problem.New(problem.Limit, "the alert %s has %d notes already", f.alert, maxNotes)
		}
		f.body.Notes = append(f.body.Notes, Note{At: d.now(), By: print.Clean(actor, print.MaxName), Text: text})
		return nil
	}, audit.FraudNoted, actor, map[string]string{})
}

// change does something to what people keep of an alert.
func (d *Desk) change(ctx context.Context, id string, do func(*file) error, a audit.Action, actor string, details map[string]string) (*Case, error) {
	if d.d.Marks == nil {
		return nil, errNoVault()
	}
	c, err := d.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	for try := range 10 {
		err = d.changeOnce(ctx, c, do, a, actor, details)
		if !errors.Is(err, errStale) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		}
	}
	if errors.Is(err, errStale) {
		return nil, problem.New(problem.Conflict, "the alert is being changed by another process at this moment").WithHint("try again")
	}
	if err != nil {
		return nil, err
	}
	return d.Get(ctx, c.ID)
}

// changeOnce tries it once; errStale says that another process was faster.
func (d *Desk) changeOnce(ctx context.Context, c *Case, do func(*file) error, a audit.Action, actor string, details map[string]string) error {
	f, err := d.fileOf(ctx, c.ID)
	if err != nil {
		return err
	}
	last, err := d.lasts(ctx)
	if err != nil {
		return err
	}
	was := f.version
	if was > 0 {
		if err := d.d.Marks.Fits(ctx, caseBook, f.mark, f.values()...); err != nil {
			return err
		}
		if err := newest(last, "case", c.ID, was); err != nil {
			if again, e := d.fileOf(ctx, c.ID); e == nil && again.version != was {
				return errStale // it was written between the two readings
			}
			return err
		}
	}
	if err := do(&f); err != nil {
		return err
	}
	if f.version, err = next(last, "case", c.ID, was); err != nil {
		return err
	}
	return d.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := d.putFile(ctx, &f, was); err != nil {
			return err
		}
		details["row"] = rowOf("case", f.version)
		return d.record(ctx, a, audit.Done, actor, c.ID, c.Customer, "", details)
	})
}
