package recommend

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Refusal is a recorded act that a set of roles would have refused.
type Refusal struct {
	Customer string    `json:"customerTenantId"`
	Group    string    `json:"groupId"`
	Actor    string    `json:"actor"`
	Activity string    `json:"activity"`
	Count    int64     `json:"count"`
	Last     time.Time `json:"last"`
	Row      string    `json:"row,omitempty"` // the id of the last one
	Kept     []string  `json:"grantedThatCould"`
}

// Replayed is what a set of roles would have meant.
type Replayed struct {
	Window  Window            `json:"window"`
	Roles   []string          `json:"roles"`
	Acts    int64             `json:"acts"`    // recorded acts that were replayed
	Count   int64             `json:"refused"` // of them, those that would have been refused
	Refused []Refusal         `json:"refusals"`
	Names   map[string]string `json:"names"`
}

// Replay says which recorded acts would have been refused, had every assignment that is asked
// for had these roles and no other.
func Replay(in Input, roles []string) *Replayed {
	d := newDeriver(in)
	for _, c := range d.customers() {
		d.customer(c)
	}
	res := d.result()
	res.Summary.Acts, res.Summary.Refused = 0, 0
	out := &Replayed{Window: res.Window, Roles: ids(roles), Refused: print.List(d.replay(ids(roles))), Names: res.Names}
	out.Acts, out.Count = d.out.Summary.Acts, d.out.Summary.Refused
	for _, id := range out.Roles {
		if r, ok := d.role(id); ok {
			out.Names[id] = r.Name
		}
	}
	return out
}

// replay goes through the acts again, each against what its item would have: the roles, or
// where they are nil what is recommended. It counts what would have been refused.
func (d *deriver) replay(roles []string) (refused []Refusal) {
	for _, w := range d.works {
		has := roles
		if roles == nil {
			has = w.item.Recommended
		}
		for _, n := range w.needs {
			d.out.Summary.Acts += n.count
			if slices.ContainsFunc(has, func(r string) bool { return d.could(r, n.known) }) {
				continue
			}
			kept := slices.DeleteFunc(slices.Clone(w.item.Granted), func(r string) bool { return !d.could(r, n.known) })
			if roles == nil && len(kept) == 0 {
				continue // it came by DAP, and the role for it waits for acceptance
			}
			d.out.Summary.Refused += n.count
			for _, a := range n.by {
				refused = append(refused, Refusal{Customer: w.item.Customer, Group: w.item.Group, Actor: a.id, Activity: n.known.act.Activity, Count: a.count,
					Last: a.last, Row: n.row, Kept: kept})
			}
		}
	}
	slices.SortStableFunc(refused, func(a, b Refusal) int {
		return cmpAll(a.Customer, b.Customer, a.Group, b.Group, a.Activity, b.Activity, a.Actor, b.Actor)
	})
	return refused
}

// cmpAll compares pairs of texts, the first that differ decide.
func cmpAll(pairs ...string) int {
	for i := 0; i+1 < len(pairs); i += 2 {
		if n := strings.Compare(pairs[i], pairs[i+1]); n != 0 {
			return n
		}
	}
	return 0
}
