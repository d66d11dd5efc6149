package run

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/front"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Deps is everything a Bridge needs.
type Deps struct {
	DB     *db.DB           // required
	Vault  *vault.Vault     // required
	Trail  bridge.Trail     // required
	Folder string           // of the queue; required to start
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
	// Tokens gives tokens for a mailbox by an access of bridge.yaml; required to start.
	Tokens func(f *bridge.File) upstream.Tokens
	// Upstream is where mail goes whatever the file says: a partner cloud's, with what
	// its certificates are for and their roots. nil is the file's.
	Upstream *Elsewhere
	Free     func(folder string) (free uint64, ok bool)
	Retry    func(tries int) time.Duration // as the queue's; nil is its own
}

// Elsewhere are other hosts than the file's.
type Elsewhere struct {
	Hosts, Names bridge.Upstream
	Roots        *x509.CertPool
}

// Bridge is the bridge of an installation: its devices, and what runs once it is
// started. Safe for concurrent use.
type Bridge struct {
	*bridge.Store
	d Deps

	mu      sync.Mutex // guards running
	running *running
}

// running is a bridge that is started.
type running struct {
	front *front.Server
	queue *queue.Queue
	up    *upstream.Upstream
	stop  context.CancelFunc
	group sync.WaitGroup
}

// New makes a Bridge; it does not run.
func New(d Deps) (*Bridge, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s, err := bridge.New(bridge.Deps{DB: d.DB, Vault: d.Vault, Trail: d.Trail, Now: d.Now, Log: d.Log})
	if err != nil {
		return nil, err
	}
	return &Bridge{Store: s, d: d}, nil
}

// Where is one address that is listened to, as it came to be.
type Where struct {
	bridge.Listen
	Addr net.Addr
}

// Start listens and sends, as a file says, until Stop. Errors: kind problem.BadInput for
// a certificate that cannot be used, problem.Limit for an address that is taken,
// problem.Conflict where another process has the queue or it was started already.
func (b *Bridge) Start(ctx context.Context, f *bridge.File) (_ []Where, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil {
		return nil, problem.New(problem.Conflict, "the bridge runs already")
	}
	x, err := b.build(ctx, f)
	if err != nil {
		return nil, err
	}
	list, where, err := listenAll(f.Listen)
	if err != nil {
		return nil, errors.Join(err, x.queue.Close(), x.up.Close())
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stop = stop
	for i, l := range list {
		x.group.Go(func() {
			if err := x.front.Serve(l, &f.Listen[i]); !errors.Is(err, net.ErrClosed) {
				b.d.Log.Error("the bridge listens no more", "at", l.Addr().String(), "err", err)
			}
		})
	}
	x.group.Go(func() { x.queue.Run(work) })
	x.group.Go(func() { b.sweep(work, x.up) })
	b.running = x
	return where, nil
}

// build makes what a bridge is of.
func (b *Bridge) build(ctx context.Context, f *bridge.File) (_ *running, err error) {
	if b.d.Tokens == nil || b.d.Folder == "" {
		return nil, errors.New("run: Tokens and Folder are required")
	}
	conf, err := serverTLS(f)
	if err != nil {
		return nil, err
	}
	u := upstream.Deps{Hosts: f.Upstream, Hello: f.Name, Tokens: b.d.Tokens(f), Log: b.d.Log}
	if e := b.d.Upstream; e != nil {
		u.Hosts, u.Names, u.TLS = e.Hosts, e.Names, &tls.Config{RootCAs: e.Roots}
	}
	x := &running{}
	if x.up, err = upstream.New(u); err != nil {
		return nil, err
	}
	x.queue, err = queue.Open(ctx, queue.Deps{DB: b.d.DB, Vault: b.d.Vault, Trail: b.d.Trail, Sender: x.up, Folder: b.d.Folder, Name: f.Name,
		Owner: f.Owner, Rules: f.Queue, Limits: f.Limits, Now: b.d.Now, Log: b.d.Log, Free: b.d.Free, Retry: b.d.Retry})
	if err != nil {
		return nil, err
	}
	x.front, err = front.New(front.Deps{Name: f.Name, TLS: conf, Limits: f.Limits, Doors: b.Store, Mailboxes: x.up, Now: b.d.Now, Log: b.d.Log,
		Begin: func() (front.Draft, error) {
			d, err := x.queue.Begin()
			if err != nil {
				return nil, err
			}
			return draft{d}, nil
		}})
	if err != nil {
		return nil, errors.Join(err, x.queue.Close())
	}
	return x, nil
}

// draft is a queue's draft as the front takes it.
type draft struct{ *queue.Draft }

func (d draft) Keep(ctx context.Context, e front.Envelope) (string, error) {
	it, err := d.Commit(ctx, queue.Envelope{Device: e.Device, Mailbox: e.Mailbox, Sender: e.Sender, Recipients: e.Recipients, MessageID: e.MessageID}, nil)
	return it.ID, err
}

// sweepEvery is how soon a device that was revoked by another process is cut off.
const sweepEvery = 2 * time.Second

func (b *Bridge) sweep(ctx context.Context, up *upstream.Upstream) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			up.Tidy()
			if err := b.Sweep(ctx); err != nil && ctx.Err() == nil {
				b.d.Log.WarnContext(ctx, "whether devices may be in cannot be known", "err", err)
			}
		}
	}
}

// Stop takes nobody any more, waits until ctx ends for those who are in, and for what
// is being sent. What waits in the queue stays there.
func (b *Bridge) Stop(ctx context.Context) error {
	b.mu.Lock()
	x := b.running
	b.running = nil
	b.mu.Unlock()
	if x == nil {
		return nil
	}
	err := x.front.Stop(ctx)
	x.stop()
	x.group.Wait()
	return errors.Join(err, x.queue.Close(), x.up.Close())
}

// listenAll listens at every address, or at none.
func listenAll(list []bridge.Listen) (out []net.Listener, where []Where, err error) {
	for _, l := range list {
		x, err := net.Listen("tcp", l.At)
		if err != nil {
			for _, o := range out {
				_ = o.Close()
			}
			return nil, nil, problem.Wrap(err, problem.Limit, "%s cannot be listened on%s", l.At, problem.Reason(err)).
				WithHint("is something else there? ports below 1024 need a right: docs/bridge.md has it")
		}
		out = append(out, x)
		where = append(where, Where{l, x.Addr()})
	}
	return out, where, nil
}

// serverTLS is the front's: the certificate is read again when its file changes.
func serverTLS(f *bridge.File) (*tls.Config, error) {
	if f.Certificate == "" {
		return nil, nil
	}
	pair, err := f.Pair()
	if err != nil {
		return nil, err
	}
	k := &kept{f: f, pair: &pair, at: changed(f), looked: time.Now()}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}, nil
}

// kept is a certificate in use.
type kept struct {
	f *bridge.File

	mu     sync.Mutex // guards what follows
	pair   *tls.Certificate
	at     string
	looked time.Time
}

// changed says which version of the files it is.
func changed(f *bridge.File) string {
	out := ""
	for _, p := range []string{f.Certificate, f.Key} {
		if i, err := os.Stat(p); err == nil {
			out += fmt.Sprint(i.ModTime().UnixNano(), i.Size(), " ")
		}
	}
	return out
}

func (k *kept) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < time.Minute {
		return k.pair, nil
	}
	k.looked = time.Now()
	if at := changed(k.f); at != k.at {
		if pair, err := k.f.Pair(); err == nil { // else the old one goes on
			k.pair, k.at = &pair, at
		}
	}
	return k.pair, nil
}
