//go:build !judge

package collect

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Desk is what the pages of the readings show besides them, and act by.
type Desk struct {
	Readings *Recent          // required
	Now      func() time.Time // required
	Queue    *jobs.Queue      // required: what is asked for goes there
	Record   audit.Recorder   // required: who asked for it
	Log      *slog.Logger     // nil discards

	// What follows is left out of the page where it is nil. Each answers without asking
	// anybody over the network.
	Archive  func(context.Context) (archive.Total, error)
	Where    string                                   // of the archive
	Database func(context.Context) ([]House, error)   // what there is to say of the database
	Clock    func() (off time.Duration, at time.Time) // how far the machine's clock was off when it was looked at last; zero: it was not
	Budgets  func() []msapi.Budget                    // of this process
}

// House is one thing of the installation in words.
type House struct {
	What, Words string
	Well        bool
}

// Screens are the pages: the lists of one tenant, all tenants, the jobs.
func (d *Desk) Screens() []screen.Screen {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	read := screen.Act{
		Name: "read", Title: "Read now", About: "Has everything of a tenant read as soon as a worker is free, whether it is due or not.", Do: screen.Operate,
		Handle: d.read,
	}
	return []screen.Screen{
		{
			Name: "collection", Title: "Collection", Icon: "stack", Group: screen.Evidence, Order: 10, See: screen.SeeOperation, Over: screen.OfTenant,
			About: "How old every fact is, what was never read, and how much of Microsoft's patience is left.",
			List:  factList, Load: d.loadFacts, Needs: d.needs, Acts: []screen.Act{read},
		},
		{
			Name: "collection/tenants", Title: "Tenants that are read", Icon: "stack", See: screen.SeeOperation, Over: screen.OfHouse,
			About: "How the readings of every tenant stand.", List: tenantList, Load: d.loadTenants,
		},
		{
			Name: "collection/gaps", Title: "Gaps", Icon: "stack", See: screen.SeeOperation, Over: screen.OfAll,
			About: "What was not read, why, and what heals it.", List: gapList, Load: d.loadGaps,
		},
		{
			Name: "collection/jobs", Title: "Jobs", Icon: "stack", See: screen.SeeOperation, Over: screen.OfHouse,
			About: "What waits, what runs, and what is tried no more.", List: jobList, Load: d.loadJobs,
			Acts: []screen.Act{{
				Name: "revive", Title: "Revive", About: "Has jobs that are tried no more tried again.", Do: screen.Operate,
				Form:   []screen.Field{{Name: "job", Label: "Job", Hint: "the number of a dead job", Kind: "hidden", Required: true, Many: true, Max: 20}},
				Handle: d.revive,
			}},
		},
	}
}

// needs counts what a person has to look at today: dead jobs, and of the partner's own
// tenant lists that fail or are lost.
func (d *Desk) needs(ctx context.Context, v *screen.Viewer) int {
	dead, err := d.dead(ctx, v)
	if err != nil {
		return 0
	}
	return len(dead)
}

// read has a tenant read.
func (d *Desk) read(ctx context.Context, a *screen.Ask, _ url.Values) (screen.Done, error) {
	t, err := d.Readings.Tenant(ctx, a.Tenant.ID)
	if err != nil {
		return screen.Done{}, err
	}
	if !a.Viewer.Sees(t.ID) {
		return screen.Done{}, problem.New(problem.NotFound, "there is no such tenant")
	}
	var added bool
	err = d.Readings.db.InTx(ctx, func(ctx context.Context) (err error) {
		if added, err = d.Readings.Hasten(ctx, d.Queue, t.ID); err != nil {
			return err
		}
		return d.Record.Record(ctx, audit.Event{Action: audit.CollectionAsked, Outcome: audit.Done, Actor: a.Viewer.Actor, Object: "collection", Tenant: t.ID})
	})
	if err != nil {
		return screen.Done{}, err
	}
	said := "A worker reads " + name(&t) + " as soon as one is free."
	if !added {
		said = name(&t) + " is being read already; what is left of it begins within a minute."
	}
	return screen.Done{Path: screen.With("/collection", "tenant", a.Tenant.ID), Said: said, Body: map[string]bool{"added": added}}, nil
}

// name is what people call a tenant.
func name(t *Tenant) string { return print.First(t.ID, t.Name, t.Domain) }
