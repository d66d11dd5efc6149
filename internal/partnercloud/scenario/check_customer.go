package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// customer checks a customer and what the partner has to do with it.
func (c *checker) customer(i int, partnerNames *tenantNames, resellers, sites, relationships map[string]bool) {
	k, path := &c.sc.Customers[i], fmt.Sprintf("$.customers[%d]", i)
	c.named(path, "customer", k.Name)
	c.domain(path+".domain", k.Domain)
	c.tenant(path, path, []string{k.Domain}, &k.Settings, k.People, k.Groups, nil, sites)
	c.words(path+".relationship", k.Relationship, "reseller", "advisor", "none")
	c.moment(path+".dapUsed", k.DAPUsed)
	if k.Reseller != "" && !resellers[strings.ToLower(k.Reseller)] {
		c.fault(path+".reseller", "add it to resellers", "no reseller is called %q", k.Reseller)
	}
	c.upTo(path+".users", k.Users, maxPerCustomer)
	c.workOf(path+".work", k.Work, c.sc.People, k.People)
	for j := range k.GDAP {
		c.gdap(fmt.Sprintf("%s.gdap[%d]", path, j), &k.GDAP[j], partnerNames, relationships)
	}
	for j, s := range k.Subscriptions {
		at := fmt.Sprintf("%s.subscriptions[%d]", path, j)
		c.named(at, "subscription", s.Name)
		c.words(at+".status", s.Status, "active", "suspended", "deleted")
		c.upTo(at+".quantity", s.Quantity, 1_000_000)
		c.moment(at+".since", s.Since)
	}
	azure := map[string]bool{}
	for j, a := range k.Azure {
		at := fmt.Sprintf("%s.azure[%d]", path, j)
		c.once(at, "Azure subscription", a.Name, azure)
		c.id(at+".id", a.ID)
		c.words(at+".state", a.State, "Enabled", "Warned", "PastDue", "Disabled", "Deleted")
		c.moment(at+".since", a.Since)
		if !(a.Daily >= 0 && a.Daily < 1e7) {
			c.fault(at+".daily", "write the cost of a day", "%v is no cost", a.Daily)
		}
		seen := map[string]bool{}
		for x, m := range a.Machines {
			c.once(fmt.Sprintf("%s.machines[%d]", at, x), "machine", m.Name, seen)
			c.words(fmt.Sprintf("%s.machines[%d].power", at, x), m.Power, "running", "stopped", "deallocated")
			c.words(fmt.Sprintf("%s.machines[%d].by", at, x), m.By, intruder)
			c.moment(fmt.Sprintf("%s.machines[%d].since", at, x), m.Since)
		}
	}
	for j, a := range k.Alerts {
		at := fmt.Sprintf("%s.alerts[%d]", path, j)
		if _, ok := world.LegacyAlertType(a.Type); !ok {
			c.fault(at+".type", "types are "+strings.Join(world.AlertTypes(), ", "), "no alert type is called %q", a.Type)
		}
		if !azure[strings.ToLower(a.Azure)] {
			c.fault(at, "name an Azure subscription of the same customer", "no Azure subscription is called %q", a.Azure)
		}
		c.words(at+".severity", a.Severity, "low", "medium", "high")
		c.words(at+".confidence", a.Confidence, "low", "medium", "high")
		c.words(at+".status", a.Status, "active", "investigating", "resolved")
		c.words(at+".reason", a.Reason, "legitimate", "ignore", "fraud")
		c.moment(at+".detected", a.Detected)
	}
	for j, a := range k.Consented {
		if c.sc.app(a) == nil {
			c.fault(fmt.Sprintf("%s.consented[%d]", path, j), "name an app of the partner or of a vendor", "no app is called %q", a)
		}
	}
}

// gdap checks a delegated admin relationship.
func (c *checker) gdap(at string, g *GDAP, partnerNames *tenantNames, relationships map[string]bool) {
	c.once(at, "relationship", g.Name, relationships)
	if len(g.Name) > 50 {
		c.fault(at+".name", "50 characters at most", "the relationship's name is too long")
	}
	c.roles(at+".roles", g.Roles)
	c.words(at+".status", g.Status, "created", "approvalPending", "active", "expired", "terminated", "expiring")
	c.moment(at+".since", g.Since)
	if g.Provider != "" && !world.IsGUID(strings.ToLower(g.Provider)) {
		c.fault(at+".provider", "write the tenant id of an indirect provider", "%q is no provider", g.Provider)
	}
	if _, _, _, ok := period(cmp.Or(g.For, "P730D")); !ok {
		c.fault(at+".for", "write an ISO 8601 duration: P730D", "%q is no duration", g.For)
	}
	c.words(at+".autoExtend", g.AutoExtend, "off", "P180D")
	has := map[string]bool{}
	for _, r := range g.Roles {
		id, _ := roleID(r)
		has[id] = true
	}
	if g.AutoExtend == "P180D" && has[entra.RoleGlobalAdministrator] {
		c.fault(at+".autoExtend", "write off, or leave Global Administrator out", "a relationship with Global Administrator never extends itself")
	}
	for group, roles := range g.Groups {
		if !partnerNames.groups[strings.ToLower(group)] {
			c.fault(at+".groups", "name a group of the partner", "no group is called %q", group)
		}
		c.roles(at+".groups", roles)
		for _, r := range roles {
			if id, ok := roleID(r); ok && !has[id] {
				c.fault(at+".groups", "add the role to the relationship's roles", "group %q gets %s, which the relationship does not hold", group, r)
			}
		}
	}
}

func (c *checker) generate() {
	g := &c.sc.Generate
	c.upTo("$.generate.customers", g.Customers, maxCustomers)
	c.upTo("$.generate.users", g.Users, maxUsers)
	c.upTo("$.generate.usersPerCustomer", g.UsersPerCustomer, maxPerCustomer)
	for name, s := range map[string]Share{"dapOnly": g.DAPOnly, "gdapOnly": g.GDAPOnly, "both": g.Both, "azure": g.Azure, "compromised": g.Compromised,
		"securityDefaults": g.SecurityDefaults, "p1": g.P1, "p2": g.P2, "unregistered": g.Unregistered, "budgets": g.Budgets} {
		c.share("$.generate."+name, s)
	}
	if g.DAPOnly+g.GDAPOnly+g.Both > 1.0001 {
		c.fault("$.generate", "what is left has neither", "dapOnly, gdapOnly and both are more than 1 together")
	}
	if g.P1+g.P2 > 1.0001 {
		c.fault("$.generate", "what is left is free", "p1 and p2 are more than 1 together")
	}
}

func (c *checker) enforcement() {
	for name, a := range map[string]*Activation{"aobo": c.sc.Enforcement.AOBO, "portal": c.sc.Enforcement.Portal, "api": c.sc.Enforcement.API} {
		if a == nil {
			continue
		}
		path := "$.enforcement." + name
		for key, m := range map[string]Moment{"announced": a.Announced, "contract": a.Contract, "reported": a.Reported, "ramp": a.Ramp,
			"enforced": a.Enforced} {
			c.moment(path+"."+key, m)
		}
		c.share(path+".firstShare", a.FirstShare)
		ramp, ok := a.Ramp.at(time.Unix(0, 0))
		enforced, ok2 := a.Enforced.at(time.Unix(0, 0))
		if ok && ok2 && !ramp.IsZero() && !enforced.IsZero() && enforced.Before(ramp) {
			c.fault(path+".enforced", "enforced comes after ramp", "%s is enforced before its ramp begins", name)
		}
	}
}

// stories checks what the clock is to play: names of stories, named customers with Azure.
func (c *checker) stories() {
	for i := range c.sc.Stories {
		st, path := &c.sc.Stories[i], fmt.Sprintf("$.stories[%d]", i)
		if !slices.Contains(world.StoryNames(), st.Name) {
			c.fault(path+".name", "known are: "+strings.Join(world.StoryNames(), ", "), "no story is called %q", st.Name)
		}
		k := slices.IndexFunc(c.sc.Customers, func(k Customer) bool { return strings.EqualFold(k.Domain, st.Customer) })
		if k < 0 {
			c.fault(path+".customer", "name a customer of this scenario by domain", "no customer is called %q", st.Customer)
		} else if z := c.sc.Customers[k].Azure; len(z) == 0 || st.Azure != "" &&
			!slices.ContainsFunc(z, func(a Azure) bool { return strings.EqualFold(a.Name, st.Azure) }) {
			c.fault(path+".azure", "name one of the customer's Azure subscriptions", "%s has no Azure subscription %q", st.Customer, st.Azure)
		}
		c.moment(path+".begins", st.Begins)
		if strings.HasPrefix(string(st.Begins), "-") {
			c.fault(path+".begins", "write +2h", "a story cannot begin before the world was made")
		}
	}
}

// Start is when a story begins.
func (st *Story) Start(created time.Time) time.Time { return st.Begins.or(created, created) }
