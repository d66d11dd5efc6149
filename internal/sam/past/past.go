package past

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/trail"
)

// Past remembers connections, approvals and invitations by the audit trail, which
// it follows, and the trail's length by a file outside of the database. It takes no entry,
// and no absence of one, that the trail's tree does not bear out.
//
// Of those it takes what is the installation's own word, and the newest of these:
// by how long the trail was when they were written, which they say themselves. So
// an older one that is appended again is as old as it was. It is safe for
// concurrent use.
type Past struct {
	d     Deps
	words *words

	mu    sync.Mutex // guards the rest
	high  int64      // up to which entry known and approved hold
	low   int64      // the entries after it, up to high, were found to hold
	begun bool
	known map[string]word[sam.Height]
	// approved says of approvals, by id, whether they stand.
	approved map[string]word[bool]
	// spent says of invitations, by id, whether they were used or withdrawn.
	spent    map[string]word[bool]
	followed time.Time // when the trail was followed last, by this machine's clock
	behind   string
	left     int64 // what the file says already
}

// word is what the trail says, and after which entry it was written.
type word[T any] struct {
	v     T
	after int64
}

// final is the after of what nothing newer can change.
const final = math.MaxInt64

// sure says that there is no newer word than one: all entries after it hold.
func sure[T any](p *Past, m map[string]word[T], id string) (v T, ok bool) {
	w, ok := m[id]
	return w.v, ok && w.after >= p.low
}

// Newest is what the trail says of a connection. It follows the trail: each
// call reads what was recorded since the last one.
func (p *Past) Newest(ctx context.Context, id string) (sam.Height, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.advance(ctx); err != nil {
		return sam.Height{}, err
	}
	if h, ok := sure(p, p.known, id); ok && p.behind == "" {
		return h, nil
	}
	h, err := p.look(ctx, id)
	if err != nil {
		return sam.Height{}, err
	}
	if p.behind != "" {
		return sam.Height{Known: true, Behind: p.behind}, nil
	}
	return h, nil
}

// Approved says that an approval stands: by the trail it was given, and never
// withdrawn. One that was is asked for anew under another id.
func (p *Past) Approved(ctx context.Context, id, connection string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A caller with an approval asks again and again, and each answer is an entry:
	// the trail is followed once a second.
	if ok, known := sure(p, p.approved, id); known && p.behind == "" && time.Since(p.followed) < time.Second {
		return ok, nil
	}
	if err := p.advance(ctx); err != nil || p.behind != "" {
		return false, err
	}
	if ok, known := sure(p, p.approved, id); known {
		return ok, nil
	}
	ok, err := p.given(ctx, id, connection)
	return ok && p.behind == "", err
}

// Spent says that the trail knows an invitation as used or withdrawn.
func (p *Past) Spent(ctx context.Context, id string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.advance(ctx); err != nil || p.behind != "" {
		return true, err
	}
	// One of which nothing is known was made before such things were recorded;
	// that nothing is known must be so, so the whole trail is looked through.
	if err := settle(ctx, p, p.spent, id); err != nil || p.behind != "" {
		return true, err
	}
	err := p.seek(ctx, trail.Query{Action: "invitation.*", Outcome: audit.Done, Object: id}, true, func(trail.Entry) bool { return true },
		func() bool { _, ok := sure(p, p.spent, id); return ok })
	if err != nil || p.behind != "" {
		return true, err
	}
	spent, ok := sure(p, p.spent, id)
	if !ok {
		newest(p.spent, id, word[bool]{false, p.low}) // nothing of it in the whole trail
	}
	return spent, nil
}

// Used records that an invitation was used, with the consent.
func (p *Past) Used(ctx context.Context, i onboard.Invitation) error {
	return p.words.record(ctx, audit.Event{Action: audit.InvitationUsed, Outcome: audit.Done, Actor: "system:invitations", Object: i.ID,
		Tenant: i.Tenant, Details: map[string]string{"connection": i.Connection}})
}

// advance follows the trail to its head.
func (p *Past) advance(ctx context.Context) error {
	if p.behind != "" {
		return nil
	}
	began := time.Now()
	if _, err := p.words.load(ctx); err != nil && !errors.Is(err, problem.NotFound) {
		return err
	}
	head, err := p.d.Trail.Head(ctx)
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
		p.learn(w)
		p.high = head.Seq
	}
	p.followed = began
	return nil
}

// saying is what some entries say, the newest of each.
type saying struct {
	known           map[string]word[sam.Height]
	approved, spent map[string]word[bool]
}

// telling is what the lines that matter hold.
var telling = [][]byte{[]byte(`"action":"connection.`), []byte(`"action":"approval.`), []byte(`"action":"invitation.`)}

// held gives what is said in the entries after one up to another: of those, and only
// those, that the trail's tree bears out.
func (p *Past) held(ctx context.Context, after, to int64) (saying, error) {
	w := saying{map[string]word[sam.Height]{}, map[string]word[bool]{}, map[string]word[bool]{}}
	err := p.d.Trail.Held(ctx, after, to, func(line []byte) bool {
		return slices.ContainsFunc(telling, func(n []byte) bool { return bytes.Contains(line, n) })
	}, func(e trail.Entry) {
		after, ours := p.words.fits(&e)
		if !ours {
			return // somebody else's word
		}
		if h, ok := height(e); ok {
			newest(w.known, e.Object, word[sam.Height]{h, after})
		}
		if e.Outcome != audit.Done {
			return
		}
		switch e.Action {
		case audit.ApprovalGiven:
			newest(w.approved, e.Details["approval"], word[bool]{true, after})
		case audit.ApprovalWithdrawn:
			w.approved[e.Details["approval"]] = word[bool]{false, final}
		case audit.InvitationMade:
			newest(w.spent, e.Object, word[bool]{false, after})
		case audit.InvitationUsed, audit.InvitationWithdrawn:
			w.spent[e.Object] = word[bool]{true, final}
		}
	})
	if errors.Is(err, problem.Conflict) || errors.Is(err, problem.BadInput) {
		p.behind = torn
		return w, nil
	}
	return w, err
}

// holdStep is how many entries are held at once when older ones are looked at.
const holdStep = 100_000

const torn = "the audit trail does not hold: entries of it were removed or changed"

// newest keeps the newer one of two words.
func newest[T any](m map[string]word[T], id string, w word[T]) {
	if old, ok := m[id]; !ok || w.after >= old.after {
		m[id] = w
	}
}

// learn adds what was said.
func (p *Past) learn(w saying) {
	for id, v := range w.known {
		newest(p.known, id, v)
	}
	for id, v := range w.approved {
		newest(p.approved, id, v)
	}
	for id, v := range w.spent {
		newest(p.spent, id, v)
	}
}

// reach makes sure of all entries after one.
func (p *Past) reach(ctx context.Context, after int64) error {
	for p.low > after { // in steps: what was held stays so when the caller leaves
		step := max(after, p.low-holdStep)
		w, err := p.held(ctx, step, p.low)
		if err != nil || p.behind != "" {
			return err
		}
		p.learn(w)
		p.low = step
	}
	return nil
}

// settle makes sure that what is known already is the newest.
func settle[T any](ctx context.Context, p *Past, m map[string]word[T], id string) error {
	w, ok := m[id]
	if !ok {
		return nil
	}
	return p.reach(ctx, w.after)
}

// seek makes sure that known is so of what a search finds, by holding all entries
// from that on. The search only says where to begin: what it finds must come out
// of the entries themselves. all holds the whole trail where it finds nothing.
func (p *Past) seek(ctx context.Context, q trail.Query, all bool, is func(trail.Entry) bool, known func() bool) error {
	for q.Before, q.Limit = p.low+1, 100; !known(); {
		f, err := p.d.Trail.Search(ctx, q)
		if err != nil {
			return err
		}
		from := int64(0)
		var after int64
		if i := slices.IndexFunc(f.Entries, func(e trail.Entry) (ok bool) {
			after, ok = p.words.fits(&e)
			return ok && is(e)
		}); i >= 0 {
			from = after + 1 // it is no newer than that
		} else if f.Next > 0 {
			q.Before = f.Next
			continue
		} else if !all {
			return nil
		}
		after = max(from-1, 0)
		if after >= p.low && from > 0 {
			p.behind = torn
			return nil
		}
		if err := p.reach(ctx, after); err != nil || p.behind != "" {
			return err
		}
		if from > 0 && !known() {
			p.behind = torn // it was found, and is not there
		}
		return nil
	}
	return nil
}

// look finds the newest word on a connection, up to high.
func (p *Past) look(ctx context.Context, id string) (sam.Height, error) {
	if err := settle(ctx, p, p.known, id); err != nil || p.behind != "" {
		return sam.Height{}, err
	}
	err := p.seek(ctx, trail.Query{Action: "connection.*", Object: id}, false, func(e trail.Entry) bool { _, ok := height(e); return ok },
		func() bool { _, ok := sure(p, p.known, id); return ok })
	h, _ := sure(p, p.known, id)
	return h, err
}

// given finds the newest word on an approval, up to high.
func (p *Past) given(ctx context.Context, id, connection string) (bool, error) {
	if err := settle(ctx, p, p.approved, id); err != nil || p.behind != "" {
		return false, err
	}
	err := p.seek(ctx, trail.Query{Action: "approval.*", Outcome: audit.Done, Object: connection}, false,
		func(e trail.Entry) bool { return e.Details["approval"] == id },
		func() bool { _, ok := sure(p, p.approved, id); return ok })
	stands, ok := sure(p, p.approved, id)
	return stands && ok, err
}

// Forget begins anew, from what the database says now.
func (p *Past) Forget() (behind string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	behind = p.behind
	p.behind, p.high, p.low, p.begun = "", 0, 0, false
	clear(p.known)
	clear(p.approved)
	clear(p.spent)
	return behind
}
