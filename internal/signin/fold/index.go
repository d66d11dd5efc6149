package fold

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"
	"unsafe"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/texts"
)

// entry is one line of the de-duplication index, 24 bytes: the event's id as
// 16 bytes and where its row is.
type entry struct {
	hi, lo uint64
	ref    rowRef
}

// link is one line of the correlation index: the user's session, when, and
// which row. The lowest bit of when says that the row is a success.
type link struct {
	hi, lo uint64
	when   uint64
	ref    rowRef
}

const (
	entryBytes = int(unsafe.Sizeof(entry{}))
	linkBytes  = int(unsafe.Sizeof(link{}))

	blockEntries = 32 << 10 // entries of a sorted block: fits a core's cache
	blockLinks   = 8 << 10
)

func compareEntry(a, b entry) int {
	switch {
	case a.hi != b.hi:
		return sign(a.hi > b.hi)
	case a.lo != b.lo:
		return sign(a.lo > b.lo)
	case a.ref != b.ref:
		return sign(a.ref > b.ref)
	}
	return 0
}

// compareLink sorts a session's rows newest first, successes before prompts of
// the same instant.
func compareLink(a, b link) int {
	switch {
	case a.hi != b.hi:
		return sign(a.hi > b.hi)
	case a.lo != b.lo:
		return sign(a.lo > b.lo)
	case a.when != b.when:
		return sign(a.when < b.when)
	case a.ref != b.ref:
		return sign(a.ref > b.ref)
	}
	return 0
}

// idKey is the identity of an event: the id where it has one, otherwise
// everything decoded. An all-zero GUID is what anonymisers write and
// identifies nothing.
func idKey(e *signin.Event, buf []byte) (hi, lo uint64, scratch []byte) {
	if hi, lo, ok := texts.GUID(e.ID); ok {
		if hi|lo != 0 {
			return hi, lo, buf
		}
	} else if e.ID != "" {
		buf = append(append(buf[:0], 'i'), e.ID...)
		hi, lo = wideHash(buf)
		return hi, lo, buf
	}
	buf = appendEvent(append(buf[:0], 'e'), e)
	hi, lo = wideHash(buf)
	return hi, lo, buf
}

// wideHash is 128 bits of SHA-256: finding two inputs that meet costs 2^64
// tries, so it needs no secret key and gives the same index on every run.
func wideHash(b []byte) (hi, lo uint64) {
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
}

// sessionSeeds key the hash of sessions for this process. Results do not depend
// on them.
var sessionSeeds = [3]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed(), maphash.MakeSeed()}

// sessionKey identifies one user's attempt: correlation id and account. The
// id is nearly always a GUID, which is exact; what must be hashed is hashed
// with a secret key, so that nobody can make sessions meet.
func sessionKey(correlation, account string) (hi, lo uint64) {
	hi, lo, ok := texts.GUID(correlation)
	if !ok {
		hi, lo = maphash.String(sessionSeeds[0], correlation), maphash.String(sessionSeeds[1], correlation)
	}
	user := maphash.String(sessionSeeds[2], account)
	return hi + user, lo ^ bits.RotateLeft64(user, 32)
}

// appendEvent writes every decoded field, unambiguously.
func appendEvent(b []byte, e *signin.Event) []byte {
	le := binary.LittleEndian
	text := func(list ...string) {
		for _, s := range list {
			b = le.AppendUint32(b, uint32(len(s)))
			b = append(b, s...)
		}
	}
	text(e.CorrelationID, e.CreatedRaw, e.UserID, e.UserPrincipalName, e.UserDisplayName, e.UserType, e.AppID,
		e.AppDisplayName, e.ResourceID, e.ResourceDisplayName, e.ResourceTenantID, e.HomeTenantID, e.IPAddress,
		e.Country, e.ClientAppUsed, e.AuthenticationProtocol, e.OriginalTransferMethod, e.IncomingTokenType,
		e.CrossTenantAccessType, e.TokenIssuerType, e.ServicePrincipalID, e.ServicePrincipalName,
		e.ConditionalAccessStatus, e.RiskLevelDuringSignIn, e.Category, e.FailureReason, e.AdditionalDetails,
		e.AuthenticationRequirement, e.MFAAuthMethod, e.MFAAuthDetail,
		e.OperatingSystem, e.DeviceTrustType)
	for _, t := range [...]clock{clockOf(e.Created), clockOf(e.Observed)} {
		b = le.AppendUint64(b, uint64(t.sec))
		b = le.AppendUint32(b, uint32(t.nsec))
	}
	b = le.AppendUint32(b, uint32(e.ErrorCode))
	b = append(b, byte(e.Interactive), byte(e.DeviceCompliant), bit(e.HasStatus), bit(e.HasMFAFields),
		byte(e.Clock), bit(e.Audit), bit(e.Joinable))
	b = le.AppendUint32(b, uint32(len(e.EventTypes)))
	text(e.EventTypes...)
	b = le.AppendUint32(b, uint32(len(e.Steps)))
	for _, s := range e.Steps {
		text(s.Method, s.MethodDetail, s.ResultDetail, s.Requirement)
		b = append(b, byte(s.Succeeded))
	}
	b = le.AppendUint32(b, uint32(len(e.RequirementPolicies)))
	for _, p := range e.RequirementPolicies {
		text(p.Provider, p.Detail)
	}
	b = le.AppendUint32(b, uint32(len(e.Policies)))
	for _, p := range e.Policies {
		text(p.ID, p.DisplayName, p.Result)
		b = le.AppendUint32(b, uint32(len(p.GrantControls)))
		text(p.GrantControls...)
	}
	return b
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func entriesAsBytes(e []entry) []byte {
	if len(e) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&e[0])), len(e)*entryBytes)
}

func linksAsBytes(l []link) []byte {
	if len(l) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&l[0])), len(l)*linkBytes)
}

// sortEntries sorts a block: one pass of counting on the top bits, then each
// small bucket by comparison, so that hostile ids cost a logarithm and no more.
func sortEntries(e, spare []entry) {
	const bits = 12
	if len(e) < 1<<8 {
		slices.SortFunc(e, compareEntry)
		return
	}
	var start [1<<bits + 1]uint32
	for i := range e {
		start[e[i].hi>>(64-bits)+1]++
	}
	for i := 1; i < len(start); i++ {
		start[i] += start[i-1]
	}
	next := start
	for i := range e {
		b := e[i].hi >> (64 - bits)
		spare[next[b]] = e[i]
		next[b]++
	}
	copy(e, spare[:len(e)])
	for b := range 1 << bits {
		part := e[start[b]:start[b+1]]
		if len(part) > 24 {
			slices.SortFunc(part, compareEntry)
			continue
		}
		for i := 1; i < len(part); i++ {
			x := part[i]
			j := i
			for j > 0 && compareEntry(x, part[j-1]) < 0 {
				part[j] = part[j-1]
				j--
			}
			part[j] = x
		}
	}
}

// merger reads sorted blocks of T as one sorted sequence.
type merger[T any] struct {
	st      *store
	compare func(a, b T) int
	heads   []*blockReader[T]
	err     error
}

// blockReader reads one block piece by piece.
type blockReader[T any] struct {
	head  T
	piece []T
	next  int // in piece
	page  int
	at    int // bytes of the page read so far
	buf   []byte
}

// newMerger opens blocks; window is how much memory all their read buffers
// may take together.
func newMerger[T any](st *store, blocks []int, window int, compare func(a, b T) int) *merger[T] {
	m := &merger[T]{st: st, compare: compare}
	size := int(unsafe.Sizeof(*new(T)))
	each := max(16*size, min(32<<10, window/max(1, len(blocks)))/size*size)
	for _, id := range blocks {
		r := &blockReader[T]{page: id}
		if m.fill(r, each) {
			m.heads = append(m.heads, r)
		}
	}
	heap.Init(m)
	return m
}

func (m *merger[T]) fill(r *blockReader[T], each int) bool {
	if r.buf == nil && m.st.pages[r.page].mem == nil {
		r.buf = make([]byte, each)
	}
	n := len(r.buf)
	if m.st.pages[r.page].mem != nil {
		n = int(m.st.pages[r.page].size)
	}
	b, buf, err := m.st.read(r.page, r.at, n, r.buf)
	r.buf = buf
	if err != nil {
		m.err = err
		return false
	}
	if len(b) == 0 {
		return false
	}
	r.at += len(b)
	r.piece = unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(*new(T))))
	r.head, r.next = r.piece[0], 1
	return true
}

// pop returns the next entry in order; ok is false at the end or on an error.
func (m *merger[T]) pop() (v T, ok bool) {
	if len(m.heads) == 0 || m.err != nil {
		return v, false
	}
	r := m.heads[0]
	v = r.head
	switch {
	case r.next < len(r.piece):
		r.head = r.piece[r.next]
		r.next++
		m.down()
	case m.fill(r, len(r.buf)):
		m.down()
	default:
		heap.Pop(m)
	}
	return v, true
}

// down restores the heap after its first element grew.
func (m *merger[T]) down() {
	h, i := m.heads, 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && m.compare(h[c+1].head, h[c].head) < 0 {
			c++
		}
		if m.compare(h[i].head, h[c].head) <= 0 {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func (m *merger[T]) Len() int           { return len(m.heads) }
func (m *merger[T]) Less(i, j int) bool { return m.compare(m.heads[i].head, m.heads[j].head) < 0 }
func (m *merger[T]) Swap(i, j int)      { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merger[T]) Push(any)           {}
func (m *merger[T]) Pop() any {
	last := len(m.heads) - 1
	m.heads = m.heads[:last]
	return nil
}
