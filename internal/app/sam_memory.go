package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
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
	// spent says of invitations, by id, whether they were used or withdrawn.
	spent    map[string]bool
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
	// One of which nothing is known was made before such things were recorded;
	// that nothing is known must be so, so the whole trail is looked through.
	err := p.seek(ctx, trail.Query{Action: "invitation.*", Outcome: audit.Done, Object: id}, true, func(e trail.Entry) bool { return true },
		func() bool { _, ok := p.spent[id]; return ok })
	if err != nil || p.behind != "" {
		return true, err
	}
	if _, ok := p.spent[id]; !ok {
		p.spent[id] = false
	}
	return p.spent[id], nil
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
	began := time.Now()
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
	if head.Seq > p.high {
		w, err := p.held(ctx, p.high, head.Seq)
		if err != nil || p.behind != "" {
			return err
		}
		p.learn(w, true)
		p.high = head.Seq
	}
	p.followed = began
	return nil
}

// words are what some entries say, the newest of each.
type words struct {
	known           map[string]sam.Height
	approved, spent map[string]bool
}

// telling is what the lines that matter hold.
var telling = [][]byte{[]byte(`"action":"connection.`), []byte(`"action":"approval.`), []byte(`"action":"invitation.`)}

// held gives the words of the entries after one up to another: of those, and only
// those, that the trail's tree bears out.
func (p *past) held(ctx context.Context, after, to int64) (words, error) {
	w := words{map[string]sam.Height{}, map[string]bool{}, map[string]bool{}}
	err := p.trail.Held(ctx, after, to, func(line []byte) bool {
		return slices.ContainsFunc(telling, func(n []byte) bool { return bytes.Contains(line, n) })
	}, func(e trail.Entry) {
		if h, ok := height(e); ok {
			w.known[e.Object] = h
		}
		if e.Outcome != audit.Done {
			return
		}
		switch e.Action {
		case audit.ApprovalGiven, audit.ApprovalWithdrawn: // which is final
			id := e.Details["approval"]
			was, before := w.approved[id]
			w.approved[id] = e.Action == audit.ApprovalGiven && (was || !before)
		case audit.InvitationMade:
			if _, ok := w.spent[e.Object]; !ok {
				w.spent[e.Object] = false
			}
		case audit.InvitationUsed, audit.InvitationWithdrawn: // likewise
			w.spent[e.Object] = true
		}
	})
	if errors.Is(err, problem.Unmet) || errors.Is(err, problem.BadInput) {
		p.behind = torn
		return w, nil
	}
	return w, err
}

// holdStep is how many entries are held at once when older ones are looked at.
const holdStep = 100_000

const torn = "the audit trail does not hold: entries of it were removed or changed"

// learn adds what newer, or else older, entries say.
func (p *past) learn(w words, newer bool) {
	for id, h := range w.known {
		if _, ok := p.known[id]; newer || !ok {
			p.known[id] = h
		}
	}
	for id, stands := range w.approved {
		was, ok := p.approved[id]
		p.approved[id] = stands && (was || !ok)
	}
	for id, spent := range w.spent {
		p.spent[id] = spent || p.spent[id]
	}
}

// seek makes sure that known is so of what a search finds, by holding all entries
// from that on. The search only says where to begin: what it finds must come out
// of the entries themselves. all holds the whole trail where it finds nothing.
func (p *past) seek(ctx context.Context, q trail.Query, all bool, is func(trail.Entry) bool, known func() bool) error {
	for q.Before, q.Limit = p.low+1, 100; !known(); {
		f, err := p.trail.Search(ctx, q)
		if err != nil {
			return err
		}
		from := int64(0)
		if i := slices.IndexFunc(f.Entries, is); i >= 0 {
			from = f.Entries[i].Seq
		} else if f.Next > 0 {
			q.Before = f.Next
			continue
		} else if !all {
			return nil
		}
		after := max(from-1, 0)
		if after >= p.low && from > 0 {
			p.behind = torn
			return nil
		}
		for p.low > after { // in steps: what was held stays so when the caller leaves
			step := max(after, p.low-holdStep)
			w, err := p.held(ctx, step, p.low)
			if err != nil || p.behind != "" {
				return err
			}
			p.learn(w, false)
			p.low = step
		}
		if from > 0 && !known() {
			p.behind = torn // it was found, and is not there
		}
		return nil
	}
	return nil
}

// look finds the newest word on a connection, up to high.
func (p *past) look(ctx context.Context, id string) (sam.Height, error) {
	err := p.seek(ctx, trail.Query{Action: "connection.*", Object: id}, false, func(e trail.Entry) bool { _, ok := height(e); return ok },
		func() bool { _, ok := p.known[id]; return ok })
	return p.known[id], err
}

// given finds the newest word on an approval, up to high.
func (p *past) given(ctx context.Context, id, connection string) (bool, error) {
	err := p.seek(ctx, trail.Query{Action: "approval.*", Outcome: audit.Done, Object: connection}, false,
		func(e trail.Entry) bool { return e.Details["approval"] == id },
		func() bool { _, ok := p.approved[id]; return ok })
	return p.approved[id], err
}

// forget begins anew, from what the database says now.
func (p *past) forget() (behind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	behind = p.behind
	p.behind, p.high, p.low, p.begun = "", 0, 0, false
	clear(p.known)
	clear(p.approved)
	clear(p.spent)
	return behind
}
