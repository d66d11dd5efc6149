package access

import (
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/entra"
)

// deviceAxis is one attribute of a device as a dimension: a class for each way
// the tests of it in the policies can come out together. Class 0 is a device
// without a value, or one that no test takes.
type deviceAxis struct {
	attr  string
	atoms []atom
	facts []string // the atoms by name, as in SignIn.Device
	holds []uint   // class -> the atoms that hold, one bit each
	// bare says that class 0 is a device without a value and nothing else, which
	// is asked about where a test of an extension attribute takes such devices only
	// in part.
	bare bool
	// opaque is a whole rule that is not understood: class 0 is any device, of
	// which it is not known whether the rule takes it, and the others are what it
	// may be.
	opaque bool
	// doubt: whether there is such a device hangs on how letters are compared.
	doubt []bool // by class
}

// maxAtoms bounds the tests of one attribute that are told apart.
const maxAtoms = 6

// The attributes that share a dimension with a grant control.
const (
	attrCompliant = "iscompliant"
	attrTrust     = "trusttype"
)

// gatherAxes reads the device filters of all policies and makes the axes.
// Attributes with too many tests become one axis for each rule.
func (e *Engine) gatherAxes() {
	by := map[string]*deviceAxis{}
	put := func(a atom) {
		x := by[a.attr]
		if x == nil {
			x = &deviceAxis{attr: a.attr}
			by[a.attr] = x
		}
		if !slices.Contains(x.atoms, a) {
			x.atoms = append(x.atoms, a)
		}
	}
	put(atom{attrCompliant, "eq", "True"})
	put(atom{attrTrust, "eq", "ServerAD"})
	for _, terms := range e.terms {
		for _, l := range terms {
			put(l.atom)
		}
	}
	var names []string
	for n := range by {
		if n != attrCompliant && n != attrTrust {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range append([]string{attrCompliant, attrTrust}, names...) {
		x := by[n]
		if len(x.atoms) > maxAtoms { // each test for itself: more devices than there can be, never fewer
			for _, a := range x.atoms {
				one := &deviceAxis{attr: n, atoms: []atom{a}}
				one.build()
				e.axes = append(e.axes, one)
			}
			continue
		}
		x.build()
		e.axes = append(e.axes, x)
	}
}

func (x *deviceAxis) build() {
	first := x.atoms[0]
	rest := x.atoms[1:]
	sort.Slice(rest, func(i, j int) bool { return rest[i].text() < rest[j].text() })
	x.atoms = append([]atom{first}, rest...)
	for _, a := range x.atoms {
		x.facts = append(x.facts, a.text())
	}
	x.bare, x.opaque = strings.HasPrefix(x.attr, "extensionattribute"), first.op == "rule"
	if x.bare || x.opaque {
		x.holds = append(x.holds, 0) // a device without a value, or any device
	}
	for v := range uint(1) << len(x.atoms) {
		if possible(x.atoms, v, eitherWay) {
			x.holds = append(x.holds, v)
			x.doubt = append(x.doubt, doubtful(x.atoms, v))
		}
	}
	x.doubt = append(make([]bool, len(x.holds)-len(x.doubt)), x.doubt...)
}

// matches says whether a device of class c meets a literal. A negative test of
// an extension attribute takes an unregistered device only when it is compliant
// or hybrid joined (Microsoft's table), so without a value that is open.
func (x *deviceAxis) matches(c int, l literal) tri {
	i := slices.Index(x.atoms, l.atom)
	if i < 0 {
		return yes
	}
	if x.opaque && c == 0 {
		return maybe
	}
	holds := x.holds[c]>>i&1 != 0
	if c == 0 && x.bare && !l.want {
		return maybe
	}
	return triOf(holds == l.want)
}

// name is the axis as answers name the dimension.
func (x *deviceAxis) name() string {
	switch x.attr {
	case attrCompliant:
		return AxisCompliant
	case attrTrust:
		return AxisJoined
	}
	if len(x.atoms) == 1 {
		return x.atoms[0].text()
	}
	return "device." + x.attr
}

// label says what devices of a class are.
func (x *deviceAxis) label(c int) string {
	switch x.attr {
	case attrCompliant:
		switch {
		case x.holds[c]&1 != 0:
			return "a compliant device"
		case len(x.atoms) == 1:
			return "a device that is not compliant"
		case x.holds[c] == 0:
			return "a device without a compliance state (unregistered or not managed)"
		case x.holds[c] == 2:
			return "a device reported as not compliant"
		}
	case attrTrust:
		switch {
		case x.holds[c]&1 != 0:
			return "a hybrid joined device"
		case x.holds[c] == 0:
			return "a device that is not hybrid joined"
		}
	}
	if x.opaque {
		return []string{"a device of which it is not known whether the filter takes it: ", "a device outside the filter ", "a device the filter takes: "}[c] +
			shorten(x.atoms[0].text())
	}
	var yes []string
	for i, a := range x.atoms {
		if x.holds[c]>>i&1 != 0 {
			yes = append(yes, shorten(a.text()))
		}
	}
	switch {
	case len(yes) > 0:
		return "a device the filter takes: " + strings.Join(yes, " and ")
	case c == 0 && x.bare:
		return "a device without a value of device." + x.attr
	case len(x.atoms) == 1:
		return "a device outside the filter " + shorten(x.atoms[0].text())
	}
	return "a device that no filter on device." + x.attr + " takes"
}

// addDevices adds the device dimensions: what a grant may ask of the device
// instead of MFA, and the attributes that device filters test.
func (e *Engine) addDevices() {
	add := func(x *deviceAxis) *dim {
		labels := make([]string, len(x.holds))
		for c := range labels {
			labels[c] = x.label(c)
		}
		d := e.addDim(x.name(), labels, func(i int, _ *Policy, c int) tri {
			out := yes
			for _, l := range e.terms[i] {
				if l.attr == x.attr {
					out = out.and(x.matches(c, l))
				}
			}
			return out
		})
		if x.opaque {
			d.vague, d.phantom = []bool{true, false, false}, []bool{false, true, true}
		} else if slices.Contains(x.doubt, true) {
			d.phantom = x.doubt
		}
		return d
	}
	plain := func(name, without, with string) *dim {
		return e.addDim(name, []string{without, with}, func(int, *Policy, int) tri { return yes })
	}
	add(e.axes[0])
	add(e.axes[1])
	plain(AxisApprovedApp, "an app that is not approved", "an approved client app")
	plain(AxisProtectedApp, "an app without app protection", "an app with app protection")
	for alt := range int(altAnything) {
		d := &e.dims[int(dimCompliant)+alt]
		d.guard = make([]mask, len(d.labels))
		for c := range d.guard {
			d.guard[c] = e.full()
		}
		for c := range d.guard {
			if !e.offers(alternative(alt), int32(c)) {
				continue
			}
			for p := range e.policies {
				if e.demands[p].or[alt] {
					d.guard[c][p/64] &^= 1 << (p % 64)
				}
			}
		}
	}
	for _, x := range e.axes[2:] {
		add(x)
	}
	for alt := range e.axisClass {
		l := int(dimCompliant) + alt
		for v := range 2 {
			e.axisClass[alt][v] = e.deviceClass(l, map[string]bool{e.dims[l].name: v == 1})
		}
	}
}

// offers reports that a class of a device dimension has what a grant may ask
// for instead of MFA.
func (e *Engine) offers(alt alternative, class int32) bool {
	if alt <= altDomainJoined {
		return e.axes[alt].holds[class]&1 != 0
	}
	return class == 1
}

// axisOf gives the axis of a dimension, or nil.
func (e *Engine) axisOf(l int) *deviceAxis {
	switch {
	case l == int(dimCompliant) || l == int(dimJoined):
		return e.axes[l-int(dimCompliant)]
	case l >= int(dimFirstFilter):
		return e.axes[2+l-int(dimFirstFilter)]
	}
	return nil
}

// deviceClass brings the facts of a sign-in to the class of a device dimension;
// -1 when they do not settle it.
func (e *Engine) deviceClass(l int, facts map[string]bool) int32 {
	x := e.axisOf(l)
	if x == nil {
		v, ok := facts[e.dims[l].name]
		switch {
		case !ok:
			return -1
		case v:
			return 1
		}
		return 0
	}
	mask, value := uint(0), uint(0)
	for i, name := range x.facts {
		v, ok := facts[name]
		if i == 0 && l < int(dimFirstFilter) && !ok {
			v, ok = facts[e.dims[l].name]
		}
		if ok {
			mask |= 1 << i
			if v {
				value |= 1 << i
			}
		}
	}
	switch {
	case x.opaque && mask == 0: // nobody says whether the rule takes it
		return 0
	case x.opaque:
		return int32(1 + value)
	case mask == 0:
		return -1
	}
	found := int32(-1)
	for c, holds := range x.holds {
		if holds&mask == value {
			if found >= 0 && !(x.bare && found == 0 && holds == 0) {
				return -1
			}
			found = int32(c)
		}
	}
	return found
}

// deviceFacts writes the class of a device dimension as facts of a sign-in.
func (e *Engine) deviceFacts(l int, c int32, facts map[string]bool) {
	x := e.axisOf(l)
	if x == nil {
		facts[e.dims[l].name] = c == 1
		return
	}
	for i, name := range x.facts {
		if x.opaque && c == 0 {
			continue
		}
		if i == 0 && l < int(dimFirstFilter) {
			name = e.dims[l].name
		}
		facts[name] = x.holds[c]>>i&1 != 0
	}
}

// shorten keeps the beginning of a long device filter for a label.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// locationName shows a location id as a person knows it.
func (e *Engine) locationName(id string) string {
	switch strings.ToLower(id) {
	case locAllTrusted:
		return "all trusted locations"
	case entra.CompliantNetwork:
		return "the compliant network"
	case entra.NilID:
		return "the MFA trusted IPs"
	}
	for _, l := range e.tenant.Locations {
		if strings.EqualFold(l.ID, id) {
			return "the location " + l.DisplayName
		}
	}
	return "the location " + id
}
