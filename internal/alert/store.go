package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Deps is what a Store needs.
type Deps struct {
	DB     *db.DB           // required
	Now    func() time.Time // required
	Out    *notify.Outbox   // required: by which people are told
	Config *Config          // optional: nil is the defaults
	Record audit.Recorder   // optional: nil writes no trail
	Marks  Marks            // what marks rows that steer something; nil where the vault is not open: then nothing is silent
	Log    *slog.Logger     // optional: nil discards

	Sources []NamedSource
	Dates   []NamedDater
	Posture Posture // what judgements turned; nil where nothing is judged
	// Sees says which tenants the owner of a calendar may know of now; false where the
	// owner may see nothing any more. nil: what the calendar was made with.
	Sees func(ctx context.Context, owner string) (func(tenant string) bool, bool, error)
}

// NamedSource is a Source by its name, which is part of no key.
type NamedSource struct {
	Name string
	Get  Source
}

// NamedDater is a Dater with what it reads, in words.
type NamedDater struct {
	Name string
	Get  Dater
}

// Marks vouches for rows; *vault.Vault meets it.
type Marks interface {
	Mark(ctx context.Context, b *vault.Book, values ...any) ([]byte, error)
	Fits(ctx context.Context, b *vault.Book, mark []byte, values ...any) error
}

// Store keeps alerts. Safe for concurrent use, by several processes too.
type Store struct {
	d    Deps
	when clock
}

// New makes a store over a database whose schema is current.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Now == nil || d.Out == nil {
		return nil, problem.New(problem.Internal, "alerts have no database, no clock or no channels")
	}
	if d.Config == nil {
		d.Config = &Config{Window: 2 * time.Minute, Zone: "UTC", DigestAt: "08:00", DigestDay: "monday"}
	}
	when, err := d.Config.clock(func(name, format string, args ...any) *problem.Error {
		return problem.New(problem.Usage, "%s: %s", name, fmt.Sprintf(format, args...))
	})
	if err != nil {
		return nil, err
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{d, when}, nil
}

// now is the clock as the database can keep it.
func (s *Store) now() time.Time { return s.d.Now().UTC().Truncate(time.Microsecond) }

// Alert is something that is, or was, wrong, as it is told.
type Alert struct {
	ID     string `json:"id"`
	Source string `json:"-"`
	Finding
	State    string    `json:"state"` // open, resolved
	Opened   time.Time `json:"opened"`
	Changed  time.Time `json:"changed"` // for the last time
	Resolved time.Time `json:"resolved,omitzero"`
	Told     time.Time `json:"told,omitzero"` // for the first time; zero: nobody yet

	Acked   time.Time `json:"acknowledged,omitzero"`
	AckedBy string    `json:"acknowledgedBy,omitempty"`
	Until   time.Time `json:"snoozedUntil,omitzero"`
	Snoozer string    `json:"snoozedBy,omitempty"`
	Why     string    `json:"snoozedBecause,omitempty"`
	// Refused says why what people did about it does not count: something else wrote it.
	Refused string `json:"refused,omitempty"`

	steps steps
}

// steps are how far the telling is.
type steps struct {
	To []string `json:"to,omitempty"` // channels that were told
	Up []string `json:"up,omitempty"` // channels that it was escalated to
}

// Open says that it still is.
func (a *Alert) Open() bool { return a.State == open }

// Silent says why nobody is told of it at a moment; "" is that people are.
func (a *Alert) Silent(now time.Time) string {
	switch {
	case a.Excepted != "":
		return "exception " + a.Excepted
	case a.Until.After(now):
		return "snoozed until " + a.Until.UTC().Format("2006-01-02 15:04 UTC")
	}
	return ""
}

const (
	open     = "open"
	resolved = "resolved"
)

// Listing says which alerts are asked for.
type Listing struct {
	All   bool      // the resolved ones, too
	Since time.Time // resolved ones that changed since
	Limit int       // of the resolved ones; 0 is 200
}

// List gives alerts, the open ones first: by severity, then what has to be done soonest,
// then the newest.
func (s *Store) List(ctx context.Context, q Listing) ([]Alert, error) {
	list, err := s.alerts(ctx, open, time.Time{}, 0)
	if err == nil && q.All {
		var old []Alert
		old, err = s.alerts(ctx, resolved, q.Since, min(cmp.Or(q.Limit, 200), 5000))
		list = append(list, old...)
	}
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	if err := s.dress(ctx, list); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(a, b Alert) int {
		if a.Open() != b.Open() {
			if a.Open() {
				return -1
			}
			return 1
		}
		if !a.Open() {
			return b.Resolved.Compare(a.Resolved)
		}
		return cmp.Or(cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), sooner(a.Due, b.Due), b.Opened.Compare(a.Opened), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// sooner compares dates of which zero is none, and last.
func sooner(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// Find gives one alert. Kind problem.NotFound where there is none.
func (s *Store) Find(ctx context.Context, id string) (Alert, error) {
	a, err := s.alert(ctx, id)
	if err != nil {
		return a, err
	}
	one := []Alert{a}
	err = s.dress(ctx, one)
	return one[0], err
}

// dress adds what people did. What does not fit its mark counts for nothing, and is said.
func (s *Store) dress(ctx context.Context, list []Alert) error {
	acts, err := s.acts(ctx)
	if err != nil {
		return fmt.Errorf("read what was done about alerts: %w", err)
	}
	for i := range list {
		if x, has := acts[list[i].ID]; has {
			if err := s.wear(ctx, &list[i], &x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) wear(ctx context.Context, a *Alert, x *act) error {
	if s.d.Marks != nil { // without the vault it is only shown, and Look does not run
		err := s.d.Marks.Fits(ctx, Acts, x.mark, x.values()...)
		if errors.Is(err, vault.ErrForged) {
			a.Refused = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
	}
	a.Acked, a.AckedBy, a.Until, a.Snoozer, a.Why = x.acked, x.acker, x.until, x.snoozer, x.why
	return nil
}

// MaxSnooze is how long an alert may be silent by one person's word: for longer there
// are exceptions, which a second person approves.
const MaxSnooze = 30 * 24 * time.Hour

// Snooze keeps an alert silent until a moment. It stays in the list, and a worse turn
// ends it. Kind Usage for what may not be, Conflict where it is not open.
func (s *Store) Snooze(ctx context.Context, id string, until time.Time, why, actor string) (Alert, error) {
	now := s.now()
	until = until.UTC().Truncate(time.Second)
	switch {
	case !until.After(now):
		return Alert{}, problem.New(problem.Usage, "until %s is past", until.Format(time.RFC3339))
	case until.Sub(now) > MaxSnooze:
		return Alert{}, problem.New(problem.Usage, "until %s is more than 30 days ahead", until.Format(time.DateOnly)).
			WithHint("for longer there are exceptions, which a second person approves: partnerguard exceptions add")
	case strings.TrimSpace(why) == "":
		return Alert{}, problem.New(problem.Usage, "why it is silent is missing").WithHint("--why 'change is under way, done on Thursday'")
	case len(why) > 500:
		return Alert{}, problem.New(problem.Usage, "why is longer than 500 bytes")
	}
	return s.doing(ctx, id, audit.AlertSnoozed, actor, func(x *act) (string, error) {
		x.until, x.snoozer, x.why = until, actor, notify.Plain(why, 500)
		return "until " + until.Format(time.RFC3339) + ": " + x.why, nil
	})
}

// Wake ends a snooze.
func (s *Store) Wake(ctx context.Context, id, actor string) (Alert, error) {
	return s.doing(ctx, id, audit.AlertSnoozed, actor, func(x *act) (string, error) {
		if x.until.IsZero() {
			return "", problem.New(problem.Conflict, "the alert %s is not snoozed", id)
		}
		x.until, x.snoozer, x.why = time.Time{}, "", ""
		return "ended", nil
	})
}

// Acknowledge says that somebody is at it: it is escalated no further.
func (s *Store) Acknowledge(ctx context.Context, id, actor string) (Alert, error) {
	return s.doing(ctx, id, audit.AlertAcknowledged, actor, func(x *act) (string, error) {
		if !x.acked.IsZero() {
			return "", problem.New(problem.Conflict, "%s acknowledged the alert %s at %s", x.acker, id, x.acked.Format(time.RFC3339))
		}
		x.acked, x.acker = s.now(), actor
		return "", nil
	})
}

// doing changes what people did about an open alert, with its entry of the trail.
func (s *Store) doing(ctx context.Context, id string, action audit.Action, actor string, change func(*act) (string, error)) (Alert, error) {
	if s.d.Marks == nil {
		return Alert{}, problem.New(problem.Internal, "alerts are acted on with the vault open, and it is not")
	}
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		a, err := s.alert(ctx, id)
		if err != nil {
			return err
		}
		if !a.Open() {
			return problem.New(problem.Conflict, "the alert %s is resolved since %s", id, a.Resolved.Format(time.RFC3339))
		}
		x, err := s.actOf(ctx, id)
		if err != nil {
			return err
		}
		words, err := change(&x)
		if err != nil {
			return err
		}
		if err := s.putAct(ctx, &x); err != nil {
			return err
		}
		what, _ := strings.CutPrefix(string(action), "alert.")
		if err := s.note(ctx, id, what, actor, words); err != nil {
			return err
		}
		if s.d.Record == nil {
			return nil
		}
		e := audit.Event{At: s.now(), Action: action, Outcome: audit.Done, Actor: actor, Object: id, Tenant: a.Tenant, Details: map[string]string{
			"kind": string(a.Kind), "severity": string(a.Severity)}}
		if !x.until.IsZero() {
			e.Details["until"] = x.until.Format(time.RFC3339)
		}
		return s.d.Record.Record(ctx, e)
	})
	if err != nil {
		return Alert{}, err
	}
	return s.Find(ctx, id)
}

// Happening is one line of an alert's life.
type Happening struct {
	N     int       `json:"n"`
	At    time.Time `json:"at"`
	What  string    `json:"what"` // opened, changed, resolved, told, escalated, snoozed, acknowledged, woken
	Actor string    `json:"actor,omitempty"`
	Words string    `json:"words,omitempty"`
}

// Life is what happened to an alert, oldest first.
func (s *Store) Life(ctx context.Context, id string) ([]Happening, error) { return s.events(ctx, id) }
