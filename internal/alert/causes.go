package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/notify"
)

// Posture is what judgements say, as alerts want it.
type Posture interface {
	// Tenants are those of which judgements are kept.
	Tenants(ctx context.Context) ([]string, error)
	// Turned is what turned worse between a round and the newest; round 0 asks for what
	// falls short in the newest, as the first that is known. nil: there is no newer round.
	Turned(ctx context.Context, tenant string, round int64) (*Turn, error)
	// Standing is what falls short in the newest round.
	Standing(ctx context.Context, tenant string) (*Standing, error)
	// Excepted says which exception in force leaves something out; "" none does.
	Excepted(ctx context.Context) (func(Hit) string, error)
}

// Turn is what turned worse between two judgements.
type Turn struct {
	Round  int64 // the newer one's
	Causes []Culprit
}

// Culprit is a cause with all that it made worse.
type Culprit struct {
	Key     string    `json:"key"`
	Kind    Kind      `json:"kind"`
	Title   string    `json:"title"` // what happened
	Cause   string    `json:"cause"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
	Path    string    `json:"path"`
	Fix     string    `json:"fix"`
	Hits    []Hit     `json:"hits"`
}

// Hit is one thing that turned worse: a requirement, or an account.
type Hit struct {
	Requirement string          `json:"requirement,omitempty"`
	Account     string          `json:"account,omitempty"` // id
	Name        string          `json:"name,omitempty"`
	Cover       bool            `json:"cover,omitempty"` // of an account: what the settings cover turned, not its verdict
	Severity    notify.Severity `json:"severity"`
	Unsure      bool            `json:"unsure,omitempty"` // it is not known any more, and nothing says that it fell short
}

// Standing is what falls short now.
type Standing struct {
	Has func(*Hit) bool // it still does, or it is not known that it does not
	Of  int             // accounts there are
}

// judged is the source of what judgements turned. Where it looked to is kept with what
// it found, in one transaction, so that no turn is lost or found twice.
func (s *Store) judged(ctx context.Context) (out []Finding, whole bool, err error) {
	p := s.d.Posture
	tenants, err := p.Tenants(ctx)
	if err != nil {
		return nil, false, err
	}
	excepted, err := p.Excepted(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, tenant := range tenants {
		if err := s.takeTurn(ctx, tenant); err != nil {
			return nil, false, err
		}
		list, err := s.lasting(ctx, tenant, excepted)
		if err != nil {
			return nil, false, err
		}
		out = append(out, list...)
	}
	return out, true, nil
}

// takeTurn keeps the causes of what turned since the last look.
func (s *Store) takeTurn(ctx context.Context, tenant string) error {
	at, err := s.cursor(ctx, tenant)
	if err != nil {
		return err
	}
	turn, err := s.d.Posture.Turned(ctx, tenant, at)
	if err != nil || turn == nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(ctx context.Context) error {
		if now, err := s.cursor(ctx, tenant); err != nil || now != at {
			return err // another process took it
		}
		for i := range turn.Causes {
			if err := s.putCause(ctx, tenant, &turn.Causes[i]); err != nil {
				return err
			}
		}
		return s.putCursor(ctx, tenant, turn.Round)
	})
}

// lasting are the causes of which anything lasts, as findings; the others are forgotten.
func (s *Store) lasting(ctx context.Context, tenant string, excepted func(Hit) string) ([]Finding, error) {
	list, err := s.causes(ctx, tenant)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	now, err := s.d.Posture.Standing(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for i := range list {
		c := &list[i]
		f, any := c.finding(tenant, now, excepted)
		if any {
			out = append(out, f)
		} else if err := s.dropCause(ctx, c.Key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finding is a cause with what of it lasts; false where nothing does. What an exception
// leaves out is not counted while anything else is.
func (c *Culprit) finding(tenant string, now *Standing, excepted func(Hit) string) (Finding, bool) {
	f := Finding{Key: c.Key, Kind: c.Kind, Severity: notify.Notice, Tenant: tenant, Cause: c.Cause, Since: c.Since, Command: c.Command, Path: c.Path,
		Fix: c.Fix}
	var reqs, names, lost []string
	var out, left []Hit
	by := ""
	for _, h := range c.Hits {
		if !now.Has(&h) {
			continue
		}
		if x := excepted(h); x != "" {
			by = x
			left = append(left, h)
			continue
		}
		out = append(out, h)
	}
	if len(out)+len(left) == 0 {
		return f, false
	}
	if len(out) == 0 { // all of it is left out: shown, and not told
		f.Excepted, out = by, left
		left = nil
	}
	for _, h := range out {
		if h.Severity.Rank() < f.Severity.Rank() {
			f.Severity = h.Severity
		}
		switch {
		case h.Account == "":
			reqs = append(reqs, first(h.Name, h.Requirement))
		case h.Unsure:
			lost = append(lost, first(h.Name, h.Account))
		default:
			names = append(names, first(h.Name, h.Account))
		}
	}
	f.Title = c.Title
	var parts []string
	if len(names) > 0 {
		parts = append(parts, counted(len(names), "account")+" opened")
	}
	if n := len(lost); n > 0 && len(names) > 0 {
		parts = append(parts, fmt.Sprintf("%d not known any more", n))
	} else if n > 0 {
		parts = append(parts, counted(n, "account")+" not known any more")
		names = lost
	}
	slices.Sort(names)
	switch {
	case len(names) > 0:
		f.Count, f.Of, f.Unit, f.Subjects = len(names), now.Of, "accounts", names
		if f.Of < f.Count {
			f.Of = 0
		}
		if len(reqs) > 0 {
			parts = append(parts, counted(len(reqs), "requirement")+" worse")
		}
		f.Title += ": " + strings.Join(parts, ", ")
	case len(reqs) > 0:
		f.Count, f.Unit, f.Subjects = len(reqs), "requirements", reqs
	}
	if len(reqs) > 0 && len(names) > 0 {
		f.Cause = strings.TrimSpace(f.Cause + " Worse by it: " + strings.Join(reqs, "; ") + ".")
	}
	if len(left) > 0 {
		f.Cause = strings.TrimSpace(f.Cause + fmt.Sprintf(" %d more are under exceptions.", len(left)))
	}
	return f, true
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func counted(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
