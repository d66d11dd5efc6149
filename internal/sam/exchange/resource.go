package exchange

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// Resource gives the identifier URI of a resource: by a short name ("graph",
// "partner-center", "arm"), by the app id of the three, or by the URI, whose
// trailing slash and /.default are dropped. The old name of Azure Resource
// Manager, management.core.windows.net, is the same API.
func Resource(cloud msapi.Cloud, name string) (string, error) {
	switch name {
	case "":
	case cloud.GraphResource, cloud.PartnerCenterResource, cloud.ARMResource:
		return name, nil
	}
	n := strings.TrimSpace(name)
	n = strings.TrimRight(strings.TrimSuffix(n, "/.default"), "/")
	known := func(resource string) (string, error) {
		if resource == "" {
			return "", problem.New(problem.Usage, "the cloud %q has no %.60s", cloud.Name, name)
		}
		return resource, nil
	}
	switch strings.ToLower(n) {
	case "graph", "microsoft-graph", entra.AppGraph:
		return known(cloud.GraphResource)
	case "partner-center", "partnercenter", entra.AppPartnerCenter:
		return known(cloud.PartnerCenterResource)
	case "arm", "azure", entra.AppARM, entra.OlderARM:
		return known(cloud.ARMResource)
	}
	if n == "" || len(n) > 300 || strings.ContainsFunc(n, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"\&<>^{|}?#`+"`", r) }) {
		return "", problem.New(problem.Usage, "%.60q names no resource", name).WithHint("e.g. graph, partner-center, arm, or " + entra.KeyVaultResource)
	}
	scheme, rest, uri := strings.Cut(n, "://")
	if uri && (scheme != "https" && scheme != "api" || rest == "") || !uri && !isGUID(n) {
		return "", problem.New(problem.Usage, "%.60q names no resource", name).WithHint("e.g. graph, partner-center, arm, or " + entra.KeyVaultResource)
	}
	for _, known := range []string{cloud.GraphResource, cloud.PartnerCenterResource, cloud.ARMResource} {
		if strings.EqualFold(n, known) {
			return known, nil
		}
	}
	return n, nil
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch dash := i == 8 || i == 13 || i == 18 || i == 23; {
		case dash && c != '-':
			return false
		case !dash && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'):
			return false
		}
	}
	return true
}

// scopeOf is the scope parameter of a request.
func scopeOf(resource string, scopes []string) (string, error) {
	if len(scopes) == 0 {
		return resource + "/.default offline_access", nil
	}
	list := slices.Clone(scopes)
	slices.Sort(list)
	list = slices.Compact(list)
	var b strings.Builder
	for _, s := range list {
		if !isScope(s) || len(list) > 100 {
			return "", problem.New(problem.Usage, "%.60q is no scope", s).WithHint("e.g. User.Read.All, without the resource")
		}
		b.WriteString(resource + "/" + s + " ")
	}
	return b.String() + "offline_access", nil
}

func isScope(s string) bool {
	return s != "" && len(s) <= 120 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	})
}
