package run

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// Every is how often the file is looked at.
const Every = 5 * time.Second

// Deps is what a Gateway is made of.
type Deps struct {
	// Read reads the file: gateway.ReadFile of a path, with the installation's names.
	Read func(ctx context.Context) (*gateway.File, error)
	// Prepare is asked before a table holds, and may refuse it; before is the one that
	// holds, nil at the start. Optional.
	Prepare func(ctx context.Context, t, before *gateway.Table) error
	// Take is told each table that holds, in this order. Where one refuses it, those before
	// are told the old one again.
	Take []func(*gateway.Table) error

	// Serve answers on a listener until ctx ends, and closes it.
	Serve func(ctx context.Context, l net.Listener) error
	// Forward does so on the listener that other proxies ask; nil: none may be named.
	Forward func(ctx context.Context, l net.Listener) error
	// Admin does so on that of health and metrics; nil: it is not listened on.
	Admin func(ctx context.Context, l net.Listener) error
	// Shutdown lets requests under way finish until ctx ends.
	Shutdown func(ctx context.Context) error
	// Work are what goes on until ctx ends, each in a goroutine of its own.
	Work []func(ctx context.Context)

	Record audit.Recorder // required
	Actor  string
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
}

// Gateway is one that runs, or may. Safe for concurrent use.
type Gateway struct {
	d Deps

	reading sync.Mutex // one file is taken over at a time

	mu      sync.Mutex // guards the fields below
	table   *gateway.Table
	since   time.Time
	kept    Kept
	tried   string // digest of the file that was refused last, or its error
	doors   map[door]*open
	phases  map[string]gateway.Phase
	ctx     context.Context //nolint:containedctx // of all that was started; Stop ends it
	stop    context.CancelFunc
	working sync.WaitGroup
}

// Kept is why a changed file was refused.
type Kept struct {
	Since time.Time `json:"since,omitzero"` // zero: the file is the one that holds
	Why   string    `json:"why,omitempty"`
	Hint  string    `json:"fix,omitempty"`
}

// New makes a Gateway that does nothing yet.
func New(d Deps) (*Gateway, error) {
	if d.Read == nil || d.Serve == nil || d.Record == nil || d.Now == nil {
		return nil, errors.New("run: Read, Serve, Record and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Gateway{d: d, doors: map[door]*open{}, phases: map[string]gateway.Phase{}}, nil
}

// Where is an address that is listened on.
type Where struct {
	Addr net.Addr
	What string // "requests", "forward", "admin"
	TLS  bool
}

// Start reads the file, listens, and serves until Stop. Nothing is served where it fails.
func (g *Gateway) Start(ctx context.Context) ([]Where, error) {
	g.reading.Lock()
	defer g.reading.Unlock()
	g.mu.Lock()
	if g.stop != nil {
		g.mu.Unlock()
		return nil, problem.New(problem.Conflict, "the gateway runs already")
	}
	g.ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	g.mu.Unlock()
	t, err := g.read(ctx, 1)
	if err == nil {
		err = g.takeOver(ctx, t)
	}
	if err == nil {
		err = g.d.Record.Record(ctx, audit.Event{Action: audit.GatewayStarted, Outcome: audit.Done, Actor: g.d.Actor, Object: t.Digest})
	}
	if err != nil {
		g.end(context.WithoutCancel(ctx), 0)
		return nil, err
	}
	for _, w := range g.d.Work {
		g.working.Go(func() { w(g.ctx) })
	}
	g.working.Go(g.watch)
	return g.where(), nil
}

// read reads the file and compiles it.
func (g *Gateway) read(ctx context.Context, generation uint64) (*gateway.Table, error) {
	f, err := g.d.Read(ctx)
	if err != nil {
		return nil, err
	}
	return f.Compile(generation), nil
}

// takeOver makes a table the one that holds. Where it fails, the one before does.
func (g *Gateway) takeOver(ctx context.Context, t *gateway.Table) error {
	now := g.d.Now()
	fresh, err := g.listen(t)
	if err != nil {
		return err
	}
	before := g.Table()
	if g.d.Prepare != nil {
		err = g.d.Prepare(ctx, t, before)
	}
	if err == nil {
		err = g.take(t, before)
	}
	if err == nil {
		if err = g.d.Record.Record(ctx, loaded(t, now, g.d.Actor)); err != nil {
			g.takeBack(len(g.d.Take), before)
		}
	}
	if err != nil {
		fresh.drop()
		return err
	}
	g.mu.Lock()
	g.table, g.since, g.kept, g.tried = t, now, Kept{}, ""
	g.phases = phasesOf(t, now)
	g.mu.Unlock()
	g.turnDoors(t, fresh)
	return nil
}

// take has everybody take a table, or nobody.
func (g *Gateway) take(t, before *gateway.Table) error {
	for i, take := range g.d.Take {
		if err := take(t); err != nil {
			g.takeBack(i, before)
			return err
		}
	}
	return nil
}

// takeBack gives the first n of those that take tables the one before.
func (g *Gateway) takeBack(n int, before *gateway.Table) {
	if before == nil {
		return // nothing listens
	}
	for _, take := range g.d.Take[:n] {
		if err := take(before); err != nil {
			g.d.Log.Error("the gateway's file of before was not taken again", "err", err)
		}
	}
}

// Reload reads the file again, whether it changed or not. The error says why the old one
// stays.
func (g *Gateway) Reload(ctx context.Context) error { return g.again(ctx, true) }

// again looks at the file: one that is new is taken over, one that is broken is told, once.
func (g *Gateway) again(ctx context.Context, always bool) error {
	g.reading.Lock()
	defer g.reading.Unlock()
	g.mu.Lock()
	was, tried := g.table, g.tried
	g.mu.Unlock()
	if was == nil {
		return problem.New(problem.Conflict, "the gateway does not run")
	}
	t, err := g.read(ctx, was.Generation+1)
	if err != nil {
		return g.keep(ctx, err.Error(), err, tried, always)
	}
	switch {
	case t.Digest == was.Digest && !always:
		g.mu.Lock()
		back := !g.kept.Since.IsZero()
		g.kept, g.tried = Kept{}, "" // who broke it put it back
		g.mu.Unlock()
		if back {
			g.d.Log.InfoContext(ctx, "the gateway's file is again the one that holds", "digest", t.Digest)
		}
		return nil
	case t.Digest == tried && !always:
		return nil
	}
	if err := g.takeOver(ctx, t); err != nil {
		return g.keep(ctx, t.Digest, err, tried, always)
	}
	g.d.Log.InfoContext(ctx, "the gateway's file was taken over", "digest", t.Digest, "generation", t.Generation, "routes", len(t.Routes))
	return nil
}

// keep says that a file was refused and the old one stays: to the log and the trail once.
func (g *Gateway) keep(ctx context.Context, what string, err error, tried string, always bool) error {
	if ctx.Err() != nil {
		return err
	}
	if what == tried && !always {
		return err
	}
	g.mu.Lock()
	g.tried = what
	if g.kept.Since.IsZero() {
		g.kept.Since = g.d.Now()
	}
	g.kept.Why, g.kept.Hint = err.Error(), problem.HintOf(err)
	digest := g.table.Digest
	g.mu.Unlock()
	g.d.Log.ErrorContext(ctx, "the gateway's file was refused: the one before stays", "err", err, "hint", problem.HintOf(err))
	e := audit.Event{Action: audit.GatewayKept, Outcome: audit.Refused, Actor: g.d.Actor, Object: digest, Reason: clip(err.Error())}
	if rerr := g.d.Record.Record(ctx, e); rerr != nil {
		g.d.Log.ErrorContext(ctx, "that could not be recorded", "err", rerr)
	}
	return err
}

// watch looks at the file and the clock until the gateway ends.
func (g *Gateway) watch() {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = g.again(g.ctx, false) // it is logged and recorded
			g.Turn(g.ctx)
		case <-g.ctx.Done():
			return
		}
	}
}

// Stop ends the gateway: no new requests, those under way until ctx ends.
func (g *Gateway) Stop(ctx context.Context) error {
	g.mu.Lock()
	t := g.table
	g.mu.Unlock()
	err := g.end(ctx, 10*time.Second)
	if t == nil {
		return err
	}
	return errors.Join(err, g.d.Record.Record(ctx, audit.Event{Action: audit.GatewayStopped, Outcome: audit.Done, Actor: g.d.Actor, Object: t.Digest}))
}

func (g *Gateway) end(ctx context.Context, patience time.Duration) (err error) {
	g.mu.Lock()
	stop, doors := g.stop, g.doors
	g.doors, g.table, g.stop = map[door]*open{}, nil, nil
	g.mu.Unlock()
	if stop == nil {
		return nil
	}
	for _, o := range doors {
		o.close()
	}
	if g.d.Shutdown != nil && patience > 0 {
		ending, done := context.WithTimeout(ctx, patience)
		err = g.d.Shutdown(ending)
		done()
	}
	stop()
	g.working.Wait()
	return err
}
