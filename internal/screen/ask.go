package screen

import (
	"context"
	"net/url"
	"slices"
	"time"

	"partnerguard/internal/problem"
)

// NewAsk settles a request's address for a page: which tenant, which rows, in what
// order. tenants are all there are; those that the viewer may not know of are as good as
// none. Kinds problem.Usage for what is not understood, problem.NotFound for a tenant
// that is not there or not the viewer's, problem.Forbidden where the page's tenant is not.
func NewAsk(s *Screen, v *Viewer, tenants []Tenant, values url.Values, now time.Time) (*Ask, error) {
	a := &Ask{Viewer: v, Now: now, Values: url.Values{}}
	for _, t := range tenants {
		if v.Sees(t.ID) {
			a.Tenants = append(a.Tenants, t)
		}
	}
	var more []string
	for i := range s.Params {
		more = append(more, s.Params[i].Name)
	}
	var err error
	if a.Query, err = Parse(s.List, values, more...); err != nil {
		return nil, err
	}
	for i := range s.Params {
		p := &s.Params[i]
		list, has := values[p.Name]
		if !has {
			continue
		}
		for _, x := range list {
			if x != "" && len(p.Enum) > 0 && !slices.Contains(p.Enum, x) {
				return nil, unknown(p.Name, x, p.Enum)
			}
		}
		a.Values[p.Name] = list
	}
	named := values["tenant"]
	if len(named) > 1 {
		return nil, problem.New(problem.Usage, "tenant is in the address more than once")
	}
	if len(named) == 1 && named[0] != "" {
		i := slices.IndexFunc(a.Tenants, func(t Tenant) bool { return t.ID == named[0] || t.Domain != "" && t.Domain == named[0] })
		if i < 0 {
			return nil, problem.New(problem.NotFound, "there is no such tenant here").WithHint("/tenants lists those that you may see")
		}
		a.Tenant = a.Tenants[i]
	}
	return a, a.settle(s, tenants)
}

// settle gives a page that is of one tenant the partner's, where none is named.
func (a *Ask) settle(s *Screen, all []Tenant) error {
	switch {
	case s.Over == OfHouse || s.Over == OfAll || s.Over == OfTenant && a.Tenant.ID != "" || a.Tenant.Partner:
		return nil
	case a.Tenant.ID != "":
		return problem.New(problem.Usage, "%s goes over the partner's own tenant alone", s.Title).WithHint("leave tenant out of the address")
	}
	if i := slices.IndexFunc(a.Tenants, func(t Tenant) bool { return t.Partner }); i >= 0 {
		a.Tenant = a.Tenants[i]
		return nil
	}
	switch {
	case s.Over == OfTenant && len(a.Tenants) > 0:
		a.Tenant = a.Tenants[0]
		return nil
	case len(all) > 0:
		return problem.New(problem.Forbidden, "this page is of a tenant that you were not given").WithHint("ask whoever gave you your role")
	}
	return problem.New(problem.NotFound, "no tenant is connected yet").
		WithHint("connect one: partnerguard connect, or partnerguard up for a local partner cloud")
}

// Loaded is what a page answered.
type Loaded struct {
	Ask  *Ask
	View *View
	Rows *Selection // nil: the page has no list
}

// Answer loads the page and narrows its rows.
func (s *Screen) Answer(ctx context.Context, a *Ask) (*Loaded, error) {
	v, err := s.Load(ctx, a)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, problem.New(problem.Internal, "the page %s answered nothing", s.Name)
	}
	l := &Loaded{Ask: a, View: v}
	if v.Rows != nil {
		l.Rows = v.Rows.Select(a.Viewer, a.Query)
	}
	return l, nil
}
