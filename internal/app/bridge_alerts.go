//go:build !judge

package app

import (
	"context"
	"slices"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/notify"
	"partnerguard/internal/trail"
)

// What the mail bridge tells of: for how long something stays among the alerts, when a
// device's end is near, and when a queue stands still.
const (
	bridgeNews   = 24 * time.Hour
	bridgeEnds   = 14 * 24 * time.Hour
	bridgeStands = time.Hour
)

// bridgeAlerts are what is wrong at the mail bridge: one alert a kind.
func (i *Installation) bridgeAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.Bridge == nil { // the vault is closed
		return nil, false, nil
	}
	add := func(f alert.Finding, subjects []string) {
		if len(subjects) == 0 {
			return
		}
		slices.Sort(subjects)
		subjects = slices.Compact(subjects)
		f.Kind, f.Path, f.Count, f.Subjects = alert.Bridge, "/mail-devices", len(subjects), subjects[:min(len(subjects), alert.MaxSubjects)]
		out = append(out, f)
	}
	if err := i.bridgeTold(ctx, add); err != nil {
		return nil, false, err
	}
	devices, err := i.Bridge.List(ctx)
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	var ends, forged []string
	var due time.Time
	for k := range devices {
		d := &devices[k]
		switch state := d.State(now); {
		case state == "refused":
			forged = append(forged, d.Name)
		case state == "active" && d.Ends.Sub(now) < bridgeEnds:
			if ends = append(ends, d.Name); due.IsZero() || d.Ends.Before(due) {
				due = d.Ends
			}
		}
	}
	add(alert.Finding{Key: "bridge:forged", Severity: notify.Urgent, Unit: "devices", Since: now, Title: "Mail devices were changed by something else",
		Cause: "Rows of the database are not as they were written.", Command: "partnerguard vault check",
		Fix: "find out who writes into the database, revoke the devices and make others"}, forged)
	add(alert.Finding{Key: "bridge:ends", Severity: notify.Notice, Unit: "devices", Since: now, Due: due, Title: "Passwords of mail devices end soon",
		Cause: "A device whose password has ended sends and reads nothing.", Command: "partnerguard apppassword list",
		Fix: "make the next password, put it into the device, and revoke the old one"}, ends)
	waits, err := i.Bridge.Waiting(ctx)
	if err != nil {
		return nil, false, err
	}
	var still []string
	since := now
	for k := range waits {
		if w := &waits[k]; now.Sub(w.Made) > bridgeStands {
			if still = append(still, w.Mailbox); w.Made.Before(since) {
				since = w.Made
			}
		}
	}
	add(alert.Finding{Key: "bridge:waits", Severity: notify.Warning, Unit: "mailboxes", Since: since, Title: "Mail waits for more than an hour",
		Cause: "Exchange Online does not take it, or there is no token.", Command: "partnerguard bridge queue",
		Fix: "the queue says why; what is not sent in time goes back to its sender"}, still)
	return out, true, nil
}

// bridgeTold adds what the trail has of the last day.
func (i *Installation) bridgeTold(ctx context.Context, add func(alert.Finding, []string)) error {
	for _, k := range []struct {
		action audit.Action
		f      alert.Finding
	}{
		{audit.BridgeSlowed, alert.Finding{Key: "bridge:guessing", Severity: notify.Warning, Unit: "sources", Title: "Many wrong passwords at the mail bridge",
			Cause: "Somebody guesses, or a device has an old password.", Fix: "look where they come from; a listener's from keeps others out"}},
		{audit.BridgeLost, alert.Finding{Key: "bridge:lost", Severity: notify.Urgent, Unit: "mailboxes", Title: "Mail was lost at the bridge",
			Cause: "A message that was taken is gone, or nobody could be told that it was not sent.",
			Fix:   "tell whoever sent it: the trail has the mailbox and the reason"}},
		{audit.BridgeBounced, alert.Finding{Key: "bridge:bounced", Severity: notify.Notice, Unit: "mailboxes", Title: "Mail of devices was not taken",
			Cause: "Exchange Online refused it, or it waited too long; sender and owner have a notice.", Fix: "the notice says why"}},
	} {
		found, err := i.Trail.Search(ctx, trail.Query{Action: string(k.action), From: i.Now().Add(-bridgeNews), Limit: 1000})
		if err != nil {
			return err
		}
		var who []string
		for n := range found.Entries {
			e := &found.Entries[n]
			who = append(who, bridgeSubject(&e.Event))
			k.f.Since = e.At // the newest come first
		}
		k.f.Command = "partnerguard trail list --action '" + string(k.action) + "'"
		add(k.f, who)
	}
	return nil
}

// bridgeSubject is whom an event at the bridge concerns.
func bridgeSubject(e *audit.Event) string {
	for _, name := range []string{"mailbox", "address"} {
		if v := e.Details[name]; v != "" {
			return v
		}
	}
	if e.Object != "" {
		return e.Object
	}
	return "the bridge"
}
