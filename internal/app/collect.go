//go:build !judge

package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"partnerguard/internal/collect"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
)

// collector makes what reads live tenants; without the vault it only tells what is
// known of the readings.
func (i *Installation) collector() (*collect.Collector, error) {
	d := collect.Deps{DB: i.DB, Config: &i.Config.Collect, Now: i.Now, Log: i.Log}
	if i.SAM != nil {
		d.Walker = i.API
		d.Begin = func(tenant string) (collect.Writer, error) { return i.Archive.Begin(tenant) }
		d.Partner, d.Target, d.Right = i.collectPartner, i.collectTarget, i.clockIsRight
		d.Judged, d.Groups = i.judged, i.delegatedGroups
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
	off := i.Now().Sub(theirs)
	i.skew.Store(&skew{off, i.Now()})
	if off > maxSkew || off < -maxSkew {
		way := "ahead of"
		if off < 0 {
			way, off = "behind", -off
		}
		return problem.New(problem.Unavailable, "this machine's clock is %s %s Microsoft's: no log is read by it", off.Round(time.Second), way).
			WithHint("set the clock, and keep it right by NTP: timedatectl set-ntp true")
	}
	return nil
}

// judged is called after a round of a tenant that read something: the partner's own
// is judged, and of a customer's the sign-ins are rolled up.
func (i *Installation) judged(ctx context.Context, tenant string) error {
	t, err := i.Collect.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	if !t.Partner {
		return i.KeepDays(ctx, t.ID)
	}
	j, kept, err := i.KeepRound(ctx, t.ID)
	if err == nil && i.OnKept != nil {
		i.OnKept(j, kept)
	}
	return err
}

// CollectNow reads live tenants once; see [collect.Collector.All]. What was read is
// judged, where somebody wants it to be.
func (i *Installation) CollectNow(ctx context.Context, tenant string, a collect.Ask, each func(collect.Round, error)) error {
	return i.Collect.All(ctx, tenant, a, func(r collect.Round, err error) {
		if err == nil && r.Pages > 0 {
			if jerr := i.judged(ctx, r.Tenant.ID); jerr != nil {
				i.Log.WarnContext(ctx, "what was read was not judged", "tenant", r.Tenant.ID, "error", jerr)
			}
		}
		each(r, err)
	})
}

// CollectPlan tells what would be asked of a tenant, or of all with "", and what is
// missing for it: the connection's permissions are asked for, once for each API of the
// partner's tenant and, where one is named, of the customer's.
func (i *Installation) CollectPlan(ctx context.Context, tenant string) (collect.Plan, error) {
	if _, err := i.Collect.Meet(ctx); err != nil {
		return collect.Plan{}, err
	}
	list, err := i.Collect.Tenants(ctx)
	if err != nil {
		return collect.Plan{}, err
	}
	if tenant != "" {
		t, err := i.Collect.Tenant(ctx, tenant)
		if err != nil {
			return collect.Plan{}, err
		}
		list = []collect.Tenant{t}
	}
	granted := map[string]held{}
	return i.Collect.Plan(ctx, list, func(t collect.Tenant, r evidence.Resource) (string, string) {
		if !t.Partner && tenant == "" {
			return "", ""
		}
		return i.lacks(ctx, granted, t, r)
	})
}

// held is what a token says that the app may do in a tenant.
type held struct {
	scopes []string
	err    error
}

// lacks names the permission that a resource lacks in a tenant.
func (i *Installation) lacks(ctx context.Context, granted map[string]held, t collect.Tenant, r evidence.Resource) (what, fix string) {
	resource, needed := "", r.Permissions
	switch r.Service {
	case evidence.Graph:
		resource = i.Cloud.GraphResource
	case evidence.PartnerCenter:
		resource, needed = i.Cloud.PartnerCenterResource, []string{"user_impersonation"}
		t.ID = ""
	case evidence.ARM:
		resource, needed = i.Cloud.ARMResource, []string{"user_impersonation"}
	default:
		return "", ""
	}
	key := t.ID + " " + resource
	h, known := granted[key]
	if !known {
		h.scopes, h.err = i.scopes(ctx, t, resource)
		granted[key] = h
	}
	fix = "partnerguard connect --feature " + collect.FeatureOfPartner
	if !t.Partner {
		fix = "partnerguard customers consent --apply --customer " + t.Domain + " --feature " + collect.FeaturesOfCustomer
	}
	if h.err != nil {
		return "a token: " + h.err.Error(), problem.HintOf(h.err)
	}
	missing := capture.Diff(map[string][]string{resource: h.scopes}, map[string][]string{resource: needed}).Missing[resource]
	if len(missing) == 0 {
		return "", ""
	}
	return "permission " + strings.Join(missing, ", "), fix
}

// scopes are what the connection's token has in a tenant.
func (i *Installation) scopes(ctx context.Context, t collect.Tenant, resource string) ([]string, error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return nil, err
	}
	x, err := i.SAM.Exchange()
	if err != nil {
		return nil, err
	}
	who := t.ID
	if t.Partner || who == "" {
		who = "partner"
	}
	return x.Access(ctx, c.ID, who, resource)
}
