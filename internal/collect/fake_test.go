package collect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/trail"
)

const (
	partnerID  = "aaaaaaaa-0000-4000-8000-000000000001"
	customerID = "bbbbbbbb-0000-4000-8000-000000000002"
)

var began = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// service is a Microsoft that holds lists and a log, a page for each item and a page
// for each hour.
type service struct {
	clock *clock
	lists map[string][]string // by resource: pages
	asked []string            // what was asked, in order

	vague bool // it does not say which hour is lost

	// fault, when set, is asked before each answer, by resource and what it is.
	fault func(resource, what string) error
}

// Walk gives the pages of a list, or the hours of a log. A position is how many pages
// are behind.
func (s *service) Walk(ctx context.Context, t msapi.Target, r evidence.Resource, span msapi.Span, w msapi.Resume) iter.Seq2[*msapi.Answer, error] {
	return func(yield func(*msapi.Answer, error) bool) {
		at, _ := strconv.Atoi(w.Position)
		n := len(s.lists[r.Name])
		hour := func(i int) time.Time { return span.From.Add(time.Duration(i) * time.Hour) }
		if r.Way == evidence.Sliced {
			n = int((span.To.Sub(span.From) + time.Hour - 1) / time.Hour)
		}
		for i := at; i < n; i++ {
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			a := &msapi.Answer{At: s.clock.now(), Status: 200, Number: w.Number, Position: strconv.Itoa(i + 1), Last: i+1 == n}
			w.Number++
			what := strconv.Itoa(i)
			if r.Way == evidence.Sliced {
				a.From, a.To = hour(i), hour(i+1)
				if a.To.After(span.To) {
					a.To = span.To
				}
				a.Covered = a.To
				what = a.From.Format(time.RFC3339)
				a.Body = []byte(`{"value":[{"id":"` + what + `"}]}`)
			} else {
				a.Body = []byte(s.lists[r.Name][i])
			}
			a.Request = "GET /" + r.Name + "?page=" + what
			s.asked = append(s.asked, r.Name+" "+what)
			if s.fault != nil {
				if err := s.fault(r.Name, what); err != nil {
					if p, is := err.(*msapi.Poisoned); is {
						p.Request, p.Position, p.Span = a.Request, a.Position, msapi.Span{From: a.From, To: a.To}
						if s.vague {
							p.Span = msapi.Span{}
						}
						if !yield(nil, p) {
							return
						}
						continue
					}
					if f, is := err.(*msapi.Refused); is {
						a.Status, a.Body, a.Last = 403, []byte(`{"error":{"code":"`+f.Code+`"}}`), true
						if !yield(a, nil) {
							return
						}
					}
					yield(nil, err)
					return
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// plan is a small table of resources.
func plan() []evidence.Resource {
	users := evidence.Resource{Name: "users", Way: evidence.Whole, Scope: evidence.OfBoth, Every: 6 * time.Hour}
	users.Kind, users.Service, users.Path = evidence.User, evidence.Graph, "/users"
	log := evidence.Resource{Name: "log", Way: evidence.Sliced, Scope: evidence.OfPartner, Every: time.Hour, Back: 72 * time.Hour, Overlap: 2 * time.Hour,
		Slice: 6 * time.Hour, Fallback: []string{"users"}}
	log.Kind, log.Service, log.Path, log.Version, log.Permissions = evidence.SignIn, evidence.Graph, "/log", "v1.0", []string{"AuditLog.Read.All"}
	customers := evidence.Resource{Name: "customers", Way: evidence.Whole, Scope: evidence.OfPartner, Every: 24 * time.Hour}
	customers.Kind, customers.Service, customers.Path = evidence.Customer, evidence.PartnerCenter, "/v1/customers"
	return []evidence.Resource{users, log, customers}
}

func customerPage() string {
	return `{"items":[{"id":"` + customerID + `","companyProfile":{"tenantId":"` + customerID + `","domain":"fabrikam.example","companyName":"Fabrikam"}}]}`
}

// rig is a collector over a database, with an archive in a folder.
type rig struct {
	*testing.T
	*collect.Collector
	clock   *clock
	service *service
	archive *archive.Archive
	db      *db.DB
	dir     string
}

func newRig(t *testing.T, d *db.DB) *rig {
	t.Helper()
	c := &clock{at: began}
	r := &rig{T: t, clock: c, db: d, dir: filepath.Join(t.TempDir(), "archive"), service: &service{clock: c, lists: map[string][]string{
		"customers": {customerPage()},
	}}}
	for i := range 5 {
		r.service.lists["users"] = append(r.service.lists["users"], fmt.Sprintf(`{"value":[{"id":"u%d"}]}`, i))
	}
	r.open()
	if _, err := r.Meet(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// open makes the collector anew, as a process that starts does.
func (r *rig) open(change ...func(*collect.Deps)) {
	r.Helper()
	tr, err := trail.Open(r.Context(), r.db, trail.Options{Now: r.clock.now})
	if err != nil {
		r.Fatal(err)
	}
	if r.archive, err = archive.Open(archive.Deps{DB: r.db, Trail: tr, Dir: r.dir, Now: r.clock.now}); err != nil {
		r.Fatal(err)
	}
	d := collect.Deps{
		DB: r.db, Now: r.clock.now, Plan: plan(), Walker: r.service,
		Begin: func(tenant string) (collect.Writer, error) { return r.archive.Begin(tenant) },
		Partner: func(context.Context) (collect.Tenant, error) {
			return collect.Tenant{ID: partnerID, Domain: "contoso.example"}, nil
		},
		Target: func(_ context.Context, t collect.Tenant) (msapi.Target, error) {
			return msapi.Target{Tenant: t.ID}, nil
		},
	}
	for _, f := range change {
		f(&d)
	}
	if r.Collector, err = collect.New(d); err != nil {
		r.Fatal(err)
	}
}

// round reads the partner's tenant.
func (r *rig) round(a collect.Ask) collect.Round {
	r.Helper()
	out, err := r.Round(r.Context(), partnerID, a)
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// outcome is what became of a resource.
func outcome(r collect.Round, name string) collect.Result {
	i := slices.IndexFunc(r.Results, func(x collect.Result) bool { return x.Resource == name })
	if i < 0 {
		return collect.Result{}
	}
	return r.Results[i]
}

// kept are the pages of the archive: resource, number and body; and the runs.
func (r *rig) kept() (pages []string, runs []archive.Run) {
	r.Helper()
	for s, err := range r.archive.Segments(r.Context(), archive.Query{}) {
		if err != nil {
			r.Fatal(err)
		}
		if err := r.archive.Read(r.Context(), s, func(p *archive.Page) error {
			pages = append(pages, p.Run+" "+p.Resource+" "+strconv.Itoa(p.Number)+" "+string(p.Body))
			return nil
		}, func(run *archive.Run) error { runs = append(runs, *run); return nil }); err != nil {
			r.Fatal(err)
		}
	}
	return pages, runs
}

// of counts the pages that hold a text.
func of(pages []string, text string) (n int) {
	for _, p := range pages {
		if strings.Contains(p, text) {
			n++
		}
	}
	return n
}

// gaps are what is missing of a tenant, each with its reason.
func (r *rig) gaps(tenant string) (out []string) {
	r.Helper()
	return r.gapsAt(tenant, time.Time{})
}

func (r *rig) gapsAt(tenant string, at time.Time) (out []string) {
	r.Helper()
	list, err := r.Gaps(r.Context(), tenant, at)
	if err != nil {
		r.Fatal(err)
	}
	for _, g := range list {
		s := g.Resource + " " + string(g.Reason)
		if g.Of != "" {
			s += " of " + g.Of
		}
		if g.Interval() {
			s += " " + g.From.Format("02T15:04") + "-" + g.To.Format("02T15:04")
		}
		if g.Lost {
			s += " lost"
		}
		out = append(out, s)
	}
	return out
}

func (r *rig) wantGaps(tenant string, want ...string) {
	r.Helper()
	if got := r.gaps(tenant); !slices.Equal(got, want) {
		b, _ := json.MarshalIndent(got, "", " ")
		r.Errorf("gaps %s, want %q", b, want)
	}
}

func (r *rig) wantGapsAt(tenant string, at time.Time, want ...string) {
	r.Helper()
	if got := r.gapsAt(tenant, at); !slices.Equal(got, want) {
		r.Errorf("gaps as of %s: %q, want %q", at.Format("02T15:04"), got, want)
	}
}

// poison spoils an answer while bad.
func poison(bad *bool, resource, what string) func(string, string) error {
	return func(r, w string) error {
		if *bad && r == resource && w == what {
			return &msapi.Poisoned{Why: "it is no JSON"}
		}
		return nil
	}
}
