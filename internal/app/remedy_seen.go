//go:build !judge

package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// signInLogs begin the names of the logs that say what policies did; the first has people at
// a screen, whose it is to say how far the log was read.
const signInLogs = "signIns."

// remedyObserved counts what a policy did to sign-ins since a moment, as the archive has
// them: up to when whole readings of the log go. Where rows say nothing of policies, no log
// can tell: problem.NotFound.
func (i *Installation) remedyObserved(ctx context.Context, tenant, policy string, since time.Time) ([]remedy.Effect, remedy.Log, error) {
	log := remedy.Log{From: since, To: since}
	spans, err := i.readSpans(ctx, tenant, signInLogs+"interactiveUser")
	if err != nil {
		return nil, log, err
	}
	log.To = reach(spans, since)
	// Refused tokens are in a log of their own. Where it is read at all it counts up to where it was read.
	quiet, err := i.readSpans(ctx, tenant, signInLogs+"nonInteractiveUser")
	if err != nil {
		return nil, log, err
	}
	if to := reach(quiet, since); len(quiet) > 0 && to.Before(log.To) {
		log.To = to
	}
	if !log.To.After(since) { // nothing was read since: it is waited for
		return nil, log, nil
	}
	v, err := i.Archive.View(ctx, archive.ViewOf{Tenant: tenant, Since: since})
	if errors.Is(err, problem.NotFound) {
		return nil, log, nil
	}
	if err != nil {
		return nil, log, err
	}
	p := &applied{policy: policy, since: since, rows: map[string]bool{}, counts: map[effectKey]*remedy.Effect{}}
	for _, name := range v.Names() {
		if strings.HasPrefix(strings.TrimPrefix(name, "logs/"), signInLogs) && strings.HasSuffix(name, ".jsonl") {
			if err := auditLines(v, name, p.see); err != nil {
				return nil, log, err
			}
		}
	}
	if len(p.rows) > 0 && !p.named {
		return nil, log, problem.New(problem.NotFound, "%d sign-ins were read, and none says what Conditional Access did", len(p.rows)).
			WithHint("appliedConditionalAccessPolicies is read with Policy.Read.All, and needs Entra ID P1")
	}
	log.SignIns = p.evaluated
	return p.effects(), log, nil
}

// reach is how far readings go from a moment on without a hole.
func reach(spans []use.Span, since time.Time) time.Time {
	to := since
	slices.SortFunc(spans, func(a, b use.Span) int { return a.From.Compare(b.From) })
	for _, s := range spans {
		if s.To.After(to) && !s.From.After(to) {
			to = s.To
		}
	}
	return to
}

// effectKey tells effects apart.
type effectKey struct{ account, app, client, result string }

// applied counts what one policy did to sign-ins.
type applied struct {
	policy    string
	since     time.Time
	rows      map[string]bool // ids: a row that was read twice counts once
	counts    map[effectKey]*remedy.Effect
	evaluated int64
	named     bool // some row says what policies did
}

// see takes one row of the log.
func (p *applied) see(raw []byte) {
	var in struct {
		ID       string    `json:"id"`
		At       time.Time `json:"createdDateTime"`
		User     string    `json:"userId"`
		UPN      string    `json:"userPrincipalName"`
		App      string    `json:"appDisplayName"`
		AppID    string    `json:"appId"`
		Client   string    `json:"clientAppUsed"`
		Policies []struct {
			ID     string `json:"id"`
			Result string `json:"result"`
		} `json:"appliedConditionalAccessPolicies"`
	}
	if json.Unmarshal(raw, &in) != nil || in.At.Before(p.since) || in.ID == "" || p.rows[in.ID] {
		return
	}
	p.rows[in.ID] = true
	for _, x := range in.Policies {
		p.named = true
		if !strings.EqualFold(x.ID, p.policy) {
			continue
		}
		result := plainResult(x.Result)
		if result == "notEnabled" || result == "unknown" || result == "unknownFutureValue" {
			continue // somebody switched it off, or it is not said what it did: that is no evidence
		}
		p.evaluated++
		k := effectKey{strings.ToLower(in.User), cmp.Or(in.App, in.AppID), in.Client, result}
		e := p.counts[k]
		if e == nil {
			e = &remedy.Effect{Account: k.account, Name: in.UPN, App: k.app, Client: k.client, Result: k.result}
			p.counts[k] = e
		}
		e.Count++
		if in.At.After(e.Last) {
			e.Last = in.At
		}
	}
}

// plainResult is Microsoft's word without its prefix reportOnly.
func plainResult(word string) string {
	rest, is := strings.CutPrefix(word, "reportOnly")
	if !is || rest == "" {
		return word
	}
	return strings.ToLower(rest[:1]) + rest[1:]
}

// effects are what was counted, in order.
func (p *applied) effects() []remedy.Effect {
	out := make([]remedy.Effect, 0, len(p.counts))
	for _, e := range p.counts {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b remedy.Effect) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.App, b.App), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Result, b.Result))
	})
	return out
}
