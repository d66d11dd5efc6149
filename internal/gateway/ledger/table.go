package ledger

import (
	"strings"
	"sync/atomic"
)

// slots is how many chains a table has. A key is found by walking one.
const slots = 1 << 14

// entry counts one key. The key is never changed.
type entry struct {
	key     key
	hash    uint64
	next    *entry
	account string // as the first of them said it
	n       atomic.Int64
	first   int64 // microseconds
	last    atomic.Int64
}

// table holds the counts of about an hour. Entries are added and never taken out, so that
// readers and writers need no lock; a table is dropped as a whole.
type table struct {
	hour  int64
	size  atomic.Int64
	lost  atomic.Int64 // notes that found no place at all
	slots [slots]atomic.Pointer[entry]
}

// find gives the entry of a key, nil where there is none.
func (t *table) find(k *key, hash uint64) *entry {
	for e := t.slots[hash%slots].Load(); e != nil; e = e.next {
		if e.hash == hash && e.key == *k {
			return e
		}
	}
	return nil
}

// add gives the entry of a key, made where there is none and fewer than limit are there.
func (t *table) add(k *key, hash uint64, account string, first int64, limit int64) *entry {
	s := &t.slots[hash%slots]
	made := &entry{key: k.own(), hash: hash, account: strings.Clone(account), first: first}
	for {
		head := s.Load()
		for e := head; e != nil; e = e.next {
			if e.hash == hash && e.key == *k {
				return e
			}
		}
		if t.size.Load() >= limit {
			return nil
		}
		made.next = head
		if s.CompareAndSwap(head, made) {
			t.size.Add(1)
			return made
		}
	}
}

// note counts one decision of a moment.
func (t *table) note(k *key, account string, at, limit int64) {
	hash := k.hash()
	e := t.find(k, hash)
	if e == nil {
		if e = t.add(k, hash, account, at, k.most(limit)); e == nil {
			o := k.others()
			if e = t.add(&o, o.hash(), "", at, limit+limit/4+64); e == nil {
				t.lost.Add(1)
				return
			}
		}
	}
	e.n.Add(1)
	if e.last.Load() < at {
		e.last.Store(at) // the later of two that race may be told a moment too early
	}
}

// each gives the counts since the last time, and sets them to nothing.
func (t *table) each(do func(e *entry, n int64)) {
	for i := range t.slots {
		for e := t.slots[i].Load(); e != nil; e = e.next {
			if n := e.n.Swap(0); n > 0 {
				do(e, n)
			}
		}
	}
}
