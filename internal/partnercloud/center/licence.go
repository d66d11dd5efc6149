package center

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

type sku struct {
	Available    int           `json:"availableUnits"`
	Active       int           `json:"activeUnits"`
	Consumed     int           `json:"consumedUnits"`
	Suspended    int           `json:"suspendedUnits"`
	Total        int           `json:"totalUnits"`
	Warning      int           `json:"warningUnits"`
	Product      skuProduct    `json:"productSku"`
	Plans        []servicePlan `json:"servicePlans"`
	Capabilities string        `json:"capabilityStatus"`
	Attributes   attributes    `json:"attributes"`
}

type skuProduct struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Part   string `json:"skuPartNumber"`
	Target string `json:"targetType"`
	Group  string `json:"licenseGroupId"`
}

type servicePlan struct {
	DisplayName string `json:"displayName"`
	ServiceName string `json:"serviceName"`
	ID          string `json:"id"`
	Status      string `json:"capabilityStatus"`
	Target      string `json:"targetType"`
}

// licenceGroup is the one group that the directory's licences are in (Microsoft:
// License resources). Group2, of products licensed elsewhere, is always empty here.
const licenceGroup = "group1"

// wantsGroup reads licenseGroupIds: without it Group1 alone is asked for.
func (k *call) wantsGroup() (bool, *fault) {
	asked := k.queryAll("licenseGroupIds")
	if len(asked) == 0 {
		return true, nil
	}
	found := false
	for _, v := range asked {
		switch strings.ToLower(v) {
		case licenceGroup:
			found = true
		case "group2":
		default:
			return false, deny(entra.CenterEnum, "licenseGroupIds")
		}
	}
	return found, nil
}

func productSKU(u *world.SKU) skuProduct {
	name := u.Part
	if o, ok := market.ByPart(u.Part); ok {
		name = o.SKU.Title
	}
	return skuProduct{u.ID, name, u.Part, "User", licenceGroup}
}

func listSKUs(k *call) (reply, *fault) {
	rows := []sku{}
	wanted, f := k.wantsGroup()
	if f != nil {
		return reply{}, f
	}
	for i := range k.tenant.SKUs {
		u := &k.tenant.SKUs[i]
		if !wanted {
			break
		}
		r := sku{Total: u.Enabled, Consumed: u.Consumed, Suspended: u.Suspended, Plans: []servicePlan{}, Capabilities: u.Status,
			Attributes: object("SubscribedSku"), Product: productSKU(u)}
		switch u.Status {
		case "Suspended":
			r.Suspended += u.Enabled
		case "Warning":
			r.Warning = u.Enabled
		default:
			r.Active = u.Enabled
		}
		r.Available = max(0, r.Active+r.Warning-u.Consumed)
		for _, p := range u.Plans {
			r.Plans = append(r.Plans, servicePlan{p.Name, p.Name, p.ID, "Enabled", "User"})
		}
		rows = append(rows, r)
	}
	return ok(list(rows)), nil
}

type userLicence struct {
	Plans      []servicePlan `json:"servicePlans"`
	Product    skuProduct    `json:"productSku"`
	Attributes attributes    `json:"attributes"`
}

func licencesOfUser(k *call, u *world.User) (reply, *fault) {
	wanted, f := k.wantsGroup()
	if f != nil {
		return reply{}, f
	}
	rows := []userLicence{}
	for i := range k.tenant.SKUs {
		s := &k.tenant.SKUs[i]
		if !wanted || !contains(u.Licences, s.ID) {
			continue
		}
		row := userLicence{Plans: []servicePlan{}, Product: productSKU(s), Attributes: object("License")}
		off := u.More().Disabled[s.ID]
		for _, p := range s.Plans {
			status := "Assigned"
			if contains(off, p.ID) {
				status = "Disabled"
			}
			row.Plans = append(row.Plans, servicePlan{p.Name, p.Name, p.ID, status, "User"})
		}
		rows = append(rows, row)
	}
	return ok(list(rows)), nil
}

type licenceUpdate struct {
	Assign   []licenceAssignment `json:"licensesToAssign"`
	Remove   []string            `json:"licensesToRemove"`
	Warnings []any               `json:"licenseWarnings"`
	sent
}

type licenceAssignment struct {
	Excluded []string `json:"excludedPlans"`
	SKU      string   `json:"skuId"`
}

// maxLicences bounds the licences of one update.
const maxLicences = 50

// updateLicences assigns and removes licences at once: all of it, or nothing.
func updateLicences(k *call, u *world.User) (reply, *fault) {
	var in licenceUpdate
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if n := len(in.Assign) + len(in.Remove); n == 0 || n > maxLicences {
		return reply{}, deny(entra.CenterMalformed, "licensesToAssign or licensesToRemove must name 1 to 50 licences.")
	}
	next := *u
	skus := slices.Clone(k.tenant.SKUs)
	find := func(id string) int {
		return slices.IndexFunc(skus, func(s world.SKU) bool { return strings.EqualFold(s.ID, id) })
	}
	next.Licences = slices.Clone(u.Licences)
	for _, id := range in.Remove {
		i := find(id)
		if i < 0 || !contains(next.Licences, id) {
			return reply{}, deny(entra.CenterMalformed, "licensesToRemove names a licence that the user does not hold.")
		}
		next.Licences = slices.DeleteFunc(next.Licences, func(v string) bool { return strings.EqualFold(v, id) })
		skus[i].Consumed = max(0, skus[i].Consumed-1)
	}
	for _, a := range in.Assign {
		i := find(a.SKU)
		switch {
		case i < 0:
			return reply{}, deny(entra.CenterMalformed, "licensesToAssign names a licence that the customer does not have.")
		case u.Location == "":
			return reply{}, deny(entra.CenterMalformed, "the user has no usageLocation: set it before a licence is assigned.")
		}
		if !contains(next.Licences, a.SKU) {
			if skus[i].Status == "Suspended" || skus[i].Enabled <= skus[i].Consumed {
				f := deny(entra.CenterNoLicenceLeft)
				f.Data = []string{"LicenseQuotaExceededException : Subscription with Account " + k.tenant.ID + " and SKU " + skus[i].ID +
					" does not have any available licenses left."}
				return reply{}, f
			}
			next.Licences = append(next.Licences, skus[i].ID)
			skus[i].Consumed++
		}
		for _, p := range a.Excluded {
			if !slices.ContainsFunc(skus[i].Plans, func(x world.Plan) bool { return strings.EqualFold(x.ID, p) }) {
				return reply{}, deny(entra.CenterMalformed, "excludedPlans names a service plan that the licence does not have.")
			}
		}
		if len(a.Excluded) > 0 || len(next.More().Disabled[skus[i].ID]) > 0 {
			next.Profile = next.Profile.With(func(p *world.Profile) {
				if p.Disabled == nil {
					p.Disabled = map[string][]string{}
				}
				p.Disabled[skus[i].ID] = slices.Clone(a.Excluded)
			})
		}
	}
	change := k.s.Change()
	k.tenant.SKUs = skus
	k.tenant.Users.Change(u.ID, func(c *world.User) { c.Licences, c.Profile, c.Changed = next.Licences, next.Profile, change })
	k.s.Touch(k.tenant)
	k.auditDirectory("Change user license", "UserManagement", "Update", u)
	k.record("customer_user", "update_customer_user_licenses", u.Licences, next.Licences)
	out := map[string]any{"licensesToAssign": in.Assign, "licensesToRemove": in.Remove, "licenseWarnings": []any{}, "attributes": object("LicenseUpdate")}
	return reply{status: http.StatusCreated, body: out}, nil
}
