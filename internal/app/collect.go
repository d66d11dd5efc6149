//go:build !judge

package app

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/collect"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// collector makes what reads live tenants; without the vault it only tells what is
// known of the readings.
func (i *Installation) collector() (*collect.Collector, error) {
	d := collect.Deps{DB: i.DB, Config: &i.Config.Collect, Now: i.Now, Log: i.Log}
	if i.SAM != nil {
		d.Walker = i.API
		d.Begin = func(tenant string) (collect.Writer, error) { return i.Archive.Begin(tenant) }
		d.Partner, d.Target, d.Right = i.collectPartner, i.collectTarget, i.clockIsRight
		d.Judged = i.judged
	}
	return collect.New(d)
}

// collectPartner is whose tenant is read: that of the connection of the settings, or of
// the only one.
func (i *Installation) collectPartner(ctx context.Context) (collect.Tenant, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		if errors.Is(err, problem.Usage) && i.Config.Collect.Connection == "" {
			err = problem.Wrap(err, problem.Usage, "there are several connections: say whose tokens read live tenants").
				WithHint("the setting collectConnection names one; partnerguard connect status lists them")
		}
		return collect.Tenant{}, err
	}
	return collect.Tenant{ID: c.Tenant, Domain: c.Domain, Name: c.Name, Partner: true}, nil
}

// collectTarget is a tenant as the connection's tokens ask it.
func (i *Installation) collectTarget(ctx context.Context, t collect.Tenant) (msapi.Target, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return msapi.Target{}, err
	}
	return i.SAM.Target(c, t.ID), nil
}

// maxSkew is how far the clock may be off before no log is read by it: slices would
// end in the future, or leave the present out.
const maxSkew = 5 * time.Minute

// clockIsRight compares the installation's clock with that of the cloud. Where that
// does not say, nothing is known against it.
func (i *Installation) clockIsRight(ctx context.Context) error {
	ask := func(ctx context.Context) (time.Time, error) { return i.API.Clock(ctx, i.Cloud) }
	if i.lab != nil {
		_ = i.clock.follow(ctx, i.lab)
		ask = i.lab.Clock
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	theirs, err := ask(ctx)
	if err != nil {
		return nil
	}
	if off := i.Now().Sub(theirs); off > maxSkew || off < -maxSkew {
		way := "ahead of"
		if off < 0 {
			way, off = "behind", -off
		}
		return problem.New(problem.Unavailable, "this machine's clock is %s %s Microsoft's: no log is read by it", off.Round(time.Second), way).
			WithHint("set the clock, and keep it right by NTP: timedatectl set-ntp true")
	}
	return nil
}

// judged is called after a round of a tenant that read something.
func (i *Installation) judged(ctx context.Context, tenant string) error {
	if i.AfterRound == nil {
		return nil
	}
	return i.AfterRound(ctx, tenant)
}
