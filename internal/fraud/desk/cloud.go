//go:build !judge

package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"

	"partnerguard/internal/fraud"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// maxAlerts bounds what is read at a time.
const maxAlerts = 20_000

// live is Microsoft.
type live struct {
	graphs []*msapi.Graph // those that may be let in, the likelier first
	center *msapi.PartnerCenter
}

// Live asks Microsoft: Graph first, as each of graphs until one is let in (such as an app by
// itself, and an account with it), then Partner Center, where Graph refuses, has no such list
// (21Vianet) or does not answer.
func Live(center *msapi.PartnerCenter, graphs ...*msapi.Graph) Cloud { return &live{graphs, center} }

// Alerts implements [Cloud].
func (l *live) Alerts(ctx context.Context, both bool) (t Told, err error) {
	var why error
	for _, g := range l.graphs {
		if t.List, t.Lost, why = gather(g.SecurityAlerts(ctx), fraud.ReadGraph); why == nil {
			t.From = append(t.From, fraud.Graph)
			break
		}
		if ctx.Err() != nil {
			return Told{}, ctx.Err()
		}
	}
	if len(t.From) > 0 && !both {
		return t, nil
	}
	events, lost, err := gather(l.center.FraudEvents(ctx, ""), fraud.ReadCenter)
	switch {
	case err == nil:
		return Told{append(t.List, events...), append(t.From, fraud.Center), t.Lost + lost}, nil
	case len(t.From) > 0:
		return t, nil // one interface is enough
	case why == nil:
		return Told{}, err
	}
	return Told{}, problem.Wrap(errors.Join(why, err), problem.Unavailable, "neither interface tells of fraud alerts: %s; %s", short(why), short(err)).
		WithHint("%s", cmp.Or(problem.HintOf(why), problem.HintOf(err), "grant PartnerSecurity.Read.All, or connect an account with MFA"))
}

func short(err error) string {
	if p, is := errors.AsType[*problem.Error](err); is {
		return p.Public
	}
	return err.Error()
}

// gather reads a list to its end. What of it cannot be read is counted: one odd row must not
// hide the others.
func gather(rows iter.Seq2[json.RawMessage, error], read func([]byte) (fraud.Alert, error)) (list []fraud.Alert, lost int, err error) {
	for raw, err := range rows {
		if err != nil {
			return nil, 0, err
		}
		a, err := read(raw)
		if err != nil {
			lost++
			continue
		}
		if list = append(list, a); len(list) > maxAlerts {
			return nil, 0, problem.New(problem.Limit, "Microsoft lists more than %d fraud alerts", maxAlerts)
		}
	}
	return list, lost, nil
}

// Alert implements [Cloud].
func (l *live) Alert(ctx context.Context, a *fraud.Alert) (out fraud.Alert, err error) {
	if a.GraphID != "" {
		for _, g := range l.graphs {
			raw, why := g.SecurityAlert(ctx, a.GraphID)
			if err = why; err == nil {
				return fraud.ReadGraph(raw)
			}
			if !closed(err) {
				break
			}
		}
		if err != nil && a.EventID == "" {
			return out, verdict(err)
		}
	}
	if a.EventID == "" {
		return out, problem.New(problem.NotFound, "the alert %s is known to neither interface", a.ID)
	}
	events, _, why := gather(l.center.FraudEvents(ctx, a.Subscription), fraud.ReadCenter)
	if why != nil {
		return out, verdict(why)
	}
	for i := range events {
		if strings.EqualFold(events[i].EventID, a.EventID) {
			return events[i], nil
		}
	}
	if err != nil && !absent(err) {
		return out, verdict(err) // Graph was not asked to the end
	}
	return out, problem.New(problem.NotFound, "Microsoft lists no such alert")
}

// Resolve implements [Cloud]. Partner Center is asked only where Graph refused: what Graph
// may have done is not done again.
func (l *live) Resolve(ctx context.Context, a *fraud.Alert, reason fraud.Reason) (err error) {
	if a.GraphID != "" {
		for _, g := range l.graphs {
			if err = g.ResolveAlert(ctx, a.GraphID, string(reason)); err == nil {
				return nil
			}
			if !closed(err) {
				return verdict(err)
			}
		}
	}
	event := a.EventID
	if event == "" {
		if event = l.event(ctx, a); event == "" {
			return verdict(cmp.Or(err, error(problem.New(problem.NotFound, "the alert %s is known to neither interface", a.ID))))
		}
	}
	r := string(reason)
	return verdict(l.center.ResolveFraudEvent(ctx, a.Subscription, event, strings.ToUpper(r[:1])+r[1:]))
}

// event is the fraud event that an alert of Graph is, where that is sure; "" else.
func (l *live) event(ctx context.Context, a *fraud.Alert) string {
	if a.Subscription == "" {
		return ""
	}
	events, _, err := gather(l.center.FraudEvents(ctx, a.Subscription), fraud.ReadCenter)
	if err != nil {
		return ""
	}
	for _, x := range fraud.Join(append(events, *a)) {
		if x.GraphID == a.GraphID {
			return x.EventID
		}
	}
	return ""
}

// closed says that an interface does not let us in, or has no such thing: the next is asked.
func closed(err error) bool {
	if e, is := errors.AsType[*msapi.APIError](err); is {
		return !e.Transient && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusNotFound)
	}
	_, token := errors.AsType[*msapi.TokenError](err)
	return token || errors.Is(err, problem.Forbidden) || errors.Is(err, problem.Usage) || errors.Is(err, problem.NotFound)
}

func absent(err error) bool {
	e, is := errors.AsType[*msapi.APIError](err)
	return is && e.Status == http.StatusNotFound
}

// verdict tells a refusal from what passes.
func verdict(err error) error {
	e, is := errors.AsType[*msapi.APIError](err)
	switch {
	case err == nil || !is || e.Transient:
		return err
	case e.Status == http.StatusNotFound:
		return problem.Wrap(err, problem.NotFound, "Microsoft lists no such alert")
	case e.Status == http.StatusUnauthorized: // somebody signs in again, and it goes on
		return err
	}
	return errors.Join(errRefused, err)
}
