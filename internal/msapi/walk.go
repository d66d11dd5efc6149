package msapi

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Target is one tenant as it is asked.
type Target struct {
	Cloud  Cloud
	Tenant string                       // id
	App    string                       // client id whose budgets are used; "" is that of the token
	Bearer func(resource string) Bearer // the source of tokens for an API, e.g. Cloud.GraphResource
}

// Span is the interval of a sliced reading, [From, To); zero for the others.
type Span struct{ From, To time.Time }

// Resume says where a walk goes on. The zero value begins one.
type Resume struct {
	Position string // of the last answer that was kept
	Delta    string // of the reading before; "" reads the whole
	Number   int    // of the next answer
	// Items are the ids that a loop goes over, of the resource's list. Nil: all
	// that the list holds.
	Items []string
	// Wide is how wide the slices of a log may be where the caller knows that little
	// is in it; 0 is the row's width. One that is late falls back to that.
	Wide time.Duration
}

// Answer is one answer as it came.
type Answer struct {
	Request   string    // method, path and query; never the host, and no token of ours
	Of        string    // id of the item, in a loop
	From, To  time.Time // the slice asked for
	At        time.Time // when it came, by the client's clock
	RequestID string    // what Microsoft's support asks for; "" when none came
	Status    int       // 200, or a refusal that is a fact
	Body      []byte    // as it came, at most Options.MaxBody
	Number    int       // within the walk, from 0, and on over resumes
	Position  string    // where to go on after this answer: opaque, 8 KiB at most, no secret
	Covered   time.Time // sliced: everything from Span.From up to here is read
	Last      bool      // the walk ended with this answer
	Delta     string    // with Last: what the next delta reading begins with
	// Anew says that the list is read from its beginning once more, with this
	// answer: what the walk gave of it before does not count. A delta token that
	// was lost does so, and a link to a next page that is no longer good.
	Anew bool
}

// Walk reads a resource to its end, page by page, within the limits that are
// published. A walk that ends without an error has read everything; a resource
// without items gives no answer at all.
//
// A loop reads its list first, then one list for each item in the order of ids.
// A log is read by slices, in the order of time; a slice that is late is halved,
// down to a minute, and what lies on the edge of two slices comes twice.
//
// An error ends it, with one exception: after a [*Poisoned] the walk goes on
// behind what was lost where the caller goes on. The others are [*Refused] for
// what is a fact and no failure (its answer was given before), [*APIError],
// and the context's. Links to another host are an error, and so is the same page
// again and again.
//
// Safe for concurrent use; each walk is for one goroutine.
func (c *Client) Walk(ctx context.Context, t Target, r evidence.Resource, s Span, w Resume) iter.Seq2[*Answer, error] {
	return func(yield func(*Answer, error) bool) {
		k := &walk{c: c, ctx: ctx, t: t, r: r, span: s, number: w.Number, items: w.Items, delta: w.Delta, wide: w.Wide, yield: yield,
			seen: map[uint64]bool{}}
		if err := k.begin(w.Position); err != nil {
			yield(nil, err)
			return
		}
		if err := k.run(); err != nil && !k.over {
			yield(nil, err)
		}
	}
}

// walk is a walk under way.
type walk struct {
	c      *Client
	ctx    context.Context
	t      Target
	r      evidence.Resource
	span   Span
	number int
	items  []string
	delta  string
	wide   time.Duration
	width  time.Duration // of slices now
	widest time.Duration
	yield  func(*Answer, error) bool
	over   bool            // the caller wants no more
	inItem bool            // an item's list is read, not the list of items
	anew   bool            // the next answer begins the list once more
	seen   map[uint64]bool // addresses asked for, so that no walk goes round in a circle

	base    string // where the service answers
	service string
	bearer  Bearer
	at      place // where to begin
}

// place is a position, as it is kept.
type place struct {
	Items bool   `json:"i,omitempty"` // the list is read; its items are
	Item  string `json:"o,omitempty"` // the item under way, or the last that is read where Next is empty
	Next  string `json:"n,omitempty"` // path and query of the page to go on with
	Token string `json:"t,omitempty"` // Partner Center's continuation
	From  int64  `json:"f,omitempty"` // seconds: where the slice under way begins
	Wide  int64  `json:"w,omitempty"` // seconds: how wide it is
	Grid  int64  `json:"g,omitempty"` // seconds: how wide slices are now, where the end of the span does not cut them
	End   bool   `json:"z,omitempty"` // nothing is left
}

// maxPosition bounds a position that is kept.
const maxPosition = 8 << 10

// text is the position as it is kept. A link that is too long to keep is left
// out, so that the list it belongs to is read from its beginning.
func (p place) text() string {
	b, _ := json.Marshal(p)
	if len(b) > maxPosition {
		p.Next, p.Token = "", ""
		b, _ = json.Marshal(p)
	}
	return string(b)
}

func (k *walk) begin(position string) error {
	var resource string
	switch k.r.Service {
	case evidence.Graph:
		k.service, k.base, resource = graph, k.t.Cloud.Graph, k.t.Cloud.GraphResource
	case evidence.PartnerCenter:
		k.service, k.base, resource = center, k.t.Cloud.PartnerCenter, k.t.Cloud.PartnerCenterResource
	case evidence.ARM:
		k.service, k.base, resource = arm, k.t.Cloud.ARM, k.t.Cloud.ARMResource
	default:
		return problem.New(problem.Usage, "%s is not read from a live tenant", k.r.Service)
	}
	if err := reach(k.t.Cloud, k.base, k.service, k.t.Tenant); err != nil {
		return err
	}
	if k.bearer = k.t.Bearer(resource); k.bearer == nil {
		return problem.New(problem.Internal, "there is no source of tokens for %s", k.service)
	}
	if k.r.Way == evidence.Sliced && !k.span.From.Before(k.span.To) {
		return problem.New(problem.Usage, "%s is read by time: the span must end after it begins", k.r.Name)
	}
	if position == "" {
		return nil
	}
	if len(position) > maxPosition || json.Unmarshal([]byte(position), &k.at) != nil ||
		k.at.Next != "" && !strings.HasPrefix(k.at.Next, "/") || k.at.Wide < 0 || k.at.Grid < 0 {
		return problem.New(problem.BadInput, "the position of %s is not one of ours", k.r.Name).WithHint("read it from its beginning")
	}
	return nil
}

func (k *walk) run() error {
	if k.at.End {
		return nil
	}
	if k.loop() || k.r.Way == evidence.Sliced {
		return k.parts()
	}
	return k.whole()
}

// whole reads one object or one list, or what changed in it.
func (k *walk) whole() error {
	first := escaped(k.r.Address())
	if k.r.Way == evidence.Delta {
		if first = escaped("/" + k.r.Version + k.r.Delta); k.delta != "" && k.at.Next == "" {
			k.at.Next = k.delta
		}
	}
	from := page{where: first}
	if k.at.Next != "" {
		from = page{where: k.at.Next, token: k.at.Token}
	}
	for anew := 0; ; anew++ {
		err := k.pages(from, steps{
			at: func(p *page) place { return place{Next: p.next, Token: p.nextToken, End: p.next == ""} },
			each: func(p *page) bool {
				a := k.answer(p)
				a.Position = place{Next: p.next, Token: p.nextToken, End: p.next == ""}.text()
				if a.Last = p.next == "" && a.Status == http.StatusOK; a.Last && len(p.delta) <= maxPosition {
					a.Delta = p.delta
				}
				return k.give(a)
			},
		})
		if !errors.Is(err, errLinkGone) || anew == 2 || from.where == first {
			return err
		}
		from, k.anew, k.seen = page{where: first}, true, map[uint64]bool{}
	}
}

// give hands an answer over, and says whether the caller wants more.
func (k *walk) give(a *Answer) bool {
	a.Number, a.Anew = k.number, k.anew
	k.number++
	k.anew = false
	k.over = !k.yield(a, nil)
	return !k.over
}

// lose tells of a page that is lost, and says whether the caller wants more.
func (k *walk) lose(p *Poisoned) bool {
	k.over = !k.yield(nil, p)
	return !k.over
}

func (k *walk) answer(p *page) *Answer {
	a := &Answer{Request: "GET " + p.where, At: k.c.o.Now().UTC(), Status: p.status, Body: p.body}
	for _, name := range []string{"request-id", "MS-RequestId", "x-ms-request-id"} {
		if v := p.header.Get(name); a.RequestID == "" && len(v) <= 128 && !strings.ContainsFunc(v, unicode.IsControl) {
			a.RequestID = v
		}
	}
	return a
}

// escaped makes the blanks of a filter fit for an address.
func escaped(where string) string { return strings.ReplaceAll(where, " ", "%20") }
