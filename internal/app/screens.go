//go:build !judge

package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"partnerguard/internal/collect"
	"partnerguard/internal/jobs"
	"partnerguard/internal/screen"
)

// pager has pages of the console.
type pager interface{ Screens() []screen.Screen }

// screens are the pages of all features: of those that are modules, and of those that
// are nothing but pages. What pages set going goes to q.
func (i *Installation) screens(q *jobs.Queue) (out []screen.Screen) {
	for _, m := range i.modules() {
		if f, ok := m.feature.(pager); ok {
			out = append(out, f.Screens()...)
		}
	}
	for _, p := range i.pagers(q) {
		out = append(out, p.Screens()...)
	}
	return out
}

// pagers are what has pages and is no module, one line each.
func (i *Installation) pagers(q *jobs.Queue) []pager {
	recent := &collect.Recent{Collector: i.Collect}
	list := []pager{i.People, i.Cover, i.customerPages(recent), i.readingPages(recent, q), i.delegationPages(), i.spendPage(), i.gatewayPages(),
		i.practicePages(), i.packPages(q), i.remedyPages()}
	if p := i.fraudPages(); p != nil {
		list = append(list, p)
	}
	if p := i.connectionPages(q); p != nil {
		list = append(list, p)
	}
	return list
}

// tenants are those that facts are of, the partner's own first, then by name.
func (i *Installation) tenants(ctx context.Context) ([]screen.Tenant, error) {
	list, err := i.Collect.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]screen.Tenant, 0, len(list))
	for _, t := range list {
		out = append(out, screen.Tenant{ID: strings.ToLower(t.ID), Name: t.Name, Domain: t.Domain, Partner: t.Partner, Local: i.Lab()})
	}
	slices.SortFunc(out, func(a, b screen.Tenant) int {
		if a.Partner != b.Partner {
			return cmp.Compare(b2i(b.Partner), b2i(a.Partner))
		}
		return cmp.Or(strings.Compare(strings.ToLower(cmp.Or(a.Name, a.Domain)), strings.ToLower(cmp.Or(b.Name, b.Domain))), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
