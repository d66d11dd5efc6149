package scenario

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// diceOf gives the dice of something: the same numbers for the same seed and n.
func diceOf(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n*0x9e3779b97f4a7c15+1)) }

func (s Share) hits(d *rand.Rand) bool { return d.Float64() < float64(s) }

// generateCustomers adds the customers that nobody named.
func (b *builder) generateCustomers() {
	taken := map[string]bool{}
	for _, k := range b.customers {
		taken[strings.ToLower(k.Domain)] = true
	}
	first, trade := companyWords()
	lands := languages()
	ops, desk, security := b.gdapGroups()
	apps := b.csp()
	for i := len(b.customers); i < b.o.Customers; i++ {
		d := diceOf(b.seedOf("customer"), uint64(i))
		land := lands[d.IntN(len(lands))]
		f, tr := first[d.IntN(len(first))], trade[d.IntN(len(trade))]
		base := strings.ToLower(f + "-" + tr)
		name := f + " " + tr
		domain := base + ".example"
		for n := 2; taken[domain]; n++ {
			domain = fmt.Sprintf("%s%d.example", base, n)
			name = fmt.Sprintf("%s %s %d", f, tr, n)
		}
		taken[domain] = true
		k := &Customer{Name: name + ending(land.country), Domain: domain, generated: true}
		k.Country = land.country
		b.shape(k, d, ops, desk, security, apps)
		b.customers = append(b.customers, k)
	}
}

// gdapGroups are the partner's groups for delegated work.
func (b *builder) gdapGroups() (ops, desk, security string) {
	ops, desk, security = world.AdminAgents, world.AdminAgents, world.AdminAgents
	for i := range b.sc.Groups {
		switch n := b.sc.Groups[i].Name; {
		case !strings.HasPrefix(strings.ToUpper(n), "GDAP"):
		case strings.Contains(strings.ToLower(n), "desk"):
			desk = n
		case strings.Contains(strings.ToLower(n), "security"):
			security = n
		default:
			if ops == world.AdminAgents {
				ops = n
			}
		}
	}
	return ops, desk, security
}

// csp lists the multi-tenant apps that customers consented to.
func (b *builder) csp() (out []string) {
	for i := range b.sc.Apps {
		if a := &b.sc.Apps[i]; a.Audience == "many" && a.Panel {
			out = append(out, a.Name)
		}
	}
	return out
}

// opsRoles and the others are the role sets generated relationships hold.
func opsRoles() []string {
	return []string{"Directory Readers", "License Administrator", "Service Support Administrator", "Exchange Administrator", "Intune Administrator",
		"User Administrator"}
}
func deskRoles() []string {
	return []string{"Directory Readers", "Helpdesk Administrator", "Service Support Administrator"}
}
func securityRoles() []string {
	return []string{"Directory Readers", "Security Administrator", "Security Reader", "Cloud Application Administrator", "Conditional Access Administrator"}
}

// shape decides what a generated customer is like.
func (b *builder) shape(k *Customer, d *rand.Rand, ops, desk, security string, apps []string) {
	g := &b.sc.Generate
	k.Since = Moment(fmt.Sprintf("-%dd", 90+d.IntN(1800)))
	switch x := Share(d.Float64()); {
	case x < g.P2:
		k.Licence = "p2"
	case x < g.P2+g.P1:
		k.Licence = "p1"
	default:
		k.Licence = "free"
	}
	mean := cmp.Or(g.UsersPerCustomer, 20)
	k.Users = max(2, mean/4+d.IntN(mean+mean/2+1))
	x := Share(d.Float64())
	k.DAP = x < g.DAPOnly || x >= g.DAPOnly+g.GDAPOnly && x < g.DAPOnly+g.GDAPOnly+g.Both
	if k.DAP {
		k.DAPUsed = Moment(fmt.Sprintf("-%dd", d.IntN(140)))
	}
	if x >= g.DAPOnly && x < g.DAPOnly+g.GDAPOnly+g.Both {
		b.generateGDAP(k, d, ops, desk, security)
		if d.IntN(3) > 0 {
			k.Consented = apps
		}
	}
	switch {
	case g.SecurityDefaults.hits(d):
		k.SecurityDefaults = true
	case k.Licence != "free" && d.IntN(10) < 8:
		p := Policy{Name: "Require MFA for all users", State: "on", Users: []string{"All"}, Grant: []string{"mfa"}}
		switch d.IntN(6) {
		case 0:
			p.ExceptGuests = []string{"serviceProvider"}
		case 1:
			p.ExceptLocations = []string{"AllTrusted"}
			k.Locations = []Location{{Name: "Office", Trusted: true, Networks: []string{"198.18.255.0/24"}}}
		case 2:
			p.Users, p.Roles = nil, []string{"Global Administrator", "User Administrator", "Exchange Administrator"}
			p.Name = "Require MFA for administrators"
		}
		k.Policies = append(k.Policies, p)
		if d.IntN(2) == 0 {
			state := "on"
			if d.IntN(4) == 0 {
				state = "report-only"
			}
			k.Policies = append(k.Policies, Policy{Name: "Block legacy authentication", State: state, Users: []string{"All"},
				Clients: []string{"exchangeActiveSync", "other"}, Grant: []string{"block"}})
		}
	}
	k.Subscriptions = append(k.Subscriptions, Subscription{Name: map[string]string{"p2": "Microsoft 365 E5", "p1": "Microsoft 365 Business Premium",
		"free": "Microsoft 365 Business Basic"}[k.Licence], Quantity: k.Users + 2})
	k.Compromised = g.Compromised.hits(d)
	if !g.Azure.hits(d) {
		return
	}
	a := Azure{Name: "Azure " + k.Name, Daily: 5 + float64(d.IntN(60))}
	for i := range 1 + d.IntN(4) {
		a.Machines = append(a.Machines, Machine{Name: fmt.Sprintf("vm-%02d", i+1), Location: []string{"northeurope", "westeurope", "swedencentral"}[d.IntN(3)]})
	}
	if k.Compromised {
		for i := range 3 {
			a.Machines = append(a.Machines, Machine{Name: fmt.Sprintf("vmss-%04x", d.IntN(1<<16)), Group: fmt.Sprintf("rg-batch-%d", i),
				Size: "Standard_NC24ads_A100_v4", Location: "eastus", Since: "-2d", By: intruder})
		}
		k.Alerts = append(k.Alerts, Alert{Type: "CryptoMining", Name: "Virtual machines are mining",
			About: "Machines of this subscription talk to known mining pools.", Azure: a.Name, Machine: a.Machines[len(a.Machines)-1].Name, Detected: "-20h",
			Hits: 14 + d.IntN(80)})
	}
	k.Azure = append(k.Azure, a)
	if g.Budgets.hits(d) {
		budget := float64(200 + 50*d.IntN(40))
		k.Budget = &budget
	}
}

func (b *builder) generateGDAP(k *Customer, d *rand.Rand, ops, desk, security string) {
	base := strings.Split(k.Domain, ".")[0]
	if len(base) > 36 {
		base = base[:36]
	}
	rel := GDAP{Name: base + "_Operations", Since: Moment(fmt.Sprintf("-%dd", 10+d.IntN(600))), For: "P730D", AutoExtend: "P180D",
		Groups: map[string][]string{}}
	seen := map[string]bool{}
	add := func(roles ...string) {
		for _, r := range roles {
			if !seen[r] {
				seen[r] = true
				rel.Roles = append(rel.Roles, r)
			}
		}
	}
	give := func(group string, roles []string) {
		add(roles...)
		for _, r := range roles {
			if !contains(rel.Groups[group], r) {
				rel.Groups[group] = append(rel.Groups[group], r)
			}
		}
	}
	give(ops, opsRoles())
	give(desk, deskRoles())
	if d.IntN(2) == 0 {
		give(security, securityRoles())
	}
	switch d.IntN(12) {
	case 0:
		rel.Name, rel.AutoExtend = "MLT_"+base, "off"
		add("Privileged Role Administrator", "Privileged Authentication Administrator", "Directory Writers", "Global Reader")
	case 1:
		rel.AutoExtend = "off"
		add("Global Administrator")
	case 2:
		rel.Status, rel.Since, rel.For, rel.Groups = "expired", "-400d", "P365D", nil
	case 3:
		rel.Status, rel.Since, rel.Groups = "approvalPending", Moment(fmt.Sprintf("-%dd", 1+d.IntN(60))), nil
	}
	k.GDAP = append(k.GDAP, rel)
	if rel.Status == "" {
		b.generateWork(k, ops, desk)
	}
}

// generateWork lets one of the operations and one of the service desk do a little of
// what such people do.
func (b *builder) generateWork(k *Customer, ops, desk string) {
	for group, did := range map[string][]string{ops: {"assign licence", "add member"}, desk: {"reset password", "revoke sessions"}} {
		if who := b.workerOf(group); who != "" {
			for _, w := range did {
				k.Work = append(k.Work, Work{Who: who, Did: w, Times: 1 + int(b.seedOf("work/"+k.Domain+"/"+w)%9)})
			}
		}
	}
	slices.SortFunc(k.Work, func(x, y Work) int { return strings.Compare(x.Did, y.Did) })
}

// workerOf is the first person of a group of the partner.
func (b *builder) workerOf(group string) string {
	for i := range b.sc.Groups {
		if g := &b.sc.Groups[i]; strings.EqualFold(g.Name, group) {
			for _, m := range g.Members {
				for j := range b.sc.People {
					upn := b.sc.People[j].UPN
					if local, _, _ := strings.Cut(upn, "@"); strings.EqualFold(m, local) || strings.EqualFold(m, upn) {
						return upn
					}
				}
			}
		}
	}
	return ""
}

func contains(list []string, v string) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// invent makes up a person and the part of the address before @.
func invent(d *rand.Rand, lands []language, country string) (name, local string) {
	land := &lands[d.IntN(len(lands))]
	if country != "" && d.IntN(10) < 7 {
		for i := range lands {
			if lands[i].country == country {
				land = &lands[i]
			}
		}
	}
	g, s := d.IntN(len(land.given)), d.IntN(len(land.surnames))
	name = land.given[g] + " " + land.surnames[s]
	if land.country == "JP" {
		name = land.surnames[s] + " " + land.given[g]
	}
	local = ascii(land.given[g]) + "." + ascii(land.surnames[s])
	if land.country == "JP" || land.country == "AE" {
		local = fmt.Sprintf("%s%d%d", map[string]string{"JP": "jp", "AE": "ae"}[land.country], g, s)
	}
	return name, local
}

// plain has the letters of Latin names in pairs: as people write it, as addresses do.
var plain = func() map[rune]rune {
	m := map[rune]rune{}
	for to, from := range map[rune]string{
		'a': "áàâãåäą", 'e': "éèêëę", 'i': "íìîïı", 'o': "óòôõöø", 'u': "úùûü", 'c': "çć", 'g': "ğ", 'n': "ñń", 's': "şśß", 'l': "ł", 'z': "żź",
	} {
		for _, r := range from {
			m[r] = to
		}
	}
	return m
}()

// ascii brings a Latin name to the letters that addresses use.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		if to, ok := plain[r]; ok {
			return to
		}
		return -1
	}, strings.ToLower(s))
}

// account makes one generated account.
func (b *builder) account(t *world.Tenant, d *rand.Rand, lands []language, taken map[string]int, unregistered Share, i int) *world.User {
	name, local := invent(d, lands, t.Country)
	taken[local]++
	if n := taken[local]; n > 1 {
		local = fmt.Sprintf("%s%d", local, n)
	}
	upn := local + "@" + t.Domain()
	if t.Users.Get(b.userID(t, upn)) != nil {
		upn = fmt.Sprintf("%s.%d@%s", local, i, t.Domain())
	}
	span := max(1, int(b.created.Sub(t.Created)/(24*time.Hour))-40)
	u := &world.User{
		ID: b.userID(t, upn), UPN: upn, Name: name, Mail: upn, Location: t.Country, Enabled: d.IntN(25) > 0,
		Created: t.Created.AddDate(0, 0, d.IntN(span)), Risk: "none", RiskState: "none", RiskDetail: "none",
		Title: []string{"Accounts", "Consultant", "Customer service", "Design", "Engineer", "Marketing", "Office", "Production", "Purchasing",
			"Sales"}[d.IntN(10)],
	}
	u.PasswordChanged = u.Created
	u.Given, u.Surname = split(name)
	if !unregistered.hits(d) {
		b.methods(u, [][]string{{"push"}, {"push", "totp"}, {"totp"}, {"phone"}, {"phone", "push"}, {"key", "push"}, {"hello", "push"},
			{"push", "phone"}}[d.IntN(8)])
	}
	return u
}

// generateUsers adds n accounts to the partner's tenant.
func (b *builder) generateUsers(t *world.Tenant, n int, unregistered Share) (made []*world.User) {
	lands, taken := languages(), map[string]int{}
	for i := range max(0, n) {
		d := diceOf(b.seedOf("user/"+t.ID), uint64(i))
		u := b.account(t, d, lands, taken, unregistered, i)
		t.Users.Put(u)
		made = append(made, u)
	}
	return made
}

// sprinkle puts some generated accounts of the partner into its agents' groups.
func (b *builder) sprinkle(t *world.Tenant, made []*world.User) {
	_, desk, _ := b.gdapGroups()
	for i, u := range made {
		for _, x := range []struct {
			every, most int
			group       string
		}{{40, 400, desk}, {60, 400, world.HelpdeskAgents}, {25, 800, world.SalesAgents}} {
			if i%x.every == 7 && i/x.every < x.most {
				if g := t.Groups.Get(b.groupID(t, x.group)); g != nil {
					g.Members = append(g.Members, u.ID)
				}
			}
		}
	}
}

// customerUsers adds the generated accounts of a customer: one to four of them
// administrators.
func (b *builder) customerUsers(t *world.Tenant, k *Customer) {
	if k.Users == 0 {
		return
	}
	lands, taken := languages(), map[string]int{}
	d := diceOf(b.seedOf("users/"+t.ID), 0)
	unregistered := b.sc.Generate.Unregistered
	admins := 1 + d.IntN(min(4, k.Users))
	for i := range k.Users {
		u := b.account(t, d, lands, taken, unregistered, i)
		u.Enabled = u.Enabled || i < admins
		if i < admins {
			role := []string{"Global Administrator", "User Administrator", "Exchange Administrator", "Helpdesk Administrator"}[i]
			u.Title = "IT"
			b.assign(t, &t.Held, u.ID, role, "held", u.Created)
			if k.Licence != "free" || i > 0 || d.IntN(3) > 0 {
				if len(u.Methods) == 0 && d.IntN(8) > 0 {
					b.methods(u, []string{"push", "totp"})
				}
			}
			if k.Licence == "free" && !k.SecurityDefaults && d.IntN(2) == 0 {
				u.PerUserMFA = "enforced"
			}
		}
		if k.Compromised && i == admins {
			u.Risk, u.RiskState, u.RiskDetail, u.RiskAt = "high", "atRisk", "none", b.created.Add(-22*time.Hour)
		}
		t.Users.Put(u)
	}
	if k.Users >= 10 && d.IntN(3) == 0 {
		u := &world.User{ID: b.userID(t, "scanner@"+t.Domain()), UPN: "scanner@" + t.Domain(), Name: "Scanner", Mail: "scanner@" + t.Domain(),
			Location: t.Country, Enabled: true, Created: t.Created.AddDate(0, 1, 0), Risk: "none", RiskState: "none", RiskDetail: "none"}
		t.Users.Put(u)
		one := 1.0
		b.habits[u.ID] = &Habit{Kind: "device", Client: "Authenticated SMTP", Works: &one}
	}
}
