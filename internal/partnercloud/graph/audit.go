package graph

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// change describes a write for the directory audit log.
type change struct {
	activity, category, operation string
	service                       string // "" is Core Directory
	target                        world.AuditTarget
	props                         []world.Modified
	more                          []world.KeyValue
}

func target(kind, id, name string) world.AuditTarget {
	t := world.AuditTarget{ID: id, Type: kind, Modified: []world.Modified{}}
	if name != "" {
		t.Name = &name
	}
	return t
}

// changed notes a property whose value before and after differ.
func (ch *change) changed(name string, old, new any) {
	a, b := jsonText(old), jsonText(new)
	if a != b {
		ch.props = append(ch.props, world.Modified{Name: name, Old: a, New: b})
	}
}

// audit writes the row of a write by the caller.
func (c *call) audit(s *world.State, t *world.Tenant, ch change) {
	ch.target.Modified = ch.props
	if ch.target.Modified == nil {
		ch.target.Modified = []world.Modified{}
	}
	row := &world.DirectoryAudit{
		Activity: ch.activity, Category: ch.category, Operation: cmp.Or(ch.operation, "Update"), Service: ch.service,
		Correlation: c.head.Get("Client-Request-Id"), Targets: []world.AuditTarget{ch.target}, Details: ch.more,
	}
	if !world.IsGUID(row.Correlation) {
		row.Correlation = c.head.Get("Request-Id")
	}
	if c.caller.AppOnly() {
		app := &world.AuditApp{AppID: c.caller.Client(), Name: c.caller.AppName}
		if sp := t.SP(app.AppID); sp != nil {
			app.SP, app.Name = &sp.ID, sp.Name
		}
		row.By.App = app
	} else {
		u := &world.AuditUser{ID: c.caller.ObjectID, UPN: c.caller.UPN}
		who, home := c.user(s, t)
		switch {
		case who != nil && c.caller.AOBO:
			name := signon.TechnicianName(home)
			u.UPN, u.Name = signon.TechnicianUPN(who.ID, t), &name
		case who != nil:
			u.UPN, u.Name = who.UPN, &who.Name
		}
		if ip := c.caller.IPAddr; ip != "" {
			u.IP = &ip
		}
		row.By.User = u
	}
	s.Audit(t, row)
}

func newAuditShape() *shape {
	key := func(r any) string { return r.(*world.DirectoryAudit).ID }
	type row = *world.DirectoryAudit
	return newShape("directoryAudit", key,
		f("id", func(a row) any { return a.ID }),
		f("category", func(a row) any { return a.Category }),
		f("correlationId", func(a row) any { return a.Correlation }),
		f("result", func(a row) any { return a.Result }),
		f("resultReason", func(a row) any { return a.ResultReason }),
		f("activityDisplayName", func(a row) any { return a.Activity }),
		f("activityDateTime", func(a row) any { return a.At.Time }),
		f("loggedByService", func(a row) any { return a.Service }),
		f("operationType", func(a row) any { return a.Operation }),
		f("initiatedBy", func(a row) any { return initiator(a) }),
		f("targetResources", func(a row) any { return targets(a) }),
		f("additionalDetails", func(a row) any { return keyValues(a.Details) }),
	)
}

func initiator(a *world.DirectoryAudit) object {
	out := object{{"user", nil}, {"app", nil}}
	if u := a.By.User; u != nil {
		out[0].value = object{{"id", u.ID}, {"displayName", text1(u.Name)}, {"userPrincipalName", u.UPN}, {"ipAddress", text1(u.IP)}}
	}
	if p := a.By.App; p != nil {
		out[1].value = object{{"appId", p.AppID}, {"displayName", p.Name}, {"servicePrincipalId", text1(p.SP)}, {"servicePrincipalName", nil}}
	}
	return out
}

func text1(p *string) any {
	if p == nil {
		return nil
	}
	return *p
}

func targets(a *world.DirectoryAudit) []object {
	out := make([]object, 0, len(a.Targets))
	for _, t := range a.Targets {
		props := make([]object, 0, len(t.Modified))
		for _, m := range t.Modified {
			props = append(props, object{{"displayName", m.Name}, {"oldValue", m.Old}, {"newValue", m.New}})
		}
		out = append(out, object{
			{"id", t.ID}, {"displayName", text1(t.Name)}, {"type", t.Type}, {"userPrincipalName", text1(t.UPN)}, {"groupType", nil},
			{"modifiedProperties", props},
		})
	}
	return out
}

func keyValues(list []world.KeyValue) []object {
	out := make([]object, 0, len(list))
	for _, kv := range list {
		out = append(out, object{{"key", kv.Key}, {"value", kv.Value}})
	}
	return out
}

// auditRows yields the rows that have come through, newest first, after one.
func (c *call) auditRows(t *world.Tenant) since {
	return func(after string, at int) iter.Seq2[int, any] {
		return func(yield func(int, any) bool) {
			rows := t.Audits
			end := len(rows)
			if after != "" && at < end && strings.EqualFold(rows[at].ID, after) {
				end = at
			} else if after != "" {
				if i := slices.IndexFunc(rows, func(r *world.DirectoryAudit) bool { return r.ID == after }); i >= 0 {
					end = i
				}
			}
			for i := end - 1; i >= 0; i-- {
				if c.now.Sub(rows[i].At.Time) < c.g.lag(rows[i].ID, true) {
					continue
				}
				if !yield(i, rows[i]) {
					return
				}
			}
		}
	}
}

const auditsPath = "auditLogs/directoryAudits"

func audits(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, auditsPath, c.g.sh.audit, c.auditRows(t))
}
