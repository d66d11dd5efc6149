//go:build !judge

package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/dates"
	"partnerguard/internal/evidence"
	"partnerguard/internal/jobs"
	"partnerguard/internal/notify"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
	"partnerguard/internal/trail"
)

// makeAlerts makes the channels and the alerts: without the vault no sealed secret is
// read, and nothing that people did about an alert counts.
func (i *Installation) makeAlerts() (err error) {
	n := notify.Deps{DB: i.DB, Config: &i.Config.Notify, Now: i.Now, Base: i.Config.Web.PublicURL, Log: i.Log}
	if !i.look {
		n.Record = i.Trail
	}
	if i.Vault != nil {
		n.Sealed = i.Vault
	}
	if i.Notify, err = notify.New(n); err != nil {
		return err
	}
	d := alert.Deps{DB: i.DB, Now: i.Now, Out: i.Notify, Config: &i.Config.Alert, Record: n.Record, Log: i.Log, Posture: turns{i}, Sees: i.feedSees,
		Sources: []alert.NamedSource{{Name: "alerts of Microsoft", Get: i.fraudAlerts}, {Name: "connections", Get: i.dying},
			{Name: "readings", Get: i.unread}, {Name: "jobs", Get: i.deadJobs}, {Name: "trail", Get: i.misfits}, {Name: "factors", Get: i.factorAlerts},
			{Name: "mail bridge", Get: i.bridgeAlerts}, {Name: "delegation", Get: i.delegationAlerts},
			{Name: "gateway", Get: i.gatewayAlerts}, {Name: "own eyes", Get: i.eyesAlerts}, {Name: "spending", Get: i.spendingAlerts},
			{Name: "remedy", Get: i.remedyAlerts}},
		Dates: []alert.NamedDater{{Name: "exceptions", Get: i.exceptionDates}, {Name: "attestations", Get: i.attestationDates},
			{Name: "connections", Get: i.connectionDates}, {Name: "certificates", Get: i.certificateDates}, {Name: "what was judged", Get: i.judgedDates}}}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	i.Alerts, err = alert.New(d)
	return err
}

// alertMaker makes the part of a snapshot that alerts are made of: who is hit by dated
// changes needs the rows of the log.
type alertMaker struct{ log *dates.Fold }

func (m alertMaker) visitor(whereIs) signin.Visitor { return m.log.Visitor() }

func (m alertMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	asOf := j.Report.AsOf
	changes := dates.Look(j.Facts, m.log, asOf, partner.DirectBill, partner.Cloud(j.Report.Partner.Cloud))
	return map[string]any{alert.PartName: alert.Build(j.Facts, changes, asOf)}, nil
}

// eachPart gives what judgements knew for alerts, by tenant.
func (i *Installation) eachPart(ctx context.Context, do func(tenant string, p *alert.Part)) error {
	if i.Snapshot == nil { // it is only looked at
		return nil
	}
	for x, err := range snapshot.All[alert.Part](ctx, i.Snapshot, alert.PartName) {
		if err != nil {
			return err
		}
		do(x.Tenant, x.Part)
	}
	return nil
}

// waiting are the alerts of Microsoft that wait for an answer, as the newest judgement knew them.
func (i *Installation) waiting(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	now := i.Now()
	err = i.eachPart(ctx, func(tenant string, p *alert.Part) {
		for k := range p.Microsoft {
			w := &p.Microsoft[k]
			f := alert.Finding{Key: "fraud:" + w.ID, Kind: alert.Fraud, Severity: notify.Urgent, Tenant: cmp.Or(w.Customer, tenant),
				Title: "Microsoft warns: " + w.Titled(), Since: w.Detected, Due: w.Due(), Path: "/status",
				Fix: "investigate at once: stop the resources, cancel the subscription if it is abused, then record the answer in Partner Center; " +
					"recording alone stops nothing"}
			switch due := w.Due(); {
			case due.IsZero():
				f.Cause = "When it was detected cannot be read, so it may be over already. It has to be answered within 24 hours."
			case due.Before(now):
				f.Cause = "It is unanswered, and the 24 hours are over since " + due.UTC().Format("2006-01-02 15:04 UTC") + "."
			default:
				f.Cause = "It has to be answered by " + due.UTC().Format("2006-01-02 15:04 UTC") + "."
			}
			out = append(out, f)
		}
	})
	return out, err == nil, err
}

// standings are how the connections stand.
func (i *Installation) standings(ctx context.Context) ([]renew.StatusRow, error) {
	if i.SAM == nil {
		return nil, problem.New(problem.Unavailable, "how connections stand is not known: the vault is not open")
	}
	r, err := i.SAM.Renewer()
	if err != nil {
		return nil, err
	}
	return r.Status(ctx, sam.Heal)
}

// dying are the connections that are dead, held back or die soon. What is warned of does
// not change from day to day, so that one alert stays one.
func (i *Installation) dying(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	rows, err := i.standings(ctx)
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	for k := range rows {
		row := &rows[k]
		name := cmp.Or(row.Connection.Name, row.Connection.ID)
		f := alert.Finding{Key: "connection:" + row.Connection.ID, Kind: alert.Connection, Severity: notify.Urgent,
			Tenant: strings.ToLower(row.Connection.Tenant),
			Cause:  row.Because, Command: sam.Heal(row.Connection), Path: "/connections", Fix: row.Fix, Since: row.At}
		switch row.Health {
		case renew.Dead:
			f.Title = "The connection " + name + " is dead"
		case renew.Stopped:
			f.Title, f.Command = "The connection "+name+" is held back", "partnerguard connect status"
		case renew.Dying:
			f.Title, f.Due, f.Since = "The connection "+name+" dies soon", row.At, time.Time{}
			if row.At.Sub(now) > 3*24*time.Hour {
				f.Severity = notify.Warning
			}
		default:
			continue
		}
		out = append(out, f)
	}
	return out, true, nil
}

// stopped is after how long without a round collecting has stopped: rounds are due all
// day, and Microsoft keeps logs for 30 days.
const stopped = 24 * time.Hour

// unread are the readings that decide something and do not come about: one alert a
// reason, over all tenants, and one for a tenant of which nothing is read any more.
func (i *Installation) unread(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	list, err := i.Collect.Tenants(ctx)
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	names, off := map[string]string{}, map[string]bool{}
	var halted []string
	var oldest time.Time
	for _, t := range list {
		names[t.ID] = cmp.Or(t.Domain, t.Name, t.ID)
		if off[t.ID] = !t.Gone.IsZero() || t.Last.IsZero(); off[t.ID] || now.Sub(t.Last) <= stopped {
			continue
		}
		off[t.ID] = true // one cause: the gaps of the same tenant follow from it
		halted = append(halted, names[t.ID])
		if oldest.IsZero() || t.Last.Before(oldest) {
			oldest = t.Last
		}
	}
	if n := len(halted); n > 0 {
		slices.Sort(halted)
		out = append(out, alert.Finding{Key: "collection:stopped", Kind: alert.Collection, Severity: notify.Warning, Since: oldest, Count: n, Of: len(list),
			Unit: "tenants", Title: "Collecting has stopped",
			Cause:    "No round of reading has ended for more than a day; verdicts that rest on it become unknown.",
			Subjects: halted, Command: "partnerguard db jobs", Path: "/collection", Fix: "partnerguard serve or a worker reads by itself; is one running?"})
	}
	gaps, err := i.Collect.Gaps(ctx, "", now)
	if err != nil {
		return out, false, err
	}
	by := map[string]*alert.Finding{}
	var order []string
	for k := range gaps {
		g := &gaps[k]
		quiet := g.Reason == evidence.GapNever || g.Reason == evidence.GapAbsent || g.Reason == evidence.GapGone
		if _, known := names[g.Tenant]; quiet || !known || off[g.Tenant] || !decides(g, now.Add(-30*24*time.Hour)) {
			continue
		}
		key := "gap:" + string(g.Reason) + ":" + g.Needs
		f := by[key]
		if f == nil {
			f = &alert.Finding{Key: key, Kind: alert.Collection, Severity: notify.Warning, Title: gapTitle(g), Cause: g.Why, Since: g.Since, Unit: "tenants",
				Command: "partnerguard gaps", Path: "/collection", Fix: g.Can, Of: len(list)}
			by[key], order = f, append(order, key)
		}
		if g.Since.Before(f.Since) {
			f.Since = g.Since
		}
		if n := names[g.Tenant]; !slices.Contains(f.Subjects, n) {
			f.Subjects = append(f.Subjects, n)
			f.Count++
		}
	}
	for _, key := range order {
		slices.Sort(by[key].Subjects)
		out = append(out, *by[key])
	}
	return out, true, nil
}

func gapTitle(g *evidence.Gap) string {
	switch {
	case g.Needs != "":
		return "What decides is not read: " + g.Needs + " is missing"
	case g.Lost:
		return "A part of what decides is lost"
	}
	return "What decides is not read: " + evidence.ListName(g.Kind)
}

// deadJobs are the jobs that are tried no more, one alert a kind.
func (i *Installation) deadJobs(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	all, err := jobs.Look(ctx, i.DB)
	if err != nil {
		return nil, false, err
	}
	for _, s := range jobs.Sorted(all) {
		if n := s.Dead + s.GivenUp; n > 0 {
			out = append(out, alert.Finding{Key: "jobs:" + s.Kind, Kind: alert.Jobs, Severity: notify.Warning, Title: "Jobs " + s.Kind + " are tried no more",
				Cause: "They failed every time that they were tried, or cannot be done.", Count: n, Unit: "jobs", Command: "partnerguard db jobs",
				Path: "/collection", Fix: "look why, and revive them when that is mended"})
		}
	}
	return out, true, nil
}

// misfits are the anchors that hold what does not fit the trail, or are not reached for
// longer than a day.
func (i *Installation) misfits(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	stand, err := i.Trail.Standings(ctx)
	if err != nil {
		return nil, false, err
	}
	places, err := i.Keeper.Anchors()
	if err != nil {
		return nil, false, err
	}
	for _, s := range stand {
		if s.Failing.IsZero() || !slices.ContainsFunc(places, func(a trail.Anchor) bool { return a.Name() == s.Anchor }) {
			continue
		}
		misfit := strings.HasPrefix(s.Reason, "it holds a checkpoint") || strings.HasPrefix(s.Reason, "its checkpoint of")
		f := alert.Finding{Key: "trail:" + s.Anchor, Kind: alert.Trail, Severity: notify.Warning, Title: "An anchor of the audit trail is not reached",
			Cause: s.Reason, Since: s.Failing, Subjects: []string{s.Anchor}, Command: "partnerguard trail verify", Path: "/trail"}
		switch {
		case misfit:
			f.Severity, f.Title = notify.Urgent, "The audit trail does not fit what an anchor holds"
			f.Fix = "nobody should change anything now: keep a copy of the database, and compare with the anchor"
		case i.Now().Sub(s.Failing) < 24*time.Hour:
			continue
		}
		out = append(out, f)
	}
	return out, true, nil
}

// SealSecret seals a channel's secret in the vault, where settings name it vault:NAME.
func (i *Installation) SealSecret(ctx context.Context, name string, s secret.Text) error {
	return i.DB.InTx(ctx, func(ctx context.Context) error {
		if err := i.Vault.Put(ctx, notify.Ref(name), s); err != nil {
			return err
		}
		return i.Trail.Record(ctx, audit.Event{At: i.Now(), Action: audit.NotifySealed, Outcome: audit.Done, Actor: i.Actor, Object: name})
	})
}
