package msapi

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Bearer gives the access token for one call. It is asked for each, so that a
// long walk over pages outlives a token.
type Bearer func(context.Context) (secret.Text, error)

// Fixed is a Bearer with one token.
func Fixed(access secret.Text) Bearer {
	return func(context.Context) (secret.Text, error) { return access, nil }
}

// call is one request to an API.
type call struct {
	service string
	method  string
	where   string // whole address
	bearer  Bearer
	header  map[string]string
	body    any // as JSON; nil for none
	how     conduct
}

// ask sends a call and gives its answer when the status is 2xx.
func (c *Client) ask(ctx context.Context, k call) (*sent, error) {
	res, err := c.reply(ctx, k)
	if err == nil && (res.status < 200 || res.status > 299) {
		return nil, readAPIError(k.service, res)
	}
	return res, err
}

// reply sends a call and gives its answer, whatever the status is.
func (c *Client) reply(ctx context.Context, k call) (*sent, error) {
	access, err := k.bearer(ctx)
	if err != nil {
		return nil, err
	}
	if !isToken(access.Reveal()) {
		return nil, problem.New(problem.Internal, "there is no access token for %s", k.service)
	}
	req, err := runtime.NewRequest(ctx, k.method, k.where)
	if err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the address for %s cannot be", k.service)
	}
	if err := fill(req, k); err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Authorization", "Bearer "+access.Reveal())
	if k.how.app == "" {
		k.how.app = appOf(access.Reveal())
	}
	res, err := c.send(req, k.how)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errForbidden):
		return nil, errForbidden
	case errors.Is(err, errAnswersAll):
		return nil, errAnswersAll
	case errors.Is(err, errTooLong):
		return nil, &APIError{Service: k.service, way: onTheWay(err), long: true}
	case err != nil:
		if p, ok := errors.AsType[*problem.Error](err); ok && errors.Is(p, problem.Usage) {
			return nil, p
		}
		var timeout interface{ Timeout() bool }
		return nil, &APIError{Service: k.service, Transient: true, way: onTheWay(err), slow: errors.As(err, &timeout) && timeout.Timeout()}
	}
	res.app = k.how.app
	return res, nil
}

// appOf reads whose token it is, for the budget alone: nothing is believed.
func appOf(access string) string {
	var claims struct {
		V1 string `json:"appid"`
		V2 string `json:"azp"`
	}
	if _, rest, ok := strings.Cut(access, "."); ok {
		body, _, _ := strings.Cut(rest, ".")
		if b, err := base64.RawURLEncoding.DecodeString(body); err == nil && json.Unmarshal(b, &claims) == nil {
			if id := cmp.Or(claims.V1, claims.V2); isGUID(id) {
				return strings.ToLower(id)
			}
		}
	}
	return ""
}

func fill(req *policy.Request, k call) error {
	h := req.Raw().Header
	h.Set("Accept", "application/json")
	for name, v := range k.header {
		h.Set(name, v)
	}
	if k.body == nil {
		return nil
	}
	b, err := json.Marshal(k.body)
	if err == nil {
		err = req.SetBody(streaming.NopCloser(strings.NewReader(string(b))), "application/json")
	}
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the request to %s could not be written", k.service)
	}
	return nil
}

// within resolves a link of an answer and holds it to the API it came from: a
// token is sent nowhere else. version is put before a path that lacks it.
func within(base, link, version string) (string, bool) {
	b, err := url.Parse(base)
	if err != nil || link == "" || len(link) > 8<<10 {
		return "", false
	}
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return "", false
	}
	if u.Host == "" && u.Scheme == "" {
		if !strings.HasPrefix(u.Path, "/") {
			return "", false
		}
		if version != "" && !strings.HasPrefix(strings.ToLower(u.Path), version+"/") {
			u.Path, u.RawPath = version+u.Path, ""
		}
		u.Scheme, u.Host = b.Scheme, b.Host
	}
	if u.Scheme != b.Scheme || !strings.EqualFold(u.Host, b.Host) || strings.Contains(u.Path, "..") {
		return "", false
	}
	return u.String(), true
}

// unreadable is an answer that is not what it should be: on the way, or a
// change of theirs.
func unreadable(service string) error {
	return &APIError{Service: service, Status: http.StatusOK, Transient: true, way: "the answer cannot be read"}
}
