package access

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// Opening is a sign-in that settings protected or may have protected, and that others
// surely do not.
type Opening struct {
	User     int      // index in [Tenant.Users] of one such account, or past them a stand-in
	Account  string   // its name
	Accounts int      // how many it stands for
	Witness  Witness  // the sign-in, as the later settings decide it
	Was      string   // the policy that protected it
	What     []Narrow // the dimensions on which the gap it is in is not "any"
}

// maxOpened bounds the sign-ins that are looked at for one comparison.
const maxOpened = 2_000_000

// Opened finds what of a question's sign-ins is protected before, surely or perhaps, and
// surely not after, also for accounts that had another gap already. Both engines must be of one
// directory: the same accounts in the same order. whole is false where the bound on work
// was met: there may be more than is listed. It is safe for concurrent use.
//
// Each gap of the later settings is held against each policy that protected its accounts:
// what a policy takes is a class of each dimension, so that a sign-in of both is found
// where there is one.
func Opened(before, after *Engine, q Question) (list []Opening, whole bool, err error) {
	j, index, moved := beside(before, after)
	c, err := j.compile(q)
	if err != nil {
		return nil, false, err
	}
	was, err := before.compile(q)
	if err != nil { // a place that the earlier settings do not name
		return nil, false, err
	}
	cohorts, _ := j.cohorts(c, j.always(c))
	d := newDiagram(j, c, false)
	found := j.search(c, d, cohorts)
	o := &opener{before: before, j: j, was: was, is: c, index: index, moved: moved, left: maxOpened, variant: map[string]int{}}
	n := len(before.tenant.Users)
	for i := range before.variants {
		v := &before.variants[i]
		o.variant[v.ID+"\x00"+v.Name] = n + i
	}
	seen := map[int32]bool{}
	for _, s := range found.sketches {
		for _, co := range s.cohorts {
			list = append(list, o.cohort(s, co, seen)...)
		}
	}
	return list, !d.over && !found.cut && o.left > 0, nil
}

// opener compares two engines.
type opener struct {
	before, j *Engine
	was, is   *compiledQuestion
	index     []int // by policy of before: the same in j
	moved     bool  // locations are not the same: clauses on them mean something else
	left      int
	variant   map[string]int
}

// beside gives the later engine again with the policies and locations of the earlier one
// beside its own, out of force, so that its classes tell apart what those do.
func beside(before, after *Engine) (j *Engine, index []int, moved bool) {
	own := map[*Policy]bool{}
	for _, p := range after.policies {
		own[p] = true
	}
	t := *after.tenant
	t.Policies = slices.Clone(t.Policies)
	stand := map[*Policy]*Policy{}
	for i, p := range before.policies {
		if own[p] || before.origin[i] != i {
			continue
		}
		off := *p
		off.ID, off.State = "before:"+p.ID, Disabled
		stand[p] = &off
		t.Policies = append(t.Policies, &off)
	}
	moved = !slices.Equal(before.tenant.Locations, after.tenant.Locations)
	if moved {
		t.Locations = slices.Clone(t.Locations)
		fence := &Policy{ID: "before:places", State: Disabled}
		cond := LocationCondition{}
		for _, l := range before.tenant.Locations {
			if slices.Contains(after.tenant.Locations, l) {
				continue
			}
			old := *l
			old.ID = "before:" + l.ID
			old.IsTrusted.Set, old.IsTrusted.Value = true, false
			t.Locations = append(t.Locations, &old)
			cond.IncludeLocations = append(cond.IncludeLocations, old.ID)
		}
		if len(cond.IncludeLocations) > 0 {
			fence.Conditions.Locations.Items = []LocationCondition{cond}
			t.Policies = append(t.Policies, fence)
		}
	}
	j = after
	if len(t.Policies) > len(after.tenant.Policies) || moved {
		j = Compile(&t)
	}
	first := map[*Policy]int{}
	for i, p := range j.policies {
		if j.origin[i] == i {
			first[p] = i
		}
	}
	index = make([]int, len(before.policies))
	for i, p := range before.policies {
		q := p
		if s := stand[p]; s != nil {
			q = s
		}
		index[i] = -1
		if at, ok := first[q]; ok {
			index[i] = at + i - before.origin[i]
		}
	}
	return j, index, moved
}

// cohort looks for openings of the accounts of one cohort in one box: one for each set of
// policies that protected them.
func (o *opener) cohort(s *sketch, co *cohort, seen map[int32]bool) (out []Opening) {
	groups := map[int32]int{} // set before -> index in out
	tried := map[int32]bool{}
	for _, i := range co.subjects {
		if seen[i] {
			continue
		}
		u := o.earlier(int(i))
		if u < 0 {
			continue
		}
		set := o.before.setOf[u]
		if at, ok := groups[set]; ok {
			out[at].Accounts++
			seen[i] = true
			continue
		}
		if tried[set] {
			continue
		}
		tried[set] = true
		if w, policy := o.open(s.box, int(i), u); w != nil {
			groups[set] = len(out)
			seen[i] = true
			out = append(out, Opening{User: o.j.account(int(i)), Account: o.j.subject(int(i)).label(), Accounts: 1, Witness: *w, Was: policy,
				What: o.j.narrow(o.is, s.box)})
		}
	}
	return out
}

// earlier is a subject of j in the earlier engine; with a role active that it no longer
// has the account itself.
func (o *opener) earlier(i int) int {
	if i < len(o.j.tenant.Users) {
		if i < len(o.before.tenant.Users) {
			return i
		}
		return -1
	}
	s := o.j.subject(i)
	if v, ok := o.variant[s.ID+"\x00"+s.Name]; ok {
		return v
	}
	if a := o.j.account(i); a < len(o.before.tenant.Users) {
		return a
	}
	return -1
}

// open finds one sign-in of a box that a policy took before, and that nothing takes now.
func (o *opener) open(b box, subject, earlier int) (w *Witness, policy string) {
	u := o.before.user(earlier)
	for i := range o.before.policies {
		if !u.could.has(i) || !o.was.protects.has(i) || o.index[i] < 0 {
			continue
		}
		if w := o.meet(b, subject, earlier, o.index[i]); w != nil {
			return w, o.before.policies[i].DisplayName
		}
	}
	return nil, ""
}

// meet finds one in a box and in what policy i of j takes.
func (o *opener) meet(b box, subject, earlier, i int) *Witness {
	e := o.j
	pick := func(l int, fits func(k int) bool) []int32 {
		var out []int32
		d := &e.dims[l]
		for _, k := range o.is.classes[l] {
			skip := d.blur != nil && d.blur[k] || d.phantom != nil && d.phantom[k]
			takes := d.could[k].has(i) || dimID(l) == dimLocation && o.moved
			if hasClass(b[l], k) && !skip && takes && (d.guard == nil || d.guard[k].has(i)) && fits(k) {
				out = append(out, int32(k))
			}
		}
		return out
	}
	any := func(int) bool { return true }
	p := Point{User: subject, Classes: make([]int32, len(e.dims))}
	for _, client := range pick(int(dimClient), any) {
		p.Classes[dimClient] = client
		choices := make([][]int32, len(e.dims))
		for l := 1; l < len(e.dims); l++ {
			fits := any
			switch {
			case dimID(l) == dimResource && client == clientEAS:
				fits = func(k int) bool { return k == e.apps[entra.AppExchange] }
			case dimID(l) == dimResource && client == clientOther:
				fits = func(k int) bool { return k != e.basic }
			case l >= int(dimCompliant) && client == clientOther:
				fits = func(k int) bool { return k == 0 }
			}
			if choices[l] = pick(l, fits); len(choices[l]) == 0 {
				break
			}
			p.Classes[l] = choices[l][0]
		}
		if slices.ContainsFunc(choices[1:], func(c []int32) bool { return len(c) == 0 }) {
			continue
		}
		places := choices[dimLocation]
		if !o.moved {
			places = places[:1]
		}
		for _, at := range places {
			if o.left--; o.left <= 0 {
				return nil
			}
			p.Classes[dimLocation] = at
			w := e.witness(o.is, p)
			if !e.guarded(o.is, p) && o.protected(o.translate(p, &w.SignIn, earlier)) {
				return &w
			}
		}
	}
	return nil
}

// translate brings a point of j to the earlier engine.
func (o *opener) translate(p Point, s *SignIn, earlier int) Point {
	return o.before.follow(o.j, p, s, earlier)
}

// follow brings a point of another engine of the same directory, and its sign-in, to e.
func (e *Engine) follow(other *Engine, p Point, s *SignIn, user int) Point {
	out := Point{User: user, Classes: make([]int32, len(e.dims))}
	apart := *s
	apart.Location = ""
	e.Locate(&apart, out.Classes)
	place := &other.geo.places[p.Classes[dimLocation]]
	out.Classes[dimLocation] = -1
	if place.ip.IsValid() && place.network == no {
		out.Classes[dimLocation] = int32(e.geo.find(place.ip, place.country))
		return out
	}
	for i := range e.geo.places {
		if strings.EqualFold(e.geo.places[i].label, place.label) {
			out.Classes[dimLocation] = int32(i)
			break
		}
	}
	return out
}

// protected says whether the earlier settings may protect a point as was asked.
func (o *opener) protected(p Point) bool {
	return o.before.guarded(o.was, p)
}
