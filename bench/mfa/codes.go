package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// codes is the second table.
func codes(ctx context.Context, o options) error {
	url, end, err := server(ctx, o.postgres)
	if err != nil {
		fmt.Printf("codes: NOT MEASURED: no PostgreSQL: %v\n", err)
		return nil
	}
	defer end()
	dir, clean, err := temporary()
	if err != nil {
		return err
	}
	defer clean()
	h, err := open(ctx, dir, url)
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	began := time.Now()
	if err := h.enrol(ctx, o.accounts); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	fmt.Printf("codes: %d accounts enrolled in %s; %d callers at once\n", o.accounts, time.Since(began).Round(time.Second), o.callers)
	b, err := newBare(ctx, h)
	if err != nil {
		return err
	}
	n := min(o.accounts, 5*o.answers)
	if err := b.same(ctx, h, o); err != nil {
		return err
	}
	var bare, ours []float64
	for range o.rounds {
		took, err := many(o.callers, n, func(i int) error { return b.one(ctx, rand.IntN(o.accounts)) })
		if err != nil {
			return fmt.Errorf("bare: %w", err)
		}
		bare = append(bare, float64(n)/took.Seconds())
		list := h.each(n)
		if took, err = many(o.callers, n, func(i int) error { return list[i].right(ctx, h) }); err != nil {
			return fmt.Errorf("right codes: %w", err)
		}
		ours = append(ours, float64(n)/took.Seconds())
	}
	if !o.smoke {
		tab := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(tab, "PostgreSQL\ta second\tof the bare\t")
		fmt.Fprintf(tab, "the same statements, bare\t%.0f\t1.00\t\n", middle(bare))
		fmt.Fprintf(tab, "right passcodes\t%.0f\t%.2f\t\n", middle(ours), middle(ours)/middle(bare))
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	return h.contend(ctx, o)
}

// many does n things, so many at once, and says how long it took.
func many(callers, n int, do func(i int) error) (time.Duration, error) {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, callers)
	began := time.Now()
	for c := range callers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || errs[c] != nil {
					return
				}
				errs[c] = do(i)
			}
		})
	}
	group.Wait()
	return time.Since(began), errors.Join(errs...)
}

// shot is one code that somebody shows.
type shot struct {
	*owner
	code secret.Text
}

// each has n accounts at hand with the code of a new moment. Two hours later nothing that
// was wrong before counts.
func (h *house) each(n int) []shot {
	h.clock.add(2 * time.Hour)
	out := make([]shot, n)
	for k, i := range rand.Perm(len(h.owners))[:n] {
		out[k] = shot{h.owner(i), h.owner(i).code()}
	}
	return out
}

func (s *shot) show(ctx context.Context, h *house) error {
	_, err := h.MFA.ShowCode(ctx, s.try("bench"), mfa.TOTP, s.code)
	return err
}

func (s *shot) right(ctx context.Context, h *house) error { return s.show(ctx, h) }

// wrongCode is a code that no step near now has.
func (p *owner) wrongCode() secret.Text {
	now := p.clock.now()
	for {
		c := secret.New(fmt.Sprintf("%06d", rand.IntN(1_000_000)))
		if _, r, err := p.seed.Verify(c, now, factor.State{}, factor.UsualWindow()); err == nil && r.Verdict == factor.Wrong {
			return c
		}
	}
}

// contend shows for every account the right code twice at once and a wrong one, mixed
// with those of all others, and then the code that was taken once more. Each account's
// step is taken once.
func (h *house) contend(ctx context.Context, o options) error {
	list := h.each(o.accounts)
	var all []shot
	passes := make([]atomic.Int32, len(h.owners))
	var passed, refused, busy atomic.Int64
	for _, s := range list {
		all = append(all, s, s, shot{s.owner, s.wrongCode()})
	}
	// Those of one account stay near each other, so that they meet.
	for at := 0; at < len(all); at += 3 * o.callers {
		part := all[at:min(at+3*o.callers, len(all))]
		rand.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	judge := func(s *shot) error {
		err := s.show(ctx, h)
		switch {
		case err == nil:
			passes[s.n].Add(1)
			passed.Add(1)
		case errors.Is(err, problem.Forbidden):
			refused.Add(1)
		case errors.Is(err, problem.Unavailable):
			busy.Add(1)
		default:
			return err
		}
		return nil
	}
	took, err := many(o.callers, len(all), func(i int) error { return judge(&all[i]) })
	if err != nil {
		return err
	}
	once := passed.Load()
	again, err := many(o.callers, len(list), func(i int) error { return judge(&list[i]) })
	if err != nil {
		return err
	}
	for i := range passes {
		if n := passes[i].Load(); n > 1 {
			return fmt.Errorf("the step of %s was taken %d times", h.owners[i].person.Login, n)
		}
	}
	fmt.Printf("codes: %d accounts, the right code twice at once, a wrong one, the taken one again: %d taken, none twice, %d refused, %d to try again\n",
		len(list), passed.Load(), refused.Load(), busy.Load())
	if passed.Load() != int64(len(list)) || once != passed.Load() && busy.Load() == 0 {
		return fmt.Errorf("%d accounts, and %d were let in, %d of them at once", len(list), passed.Load(), once)
	}
	fmt.Printf("codes: %.0f a second of all these\n", float64(len(all)+len(list))/(took+again).Seconds())
	return nil
}
