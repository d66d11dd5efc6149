//go:build !judge

package inquiry

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// How far around the alert something counts.
const (
	lookBack = 72 * time.Hour // what an act of theirs may have begun with
	apart    = time.Hour      // acts of one kind that lie nearer to each other are one row
)

// build makes a timeline of a fold.
type build struct {
	f        *Fold
	t        *Timeline
	anchor   time.Time // what the alert itself says of when
	onset    time.Time // the first act that it is about
	acts     []act     // by time
	suspect  map[int]bool
	actors   map[string]bool // who made what it is about
	givers   map[string]bool // who gave them what they made it with
	before   base
	said     []said
	rowOf    map[int]string
	causeAct int
}

// base is what was usual before.
type base struct {
	from    time.Time // since when the log reaches
	days    map[string]map[string]bool
	regions map[string]bool
	types   map[string]bool
	sizes   map[string]bool
	ips     map[string]map[string]bool
	lands   map[string]map[string]bool // by actor; "" is of all
}

// said is a reason before its rows have ids.
type said struct {
	Reason
	side int // 0 for, 1 against, 2 not known
	acts []int
}

// Timeline makes the timeline of what was taken. The fold is not to be used after it.
func (f *Fold) Timeline() *Timeline {
	b := &build{f: f, suspect: map[int]bool{}, actors: map[string]bool{}, rowOf: map[int]string{}, causeAct: -1,
		t: &Timeline{Alert: f.o.Alert, AsOf: f.o.Now.UTC(), Known: f.o.Known, Reads: f.o.Reads, Dropped: f.dropped, Unread: f.unread,
			Rows: []Row{}, Actors: []Actor{}, Things: []Thing{}, For: []Reason{}, Against: []Reason{}, Unknown: []Reason{}, Costs: []Cost{}, Places: []Segment{}}}
	b.settle()
	b.begin()
	b.usual()
	b.judge()
	b.rows()
	b.things()
	b.people()
	b.reasons()
	b.t.Says = b.t.says()
	return b.t
}

// resolve gives the key by which an actor is known once all names were seen.
func (f *Fold) resolve(key string) string {
	if o := f.alias[key]; o != "" {
		return o
	}
	return key
}

// settle brings acts into order, with what lists say of them.
func (b *build) settle() {
	f := b.f
	f.atRisk()
	given := map[string]bool{}
	for i := range f.acts {
		a := &f.acts[i]
		a.actor, a.to = f.resolve(a.actor), f.resolve(a.to)
		key := strings.ToLower(a.path)
		if r, ok := f.listed[key]; ok {
			a.region = cmp.Or(a.region, clean(r.Location))
			a.sku = cmp.Or(a.sku, clean(r.Properties.Hardware.VMSize), clean(r.SKU))
		}
		if a.op == opAssign {
			given[key] = true
			if r, ok := f.assigned[key]; ok {
				p := &r.Properties
				a.role, a.to = cmp.Or(a.role, roleOf(string(p.Role))), f.resolve(cmp.Or(a.to, id(p.Principal)))
				a.forType, a.scope = cmp.Or(a.forType, clean(p.Type)), cmp.Or(a.scope, clean(p.Scope))
			}
			a.words(f)
		}
	}
	b.anchor = b.about()
	for _, key := range slices.Sorted(maps.Keys(f.assigned)) {
		r := f.assigned[key]
		p := &r.Properties
		if given[key] || !p.Created.Set || p.Created.Time.Before(b.anchor.Add(-7*24*time.Hour)) || p.Created.Time.After(f.o.Now) {
			continue
		}
		a := act{at: p.Created.Time.UTC(), source: Rights, actor: f.resolve(f.who(string(p.By), "", "", "")), op: opAssign, raw: "roleAssignment",
			kind: Assignment, key: "newRight", strong: true, to: f.resolve(id(p.Principal)), role: roleOf(string(p.Role)), forType: clean(p.Type),
			scope: clean(p.Scope), path: clean(r.ID), place: f.at[key]}
		a.words(f)
		f.acts = append(f.acts, a)
	}
	slices.SortStableFunc(f.acts, func(a, b act) int {
		if a.at.IsZero() != b.at.IsZero() {
			if a.at.IsZero() {
				return 1
			}
			return -1
		}
		return a.at.Compare(b.at)
	})
	b.acts = f.acts
}

// words says of a right in Azure which, and whose.
func (a *act) words(f *Fold) {
	a.toName = f.called(a.to)
	a.strong = writes(a.role)
	a.foreignAct = strings.EqualFold(a.forType, "ForeignGroup")
	a.what = "gave " + cmp.Or(a.toName, "somebody") + " the right " + cmp.Or(a.role, "(not said which)")
	if a.foreignAct {
		a.what += ", a group of another tenant"
	}
}

// called is what an actor is called.
func (f *Fold) called(key string) string {
	a := f.names[key]
	if a == nil {
		return key
	}
	app := ""
	if a.App != "" {
		app = "app " + a.App
	}
	return cmp.Or(a.UPN, a.Name, app, a.Object, key)
}

// about is when the alert says that it was; else when it was known.
func (b *build) about() time.Time {
	o := &b.f.o
	at := time.Time{}
	for _, t := range []time.Time{o.Alert.First, o.Alert.Detected} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if at.IsZero() {
		at = o.Known
	}
	if at.IsZero() {
		at = o.Now
	}
	return at.UTC()
}

// begin finds what the alert is about: the acts upon its resources; where it names none that
// the log knows, the acts that make computers work, of whoever had not done so before, or of
// all.
func (b *build) begin() {
	from := b.anchor.Add(-lookBack)
	named := map[string]bool{}
	for i := range b.f.o.Alert.Resources {
		if i < MaxThings {
			named[id(b.f.o.Alert.Resources[i].ID)] = true
		}
	}
	delete(named, "")
	var all, fresh, hit []int
	old := map[string]bool{}
	for i := range b.acts {
		a := &b.acts[i]
		if a.kind != Made {
			continue
		}
		if a.at.Before(from) {
			old[a.actor] = true
			continue
		}
		all = append(all, i)
		if !old[a.actor] {
			fresh = append(fresh, i)
		}
		if within(named, strings.ToLower(a.path)) {
			hit = append(hit, i)
		}
	}
	chosen := hit
	if len(chosen) == 0 {
		chosen = fresh
	}
	if len(chosen) == 0 {
		chosen = all
	}
	for _, i := range chosen {
		if b.acts[i].actor != "" {
			b.actors[b.acts[i].actor] = true
		}
		b.suspect[i] = true
	}
	for _, i := range all { // what else the same ones made
		if b.actors[b.acts[i].actor] {
			b.suspect[i] = true
		}
	}
	b.onset = b.anchor
	for _, i := range all {
		if b.suspect[i] {
			// What was made after Microsoft saw it is not where it began.
			if at := b.acts[i].at; len(hit) > 0 || b.f.o.Alert.Detected.IsZero() || at.Before(b.f.o.Alert.Detected) {
				b.onset = at
			}
			break
		}
	}
	b.t.From = b.onset.Add(-Before)
}

// within says that a path is one of those named, or of one within them.
func within(named map[string]bool, path string) bool {
	for path != "" {
		if named[path] {
			return true
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
	}
	return false
}

// usual gathers what was usual before it began.
func (b *build) usual() {
	u := &b.before
	u.days, u.ips, u.lands = map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{}
	u.regions, u.types, u.sizes = map[string]bool{}, map[string]bool{}, map[string]bool{}
	u.from = b.f.first[Resources]
	if b.f.lost.After(u.from) {
		u.from = b.f.lost
	}
	until := b.onset.Add(-24 * time.Hour)
	put := func(m map[string]map[string]bool, k, v string) {
		if v == "" {
			return
		}
		if m[k] == nil {
			m[k] = map[string]bool{}
		}
		m[k][v] = true
	}
	for i := range b.acts {
		a := &b.acts[i]
		if a.at.IsZero() || !a.at.Before(until) || b.suspect[i] {
			continue
		}
		put(u.ips, a.actor, a.ip)
		switch a.source {
		case Resources, Rights:
			put(u.days, a.actor, a.at.Format(time.DateOnly))
			if !a.failed && a.kind == Made {
				u.regions[regionKey(a.region)], u.types[a.typ], u.sizes[strings.ToLower(a.sku)] = true, true, true
			}
		case SignIns:
			if !a.failed {
				put(u.lands, a.actor, a.country)
				put(u.lands, "", a.country)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b.f.listed)) { // what was there before says so, too
		r := b.f.listed[key]
		made := r.Created.Time
		if !r.Created.Set {
			made = r.Properties.Created.Time
		}
		if !made.IsZero() && made.Before(until) {
			u.regions[regionKey(clean(r.Location))], u.types[id(r.Type)] = true, true
			u.sizes[strings.ToLower(cmp.Or(clean(r.Properties.Hardware.VMSize), clean(r.SKU)))] = true
		}
	}
	delete(u.regions, "")
	delete(u.sizes, "")
}

// reaches is how many days before it began the log of Azure's acts reaches.
func (b *build) reaches() int {
	if b.before.from.IsZero() || !b.before.from.Before(b.onset) {
		return 0
	}
	return int(b.onset.Sub(b.before.from) / (24 * time.Hour))
}
