//go:build !judge

package app

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/trail"
)

// LabName is the name of the local partner cloud among the clouds.
const LabName = "partner-cloud"

// Lab is a running local partner cloud.
type Lab struct {
	Info  *partnercloud.Info
	Roots *x509.CertPool                           // its certificate authority
	Clock func(context.Context) (time.Time, error) // its clock
}

// Cloud is the partner cloud as our client takes it: its own addresses, under
// the production names of the resources.
func (l *Lab) Cloud() msapi.Cloud {
	c := msapi.Commercial()
	c.Name = LabName
	c.Authority, c.Graph, c.PartnerCenter, c.ARM = l.Info.Login, l.Info.Graph, l.Info.PartnerCenter, l.Info.ARM
	return c
}

// clock is the time of an installation: the machine's, or the partner cloud's,
// which may jump.
type clock struct {
	now    func() time.Time
	offset atomic.Int64
}

func (c *clock) Now() time.Time { return c.now().Add(time.Duration(c.offset.Load())) }

// follow sets the clock by the partner cloud's.
func (c *clock) follow(ctx context.Context, l *Lab) error {
	asked := c.now()
	t, err := l.Clock(ctx)
	if err != nil {
		return err
	}
	c.offset.Store(int64(t.Sub(asked)))
	return nil
}

// keepFollowing follows until ctx ends: a process that stays sees the clock
// jump.
func (c *clock) keepFollowing(ctx context.Context, l *Lab) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
			_ = c.follow(ctx, l) // it ended: the old offset stays
		}
	}
}

// labKept says that something of the laboratory is kept here.
func (i *Installation) labKept() bool {
	_, err := os.Stat(filepath.Join(i.Config.Data, LabName, "partnerguard.db"))
	return err == nil
}

// restingCloud is the partner cloud while it does not run: under names that lead
// nowhere, so that nothing meant for it can ever reach Microsoft.
func restingCloud() msapi.Cloud {
	c := msapi.Commercial()
	const nowhere = "https://partner-cloud.invalid" // RFC 2606
	c.Name, c.Authority, c.Graph, c.PartnerCenter, c.ARM = LabName, nowhere, nowhere, nowhere, nowhere
	return c
}

// rest sets the clock of a laboratory that does not run: it is not before the last
// thing that happened there, whose clock may have jumped.
func (i *Installation) rest(ctx context.Context) error {
	if !i.Lab() || i.lab != nil {
		return nil
	}
	f, err := i.Trail.Search(ctx, trail.Query{Limit: 1})
	if err != nil || len(f.Entries) == 0 {
		return err
	}
	if ahead := f.Entries[0].At.Sub(i.clock.now()); ahead > 0 {
		i.clock.offset.Store(int64(ahead))
	}
	return nil
}
