//go:build !judge

package collect

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// Walker reads a resource page by page; [msapi.Client] does.
type Walker interface {
	Walk(ctx context.Context, t msapi.Target, r evidence.Resource, s msapi.Span, w msapi.Resume) iter.Seq2[*msapi.Answer, error]
}

// Writer takes pages, and keeps them with whatever else belongs to them in one
// transaction; [archive.Writer] does.
type Writer interface {
	Add(archive.Page) error
	End(archive.Run) error
	Bytes() int64
	Commit(ctx context.Context, with func(context.Context) error) (archive.Segment, error)
	Discard()
}

// Deps is what a Collector is made of.
type Deps struct {
	DB     *db.DB           // required
	Config *Config          // nil is the defaults
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
	Plan   []evidence.Resource
	Pages  int // that are committed together at most; 0 is 64

	// What follows is wanted where something is read: without Walker the collector
	// only tells what is known.
	Walker Walker
	Begin  func(tenant string) (Writer, error)
	// Partner says who the partner is.
	Partner func(context.Context) (Tenant, error)
	// Target gives what is asked in a tenant's name.
	Target func(context.Context, Tenant) (msapi.Target, error)
	// Groups are further groups of the partner whose members are read, by what is kept: those
	// that a relationship gives roles to. Nil is none.
	Groups func(context.Context, Tenant) ([]string, error)
	// Right says whether the clock is right enough for logs to be read by it; an
	// error says how it is not. Nil trusts it.
	Right func(context.Context) error
	// Judged is called, as a job, after a round that read something.
	Judged func(ctx context.Context, tenant string) error
}

// Collector reads tenants. Safe for concurrent use, and beside others over the same
// database.
type Collector struct {
	*Store
	d      Deps
	leases *leases

	rounds, failures, pages atomic.Int64 // of this process
}

// New makes a collector over a database whose schema is current.
func New(d Deps) (*Collector, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Config == nil {
		d.Config = &Config{}
	}
	if d.Pages <= 0 {
		d.Pages = commitPages
	}
	s, err := NewStore(d.DB, d.Plan, d.Now)
	if err != nil {
		return nil, err
	}
	return &Collector{Store: s, d: d, leases: newLeases(s)}, nil
}

// Config is how live tenants are read.
type Config struct {
	// Connection is whose tokens are used. Default: the only one there is.
	Connection string `yaml:"collectConnection" about:"the connection whose tokens read live tenants (default the only one)"`
	// Every is how often serve and worker look for what is due.
	Every time.Duration `yaml:"collectEvery" default:"1m" about:"how often serve looks for what is due to be read"`
	// Skip names resources that are not read. They stand among the gaps.
	Skip []string `yaml:"collectSkip" about:"resources that are not read; partnerguard collect plan names them all"`
}

// Check refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Every != 0 && (c.Every < 10*time.Second || c.Every > 24*time.Hour) {
		return bad("collectEvery", "%s is not between 10 s and 24 h", c.Every)
	}
	for _, name := range c.Skip {
		if _, ok := evidence.ResourceNamed(name); !ok {
			return bad("collectSkip", "no resource has the name %.60q", name).WithHint("partnerguard collect plan lists them")
		}
	}
	return nil
}

// Ask says what a round is to read.
type Ask struct {
	Only     []string   // resources by name; none: all
	Now      bool       // whether due or not
	Progress func(Step) // optional; called from the goroutine of the round
	// Busy is told, once, that somebody else reads the tenant, and has the round wait
	// for its end; without it the round ends with [ErrBusy].
	Busy func(Tenant)
	// Ends is when the round stops where it is and leaves the rest to the next; zero
	// is never.
	Ends time.Time
}

// Step is how far a round is.
type Step struct {
	Tenant    Tenant
	Resource  string
	Pages     int // of the round so far
	Done, All int // resources
}

// Outcome is what became of a resource in a round.
type Outcome string

// The outcomes.
const (
	Read    Outcome = "read"     // to its end
	Flawed  Outcome = "flawed"   // to its end, and something in it is missing
	Refused Outcome = "refused"  // as a fact
	Failed  Outcome = "failed"   // it is tried again
	PutOff  Outcome = "put off"  // the round ended first
	Already Outcome = "up to it" // nothing was due
)

// Result is one resource of a round.
type Result struct {
	Resource string  `json:"resource"`
	Outcome  Outcome `json:"outcome"`
	Pages    int     `json:"pages"`
	Words    string  `json:"words,omitempty"`
	Needs    string  `json:"needs,omitempty"`
	Fix      string  `json:"fix,omitempty"`
}

// Round is what one round of a tenant did.
type Round struct {
	Tenant   Tenant    `json:"tenant"`
	Results  []Result  `json:"resources"`
	Pages    int       `json:"pages"`
	Bytes    int64     `json:"bytes"` // of the pages, as they came
	Segments int       `json:"segments"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Rest     bool      `json:"rest,omitempty"` // something is left to be read
}

// Failed is how many resources failed.
func (r *Round) Failed() (n int) {
	for _, x := range r.Results {
		if x.Outcome == Failed {
			n++
		}
	}
	return n
}

// ErrBusy says that somebody else reads the tenant.
var ErrBusy = problem.New(problem.Conflict, "the tenant is being read by another process").
	WithHint("partnerguard collect status shows what is under way; one that died gives its place up within a minute")

// errLost says that another process took this one's place.
var errLost = errors.New("the lease of the tenant was lost")

// Round reads what is due of a tenant, by id. What failed is told in the results and
// tried again by itself; the error is for what ended the round: [ErrBusy], the
// database, the archive, the context. What was committed until then is kept.
func (c *Collector) Round(ctx context.Context, tenant string, a Ask) (Round, error) {
	t, err := c.Tenant(ctx, tenant)
	if err != nil {
		return Round{}, err
	}
	for _, name := range a.Only {
		if r, ok := c.resource(name); !ok || !r.Scope.Covers(t.Partner) {
			return Round{}, problem.New(problem.Usage, "%.60q is not read of this tenant", name).WithHint("partnerguard collect plan lists what is")
		}
	}
	h, ok, err := c.leases.take(ctx, t.ID)
	for told := false; err == nil && !ok && a.Busy != nil && ctx.Err() == nil; h, ok, err = c.leases.take(ctx, t.ID) {
		if !told {
			a.Busy(t)
			told = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		if ok {
			h.end(ctx)
		}
		return Round{}, err
	}
	if !ok {
		return Round{}, ErrBusy
	}
	defer h.end(ctx)
	r := &round{c: c, t: t, ask: a, held: h, cursors: map[string]*cursor{}, dirty: map[string]bool{}, groups: map[string]bool{}, listed: map[string]bool{},
		named: map[evidence.Kind]bool{}, closed: map[evidence.Service]error{}, ok: map[evidence.Service]bool{},
		out: Round{Tenant: t, Results: []Result{}, Began: c.now()}}
	defer r.discard()
	err = r.run(ctx)
	c.rounds.Add(1)
	if err != nil || r.out.Failed() > 0 {
		c.failures.Add(1)
	}
	r.out.Ended = c.now()
	return r.out, err
}

// Meet makes sure that the partner's own tenant is known.
func (c *Collector) Meet(ctx context.Context) (Tenant, error) {
	p, err := c.d.Partner(ctx)
	if err != nil {
		return Tenant{}, err
	}
	p.Partner = true
	return p, c.Known(ctx, []Tenant{p}, false)
}
