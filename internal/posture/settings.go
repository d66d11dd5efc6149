package posture

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// policyKind is the kind of evidence that policies are.
const policyKind = "conditionalAccessPolicy"

// nominal are members that decide no sign-in.
var nominal = map[string]bool{"displayname": true, "description": true, "createddatetime": true, "modifieddatetime": true, "templateid": true, "id": true}

// settings compares policies and other settings.
func (c *comparison) settings() {
	key := func(s *Setting) string { return strings.ToLower(s.Kind + "\x00" + s.ID) }
	in := func(list []Setting) map[string]*Setting {
		out := map[string]*Setting{}
		for i := range list {
			out[key(&list[i])] = &list[i]
		}
		return out
	}
	was, is := in(c.a.Settings), in(c.b.Settings)
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		o, n := was[k], is[k]
		switch {
		case o == nil && c.listA[n.Kind] == ListWhole:
			kind, word := SettingChanged, "is new"
			if n.Kind == policyKind {
				kind, word = PolicyAdded, "is new, "+stateOf(n)
			}
			c.add(Cause{Kind: kind, Subject: n.Name, Object: n.ID, kinds: []string{n.Kind}, Text: fmt.Sprintf("%s %s", noun(n.Kind), word), Minor: idle(n)})
		case n == nil && c.listB[o.Kind] == ListWhole:
			kind := SettingChanged
			if o.Kind == policyKind {
				kind = PolicyRemoved
			}
			c.add(Cause{Kind: kind, Subject: o.Name, Object: o.ID, kinds: []string{o.Kind}, Text: noun(o.Kind) + " was removed", Minor: idle(o)})
		case o != nil && n != nil:
			c.edited(o, n)
		}
	}
}

// idle reports a policy that acts on no sign-in.
func idle(s *Setting) bool {
	state := unquoted(s.Members["state"])
	return s.Kind == policyKind && state != "" && !strings.EqualFold(state, "enabled")
}

func stateOf(s *Setting) string { return unquoted(s.Members["state"]) }

func noun(kind string) string {
	switch kind {
	case policyKind:
		return "the policy"
	case "namedLocation":
		return "the named location"
	case "authenticationStrengthPolicy":
		return "the authentication strength"
	case "identitySecurityDefaultsEnforcementPolicy":
		return "the setting"
	case "authenticationMethodsPolicy":
		return "the authentication methods policy"
	}
	return "the " + kind
}

// edited tells the members that differ.
func (c *comparison) edited(o, n *Setting) {
	all := maps.Clone(o.Members)
	maps.Copy(all, n.Members)
	var list []Member
	minor := true
	for _, p := range slices.Sorted(maps.Keys(all)) {
		from, to := o.Members[p], n.Members[p]
		if low := strings.ToLower(p); from == to || low == "modifieddatetime" || low == "createddatetime" {
			continue // when it was edited is the audit log's to say
		}
		m := Member{Path: p, From: c.named(from), To: c.named(to)}
		m.Added, m.Removed = c.lists(from, to)
		if (len(m.Added) > 0 || len(m.Removed) > 0) || !isList(from) || !isList(to) {
			list = append(list, m)
			minor = minor && nominal[strings.ToLower(p)]
		}
	}
	if len(list) == 0 {
		return
	}
	x := Cause{Kind: SettingChanged, Subject: n.Name, Object: n.ID, kinds: []string{n.Kind}, Members: list, Minor: minor || idle(o) && idle(n)}
	if n.Kind == policyKind {
		x.Kind = PolicyEdited
	}
	x.Text = noun(n.Kind) + " was edited: " + saidMembers(list)
	c.add(x)
}

// saidMembers tells members in a clause, what decides first.
func saidMembers(list []Member) string {
	const most = 4
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Member) int {
		return compareBool(nominal[strings.ToLower(a.Path)], nominal[strings.ToLower(b.Path)])
	})
	var parts []string
	for i := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more members", len(list)-most))
			break
		}
		parts = append(parts, list[i].String())
	}
	return strings.Join(parts, "; ")
}

// String is a member as it is told.
func (m *Member) String() string {
	var parts []string
	if len(m.Added) > 0 {
		parts = append(parts, "gained "+short(m.Added))
	}
	if len(m.Removed) > 0 {
		parts = append(parts, "lost "+short(m.Removed))
	}
	if len(parts) > 0 {
		return m.Path + " " + strings.Join(parts, " and ")
	}
	return fmt.Sprintf("%s was %s and is %s", m.Path, or(m.From, "not set"), or(m.To, "not set"))
}

func short(list []string) string {
	const most = 5
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}

func isList(s string) bool { return s == "" || s == "null" || strings.HasPrefix(s, "[") }

// lists gives what a list of texts gained and lost; nothing for other values.
func (c *comparison) lists(from, to string) (added, removed []string) {
	if !isList(from) || !isList(to) {
		return nil, nil
	}
	a, b := items(from), items(to)
	for _, v := range b {
		if !slices.Contains(a, v) {
			added = append(added, c.called(v))
		}
	}
	for _, v := range a {
		if !slices.Contains(b, v) {
			removed = append(removed, c.called(v))
		}
	}
	return added, removed
}

// items are the elements of a list, each as a text.
func items(s string) (out []string) {
	var list []json.RawMessage
	if json.Unmarshal([]byte(or(s, "null")), &list) != nil {
		return nil
	}
	for _, v := range list {
		out = append(out, unquoted(string(v)))
	}
	return out
}

// called is an id by the name of what it is.
func (c *comparison) called(id string) string {
	if name := c.names[strings.ToLower(id)]; name != "" && !strings.EqualFold(name, id) {
		return name
	}
	return id
}

// named is a value for people.
func (c *comparison) named(v string) string {
	if isList(v) && v != "" && v != "null" {
		var out []string
		for _, x := range items(v) {
			out = append(out, c.called(x))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	if v == "null" {
		return ""
	}
	return c.called(unquoted(v))
}

func unquoted(v string) string {
	var s string
	if strings.HasPrefix(v, `"`) && json.Unmarshal([]byte(v), &s) == nil {
		return s
	}
	return v
}

// Flatten brings a JSON object to its members by path. Lists stay whole, as compact
// JSON, their elements in order where they are texts; null, empty lists and empty
// objects are left out, so that a member that is not sent and one that is empty are
// the same. What is no JSON object has no members.
func Flatten(raw []byte) map[string]string {
	out := map[string]string{}
	var v map[string]any
	if json.Unmarshal(raw, &v) != nil {
		return out
	}
	flatten("", v, out, 0)
	return out
}

// maxDepth bounds how deep members are told apart; what is below is one value.
const maxDepth = 12

func flatten(path string, v any, out map[string]string, depth int) {
	switch v := v.(type) {
	case map[string]any:
		if depth < maxDepth {
			for k, x := range v {
				at := k
				if path != "" {
					at = path + "." + k
				}
				flatten(at, x, out, depth+1)
			}
			return
		}
		b, _ := json.Marshal(v) // it came from JSON
		out[path] = string(b)
	case []any:
		if len(v) == 0 {
			return
		}
		parts := make([]string, len(v))
		for i, x := range v {
			b, _ := json.Marshal(x)
			parts[i] = string(b)
		}
		slices.Sort(parts) // Microsoft's lists are sets
		out[path] = "[" + strings.Join(parts, ",") + "]"
	case nil:
	case string:
		if v != "" {
			b, _ := json.Marshal(v)
			out[path] = string(b)
		}
	default:
		b, _ := json.Marshal(v)
		out[path] = string(b)
	}
}
