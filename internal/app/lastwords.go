//go:build !judge

package app

import (
	"context"
	"maps"
	"sync"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

// lastWords remembers what the trail says last of things, by what names them, so that each look
// reads what is new of the trail alone. Safe for concurrent use.
type lastWords[K comparable] struct {
	mu   sync.Mutex // guards the fields below
	high int64      // entries up to here were read
	last map[K]audit.Action
}

// now reads what is new and gives all of this moment; it is shared and never changed. line
// says of which lines an entry is made; key names what an entry is about, false for one that
// says nothing of it. What was read was held to the trail's root.
func (w *lastWords[K]) now(ctx context.Context, t *trail.Trail, line func([]byte) bool, key func(*trail.Entry) (K, bool)) (map[K]audit.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	head, err := t.Head(ctx)
	if err != nil || head.Seq == w.high {
		return w.last, err
	}
	if head.Seq < w.high { // an older database was put in place
		w.high, w.last = 0, nil
	}
	news := map[K]audit.Action{}
	err = t.Held(ctx, w.high, head.Seq, line, func(e trail.Entry) {
		if k, ok := key(&e); ok {
			news[k] = e.Action
		}
	})
	if err != nil {
		return nil, err
	}
	if w.high = head.Seq; len(news) > 0 {
		all := maps.Clone(w.last)
		if all == nil {
			all = news
		}
		maps.Copy(all, news)
		w.last = all
	}
	return w.last, nil
}
