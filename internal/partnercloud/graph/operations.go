package graph

import (
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Operations are all operations that Graph serves or names as left out.
func Operations() []kit.Operation {
	var out []kit.Operation
	for _, r := range routes() {
		out = append(out, kit.Operation{
			Method: r.method, Path: "/" + r.pattern, Permission: r.permit.String(), Licence: r.permit.licence, Options: r.takes.options(r),
			Versions: r.only, LeftOut: r.leftOut, Source: r.source,
		})
	}
	for _, segment := range slices.Sorted(maps.Keys(absentParts)) {
		out = append(out, kit.Operation{Path: "/" + segment + ", also below " + strings.Join(absentRoots, ", "), LeftOut: absentParts[segment],
			Source: kit.Source{Text: "Left out", Sure: kit.Ours}})
	}
	return out
}

// options are the query options that an operation understands.
func (t takes) options(r *route) []string {
	switch {
	case r.leftOut != "":
		return nil
	case t.changes:
		return words("$select $filter $top $deltatoken $skiptoken")
	case r.method != "GET":
		return nil
	case !t.many:
		return words("$select $expand")
	}
	out := words("$select $filter $orderby $expand $count $skiptoken")
	if !t.noTop {
		out = append(out, "$top")
	}
	if t.advanced {
		out = append(out, "$search")
	} else if !t.noTop {
		out = append(out, "$skip")
	}
	return out
}

// String says in words what a caller needs.
func (p permit) String() string {
	either := func(list []string) string { return strings.Join(list, " | ") }
	say := []string{either(p.scopes)}
	if p.apps != nil {
		say = append(say, "apps: "+either(p.apps))
	}
	for _, more := range p.also {
		say = append(say, "and "+either(more))
	}
	if p.roles != nil {
		names := make([]string, len(p.roles))
		for i, r := range p.roles {
			names[i] = world.RoleName(r)
		}
		say = append(say, "users as "+either(names))
	}
	if p.own != nil {
		say = append(say, "one's own: "+either(p.own))
	}
	if p.gdap {
		say = append(say, "admin agents with MFA")
	} else if p.partner {
		say = append(say, "partner tenant")
	}
	return strings.Join(slices.DeleteFunc(say, func(s string) bool { return s == "" }), "; ")
}
