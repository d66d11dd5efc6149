//go:build !judge

package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/evidence"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// seenMaker makes of a customer's judgement since when rights there are known.
type seenMaker struct{ i *Installation }

func (seenMaker) visitor(whereIs) signin.Visitor { return nil }

func (m seenMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	tenant = strings.ToLower(tenant)
	before, _, err := snapshot.Get[watch.Seen](ctx, m.i.Snapshot, tenant, watch.SeenName)
	if errors.Is(err, problem.NotFound) || errors.Is(err, snapshot.ErrBroken) {
		before, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	own := delegation.BuildOwn(j.Facts)
	granted := j.Facts.Whole(evidence.OAuth2PermissionGrant) && j.Facts.Whole(evidence.AppRoleAssignment) && j.Facts.Whole(evidence.ServicePrincipal)
	next := watch.Next(before, own.Azure, own.AzureRead == delegation.Yes, own.Consents, granted, j.Report.AsOf)
	return map[string]any{watch.SeenName: next}, nil
}

// watchInput is what was collected and judged of delegated rights. Kind problem.NotFound where nothing was.
func (i *Installation) watchInput(ctx context.Context) (in watch.Input, err error) {
	if i.Snapshot == nil { // it is only looked at
		return in, problem.New(problem.NotFound, "nothing is kept here")
	}
	seen, _, err := i.RecommendFrom(ctx, RecommendQuestion{})
	if err != nil {
		return in, err
	}
	in = watch.Input{Inventory: seen.Inventory, Recommend: recommend.Run(seen), Use: seen.Use, Seen: map[string]*watch.Seen{}, AsOf: i.Now().UTC()}
	for x, err := range snapshot.All[watch.Seen](ctx, i.Snapshot, watch.SeenName) {
		if err != nil && x.Tenant == "" {
			return in, err
		}
		if err == nil { // one that cannot be read begins anew
			in.Seen[x.Tenant] = x.Part
		}
	}
	return in, nil
}

// DelegationWatch says of what was collected which relationships end within days (0: the first of
// watch.Stages); all adds what else is to be looked at. Kind problem.NotFound where nothing was collected yet.
func (i *Installation) DelegationWatch(ctx context.Context, asOf time.Time, days int, all bool) (*watch.Report, error) {
	in, err := i.watchInput(ctx)
	if err != nil {
		return nil, err
	}
	if !asOf.IsZero() {
		in.AsOf = asOf
	}
	in.Days = days
	return watchReport(in, all), nil
}

// watchMaker makes of the partner's judgement what is to be looked at of delegated rights, so that
// who looks often needs not derive it each time.
type watchMaker struct{ i *Installation }

func (watchMaker) visitor(whereIs) signin.Visitor { return nil }

func (m watchMaker) parts(ctx context.Context, j *Judged, _ string) (map[string]any, error) {
	own := map[string]*delegation.Own{}
	for x, err := range snapshot.All[delegation.Own](ctx, m.i.Snapshot, delegation.OwnName) {
		if err != nil && x.Tenant == "" {
			return nil, err
		}
		if err == nil {
			own[x.Tenant] = x.Part
		}
	}
	inv := delegation.Join(delegation.Build(j.Facts, j.Report.AsOf), own)
	in, err := m.i.watchInput(ctx)
	if err != nil && !errors.Is(err, problem.NotFound) { // the first round has nothing before it
		return nil, err
	}
	in.Inventory, in.AsOf = inv, j.Report.AsOf
	return map[string]any{watch.KeptName: watch.Keep(watch.Find(in))}, nil
}

// delegated is what the judgement of the partner takes of the customers' logs; nil where nothing is known.
func (i *Installation) delegated(ctx context.Context) (*Delegated, error) {
	in, err := i.watchInput(ctx)
	if errors.Is(err, problem.NotFound) {
		return nil, nil //nolint:nilnil // nothing is known
	}
	if err != nil {
		return nil, err
	}
	return &Delegated{Use: in.Use, Recommend: in.Recommend}, nil
}

// told are the findings that are alerts of their own, and how they are told. The ends of
// relationships are deadlines; what a relationship carries, the requirements tell.
var told = map[watch.Kind]struct{ title, unit string }{
	watch.Left:     {"People who left are still in groups that reach customers", "people"},
	watch.Inactive: {"DAP that nobody used for 90 days is in place", "customers"},
	watch.Unused:   {"Groups hold roles that nobody used", "groups"},
	watch.Azure:    {}, // each its own
	watch.Grew:     {},
}

// delegationAlerts are what is to be looked at of delegated rights.
func (i *Installation) delegationAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.Snapshot == nil { // it is only looked at
		return nil, false, nil
	}
	var list []watch.Finding
	for x, err := range snapshot.All[watch.Kept](ctx, i.Snapshot, watch.KeptName) {
		if err != nil {
			return nil, false, err
		}
		list = append(list, x.Part.Findings...)
	}
	at := map[watch.Kind]int{}
	for _, x := range list {
		how, is := told[x.Kind]
		if !is || !x.Sure {
			continue
		}
		f := alert.Finding{Key: "delegation:" + x.ID, Kind: alert.Delegation, Severity: notify.Severity(x.Severity), Tenant: x.Customer, Title: x.What,
			Since: x.Since, Path: "/delegation", Fix: x.Do, Command: "partnerguard delegation expiring --all"}
		if x.Where != "" {
			f.Cause = "At " + x.Where + "."
		}
		if how.title == "" {
			out = append(out, f)
			continue
		}
		n, has := at[x.Kind]
		if !has {
			n, at[x.Kind] = len(out), len(out)
			f.Key, f.Title, f.Unit, f.Cause = "delegation:"+string(x.Kind), how.title, how.unit, ""
			f.Count, f.Subjects, f.Since = 0, nil, time.Time{}
			out = append(out, f)
		}
		g := &out[n]
		g.Count++
		g.Subjects = append(g.Subjects, subject(&x))
		if g.Tenant != x.Customer {
			g.Tenant = ""
		}
		if f.Severity.Rank() < g.Severity.Rank() {
			g.Severity = f.Severity
		}
	}
	return out, true, nil
}

// subject names one of many.
func subject(x *watch.Finding) string {
	switch {
	case x.Kind == watch.Left:
		return fmt.Sprintf("%s (%s)", x.What, x.Where)
	case x.CustomerName != "" && x.Kind == watch.Inactive:
		return x.CustomerName
	}
	return x.Where
}
