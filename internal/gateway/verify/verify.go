package verify

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// Source has the signing keys of authorities: over the network, or in a file.
type Source interface {
	// Keys gives an authority's keys as they are now. kid is the one that is missed, or
	// "": who keeps a set may use it to know that it must be read again. A set without a
	// usable key is an error of kind problem.BadInput, or is empty.
	Keys(ctx context.Context, of gateway.Authority, kid string) (jose.JSONWebKeySet, error)
}

// Limits are bounds; what is 0 is as said.
type Limits struct {
	Tokens   int           // verified tokens that are kept: 65,536
	Bytes    int64         // and what they take together: 128 MiB
	Bad      int           // signatures that are known to be bad: 16,384
	Forgive  int           // bad signatures of one address a minute: 50
	Cold     int           // signatures that are verified at a time: half the processors
	ColdWait time.Duration // for one's turn: 1 s
	KeysWait time.Duration // for keys that are being read: 2 s
	Every    time.Duration // between two readings of keys: 1 h
	Kept     time.Duration // how long keys are used while the authority is away: 24 h, at most 7 days
}

// MaxKept bounds [Limits.Kept].
const MaxKept = 7 * 24 * time.Hour

// MaxLeeway bounds [Deps.Leeway], as the claim engine does.
const MaxLeeway = 10 * time.Minute

// Deps are what a [Verifier] needs.
type Deps struct {
	Keys   Source
	Leeway time.Duration // for clocks that differ: up to [MaxLeeway]
	// Now is the clock by which keys are read and grow old; nil is the machine's.
	Now    func() time.Time
	Log    *slog.Logger // of keys; nil is none
	Limits Limits
}

// Verifier implements [gateway.Verifier]. It is safe for concurrent use, and takes no
// lock for a token that it has verified before.
type Verifier struct {
	d    Deps
	kept atomic.Int64 // how long keys are used while their authority is away

	turning sync.Mutex // of Turn
	turn    atomic.Pointer[turn]
	pool    sync.Pool     // of *token
	room    chan struct{} // one for each signature that is verified now
	abuse   abuse

	found  [shards]counter // of tokens found again
	counts [256]atomic.Int64
}

// counter stands alone in a line of the processor's cache.
type counter struct {
	atomic.Int64
	_ [56]byte
}

const shards = 16

// turn is what holds between two turns of the rules.
type turn struct {
	generation  uint64
	serial      uint64 // no other turn of the verifier's has it
	leeway      int64  // seconds
	authorities []*authority
	good, bad   *table
}

// New takes nothing until [Verifier.Turn] says whose tokens are taken.
func New(d Deps) *Verifier {
	l := &d.Limits
	l.Tokens, l.Bytes, l.Bad, l.Forgive = or(l.Tokens, 65536), or(l.Bytes, 128<<20), or(l.Bad, 16384), or(l.Forgive, 50)
	l.Cold, l.ColdWait, l.KeysWait = or(l.Cold, max(1, runtime.GOMAXPROCS(0)/2)), or(l.ColdWait, time.Second), or(l.KeysWait, 2*time.Second)
	l.Every, l.Kept = or(l.Every, time.Hour), min(or(l.Kept, 24*time.Hour), MaxKept)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	v := &Verifier{d: d, room: make(chan struct{}, l.Cold)}
	v.kept.Store(int64(l.Kept))
	v.pool.New = func() any { return &token{} }
	v.turn.Store(&turn{good: newTable(8, 1), bad: newTable(8, 1)})
	return v
}

func or[T int | int64 | time.Duration](n, otherwise T) T {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Turn takes the authorities of a new generation of rules, and forgets every token. Keys
// of an authority that stays are kept. An error is of kind problem.Usage; then the
// generation before stays.
func (v *Verifier) Turn(generation uint64, accepted []gateway.Authority) error {
	return v.take(generation, accepted, v.d.Leeway)
}

// Take is [Verifier.Turn] with what a table says: authorities, leeway, and how long keys
// are kept where it says so.
func (v *Verifier) Take(t *gateway.Table) error {
	if err := v.take(t.Generation, t.Authorities, t.Leeway); err != nil {
		return err
	}
	v.kept.Store(int64(min(or(t.KeysKept, v.d.Limits.Kept), MaxKept)))
	return nil
}

func (v *Verifier) take(generation uint64, accepted []gateway.Authority, leeway time.Duration) error {
	v.turning.Lock()
	defer v.turning.Unlock()
	old := v.turn.Load()
	next := &turn{generation: generation, serial: old.serial + 1, leeway: int64(min(max(leeway, 0), MaxLeeway) / time.Second),
		good: newTable(v.d.Limits.Tokens, v.d.Limits.Bytes), bad: newTable(v.d.Limits.Bad, v.d.Limits.Bytes)}
	seen := map[string]bool{}
	for _, a := range accepted {
		if a.Name == "" || seen[a.Name] || len(a.Issuers) == 0 {
			return problem.New(problem.Usage, "the authority %q is there twice, or has no name or issuer", a.Name)
		}
		seen[a.Name] = true
		n := &authority{ring: &ring{name: a.Name, from: a, v: v, state: KeysUnread}}
		for _, o := range old.authorities {
			if o.name == a.Name && o.from.Cloud == a.Cloud && o.from.Keys == a.Keys {
				n.ring = o.ring
			}
		}
		for _, s := range a.Issuers {
			is, err := readIssuer(s)
			if err != nil {
				return err
			}
			n.issuers = append(n.issuers, is)
		}
		next.authorities = append(next.authorities, n)
	}
	v.turn.Store(next)
	return nil
}

// Verify implements [gateway.Verifier].
func (v *Verifier) Verify(raw string, from netip.Addr, now time.Time) (*gateway.Identity, gateway.Reason) {
	_, id, reason := v.verify(v.turn.Load(), raw, from, now.Unix())
	return id, reason
}

// verify gives the entry of a token that is genuine, too.
func (v *Verifier) verify(turn *turn, raw string, from netip.Addr, at int64) (*entry, *gateway.Identity, gateway.Reason) {
	if len(raw) > maxToken {
		id, reason := v.answer(nil, gateway.TooLong)
		return nil, id, reason
	}
	sum := digest(raw)
	e := turn.good.find(&sum.whole)
	if e != nil && e.key.usable(at) {
		id, reason := v.warm(turn, e, at)
		return e, id, reason
	}
	e, reason := v.cold(turn, raw, &sum, from, at)
	var id *gateway.Identity
	if e != nil {
		id = e.id
	}
	id, reason = v.answer(id, reason)
	return e, id, reason
}

// warm is what a token that was verified before gets now. Its key is usable.
func (v *Verifier) warm(turn *turn, e *entry, at int64) (*gateway.Identity, gateway.Reason) {
	if e.key.ring.isDue(at) {
		e.key.ring.refresh(at)
	}
	if reason := e.when(at, turn.leeway); reason != gateway.Passed {
		return v.answer(e.id, reason)
	}
	v.found[e.sum[31]%shards].Add(1)
	return e.id, gateway.Passed
}

// sums are what a token is known by, and the digest of what in it is signed.
type sums struct{ whole, signed [32]byte }

// digest hashes a token once: it is known by the SHA-256 of what is signed, hashed again
// with the signature behind it.
func digest(raw string) (s sums) {
	n := max(strings.LastIndexByte(raw, '.'), 0)
	s.signed = sha256.Sum256(view(raw[:n]))
	var space [32 + 1 + usual]byte
	b := space[:]
	if len(raw)-n > len(b)-32 {
		b = make([]byte, 32+len(raw)-n)
	}
	copy(b, s.signed[:])
	s.whole = sha256.Sum256(b[:32+copy(b[32:], raw[n:])])
	return s
}

// usual is the length of a signature of RSA with 4096 bits; longer ones take a little more.
const usual = 683

// view is a text's bytes without a copy, for who only reads them.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// answer counts, and gives no identity but to those who may have one.
func (v *Verifier) answer(id *gateway.Identity, reason gateway.Reason) (*gateway.Identity, gateway.Reason) {
	v.counts[reason].Add(1)
	switch reason {
	case gateway.Passed, gateway.Expired, gateway.NotYetValid:
		return id, reason
	}
	return nil, reason
}

// cold verifies a token that is not known. There is an entry where it is genuine.
func (v *Verifier) cold(turn *turn, raw string, sum *sums, from netip.Addr, at int64) (*entry, gateway.Reason) {
	if !v.abuse.forgives(from, at, v.d.Limits.Forgive) {
		return nil, gateway.TooMany // before anything is read, which is what a flood costs
	}
	t := v.pool.Get().(*token)
	defer v.pool.Put(t)
	if reason := t.read(raw); reason != gateway.Passed {
		return nil, reason
	}
	of, is := turn.issuer(t)
	if of == nil {
		return nil, gateway.BadIssuer
	}
	if is.version != "" && t.cs[cVer].kind > null && string(t.says(t.body, t.cs[cVer])) != is.version {
		return nil, gateway.BadClaim
	}
	k, reason := of.key(t.kid, at)
	switch {
	case reason != gateway.Passed:
		return nil, reason
	case k.alg != t.alg:
		return nil, gateway.BadAlgorithm
	}
	if e := turn.bad.find(&sum.whole); e != nil && e.key == k {
		return nil, gateway.BadSignature
	}
	if !v.enter() {
		return nil, gateway.TooMany
	}
	good := k.signed(sum.signed, t.sig)
	<-v.room
	if !good {
		v.abuse.bad(from, at)
		turn.bad.put(&entry{sum: sum.whole, key: k})
		return nil, gateway.BadSignature
	}
	e := &entry{sum: sum.whole, key: k, id: t.identity(k, of, is), exp: t.exp, from: max(t.nbf, t.iat), size: int64(len(t.words)) + entryCost}
	switch reason := e.when(at, turn.leeway); {
	case !t.back:
		turn.good.put(e)
		return e, reason
	case reason == gateway.Expired: // as the claim engine has it, which looks at its end first
		return e, reason
	}
	return nil, gateway.BadClaim // it ends before it begins
}

// enter waits for one's turn to verify a signature: however many bad tokens come, those
// who were here before need the processors more.
func (v *Verifier) enter() bool {
	select {
	case v.room <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(v.d.Limits.ColdWait)
	defer timer.Stop()
	select {
	case v.room <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// issuer finds whose a token says it is.
func (t *turn) issuer(tok *token) (*authority, issuer) {
	// says may use one buffer for both, so the tenant is kept before the issuer is read
	tenant := append(tok.words[:0], tok.says(tok.body, tok.cs[cTid])...)
	tok.words = tenant
	iss := tok.says(tok.body, tok.cs[cIss])
	for _, a := range t.authorities {
		for i := range a.issuers {
			if a.issuers[i].is(iss, tenant) {
				return a, a.issuers[i]
			}
		}
	}
	return nil, issuer{}
}
