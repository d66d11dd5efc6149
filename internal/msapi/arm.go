package msapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// ARM is the client of the part of Azure Resource Manager that the features need, for one
// tenant (contracts.md section 7.3). Paths begin with a slash and carry their api-version;
// objects come as their raw JSON. Safe for concurrent use.
type ARM struct {
	c      *Client
	cloud  Cloud
	tenant string
	bearer Bearer
}

// ARM makes a client for a tenant. bearer gives tokens for the cloud's ARMResource in that
// tenant.
func (c *Client) ARM(cloud Cloud, tenant string, bearer Bearer) (*ARM, error) {
	if err := reach(cloud, cloud.ARM, "Azure Resource Manager", tenant); err != nil {
		return nil, err
	}
	return &ARM{c, cloud, tenant, bearer}, nil
}

func (a *ARM) call(ctx context.Context, method, where string, body any, again bool) (*sent, error) {
	return a.c.ask(ctx, call{
		service: arm, method: method, where: where, bearer: a.bearer, header: map[string]string{"x-ms-client-request-id": token.GUID()}, body: body,
		how: conduct{what: "arm", tenant: a.tenant, kind: "arm", pace: paceARM, again: again},
	})
}

// Get reads one object.
func (a *ARM) Get(ctx context.Context, path string) (json.RawMessage, error) {
	res, err := a.call(ctx, http.MethodGet, a.cloud.ARM+path, nil, true)
	if err != nil {
		return nil, err
	}
	if !json.Valid(res.body) {
		return nil, unreadable(arm)
	}
	return res.body, nil
}

// The bounds of a list.
const (
	maxARMPages = 2000
	maxARMItems = 200_000
)

// Items walks over a list, whose pages are followed by nextLink on the same host alone.
func (a *ARM) Items(ctx context.Context, path string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		where, seen, n := a.cloud.ARM+path, map[string]bool{}, 0
		for range maxARMPages {
			seen[where] = true
			res, err := a.call(ctx, http.MethodGet, where, nil, true)
			if err != nil {
				yield(nil, err)
				return
			}
			var in struct {
				Value []json.RawMessage `json:"value"`
				Next  string            `json:"nextLink"`
			}
			if err := json.Unmarshal(res.body, &in); err != nil || in.Value == nil {
				yield(nil, unreadable(arm))
				return
			}
			for _, v := range in.Value {
				if n++; n > maxARMItems {
					yield(nil, problem.New(problem.Limit, "a list of Azure Resource Manager has more than %d entries", maxARMItems))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
			if in.Next == "" {
				return
			}
			next, ok := within(a.cloud.ARM, in.Next, "")
			if !ok || seen[next] {
				yield(nil, unreadable(arm))
				return
			}
			where = next
		}
		yield(nil, problem.New(problem.Limit, "a list of Azure Resource Manager has more than %d pages", maxARMPages))
	}
}

// byResult marks a long operation that is asked for by its result, not by its status.
const byResult = "result "

// Do asks for one change, once: after a lost reply nobody knows whether it was done, and the
// caller looks before it asks again. operation is what [ARM.Operation] takes where Azure goes
// on with it; "" where it is done.
func (a *ARM) Do(ctx context.Context, method, path string, body any) (operation string, err error) {
	res, err := a.call(ctx, method, a.cloud.ARM+path, body, false)
	if err != nil {
		return "", err
	}
	if at := a.hold(res.header.Get("Azure-AsyncOperation")); at != "" {
		return at, nil
	}
	if at := a.hold(res.header.Get("Location")); at != "" && res.status == http.StatusAccepted {
		return byResult + at, nil
	}
	return "", nil
}

// hold gives the path of a link that stays at this API: a token is sent nowhere else.
func (a *ARM) hold(link string) string {
	whole, ok := within(a.cloud.ARM, link, "")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(whole, a.cloud.ARM)
}

// Operation is how a long operation stands.
type Operation struct {
	Status string // InProgress, Succeeded, Failed, Canceled; raw where Azure says something else
	Code   string // why it failed, a word of Azure's; "" it does not say
	After  time.Duration
}

// Over says that nothing more comes of an operation.
func (o Operation) Over() bool {
	return strings.EqualFold(o.Status, "Succeeded") || strings.EqualFold(o.Status, "Failed") || strings.EqualFold(o.Status, "Canceled")
}

// Operation asks how a long operation stands that [ARM.Do] began.
func (a *ARM) Operation(ctx context.Context, operation string) (Operation, error) {
	path, result := strings.CutPrefix(operation, byResult)
	where, ok := within(a.cloud.ARM, path, "")
	if !ok {
		return Operation{}, problem.New(problem.Internal, "that is no operation of Azure Resource Manager")
	}
	res, err := a.call(ctx, http.MethodGet, where, nil, true)
	if err != nil {
		return Operation{}, err
	}
	o := Operation{Status: "InProgress", After: res.after}
	if result {
		if res.status != http.StatusAccepted {
			o.Status = "Succeeded"
		}
		return o, nil
	}
	var in struct {
		Status string `json:"status"`
		Error  struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(bytes.TrimSpace(res.body), &in) != nil || in.Status == "" {
		return Operation{}, unreadable(arm)
	}
	o.Status = clip(in.Status)
	if isWord(in.Error.Code) {
		o.Code = in.Error.Code
	}
	return o, nil
}
