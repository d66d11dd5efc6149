package msapi

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Target is one tenant as it is asked.
type Target struct {
	Cloud  Cloud
	Tenant string                       // id
	App    string                       // client id whose budgets are used; "" is an app of its own
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
	// Anew says that the changes asked for could not be had any more, so that a
	// whole reading began with this answer.
	Anew bool
}

// Walk reads a resource to its end, page by page, within the limits that are
// published. A walk that ends without an error has read everything; a resource
// without items gives no answer at all.
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
		k := &walk{c: c, ctx: ctx, t: t, r: r, span: s, number: w.Number, items: w.Items, delta: w.Delta, yield: yield}
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
	yield  func(*Answer, error) bool
	over   bool // the caller wants no more

	base    string // where the service answers
	service string
	bearer  Bearer
	at      place // where to begin
}

// place is a position, as it is kept.
type place struct {
	Next  string `json:"n,omitempty"` // path and query of the page to go on with
	Token string `json:"t,omitempty"` // Partner Center's continuation
	End   bool   `json:"z,omitempty"`
}

// maxPosition bounds a position that is kept.
const maxPosition = 8 << 10

func (p place) String() string {
	b, _ := json.Marshal(p)
	return string(b)
}

func (k *walk) begin(position string) error {
	switch k.r.Service {
	case evidence.Graph:
		k.service, k.base, k.bearer = graph, k.t.Cloud.Graph, k.t.Bearer(k.t.Cloud.GraphResource)
	case evidence.PartnerCenter:
		k.service, k.base, k.bearer = center, k.t.Cloud.PartnerCenter, k.t.Bearer(k.t.Cloud.PartnerCenterResource)
	case evidence.ARM:
		k.service, k.base, k.bearer = arm, k.t.Cloud.ARM, k.t.Bearer(k.t.Cloud.ARMResource)
	default:
		return problem.New(problem.Usage, "%s is not read from a live tenant", k.r.Service)
	}
	if err := reach(k.t.Cloud, k.base, k.service, k.t.Tenant); err != nil {
		return err
	}
	if position == "" {
		return nil
	}
	if len(position) > maxPosition || json.Unmarshal([]byte(position), &k.at) != nil {
		return problem.New(problem.BadInput, "the position of %s is not one of ours", k.r.Name).WithHint("read it from its beginning")
	}
	return nil
}

func (k *walk) run() error {
	if k.at.End {
		return nil
	}
	return k.list()
}

// list walks over the pages of one list, or reads one object.
func (k *walk) list() error {
	where, tok := k.base+k.r.Address(), k.at.Token
	if k.at.Next != "" {
		where = k.base + k.at.Next
	}
	stuck := 0
	for range maxPages {
		res, err := k.get(where, tok)
		if err != nil {
			return err
		}
		a := k.answer(where, res)
		if res.status != http.StatusOK {
			a.Position, a.Last = place{End: true}.String(), true
			if !k.give(a) {
				return nil
			}
			return refusal(&k.r, readAPIError(k.service, res))
		}
		next, ntok, err := k.next(res.body)
		if err != nil {
			return err
		}
		if a.Last = next == ""; a.Last {
			a.Position = place{End: true}.String()
		} else {
			a.Position = place{Next: strings.TrimPrefix(next, k.base), Token: ntok}.String()
		}
		if !k.give(a) || a.Last {
			return nil
		}
		if next == where && ntok == tok {
			if stuck++; stuck >= pageAttempts {
				break
			}
		} else {
			stuck = 0
		}
		where, tok = next, ntok
	}
	return problem.New(problem.Limit, "%s of %s does not go on: the same page came again and again", k.r.Name, k.service).WithHint("try again later")
}

// next is the next page's address and continuation.
func (k *walk) next(body []byte) (string, string, error) {
	if k.r.One {
		return "", "", nil
	}
	var link, tok, version string
	if k.r.Service == evidence.PartnerCenter {
		p, err := readLinks(body)
		if err != nil {
			return "", "", err
		}
		link, tok, version = p.next, p.token, "/v1"
	} else {
		var in struct {
			Next    string `json:"@odata.nextLink"`
			ARMNext string `json:"nextLink"`
		}
		if json.Unmarshal(body, &in) != nil {
			return "", "", unreadable(k.service)
		}
		if link = in.Next; k.r.Service == evidence.ARM {
			link = in.ARMNext
		}
	}
	if link == "" {
		return "", "", nil
	}
	next, ok := within(k.base, link, version)
	if !ok {
		return "", "", problem.New(problem.BadInput, "a next link of %s leads away from %s: nothing was sent there", k.r.Name, hostOf(k.base)).
			WithHint("look for a proxy that rewrites answers")
	}
	return next, tok, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the service"
	}
	return u.Host
}

// give hands an answer over.
func (k *walk) give(a *Answer) bool {
	a.Number = k.number
	k.number++
	k.over = !k.yield(a, nil)
	return !k.over
}

func (k *walk) answer(where string, res *sent) *Answer {
	a := &Answer{Request: "GET " + strings.TrimPrefix(where, k.base), At: k.c.o.Now().UTC(), Status: res.status, Body: res.body}
	for _, name := range []string{"request-id", "MS-RequestId", "x-ms-request-id"} {
		if v := res.header.Get(name); a.RequestID == "" && len(v) <= 128 {
			a.RequestID = v
		}
	}
	return a
}

// get asks for one page; an answer that is a fact is no error.
func (k *walk) get(where, tok string) (*sent, error) {
	h := map[string]string{}
	switch k.r.Service {
	case evidence.Graph:
		h["Prefer"], h["client-request-id"] = "include-unknown-enum-members", token.GUID()
	case evidence.PartnerCenter:
		h = centerHeader()
		if tok != "" {
			h["MS-ContinuationToken"] = tok
		}
	}
	kind, pc := paceOf(k.r.Bucket)
	res, err := k.c.reply(k.ctx, call{
		service: k.service, method: http.MethodGet, where: escaped(where), bearer: k.bearer, header: h,
		how: conduct{what: k.r.Name, tenant: k.t.Tenant, kind: kind, pace: pc, again: true},
	})
	if err != nil {
		return nil, err
	}
	if res.status == http.StatusOK || refusal(&k.r, readAPIError(k.service, res)) != nil {
		return res, nil
	}
	return nil, readAPIError(k.service, res)
}

// escaped makes the blanks of a filter fit for an address.
func escaped(where string) string { return strings.ReplaceAll(where, " ", "%20") }
