//go:build !judge

package app

import (
	"context"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/gateway/run"
	"partnerguard/internal/problem"
)

// GatewayReport is who would be refused. path names the gateway's file; "" is that of the
// settings, and where none is known modes and dates are not told.
func (i *Installation) GatewayReport(ctx context.Context, f ledger.Filter, path string) (*ledger.Report, error) {
	routes, err := i.gatewayRoutes(ctx, path)
	if err != nil {
		return nil, err
	}
	if i.Gateway.on != nil { // what is counted here and not written down yet
		if err := i.Gateway.Book.Flush(ctx); err != nil {
			return nil, err
		}
	}
	return i.Gateway.Book.Report(ctx, f, routes)
}

func (i *Installation) gatewayRoutes(ctx context.Context, path string) ([]ledger.Route, error) {
	t, err := i.GatewayTable(ctx, path)
	if err != nil && path == "" {
		i.Log.WarnContext(ctx, "the gateway's file is not known: modes and dates are not told", "err", err)
		return nil, nil
	}
	if err != nil || t == nil {
		return nil, err
	}
	return ledger.RoutesOf(t.Routes, i.Now()), nil
}

// GatewaySaid is what status says of a gateway.
type GatewaySaid struct {
	Routes  []GatewayRoute `json:"routes"`
	Revoked int            `json:"revocations"`
}

// GatewayRoute is a route as status says it.
type GatewayRoute struct {
	Name       string   `json:"name"`
	Says       string   `json:"line"`
	Ready      string   `json:"ready"`
	Exceptions []string `json:"exceptions"`
}

// GatewayStatus says how the routes are, by what came in the last day.
func (i *Installation) GatewayStatus(ctx context.Context, path string) (*GatewaySaid, error) {
	t, err := i.GatewayTable(ctx, path)
	if err != nil {
		return nil, err
	}
	now := i.Now()
	r, err := i.GatewayReport(ctx, ledger.Filter{Since: now.Add(-24 * time.Hour), Until: now}, path)
	if err != nil {
		return nil, err
	}
	by := map[string]*ledger.Ready{}
	for k := range r.Routes {
		by[r.Routes[k].Route] = &r.Routes[k]
	}
	out := &GatewaySaid{Routes: []GatewayRoute{}}
	add := func(name, line string, exceptions []string) {
		x := GatewayRoute{Name: name, Says: line, Exceptions: exceptions}
		if got := by[name]; got != nil {
			x.Ready, x.Says = got.Says, line
		}
		out.Routes = append(out.Routes, x)
		delete(by, name)
	}
	if t != nil {
		for k, line := range run.Banner(t, now) {
			route := t.Routes[k]
			_, line, _ = strings.Cut(line, ": ")
			add(route.Name, line, exceptionLines(route, now))
		}
	}
	for k := range r.Routes {
		if name := r.Routes[k].Route; by[name] != nil && name != "" {
			says := "not in the file any more"
			if t == nil {
				says = "its rule is not known here: --config names the gateway's file"
			}
			add(name, says, []string{})
		}
	}
	if i.Gateway.Revoke != nil {
		list, err := i.Gateway.Revoke.List(ctx)
		if err != nil {
			return nil, err
		}
		for k := range list {
			if list[k].Holds(now) {
				out.Revoked++
			}
		}
	}
	return out, nil
}

func exceptionLines(r *gateway.Route, now time.Time) []string {
	out := []string{}
	for _, e := range r.Exceptions {
		state := "until " + e.Until.UTC().Format("2006-01-02")
		if !now.Before(e.Until) {
			state = "over since " + e.Until.UTC().Format("2006-01-02")
		}
		out = append(out, e.Name+" ("+e.Owner+"), "+state+": "+e.Why)
	}
	return out
}

// RevokeAtGateway has somebody not come in any more. A user may be named by an account that
// came through the gateway: kind problem.NotFound where none did, or several.
func (i *Installation) RevokeAtGateway(ctx context.Context, r revoke.Revocation, actor string) (revoke.Revocation, error) {
	if r.Kind == revoke.User && strings.Contains(r.Value, "@") {
		whose, err := i.Gateway.Book.Whose(ctx, strings.TrimSpace(r.Value))
		if err != nil {
			return r, err
		}
		switch {
		case len(whose) == 0:
			return r, problem.New(problem.NotFound, "no account %.120q came through the gateway", r.Value).
				WithHint("name the user by the object id: Entra ID, Users, the account, Object ID")
		case len(whose) > 1:
			return r, problem.New(problem.NotFound, "several accounts were called %.120q", r.Value).WithHint("name the one by the object id: %s, %s",
				whose[0][1], whose[1][1])
		}
		r.Tenant, r.Value = whose[0][0], whose[0][1]
	}
	return i.Gateway.Revoke.Revoke(ctx, r, actor)
}
