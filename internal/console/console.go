package console

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Entra is what is asked of Entra ID; *msapi.Client meets it.
type Entra interface {
	AuthorizeURL(msapi.AuthorizeRequest) (string, error)
	Redeem(context.Context, msapi.RedeemRequest) (*msapi.Grant, error)
	Discover(ctx context.Context, cloud msapi.Cloud, tenant string) (msapi.Discovery, error)
	Keys(ctx context.Context, cloud msapi.Cloud, tenant, kid string) (jose.JSONWebKeySet, error)
}

// Vault keeps the key of the cookies and vouches for rows; *vault.Vault meets it.
type Vault interface {
	Put(ctx context.Context, r vault.Ref, s secret.Text) error
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Trail keeps what is done, and says what was: a row that was ended may have been put
// back into the database. *trail.Trail meets it.
type Trail interface {
	audit.Recorder
	Head(context.Context) (trail.Head, error)
	Held(ctx context.Context, after, to int64, want func(line []byte) bool, each func(trail.Entry)) error
}

// SignIn is the app that signs people in, and for which tenant.
type SignIn struct {
	App    msapi.App
	Tenant string // id of the tenant whose people come in
	Name   string // of the tenant, for people; its domain or id where nothing names it
}

// Deps is everything a Console needs.
type Deps struct {
	DB    *db.DB // required
	Vault Vault  // required
	Trail Trail  // required: what cannot be recorded is not done

	Entra Entra // nil: nobody signs in with Entra ID
	Cloud msapi.Cloud
	// SignIn gives the app and the tenant that sign people in: clientID is the setting
	// consoleApp, "" means the connection's own. Kind problem.NotFound where nothing is
	// connected, which the sign-in page says. Required with Entra.
	SignIn func(ctx context.Context, clientID string) (SignIn, error)
	// Browsable makes the address of the sign-in fit for a person's browser; optional.
	Browsable func(string) string
	// Public is how the console is reached from outside, without a path
	// (https://guard.contoso.example); "" is localhost alone.
	Public string
	// Machine is who runs this process, "local:USER": whom a link made at the start lets in.
	Machine string
	// Lab says that the tenant is the local partner cloud's: every page says so.
	Lab bool

	Config *Config          // nil: the defaults
	Now    func() time.Time // nil is time.Now
	Log    *slog.Logger     // nil discards
}

func (d *Deps) check() error {
	switch {
	case d.DB == nil, d.Vault == nil, d.Trail == nil:
		return errors.New("console: DB, Vault and Trail are required")
	case d.Entra != nil && d.SignIn == nil:
		return errors.New("console: SignIn is required with Entra")
	}
	if d.Config == nil {
		d.Config = &Config{}
	}
	conf := *d.Config
	for _, f := range []struct {
		at  *time.Duration
		def time.Duration
	}{{&conf.Idle, time.Hour}, {&conf.Life, 8 * time.Hour}, {&conf.Proof, 8 * time.Hour}} {
		if *f.at == 0 {
			*f.at = f.def
		}
	}
	d.Config = &conf
	if d.Browsable == nil {
		d.Browsable = func(s string) string { return s }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Console lets people and programs in, and says what they may. Safe for concurrent use,
// by several processes too.
type Console struct {
	d     Deps
	words words
	box   box
	stray audit.Stray
	used  used

	busy     sync.Map      // what is written aside now, by its id
	patience time.Duration // how long a request waits for it
	pages    pages
}

// New makes a Console over a database whose schema is current.
func New(d Deps) (*Console, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	c := &Console{d: d, patience: 40 * time.Millisecond}
	c.words.trail, c.box.vault, c.box.db = d.Trail, d.Vault, d.DB
	return c, nil
}

// now is the moment, as rows keep it.
func (c *Console) now() time.Time { return c.d.Now().UTC().Truncate(time.Microsecond) }

// record writes an event down, in the transaction that ctx carries.
func (c *Console) record(ctx context.Context, e audit.Event) error {
	e.At = c.now()
	for name, v := range e.Details {
		if v == "" {
			delete(e.Details, name)
		}
	}
	return c.d.Trail.Record(ctx, e)
}

// aside writes something down that a request brings about and does not need: when a
// session was seen. A database that others write at length keeps nobody from reading, so
// the request goes on after a moment; what failed is tried again at the next.
func (c *Console) aside(ctx context.Context, id string, do func(context.Context) error) {
	if _, busy := c.busy.LoadOrStore(id, true); busy {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer c.busy.Delete(id)
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer stop()
		if err := do(ctx); err != nil {
			c.d.Log.WarnContext(ctx, "when it was used last could not be written", "id", id, "err", err)
		}
	}()
	wait := time.NewTimer(c.patience)
	defer wait.Stop()
	select {
	case <-done:
	case <-wait.C:
	}
}
