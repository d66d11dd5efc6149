package graph

import (
	"encoding/base32"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Hardware OATH tokens, of beta alone (contracts-2026-11.md section 6): a token is
// uploaded with its seed, assigned to a user, and activated by a code of it. A seed
// goes in and never comes out.

const oathPath = "directory/authenticationMethodDevices/hardwareOathDevices"

func newOathShape() *shape {
	type d = *world.OathDevice
	return newShape("hardwareOathTokenAuthenticationMethodDevice", func(x any) string { return x.(d).ID },
		f("id", func(x d) any { return x.ID }),
		f("displayName", func(x d) any { return textOf(x.Name) }),
		f("serialNumber", func(x d) any { return x.Serial }),
		f("manufacturer", func(x d) any { return x.Manufacturer }),
		f("model", func(x d) any { return x.Model }),
		f("secretKey", func(d) any { return nil }),
		f("timeIntervalInSeconds", func(x d) any { return x.Interval }),
		f("status", func(x d) any { return x.Status() }),
		f("hashFunction", func(x d) any { return x.Hash }),
		f("assignedTo", func(x d) any {
			if x.User == "" {
				return nil
			}
			return object{{"id", x.User}, {"displayName", nil}}
		}),
	)
}

// textOf is a text, and null where there is none.
func textOf(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func oathFields() fields {
	return fields{
		"id": readOnly(), "displayName": text().upTo(256), "serialNumber": text().upTo(64).need(), "manufacturer": text().upTo(64).need(),
		"model": text().upTo(64).need(), "secretKey": text().upTo(200).need(),
		"timeIntervalInSeconds": number().need(), "hashFunction": enum("hmacsha1 hmacsha256"),
		"assignTo":   obj(fields{"id": text().need()}),
		"@contentId": text().upTo(64), "@odata.type": text().upTo(128), "status": unused(), "assignedTo": unused(),
	}
}

// listOath shows the tokens of a tenant.
func listOath(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, oathPath, newOathShape(), rowsAs(&t.OathDevices, func(d *world.OathDevice) any { return d }))
}

// createOath uploads one token, and assigns it where the body says to whom.
func createOath(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	d, err := c.newOath(s, t, c.in)
	if err != nil {
		return nil, err
	}
	return c.created(t, oathPath, newOathShape(), d)
}

// newOath makes a token of a body.
func (c *call) newOath(s *world.State, t *world.Tenant, in map[string]any) (*world.OathDevice, error) {
	if t.Cloud != "" && t.Cloud.Sovereign() {
		return nil, noSegment("hardwareOathDevices") // the global cloud alone has them
	}
	if err := oathFields().check("", in); err != nil {
		return nil, err
	}
	for _, name := range words("serialNumber manufacturer model secretKey") {
		if strings.TrimSpace(str(in, name)) == "" {
			return nil, badRequest("Property '%s' is required.", name)
		}
	}
	d := &world.OathDevice{ID: world.NewGUID(), Serial: str(in, "serialNumber"), Manufacturer: str(in, "manufacturer"), Model: str(in, "model"),
		Secret: strings.ToUpper(str(in, "secretKey")), Interval: whole(in, "timeIntervalInSeconds", 0), Hash: str(in, "hashFunction"), Created: c.now}
	if d.Hash == "" {
		d.Hash = "hmacsha1"
	}
	if d.Interval != 30 && d.Interval != 60 {
		return nil, badRequest("Invalid value specified for property 'timeIntervalInSeconds': it must be 30 or 60.")
	}
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(d.Secret); err != nil || len(raw) < 10 {
		return nil, badRequest("Invalid value specified for property 'secretKey': it must be base32 of 16 characters at least.")
	}
	for other := range t.OathDevices.All() {
		if strings.EqualFold(other.Serial, d.Serial) {
			return nil, conflict("A hardware OATH token with the serial number '%s' exists already.", clip(d.Serial))
		}
	}
	var whose *world.User
	if to, is := in["assignTo"].(map[string]any); is {
		var err error
		if whose, err = c.mayAssign(s, t, str(to, "id")); err != nil {
			return nil, err
		}
		d.User = whose.ID
	}
	t.OathDevices.Put(d)
	s.Dirty()
	c.auditOath(s, t, "Create hardware OATH token", "Add", d)
	if whose != nil {
		c.auditOath(s, t, "Assign hardware OATH token", "Assign", d)
	}
	return d, nil
}

// mayAssign finds whom a token is to be given to: creating takes an Authentication
// Policy Administrator, assigning an Authentication Administrator.
func (c *call) mayAssign(s *world.State, t *world.Tenant, id string) (*world.User, error) {
	u := t.Users.Get(id)
	if u == nil {
		return nil, badRequest("The user '%s' to assign the token to does not exist.", clip(id))
	}
	if !c.caller.AppOnly() && !c.hasRole(methodAdmins...) {
		return nil, denied()
	}
	return u, c.mayTouch(s, t, u)
}

// bulkOath uploads many tokens: what cannot be made is said in its place, and the
// others are made.
func bulkOath(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	const most = 1000
	if err := (fields{"value": list(anything()).need().upTo(most), "@context": text(), "@odata.context": text()}).check("", c.in); err != nil {
		return nil, err
	}
	items, _ := c.in["value"].([]any)
	rows := make([]object, 0, len(items))
	for i := range items {
		in, is := items[i].(map[string]any)
		if !is {
			return nil, badRequest("Invalid value specified for property 'value': it must be a collection of objects.")
		}
		row := object{{"@contentId", textOf(str(in, "@contentId"))}}
		if d, err := c.newOath(s, t, in); err != nil {
			row = append(row, member{"@odata.type", "#microsoft.graph.genericError"}, member{"message", err.Error()})
		} else {
			row = append(row, member{"@odata.type", "#microsoft.graph.hardwareOathTokenAuthenticationMethodDevice"}, member{"id", d.ID},
				member{"serialNumber", d.Serial}, member{"status", d.Status()})
		}
		rows = append(rows, row)
	}
	return give(object{{"@odata.context", "#$delta"}, {"value", rows}})
}

func findOath(c *call, _ *world.State, t *world.Tenant) (*world.OathDevice, error) {
	if d := t.OathDevices.Get(c.params[0]); d != nil {
		return d, nil
	}
	return nil, notFound(c.params[0])
}

// changeOath renames a token; what makes its codes cannot be changed.
func changeOath(c *call, s *world.State, t *world.Tenant, d *world.OathDevice) (*reply, error) {
	if err := (fields{"displayName": text().upTo(256), "serialNumber": text().upTo(64), "manufacturer": text().upTo(64), "model": text().upTo(64)}).
		check("", c.in); err != nil {
		return nil, err
	}
	t.OathDevices.Change(d.ID, func(d *world.OathDevice) {
		for name, into := range map[string]*string{"displayName": &d.Name, "serialNumber": &d.Serial, "manufacturer": &d.Manufacturer, "model": &d.Model} {
			if given(c.in, name) {
				*into = str(c.in, name)
			}
		}
	})
	s.Dirty()
	c.auditOath(s, t, "Update hardware OATH token", "Update", d)
	return noContent()
}

// deleteOath deletes a token that is nobody's.
func deleteOath(c *call, s *world.State, t *world.Tenant, d *world.OathDevice) (*reply, error) {
	if d.User != "" {
		return nil, badRequest("The hardware OATH token is assigned to a user: unassign it first.")
	}
	t.OathDevices.Delete(d.ID)
	s.Dirty()
	c.auditOath(s, t, "Delete hardware OATH token", "Delete", d)
	return &reply{status: http.StatusNoContent}, nil
}

func (c *call) auditOath(s *world.State, t *world.Tenant, activity, operation string, d *world.OathDevice) {
	ch := change{activity: activity, category: "UserManagement", operation: operation, service: "Authentication Methods",
		target: target("Other", d.ID, d.Serial), more: []world.KeyValue{{Key: "SerialNumber", Value: d.Serial}}}
	if u := t.Users.Get(d.User); u != nil {
		ch.target = userTarget(u)
	}
	c.audit(s, t, ch)
}

// oathOf are the tokens of a user, by id.
func oathOf(t *world.Tenant, user string) (out []*world.OathDevice) {
	for d := range t.OathDevices.All() {
		if strings.EqualFold(d.User, user) {
			out = append(out, d)
		}
	}
	return out
}

// without are a user's methods but one.
func without(u *world.User, id string) []world.Method {
	return slices.DeleteFunc(slices.Clone(u.Methods), func(m world.Method) bool { return strings.EqualFold(m.ID, id) })
}
