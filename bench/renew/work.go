package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

const client = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"

// trail takes the place of the audit trail, which is another's to measure.
type trail struct{ n atomic.Int64 }

func (t *trail) Record(context.Context, audit.Event) error { t.n.Add(1); return nil }

func work(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "partnerguard-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	address, stop, err := startEndpoint(j.Limit)
	if err != nil {
		return err
	}
	defer stop()
	d, err := db.Open(ctx, filepath.Join(dir, "partnerguard.db"))
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := vault.MakeKeyFile(filepath.Join(dir, "key")); err != nil {
		return err
	}
	v, err := vault.Open(ctx, d, vault.NewKeyFile(filepath.Join(dir, "key")), vault.Options{})
	if err != nil {
		return err
	}
	cloud := msapi.Commercial()
	cloud.Authority = address
	store := sam.NewStore(d, v, nil, cloud)
	if err := fill(ctx, store, j.N, cloud); err != nil {
		return err
	}
	rec := &trail{}
	r, err := renew.New(renew.Deps{Store: store, Authority: msapi.New(msapi.Options{Tries: 1}), Record: rec, Pace: j.Pace})
	if err != nil {
		return err
	}
	q, err := jobs.Open(ctx, d, jobs.Options{Workers: 8, Poll: 100 * time.Millisecond})
	if err != nil {
		return err
	}
	r.Jobs(q)
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
	res := result{BeforeMB: status("VmRSS")}
	began := time.Now()
	if err := q.Start(ctx); err != nil {
		return err
	}
	for done := 0; done < j.N; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d were renewed in time", done, j.N)
		case <-time.After(100 * time.Millisecond):
		}
		if err := d.QueryRowContext(ctx, "SELECT count(*) FROM connections WHERE generation > 1").Scan(&done); err != nil {
			return err
		}
	}
	res.Seconds = time.Since(began).Seconds()
	res.PeakMB = status("VmHWM")
	if err := q.Stop(ctx); err != nil {
		return err
	}
	var t tally
	answer, err := http.Get(address + "/tally")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&t); err != nil {
		return err
	}
	res.Requests, res.Throttle = t.Requests, t.Throttle
	if t.Tenants != j.N || t.Unknown > 0 || int(rec.n.Load()) != j.N || t.Requests-t.Throttle != j.N {
		return fmt.Errorf("of %d: %d tenants asked, %d unknown tokens, %d events, %d requests with %d throttled", j.N, t.Tenants, t.Unknown, rec.n.Load(),
			t.Requests, t.Throttle)
	}
	if info, err := os.Stat(filepath.Join(dir, "partnerguard.db")); err == nil {
		res.DatabaseMB = float64(info.Size()) / 1e6
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

// fill keeps n partners' consents that are due.
func fill(ctx context.Context, store *sam.Store, n int, cloud msapi.Cloud) error {
	if _, err := store.AddRegistration(ctx, sam.Registration{ClientID: client, Kind: msapi.ClientSecret}, secret.New("bench")); err != nil {
		return err
	}
	week := time.Now().Add(-sam.RenewEvery - time.Hour)
	for i := range n {
		tenant := fmt.Sprintf("%08x-0000-4000-8000-000000000000", i+1)
		_, err := store.Keep(ctx, sam.Captured{
			Name: "partner-" + strconv.Itoa(i), Model: sam.CPV, Cloud: cloud, Tenant: tenant, ClientID: client, Account: "sam@example.com",
			Scopes: map[string][]string{cloud.PartnerCenterResource: {"user_impersonation"}}, Proof: claim.Verdict{Answer: claim.Proven}, AuthTime: week,
			At:      week,
			Refresh: secret.New(refreshToken(tenant, 0)),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// status reads a size of this process in MB; 0 where the system does not say.
func status(name string) float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024 / 1e6
		}
	}
	return 0
}
