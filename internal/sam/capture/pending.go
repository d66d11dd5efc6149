package capture

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Life is how long a person has to come back.
const Life = 10 * time.Minute

// Bounds of what waits: in all; for one tenant, so that one partner's
// invitations cannot keep the others out; and for one invitation, answered or
// not, so that whoever holds its link cannot keep out who else is invited.
const (
	maxPending    = 10_000
	maxPerTenant  = 50
	maxPerInvited = 10
)

// pending is a request that waits for its answer.
type pending struct {
	hash    [32]byte // of the state
	binding [32]byte // of the browser's cookie; zero: none is asked for
	bound   bool
	r       Request
	tenant  string // id
	nonce   secret.Text
	verify  secret.Text   // PKCE
	at      time.Time     // by our clock
	began   time.Duration // by the monotonic one
	used    bool
}

// waiting keeps requests in memory, by the hash of their state: looking one up
// tells nothing of the others by its time.
type waiting struct {
	now   func() time.Time
	start time.Time

	mu   sync.Mutex // guards list and its entries
	list map[[32]byte]*pending
}

func newWaiting(now func() time.Time) *waiting {
	return &waiting{now: now, start: time.Now(), list: map[[32]byte]*pending{}}
}

// elapsed is monotonic: a clock that is set back must not give a state a
// second life.
func (w *waiting) elapsed() time.Duration { return time.Since(w.start) }

// over says that a request's time has run out, by either clock. One that lies
// more than a minute in our clock's future was made before the clock was set
// back, and is over too.
func (w *waiting) over(p *pending) bool {
	age := w.now().Sub(p.at)
	return age >= Life || age < -time.Minute || w.elapsed()-p.began >= Life
}

func (w *waiting) sweep() {
	for k, p := range w.list {
		if w.over(p) {
			delete(w.list, k)
		}
	}
}

func (w *waiting) put(p *pending) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ofTenant, ofInvitation := 0, 0
	for _, o := range w.list {
		if w.over(o) {
			continue
		}
		if o.tenant == p.tenant && !o.used {
			ofTenant++
		}
		if o.r.Invitation == p.r.Invitation {
			ofInvitation++
		}
	}
	if len(w.list) >= maxPending {
		w.sweep()
	}
	if p.r.Invitation != "" && ofInvitation >= maxPerInvited {
		return problem.New(problem.TooMany, "this invitation was opened too often in the last ten minutes").
			WithHint("wait ten minutes; if it was not you, ask for another invitation")
	}
	if ofTenant >= maxPerTenant || len(w.list) >= maxPending {
		return problem.New(problem.TooMany, "too many sign-ins have begun and not come back").WithHint("wait ten minutes, then begin again")
	}
	p.at, p.began = w.now(), w.elapsed()
	w.list[p.hash] = p
	return nil
}

// take gives the request that an answer belongs to, once. binding is what the
// browser's cookie says; it is looked at where the request is bound to one.
func (w *waiting) take(state, binding secret.Text) (*pending, *Refusal) {
	hash := sha256.Sum256([]byte(state.Reveal()))
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.list[hash]
	if p == nil || subtle.ConstantTimeCompare(p.hash[:], hash[:]) != 1 {
		return nil, refuse(Forged, beginAgain+"; if nobody here began a sign-in, somebody tried to slip one in",
			"the answer belongs to no sign-in that began here")
	}
	if w.over(p) {
		return nil, refuse(Late, beginAgain, "the sign-in took more than ten minutes")
	}
	// A stranger's browser does not use up the state of the right one.
	if own := sha256.Sum256([]byte(binding.Reveal())); p.bound && subtle.ConstantTimeCompare(own[:], p.binding[:]) != 1 {
		return nil, refuse(OtherTab, "open the invitation in one browser and finish there", "the answer came from another browser than the one that began")
	}
	if p.used {
		return nil, refuse(Replayed, beginAgain, "the answer to this sign-in came before")
	}
	p.used = true
	return p, nil
}

// drop forgets a request: nobody waits for it any more.
func (w *waiting) drop(state secret.Text) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.list, sha256.Sum256([]byte(state.Reveal())))
}
