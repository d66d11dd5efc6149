package directory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"partnerguard/internal/lenient"
)

// Members is a list of members as exports write it: an array, one page as an
// object with value and a next link, one bare object, or a text that holds one
// of these. Why says what keeps it from being whole; "" nothing does.
type Members struct {
	Items []Member
	Set   bool
	Why   string
}

// UnmarshalJSON never fails: what cannot be read makes the list partial, and
// is not taken for "nobody".
func (m *Members) UnmarshalJSON(b []byte) error {
	*m = Members{}
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || b[0] == 'n':
	case b[0] == '[':
		m.list(b)
	case b[0] == '{':
		var page struct {
			Value json.RawMessage `json:"value"`
			Next  lenient.String  `json:"@odata.nextLink"`
			Named lenient.String  `json:"odataNextLink"` // as the Graph PowerShell SDK names it
			Bare  lenient.String  `json:"nextLink"`
			Count lenient.Int     `json:"@odata.count"`
		}
		if json.Unmarshal(b, &page) == nil && len(page.Value) > 0 {
			m.list(page.Value)
			switch n := int64(len(m.Items)); {
			case page.Next+page.Named+page.Bare != "":
				m.Why = "its list of members ends with a link to a further page"
			case page.Count.Set && page.Count.Value > n && m.Why == "":
				m.Why = fmt.Sprintf("%d of its %d members are in the export", n, page.Count.Value)
			}
			return nil
		}
		m.list(append(append([]byte{'['}, b...), ']'))
	case b[0] == '"':
		var s string
		if json.Unmarshal(b, &s) != nil || strings.TrimSpace(s) == "" {
			return nil
		}
		if t := []byte(strings.TrimSpace(s)); (t[0] == '[' || t[0] == '{') && json.Valid(t) {
			return m.UnmarshalJSON(t)
		}
		m.Set = true
		for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == ' ' }) {
			if !isGUID(part) {
				m.Items, m.Why = nil, "its members are written in a form that is not read"
				return nil
			}
			m.Items = append(m.Items, Member{ID: part})
		}
	default:
		m.Set, m.Why = true, "its members are written in a form that is not read"
	}
	return nil
}

func (m *Members) list(b []byte) {
	m.Set = true
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		m.Why = "its members are written in a form that is not read"
		return
	}
	lost := 0
	for _, r := range raw {
		var one Member
		if json.Unmarshal(r, &one) != nil || one.ID == "" && one.UserPrincipalName == "" {
			lost++
			continue
		}
		m.Items = append(m.Items, one)
	}
	if lost > 0 {
		m.Why = fmt.Sprintf("%d of its %d members are written in a form that is not read", lost, len(raw))
	}
}

// Member is an element of an expanded members list.
type Member struct {
	Type              string // @odata.type, in lower case and without the namespace; "" not known
	ID                string
	UserPrincipalName string
	DisplayName       string

	unsure bool // in one whole copy of the list and not in another
	added  bool // by Resolve, from what shows it beside the list
}

// UnmarshalJSON reads an expanded object, a reference link or a plain id.
func (m *Member) UnmarshalJSON(b []byte) error {
	*m = Member{}
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		m.fromLink(s)
		return nil
	}
	var o struct {
		Type       string `json:"@odata.type"`
		Link       string `json:"@odata.id"`
		ID         string `json:"id"`
		ObjectID   string `json:"objectId"`
		ObjectType string `json:"objectType"`
		UPN        string `json:"userPrincipalName"`
		Name       string `json:"displayName"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*m = Member{Type: shortType(o.Type), ID: o.ID, UserPrincipalName: o.UPN, DisplayName: o.Name}
	if m.ID == "" {
		m.ID = o.ObjectID
	}
	if m.Type == "" {
		m.Type = strings.ToLower(o.ObjectType)
	}
	if m.Type == "" && m.UserPrincipalName != "" {
		m.Type = "user"
	}
	if m.ID == "" && o.Link != "" {
		m.fromLink(o.Link)
	}
	return nil
}

// fromLink takes the last id in a reference: .../directoryObjects/{id}, or
// .../directoryObjects/{id}/Microsoft.DirectoryServices.User, or an id alone.
func (m *Member) fromLink(s string) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '/' || r == '\'' || r == '(' || r == ')' }) {
		if isGUID(part) {
			m.ID = part
		}
		if kind, ok := strings.CutPrefix(strings.ToLower(part), "microsoft.directoryservices."); ok {
			m.Type = kind
		}
	}
	if m.ID == "" && strings.Contains(s, "@") && !strings.Contains(s, "/") {
		m.UserPrincipalName, m.Type = strings.TrimSpace(s), "user"
	}
}

func shortType(t string) string {
	t = strings.ToLower(strings.TrimPrefix(t, "#"))
	return strings.TrimPrefix(t, "microsoft.graph.")
}

// isGUID reports the form 8-4-4-4-12 of hexadecimal digits.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

// expandLimit is where Graph cuts $expand=members, without a next link
// (contracts.md section 3.7).
const expandLimit = 20

// memberCopy is one list of members of a group, as one record held it.
type memberCopy struct {
	ids map[string]bool
	why string // why it is not whole
}

// lack says why the members of one record are not all; "" they are.
func (g *Group) lack() string {
	switch n := len(g.Members.Items); {
	case !g.Members.Set:
		return "its members are not in the export"
	case g.Members.Why != "":
		return g.Members.Why
	case g.MembersNext != "":
		return "its list of members ends with a link to a further page"
	case g.MembersCount.Set && g.MembersCount.Value > int64(n):
		return fmt.Sprintf("%d of its %d members are in the export", n, g.MembersCount.Value)
	case n == expandLimit && !g.MembersCount.Set:
		return "it shows exactly 20 members, where Graph cuts an expanded list without saying so"
	}
	return ""
}

// settle brings the copies of a group together: what one whole copy holds and
// another does not is unsure, whatever the order they were read in. It returns
// why the members are not all known.
func (g *Group) settle() (why string) {
	why = "its members are not in the export"
	whole := 0
	for _, c := range g.copies {
		if c.why == "" {
			whole++
		} else {
			why = c.why
		}
	}
	seen := map[string]int{}
	items := g.Members.Items[:0:0]
	for _, m := range g.Members.Items {
		if m.added {
			continue
		}
		k := m.key()
		if _, twice := seen[k]; !twice {
			seen[k] = len(items)
			items = append(items, m)
		} else if at := &items[seen[k]]; at.Type == "" {
			at.Type = m.Type
		}
	}
	if whole > 0 {
		why = ""
		for i := range items {
			items[i].unsure = false
			for _, c := range g.copies {
				if c.why == "" && !c.ids[items[i].key()] {
					items[i].unsure = true
				}
			}
		}
	}
	g.Members.Items = items
	return why
}

func (m *Member) key() string { return Key(m.ID, m.UserPrincipalName) }
