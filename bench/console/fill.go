package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/collect"
	"partnerguard/internal/evidence"
	"partnerguard/internal/jobs"
	"partnerguard/internal/posture"
)

// fill makes the installation as large as z says. What a package can be told is told to
// it; how far lists were read is copied from the partner's rows.
func (h *house) fill(ctx context.Context, z *size) error {
	began := time.Now()
	for _, step := range []struct {
		what string
		do   func(context.Context, *size) error
	}{
		{"tenants", h.fillTenants}, {"history", h.fillHistory}, {"snapshots", h.fillSnapshots}, {"readings", h.fillReadings},
		{"exceptions", h.fillExceptions}, {"trail", h.fillTrail}, {"dead jobs", h.fillDead},
	} {
		if err := step.do(ctx, z); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	h.filled = time.Since(began).Round(100 * time.Millisecond)
	return nil
}

func tenantID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-00000000c057", n+1) }

var trades = []string{"Adatum", "Alpine Ski House", "Blue Yonder", "City Power", "Coho Vineyard", "Fabrikam", "Fourth Coffee", "Graphic Design", "Humongous",
	"Lamna Healthcare", "Litware", "Lucerne Publishing", "Margie's Travel", "Munson's", "Northwind", "Proseware", "Relecloud", "Southridge", "Tailspin Toys",
	"Trey Research", "VanArsdel", "Wide World", "Wingtip", "Woodgrove"}

func tenantName(n int) string { return fmt.Sprintf("%s %d", trades[n%len(trades)], n/len(trades)+1) }

func tenantDomain(n int) string { return fmt.Sprintf("customer%d.example", n+1) }

func (h *house) fillTenants(ctx context.Context, z *size) error {
	list := make([]collect.Tenant, 0, z.tenants)
	for n := range z.tenants {
		h.tenants = append(h.tenants, tenantID(n))
		list = append(list, collect.Tenant{ID: tenantID(n), Domain: tenantDomain(n), Name: tenantName(n), Risk: n % 7})
	}
	return h.Collect.Known(ctx, list, false)
}

// fillHistory keeps a judgement for each past day, the verdicts of some accounts and
// requirements turned, and then the real one, as up does.
func (h *house) fillHistory(ctx context.Context, z *size) error {
	now := h.Now().UTC()
	j, at, err := h.JudgeTenant(ctx, h.partner, now, cmp.Or(h.Config.Posture.Span, posture.DefaultSpan), nil)
	if err != nil {
		return err
	}
	turned := map[string]string{posture.Met: posture.NotMet, posture.NotMet: posture.Met, posture.Unknown: posture.Met}
	for d := z.days; d > 0; d-- {
		st := j.State(h.partner, now.AddDate(0, 0, -d), at)
		st.AsOf, st.Judged = now.AddDate(0, 0, -d), now.AddDate(0, 0, -d)
		for n := range st.Accounts {
			if a := &st.Accounts[n]; (n+d)%11 == 0 {
				a.Verdict = cmp.Or(turned[a.Verdict], a.Verdict)
			}
		}
		for n := range st.Requirements {
			if r := &st.Requirements[n]; (n+d)%9 == 0 {
				r.Verdict = cmp.Or(turned[r.Verdict], r.Verdict)
			}
		}
		if _, err := h.Posture.Keep(ctx, st); err != nil {
			return err
		}
	}
	h.judged, _, err = h.KeepRound(ctx, h.partner)
	return err
}

// fillReadings gives every customer the cursors and gaps of the partner's tenant, and has
// nothing be due while it is measured: the partner cloud has no such tenants to ask.
func (h *house) fillReadings(ctx context.Context, _ *size) error {
	const cursor = `run, began_at, position, pages, span_from, span_to, flaw, covered_at, delta, base, due_at, whole_at, whole_run, whole_pages, tried_at,
		tries, words, refused, needs, refused_at`
	const gap = "item, from_at, to_at, since_at, closed_at, lost, reason, why, can, needs, request, run, tried_at"
	copied := func(ctx context.Context, table, columns, tenant, resource, from string) error {
		_, err := h.DB.ExecContext(ctx, "INSERT INTO "+table+" (tenant, resource, "+columns+") SELECT CAST($1 AS text), CAST($2 AS text), "+columns+" FROM "+table+
			" WHERE tenant = $3 AND resource = $4", tenant, resource, h.partner, from)
		return err
	}
	return h.DB.InTx(ctx, func(ctx context.Context) error {
		for _, r := range evidence.Resources() {
			// Farther ahead than twice its pace is taken for a wrong clock's, and due.
			if _, err := h.DB.ExecContext(ctx, "UPDATE collect_cursors SET due_at = $1 WHERE resource = $2", h.Now().Add(r.Every*19/10).UnixMicro(), r.Name); err != nil {
				return err
			}
		}
		for _, t := range h.tenants {
			for _, r := range evidence.Resources() {
				if !r.Scope.Covers(false) {
					continue
				}
				from := r.Name
				if !r.Scope.Covers(true) {
					from = "users"
				}
				if err := copied(ctx, "collect_cursors", cursor, t, r.Name, from); err != nil {
					return err
				}
				if err := copied(ctx, "collect_gaps", gap, t, r.Name, r.Name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (h *house) fillExceptions(ctx context.Context, z *size) error {
	j := h.judged
	for n := range z.exceptions {
		r := &j.Report.Requirements[n%len(j.Report.Requirements)]
		a := &j.Report.Accounts[n%len(j.Report.Accounts)]
		x := posture.Exception{Requirement: r.ID, Accounts: []string{a.ID}, Owner: fmt.Sprintf("owner%d@contoso.com", n%20), Reason: "moves to a service principal",
			Control: "signs in from one address alone", Expires: h.Now().AddDate(0, 0, 2+n%300)}
		kept, err := h.Posture.AddException(ctx, x, "local:bench")
		if err == nil && n%2 == 0 {
			_, err = h.Posture.Approve(ctx, kept.ID, "local:second")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fillTrail writes entries as a working installation has them, a thousand a transaction.
func (h *house) fillTrail(ctx context.Context, z *size) error {
	now := h.Now().UTC()
	kinds := []struct {
		action  audit.Action
		outcome audit.Outcome
		actor   string
	}{
		{audit.CollectionAsked, audit.Done, "local:bench"}, {audit.JobRevived, audit.Done, "oidc:anna"}, {audit.ExceptionAdded, audit.Done, "oidc:bela"},
		{audit.ConsoleEntered, audit.Done, "oidc:anna"}, {audit.ConsoleRefused, audit.Refused, "oidc:carl"},
	}
	for done := 0; done < z.trail; {
		n := min(1000, z.trail-done)
		if err := h.DB.InTx(ctx, func(ctx context.Context) error {
			for i := range n {
				k := kinds[(done+i)%len(kinds)]
				t := h.tenants[(done+i)%len(h.tenants)]
				if err := h.Trail.Record(ctx, audit.Event{At: now.Add(time.Duration(done+i-z.trail) * 20 * time.Second), Action: k.action, Outcome: k.outcome,
					Actor: k.actor, Object: fmt.Sprintf("object-%d", (done+i)%977), Tenant: t, Details: map[string]string{"n": fmt.Sprint(done + i)}}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		done += n
	}
	return nil
}

// fillDead has jobs of customers given up.
func (h *house) fillDead(ctx context.Context, z *size) error {
	const kind = "bench-dead"
	q, err := jobs.Open(ctx, h.DB, jobs.Options{Workers: 4, Poll: 100 * time.Millisecond, Log: h.log})
	if err != nil {
		return err
	}
	q.Handle(kind, func(context.Context, jobs.Job) error {
		return jobs.Never(errors.New("Microsoft Graph said 403: the tenant has no licence for this log"))
	})
	var args []any
	for n := range z.dead {
		args = append(args, map[string]string{"tenant": h.tenants[n%len(h.tenants)]})
	}
	if _, err := q.AddAll(ctx, kind, args, jobs.Add{}); err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	for range 600 {
		dead, err := q.Dead(ctx, kind)
		if err != nil || len(dead) >= z.dead {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return q.Stop(ctx)
}

// lower is an id as snapshots have it.
func lower(s string) string { return strings.ToLower(s) }
