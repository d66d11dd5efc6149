package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/print"
)

// The layers of a picture, from left to right.
const (
	people = iota
	nested
	groups
	doors // relationships, DAP, subscriptions, apps
	roles
	places // customers
	layers
)

var heads = [layers]string{"Person", "Nested group", "Group", "By", "Role", "Customer"}

// Bounds of a picture.
const (
	maxNodes = 18 // of a layer; the rest is folded into one
	merge    = 8  // people from which on those with the same ways are drawn as one
	maxTitle = 12 // names that a folded node lists when it is pointed at
	maxLabel = 24 // signs of a label
)

// Sizes, in CSS pixels.
const (
	boxWide, boxHigh = 158.0, 34.0
	gapX, gapY       = 58.0, 10.0
	headHigh         = 26.0
)

// Node is a box.
type Node struct {
	Layer       int
	Label, Sub  string
	Title       string // in full
	Leads       bool   // Global Administrator, or a way there
	Perhaps     bool   // nothing sure goes by it
	Folded      int    // how many it stands for; 0 itself alone
	X, Y        float64
	key         string
	order, pull float64
}

// Edge joins two boxes.
type Edge struct {
	From, To          int // indexes of nodes
	Leads             bool
	Eligible, Perhaps bool // of every way that goes by it
}

// Picture is a graph that was laid out.
type Picture struct {
	Nodes  []Node
	Edges  []Edge
	Heads  []Head
	Width  float64
	Height float64
	Says   string // what it shows, for who cannot see it
}

// Head is the heading of a layer.
type Head struct {
	Text string
	X    float64
}

// stop is a box that a way goes by.
type stop struct {
	layer                  int
	key, label, sub, title string
}

// Draw lays the ways out. It is pure: the same ways give the same picture.
func Draw(inv *delegation.Inventory, w *delegation.Ways) *Picture {
	d := &drawing{inv: inv, names: map[string]string{}, at: map[string]int{}, edges: map[[2]int]*Edge{}}
	for i := range inv.Customers {
		d.names[inv.Customers[i].Tenant] = inv.Customers[i].Name
	}
	for i := range inv.Customers {
		for k := range inv.Customers[i].Relationships {
			r := &inv.Customers[i].Relationships[k]
			d.names[r.ID] = cmp.Or(r.Name, r.ID)
		}
	}
	trails := make([][]stop, len(w.Paths))
	for i := range w.Paths {
		trails[i] = d.trail(&w.Paths[i])
	}
	d.merge(trails, w.Paths)
	d.fold(trails, w.Paths)
	for i := range w.Paths {
		d.add(trails[i], &w.Paths[i])
	}
	d.layout()
	d.out.Says = strings.Join(w.Says, " ")
	return &d.out
}

type drawing struct {
	inv   *delegation.Inventory
	names map[string]string
	at    map[string]int
	edges map[[2]int]*Edge
	out   Picture
}

// trail are the boxes that a way goes by, from left to right.
func (d *drawing) trail(p *delegation.Path) []stop {
	var out []stop
	add := func(layer int, key, label, sub string) {
		out = append(out, stop{layer, key, label, sub, cmp.Or(strings.TrimSuffix(label+", "+sub, ", "), key)})
	}
	switch who := d.inv.People[p.Person]; {
	case p.Kind == delegation.ByConsent:
		add(people, "app:"+p.App, d.appName(p), "app, by itself")
	case p.Person == "":
		add(people, "?", "not known", "somebody who was not read")
	case who == nil:
		add(people, p.Person, p.Person, "")
	default:
		sub := who.UPN
		if who.Enabled == delegation.No {
			sub = "disabled"
		} else if who.App {
			sub = "app"
		} else if who.Guest {
			sub = "guest"
		}
		add(people, p.Person, who.Name, sub)
	}
	if len(p.Via) > 0 { // the person is in the last of them
		var via []string
		for _, g := range p.Via {
			via = append(via, d.inv.GroupName(g))
		}
		sub := ""
		if len(via) > 1 {
			sub = "in " + strings.Join(via[:len(via)-1], ", in ")
		}
		add(nested, strings.Join(p.Via, ">"), via[len(via)-1], sub)
	}
	if p.Group != "" {
		sub := ""
		if g := d.inv.Groups[p.Group]; g == nil || !g.Known {
			sub = "not read"
		} else if !g.Whole {
			sub = "not all members were read"
		}
		add(groups, p.Group, d.inv.GroupName(p.Group), sub)
	}
	switch p.Kind {
	case delegation.ByGDAP:
		add(doors, p.Relationship, cmp.Or(d.names[p.Relationship], p.Relationship), "GDAP")
	case delegation.ByDAP:
		add(doors, "dap:"+p.Customer, "DAP", "delegated admin privileges")
	case delegation.ByAzure:
		add(doors, "sub:"+p.Subscription, "Azure", p.Subscription)
	case delegation.ByConsent:
		add(doors, "consent:"+p.App+p.Customer, "Consent", "app-only permission")
	}
	key := cmp.Or(p.Role, "unread:"+p.Relationship)
	add(roles, key, p.RoleName, p.Step)
	add(places, p.Customer, cmp.Or(d.names[p.Customer], p.Customer), "")
	return out
}

func (d *drawing) appName(p *delegation.Path) string {
	for i := range d.inv.Customers {
		for k := range d.inv.Customers[i].Consents {
			if c := &d.inv.Customers[i].Consents[k]; c.App == p.App && c.Name != "" {
				return c.Name
			}
		}
	}
	return p.App
}

// merge draws people who have the same ways as one box, where there are many.
func (d *drawing) merge(trails [][]stop, list []delegation.Path) {
	ways := map[string][]string{} // person -> what follows
	for i, t := range trails {
		var b strings.Builder
		for _, s := range t[1:] {
			b.WriteString(s.key + "|")
		}
		fmt.Fprint(&b, list[i].Eligible, list[i].Perhaps)
		ways[t[0].key] = append(ways[t[0].key], b.String())
	}
	if len(ways) < merge {
		return
	}
	same := map[string][]string{}
	for who, list := range ways {
		if who == "?" || strings.HasPrefix(who, "app:") {
			continue
		}
		slices.Sort(list)
		k := strings.Join(list, "\n")
		same[k] = append(same[k], who)
	}
	crowd := map[string]stop{}
	for _, all := range same {
		if len(all) < 2 {
			continue
		}
		slices.Sort(all)
		s := stop{people, "crowd:" + all[0], print.Plural(int64(len(all)), "people"), "with the same ways", d.list(all)}
		for _, who := range all {
			crowd[who] = s
		}
	}
	for _, t := range trails {
		if s, ok := crowd[t[0].key]; ok {
			t[0] = s
		}
	}
}

// list names people, the first of many.
func (d *drawing) list(ids []string) string {
	var names []string
	for i, id := range ids {
		if i == maxTitle {
			names = append(names, fmt.Sprintf("and %d more", len(ids)-maxTitle))
			break
		}
		names = append(names, d.inv.PersonName(id))
	}
	return strings.Join(names, ", ")
}

// fold brings each layer to its bound: what leads to Global Administrator and what many ways
// go by stays, the rest is one box.
func (d *drawing) fold(trails [][]stop, list []delegation.Path) {
	type weight struct {
		leads bool
		n     int
		s     stop
	}
	var all [layers]map[string]*weight
	for i, t := range trails {
		for _, s := range t {
			if all[s.layer] == nil {
				all[s.layer] = map[string]*weight{}
			}
			w := all[s.layer][s.key]
			if w == nil {
				w = &weight{s: s}
				all[s.layer][s.key] = w
			}
			w.n++
			w.leads = w.leads || list[i].Leads()
		}
	}
	for layer, nodes := range all {
		if len(nodes) <= maxNodes {
			continue
		}
		keys := make([]string, 0, len(nodes))
		for k := range nodes {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(a, b string) int {
			x, y := nodes[a], nodes[b]
			switch {
			case x.leads != y.leads && x.leads:
				return -1
			case x.leads != y.leads:
				return 1
			}
			return cmp.Or(y.n-x.n, strings.Compare(a, b))
		})
		rest := map[string]bool{}
		var names []string
		for _, k := range keys[maxNodes-1:] {
			rest[k] = true
			if len(names) < maxTitle {
				names = append(names, nodes[k].s.label)
			}
		}
		if n := len(rest) - len(names); n > 0 {
			names = append(names, fmt.Sprintf("and %d more", n))
		}
		s := stop{layer, "rest", fmt.Sprintf("%s more", print.Number(int64(len(rest)))), "folded: the table has them", strings.Join(names, ", ")}
		for _, t := range trails {
			for i := range t {
				if t[i].layer == layer && rest[t[i].key] {
					t[i] = s
				}
			}
		}
	}
}

// add adds a way's boxes and edges.
func (d *drawing) add(t []stop, p *delegation.Path) {
	before := -1
	for _, s := range t {
		key := fmt.Sprint(s.layer, "|", s.key)
		n, ok := d.at[key]
		if !ok {
			n = len(d.out.Nodes)
			d.at[key] = n
			d.out.Nodes = append(d.out.Nodes, Node{Layer: s.layer, Label: s.label, Sub: s.sub, Title: s.title, Perhaps: true, key: s.key})
		}
		node := &d.out.Nodes[n]
		node.Perhaps = node.Perhaps && p.Perhaps
		node.Leads = node.Leads || p.Leads() && (s.layer == roles || s.layer == doors && p.Global)
		if before >= 0 {
			e := d.edges[[2]int{before, n}]
			if e == nil {
				e = &Edge{From: before, To: n, Eligible: true, Perhaps: true}
				d.edges[[2]int{before, n}] = e
			}
			e.Leads = e.Leads || p.Leads()
			e.Perhaps = e.Perhaps && p.Perhaps
			e.Eligible = e.Eligible && p.Eligible
		}
		before = n
	}
}
