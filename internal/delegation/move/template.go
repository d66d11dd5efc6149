//go:build !judge

package move

import (
	"slices"
	"strings"

	"partnerguard/internal/problem"
)

// Template is what every customer of a plan shall have, as a person wrote it.
type Template struct {
	Version int             `yaml:"version"` // 1
	Name    string          `yaml:"name"`
	Groups  []TemplateGroup `yaml:"groups"`
}

// TemplateGroup is a security group of the partner with roles, by name or id.
type TemplateGroup struct {
	ID    string   `yaml:"id"`
	Name  string   `yaml:"name,omitempty"`
	Roles []string `yaml:"roles"`
}

// ReadTemplate reads a template's file strictly; name is for its errors.
func ReadTemplate(name string, raw []byte) (Template, error) {
	var t Template
	if err := strictly(name, "docs/delegation-move.md shows one", raw, maxTemplate, &t); err != nil {
		return t, err
	}
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, name+": "+format, args...).WithHint("%s", hint)
	}
	switch {
	case t.Version != 1:
		return t, bad("version: 1", "the template's version is %d", t.Version)
	case !title.MatchString(t.Name) || len(t.Name) > 20:
		return t, bad("at most 20 letters, digits and dashes", "%.40q is no name of a template", t.Name)
	case len(t.Groups) == 0 || len(t.Groups) > maxGroups:
		return t, bad("groups: [{id: …, roles: […]}]", "a template has between 1 and %d groups", maxGroups)
	}
	seen := map[string]bool{}
	for i := range t.Groups {
		g := &t.Groups[i]
		g.ID = strings.ToLower(g.ID)
		if !guid.MatchString(g.ID) || seen[g.ID] {
			return t, bad("each group once, by its id", "%.40q is not a group, or is named twice", g.ID)
		}
		seen[g.ID] = true
		for k, r := range g.Roles {
			id, err := roleID(r)
			if err != nil {
				return t, bad(problem.HintOf(err), "%s", err.Error())
			}
			g.Roles[k] = id
		}
		slices.Sort(g.Roles)
		if g.Roles = slices.Compact(g.Roles); len(g.Roles) == 0 || len(g.Roles) > maxRoles {
			return t, bad("roles: [Helpdesk Administrator]", "the group %s has no roles, or too many", g.ID)
		}
	}
	return t, nil
}
