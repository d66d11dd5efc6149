//go:build !judge

package app

import (
	"context"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// What the gateway tells of.
const (
	gatewaySoon  = 7 * 24 * time.Hour // exceptions that end, modes that turn
	gatewayFlood = 10_000             // bad tokens of an hour
)

// gatewayAlerts are what is wrong at the gateway, or soon will be: one alert a cause.
func (i *Installation) gatewayAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.Gateway == nil || i.Gateway.Revoke == nil { // the vault is closed
		return nil, false, nil
	}
	add := func(f alert.Finding) {
		f.Kind, f.Path = alert.Gateway, "/gateway"
		out = append(out, f)
	}
	now := i.Now()
	i.gatewayTroubles(now, add)
	list, err := i.Gateway.Revoke.List(ctx)
	if err != nil {
		return nil, false, err
	}
	var odd []string
	for k := range list {
		if list[k].Refused != "" {
			odd = append(odd, list[k].ID)
		}
	}
	if len(odd) > 0 {
		add(alert.Finding{Key: "gateway:forged", Severity: notify.Urgent, Unit: "revocations", Since: now,
			Title: "Revocations of the gateway were changed by something else",
			Cause: "Rows of the database are not as they were written; they hold by the audit trail's word.", Count: len(odd),
			Subjects: odd[:min(len(odd), alert.MaxSubjects)],
			Command:  "partnerguard gateway revocations", Fix: "find out who writes into the database"})
	}
	if err := i.gatewayFloods(ctx, now, add); err != nil {
		return nil, false, err
	}
	t, err := i.GatewayTable(ctx, "")
	if err != nil {
		add(alert.Finding{Key: "gateway:file", Severity: notify.Warning, Since: now, Title: "The gateway's file cannot be read", Cause: err.Error(),
			Command: "partnerguard gateway check --config " + i.Config.Gateway.File, Fix: problem.HintOf(err)})
		return out, true, nil
	}
	if t != nil {
		for _, r := range t.Routes {
			i.gatewayDates(r, now, add)
		}
	}
	return out, true, nil
}

// gatewayTroubles are of the gateway that runs here: its file, the keys, upstreams, the book.
func (i *Installation) gatewayTroubles(now time.Time, add func(alert.Finding)) {
	if s := i.Gateway.Book.Standing(); !s.Failing.IsZero() {
		f := alert.Finding{Key: "gateway:book", Severity: notify.Warning, Since: s.Failing, Title: "What the gateway decides is not written down", Cause: s.Why,
			Fix: "is the database there, and room on its disk?"}
		if s.Full {
			f.Severity, f.Title = notify.Urgent, "What the gateway decides is lost: its book is full"
		}
		add(f)
	}
	on := i.Gateway.on
	if on == nil {
		return
	}
	if s := on.Status(); !s.Kept.Since.IsZero() {
		add(alert.Finding{Key: "gateway:kept", Severity: notify.Warning, Since: s.Kept.Since,
			Title: "A changed file of the gateway was refused: the one before holds",
			Cause: s.Kept.Why, Fix: s.Kept.Hint, Command: "partnerguard gateway check"})
	}
	if s := i.Gateway.Revoke.Standing(); !s.Failing.IsZero() {
		add(alert.Finding{Key: "gateway:revocations", Severity: notify.Warning, Since: s.Failing,
			Title: "What was revoked cannot be read: what was known goes on", Cause: s.Why})
	}
	for _, a := range on.verifier.Status().Authorities {
		if !a.Alarm() {
			continue
		}
		f := alert.Finding{Key: "gateway:keys:" + a.Name, Severity: notify.Warning, Since: a.Tried, Due: a.Until,
			Title: "The signing keys of " + a.Name + " cannot be read",
			Cause: a.Why, Fix: "known keys go on until " + print.When(a.Until) + "; tokens of new ones are refused"}
		if a.State == verify.KeysEmptied {
			f.Title = "The authority " + a.Name + " publishes no signing keys"
		}
		add(f)
	}
	var down []string
	for _, h := range on.proxy.Health() {
		if h.Down || h.Resting {
			down = append(down, h.Origin)
		}
	}
	if len(down) > 0 {
		add(alert.Finding{Key: "gateway:upstream", Severity: notify.Warning, Since: now, Title: "Servers behind the gateway do not answer", Unit: "servers",
			Count: len(down), Subjects: down[:min(len(down), alert.MaxSubjects)], Fix: "whoever asks for them gets 502 or 503: look at the servers"})
	}
}

// gatewayFloods tells of many bad tokens within the last hours.
func (i *Installation) gatewayFloods(ctx context.Context, now time.Time, add func(alert.Finding)) error {
	r, err := i.Gateway.Book.Report(ctx, ledger.Filter{Since: now.Add(-time.Hour), Until: now}, nil)
	if err != nil {
		return err
	}
	var n int64
	var since time.Time
	for k := range r.Findings {
		f := &r.Findings[k]
		if reason, ok := gateway.ReasonOf(f.Reason); ok && (reason == gateway.TooMany || reason >= gateway.TooLong && reason <= gateway.BadIssuer) {
			n += f.Times
			if since.IsZero() || f.First.Before(since) {
				since = f.First
			}
		}
	}
	if n >= gatewayFlood {
		add(alert.Finding{Key: "gateway:flood", Severity: notify.Warning, Since: since, Title: "Many bad tokens come to the gateway",
			Count: int(min(n, 1<<30)), Unit: "requests",
			Cause: "Somebody tries tokens that no authority issued, or a program is broken.", Command: "partnerguard gateway report --since 2h --by reason",
			Fix: "look where they come from, and keep it out at the firewall"})
	}
	return nil
}

// gatewayDates tells of exceptions of a route that end, and of its mode that turns.
func (i *Installation) gatewayDates(r *gateway.Route, now time.Time, add func(alert.Finding)) {
	for _, e := range r.Exceptions {
		if left := e.Until.Sub(now); left > 0 && left <= gatewaySoon {
			add(alert.Finding{Key: "gateway:exception:" + r.Name + ":" + e.Name, Severity: notify.Notice, Since: now, Due: e.Until, Stage: stageOf(left),
				Title: "An exception of the gateway ends: " + print.Clean(e.Name, 80),
				Cause: print.Clean("On the route "+r.Name+", owned by "+e.Owner+": "+e.Why, 300),
				Fix:   "have the caller bring what the route asks for, or give the exception a later day with a reason"})
		}
	}
	if _, next := r.Phase(now); next != nil {
		if left := next.From.Sub(now); left <= gatewaySoon {
			f := alert.Finding{Key: "gateway:turns:" + r.Name + ":" + next.String(), Severity: notify.Notice, Since: now, Due: next.From, Stage: stageOf(left),
				Title:   "The gateway's route " + print.Clean(r.Name, 80) + " turns to " + next.String(),
				Command: "partnerguard gateway report --since 7d --route " + r.Name, Fix: "look who would be refused, and tell them"}
			if left <= 24*time.Hour {
				f.Severity = notify.Warning
			}
			add(f)
		}
	}
}

// stageOf counts the days that are left: a week, then the last day.
func stageOf(left time.Duration) int {
	if left <= 24*time.Hour {
		return 1
	}
	return 7
}
