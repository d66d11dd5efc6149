package arm

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// path is an operation's address at one of the places where it is found.
func (r *route) path(at int) string {
	p := map[int]string{atTenant: "", atSubscription: "/subscriptions/{subscription}", atGroup: "/subscriptions/{subscription}/resourceGroups/{group}",
		atResource: "/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{type}/{name}",
		atLocation: "/subscriptions/{subscription}/providers/{namespace}/locations/{location}"}[at]
	if r.provider == anyProvider {
		p += "/providers/{namespace}"
	} else if r.provider != "" {
		p += "/providers/" + canonical(r.provider)
	}
	if len(r.words) > 0 {
		p += "/" + strings.Join(r.words, "/")
	}
	return p
}

// canonical spells a provider as it is published.
func canonical(provider string) string {
	for _, p := range providers() {
		if strings.EqualFold(p.namespace, provider) {
			return p.namespace
		}
	}
	return provider
}

// Operations are all operations, a row for each place where one is found.
func Operations() []kit.Operation {
	var out []kit.Operation
	for _, r := range makeRoutes() {
		for _, at := range []int{atTenant, atSubscription, atGroup, atResource, atLocation} {
			if r.at&at == 0 {
				continue
			}
			permission := r.action
			if permission == "" {
				permission = "none, or of a role that the operation asks for"
			}
			out = append(out, kit.Operation{Method: r.method, Path: r.path(at), Permission: permission,
				Options: slices.Concat([]string{"api-version"}, r.options),
				Source:  r.source})
		}
	}
	return out
}
