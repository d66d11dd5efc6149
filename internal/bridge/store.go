package bridge

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Trail is the audit trail: what is recorded, and what it says of a device last.
type Trail interface {
	audit.Recorder
	Head(context.Context) (trail.Head, error)
	Held(ctx context.Context, after, to int64, want func(line []byte) bool, each func(trail.Entry)) error
}

// Deps is everything a Store needs.
type Deps struct {
	DB    *db.DB           // required
	Vault *vault.Vault     // required: rows are marked by it
	Trail Trail            // required
	Now   func() time.Time // required
	Log   *slog.Logger     // nil discards
}

// Store has the devices. Safe for concurrent use, and for several processes over one
// database.
type Store struct {
	d     Deps
	hash  *hasher
	slow  *slow
	words *words
	stray *audit.Stray

	mu    sync.Mutex // guards live
	live  map[int64]liveOne
	count int64
}

type liveOne struct {
	device string
	cut    func()
}

// New makes a Store.
func New(d Deps) (*Store, error) {
	if d.DB == nil || d.Vault == nil || d.Trail == nil || d.Now == nil {
		return nil, errors.New("bridge: DB, Vault, Trail and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{d: d, hash: newHasher(d.Now), slow: newSlow(), words: &words{trail: d.Trail}, stray: &audit.Stray{}, live: map[int64]liveOne{}}, nil
}

// Create makes a device and gives its password, which is nowhere kept and shown once.
// Name, Mailbox, Protocols, Sources, Senders and Ends are the caller's. Kind
// problem.Usage for what cannot be, problem.Limit where there are too many.
func (s *Store) Create(ctx context.Context, d Device, actor string) (Device, secret.Text, error) {
	now := s.d.Now().UTC().Truncate(time.Microsecond)
	d = Device{ID: token.ID("bd"), Name: d.Name, Mailbox: d.Mailbox, Protocols: d.Protocols, Sources: d.Sources, Senders: d.Senders,
		Made: now, Ends: d.Ends.UTC().Truncate(time.Microsecond), By: actor}
	if err := d.settle(); err != nil {
		return Device{}, secret.Text{}, err
	}
	var text secret.Text
	d.selector, text = newPassword()
	_, plain, _ := readPassword(text)
	var err error
	if d.hash, err = s.hash.make(ctx, plain); err != nil {
		return Device{}, secret.Text{}, err
	}
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := s.forget(ctx, now.Add(-keptFor)); err != nil {
			return err
		}
		rows, err := s.rows(ctx)
		if err != nil {
			return err
		}
		if len(rows) >= maxDevices {
			return problem.New(problem.Limit, "there are %d devices, and no more are made", len(rows)).
				WithHint("rows of devices that ended or were revoked go a year later, and make room")
		}
		if err := s.insert(ctx, &d); err != nil {
			return err
		}
		return s.record(ctx, audit.Event{Action: audit.BridgeDeviceMade, Outcome: audit.Done, Actor: actor, Object: d.ID, Details: map[string]string{
			"name": d.Name, "mailbox": d.Mailbox, "protocols": strings.Join(d.Protocols, " "), "sources": strings.Join(d.Sources, " "),
			"senders": strings.Join(d.Senders, " "), "ends": d.Ends.Format(time.RFC3339)}})
	})
	if err != nil {
		return Device{}, secret.Text{}, err
	}
	return d, text, nil
}

// List gives the devices, oldest first, those that are over too.
func (s *Store) List(ctx context.Context) ([]Device, error) {
	rows, err := s.rows(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := s.holds(ctx, &rows[i]); errors.Is(err, vault.ErrForged) {
			rows[i].Refused = err.Error()
		} else if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Revoke ends a device's password at once: nobody comes in by it any more, and whoever
// is in by it is cut off, here at once and in other processes within seconds. Kind
// problem.NotFound when there is none, problem.Conflict when it was revoked before.
func (s *Store) Revoke(ctx context.Context, id, actor string) (Device, error) {
	var was Device
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		d, err := s.row(ctx, "id", id)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && d.ID != id:
			return problem.New(problem.NotFound, "no device has the id %.40q", id).WithHint("partnerguard apppassword list shows them")
		case err != nil:
			return err
		case !d.Revoked.IsZero():
			was = d
			return problem.New(problem.Conflict, "the device %s was revoked on %s", d.Name, d.Revoked.Format(time.DateOnly))
		}
		d.Revoked, d.RevokedBy = s.d.Now().UTC().Truncate(time.Microsecond), actor
		was = d
		if err := s.update(ctx, &d); err != nil {
			return err
		}
		return s.record(ctx, audit.Event{Action: audit.BridgeDeviceRevoked, Outcome: audit.Done, Actor: actor, Object: d.ID,
			Details: map[string]string{"name": d.Name, "mailbox": d.Mailbox}})
	})
	if err == nil {
		s.cut(func(device string) bool { return device == id })
	}
	return was, err
}

// Attempt is somebody at the door.
type Attempt struct {
	User     string // the mailbox, or the device's id
	Password secret.Text
	Protocol string
	Address  netip.Addr
}

// ErrRefused is every refusal of a password: whoever is refused is not told why. The
// trail says it. Use errors.Is.
var ErrRefused = errors.New("bridge: not let in")

// Enter lets a device in, or refuses it: with ErrRefused; with kind problem.Limit and
// how long to wait where too many were wrong before, or too many ask at once; with kind
// problem.Unavailable where it cannot be known, which lets nobody in.
func (s *Store) Enter(ctx context.Context, a Attempt) (Device, error) {
	now := s.d.Now()
	source := "from " + sourceOf(a.Address)
	selector, plain, formed := readPassword(a.Password)
	if wait := s.slow.left(now, selector+source, source); wait > 0 {
		return Device{}, waits(wait)
	}
	if !formed {
		return Device{}, s.refuse(ctx, nil, a, "the password is none of the bridge's by its form")
	}
	d, err := s.row(ctx, "selector", selector)
	if errors.Is(err, sql.ErrNoRows) || err == nil && d.selector != selector {
		return Device{}, s.refuse(ctx, nil, a, "no device has such a password")
	}
	if err != nil {
		return Device{}, err
	}
	if err := s.holds(ctx, &d); errors.Is(err, vault.ErrForged) {
		return Device{}, s.refuse(ctx, &d, a, "its row is not as it was written")
	} else if err != nil {
		return Device{}, err
	}
	if wait := s.slow.left(now, selector+source, "device "+d.ID); wait > 0 {
		return Device{}, waits(wait)
	}
	switch ok, err := s.hash.fits(ctx, d.ID, d.hash, plain); {
	case err != nil:
		return Device{}, err
	case !ok:
		return Device{}, s.refuse(ctx, &d, a, "the password is wrong")
	}
	// Whoever has the password may know that it is refused, and not why.
	if why := d.unfit(a, now); why != "" {
		return Device{}, s.refuse(ctx, &d, a, why)
	}
	s.slow.right(now, selector+source, source)
	s.used(ctx, &d, a, now)
	return d, nil
}

// unfit says why a device with the right password does not come in; "" for nothing.
func (d *Device) unfit(a Attempt, now time.Time) string {
	user := strings.ToLower(strings.TrimSpace(a.User))
	by := false
	for _, p := range d.Protocols {
		by = by || p == a.Protocol
	}
	switch {
	case !d.Revoked.IsZero():
		return "it was revoked on " + d.Revoked.Format(time.DateOnly)
	case !now.Before(d.Ends):
		return "it ended on " + d.Ends.Format(time.DateOnly)
	case now.Before(d.Made.Add(-time.Hour)):
		return "it is of the future: the clock was set back"
	case user != d.Mailbox && user != d.ID:
		return "it is another mailbox's"
	case !by:
		return "it may not use " + a.Protocol
	case !d.From(a.Address):
		return "it came from an address that is none of its own"
	}
	return ""
}

func waits(d time.Duration) error {
	return problem.New(problem.Limit, "too many wrong passwords came from there").WithAfter(d)
}

// sourceOf is whom an address counts for: itself, and of IPv6 its network of 64 bits.
func sourceOf(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// refuse counts a refusal, and has the trail say it, a stranger's at most once a
// minute: the trail is not a stranger's to fill.
func (s *Store) refuse(ctx context.Context, d *Device, a Attempt, cause string) error {
	now := s.d.Now()
	source, device := "from "+sourceOf(a.Address), ""
	e := audit.Event{Action: audit.BridgeRefused, Outcome: audit.Refused, Actor: "unknown", Reason: cause,
		Details: map[string]string{"address": a.Address.Unmap().String(), "protocol": a.Protocol}}
	if d != nil {
		device = "device " + d.ID
		e.Actor, e.Object, e.Details["name"] = "device:"+d.ID, d.ID, d.Name
	}
	for _, key := range s.slow.wrong(now, source, device) {
		many := audit.Event{Action: audit.BridgeSlowed, Outcome: audit.Refused, Actor: e.Actor, Object: e.Object, Reason: manyWrongsIn + " " + key,
			Details: map[string]string{"address": e.Details["address"]}}
		if err := s.record(ctx, many); err != nil {
			s.d.Log.ErrorContext(ctx, "a refusal could not be recorded", "err", err)
		}
	}
	if n := s.stray.Due(now, e.Object+cause+sourceOf(a.Address)); n > 0 {
		e.Details["times"] = fmt.Sprint(n)
		if err := s.record(ctx, e); err != nil {
			s.d.Log.ErrorContext(ctx, "a refusal could not be recorded", "err", err)
		}
	}
	return ErrRefused
}

// used notes that a device came in, once a minute.
func (s *Store) used(ctx context.Context, d *Device, a Attempt, now time.Time) {
	if now.Sub(d.Used).Abs() < time.Minute && d.UsedFrom == a.Address.Unmap().String() && d.UsedBy == a.Protocol {
		return
	}
	if err := s.touch(ctx, d.ID, now, a.Address.Unmap().String(), a.Protocol); err != nil {
		s.d.Log.WarnContext(ctx, "when a device was used could not be written down", "err", err)
	}
}

// Still says whether a device that is in may be yet: ErrRefused where not.
func (s *Store) Still(ctx context.Context, id string) error {
	d, err := s.row(ctx, "id", id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && d.ID != id {
		return ErrRefused
	}
	if err == nil {
		err = s.holds(ctx, &d)
	}
	if errors.Is(err, vault.ErrForged) || err == nil && d.State(s.d.Now()) != "active" {
		return ErrRefused
	}
	return err
}

// Live keeps what cuts a device's connection off, until gone is called.
func (s *Store) Live(device string, cut func()) (gone func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	n := s.count
	s.live[n] = liveOne{device, cut}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.live, n)
	}
}

// Sweep cuts off the devices that are in and may not be any more: revoked elsewhere,
// ended, or whose row is not as it was written. Where that cannot be known, nobody is
// cut off and the error says so; nobody comes in either. It is called every few seconds.
func (s *Store) Sweep(ctx context.Context) error {
	s.mu.Lock()
	ids := map[string]bool{}
	for _, l := range s.live {
		ids[l.device] = true
	}
	s.mu.Unlock()
	out := map[string]bool{}
	for id := range ids {
		if err := s.Still(ctx, id); errors.Is(err, ErrRefused) {
			out[id] = true
		} else if err != nil {
			return err
		}
	}
	if len(out) > 0 {
		s.cut(func(device string) bool { return out[device] })
	}
	return nil
}

func (s *Store) cut(which func(device string) bool) {
	s.mu.Lock()
	var cuts []func()
	for _, l := range s.live {
		if which(l.device) {
			cuts = append(cuts, l.cut)
		}
	}
	s.mu.Unlock()
	for _, f := range cuts {
		f()
	}
}

// InUse is how many connections devices have open here.
func (s *Store) InUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

func (s *Store) record(ctx context.Context, e audit.Event) error {
	e.At = s.d.Now().UTC().Truncate(time.Microsecond)
	for k, v := range e.Details {
		if v == "" {
			delete(e.Details, k)
		}
	}
	return s.d.Trail.Record(ctx, e)
}
