package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"partnerguard/internal/audit"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// Feed is a calendar of deadlines, one person's. Whoever has its secret reads it: it is
// shown once, when it is made, and kept as a hash.
type Feed struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"` // as the trail names them
	Name    string    `json:"name"`
	Tenants []string  `json:"tenants"` // whose deadlines; null is all
	Made    time.Time `json:"made"`
	Ended   time.Time `json:"revoked,omitzero"`
	Refused string    `json:"refused,omitempty"` // why it shows nothing: its row is not as it was written
}

// maxFeeds bounds the calendars that were not revoked.
const maxFeeds = 1000

func hashOf(s secret.Text) string {
	sum := sha256.Sum256([]byte("calendar " + s.Reveal()))
	return hex.EncodeToString(sum[:])
}

// MakeFeed makes a calendar of owner's, of tenants or, with nil, of all, and gives its
// secret, which is nowhere else. Kind Usage for what may not be, Limit for too many.
func (s *Store) MakeFeed(ctx context.Context, owner, name string, tenants []string, actor string) (Feed, secret.Text, error) {
	name = notify.Plain(name, 80)
	switch {
	case s.d.Marks == nil:
		return Feed{}, secret.Text{}, problem.New(problem.Internal, "calendars are made with the vault open, and it is not")
	case owner == "" || len(owner) > 200:
		return Feed{}, secret.Text{}, problem.New(problem.Usage, "whose calendar it is, is missing")
	}
	key := token.Text()
	f := feedRow{Feed: Feed{ID: token.ID("f"), Owner: owner, Name: name, Tenants: tenants, Made: s.now()}, hash: hashOf(key)}
	b, err := json.Marshal(tenants)
	if err != nil {
		return Feed{}, secret.Text{}, err
	}
	f.tenants = string(b)
	err = s.d.DB.InTx(ctx, func(ctx context.Context) error {
		list, err := s.feeds(ctx)
		if err != nil {
			return err
		}
		n := 0
		for i := range list {
			if list[i].Ended.IsZero() {
				n++
			}
		}
		if n >= maxFeeds {
			return problem.New(problem.Limit, "there are %d calendars, and no more are made",
				n).WithHint("partnerguard notify feed revoke ends those that nobody reads")
		}
		if err := s.putFeed(ctx, &f); err != nil {
			return err
		}
		return s.record(ctx, audit.CalendarMade, &f.Feed, actor)
	})
	return f.Feed, key, err
}

// RevokeFeed ends a calendar: its address shows nothing from now on.
func (s *Store) RevokeFeed(ctx context.Context, id, actor string) (Feed, error) {
	if s.d.Marks == nil {
		return Feed{}, problem.New(problem.Internal, "calendars are revoked with the vault open, and it is not")
	}
	var f feedRow
	err := s.d.DB.InTx(ctx, func(ctx context.Context) (err error) {
		if f, err = s.feedBy(ctx, "id", id); err != nil {
			return err
		}
		if !f.Ended.IsZero() {
			return problem.New(problem.Conflict, "the calendar %s was revoked on %s", f.ID, f.Ended.Format(time.DateOnly))
		}
		f.Ended = s.now()
		if err := s.putFeed(ctx, &f); err != nil {
			return err
		}
		return s.record(ctx, audit.CalendarRevoked, &f.Feed, actor)
	})
	return f.Feed, err
}

func (s *Store) record(ctx context.Context, action audit.Action, f *Feed, actor string) error {
	if s.d.Record == nil {
		return nil
	}
	return s.d.Record.Record(ctx, audit.Event{At: s.now(), Action: action, Outcome: audit.Done, Actor: actor, Object: f.ID,
		Details: map[string]string{"owner": f.Owner, "name": f.Name}})
}

// ListFeeds lists the calendars, in the order in which they were made.
func (s *Store) ListFeeds(ctx context.Context) ([]Feed, error) {
	list, err := s.feeds(ctx)
	out := []Feed{}
	for i := range list {
		f := &list[i]
		if s.d.Marks != nil {
			if err := s.d.Marks.Fits(ctx, Feeds, f.mark, f.values()...); errors.Is(err, vault.ErrForged) {
				f.Refused = err.Error()
			} else if err != nil {
				return nil, err
			}
		}
		out = append(out, f.Feed)
	}
	return out, err
}

// feedOf finds the calendar of a secret. Whatever is wrong, the answer is the same: there
// is none.
func (s *Store) feedOf(ctx context.Context, key string) (*Feed, error) {
	none := problem.New(problem.NotFound, "there is no such calendar")
	if len(key) < 40 || len(key) > 100 || s.d.Marks == nil {
		return nil, none
	}
	f, err := s.feedBy(ctx, "hash", hashOf(secret.New(key)))
	if errors.Is(err, problem.NotFound) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	if err := s.d.Marks.Fits(ctx, Feeds, f.mark, f.values()...); errors.Is(err, vault.ErrForged) {
		return nil, none
	} else if err != nil {
		return nil, err
	}
	if !f.Ended.IsZero() || f.hash != hashOf(secret.New(key)) {
		return nil, none
	}
	return &f.Feed, nil
}

// sees says which tenants a calendar shows: never more than its owner may know of now.
func (s *Store) sees(ctx context.Context, f *Feed) (func(string) bool, error) {
	own := func(tenant string) bool { return f.Tenants == nil || slices.Contains(f.Tenants, tenant) }
	if s.d.Sees == nil {
		return own, nil
	}
	may, ok, err := s.d.Sees(ctx, f.Owner)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, problem.New(problem.NotFound, "there is no such calendar")
	}
	return func(tenant string) bool { return own(tenant) && may(tenant) }, nil
}

// Calendar is what a calendar shows, by RFC 5545: equal bytes as long as nothing changed.
func (s *Store) Calendar(ctx context.Context, f *Feed) ([]byte, error) {
	sees, err := s.sees(ctx, f)
	if err != nil {
		return nil, err
	}
	list, _ := s.Deadlines(ctx) // what could not be read is in the log: an entry that is missing for an hour is not one that moved
	list = slices.DeleteFunc(list, func(d Deadline) bool { return !sees(d.Tenant) })
	if len(list) > maxEntries {
		list = list[:maxEntries]
	}
	at, err := s.sequence(ctx, list)
	if err != nil {
		return nil, err
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//Partnerguard//Deadlines//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	cal.SetXWRCalName(first(f.Name, "Partnerguard deadlines"))
	cal.SetRefreshInterval("PT1H")
	cal.SetXPublishedTTL("PT1H")
	for i := range list {
		s.entry(cal, f, &list[i], at[list[i].ID])
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows)), nil
}

// maxEntries bounds a calendar: programs that read it read all of it, every hour.
const maxEntries = 2000

func (s *Store) entry(cal *ics.Calendar, f *Feed, d *Deadline, at entry) {
	sum := sha256.Sum256([]byte(f.ID + " " + d.ID))
	e := cal.AddEvent(hex.EncodeToString(sum[:16]) + "@partnerguard")
	e.SetDtStampTime(at.changed)
	e.SetModifiedAt(at.changed)
	e.SetSequence(int(at.sequence))
	title, text := notify.Plain(d.Title, 200), notify.Plain(d.Detail, 1000)
	if !d.Sure {
		title += " (not sure)"
	}
	e.SetSummary(title)
	if d.Path != "" && s.d.Out.Base() != "" {
		e.SetURL(s.d.Out.Base() + d.Path)
	}
	if text != "" {
		e.SetDescription(text)
	}
	if d.Whole {
		e.SetAllDayStartAt(d.At)
		e.SetAllDayEndAt(d.At.AddDate(0, 0, 1))
	} else {
		e.SetStartAt(d.At)
	}
	e.SetTimeTransparency(ics.TransparencyTransparent) // nobody is busy by it
	e.AddCategory(d.Kind)
	a := e.AddAlarm()
	a.SetAction(ics.ActionDisplay)
	a.SetProperty(ics.ComponentPropertyDescription, title)
	if d.Kind == DueAnswer {
		a.SetTrigger("-PT1H")
	} else {
		a.SetTrigger("-P1D")
	}
}

// sequence keeps how often each entry changed, so that programs take the newest.
func (s *Store) sequence(ctx context.Context, list []Deadline) (map[string]entry, error) {
	out := map[string]entry{}
	err := s.d.DB.InTx(ctx, func(ctx context.Context) error {
		known, err := s.entries(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			d := &list[i]
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%t\x00%t", d.At.Format(time.RFC3339), d.Title, d.Detail, d.Path, d.Sure, d.Whole))
			digest := hex.EncodeToString(sum[:16])
			e, has := known[d.ID]
			if has && e.digest == digest {
				out[d.ID] = e
				continue
			}
			if has {
				e.sequence++
			}
			e.digest, e.changed = digest, s.now().Truncate(time.Second)
			if err := s.putEntry(ctx, d.ID, &e); err != nil {
				return err
			}
			out[d.ID] = e
		}
		return nil
	})
	return out, err
}

// Address is where a calendar is read, of a server's public address.
func Address(base string, key secret.Text) string {
	return strings.TrimRight(base, "/") + "/calendar/" + key.Reveal() + ".ics"
}
