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
	"partnerguard/internal/signin"
)

// signInLogs begin the names of the logs that say what policies did; the first has people at
// a screen, whose it is to say how far the log was read.
const signInLogs = "signIns."

// remedyObserved counts what a policy did to sign-ins since a moment, as the archive has
// them, and own is what the same plan made: up to when whole readings of the log go. Where rows say nothing of policies, no log
// can tell: problem.NotFound.
func (i *Installation) remedyObserved(ctx context.Context, tenant, policy string, own []string, since time.Time) ([]remedy.Effect,
	remedy.Log, error) {
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
	p := newApplied(policy, own, since)
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

// prompted is a row that stopped at a prompt for which our policy may be the reason.
type prompted struct {
	effectKey
	session string
	at      time.Time
	reports bool // our policy only reports: the prompt is not of its asking
}

// answerIn is how long after a prompt a success of the same session still answers it, as where
// sign-ins are judged.
const answerIn = 15 * time.Minute

// applied counts what one policy did to sign-ins.
type applied struct {
	policy    string
	own       map[string]bool // lower-case ids of the plan's policies, which excuse one another of nothing
	since     time.Time
	rows      map[string]bool // ids: a row that was read twice counts once
	counts    map[effectKey]*remedy.Effect
	prompts   []prompted
	got       map[string][]time.Time  // when a session got in
	passed    map[effectKey]time.Time // the last success under the policy, of account, app and client
	evaluated int64
	named     bool // some row says what policies did
}

func newApplied(policy string, own []string, since time.Time) *applied {
	all := map[string]bool{strings.ToLower(policy): true}
	for _, id := range own {
		all[strings.ToLower(id)] = true
	}
	return &applied{policy: policy, own: all, since: since, rows: map[string]bool{}, counts: map[effectKey]*remedy.Effect{}, got: map[string][]time.Time{},
		passed: map[effectKey]time.Time{}}
}

// signInRow is a row of a sign-in log, as far as it says what policies did.
type signInRow struct {
	ID      string    `json:"id"`
	At      time.Time `json:"createdDateTime"`
	User    string    `json:"userId"`
	UPN     string    `json:"userPrincipalName"`
	App     string    `json:"appDisplayName"`
	AppID   string    `json:"appId"`
	Client  string    `json:"clientAppUsed"`
	Session string    `json:"correlationId"`
	Status  struct {
		Code int32 `json:"errorCode"`
	} `json:"status"`
	Policies []policyRow `json:"appliedConditionalAccessPolicies"`
}

type policyRow struct {
	ID       string   `json:"id"`
	Result   string   `json:"result"`
	Controls []string `json:"enforcedGrantControls"`
}

// blocks says that a policy in force blocks the sign-in: then it fails whatever any other
// policy says.
func (x *policyRow) blocks() bool {
	return strings.EqualFold(x.Result, "failure") && slices.ContainsFunc(x.Controls, func(c string) bool { return strings.EqualFold(c, "block") })
}

// asks says that MFA is among what the policy asks for, and alone that it asks for nothing else.
func (x *policyRow) asks() (mfa, alone bool) {
	is := func(c string) bool { return strings.EqualFold(c, "mfa") }
	mfa = slices.ContainsFunc(x.Controls, is)
	return mfa, mfa && !slices.ContainsFunc(x.Controls, func(c string) bool { return !is(c) })
}

// see takes one row of the log. A sign-in that another policy blocks says nothing of ours: it is
// no sign-in that ours stops. One that stopped at a prompt is a failure only where nobody
// answered it; and where ours asks for MFA alone and another policy in force asked for it in the
// same row, that one would have stopped it as well.
func (p *applied) see(raw []byte) {
	var in signInRow
	if json.Unmarshal(raw, &in) != nil || in.At.Before(p.since) || in.ID == "" || p.rows[in.ID] {
		return
	}
	p.rows[in.ID] = true
	p.named = p.named || len(in.Policies) > 0
	session := strings.ToLower(in.User + "|" + in.Session)
	if in.Status.Code == 0 && in.Session != "" {
		p.got[session] = append(p.got[session], in.At)
	}
	ours := slices.IndexFunc(in.Policies, func(x policyRow) bool { return strings.EqualFold(x.ID, p.policy) })
	others := func(x policyRow) bool { return x.blocks() && !p.own[strings.ToLower(x.ID)] }
	if ours < 0 || slices.ContainsFunc(in.Policies, others) {
		return
	}
	result := plainResult(in.Policies[ours].Result)
	if result == "notEnabled" || result == "unknown" || result == "unknownFutureValue" {
		return // somebody switched it off, or it is not said what it did: that is no evidence
	}
	p.evaluated++
	k := effectKey{strings.ToLower(in.User), cmp.Or(in.App, in.AppID), in.Client, result}
	if alike := (effectKey{k.account, k.app, k.client, ""}); result == "success" && in.Status.Code == 0 && in.At.After(p.passed[alike]) {
		p.passed[alike] = in.At
	}
	if result == "failure" && signin.Prompt(in.Status.Code) {
		k.result = "interrupted"
		if !p.askedAnyway(in.Policies, ours) {
			p.prompts = append(p.prompts, prompted{k, session, in.At, in.Policies[ours].Result != result})
		}
	}
	p.count(k, in.UPN, in.At, 1)
}

// askedAnyway says that a policy in force that is not the plan's asked for all that ours asks for,
// which is MFA, and was not answered either.
func (p *applied) askedAnyway(list []policyRow, ours int) bool {
	if _, alone := list[ours].asks(); !alone {
		return false
	}
	return slices.ContainsFunc(list, func(x policyRow) bool {
		mfa, _ := x.asks()
		return mfa && strings.EqualFold(x.Result, "failure") && !p.own[strings.ToLower(x.ID)]
	})
}

func (p *applied) count(k effectKey, name string, at time.Time, n int64) {
	e := p.counts[k]
	if e == nil {
		e = &remedy.Effect{Account: k.account, Name: name, App: k.app, Client: k.client, Result: k.result}
		p.counts[k] = e
	}
	if e.Count += n; at.After(e.Last) {
		e.Last = at
	}
}

// settle makes failures of the prompts that nobody answered: no success of the same session
// followed, nor later one of the same account with the same app and client. Under a policy that
// only reports the prompt was another's: answered it says nothing of ours.
func (p *applied) settle() {
	for i := range p.prompts {
		x := &p.prompts[i]
		in := func(at time.Time) bool { return !at.Before(x.at) && at.Sub(x.at) <= answerIn }
		if !x.reports && slices.ContainsFunc(p.got[x.session], in) || p.passed[effectKey{x.account, x.app, x.client, ""}].After(x.at) {
			continue
		}
		e := p.counts[x.effectKey]
		if e.Count--; e.Count == 0 {
			delete(p.counts, x.effectKey)
		}
		k := x.effectKey
		k.result = "failure"
		p.count(k, e.Name, x.at, 1)
	}
	p.prompts = nil
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
	p.settle()
	out := make([]remedy.Effect, 0, len(p.counts))
	for _, e := range p.counts {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b remedy.Effect) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.App, b.App), cmp.Compare(a.Client, b.Client), cmp.Compare(a.Result, b.Result))
	})
	return out
}
