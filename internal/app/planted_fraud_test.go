package app_test

import (
	"context"
	"time"

	"partnerguard/internal/fraud"
	frauddesk "partnerguard/internal/fraud/desk"
)

// warning is a Microsoft that warns of each customer once.
type warning struct{ list []fraud.Alert }

func (w warning) Alerts(context.Context, bool) (frauddesk.Told, error) {
	return frauddesk.Told{List: w.list, From: []string{"graph"}}, nil
}

func (w warning) Alert(_ context.Context, a *fraud.Alert) (fraud.Alert, error) { return *a, nil }

func (w warning) Resolve(context.Context, *fraud.Alert, fraud.Reason) error { return nil }

// warned keeps an alert of each customer's Azure, with somebody who has it and a note.
func (p *planted) warned() {
	p.Helper()
	ctx := p.Context()
	var w warning
	for _, m := range []string{"zza", "zzb"} {
		id := p.of[m][:8] + "-3333-4333-8333-333333333333"
		w.list = append(w.list, fraud.Alert{ID: id, GraphID: id, Name: p.word(m, "fraudname"), Description: p.word(m, "fraudabout"),
			Type: "VM_AnomalousDeployment", Severity: "high", Status: fraud.Active, Customer: p.of[m], CustomerName: m + ".example", Subscription: id,
			Resources: []fraud.Resource{{ID: "/subscriptions/" + id + "/resourceGroups/" + p.word(m, "fraudgroup"), Type: "vm"}},
			Detected:  p.s.Now().Add(-2 * time.Hour), From: []string{"graph"}})
	}
	d, err := frauddesk.New(frauddesk.Deps{DB: p.s.DB, Marks: p.s.Vault, Record: p.s.Trail, Now: p.s.Now,
		Cloud: func(context.Context) (frauddesk.Cloud, error) { return w, nil }})
	p.ok(err)
	_, err = d.Pull(ctx)
	p.ok(err)
	list, err := d.List(ctx, frauddesk.Filter{})
	p.ok(err)
	for i := range list {
		c := &list[i]
		m := "zza"
		if c.Customer != p.of["zza"] {
			m = "zzb"
			p.ids = append(p.ids, c.ID)
		}
		p.open = append(p.open, "/fraud/case?alert="+c.ID)
		_, err := d.Note(ctx, c.ID, p.word(m, "fraudnote"), "local:owner")
		p.ok(err)
		_, err = d.Assign(ctx, c.ID, p.word(m, "fraudholder"), "local:owner")
		p.ok(err)
	}
	if len(list) != 2 {
		p.Fatalf("%d alerts", len(list))
	}
}
