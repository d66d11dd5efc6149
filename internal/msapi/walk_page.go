package msapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// page is one answer of a list, with where the next one is.
type page struct {
	*sent
	where, token    string // what was asked for: path and query, and Partner Center's continuation
	next, nextToken string // path and query; "" at the end
	delta           string // Graph: where the changes after it are
	ids             []string
	why             string // misshapen, but with a next page: a clause
}

// errLinkGone says that a link to a page or to changes is no longer good, so that
// the list must be read from its beginning.
var errLinkGone = problem.New(problem.Limit, "a link to a further page is no longer good").WithHint("try again later")

// steps says what a walk over one list does with its pages.
type steps struct {
	each func(*page) bool  // gets every answer, the one that is a refusal too, and says whether to go on
	at   func(*page) place // the position behind a page
	of   string            // the item whose list it is
	span Span              // the slice that is asked for
}

// pages walks over a list, from a page on. A page that cannot be read is told to
// the caller, and the walk goes on behind it where there is a way.
func (k *walk) pages(from page, do steps) error {
	for range maxPages {
		p, err := k.page(from.where, from.token)
		if err != nil {
			return err
		}
		if p.status != http.StatusOK {
			if do.each(p) {
				return refusal(&k.r, readAPIError(k.service, p.sent))
			}
			return nil
		}
		if p.why != "" {
			if !k.lose(&Poisoned{Request: "GET " + p.where, Of: do.of, Span: do.span, Why: p.why, Position: do.at(p).text()}) {
				return nil
			}
		} else if !do.each(p) {
			return nil
		}
		if p.next == "" {
			return nil
		}
		key := hashOf(p.next, p.nextToken)
		if k.seen[key] {
			break
		}
		k.seen[key] = true
		from = page{where: p.next, token: p.nextToken}
	}
	return problem.New(problem.Limit, "%s of %s does not go on: the same page came again and again", k.r.Name, k.service).WithHint("try again later")
}

var seed = maphash.MakeSeed()

func hashOf(where, tok string) uint64 { return maphash.String(seed, where+"\x00"+tok) }

// page asks for one page, and again where it is the page before once more or no
// answer of the service's.
func (k *walk) page(where, tok string) (*page, error) {
	var why string
	for try := 1; try <= pageAttempts; try++ {
		res, err := k.get(where, tok)
		if e, ok := errors.AsType[*APIError](err); ok && e.long {
			return nil, &Poisoned{Request: "GET " + where, Why: "it is longer than this program reads"}
		}
		if errors.Is(err, errLinkGone) && try < pageAttempts && k.r.Way != evidence.Delta {
			continue // a refusal of one server's may not be another's
		}
		if err != nil {
			return nil, err
		}
		p := &page{sent: res, where: where, token: tok}
		if res.status != http.StatusOK {
			return p, nil
		}
		if why = k.read(p); why != "" && p.next == "" {
			continue
		}
		if p.next, err = k.hold(p.next); err != nil {
			return nil, err
		}
		if p.delta, err = k.hold(p.delta); err != nil {
			return nil, err
		}
		if p.next != "" && p.next == where && p.nextToken == tok {
			continue // the page before, once more
		}
		p.why = why
		return p, nil
	}
	if why != "" {
		return nil, &Poisoned{Request: "GET " + where, Why: why}
	}
	return nil, problem.New(problem.Limit, "%s of %s does not go on: the same page came again and again", k.r.Name, k.service).WithHint("try again later")
}

// lostLink reports that a link of an earlier answer is refused: Graph's changes
// that are gone, and a page whose token has expired (contracts.md 3.0).
func lostLink(e *APIError, where string, way evidence.Way) bool {
	switch e.Code {
	case "syncStateNotFound", "resyncRequired", "SyncStateInvalid", "Directory_ExpiredPageToken", "InvalidSkipToken":
		return true
	}
	low := strings.ToLower(where)
	linked := strings.Contains(low, "skiptoken") || strings.Contains(low, "deltatoken") || strings.Contains(low, "seekoperation")
	return e.Status == http.StatusGone && way == evidence.Delta || e.Status == http.StatusBadRequest && linked
}

// Bounds of a body beyond its length.
const (
	maxDepth = 100
	maxID    = 200
)

// read reads of a body what the walk itself needs. It gives why the body is not
// what it should be, as a clause; next may be known all the same.
func (k *walk) read(p *page) (why string) {
	body := bytes.TrimPrefix(bytes.TrimSpace(p.body), []byte("\xef\xbb\xbf"))
	switch deep, ok := depth(body); {
	case !ok:
		return "it is no JSON"
	case deep > maxDepth:
		why = "it is nested too deep"
	}
	if k.r.One && k.r.Each == nil || k.inItem && k.r.Each != nil && k.r.Each.One {
		if why == "" && !bytes.HasPrefix(body, []byte("{")) {
			why = "it is no object"
		}
		return why
	}
	var items []json.RawMessage
	if k.r.Service == evidence.PartnerCenter {
		c, err := readLinks(body)
		if err != nil {
			return "it is no list of Partner Center's"
		}
		items, p.next, p.nextToken = c.items, c.next, c.token
	} else {
		var in struct {
			Value *[]json.RawMessage `json:"value"`
			Next  string             `json:"@odata.nextLink"`
			ARM   string             `json:"nextLink"`
			Delta string             `json:"@odata.deltaLink"`
		}
		if json.Unmarshal(body, &in) != nil || in.Value == nil {
			return "it is no list"
		}
		items, p.next, p.delta = *in.Value, in.Next, in.Delta
		if k.r.Service == evidence.ARM {
			p.next = in.ARM
		}
	}
	if len(items) > maxItems {
		return "it holds more than 10,000 objects"
	}
	for _, raw := range items {
		if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			return "it holds something that is no object"
		}
	}
	if why == "" && k.loop() && !k.inItem {
		p.ids = k.idsOf(items)
	}
	return why
}

// depth is how deep a JSON text is nested; false where it is none.
func depth(b []byte) (deepest int, ok bool) {
	if !json.Valid(b) {
		return 0, false
	}
	deep, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText:
			if c == '\\' {
				i++
			} else if c == '"' {
				inText = false
			}
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			deep++
			deepest = max(deepest, deep)
		case c == '}' || c == ']':
			deep--
		}
	}
	return deepest, true
}

// hold holds a link to the service it came from, and gives its path and query.
func (k *walk) hold(link string) (string, error) {
	if link == "" {
		return "", nil
	}
	version := ""
	if k.r.Service == evidence.PartnerCenter {
		version = "/v1"
	}
	to, ok := within(k.base, link, version)
	if !ok {
		return "", problem.New(problem.BadInput, "a link of %s leads away from %s: nothing was sent there", k.r.Name, hostOf(k.base)).
			WithHint("look for a proxy that rewrites answers")
	}
	u, err := url.Parse(to)
	if err != nil {
		return "", unreadable(k.service)
	}
	return escaped(u.RequestURI()), nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the service"
	}
	return u.Host
}

// freshKey is the key by which a Bearer is asked for a token that is new.
type freshKey struct{}

// WantsFresh reports, to a [Bearer], that the token it gave last was refused as
// one that has expired: one from a cache does not help.
func WantsFresh(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

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
	return k.ask(call{method: http.MethodGet, where: k.base + where, header: h}, 1)
}

// ask sends a call of the walk's, once more with a new token where the first has
// expired under way.
func (k *walk) ask(c call, units int) (*sent, error) {
	kind, pc := paceOf(k.r.Bucket)
	c.service, c.bearer = k.service, k.bearer
	c.how = conduct{
		what: k.r.Name, tenant: k.t.Tenant, app: strings.ToLower(k.t.App), kind: kind, pace: pc, units: units, again: true,
		narrow: k.r.Way == evidence.Sliced,
	}
	ctx := context.WithValue(k.ctx, pageKey{}, true)
	res, err := k.c.reply(ctx, c)
	if err == nil && res.status == http.StatusUnauthorized {
		if e := readAPIError(k.service, res); !e.WithoutMFA() && e.Claims == "" {
			res, err = k.c.reply(context.WithValue(ctx, freshKey{}, true), c)
		}
	}
	if err != nil {
		return nil, err
	}
	if res.status == http.StatusOK {
		return res, nil
	}
	switch e := readAPIError(k.service, res); {
	case lostLink(e, c.where, k.r.Way):
		return nil, errLinkGone
	case refusal(&k.r, e) == nil:
		return nil, e
	}
	return res, nil
}
