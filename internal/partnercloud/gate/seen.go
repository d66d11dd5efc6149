package gate

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Seen is one request as it is remembered.
type Seen struct {
	Seq             uint64            `json:"seq"`
	Time            time.Time         `json:"time"` // by the partner cloud's clock
	Service         string            `json:"service"`
	Method          string            `json:"method"`
	Host            string            `json:"host"`
	Path            string            `json:"path"`
	Query           string            `json:"query,omitempty"` // secrets replaced
	Status          int               `json:"status"`          // 0: cut before there was one
	Bytes           int64             `json:"bytes"`
	Millis          float64           `json:"ms"`
	Aborted         bool              `json:"aborted,omitempty"` // the connection was cut
	App             string            `json:"app,omitempty"`
	Tenant          string            `json:"tenant,omitempty"`
	User            string            `json:"user,omitempty"`
	Notes           map[string]string `json:"notes,omitempty"`
	RequestID       string            `json:"requestId"`
	ClientRequestID string            `json:"clientRequestId,omitempty"`
	Faults          []string          `json:"faults,omitempty"` // "f1 429"
	Missed          int               `json:"missed,omitempty"` // rows a slow follower lost before this one
}

// Filter chooses rows; what is empty does not choose.
type Filter struct {
	Service    string
	Method     string
	PathPrefix string
	Status     int
	App        string
	Tenant     string
	Faulted    bool   // only those that a fault hit
	After      uint64 // only those with a higher Seq
	Limit      int    // the newest so many; 0 means all that are kept
}

// Match says whether s is chosen.
func (f *Filter) Match(s *Seen) bool {
	return (f.Service == "" || f.Service == s.Service) && (f.Method == "" || strings.EqualFold(f.Method, s.Method)) &&
		strings.HasPrefix(s.Path, f.PathPrefix) &&
		(f.Status == 0 || f.Status == s.Status) && (f.App == "" || strings.EqualFold(f.App, s.App)) &&
		(f.Tenant == "" || strings.EqualFold(f.Tenant, s.Tenant)) &&
		(!f.Faulted || len(s.Faults) > 0) && s.Seq > f.After
}

// Seen lists what is remembered, oldest first.
func (g *Gate) Seen(f Filter) []Seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := []Seen{}
	for i := range g.ring {
		if s := &g.ring[(g.start+i)%len(g.ring)]; f.Match(s) {
			out = append(out, *s)
		}
	}
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[len(out)-f.Limit:]
	}
	return out
}

func (g *Gate) remember(s Seen) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lastSeen++
	s.Seq = g.lastSeen
	if len(g.ring) < g.keep {
		g.ring = append(g.ring, s)
	} else {
		g.ring[g.start] = s
		g.start = (g.start + 1) % g.keep
	}
	for f := range g.followers {
		f.offer(s)
	}
}

// follower is one reader of new rows. Its fields are guarded by the gate's mu.
type follower struct {
	rows   chan Seen
	missed int
}

func (f *follower) offer(s Seen) {
	s.Missed = f.missed
	select {
	case f.rows <- s:
		f.missed = 0
	default:
		f.missed++ // who reads too slowly loses rows, and is told how many
	}
}

// Follow gives every request from now on until ctx ends, when the channel is
// closed. A reader that falls 256 rows behind loses rows: the next one it gets
// says how many.
func (g *Gate) Follow(ctx context.Context) <-chan Seen {
	f := &follower{rows: make(chan Seen, 256)}
	g.mu.Lock()
	g.followers[f] = struct{}{}
	g.mu.Unlock()
	context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.followers, f)
		close(f.rows) // nobody else sends: offer holds the same lock
	})
	return f.rows
}

// notes is what a handler says about its request.
type notes struct {
	requestID string
	skew      time.Duration
	fate      Kind

	mu   sync.Mutex // guards said: a handler may use several goroutines
	said map[string]string
}

type notesKey struct{}

const (
	maxNotes = 16
	maxNote  = 200
)

// Note keeps a fact about the request for whoever looks at what was seen:
// "app", "tenant" and "user" have fields of their own. Never note a secret.
// Outside a gate it does nothing.
func Note(ctx context.Context, key, value string) {
	n, ok := ctx.Value(notesKey{}).(*notes)
	if !ok || value == "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said == nil {
		n.said = map[string]string{}
	}
	if _, known := n.said[key]; known || len(n.said) < maxNotes {
		n.said[clip(key, 40)] = clip(value, maxNote)
	}
}

// RequestID is the id of the request, for a handler to put into its reply and
// its log rows. Empty outside a gate.
func RequestID(ctx context.Context) string {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n.requestID
	}
	return ""
}

// SkewOf is by how much the service's clock is off for this request: what a
// fault of kind [Skew] asks for. A handler that writes times may add it.
func SkewOf(ctx context.Context) time.Duration {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n.skew
	}
	return 0
}

// FateOf is how what this request begins shall end: [NeverEnds], [EndsBadly], or "" as it
// should.
func FateOf(ctx context.Context) Kind {
	if n, ok := ctx.Value(notesKey{}).(*notes); ok {
		return n.fate
	}
	return ""
}

func (n *notes) into(s *Seen) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, v := range n.said {
		switch k {
		case "app":
			s.App = v
		case "tenant":
			s.Tenant = v
		case "user":
			s.User = v
		default:
			if s.Notes == nil {
				s.Notes = map[string]string{}
			}
			s.Notes[k] = v
		}
	}
}

// requestID prefers the id that the service told its client.
func requestID(h http.Header, ours string) string {
	for _, name := range []string{"request-id", "x-ms-request-id", "MS-RequestId"} {
		if id := h.Get(name); id != "" {
			return clip(id, 64)
		}
	}
	return ours
}

func clientRequestID(r *http.Request) string {
	for _, name := range []string{"client-request-id", "x-ms-client-request-id", "MS-RequestId", "MS-CorrelationId"} {
		if id := r.Header.Get(name); id != "" {
			return clip(id, 64)
		}
	}
	return ""
}

// clip makes text from outside safe to keep and to print: valid, without
// control characters, at most n bytes.
func clip(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f && c < 0xa0 || c == utf8.RuneError {
			return '?'
		}
		return c
	}, s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
