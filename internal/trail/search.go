package trail

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
)

// Query says which entries are looked for. Zero fields ask nothing. A word that
// ends in "*" matches what begins with the rest.
type Query struct {
	From, To time.Time // from inclusive, to exclusive
	Action   string    // e.g. "token.issued", "token.*"
	Outcome  audit.Outcome
	Actor    string
	Object   string
	Tenant   string
	Tenants  []string // one of these; nil asks nothing

	Before int64 // only entries with a smaller number: the next page's start
	After  int64 // only entries with a greater number
	Limit  int   // at most 1,000; 0 means 100
}

// Found is one page of a search, newest entries first.
type Found struct {
	Entries []Entry `json:"entries"`
	// Next is what Before must be to go on; 0 when there is no more.
	Next int64 `json:"next,omitempty"`
	// Unread counts entries that could not be read: verify tells which.
	Unread int `json:"unread,omitempty"`
}

// Search gives the newest entries that match, at most q.Limit. Memory is
// bounded by the limit; a search for something rare reads the whole trail.
func (t *Trail) Search(ctx context.Context, q Query) (Found, error) {
	f := Found{Entries: []Entry{}}
	limit := min(max(q.Limit, 0), 1000)
	if limit == 0 {
		limit = 100
	}
	before := q.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	from, to := q.span()
	needles := q.needles()
	var tenants map[string]bool
	if q.Tenants != nil {
		tenants = make(map[string]bool, len(q.Tenants))
		for _, t := range q.Tenants {
			tenants[t] = true
		}
	}
	var some reach
	for cursor := before; ; {
		list, err := some.pages(ctx, t.db, "first < $1 AND first > $4 AND latest >= $2 AND earliest < $3 ORDER BY first DESC", cursor, from, to,
			max(q.After, 0)-pageEntries)
		if err != nil {
			return f, err
		}
		for i := range list {
			lines := list[i].lines()
			for _, line := range slices.Backward(lines) {
				if !all(line, needles) || tenants != nil && !of(line, tenants) {
					continue
				}
				h, canonical, ok := split(line)
				if !ok {
					f.Unread++
					continue
				}
				e, err := read(h, canonical)
				if err != nil {
					f.Unread++
					continue
				}
				if at := e.At.UnixMicro(); e.Seq >= before || e.Seq <= q.After || at < from || at >= to || !q.match(&e) ||
					tenants != nil && !tenants[e.Tenant] {
					continue
				}
				if len(f.Entries) == limit { // this one is the first of the next page
					f.Next = f.Entries[limit-1].Seq
					return f, nil
				}
				f.Entries = append(f.Entries, e)
			}
		}
		if len(list) == 0 {
			return f, nil
		}
		cursor = list[len(list)-1].first
	}
}

// span is from when to when, in microseconds.
func (q *Query) span() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !q.From.IsZero() {
		from = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		to = q.To.UnixMicro()
	}
	return from, to
}

// needles are bytes that every match holds, so that most lines need no
// decoding.
func (q *Query) needles() (list [][]byte) {
	for name, v := range map[string]string{"action": q.Action, "outcome": string(q.Outcome), "actor": q.Actor, "object": q.Object, "tenant": q.Tenant} {
		if v == "" {
			continue
		}
		exact := !strings.HasSuffix(v, "*")
		n := append([]byte(`"`+name+`":`), appendString(nil, strings.TrimSuffix(v, "*"), maxWord)...)
		if !exact {
			n = n[:len(n)-1]
		}
		list = append(list, n)
	}
	return list
}

// of says that a line may be of one of the tenants. One that is written with escapes is
// decoded to see.
func of(line []byte, tenants map[string]bool) bool {
	const name = `"tenant":"`
	for rest := line; ; {
		_, after, found := bytes.Cut(rest, []byte(name))
		if !found {
			return false
		}
		id, more, _ := bytes.Cut(after, []byte{'"'})
		if tenants[string(id)] || bytes.IndexByte(id, '\\') >= 0 {
			return true
		}
		rest = more
	}
}

func all(line []byte, needles [][]byte) bool {
	for _, n := range needles {
		if !bytes.Contains(line, n) {
			return false
		}
	}
	return true
}

func (q *Query) match(e *Entry) bool {
	is := func(want, have string) bool {
		if head, prefix := strings.CutSuffix(want, "*"); prefix {
			return strings.HasPrefix(have, head)
		}
		return want == "" || want == have
	}
	return is(q.Action, string(e.Action)) && is(string(q.Outcome), string(e.Outcome)) && is(q.Actor, e.Actor) && is(q.Object, e.Object) &&
		is(q.Tenant, e.Tenant)
}
