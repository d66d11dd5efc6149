package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

const (
	maxFound   = 8   // of what one page finds, and of tenants
	maxTenants = 200 // that the page of tenants lists
)

// own reads a page's address that has these members alone, each once.
func own(r *http.Request, members ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 4<<10 {
		return nil, problem.New(problem.Usage, "the part of the address behind the ? is not understood")
	}
	for name, list := range values {
		if !slices.Contains(members, name) {
			return nil, problem.New(problem.Usage, "the address says more than is known here").WithHint("there is %s", strings.Join(members, ", "))
		}
		if len(list) > 1 || len(list[0]) > 256 || !utf8.ValidString(list[0]) {
			return nil, problem.New(problem.Usage, "%s in the address is there twice, or longer than 256 bytes", name)
		}
	}
	return values, nil
}

// matching says whether every word is somewhere in the texts.
func matching(q string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(q)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// search is the palette: pages, tenants, and what the pages find.
func (c *Console) search(w http.ResponseWriter, r *http.Request) error {
	values, err := own(r, "q", "tenant")
	if err != nil {
		return err
	}
	v, q := ViewerOf(r.Context()), strings.TrimSpace(values.Get("q"))
	tenant := values.Get("tenant")
	var hits []screen.Hit
	for i := range c.pages.Screens {
		s := &c.pages.Screens[i]
		if s.Group != screen.Nowhere && v.May(s.See) && matching(q, s.Title, s.About, string(s.Group)) {
			hits = append(hits, screen.Hit{Title: s.Title, Sub: s.About, Path: "/" + s.Name, Icon: s.Icon})
		}
	}
	if q != "" {
		list, err := c.allTenants(r.Context())
		if err != nil {
			return err
		}
		hits = append(hits, c.foundTenants(v, list, q)...)
		for i := range c.pages.Screens {
			if s := &c.pages.Screens[i]; s.Find != nil && v.May(s.See) {
				hits = append(hits, s.Find(r.Context(), v, q, maxFound)...)
			}
		}
	}
	return c.write(w, r, http.StatusOK, nil, &screen.Page{Title: "Search", Body: []screen.Block{screen.Found{Query: q, Tenant: tenant, Hits: hits}}})
}

func (c *Console) foundTenants(v *screen.Viewer, list []screen.Tenant, q string) (hits []screen.Hit) {
	to := c.ofTenant(v)
	for i := range list {
		t := &list[i]
		if to != "" && len(hits) < maxFound && v.Sees(t.ID) && matching(q, t.Name, t.Domain, t.ID) {
			sub := t.Domain
			if t.Partner {
				sub = "partner"
			}
			hits = append(hits, screen.Hit{Title: t.Called(), Sub: sub, Path: screen.With("/"+to, "tenant", t.ID), Icon: "customers"})
		}
	}
	return hits
}

// ofTenant is the first page of a tenant that the viewer may see.
func (c *Console) ofTenant(v *screen.Viewer) string {
	for i := range c.pages.Screens {
		if s := &c.pages.Screens[i]; s.Group != screen.Nowhere && (s.Over == screen.OfTenant || s.Over == screen.OfAll) && v.May(s.See) {
			return s.Name
		}
	}
	return ""
}

// tenants is the page to choose a tenant at, which works without a script.
func (c *Console) tenants(w http.ResponseWriter, r *http.Request) error {
	values, err := own(r, "q", "to")
	if err != nil {
		return err
	}
	v, q, to := ViewerOf(r.Context()), strings.TrimSpace(values.Get("q")), values.Get("to")
	if !slices.ContainsFunc(c.pages.Screens, func(s screen.Screen) bool { return s.Name == to && v.May(s.See) }) {
		to = c.ofTenant(v)
	}
	list, err := c.allTenants(r.Context())
	if err != nil {
		return err
	}
	found, more := screen.Found{Query: q, Path: "/tenants", To: to, What: "tenant, domain or id"}, 0
	for i := range list {
		t := &list[i]
		switch {
		case !v.Sees(t.ID) || !matching(q, t.Name, t.Domain, t.ID):
		case len(found.Hits) == maxTenants:
			more++
		default:
			found.Hits = append(found.Hits, screen.Hit{Title: t.Called(), Sub: t.Domain, Path: screen.With("/"+to, "tenant", t.ID), Icon: "customers"})
		}
	}
	if more > 0 {
		found.More = print.Plural(int64(more), "tenants") + " more: narrow the search"
	}
	return c.write(w, r, http.StatusOK, nil, &screen.Page{Title: "Tenants", Body: []screen.Block{found}})
}
