package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/msapi"
)

// Entra is what is asked of Entra ID; *msapi.Client meets it.
type Entra interface {
	AuthorizeURL(msapi.AuthorizeRequest) (string, error)
	Redeem(context.Context, msapi.RedeemRequest) (*msapi.Grant, error)
	Keys(ctx context.Context, cloud msapi.Cloud, tenant, kid string) (jose.JSONWebKeySet, error)
}

// Sealer seals what a browser keeps and opens what it brings; [Box] is the vault's.
type Sealer interface {
	// Seal makes a text of characters that a cookie may have, which only Open with the
	// same name reads.
	Seal(name string, plain []byte) (string, error)
	// Open gives false for what was not sealed by us for name. An error says that the
	// key could not be read.
	Open(name, text string) ([]byte, bool, error)
}

// SignIn is the app that signs browsers in, and whose people.
type SignIn struct {
	App    msapi.App
	Cloud  msapi.Cloud
	Tenant string // id
	Name   string // of the tenant, for people
}

// Ended is what ends before its time: the session of a cookie (ID), all sessions of one
// sign-in (Session), or all of a user so far (Tenant and ObjectID). Until is when nothing
// of it can be left.
type Ended struct {
	ID       string
	Session  string // sid
	Tenant   string
	ObjectID string
	At       time.Time
	Until    time.Time
	Why      string // in words of ours
	Actor    string // "entra:ACCOUNT", or "entra:logout" where Entra ID said so
}

// What happened, for the trail.
type What string

// The happenings.
const (
	Entered   What = "entered"
	SteppedUp What = "stepped up"
	Left      What = "left"
	Refused   What = "refused"
)

// Event is one happening. It holds no secret and no token.
type Event struct {
	What    What
	At      time.Time
	Actor   string // "entra:ACCOUNT", "unknown"
	Tenant  string
	Object  string // object id of the account
	Session string // id of the session
	Host    string
	Reason  string // in words
	Details map[string]string
}

// Deps is everything a Manager needs.
type Deps struct {
	Seal  Sealer // required
	Entra Entra  // required
	// SignIn gives the app and tenant of now. Kind problem.NotFound where none is set up,
	// which the page says. Required.
	SignIn func(context.Context) (SignIn, error)
	// Table is of the file that holds now; required. Life and idle time are its.
	Table func() *gateway.Table

	Revocations gateway.Revocations // nil: none
	// End tells whoever keeps revocations what ended. nil: it is remembered by this
	// process alone.
	End func(context.Context, Ended) error
	// Record writes down. An error lets nobody in where the route wants all of it
	// written down. nil: nothing is.
	Record func(context.Context, Event) error

	// Secure says that a browser came over TLS, to us or to a proxy that is trusted; nil:
	// to us.
	Secure func(*http.Request) bool
	// Browsable makes the address of the sign-in fit for a person's browser; optional.
	Browsable func(string) string
	// KeySet is the key set by which upstreams check assertions; nil: none.
	KeySet func() []byte
	// Lab says that the tenant is the local partner cloud's: every page says so.
	Lab bool

	Now func() time.Time // nil is time.Now
	Log *slog.Logger     // nil discards
}

func (d *Deps) check() error {
	if d.Seal == nil || d.Entra == nil || d.SignIn == nil || d.Table == nil {
		return errors.New("gateway/session: Seal, Entra, SignIn and Table are required")
	}
	if d.Secure == nil {
		d.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
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

// Manager lets browsers in, and knows them again. Safe for concurrent use; several
// processes with the same key know each other's sessions.
type Manager struct {
	d     Deps
	known cache
	ended ended
	stray ended
	used  once // states of sign-ins: anybody can have many
	jtis  once // ids of logout tokens: of the authority alone
	asks  atomic.Pointer[asks]

	strangers strangers
}

var _ gateway.Sessions = (*Manager)(nil)

// New makes a Manager.
func New(d Deps) (*Manager, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return &Manager{d: d, stray: ended{most: maxStray}, used: once{anew: true}}, nil
}

// now is the moment, in seconds as cookies keep it.
func (m *Manager) now() time.Time { return m.d.Now().UTC().Truncate(time.Second) }

// span are the life and the idle time that hold now.
func (m *Manager) span() (life, idle time.Duration) {
	if s := m.d.Table().SignIn; s != nil {
		life, idle = s.Life, s.Idle
	}
	if life <= 0 {
		life = 8 * time.Hour
	}
	if idle <= 0 {
		idle = 30 * time.Minute
	}
	return min(life, maxLife), min(idle, life, maxLife)
}

// record writes an event down. The error is what it was refused for, where the route
// refuses then.
func (m *Manager) record(ctx context.Context, e Event, route *gateway.Route) error {
	if m.d.Record == nil {
		return nil
	}
	e.At = m.now()
	for name, v := range e.Details {
		if v == "" {
			delete(e.Details, name)
		}
	}
	err := m.d.Record(context.WithoutCancel(ctx), e) // a browser that leaves keeps it out of no trail
	if err == nil {
		return nil
	}
	m.d.Log.ErrorContext(ctx, "what happened to a browser's session could not be recorded", "what", string(e.What), "err", err)
	if route != nil && route.FullTrail {
		return err
	}
	return nil
}

// end ends something here and at whoever keeps revocations, once: it can be asked for as
// often as somebody likes. Until is set where it may be left of longer than a session of now.
func (m *Manager) end(ctx context.Context, e Ended) {
	e.At = m.now()
	if e.Until.IsZero() {
		e.Until = e.At.Add(maxLife)
	}
	if !m.ended.add(&e) || m.d.End == nil {
		return
	}
	if err := m.d.End(context.WithoutCancel(ctx), e); err != nil {
		m.d.Log.ErrorContext(ctx, "an ended session could not be written down; this process alone knows of it", "err", err)
	}
}
