package scenario

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Bounds of what a scenario may ask for.
const (
	maxCustomers   = 2000
	maxUsers       = 100_000
	maxHistory     = 400
	maxPerCustomer = 5000
)

type fault struct {
	line int
	text string
	hint string
}

// checker finds what is wrong with a scenario beyond its form.
type checker struct {
	name   string
	lines  lineIndex
	sc     *Scenario
	faults []fault
	ids    map[string]string // lower id, domain or app id to where it was given
}

func (c *checker) fault(path, hint, format string, args ...any) {
	c.faults = append(c.faults, fault{c.lines.of(path), fmt.Sprintf(format, args...), hint})
}

// err brings the faults into one error, in the order of their lines.
func (c *checker) err() error {
	slices.SortStableFunc(c.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var b strings.Builder
	for i, f := range c.faults {
		if i == maxErrors {
			fmt.Fprintf(&b, "\nand %d more", len(c.faults)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: %s: %s", c.name, f.line, f.text, f.hint)
	}
	return problem.New(problem.BadInput, "%s", b.String()).WithHint("%s", c.faults[0].hint)
}

// tenantNames are the names that the parts of one tenant may use.
type tenantNames struct {
	path      string
	domains   []string
	people    map[string]bool // upn and, where it is unique, the part before @; lower case
	groups    map[string]bool // lower case
	locations map[string]bool
	strengths map[string]bool
	apps      map[string]bool
}

func (c *checker) check() {
	sc := c.sc
	c.ids = map[string]string{}
	p := &sc.Partner
	if sc.Name == "" {
		c.fault("$", "add a line name: my-scenario", "the scenario has no name")
	}
	c.moment("$.clock.start", sc.Clock.Start)
	if strings.HasPrefix(string(sc.Clock.Start), "-") || strings.HasPrefix(string(sc.Clock.Start), "+") {
		c.fault("$.clock.start", "write a date: 2026-11-20 or 2026-11-20T06:00:00Z", "the clock cannot start at a distance from itself")
	}
	if _, ok := distance(sc.Replication); sc.Replication != "" && !ok {
		c.fault("$.replication", "write how long, such as 5m", "%q is no time", sc.Replication)
	}
	if sc.History != nil {
		c.upTo("$.history", *sc.History, maxHistory)
	}
	if p.Name == "" {
		c.fault("$.partner", "add name: Contoso", "the partner has no name")
	}
	if len(p.Domains) == 0 {
		c.fault("$.partner", "add domains: [contoso.example]", "the partner has no domain")
	}
	for i, d := range p.Domains {
		c.domain(fmt.Sprintf("$.partner.domains[%d]", i), d)
	}
	oneOf(c, "$.partner.kind", p.Kind, partner.Kinds())
	oneOf(c, "$.partner.cloud", p.Cloud, partner.Clouds())
	if p.SecurityContact != "" && !strings.Contains(p.SecurityContact, "@") {
		c.fault("$.partner.securityContact", "write an address: security@contoso.example", "%q is no address", p.SecurityContact)
	}
	sites := map[string]bool{}
	for i, s := range sc.Sites {
		path := fmt.Sprintf("$.sites[%d]", i)
		c.once(path, "site", s.Name, sites)
		if _, err := netip.ParsePrefix(s.Network); err != nil {
			c.fault(path+".network", "write it as 203.0.113.0/24", "site %q: %q is no network", s.Name, s.Network)
		}
		c.country(path+".country", s.Country)
	}
	resellers := map[string]bool{}
	for i, r := range sc.Resellers {
		path := fmt.Sprintf("$.resellers[%d]", i)
		c.once(path, "reseller", r.Name, resellers)
		c.id(path+".id", r.ID)
		c.country(path+".country", r.Country)
	}
	names := c.tenant("$", "$.partner", p.Domains, &p.Settings, sc.People, sc.Groups, sc.Apps, sites)
	c.keyVault(names)
	c.appsOfOthers()
	c.stories()
	for i, v := range sc.Vendors {
		path := fmt.Sprintf("$.vendors[%d]", i)
		c.named(path, "vendor", v.Name)
		c.domain(path+".domain", v.Domain)
		c.tenant(path, path, []string{v.Domain}, &v.Settings, v.People, v.Groups, v.Apps, sites)
	}
	for i, v := range sc.Providers {
		path := fmt.Sprintf("$.providers[%d]", i)
		c.named(path, "provider", v.Name)
		c.domain(path+".domain", v.Domain)
		c.tenant(path, path, []string{v.Domain}, &v.Settings, nil, nil, v.Apps, sites)
	}
	relationships := map[string]bool{}
	c.upTo("$.customers", len(sc.Customers), maxCustomers)
	for i := range sc.Customers {
		c.customer(i, names, resellers, sites, relationships)
	}
	c.generate()
	c.enforcement()
	for i, e := range sc.Exceptions {
		path := fmt.Sprintf("$.exceptions[%d]", i)
		c.named(path, "exception's vendor", e.Vendor)
		c.moment(path+".from", e.From)
		c.moment(path+".until", e.Until)
	}
}

// appsOfOthers notes all apps by name, which customers may have consented to.
func (c *checker) appsOfOthers() {
	for i := range c.sc.Partner.External {
		e := &c.sc.Partner.External[i]
		if e.App != "" && c.sc.app(e.App) == nil {
			c.fault(fmt.Sprintf("$.partner.externalMfa[%d].app", i), "name an app of a provider", "no app is called %q", e.App)
		}
	}
}

// app finds an app by name in the partner's, vendors' and providers' tenants.
func (sc *Scenario) app(name string) *App {
	find := func(list []App) *App {
		for i := range list {
			if strings.EqualFold(list[i].Name, name) || list[i].ID != "" && strings.EqualFold(list[i].ID, name) {
				return &list[i]
			}
		}
		return nil
	}
	if a := find(sc.Apps); a != nil {
		return a
	}
	for i := range sc.Vendors {
		if a := find(sc.Vendors[i].Apps); a != nil {
			return a
		}
	}
	for i := range sc.Providers {
		if a := find(sc.Providers[i].Apps); a != nil {
			return a
		}
	}
	return nil
}

func (c *checker) tenant(path, settings string, domains []string, s *Settings, people []Person, groups []Group, apps []App,
	sites map[string]bool) *tenantNames {
	n := &tenantNames{path: path, people: map[string]bool{}, groups: map[string]bool{}, locations: map[string]bool{}, strengths: map[string]bool{},
		apps: map[string]bool{}}
	for _, d := range domains {
		n.domains = append(n.domains, strings.ToLower(d))
	}
	seen := map[string]bool{}
	for i := range people {
		c.once(fmt.Sprintf("%s.people[%d].upn", path, i), "person", people[i].UPN, seen)
	}
	for k := range seen {
		n.people[k] = true
		local, _, _ := strings.Cut(k, "@")
		n.people[local] = true
	}
	for i := range groups {
		c.once(fmt.Sprintf("%s.groups[%d].name", path, i), "group", groups[i].Name, n.groups)
	}
	for _, g := range []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents} {
		if path == "$" {
			n.groups[strings.ToLower(g)] = true
		}
	}
	for i := range apps {
		c.once(fmt.Sprintf("%s.apps[%d].name", path, i), "app", apps[i].Name, n.apps)
	}
	for i := range people {
		c.person(fmt.Sprintf("%s.people[%d]", path, i), &people[i], n, sites)
	}
	for i := range groups {
		g, at := &groups[i], fmt.Sprintf("%s.groups[%d]", path, i)
		for k, m := range g.Members {
			m = strings.ToLower(m)
			if !n.people[m] && !n.groups[m] && !n.apps[m] {
				c.fault(fmt.Sprintf("%s.members[%d]", at, k), "name a person by upn, a group, or an app of the same tenant", "group %q: nobody is called %q",
					g.Name, g.Members[k])
			}
		}
		for k, m := range g.Eligible {
			if !n.people[strings.ToLower(m)] {
				c.fault(fmt.Sprintf("%s.eligible[%d]", at, k), "name a person by upn", "group %q: nobody is called %q", g.Name, m)
			}
		}
		c.roles(at+".roles", g.Roles)
	}
	for i := range apps {
		c.appOf(fmt.Sprintf("%s.apps[%d]", path, i), &apps[i], n, sites)
	}
	c.settings(settings, s, n)
	return n
}

func (c *checker) person(path string, p *Person, n *tenantNames, sites map[string]bool) {
	_, domain, ok := strings.Cut(p.UPN, "@")
	if !ok || !slices.Contains(n.domains, strings.ToLower(domain)) || strings.ContainsAny(p.UPN, " \t\r\n/\\") {
		c.fault(path+".upn", "use a domain of the tenant: "+strings.Join(n.domains, ", "), "%q is no account of this tenant", p.UPN)
	}
	c.named(path, "person", p.Name)
	c.roles(path+".roles", p.Roles)
	c.roles(path+".eligible", p.Eligible)
	c.groups(path+".groups", p.Groups, n.groups)
	for i, m := range p.Methods {
		if methodOf(m) == "" {
			c.fault(fmt.Sprintf("%s.methods[%d]", path, i), "methods are push, totp, key, hello, phone, pass, external", "no method is called %q", m)
		}
	}
	c.words(path+".risk", p.Risk, "none", "low", "medium", "high")
	c.words(path+".perUserMfa", p.PerUserMFA, "disabled", "enabled", "enforced")
	c.moment(path+".created", p.Created)
	c.appPasswords(path+".appPasswords", p)
	if p.GuestOf != "" && !domainLike(p.GuestOf) {
		c.fault(path+".guestOf", "write the home domain: fabrikam.example", "%q is no domain", p.GuestOf)
	}
	h := &p.Habit
	c.words(path+".habit.kind", h.Kind, "person", "script", "device", "sync", "drill", "none")
	if h.Works != nil && !(*h.Works >= 0 && *h.Works <= 1) {
		c.fault(path+".habit.works", "write a share from 0 to 1", "%v is no share", *h.Works)
	}
	if !(h.Office >= 0 && h.Office <= 1) {
		c.fault(path+".habit.office", "write a share from 0 to 1", "%v is no share", h.Office)
	}
	if h.Site != "" && !sites[strings.ToLower(h.Site)] {
		c.fault(path+".habit.site", "add it to sites", "no site is called %q", h.Site)
	}
	if h.Kind == "script" && h.App != "" && !n.apps[strings.ToLower(h.App)] {
		c.fault(path+".habit.app", "name an app of the same tenant", "no app is called %q", h.App)
	}
}

func (c *checker) appOf(path string, a *App, n *tenantNames, sites map[string]bool) {
	c.id(path+".clientId", a.ID)
	c.words(path+".audience", a.Audience, "one", "many", "personal")
	for i, r := range a.Requires {
		at := fmt.Sprintf("%s.requires[%d]", path, i)
		res := resource(r.Resource)
		if res == nil {
			c.fault(at+".resource", "name one of "+strings.Join(resourceNames(), ", "), "app %q: no resource is called %q", a.Name, r.Resource)
			continue
		}
		for k, v := range r.Scopes {
			if _, ok := res.ScopeByValue(v); !ok {
				c.fault(fmt.Sprintf("%s.scopes[%d]", at, k), "name a delegated permission the cloud knows", "%s has no delegated permission %q", res.Name, v)
			}
		}
		for k, v := range r.Roles {
			if roleOf(res, v) == "" {
				c.fault(fmt.Sprintf("%s.roles[%d]", at, k), "name an application permission the cloud knows", "%s has no application permission %q", res.Name,
					v)
			}
		}
	}
	for i, s := range a.Secrets {
		c.moment(fmt.Sprintf("%s.secrets[%d].from", path, i), s.From)
		c.moment(fmt.Sprintf("%s.secrets[%d].until", path, i), s.Until)
	}
	for i, text := range a.Certificate {
		if _, err := certificate(text); err != nil {
			c.fault(fmt.Sprintf("%s.certificates[%d]", path, i), "give one PEM certificate, no key", "app %q: %v", a.Name, err)
		}
	}
	for i, f := range a.Federated {
		if f.Name == "" || f.Issuer == "" || f.Subject == "" {
			c.fault(fmt.Sprintf("%s.federated[%d]", path, i), "give name, issuer and subject", "app %q: a federated credential lacks something", a.Name)
		}
	}
	for _, list := range [][]string{a.Web, a.SPA, a.Public} {
		for _, u := range list {
			if !strings.Contains(u, ":") || strings.ContainsAny(u, " \r\n*") {
				c.fault(path, "write a whole URI: http://localhost:8400/callback", "app %q: %q is no redirect URI", a.Name, u)
			}
		}
	}
	switch who := strings.ToLower(a.Consent); {
	case who == "", who == "none", who == "admin", n.people[who]:
	default:
		c.fault(path+".consent", "write none, admin, or a person's upn", "app %q: nobody is called %q", a.Name, a.Consent)
	}
	c.roles(path+".roles", a.Roles)
	c.moment(path+".created", a.Created)
	for r, calls := range a.Calls {
		if resource(r) == nil {
			c.fault(path+".calls", "name one of "+strings.Join(resourceNames(), ", "), "app %q: no resource is called %q", a.Name, r)
		}
		c.upTo(path+".calls", calls.PerDay, 1000)
		if calls.Site != "" && !sites[strings.ToLower(calls.Site)] {
			c.fault(path+".calls", "add it to sites", "no site is called %q", calls.Site)
		}
	}
}

func certificate(text string) (*x509.Certificate, error) {
	b, rest := pem.Decode([]byte(text))
	if b == nil || b.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("not one PEM certificate")
	}
	crt, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the certificate does not parse")
	}
	return crt, nil
}

func (c *checker) settings(path string, s *Settings, n *tenantNames) {
	c.id(path+".id", s.ID)
	c.country(path+".country", s.Country)
	c.words(path+".licence", s.Licence, "free", "p1", "p2")
	c.words(path+".trial", s.Trial, "p2")
	c.upTo(path+".seats", s.Seats, 1_000_000)
	c.moment(path+".since", s.Since)
	for m, state := range s.Methods {
		if methodConfig(m) == nil {
			c.fault(path+".methods", "methods are "+strings.Join(methodConfigNames(), ", "), "the methods policy has no method %q", m)
		}
		c.words(path+".methods."+m, state, "enabled", "disabled")
	}
	for i, l := range s.Locations {
		at := fmt.Sprintf("%s.locations[%d]", path, i)
		c.once(at, "location", l.Name, n.locations)
		for _, cidr := range l.Networks {
			if _, err := netip.ParsePrefix(cidr); err != nil {
				c.fault(at+".networks", "write it as 203.0.113.0/24", "location %q: %q is no network", l.Name, cidr)
			}
		}
		for _, k := range l.Countries {
			c.country(at+".countries", k)
		}
		if (len(l.Networks) == 0) == (len(l.Countries) == 0) {
			c.fault(at, "give networks or countries, one of them", "location %q is neither networks nor countries, or both", l.Name)
		}
	}
	for i, st := range s.Strengths {
		at := fmt.Sprintf("%s.strengths[%d]", path, i)
		c.once(at, "strength", st.Name, n.strengths)
		if len(st.Combinations) == 0 {
			c.fault(at, "add combinations: [fido2]", "strength %q allows nothing", st.Name)
		}
	}
	for i, e := range s.External {
		at := fmt.Sprintf("%s.externalMfa[%d]", path, i)
		c.named(at, "External MFA configuration", e.Name)
		c.words(at+".state", e.State, "enabled", "disabled")
		c.groups(at+".groups", e.Groups, n.groups)
	}
	c.words(path+".baselineScopes", s.BaselineScopes, "enabled", "disabled")
	seen := map[string]bool{}
	enabled := ""
	for i := range s.Policies {
		at := fmt.Sprintf("%s.policies[%d]", path, i)
		if s.Policies[i].Raw == nil {
			c.once(at, "policy", s.Policies[i].Name, seen)
		}
		c.policy(at, &s.Policies[i], n)
		if s.Policies[i].State == "on" || s.Policies[i].State == "" {
			enabled = at
		}
	}
	if s.SecurityDefaults && enabled != "" {
		c.fault(enabled, "turn securityDefaults off, or the policies off or report-only",
			"security defaults and an enabled Conditional Access policy exclude each other")
	}
}
