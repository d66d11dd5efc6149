package msapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/token"
)

// batchAnswer is what Graph says to requests that were sent together.
type batchAnswer struct {
	Responses []struct {
		ID      string            `json:"id"`
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"responses"`
}

// firsts asks for the first pages of several items together, where the service
// takes that. What is not among its answers is asked for by itself later: a part
// that was throttled, when its time has come; one that failed; or all, where the
// answer is too long.
func (k *walk) firsts(ids []string, s slice) (map[string]*page, error) {
	if len(ids) < 2 {
		return nil, nil
	}
	type part struct {
		ID      string            `json:"id"`
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	var in struct {
		Requests []part `json:"requests"`
	}
	version := "/" + k.r.Version
	for i, id := range ids {
		if len(id) <= maxID && idOf.MatchString(id) {
			in.Requests = append(in.Requests, part{strconv.Itoa(i), http.MethodGet, strings.TrimPrefix(k.where(id, s), version),
				map[string]string{"Prefer": "include-unknown-enum-members"}})
		}
	}
	if len(in.Requests) < 2 {
		return nil, nil
	}
	res, err := k.ask(call{method: http.MethodPost, where: k.base + version + "/$batch", body: in,
		header: map[string]string{"client-request-id": token.GUID()}}, len(in.Requests))
	if e, ok := errors.AsType[*APIError](err); ok && e.long {
		return nil, nil
	}
	if err != nil || res.status != http.StatusOK {
		return nil, err
	}
	var all batchAnswer
	if deep, ok := depth(res.body); !ok || deep > maxDepth+3 || json.Unmarshal(res.body, &all) != nil {
		return nil, nil
	}
	out := map[string]*page{}
	k.inItem = true
	defer func() { k.inItem = false }()
	for _, r := range all.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil || i < 0 || i >= len(ids) {
			continue
		}
		p := &page{where: k.where(ids[i], s), sent: &sent{status: r.Status, header: http.Header{}, body: r.Body}}
		for name, v := range r.Headers {
			p.header.Set(name, v)
		}
		if r.Status == http.StatusTooManyRequests {
			k.halt(p.header, res.app)
			continue
		}
		if r.Status != http.StatusOK {
			if refusal(&k.r, readAPIError(k.service, p.sent)) != nil {
				out[ids[i]] = p
			}
			continue
		}
		if why := k.read(p); why != "" {
			continue // by itself it is told what is wrong with it
		}
		if p.next, err = k.hold(p.next); err != nil {
			return nil, err
		}
		out[ids[i]] = p
	}
	return out, nil
}

// halt closes the walk's bucket for a part of a batch that was throttled.
func (k *walk) halt(h http.Header, app string) {
	kind, pc := paceOf(k.r.Bucket)
	how := conduct{tenant: k.t.Tenant, kind: kind, app: app}
	pause := retryAfter(&http.Response{Header: h})
	k.c.budgets.slower(how.budget(hostOf(k.base)), pc, max(pause, time.Second))
}
