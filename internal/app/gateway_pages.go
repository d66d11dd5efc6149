//go:build !judge

package app

import (
	"cmp"
	"context"
	"time"

	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/pages"
)

// gatewayPages are the console's pages of the gateway.
func (i *Installation) gatewayPages() pager {
	p := &pages.Pages{
		Report: func(ctx context.Context, since time.Time) (*ledger.Report, error) {
			return i.GatewayReport(ctx, ledger.Filter{Since: since, Until: i.Now()}, "")
		},
		Hours: func(ctx context.Context, since time.Time) ([]ledger.Hour, error) {
			return i.Gateway.Book.Hours(ctx, since, "")
		},
		Exceptions:  func(ctx context.Context) ([]pages.Exception, error) { return i.gatewayExceptions(ctx) },
		Authorities: i.gatewayAuthorities, Now: i.Now,
	}
	if i.Gateway.Revoke != nil {
		p.Revocations, p.Revoke, p.Unrevoke = i.Gateway.Revoke.List, i.RevokeAtGateway, i.Gateway.Revoke.Unrevoke
	}
	return p
}

// gatewayExceptions are those of the file that is known. One that cannot be read has none
// that are known, and whoever runs the gateway is told of it elsewhere.
func (i *Installation) gatewayExceptions(ctx context.Context) (out []pages.Exception, err error) {
	t, err := i.GatewayTable(ctx, "")
	if err != nil || t == nil {
		return nil, nil //nolint:nilerr // see above
	}
	for _, r := range t.Routes {
		for _, e := range r.Exceptions {
			out = append(out, pages.Exception{Route: r.Name, Name: e.Name, For: cmp.Or(e.Account, e.App), Owner: e.Owner, Why: e.Why, Until: e.Until})
		}
	}
	return out, nil
}

// gatewayAuthorities are how it stands with the keys, where the gateway runs here.
func (i *Installation) gatewayAuthorities() (out []pages.Authority) {
	if i.Gateway.on == nil {
		return nil
	}
	for _, a := range i.Gateway.on.verifier.Status().Authorities {
		out = append(out, pages.Authority{Name: a.Name, State: string(a.State), Why: a.Why, Keys: len(a.Keys), Read: a.Read, Alarm: a.Alarm()})
	}
	return out
}
