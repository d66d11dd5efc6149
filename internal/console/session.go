package console

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// The ways in.
const (
	ByLink  = "link"
	ByEntra = "entra"
)

// Session is somebody in the console. What grants in it is as of entry: it never gains
// more, and what was taken away since is not in it any more ([Console.viewer]).
type Session struct {
	ID        string    `json:"id"`
	Way       string    `json:"way"` // link, entra
	Actor     string    `json:"actor"`
	Subject   string    `json:"subject,omitempty"`
	Name      string    `json:"name"`
	Tenant    string    `json:"tenant,omitempty"`
	Role      string    `json:"role"`      // as of entry
	Customers []string  `json:"customers"` // as of entry; nil is all
	Made      time.Time `json:"entered"`
	Seen      time.Time `json:"seen"` // to the minute
	Idles     time.Time `json:"idles"`
	Ends      time.Time `json:"ends"`
	Proof     string    `json:"proof"`           // what MFA was proven by, in words
	Proven    time.Time `json:"proven,omitzero"` // when; zero: not told
	Address   string    `json:"address"`
	Client    string    `json:"client"` // class of the browser
	// Refused says why it lets nobody in: its row is not as it was written.
	Refused string `json:"refused,omitempty"`

	held    held
	hash    string
	version int64
	mark    []byte
}

// held is what the id token said that somebody holds.
type held struct {
	Roles  []string `json:"roles,omitempty"`  // template ids of directory roles
	Groups []string `json:"groups,omitempty"` // object ids
}

func (h held) text() string {
	b, _ := json.Marshal(h) // texts alone
	return string(b)
}

func readHeld(s string) (h held) {
	if json.Unmarshal([]byte(s), &h) != nil {
		return held{Roles: []string{"?"}} // then its mark does not fit
	}
	return h
}

// Limits of what is kept.
const (
	maxSessions = 10_000
	seenEvery   = time.Minute
	// backwards is how far the clock may go back before a session is over: one that
	// was set back must not let anybody stay longer.
	backwards = 2 * time.Minute
)

// Why a session is over, for the sign-in page.
const (
	overLife  = "life"  // its time is up
	overIdle  = "idle"  // nobody used it
	overClock = "clock" // the clock was set back
	overGone  = "ended" // signed out, or ended by somebody
	overRole  = "role"  // the role is gone
)

// over says why a session is over at a moment, "" while it is not. The settings of now
// may shorten it and never lengthen.
func (s *Session) over(now time.Time, conf *Config) string {
	switch {
	case now.Before(s.Made.Add(-backwards)), now.Before(s.Seen.Add(-backwards)):
		return overClock
	case !now.Before(s.Ends), !now.Before(s.Made.Add(conf.Life)):
		return overLife
	case !now.Before(s.Idles), !now.Before(s.Seen.Add(conf.Idle)):
		return overIdle
	}
	return ""
}

// fresh says that the proof of MFA is new enough to change something.
func (s *Session) fresh(now time.Time, conf *Config) bool {
	age := now.Sub(s.Proven)
	return !s.Proven.IsZero() && age < conf.Proof && age > -backwards
}

// ended is why a session lets nobody in any more; why is one of the words above.
type ended struct{ why string }

func (e *ended) Error() string { return "the session is over: " + e.why }

// begin begins a session, in place of was ("" is none), and gives the secret of its
// cookie. Kind problem.TooMany when there are too many.
func (c *Console) begin(ctx context.Context, s *Session, was string, action audit.Action, details map[string]string) (secret.Text, error) {
	text := token.Text()
	now := c.now()
	s.ID, s.hash, s.Made, s.Seen, s.version = token.ID("cs"), hashOf(text), now, now, 1
	s.Idles, s.Ends = now.Add(c.d.Config.Idle), now.Add(c.d.Config.Life)
	if s.Idles.After(s.Ends) {
		s.Idles = s.Ends
	}
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := c.sweep(ctx, now); err != nil {
			return err
		}
		if n, err := c.countSessions(ctx); err != nil {
			return err
		} else if n >= maxSessions {
			return problem.New(problem.TooMany, "%d people are in the console, and no more come in", n).
				WithHint("partnerguard console sessions end --all ends their sessions")
		}
		if was != "" {
			if n, err := c.deleteSession(ctx, was); err != nil {
				return err
			} else if n > 0 {
				if err := c.record(ctx, audit.Event{Action: audit.ConsoleEnded, Outcome: audit.Done, Actor: s.Actor, Object: was, Tenant: s.Tenant,
					Reason: "another session took its place", Details: map[string]string{"session": s.ID}}); err != nil {
					return err
				}
			}
		}
		if err := c.insertSession(ctx, s); err != nil {
			return err
		}
		more := map[string]string{"way": s.Way, "role": s.Role, "subject": s.Subject, "proof": s.Proof, "address": s.Address, "client": s.Client,
			"ends": s.Ends.Format(time.RFC3339)}
		if !s.Proven.IsZero() {
			more["proven"] = s.Proven.Format(time.RFC3339)
		}
		if s.Customers != nil {
			more["customers"] = fmt.Sprint(len(s.Customers))
		}
		for k, v := range details {
			more[k] = v
		}
		return c.record(ctx, audit.Event{Action: action, Outcome: audit.Done, Actor: s.Actor, Object: s.ID, Tenant: s.Tenant, Details: more})
	})
	return text, err
}

// find gives the session of a cookie, alive and held to its mark. The error is *ended
// where it is over; one that the database does not have was ended.
func (c *Console) find(ctx context.Context, id string, text secret.Text) (*Session, error) {
	s, err := c.sessionRow(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &ended{overGone}
	}
	if err != nil {
		return nil, err
	}
	if s.ID != id || subtle.ConstantTimeCompare([]byte(s.hash), []byte(hashOf(text))) != 1 {
		return nil, &ended{overGone}
	}
	if err := c.holdSession(ctx, &s); err != nil {
		return nil, err
	}
	now := c.now()
	if why := s.over(now, c.d.Config); why != "" {
		// Gone for good: a clock that is set back later does not bring it back.
		if _, err := c.deleteSession(ctx, id); err != nil {
			return nil, err
		}
		return nil, &ended{why}
	}
	if now.Sub(s.Seen) < seenEvery {
		return &s, nil
	}
	next, was := s, s.version
	next.Seen, next.Idles, next.version = now, now.Add(c.d.Config.Idle), was+1
	if next.Idles.After(next.Ends) {
		next.Idles = next.Ends
	}
	c.aside(ctx, id, func(ctx context.Context) error {
		_, err := c.touchSession(ctx, &next, was) // whoever was faster wrote the same
		return err
	})
	return &s, nil
}

func (c *Console) holdSession(ctx context.Context, s *Session) error {
	return c.holds(ctx, sessionBook, s.ID, s.mark, s.values(), audit.ConsoleEntered, audit.ConsoleSteppedUp)
}

// Sessions lists who is in the console, who was seen last first; those that are over are
// left out.
func (c *Console) Sessions(ctx context.Context) ([]Session, error) {
	rows, err := c.sessionRows(ctx)
	if err != nil {
		return nil, err
	}
	out, now := []Session{}, c.now()
	for i := range rows {
		s := rows[i]
		if err := c.holdSession(ctx, &s); err != nil {
			if !isForged(err) {
				return nil, err
			}
			s.Refused = err.Error()
		} else if s.over(now, c.d.Config) != "" {
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

// EndSession ends a session, whoever's it is. Kind problem.NotFound when there is none.
func (c *Console) EndSession(ctx context.Context, id, actor string) error {
	return c.end(ctx, id, audit.ConsoleEnded, actor)
}

func (c *Console) end(ctx context.Context, id string, action audit.Action, actor string) error {
	return c.d.DB.InTx(ctx, func(ctx context.Context) error {
		s, err := c.sessionRow(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "no session has the id %.40q", id).WithHint("partnerguard console sessions lists them")
		}
		if err != nil {
			return err
		}
		if _, err := c.deleteSession(ctx, id); err != nil {
			return err
		}
		return c.record(ctx, audit.Event{Action: action, Outcome: audit.Done, Actor: actor, Object: id, Tenant: s.Tenant,
			Details: map[string]string{"of": s.Actor}})
	})
}

// EndSessions ends all sessions but keep ("" keeps none): those of one actor, or of all
// where of is "". It says how many.
func (c *Console) EndSessions(ctx context.Context, of, keep, actor string) (n int, err error) {
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error {
		n = 0
		rows, err := c.sessionRows(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			s := &rows[i]
			if s.ID == keep || of != "" && !strings.EqualFold(s.Actor, of) {
				continue
			}
			if err := c.end(ctx, s.ID, audit.ConsoleEnded, actor); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// viewer is who a session is at this moment: what it had at entry, less what was taken
// away since. The error is *ended when nothing is left.
func (c *Console) viewer(ctx context.Context, s *Session) (*screen.Viewer, error) {
	v := &screen.Viewer{ID: s.Subject, Name: s.Name, Actor: s.Actor, Session: s.ID, Customers: s.Customers}
	was, ok := FindRole(s.Role)
	if !ok {
		return nil, &ended{overRole}
	}
	if s.Way == ByLink {
		v.ID, v.Role, v.Rights = s.Actor, was.Title, was.Rights
		return v, nil
	}
	grants, err := c.grants(ctx)
	if err != nil {
		return nil, err
	}
	now, ok := stand(grants, s.Tenant, s.Subject, s.held)
	if !ok {
		return nil, &ended{overRole}
	}
	v.Rights, v.Customers = common(was.Rights, now.Role.Rights), meet(s.Customers, now.Customers)
	v.Role = now.Role.Title
	if len(now.Role.Rights) > len(v.Rights) { // what was given since counts from the next sign-in on
		v.Role = was.Title
	}
	if len(v.Rights) == 0 {
		return nil, &ended{overRole}
	}
	return v, nil
}
