package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Licences of users.

type licenceRow struct {
	user *world.User
	sku  world.SKU
}

func newLicenceShape() *shape {
	type r = licenceRow
	// The id says whose and which, as long as nobody reads it: base64 in production.
	id := func(x r) string { return derivedID("licence/" + x.user.ID + "/" + x.sku.ID) }
	return newShape("licenseDetails", func(x any) string { return id(x.(r)) },
		f("id", func(x r) any { return id(x) }),
		f("skuId", func(x r) any { return x.sku.ID }),
		f("skuPartNumber", func(x r) any { return x.sku.Part }),
		f("servicePlans", func(x r) any {
			off := disabledPlans(x.user, x.sku.ID)
			out := []object{}
			for _, p := range x.sku.Plans {
				status := "Success"
				if x.sku.Status != "Enabled" && x.sku.Status != "Warning" || hasFold(off, p.ID) {
					status = "Disabled"
				}
				out = append(out, object{{"servicePlanId", p.ID}, {"servicePlanName", p.Name}, {"provisioningStatus", status}, {"appliesTo", "User"}})
			}
			return out
		}),
	)
}

const assignedPlansName = "assignedPlans"

// planFor takes the tenant's SKUs along when users' plans are asked for: answers are
// written when the world is free again.
func (c *call) planFor(t *world.Tenant) {
	asked := slices.ContainsFunc(c.q.Select, func(n string) bool { return strings.EqualFold(first(n), assignedPlansName) })
	if c.q.Filter != nil {
		for _, path := range c.q.Filter.Paths() {
			asked = asked || strings.EqualFold(path[0], assignedPlansName)
		}
	}
	if asked {
		c.skus = slices.Clone(t.SKUs)
	}
}

// plansOf are the service plans of a user's licences; when each was assigned is not
// kept.
func plansOf(u *world.User, skus []world.SKU) []object {
	out := []object{}
	for _, sku := range skus {
		if !hasFold(u.Licences, sku.ID) {
			continue
		}
		off := disabledPlans(u, sku.ID)
		for _, p := range sku.Plans {
			status := "Enabled"
			if sku.Status != "Enabled" && sku.Status != "Warning" || hasFold(off, p.ID) {
				status = "Deleted"
			}
			out = append(out, object{{"assignedDateTime", u.Created}, {"capabilityStatus", status}, {"service", p.Name}, {"servicePlanId", p.ID}})
		}
	}
	return out
}

// derivedID is an id that follows from what it names.
func derivedID(of string) string {
	h := world.HashSecret(strings.ToLower(of))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

func hasFold(list []string, v string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, v) })
}

func findSKU(t *world.Tenant, id string) *world.SKU {
	for i := range t.SKUs {
		if strings.EqualFold(t.SKUs[i].ID, id) {
			return &t.SKUs[i]
		}
	}
	return nil
}

func licenceDetails(c *call, _ *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	rows := []licenceRow{}
	for _, id := range u.Licences {
		if k := findSKU(t, id); k != nil {
			rows = append(rows, licenceRow{u, *k})
		}
	}
	sh := c.g.sh.licence
	return c.show(t, "users('"+u.ID+"')/licenseDetails", sh, slice(rows, sh.key))
}

// assignLicense gives and takes licences, all or nothing (Microsoft Graph, "user:
// assignLicense"), and answers with the user.
func assignLicense(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	err := (fields{
		"addLicenses":    list(obj(fields{"skuId": text().need(), "disabledPlans": list(text())})).need().upTo(100),
		"removeLicenses": list(text()).need().upTo(100),
	}).check("", c.in)
	if err != nil {
		return nil, err
	}
	if !given(c.in, "addLicenses") || !given(c.in, "removeLicenses") {
		return nil, badRequest("The parameters addLicenses and removeLicenses must be given; they may be empty.")
	}
	have, off := slices.Clone(u.Licences), u.More().Disabled
	skus := slices.Clone(t.SKUs)
	at := func(id string) int {
		return slices.IndexFunc(skus, func(k world.SKU) bool { return strings.EqualFold(k.ID, id) })
	}
	profile := u.Profile.With(func(*world.Profile) {})
	forget := func(id string) {
		for k := range off {
			if strings.EqualFold(k, id) {
				delete(profile.Disabled, k)
			}
		}
	}
	for _, id := range strs(c.in, "removeLicenses") {
		if !hasFold(have, id) {
			return nil, badRequest("User does not have a corresponding license.")
		}
		have = slices.DeleteFunc(have, func(x string) bool { return strings.EqualFold(x, id) })
		if i := at(id); i >= 0 {
			skus[i].Consumed = max(0, skus[i].Consumed-1)
		}
		forget(id)
	}
	for _, add := range objs(c.in, "addLicenses") {
		id := str(add, "skuId")
		i := at(id)
		switch {
		case i < 0:
			return nil, badRequest("License %s does not correspond to a valid company License.", clip(id))
		case u.Location == "":
			return nil, badRequest("License assignment cannot be done for user with invalid usage location.")
		}
		k := &skus[i]
		for _, p := range strs(add, "disabledPlans") {
			if !slices.ContainsFunc(k.Plans, func(x world.Plan) bool { return strings.EqualFold(x.ID, p) }) {
				return nil, badRequest("The service plan %s is not part of the license %s.", clip(p), k.ID)
			}
		}
		if !hasFold(have, id) {
			if k.Consumed >= k.Enabled || k.Status != "Enabled" && k.Status != "Warning" {
				return nil, badRequest("Subscription with SKU %s does not have any available licenses.", k.ID)
			}
			k.Consumed++
			have = append(have, k.ID)
		}
		forget(id)
		if plans := strs(add, "disabledPlans"); len(plans) > 0 {
			if profile.Disabled == nil {
				profile.Disabled = map[string][]string{}
			}
			profile.Disabled[k.ID] = plans
		}
	}
	ch := change{activity: "Change user license", category: "UserManagement", target: userTarget(u)}
	ch.changed("AssignedLicense", u.Licences, have)
	n := s.Change()
	t.SKUs = skus
	t.Users.Change(u.ID, func(u *world.User) {
		u.Changed, u.Licences = n, have
		if len(profile.Disabled) > 0 || u.Profile != nil {
			u.Profile = profile
		}
	})
	s.Touch(t)
	c.audit(s, t, ch)
	return c.one(t, "users", c.g.sh.user, t.Users.Get(u.ID))
}

// reprocess answers reprocessLicenseAssignment: licences of groups are not part of
// this cloud, so that there is nothing to do.
func reprocess(c *call, _ *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	return c.one(t, "users", c.g.sh.user, u)
}
