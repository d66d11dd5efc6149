//go:build !judge

package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/customers"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/sam/pages"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/screen"
	"partnerguard/internal/snapshot"
	"partnerguard/internal/trail/reading"
)

// skew is how far the machine's clock was off Microsoft's, and when that was seen.
type skew struct {
	off time.Duration
	at  time.Time
}

// customerPages are the pages of customers, over the snapshot and the readings.
func (i *Installation) customerPages(recent *collect.Recent) pager {
	return &customers.Pages{
		Part: func(ctx context.Context) (*customers.Part, error) {
			t, err := i.Collect.Tenant(ctx, "partner")
			if err != nil {
				return nil, err
			}
			p, _, err := snapshot.Get[customers.Part](ctx, i.Snapshot, t.ID, customers.PartName)
			return p, err
		},
		Own: func(ctx context.Context) (map[string]*customers.OwnPart, error) {
			out := map[string]*customers.OwnPart{}
			for x, err := range snapshot.All[customers.OwnPart](ctx, i.Snapshot, customers.OwnName) {
				if err != nil && x.Tenant == "" {
					return nil, err
				}
				if err == nil { // one that cannot be read is made anew, and not known until then
					out[x.Tenant] = x.Part
				}
			}
			return out, nil
		},
		Readings: func(ctx context.Context) (map[string]*customers.Reading, error) {
			list, err := recent.Standings(ctx)
			out := make(map[string]*customers.Reading, len(list))
			for k := range list {
				out[strings.ToLower(list[k].Tenant.ID)] = readingOf(&list[k])
			}
			return out, err
		},
		Customer: func(ctx context.Context, tenant string) (*customers.OwnPart, *customers.Reading, error) {
			own, _, err := snapshot.Get[customers.OwnPart](ctx, i.Snapshot, tenant, customers.OwnName)
			if errors.Is(err, problem.NotFound) {
				own, err = nil, nil
			}
			if err != nil {
				return nil, nil, err
			}
			list, err := recent.Standings(ctx)
			for k := range list {
				if strings.EqualFold(list[k].Tenant.ID, tenant) {
					return own, readingOf(&list[k]), err
				}
			}
			return own, nil, err
		},
	}
}

func readingOf(s *collect.Standing) *customers.Reading {
	return &customers.Reading{Oldest: s.Oldest, Gaps: s.Open, Lost: s.Lost, Refused: s.Refused, Read: s.Read, Lists: s.Lists}
}

// readingPages are the pages of the readings, their gaps and jobs.
func (i *Installation) readingPages(recent *collect.Recent, q *jobs.Queue) pager {
	d := &collect.Desk{Readings: recent, Now: i.Now, Queue: q, Record: i.Trail, Log: i.Log, Archive: i.Archive.Total, Where: i.Archive.Where(),
		Database: i.databaseWords,
		Clock: func() (time.Duration, time.Time) {
			if s := i.skew.Load(); s != nil {
				return s.off, s.at
			}
			return 0, time.Time{}
		}}
	if i.API != nil {
		d.Budgets = i.API.Budgets
	}
	return d
}

// databaseWords are what there is to say of the database.
func (i *Installation) databaseWords(ctx context.Context) ([]collect.House, error) {
	kind := "SQLite"
	if i.DB.Dialect == db.Postgres {
		kind = "PostgreSQL"
	}
	out := []collect.House{{What: "Database", Words: kind + " at " + i.DB.Where(), Well: true}}
	if err := i.DB.Current(ctx); err != nil {
		out[0].Words, out[0].Well = kind+": its schema is not this program's", false
	}
	at, err := lastBackup{i.DB}.at(ctx)
	if err != nil {
		return out, err
	}
	backup := collect.House{What: "Backup", Words: "none was made yet: partnerguard backup makes one"}
	if !at.IsZero() {
		backup.Words, backup.Well = "the last "+screen.Ago(at, i.Now()), i.Now().Sub(at) < 8*24*time.Hour
	}
	return append(out, backup), nil
}

// connectionPages are the pages of connections; nil where the vault is not open.
func (i *Installation) connectionPages(q *jobs.Queue) pager {
	if i.SAM == nil {
		return nil
	}
	p := &pages.Pages{
		Rows: func(ctx context.Context) ([]renew.StatusRow, error) {
			r, err := i.SAM.Renewer()
			if err != nil {
				return nil, err
			}
			return r.Status(ctx, sam.Heal)
		},
		Apps: i.SAM.Store.Registrations,
		Renew: func(ctx context.Context, actor, id string) (added bool, err error) {
			err = i.DB.InTx(ctx, func(ctx context.Context) error {
				if added, err = renew.Ask(ctx, q, id); err != nil {
					return err
				}
				return i.Trail.Record(ctx, audit.Event{Action: audit.ConnectionAsked, Outcome: audit.Done, Actor: actor, Object: id})
			})
			return added, err
		},
		Accept: func(ctx context.Context, actor, id string) (sam.Connection, error) {
			return i.SAM.As(actor).Accept(ctx, id)
		},
		Remove: func(ctx context.Context, actor, id string, revoke bool) (sam.Connection, error) {
			s := i.SAM.As(actor)
			if revoke {
				if c, err := s.Revoke(ctx, id); err != nil {
					return c, err
				}
			}
			return s.Remove(ctx, id)
		},
	}
	if i.Config.Web.PublicURL != "" {
		p.Heal = i.heal
	}
	return p
}

// healLife is how long the invitation of a person who heals a connection waits.
const healLife = time.Hour

// heal invites the person who asks to sign in anew for a connection, with what it was
// allowed before, and gives the path of the invitation.
func (i *Installation) heal(ctx context.Context, actor, id string) (string, error) {
	c, err := i.SAM.Store.Look(ctx, id)
	if err != nil {
		return "", err
	}
	v := onboard.Invitation{Tenant: c.Tenant, ClientID: c.ClientID, Name: c.Name}
	for _, f := range capture.Features() {
		if len(capture.Diff(c.Scopes, capture.Permissions([]capture.Feature{f}).Needed(c.Cloud)).Missing) == 0 {
			v.Features = append(v.Features, f)
		}
	}
	_, link, err := i.SAM.As(actor).Invite(ctx, v, healLife)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(link, i.Config.Web.PublicURL), nil
}

// reading makes what shows the trail, and has it verified; with the vault it proves too.
func (i *Installation) reading() *reading.Reading {
	d := reading.Deps{Trail: i.Trail, DB: i.DB, Now: i.Now, Log: i.Log, Anchors: i.anchorNames}
	if i.Vault != nil {
		d.Sign = i.Keeper.Sign
	}
	return reading.New(d)
}

// anchorNames are the places outside that are to keep the trail's checkpoints.
func (i *Installation) anchorNames() ([]string, error) {
	list, err := i.Keeper.Anchors()
	var names []string
	for _, a := range list {
		names = append(names, a.Name())
	}
	return names, err
}
