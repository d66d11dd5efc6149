package csdl

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Write gives the document of what is marked.
func (m *Model) Write() []byte {
	need := m.closure()
	byNS := map[string][]*Type{}
	for _, name := range m.order {
		if need[name] {
			ns, _ := namespace(name)
			byNS[ns] = append(byNS[ns], m.types[name])
		}
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>` + "\n" +
		`<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>` + "\n")
	spaces := make([]string, 0, len(byNS))
	for ns := range byNS {
		spaces = append(spaces, ns)
	}
	slices.Sort(spaces)
	for _, ns := range spaces {
		fmt.Fprintf(&b, `<Schema Namespace="%s"`, ns)
		if ns == root {
			b.WriteString(` Alias="graph"`)
		}
		b.WriteString(` xmlns="http://docs.oasis-open.org/odata/ns/edm">` + "\n")
		for _, t := range byNS[ns] {
			m.writeType(&b, t)
		}
		if ns == root {
			m.writeOperations(&b)
			m.writeContainer(&b)
		}
		b.WriteString("</Schema>\n")
	}
	b.WriteString("</edmx:DataServices></edmx:Edmx>\n")
	return b.Bytes()
}

const root = "microsoft.graph"

// namespace parts a name: partner.security.customerInsight lies in
// microsoft.graph.partner.security.
func namespace(name string) (ns, short string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return root + "." + name[:i], name[i+1:]
	}
	return root, name
}

func qualified(x Member) string {
	t := x.Type
	if !strings.HasPrefix(t, "Edm.") {
		ns, short := namespace(t)
		if t = ns + "." + short; ns == root {
			t = "graph." + short
		}
	}
	if x.Many {
		return "Collection(" + t + ")"
	}
	return t
}

// closure is what the marked types need: bases, derived types, types of properties,
// parameters and results.
func (m *Model) closure() map[string]bool {
	out := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		t := m.types[name]
		if t == nil || out[name] {
			return
		}
		out[name] = true
		add(t.Base)
		for _, p := range t.Properties {
			add(p.Type)
		}
		for _, n := range t.Navs {
			if m.navs[name+"."+n.Name] {
				add(n.Type)
			}
		}
	}
	for name := range m.served {
		add(name)
	}
	for o := range m.called {
		add(o.Bound)
		for _, p := range o.Parameters {
			add(p.Type)
		}
		if o.Returns != nil {
			add(o.Returns.Type)
		}
	}
	for _, name := range m.order { // what a served type may turn out to be
		for base := m.types[name].Base; base != "" && m.types[base] != nil; base = m.types[base].Base {
			if m.served[base] && base != "directoryObject" && base != "entity" {
				add(name)
			}
		}
	}
	return out
}

// knows reports a type that is in the excerpt, or primitive.
func (m *Model) knows(x Member) bool {
	return strings.HasPrefix(x.Type, "Edm.") || m.types[x.Type] != nil
}

func attr(b *bytes.Buffer, name, value string) {
	fmt.Fprintf(b, ` %s="`, name)
	_ = xml.EscapeText(b, []byte(value))
	b.WriteByte('"')
}

func (m *Model) writeType(b *bytes.Buffer, t *Type) {
	_, short := namespace(t.Name)
	element := map[string]string{"entity": "EntityType", "complex": "ComplexType", "enum": "EnumType"}[t.Kind]
	b.WriteString("<" + element)
	attr(b, "Name", short)
	if t.Base != "" {
		attr(b, "BaseType", qualified(Member{Type: t.Base}))
	}
	if t.Abstract {
		attr(b, "Abstract", "true")
	}
	if t.Open {
		attr(b, "OpenType", "true")
	}
	if t.Flags {
		attr(b, "IsFlags", "true")
	}
	b.WriteString(">\n")
	if t.Kind == "entity" && t.Base == "" && slices.ContainsFunc(t.Properties, func(p Member) bool { return p.Name == "id" }) {
		b.WriteString(`<Key><PropertyRef Name="id" /></Key>` + "\n")
	}
	for _, w := range t.Members {
		name, value, _ := strings.Cut(w, "=")
		b.WriteString("<Member")
		attr(b, "Name", name)
		attr(b, "Value", value)
		b.WriteString(" />\n")
	}
	for _, p := range t.Properties {
		if !m.knows(p) {
			continue
		}
		b.WriteString("<Property")
		attr(b, "Name", p.Name)
		attr(b, "Type", qualified(p))
		if p.Required {
			attr(b, "Nullable", "false")
		}
		b.WriteString(" />\n")
	}
	for _, n := range t.Navs {
		if !m.navs[t.Name+"."+n.Name] || !m.knows(n) {
			continue
		}
		b.WriteString("<NavigationProperty")
		attr(b, "Name", n.Name)
		attr(b, "Type", qualified(n))
		if n.Contained {
			attr(b, "ContainsTarget", "true")
		}
		b.WriteString(" />\n")
	}
	b.WriteString("</" + element + ">\n")
}

func (m *Model) writeOperations(b *bytes.Buffer) {
	for _, o := range m.ops {
		if !m.called[o] || slices.ContainsFunc(o.Parameters, func(p Member) bool { return !m.knows(p) }) || o.Returns != nil && !m.knows(*o.Returns) {
			continue
		}
		element := strings.ToUpper(o.Kind[:1]) + o.Kind[1:]
		b.WriteString("<" + element)
		attr(b, "Name", o.Name)
		attr(b, "IsBound", "true")
		b.WriteString(">\n")
		for _, p := range append([]Member{{Name: "bindingParameter", Type: o.Bound, Many: o.OnMany}}, o.Parameters...) {
			b.WriteString("<Parameter")
			attr(b, "Name", p.Name)
			attr(b, "Type", qualified(p))
			if p.Required {
				attr(b, "Nullable", "false")
			}
			b.WriteString(" />\n")
		}
		if o.Returns != nil {
			b.WriteString("<ReturnType")
			attr(b, "Type", qualified(*o.Returns))
			b.WriteString(" />\n")
		}
		b.WriteString("</" + element + ">\n")
	}
}

// writeContainer lists the entity sets and singletons that are served, with the sets
// that navigations lead to.
func (m *Model) writeContainer(b *bytes.Buffer) {
	b.WriteString(`<EntityContainer Name="GraphService">` + "\n")
	for _, s := range m.sets {
		if !m.served[s.typ] {
			continue
		}
		element, kind := "EntitySet", "EntityType"
		if s.single {
			element, kind = "Singleton", "Type"
		}
		b.WriteString("<" + element)
		attr(b, "Name", s.name)
		attr(b, kind, qualified(Member{Type: s.typ}))
		b.WriteString(">\n")
		for name := s.typ; m.types[name] != nil; name = m.types[name].Base {
			for _, n := range m.types[name].Navs {
				to := slices.IndexFunc(m.sets, func(x set) bool { return !x.single && x.typ == n.Type && m.served[x.typ] })
				if !m.navs[name+"."+n.Name] || n.Contained || to < 0 {
					continue
				}
				b.WriteString("<NavigationPropertyBinding")
				attr(b, "Path", n.Name)
				attr(b, "Target", m.sets[to].name)
				b.WriteString(" />\n")
			}
		}
		b.WriteString("</" + element + ">\n")
	}
	b.WriteString("</EntityContainer>\n")
}
