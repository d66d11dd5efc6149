//go:build !judge

package doorbell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// Deps is what a doorbell is made of.
type Deps struct {
	DB     *db.DB
	Record audit.Recorder
	Trust  Trust
	Config *Config
	Now    func() time.Time
	Log    *slog.Logger
	// Ring has the alerts read.
	Ring func(context.Context) error
}

// Bell is the doorbell. Safe for concurrent use.
type Bell struct {
	d Deps
	v *verifier

	mu     sync.Mutex // guards what follows
	minute time.Time  // of the counts below
	came   int
	forged map[string]int // since it was last recorded, by reason
	told   time.Time
}

// maxRings is how many requests are looked at in a minute: a storm of a thousand alerts rings
// as often, and is read once.
const maxRings = 3000

// New makes a doorbell.
func New(d Deps) (*Bell, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil || d.Ring == nil || d.Config == nil {
		return nil, problem.New(problem.Internal, "the doorbell of Partner Center has no database, trail, clock or desk")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Bell{d: d, v: newVerifier(d.Trust, d.Now), forged: map[string]int{}}, nil
}

// Mount answers Partner Center.
func (b *Bell) Mount(m web.Mux) error {
	m.Handle(web.Route{Name: "fraud.doorbell", Pattern: "POST " + b.d.Config.Path, MaxBody: MaxBody, Timeout: 40 * time.Second,
		Access:     web.Public("Partner Center has no credentials here; whoever rings is proven by Microsoft's signature, and a ring only has alerts read"),
		OtherSites: "no cookie counts; what comes is proven by its signature", Handle: b.handle})
	return nil
}

// handle takes a ring. What is taken already is taken again without any effect, so that
// Partner Center stops sending it.
func (b *Bell) handle(w http.ResponseWriter, r *http.Request) error {
	if b.tooMany() {
		return problem.New(problem.TooMany, "too many rings").WithAfter(time.Minute)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return problem.Wrap(err, problem.Limit, "a ring has at most %d KiB", MaxBody>>10)
	}
	ctx := r.Context()
	e, err := b.v.check(ctx, r.Header, body)
	if x, is := errors.AsType[*bad](err); is {
		return b.refuse(ctx, x)
	}
	if err != nil {
		return err
	}
	if err := b.take(ctx, e, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// What a ring is counted as.
const (
	countRung     = "rung"
	countAgain    = "again"
	countTest     = "test"
	countIgnored  = "ignored"
	countForgedAs = "forged: "
)

// take does what a ring asks for.
func (b *Bell) take(ctx context.Context, e Event, body []byte) error {
	sum := sha256.Sum256(body)
	now := b.d.Now()
	what := countIgnored
	switch name := strings.ToLower(e.Name); {
	case name == "test-created":
		what = countTest
	case strings.HasPrefix(name, "azure-fraud"):
		what = countRung
	}
	return b.d.DB.InTx(ctx, func(ctx context.Context) error {
		fresh, err := b.once(ctx, hex.EncodeToString(sum[:]), now)
		if err != nil {
			return err
		}
		if !fresh {
			return b.count(ctx, countAgain, now)
		}
		if err := b.forget(ctx, now.Add(-2*maxOld)); err != nil {
			return err
		}
		if err := b.count(ctx, what, now); err != nil || what != countRung {
			return err
		}
		return b.d.Ring(ctx) // with the ring's row or not at all
	})
}

// refuse counts what is not Microsoft's, and has the trail know of it once a minute.
func (b *Bell) refuse(ctx context.Context, x *bad) error {
	now := b.d.Now()
	if err := b.count(ctx, countForgedAs+x.why, now); err != nil {
		b.d.Log.WarnContext(ctx, "a refused ring was not counted", "err", err)
	}
	b.mu.Lock()
	b.forged[x.why]++
	tell := now.Sub(b.told) >= time.Minute || now.Before(b.told)
	var reasons map[string]int
	if tell {
		b.told, reasons, b.forged = now, b.forged, map[string]int{}
	}
	b.mu.Unlock()
	if tell {
		details := map[string]string{}
		for why, n := range reasons {
			details[strings.ReplaceAll(why, " ", "-")] = itoa(n)
		}
		if err := b.d.Record.Record(ctx, audit.Event{At: now, Action: audit.FraudForgeries, Outcome: audit.Refused, Actor: "unknown", Object: "webhook",
			Details: details}); err != nil {
			b.d.Log.ErrorContext(ctx, "refused rings were not recorded", "err", err)
		}
	}
	if x.why == "type" {
		return web.WithStatus(http.StatusUnsupportedMediaType, problem.New(problem.BadInput, "a ring is JSON"))
	}
	return problem.New(problem.Forbidden, "this is not proven to come from Partner Center: %s", x.why)
}

func (b *Bell) tooMany() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.d.Now()
	if d := now.Sub(b.minute); d < 0 || d >= time.Minute {
		b.minute, b.came = now, 0
	}
	b.came++
	return b.came > maxRings
}

// Metrics are the rings.
func (b *Bell) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_fraud_rings", "Rings of Partner Center's webhook, by what became of them.", "what",
		func(ctx context.Context) (map[string]float64, error) {
			list, err := b.Counts(ctx)
			n := map[string]float64{countRung: 0, countTest: 0}
			for _, c := range list {
				n[c.What] = float64(c.N)
			}
			return n, err
		})
}
