package authority

import (
	"slices"
	"sync"
	"time"
)

// shelf keeps things for a while, a bounded number of them. The zero value is
// empty with room for shelfRoom. Safe for concurrent use.
type shelf[T any] struct {
	mu    sync.Mutex // guards the rest
	items map[string]shelved[T]
	order []string // in the order they came, ended ones may still be named
}

type shelved[T any] struct {
	item  T
	until time.Time
}

// shelfRoom bounds a shelf; the oldest things fall off first.
const shelfRoom = 20_000

func (s *shelf[T]) put(now, until time.Time, key string, item T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = make(map[string]shelved[T])
	}
	if _, ok := s.items[key]; !ok {
		s.order = append(s.order, key)
	}
	s.items[key] = shelved[T]{item, until}
	if len(s.order) > 2*shelfRoom { // dropped things are still named in it
		s.order = slices.DeleteFunc(s.order, func(k string) bool { _, ok := s.items[k]; return !ok })
	}
	for len(s.order) > 0 {
		first, ok := s.items[s.order[0]]
		if ok && len(s.items) <= shelfRoom && now.Before(first.until) {
			break
		}
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
}

func (s *shelf[T]) get(now time.Time, key string) (item T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.items[key]
	if !ok || !now.Before(x.until) {
		return item, false
	}
	return x.item, true
}

// claim keeps an item unless one is there already, which it returns instead.
func (s *shelf[T]) claim(now, until time.Time, key string, item T) (kept T, fresh bool) {
	s.mu.Lock()
	x, ok := s.items[key]
	s.mu.Unlock()
	if ok && now.Before(x.until) {
		return x.item, false
	}
	s.put(now, until, key, item)
	return item, true
}

func (s *shelf[T]) drop(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, key)
}

// guard counts wrong attempts by key and locks for a while that grows. The zero
// value is ready. Safe for concurrent use.
type guard struct {
	mu   sync.Mutex // guards seen
	seen map[string]*tries
}

type tries struct {
	wrong  int
	locks  int
	until  time.Time
	latest time.Time
}

const (
	wrongLimit = 10
	firstLock  = time.Minute
	longLock   = 8 * time.Hour
	forgetting = 24 * time.Hour
	guardRoom  = 50_000
)

// locked reports that a key is locked at a moment.
func (g *guard) locked(now time.Time, key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.seen[key]
	return t != nil && now.Before(t.until)
}

// wrong counts one wrong attempt and reports whether the key is locked by now.
func (g *guard) wrong(now time.Time, key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = make(map[string]*tries)
	}
	t := g.seen[key]
	if t == nil || now.Sub(t.latest) > forgetting {
		if len(g.seen) >= guardRoom {
			for k, v := range g.seen { // make room: the quiet ones first
				if now.Sub(v.latest) > time.Hour {
					delete(g.seen, k)
				}
			}
			if len(g.seen) >= guardRoom {
				return true // too much guessing at once: nobody gets in
			}
		}
		t = new(tries)
		g.seen[key] = t
	}
	t.latest = now
	if t.wrong++; t.wrong >= wrongLimit {
		t.until = now.Add(min(firstLock<<min(t.locks, 20), longLock))
		t.locks++
		t.wrong = 0
	}
	return now.Before(t.until)
}

// right forgets the wrong attempts of a key; how often it was locked is kept
// for a day.
func (g *guard) right(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.seen[key]; t != nil {
		t.wrong = 0
	}
}
