package csdl

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed model_v1.0.txt model_beta.txt roots.txt
var files embed.FS

// Type is one type of the model; names are without the namespace microsoft.graph.
type Type struct {
	Kind       string // entity, complex, enum
	Name, Base string
	Open       bool
	Abstract   bool
	Flags      bool
	Properties []Member
	Navs       []Member
	Members    []string // of an enum: name=value
}

// Member is a property, navigation or parameter.
type Member struct {
	Name, Type string
	Many       bool
	Required   bool // not nullable
	Contained  bool // a navigation whose target lives in its owner
}

// Operation is an action or a function, bound to a type or a collection of it.
type Operation struct {
	Kind, Name, Bound string
	OnMany            bool
	Parameters        []Member
	Returns           *Member
}

// Model is the metadata of a version, with marks of what is served. It is built once
// and not safe for concurrent changes.
type Model struct {
	types map[string]*Type
	order []string
	ops   []*Operation
	sets  []set

	served map[string]bool // types
	navs   map[string]bool // type.name
	called map[*Operation]bool
}

type set struct {
	name, typ string
	single    bool
}

// Load reads the model of a version, "v1.0" or "beta".
func Load(version string) (*Model, error) {
	m := &Model{types: map[string]*Type{}, served: map[string]bool{}, navs: map[string]bool{}, called: map[*Operation]bool{}}
	for _, name := range []string{"model_" + version + ".txt", "roots.txt"} {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(b)) {
			if err := m.line(strings.TrimSpace(line), version == "beta"); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return m, nil
}

// line reads one line: "entity user directoryObject open : id=Edm.String! >manager=directoryObject",
// "enum color : red=0 blue=1", "action name on type* : p=Edm.String -> Edm.Boolean",
// "set users user", "one me user". A line that begins with ">" is for beta alone, with
// "<" for v1.0. A type may stand in several lines.
func (m *Model) line(s string, beta bool) error {
	if s == "" || s[0] == '#' {
		return nil
	}
	for mark, in := range map[string]bool{"> ": beta, "< ": !beta} {
		if rest, only := strings.CutPrefix(s, mark); only {
			if !in {
				return nil
			}
			s = rest
		}
	}
	head, tail, _ := strings.Cut(s, " : ")
	f, rest := strings.Fields(strings.TrimSuffix(head, " :")), strings.Fields(tail)
	if len(f) < 2 {
		return fmt.Errorf("not understood: %.60s", s)
	}
	switch f[0] {
	case "entity", "complex", "enum":
		t := m.types[f[1]]
		if t == nil {
			t = &Type{Kind: f[0], Name: f[1]}
			m.types[t.Name], m.order = t, append(m.order, t.Name)
		}
		for i, w := range f[2:] {
			switch {
			case w == "open":
				t.Open = true
			case w == "abstract":
				t.Abstract = true
			case w == "flags":
				t.Flags = true
			case i == 0:
				t.Base = w
			}
		}
		for _, w := range rest {
			if t.Kind == "enum" {
				t.Members = append(t.Members, w)
			} else if nav, ok := strings.CutPrefix(w, ">"); ok {
				t.Navs = append(t.Navs, member(nav))
			} else {
				t.Properties = append(t.Properties, member(w))
			}
		}
	case "action", "function":
		if len(f) < 4 {
			return fmt.Errorf("not understood: %.60s", s)
		}
		bound, many := strings.CutSuffix(f[3], "*")
		o := &Operation{Kind: f[0], Name: f[1], Bound: bound, OnMany: many}
		for i, w := range rest {
			if w == "->" && i+1 < len(rest) {
				r := member("=" + rest[i+1])
				o.Returns = &r
				break
			}
			o.Parameters = append(o.Parameters, member(w))
		}
		m.ops = append(m.ops, o)
	case "set", "one":
		if len(f) < 3 {
			return fmt.Errorf("not understood: %.60s", s)
		}
		m.sets = append(m.sets, set{f[1], f[2], f[0] == "one"})
	default:
		return fmt.Errorf("not understood: %.60s", s)
	}
	return nil
}

// member reads "name=*type!~": "*" a collection, "!" not nullable, "~" contained.
func member(w string) Member {
	name, typ, _ := strings.Cut(w, "=")
	out := Member{Name: name}
	typ, out.Contained = strings.CutSuffix(typ, "~")
	typ, out.Required = strings.CutSuffix(typ, "!")
	out.Type, out.Many = strings.CutPrefix(typ, "*")
	return out
}

// isA reports that a type is another one or derived from it.
func (m *Model) isA(typ, base string) bool {
	for n := 0; typ != "" && n < 20; n++ {
		if typ == base {
			return true
		}
		t := m.types[typ]
		if t == nil {
			return false
		}
		typ = t.Base
	}
	return false
}

// Unknown gives the first name of a path below a type's property that its type does
// not have; "" when all exist, or the model does not know the types.
func (m *Model) Unknown(typ string, path []string) string {
	cur := typ
	for i, seg := range path {
		p, open, ok := m.property(cur, seg)
		switch {
		case !ok && i > 0 && !open && m.types[cur] != nil:
			return seg
		case !ok:
			return ""
		case strings.HasPrefix(p.Type, "Edm.") && i+1 < len(path):
			return path[i+1]
		}
		cur = p.Type
	}
	return ""
}

// property finds a property of a type or of what it is derived from; open says that
// there may be others.
func (m *Model) property(typ, name string) (p Member, open, ok bool) {
	for t := m.types[typ]; t != nil; t = m.types[t.Base] {
		for _, list := range [][]Member{t.Properties, t.Navs} {
			for _, p := range list {
				if strings.EqualFold(p.Name, name) {
					return p, false, true
				}
			}
		}
		open = open || t.Open
	}
	return p, open, false
}

// Property finds the property that a path within a type names, with whether its type
// is an enum.
func (m *Model) Property(typ string, path []string) (p Member, enum, ok bool) {
	for i, name := range path {
		if p, _, ok = m.property(typ, name); !ok || p.Many && i < len(path)-1 {
			return p, false, false
		}
		typ = p.Type
	}
	t := m.types[p.Type]
	return p, t != nil && t.Kind == "enum", ok
}

// Serve marks what an address reaches, by its segments: "{}" stands for a key. It
// gives the segment that the model does not know, or "".
func (m *Model) Serve(path []string) (unknown string) {
	cur := ""
	many := false
	for _, s := range m.sets {
		if strings.EqualFold(s.name, path[0]) {
			cur, many = s.typ, !s.single
		}
	}
	if cur == "" {
		return path[0]
	}
	m.served[cur] = true
	for i, seg := range path[1:] {
		if seg == "{}" {
			many = false
			continue
		}
		if strings.HasPrefix(seg, "$") {
			return ""
		}
		nav, op := m.step(cur, seg, many)
		switch {
		case nav != nil:
			cur, many = nav.Type, nav.Many
			m.served[cur] = true
		case op != nil:
			return ""
		default:
			return path[i+1]
		}
	}
	return ""
}

// step goes on from a type by a navigation, a property with parts of its own, or an
// operation, and marks it.
func (m *Model) step(cur, seg string, many bool) (*Member, *Operation) {
	is := func(x Member) bool { return strings.EqualFold(x.Name, seg) }
	for name := cur; name != ""; {
		t := m.types[name]
		if t == nil {
			break
		}
		if i := slices.IndexFunc(t.Navs, is); i >= 0 {
			m.navs[t.Name+"."+t.Navs[i].Name] = true
			return &t.Navs[i], nil
		}
		if i := slices.IndexFunc(t.Properties, is); i >= 0 {
			return &t.Properties[i], nil
		}
		name = t.Base
	}
	for _, o := range m.ops {
		if strings.EqualFold(o.Name, seg) && o.OnMany == many && (m.isA(cur, o.Bound) || m.isA(o.Bound, cur)) {
			m.called[o] = true
			return nil, o
		}
	}
	return nil, nil
}

// Expand marks a navigation that can be expanded, and a type that is served besides.
func (m *Model) Expand(typ string, navs ...string) {
	if m.types[typ] == nil {
		return
	}
	m.served[typ] = true
	for _, n := range navs {
		if nav, _ := m.step(typ, n, false); nav != nil {
			m.served[nav.Type] = true
		}
	}
}
