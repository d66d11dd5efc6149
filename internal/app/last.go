//go:build !judge

package app

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

// lastWords remembers what the trail says last of exceptions and statements, so that a
// list of them reads what is new of the trail, and not all of it for each. Safe for
// concurrent use.
type lastWords struct {
	mu   sync.Mutex // guards the fields below
	high int64      // entries up to here were read
	last map[string]audit.Action
}

// ofPosture are the beginnings of the lines that say something of them.
var ofPosture = [][]byte{[]byte(`"action":"exception.`), []byte(`"action":"attestation.`)}

// lastOf gives the newest action that the trail has of an exception or a statement, for
// all of them as of now. What was read is held to the trail's root.
func (i *Installation) lastOf(ctx context.Context) (func(string) (audit.Action, error), error) {
	if i.DB.Tx(ctx) != nil { // what it reads may never be committed: nothing of it is remembered
		return func(object string) (audit.Action, error) {
			f, err := i.Trail.Search(ctx, trail.Query{Object: object, Limit: 1})
			if err != nil || len(f.Entries) == 0 {
				return "", err
			}
			return f.Entries[0].Action, nil
		}, nil
	}
	all, err := i.words.now(ctx, i.Trail)
	return func(object string) (audit.Action, error) { return all[object], nil }, err
}

// now reads what is new and gives all; it is shared and never changed.
func (w *lastWords) now(ctx context.Context, t *trail.Trail) (map[string]audit.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	head, err := t.Head(ctx)
	if err != nil || head.Seq == w.high {
		return w.last, err
	}
	if head.Seq < w.high { // an older database was put in place
		w.high, w.last = 0, nil
	}
	news := map[string]audit.Action{}
	err = t.Held(ctx, w.high, head.Seq, func(line []byte) bool {
		return slices.ContainsFunc(ofPosture, func(b []byte) bool { return bytes.Contains(line, b) })
	}, func(e trail.Entry) { news[e.Object] = e.Action })
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
