package people

import (
	"context"
	"slices"
	"strings"
	"sync"

	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/snapshot"
)

// Deps is what a Feature needs.
type Deps struct {
	Snapshot *snapshot.Store // required
	// Trend gives the days of a tenant, oldest first; nil: there are no trends.
	Trend func(ctx context.Context, tenant string) ([]TrendDay, error)
}

// TrendDay is one day of the accounts of a tenant. A number that was not kept is -1.
type TrendDay struct {
	Day                                   string // 2006-01-02
	Open, Seen, None, Resistant, Accounts int
}

// Feature shows people. Safe for concurrent use.
type Feature struct {
	d    Deps
	list *screen.List[Row]

	mu       sync.Mutex
	prepared map[string]*prepared // by tenant
	facets   map[facets]*facets
	all      *everybody // nil: nobody asked for them yet

	making sync.Mutex // is held by whoever makes all anew
}

// prepared are the rows of one version of a part, as they are shown.
type prepared struct {
	version string
	rows    []Row
	counts  counts
	part    *Part // without its rows
}

// facets are the values that rows are narrowed by. Rows that have the same share them:
// a page over all tenants looks at each.
type facets struct {
	proof, log, factor, class, enabled, verdict, ordinary, legacy string
	lists                                                         *[8][]string
}

// New makes the feature.
func New(d Deps) (*Feature, error) {
	if d.Snapshot == nil {
		return nil, problem.New(problem.Internal, "people have no snapshots")
	}
	f := &Feature{d: d, prepared: map[string]*prepared{}, facets: map[facets]*facets{}}
	f.list = f.rowsOf()
	return f, nil
}

// of are the rows of a tenant, with its part. Both are shared, and never changed.
func (f *Feature) of(ctx context.Context, tenant string) (*Part, *prepared, error) {
	p, m, err := snapshot.Get[Part](ctx, f.d.Snapshot, tenant, PartName)
	if err != nil {
		return nil, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return p, f.prepare(p, m.Tenant, m.Version), nil
}

// prepare makes the rows of a version once. The lock is held.
func (f *Feature) prepare(p *Part, tenant, version string) *prepared {
	if is := f.prepared[tenant]; is != nil && is.version == version {
		return is
	}
	rows := slices.Clone(p.Rows)
	for i := range rows {
		r := &rows[i]
		if r.Set > 0 && r.Set <= len(p.Sets) {
			r.Policies = p.Sets[r.Set-1]
		}
		if r.Gap > 0 && r.Gap <= len(p.Gaps) {
			r.Opening = &p.Gaps[r.Gap-1]
		}
		r.Set, r.Gap, r.days, r.name, r.at, r.facets = 0, 0, p.Days, r.key(), i, f.facetsOf(r)
		r.hay = r.looked()
	}
	head := *p
	head.Rows = nil
	f.prepared[tenant] = &prepared{version, rows, count(rows), &head}
	return f.prepared[tenant]
}

func newFacets(r *Row) facets {
	x := facets{proof: r.Proof, log: r.Log, factor: r.Factor, class: r.Class, enabled: r.Enabled, verdict: r.Verdict, ordinary: r.Ordinary, legacy: No}
	if len(r.Legacy) > 0 {
		x.legacy = Yes
	}
	return x
}

func (x *facets) made() *facets {
	x.lists = &[8][]string{{x.proof}, {x.log}, {x.factor}, {x.class}, {x.enabled}, {x.verdict}, {x.ordinary}, {x.legacy}}
	return x
}

// facet is one of the values; a row that nobody prepared makes them.
func (r *Row) facet(i int) []string {
	if r.facets == nil {
		x := newFacets(r)
		return x.made().lists[i]
	}
	return r.facets.lists[i]
}

// looked is what is looked through.
func (r *Row) looked() string {
	if r.hay != "" {
		return r.hay
	}
	return strings.ToLower(strings.Join([]string{r.Name, r.UPN, r.ID, r.Class, strings.Join(r.Roles, " ")}, "\n"))
}

// id names the row over all tenants.
func (r *Row) id() string {
	if r.name != "" {
		return r.name
	}
	return r.key()
}

// facetsOf are the values of a row, shared. The lock is held.
func (f *Feature) facetsOf(r *Row) *facets {
	x := newFacets(r)
	if is := f.facets[x]; is != nil {
		return is
	}
	made := x
	f.facets[x] = made.made()
	return &made
}

// counted are the numbers of the tenants that a viewer may see.
func (f *Feature) counted(v *screen.Viewer, parts []*Part) counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := counts{factors: map[string]int{}}
	for _, p := range parts {
		if is := f.prepared[p.Tenant]; is != nil && v.Sees(p.Tenant) {
			out.add(&is.counts)
		}
	}
	return out
}

// find are the accounts that a person may mean, for the palette: those whose name, user
// principal name or id holds every word, the ones that begin with it first.
func (f *Feature) find(ctx context.Context, v *screen.Viewer, q string, limit int) []screen.Hit {
	words := strings.Fields(strings.ToLower(q))
	if len(words) == 0 || limit <= 0 {
		return nil
	}
	_, all, err := f.everyone(ctx)
	if err != nil {
		return nil
	}
	rows := all.rows
	var first, rest []screen.Hit
	for i := range rows {
		r := &rows[i]
		if !v.Sees(r.Tenant) || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(r.hay, w) }) {
			continue
		}
		h := screen.Hit{Title: r.called(), Sub: r.UPN, Path: r.path(), Icon: "people"}
		if begins := strings.HasPrefix(r.hay, words[0]) || strings.Contains(r.hay, "\n"+words[0]); begins {
			first = append(first, h)
		} else if len(rest) < limit {
			rest = append(rest, h)
		}
		if len(first) >= limit {
			break
		}
	}
	return append(first, rest[:min(len(rest), limit-len(first))]...)
}

// called is what a person knows an account by.
func (r *Row) called() string {
	for _, s := range []string{r.Name, r.UPN, r.ID} {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return "an account without a name"
}

// key names a row over all tenants.
func (r *Row) key() string {
	if r.ID != "" {
		return r.Tenant + "/" + strings.ToLower(r.ID)
	}
	return r.Tenant + "/" + strings.ToLower(r.UPN)
}

// path opens the row.
func (r *Row) path() string { return screen.With("/people", "tenant", r.Tenant, "row", r.id()) }
