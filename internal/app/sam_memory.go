package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/trail"
)

// past remembers connections and approvals by the audit trail, which it follows,
// and the trail's length by a file outside of the database. It takes no entry,
// and no absence of one, that the trail's tree does not bear out.
type past struct {
	trail *trail.Trail
	file  string
	now   func() time.Time

	mu    sync.Mutex // guards the rest
	high  int64      // up to which entry known and approved hold
	low   int64      // the entries after it, up to high, were found to hold
	begun bool
	known map[string]sam.Height
	// approved says of approvals, by id, whether they stand.
	approved map[string]bool
	followed time.Time // when the trail was followed last, by this machine's clock
	behind   string
	left     int64 // what the file says already
}

// Newest is what the trail says of a connection. It follows the trail: each
// call reads what was recorded since the last one.
func (p *past) Newest(ctx context.Context, id string) (sam.Height, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.advance(ctx); err != nil {
		return sam.Height{}, err
	}
	if h, ok := p.known[id]; ok && p.behind == "" {
		return h, nil
	}
	h, err := p.look(ctx, id)
	if err != nil {
		return sam.Height{}, err
	}
	if p.behind != "" {
		return sam.Height{Known: true, Behind: p.behind}, nil
	}
	if h.Known {
		p.known[id] = h
	}
	return h, nil
}

// Approved says that an approval stands: by the trail it was given, and never
// withdrawn. One that was is asked for anew under another id.
func (p *past) Approved(ctx context.Context, id, connection string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A caller with an approval asks again and again, and each answer is an entry:
	// the trail is followed once a second.
	if ok, known := p.approved[id]; known && p.behind == "" && time.Since(p.followed) < time.Second {
		return ok, nil
	}
	if err := p.advance(ctx); err != nil || p.behind != "" {
		return false, err
	}
	if ok, known := p.approved[id]; known {
		return ok, nil
	}
	ok, err := p.given(ctx, id, connection)
	if err != nil || p.behind != "" {
		return false, err
	}
	p.approved[id] = ok
	return ok, nil
}

// Spent says that the trail knows an invitation as used or withdrawn.
func (p *past) Spent(ctx context.Context, id string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.advance(ctx); err != nil || p.behind != "" {
		return true, err
	}
	f, err := p.trail.Search(ctx, trail.Query{Action: "invitation.*", Outcome: audit.Done, Object: id, Before: p.high + 1, Limit: 1})
	if err != nil {
		return true, err
	}
	for _, e := range f.Entries {
		if e.Action == audit.InvitationMade {
			err := p.reach(ctx, e.Seq)
			return p.behind != "", err
		}
	}
	if len(f.Entries) > 0 {
		return true, nil
	}
	// One of which nothing is known was made before such things were recorded;
	// that nothing is known must be so.
	err = p.reach(ctx, 1)
	return p.behind != "", err
}

// Used records that an invitation was used, with the consent.
func (p *past) Used(ctx context.Context, i onboard.Invitation) error {
	return p.trail.Record(ctx, audit.Event{Action: audit.InvitationUsed, Outcome: audit.Done, Actor: "system:invitations", Object: i.ID,
		Tenant: i.Tenant, Details: map[string]string{"connection": i.Connection}})
}

// advance follows the trail to its head.
func (p *past) advance(ctx context.Context) error {
	if p.behind != "" {
		return nil
	}
	p.followed = time.Now()
	head, err := p.trail.Head(ctx)
	if err != nil {
		return err
	}
	if head.Seq < p.high {
		p.behind = fmt.Sprintf("the audit trail had %d entries a moment ago, and has %d", p.high, head.Seq)
		return nil
	}
	if !p.begun {
		p.begun, p.high, p.low = true, head.Seq, head.Seq
	}
	if head.Seq == p.high {
		return nil
	}
	if err := p.follow(ctx, head.Seq); err != nil || p.behind != "" {
		return err
	}
	p.high = head.Seq
	return nil
}

// follow takes what was recorded after high, up to the entry to.
func (p *past) follow(ctx context.Context, to int64) error {
	fresh := map[string]bool{}
	for before := to + 1; before > 0; {
		f, err := p.trail.Search(ctx, trail.Query{Action: "connection.*", After: p.high, Before: before, Limit: 1000})
		if err != nil {
			return err
		}
		for _, e := range f.Entries { // newest first
			if h, ok := height(e); ok && !fresh[e.Object] {
				fresh[e.Object] = true
				p.known[e.Object] = h
			}
		}
		before = f.Next
	}
	for before := to + 1; before > 0; {
		f, err := p.trail.Search(ctx, trail.Query{Action: "approval.*", After: p.high, Before: before, Limit: 1000})
		if err != nil {
			return err
		}
		for _, e := range f.Entries {
			if id, stands := e.Details["approval"], e.Action == audit.ApprovalGiven; !fresh[id] && e.Outcome == audit.Done {
				fresh[id], p.approved[id] = true, stands
			}
		}
		before = f.Next
	}
	return p.holds(ctx, p.high, to)
}

// holds looks whether the trail bears out what was found after an entry.
func (p *past) holds(ctx context.Context, after, to int64) error {
	err := p.trail.Holds(ctx, after, to)
	if errors.Is(err, problem.Unmet) || errors.Is(err, problem.BadInput) {
		p.behind = "the audit trail does not hold: entries of it were removed or changed"
		return nil
	}
	return err
}

// reach makes sure of all entries from the one numbered seq on.
func (p *past) reach(ctx context.Context, seq int64) error {
	if seq-1 >= p.low {
		return nil
	}
	if err := p.holds(ctx, seq-1, p.low); err != nil || p.behind != "" {
		return err
	}
	p.low = seq - 1
	return nil
}

// look finds the newest word on a connection, up to high.
func (p *past) look(ctx context.Context, id string) (sam.Height, error) {
	for before := p.high + 1; before > 0 && p.behind == ""; {
		f, err := p.trail.Search(ctx, trail.Query{Action: "connection.*", Object: id, Before: before, Limit: 1})
		if err != nil {
			return sam.Height{}, err
		}
		for _, e := range f.Entries {
			if h, ok := height(e); ok {
				return h, p.reach(ctx, e.Seq)
			}
		}
		before = f.Next
	}
	return sam.Height{}, nil
}

// given finds the newest word on an approval, up to high.
func (p *past) given(ctx context.Context, id, connection string) (bool, error) {
	for before := p.high + 1; before > 0; {
		f, err := p.trail.Search(ctx, trail.Query{Action: "approval.*", Outcome: audit.Done, Object: connection, Before: before, Limit: 100})
		if err != nil {
			return false, err
		}
		for _, e := range f.Entries {
			if e.Details["approval"] == id {
				return e.Action == audit.ApprovalGiven, p.reach(ctx, e.Seq)
			}
		}
		before = f.Next
	}
	return false, nil
}

// forget begins anew, from what the database says now.
func (p *past) forget() (behind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	behind = p.behind
	p.behind, p.high, p.low, p.begun = "", 0, 0, false
	clear(p.known)
	clear(p.approved)
	return behind
}
