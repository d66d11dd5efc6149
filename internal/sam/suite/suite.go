package suite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/notify"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/sam/past"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Deps is what a Suite is made of. All but Local are required.
type Deps struct {
	DB    *db.DB
	Trail *trail.Trail
	Vault *vault.Vault
	API   *msapi.Client
	// Cloud is where everything is asked: its addresses come from here, and never
	// out of the database.
	Cloud  msapi.Cloud
	Local  *Local // the local partner cloud that runs; nil when none
	Seen   string // the file that remembers how long the trail was
	Public string // how the installation is reached from outside; "": nobody is invited
	Every  time.Duration
	Look   bool   // only to look: nothing is recorded or written
	Actor  string // who does it, for the trail
	Now    func() time.Time
	Log    *slog.Logger
}

// Local is what the local partner cloud offers of itself.
type Local struct {
	Apps []App
}

// App is an app of the local partner cloud with its secret.
type App struct{ ClientID, Tenant, Name, Secret string }

// Suite is the Secure Application Model of one installation.
type Suite struct {
	d        Deps
	Store    *sam.Store
	past     *past.Past
	exchange *exchange.Exchange
	callers  Callers
	notes    []string
	close    []func() error
}

// Books are the tables whose rows are marked.
func Books() []*vault.Book {
	return []*vault.Book{sam.Connections, sam.Registrations, onboard.Invitations, broker.Approvals, consent.IntentBook}
}

// New opens the store and what is known of the past. Rows from before marks are
// marked, once. Close ends what it made.
func New(ctx context.Context, d Deps) (*Suite, error) {
	s := &Suite{d: d, Store: sam.NewStore(d.DB, d.Vault, d.Now, d.Cloud)}
	var err error
	if s.past, err = past.Open(ctx, past.Deps{DB: d.DB, Trail: d.Trail, Vault: d.Vault, File: d.Seen, Actor: d.Actor, Look: d.Look, Now: d.Now}); err != nil {
		return nil, err
	}
	if err := s.trust(ctx); err != nil {
		return nil, err
	}
	behind, err := s.past.Compare(ctx)
	if err != nil {
		return nil, err
	}
	if behind != "" {
		s.notes = append(s.notes, behind+"; no connection is used until partnerguard connect accept --all")
	}
	s.Store.Remember(s.past)
	if d.Look {
		return s, nil
	}
	s.close = append(s.close, func() error {
		if err := s.past.Leave(context.Background()); err != nil { // what was done is done
			s.d.Log.Warn("how far the database is was not written down", "error", err)
		}
		return nil
	})
	return s, nil
}

// As is the suite as another actor uses it, whom its acts are recorded by. It is closed
// with the one it was made of, and not by itself.
func (s *Suite) As(actor string) *Suite {
	as := *s
	as.d.Actor, as.close, as.notes = actor, nil, nil
	return &as
}

// Notes are what a person should be told of how it was opened.
func (s *Suite) Notes() []string { return s.notes }

// Close ends everything in order.
func (s *Suite) Close() error {
	var err error
	for i := len(s.close) - 1; i >= 0; i-- {
		err = errors.Join(err, s.close[i]())
	}
	s.close = nil
	return err
}

// trust marks, once, the rows of an installation from before marks.
func (s *Suite) trust(ctx context.Context) error {
	if !s.d.Vault.Unmarked() {
		return nil
	}
	n := 0
	err := s.d.Vault.Trust(ctx, func(ctx context.Context, within *vault.Vault) error {
		n = 0
		return s.Store.Trust(ctx, within, func(c sam.Connection) error {
			n++
			return s.past.Record(ctx, audit.Event{
				Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: s.d.Actor, Object: c.ID, Tenant: c.Tenant,
				Reason:  "it stood there when rows were marked for the first time",
				Details: map[string]string{"generation": strconv.FormatInt(c.Generation, 10)},
			})
		})
	})
	if err != nil {
		return err
	}
	s.notes = append(s.notes, fmt.Sprintf("this installation is from before rows were marked: %d connections were trusted as they stood; look at them "+
		"with partnerguard connect status, and destroy backups of the database from before", n))
	return nil
}

// Renewer renews the connections and foretells their end.
func (s *Suite) Renewer() (*renew.Renewer, error) {
	return renew.New(renew.Deps{
		Store: s.Store, Authority: s, Record: s.past, Settings: renew.GraphSettings{Graph: s.Graph, Store: s.Store},
		Told: notify.NewTold(s.d.DB), Every: s.d.Every, Actor: s.d.Actor, Now: s.d.Now, Log: s.d.Log,
	})
}

// Jobs gives the queue what runs by itself: renewals, forecasts, warnings.
func (s *Suite) Jobs(q *jobs.Queue) error {
	r, err := s.Renewer()
	if err == nil {
		r.Jobs(q)
	}
	return err
}
