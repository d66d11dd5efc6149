package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// The hardware tokens of one user: assigned, activated by a code, deactivated, and
// taken away.

// oathRow is one of a user's hardwareOathMethods.
type oathRow struct {
	d    *world.OathDevice
	user *world.User
}

func newOathMethodShape() *shape {
	return newShape("hardwareOathAuthenticationMethod", func(x any) string { return x.(oathRow).d.ID },
		f("id", func(x oathRow) any { return x.d.ID }),
		f("createdDateTime", func(x oathRow) any { return x.d.Created }),
		f("device", func(x oathRow) any {
			return object{{"id", x.d.ID}, {"displayName", textOf(x.d.Name)}, {"serialNumber", x.d.Serial}, {"manufacturer", x.d.Manufacturer},
				{"model", x.d.Model}, {"secretKey", nil}, {"timeIntervalInSeconds", x.d.Interval}, {"status", x.d.Status()},
				{"hashFunction", x.d.Hash}}
		}),
	)
}

func oathMethods(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	all := []oathRow{}
	for _, d := range oathOf(t, u.ID) {
		all = append(all, oathRow{d, u})
	}
	sh := newOathMethodShape()
	return c.list(t, c.methodContext(u), sh, slice(all, sh.key))
}

// findOathOf finds a token among those of the user that the path names.
func findOathOf(c *call, s *world.State, t *world.Tenant) (oathRow, error) {
	u, err := c.findUser(s, t)
	if err != nil {
		return oathRow{}, err
	}
	for _, d := range oathOf(t, u.ID) {
		if strings.EqualFold(d.ID, c.params[1]) {
			return oathRow{d, u}, nil
		}
	}
	return oathRow{}, notFound(c.params[1])
}

func getOathMethod(c *call, _ *world.State, t *world.Tenant, x oathRow) (*reply, error) {
	return c.one(t, c.methodContext(x.user), newOathMethodShape(), x)
}

// assignOath gives a token to a user; assignAndActivate and
// assignAndActivateBySerialNumber activate it too, by a code of it.
func assignOath(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	by := c.route.last()
	fs := fields{"device": obj(fields{"id": text().need()}).need()}
	if by != "hardwareOathMethods" {
		fs["displayName"], fs["verificationCode"] = text().upTo(256), text().need().upTo(16)
	}
	if by == "assignAndActivateBySerialNumber" {
		delete(fs, "device")
		fs["serialNumber"] = text().need().upTo(64)
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	if _, err := c.mayAssign(s, t, u.ID); err != nil {
		return nil, err
	}
	id, serial := "", str(c.in, "serialNumber")
	if m, is := c.in["device"].(map[string]any); is {
		id = str(m, "id")
	}
	var d *world.OathDevice
	for other := range t.OathDevices.All() {
		if serial != "" && strings.EqualFold(other.Serial, serial) || id != "" && strings.EqualFold(other.ID, id) {
			d = other
		}
	}
	switch {
	case d == nil:
		return nil, badRequest("The hardware OATH token does not exist.")
	case d.User != "":
		return nil, badRequest("The hardware OATH token is assigned to a user already.")
	}
	step := int64(0)
	if by != "hardwareOathMethods" {
		if step = c.codeOf(d); step == 0 {
			return nil, badRequest("The verification code is wrong.")
		}
	}
	t.OathDevices.Change(d.ID, func(d *world.OathDevice) { d.User, d.Name = u.ID, str(c.in, "displayName") })
	s.Dirty()
	d = t.OathDevices.Get(d.ID)
	c.auditOath(s, t, "Assign hardware OATH token", "Assign", d)
	if step != 0 {
		c.activateToken(s, t, u, d, step)
	}
	return c.created(t, c.methodContext(u), newOathMethodShape(), oathRow{t.OathDevices.Get(d.ID), u})
}

// codeOf is the step of a token that the body's code is of; 0 is none, or one that was
// taken.
func (c *call) codeOf(d *world.OathDevice) int64 {
	step := world.CodeStep(d.Secret, str(c.in, "verificationCode"), d.Interval, d.Hash, c.now)
	if step <= d.LastStep {
		return 0
	}
	return step
}

// activateToken makes a token a method of its user.
func (c *call) activateToken(s *world.State, t *world.Tenant, u *world.User, d *world.OathDevice, step int64) {
	t.OathDevices.Change(d.ID, func(d *world.OathDevice) { d.Active, d.LastStep = true, step })
	now := t.OathDevices.Get(d.ID)
	c.setMethods(s, t, u, append(without(u, d.ID), now.Method(c.now)), "Admin registered security info", world.MethodHardware)
}

// activateOath activates a token that its user has.
func activateOath(c *call, s *world.State, t *world.Tenant, x oathRow) (*reply, error) {
	if err := (fields{"verificationCode": text().need().upTo(16), "displayName": text().upTo(256)}).check("", c.in); err != nil {
		return nil, err
	}
	if err := c.mayTouch(s, t, x.user); err != nil {
		return nil, err
	}
	step := c.codeOf(x.d)
	if step == 0 {
		return nil, badRequest("The verification code is wrong.")
	}
	if name := str(c.in, "displayName"); name != "" {
		t.OathDevices.Change(x.d.ID, func(d *world.OathDevice) { d.Name = name })
	}
	c.activateToken(s, t, x.user, x.d, step)
	return noContent()
}

// deactivateOath keeps a token its user's, and lets nobody sign in with it.
func deactivateOath(c *call, s *world.State, t *world.Tenant, x oathRow) (*reply, error) {
	if err := c.mayTouch(s, t, x.user); err != nil {
		return nil, err
	}
	t.OathDevices.Change(x.d.ID, func(d *world.OathDevice) { d.Active = false })
	c.unregisterOath(s, t, x)
	return noContent()
}

// unassignOath takes a token from its user; it can be another's then.
func unassignOath(c *call, s *world.State, t *world.Tenant, x oathRow) (*reply, error) {
	if err := c.mayTouch(s, t, x.user); err != nil {
		return nil, err
	}
	c.auditOath(s, t, "Unassign hardware OATH token", "Unassign", x.d)
	t.OathDevices.Change(x.d.ID, func(d *world.OathDevice) { d.Active, d.User, d.Name = false, "", "" })
	c.unregisterOath(s, t, x)
	return noContent()
}

func (c *call) unregisterOath(s *world.State, t *world.Tenant, x oathRow) {
	s.Dirty()
	if slices.ContainsFunc(x.user.Methods, func(m world.Method) bool { return m.ID == x.d.ID }) {
		c.setMethods(s, t, x.user, without(x.user, x.d.ID), "Admin deleted security info", world.MethodHardware)
	}
}
