//go:build !judge

package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
	"partnerguard/internal/trail"
)

// makeContain makes what stops Azure fraud.
func (i *Installation) makeContain() (err error) {
	d := contain.Deps{DB: i.DB, Record: i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log, Config: &i.Config.Contain, Name: i.Cloud.Name}
	if i.Vault != nil {
		d.Marks = i.Vault
	}
	if !i.look {
		d.Last = i.lastOfContain
	}
	if i.SAM != nil {
		d.Cloud, d.Alert, d.Scene = i.containCloud, i.containAlert, i.fraudScene
	}
	i.Contain, err = contain.New(d)
	return err
}

// aboutContain begins the lines that say something of containment.
var aboutContain = []byte(`"action":"contain.`)

// lastOfContain gives what the trail says last of a run. What was read was held to the
// trail's root.
func (i *Installation) lastOfContain(ctx context.Context) (contain.Word, error) {
	all, err := i.containWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, aboutContain) }, func(e *trail.Entry) ([2]string, bool) {
		return [2]string{e.Object, contain.WordAbout(e.Action)}, contain.Tells(e.Action)
	})
	if err != nil {
		return nil, err
	}
	return func(run, about string) audit.Action { return all[[2]string{run, about}] }, nil
}

// containCloud is the way to one customer by a connection, "" the one that collects.
func (i *Installation) containCloud(ctx context.Context, connection, customer string) (*contain.Cloud, error) {
	c, err := i.SAM.Connection(ctx, cmp.Or(connection, i.Config.Collect.Connection))
	if err != nil {
		return nil, err
	}
	out := &contain.Cloud{Self: contain.Self{Connection: c.Name, Tenant: strings.ToLower(c.Tenant), User: strings.ToLower(c.ObjectID), UPN: c.Account,
		App: strings.ToLower(c.ClientID)}}
	a, err := i.SAM.ARM(c, customer)
	if err != nil {
		return nil, err
	}
	g, err := i.SAM.GraphOf(c, customer)
	if err != nil {
		return nil, err
	}
	h, err := i.SAM.Graph(c)
	if err != nil {
		return nil, err
	}
	p, err := i.SAM.PartnerCenter(c)
	if err != nil {
		return nil, err
	}
	out.ARM, out.Graph, out.Home, out.Center = a, g, h, p
	out.Held = func(ctx context.Context, tenant, api string) (contain.Held, error) {
		return i.containHeld(ctx, c, tenant, api)
	}
	if name, mail, err := p.Contact(ctx, customer); err == nil { // without one it is said that nobody is known
		out.Contact = print.Clean(strings.Trim(name+", "+mail, ", "), print.MaxName)
	}
	return out, nil
}

// containHeld is what a connection's token has in a tenant.
func (i *Installation) containHeld(ctx context.Context, c sam.Connection, tenant, api string) (contain.Held, error) {
	x, err := i.SAM.Exchange()
	if err != nil {
		return contain.Held{}, err
	}
	who := tenant
	if strings.EqualFold(tenant, c.Tenant) {
		who = "partner"
	}
	t, err := x.Token(ctx, exchange.Request{Connection: c.ID, Customer: who, Resource: api, Caller: "partnerguard"})
	return contain.Held{Scopes: t.Scopes, Roles: t.Wids}, err
}

// containAlert finds an alert by its id or the beginning of one, as Microsoft tells it now.
func (i *Installation) containAlert(ctx context.Context, id string) (out fraud.Alert, err error) {
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	if err != nil {
		return out, err
	}
	g, err := i.SAM.Graph(c)
	if err != nil {
		return out, err
	}
	n := 0
	for raw, err := range g.SecurityAlerts(ctx) {
		var a fraud.Alert
		if err == nil {
			a, err = fraud.ReadGraph(json.RawMessage(raw))
		}
		if err != nil {
			return out, err
		}
		if strings.HasPrefix(strings.ToLower(a.GraphID), strings.ToLower(id)) || strings.HasPrefix(a.ID, id) {
			if out, n = a, n+1; n > 1 {
				return out, problem.New(problem.Usage, "several alerts begin with %.60q", id).WithHint("give more of the id")
			}
		}
	}
	if n == 0 || id == "" {
		return out, problem.New(problem.NotFound, "Microsoft tells of no alert %.60q", id).WithHint("partnerguard fraud list shows them")
	}
	if out.ID == "" {
		out.ID = out.GraphID
	}
	return out, nil
}
