//go:build !judge

package run

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

func queryText(s string) string { return url.QueryEscape(s) }

// ask asks Microsoft for a step's change, over the object as it was read a moment ago.
func (t *turn) ask(ctx context.Context, p *Progress, x *target) error {
	s := x.step
	if s.Do != remedy.Create {
		s.Before = x.live
	}
	q, err := object.ToRequest(&s, t.r.Made)
	if err != nil {
		return err
	}
	if q.None() {
		return problem.New(problem.Conflict, "there is nothing to change, and it is not as it should be").WithHint("make a new plan")
	}
	if p.Was == nil {
		p.Was = x.live
	}
	return t.send(ctx, p, q.In(t.plan.Tenant.Cloud), x.etag, p.Step.Text, func(body json.RawMessage) (string, error) {
		if s.Do != remedy.Create || s.ID != "" {
			return s.ID, nil
		}
		return object.Made(&s, t.r.Made, body)
	})
}

// send asks for one change: written down before, and again with the answer. made reads the
// id of what was made out of it.
func (t *turn) send(ctx context.Context, p *Progress, q object.Request, etag, words string, made func(json.RawMessage) (string, error)) error {
	c := t.c
	a := Act{Run: p.Run, Seq: p.Seq, N: p.Acts + 1, What: print.Clean(words, print.MaxSaying), Asked: c.now()}
	was := p.Asked
	then := *p
	then.Acts, then.Asked, then.Intent = a.N, a.Asked, true
	details := then.details()
	details["act"], details["request"] = a.What, q.Method+" "+print.Clean(q.Path, 300)
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then
		r, err := c.trusted(ctx, p.Run)
		switch {
		case err != nil:
			return err
		case r.State != t.r.State:
			return errTurned
		}
		if err := c.insertAct(ctx, &a); err != nil {
			return err
		}
		if err := c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		if err := c.record(ctx, audit.RemedyAsked, audit.Done, &t.r, "", details); err != nil {
			return err
		}
		*p = y
		return nil
	})
	if err != nil {
		return err
	}
	point := string(p.Step.Do) + " " + string(p.Step.Kind)
	c.d.at(ctx, "asked: "+point)
	w := msapi.Write{Method: q.Method, Path: q.Path, IfMatch: etag}
	if len(q.Body) > 0 {
		w.Body = q.Body
	}
	reply, failure := t.cloud.Graph.Write(ctx, w)
	c.d.at(ctx, "answered: "+point)
	if err := t.answered(context.WithoutCancel(ctx), p, &a, was, details, reply, failure, made); err != nil {
		return err
	}
	c.d.at(ctx, "kept: "+point)
	return failure
}

// answered keeps Microsoft's answer.
func (t *turn) answered(ctx context.Context, p *Progress, a *Act, was time.Time, details map[string]string, reply msapi.Reply, failure error,
	made func(json.RawMessage) (string, error)) error {
	c := t.c
	outcome := audit.Done
	a.Answered, a.Result = c.now(), "done"
	then := *p
	e, api := errors.AsType[*msapi.APIError](failure)
	id := ""
	switch {
	case failure == nil:
		then.Intent = false
		if made != nil {
			var err error
			if id, err = made(reply.Body); err != nil {
				then.Intent, id = true, "" // it was made, and its answer is lost
			}
		}
	case api && (!e.Transient || e.Status == http.StatusTooManyRequests): // it was not done
		outcome, a.Result, a.Words = audit.Failed, "refused", failure.Error()
		then.Intent, then.Asked = false, was // nothing is on its way
	default:
		outcome, a.Result, a.Words = audit.Failed, "unknown", failure.Error()
	}
	if id != "" {
		then.ID = id
	}
	details["result"] = a.Result
	return c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then
		if err := c.answerAct(ctx, a); err != nil {
			return err
		}
		if err := c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		if err := c.record(ctx, audit.RemedyDone, outcome, &t.r, a.Words, details); err != nil {
			return err
		}
		*p = y
		return nil
	})
}
