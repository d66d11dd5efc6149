package delegation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/print"
)

// Ways answer a question: in words first, then way by way.
type Ways struct {
	Question Question `json:"question"`
	Says     []string `json:"says"` // sentences for people
	Open     []Open   `json:"open"` // what is not known, and would settle whether these are all
	Paths    []Path   `json:"paths"`
}

// Open is something that is not known.
type Open struct {
	What string `json:"what"`
	Ask  string `json:"settle,omitempty"` // the one request that settles it
}

// Ask answers a question whose members are ids, see [Resolve].
func Ask(inv *Inventory, q Question) Ways {
	w := Ways{Question: q, Paths: Paths(inv, q), Open: []Open{}}
	if w.Paths == nil {
		w.Paths = []Path{}
	}
	seen := map[string]bool{}
	for i := range w.Paths {
		if p := &w.Paths[i]; p.Perhaps && p.Ask != "" && !seen[p.Ask] {
			seen[p.Ask] = true
			w.Open = append(w.Open, Open{inv.where(p) + p.Why, p.Ask})
		}
	}
	for _, list := range []string{"delegatedAdminRelationships", "customers"} {
		if l := inv.Lists[list]; !l.Whole {
			w.Open = append(w.Open, Open{"the list " + list + ": " + l.Why, l.Ask})
		}
	}
	for _, id := range sorted(inv.Groups) {
		if inv.Groups[id].Pim != Yes && slices.ContainsFunc(w.Paths, func(p Path) bool { return p.Group == id }) {
			l := inv.Lists["groupEligibility"]
			w.Open = append(w.Open, Open{"who may activate a membership of these groups: " + cmp.Or(l.Why, "it was not read"), l.Ask})
			break
		}
	}
	w.Says = inv.say(q, w.Paths, len(w.Open))
	return w
}

// where names what an open way goes by, for a sentence.
func (inv *Inventory) where(p *Path) string {
	switch g := inv.Groups[p.Group]; {
	case p.Kind == ByDAP && p.Group == "":
		return "DAP at " + inv.CustomerName(p.Customer) + ": "
	case g != nil:
		return "the group " + g.Name + ": "
	case p.Group != "":
		return "the group " + p.Group + ": "
	}
	return "the relationship " + p.Relationship + " at " + inv.CustomerName(p.Customer) + ": "
}

// CustomerName is the name of a customer; its id where it is not listed.
func (inv *Inventory) CustomerName(tenant string) string {
	for i := range inv.Customers {
		if inv.Customers[i].Tenant == tenant {
			return inv.Customers[i].Name
		}
	}
	return tenant
}

// PersonName is how a person is called; "" is somebody who is not known.
func (inv *Inventory) PersonName(id string) string {
	if id == "" {
		return "somebody who was not read"
	}
	if p := inv.People[id]; p != nil {
		return cmp.Or(p.Name, p.UPN, id)
	}
	return id
}

// GroupName is the name of a group; its id where it is not known.
func (inv *Inventory) GroupName(id string) string {
	if g := inv.Groups[id]; g != nil {
		return g.Name
	}
	return id
}

// How a person can, the surest first.
const (
	already = iota
	byStep
	byActivation
	perhaps
)

// count is who can, by how.
type count struct {
	how              [4]int // people, each by the surest way
	people           int
	customers, roles map[string]bool
	apps             map[string]bool
	leads            map[string]bool // customers where a way leads to Global Administrator
	dap              bool
}

func counted(list []Path) count {
	c := count{customers: map[string]bool{}, roles: map[string]bool{}, apps: map[string]bool{}, leads: map[string]bool{}}
	best := map[string]int{}
	for i := range list {
		p := &list[i]
		c.dap = c.dap || p.Kind == ByDAP && !(p.Perhaps && p.Ask != "")
		if p.Kind == ByConsent {
			c.apps[p.App] = true
			continue
		}
		if p.Person == "" {
			continue
		}
		how := already
		switch {
		case p.Perhaps:
			how = perhaps
		case p.Eligible:
			how = byActivation
		case !p.Global && p.Step != "":
			how = byStep
		}
		if old, ok := best[p.Person]; !ok || how < old {
			best[p.Person] = how
		}
		if !p.Perhaps {
			c.customers[p.Customer], c.roles[p.Role] = true, true
			if p.Leads() {
				c.leads[p.Customer] = true
			}
		}
	}
	for _, how := range best {
		c.how[how]++
	}
	c.people = len(best)
	return c
}

// say answers in sentences: who can, what else opens the same door, and what is not known.
func (inv *Inventory) say(q Question, list []Path, open int) (out []string) {
	c := counted(list)
	place := "at " + print.Plural(int64(len(inv.Customers)), "customers")
	if q.Customer != "" {
		place = "at " + inv.CustomerName(q.Customer)
	}
	sure := c.people - c.how[perhaps]
	switch {
	case len(list) == 0 && open == 0:
		out = append(out, "No way was found, and all lists that would show one were read.")
	case sure == 0 && len(c.apps) == 0:
		out = append(out, "Nobody is known to have such a way "+place+"; whether somebody has is not known.")
	case q.Person != "":
		out = append(out, fmt.Sprintf("%s reaches %s at %s%s.", inv.PersonName(q.Person), print.Plural(int64(len(c.roles)), "roles"),
			print.Plural(int64(len(c.customers)), "customers"), leadWords(len(c.leads))))
	case q.Roads:
		out = append(out, fmt.Sprintf("%s can become Global Administrator %s: %s.", people(sure), place, c.words()))
	case q.Role != "":
		out = append(out, fmt.Sprintf("%s %s %s: %s.", people(sure), haveWord(sure)+" "+RoleName(q.Role), place, c.words()))
	default:
		out = append(out, fmt.Sprintf("%s %s %s %s%s.", people(sure), reachWord(sure), print.Plural(int64(len(c.roles)), "roles"), place,
			leadWords(len(c.leads))))
	}
	if n := c.how[perhaps]; n > 0 && sure > 0 {
		out = append(out, people(n)+" more may: the ways say why it is not known.")
	}
	if c.dap {
		out = append(out, "DAP is open: AdminAgents act as Global Administrator there, HelpdeskAgents as Helpdesk Administrator.")
	}
	if n := len(c.apps); n > 0 {
		out = append(out, print.Plural(int64(n), "apps")+" may by a permission of their own, with nobody signed in.")
	}
	if open := inv.joinable(list); len(open) > 0 {
		out = append(out, "Not role-assignable, so that a Groups Administrator or a User Administrator of your own tenant can put anybody in: "+
			strings.Join(open, ", ")+".")
	}
	if open > 0 {
		out = append(out, "It is not known whether these are all: see what was not read.")
	}
	return out
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return print.Number(int64(n)) + " people"
}

func haveWord(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

func reachWord(n int) string {
	if n == 1 {
		return "reaches"
	}
	return "reach"
}

func leadWords(n int) string {
	if n == 0 {
		return "; none is Global Administrator or leads there"
	}
	if n == 1 {
		return "; at 1 customer a way is Global Administrator or leads there"
	}
	return fmt.Sprintf("; at %s customers a way is Global Administrator or leads there", print.Number(int64(n)))
}

// words say how many can in which way.
func (c *count) words() string {
	var parts []string
	for how, word := range []string{already: "now", byStep: "by one step more", byActivation: "after an activation"} {
		if n := c.how[how]; n > 0 {
			parts = append(parts, print.Number(int64(n))+" "+word)
		}
	}
	return strings.Join(parts, ", ")
}

// maxNamed bounds what a sentence lists.
const maxNamed = 5

// joinable are the groups of the ways that are known not to be role-assignable, by name.
func (inv *Inventory) joinable(list []Path) (names []string) {
	seen := map[string]bool{}
	for i := range list {
		for _, id := range append([]string{list[i].Group}, list[i].Via...) {
			if g := inv.Groups[id]; g != nil && g.Role == No && !g.Dynamic && !seen[id] {
				seen[id] = true
				names = append(names, g.Name)
			}
		}
	}
	slices.Sort(names)
	if n := len(names) - maxNamed; n > 0 {
		names = append(names[:maxNamed], fmt.Sprintf("and %d more", n))
	}
	return names
}
