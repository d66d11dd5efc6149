package collect_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

// spec is what a process that collects is told.
type spec struct {
	DB, Dir string // of the installation
	Cloud   msapi.Cloud
	CA      []byte // of the cloud, PEM
	Tenant  string
	Domain  string
	Tokens  map[string]string // by resource
	Now     time.Time         // a clock that stands, so that what is kept is the same each time
	Worker  bool              // works a queue until it is killed
}

const childEnv = "PARTNERGUARD_COLLECT_CHILD"

// TestMain lets this program be started again as a process that collects, to be
// killed.
func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		var s spec
		err := json.Unmarshal([]byte(raw), &s)
		if err == nil {
			err = s.run(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// changing are resources that say something else each time they are asked, or nothing
// yet: they count the very requests, or the cloud does not have them.
var changing = []string{"applicationMfaAdoptionStatus", "partnerRequests", "nonMfaCompliantPartnerPrincipals", "groupEligibility", "groupAssignments",
	"securityScore", "securityRequirements"}

// small are resources whose pages are asked for small, so that there are many.
var small = map[string]int{"conditionalAccessPolicies": 2, "roleAssignments": 5, "applications": 3, "servicePrincipals": 5, "groups": 3, "perUserMfa": 5,
	"signIns.interactiveUser": 40, "signIns.nonInteractiveUser": 40, "signIns.servicePrincipal": 40, "directoryAudits": 10, "delegatedAdminRelationships": 3}

func stable() []evidence.Resource {
	list := slices.DeleteFunc(evidence.Resources(), func(r evidence.Resource) bool { return slices.Contains(changing, r.Name) })
	for i := range list {
		r := &list[i]
		n := small[r.Name]
		switch {
		case n == 0:
		case strings.Contains(r.Query, "$top=999"):
			r.Query = strings.Replace(r.Query, "$top=999", "$top="+strconv.Itoa(n), 1)
		case r.Query == "":
			r.Query = "?$top=" + strconv.Itoa(n)
		default:
			r.Query += "&$top=" + strconv.Itoa(n)
		}
	}
	return list
}

// opened is a collector of a spec with what it stands on.
type opened struct {
	*collect.Collector
	db      *db.DB
	archive *archive.Archive
	close   []func()
}

func (o *opened) end() {
	for _, f := range slices.Backward(o.close) {
		f()
	}
}

// open makes a collector that reads the real cloud of the test.
func (s spec) open(ctx context.Context, change ...func(*collect.Deps)) (*opened, error) {
	d, err := db.Open(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	now := func() time.Time { return s.Now }
	tr, err := trail.Open(ctx, d, trail.Options{Now: now})
	if err != nil {
		return nil, err
	}
	a, err := archive.Open(archive.Deps{DB: d, Trail: tr, Dir: s.Dir, Now: now})
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	var skipped atomic.Int64 // waits are passed over
	began := time.Now()
	api := msapi.New(msapi.Options{Now: now, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
		Mono: func() time.Duration { return time.Since(began) + time.Duration(skipped.Load()) },
		Wait: func(ctx context.Context, d time.Duration) error { skipped.Add(int64(d)); return ctx.Err() }})
	deps := collect.Deps{
		DB: d, Now: now, Plan: stable(), Pages: 4, Walker: api,
		Begin: func(tenant string) (collect.Writer, error) { return a.Begin(tenant) },
		Partner: func(context.Context) (collect.Tenant, error) {
			return collect.Tenant{ID: s.Tenant, Domain: s.Domain}, nil
		},
		Target: func(_ context.Context, t collect.Tenant) (msapi.Target, error) {
			return msapi.Target{Cloud: s.Cloud, Tenant: t.ID, Bearer: func(resource string) msapi.Bearer { return msapi.Fixed(secret.New(s.Tokens[resource])) }}, nil
		},
	}
	for _, f := range change {
		f(&deps)
	}
	c, err := collect.New(deps)
	if err != nil {
		return nil, err
	}
	return &opened{c, d, a, []func(){func() { _ = d.Close() }, func() { _ = a.Close() }, api.Close}}, nil
}

// run collects until nothing is due.
func (s spec) run(ctx context.Context) error {
	o, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer o.end()
	if s.Worker {
		return o.work(ctx)
	}
	if _, err := o.Meet(ctx); err != nil {
		return err
	}
	for range 200 {
		r, err := o.Round(ctx, s.Tenant, collect.Ask{})
		switch {
		case errors.Is(err, collect.ErrBusy):
			time.Sleep(20 * time.Millisecond)
		case err != nil:
			return err
		case !r.Rest && r.Failed() == 0:
			return nil
		}
	}
	return errors.New("it does not come to its end")
}

// work is a worker beside others: it ends when it is killed.
func (o *opened) work(ctx context.Context) error {
	q, err := jobs.Open(ctx, o.db, jobs.Options{Poll: 50 * time.Millisecond, Workers: 2})
	if err != nil {
		return err
	}
	if err := o.Jobs(q); err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	fmt.Println("working")
	time.Sleep(5 * time.Minute)
	return nil
}
