package msapi

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partner"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Commercial is the worldwide cloud.
func Commercial() Cloud { return cloud(entra.CloudPublic) }

// USGov is the US Government cloud (GCC High). Partner Center is the common one.
func USGov() Cloud { return cloud(entra.CloudUSGov) }

// China is the cloud that 21Vianet runs.
func China() Cloud { return cloud(entra.CloudChina) }

// cloud is one of entra's: its addresses are its resources too.
func cloud(name string) Cloud {
	c, _ := entra.FindCloud(name)
	return Cloud{
		Name: c.Name, Authority: c.Authority, Graph: c.Graph, PartnerCenter: c.PartnerCenter, ARM: c.ARM,
		GraphResource: c.Graph, PartnerCenterResource: c.PartnerCenter, ARMResource: c.ARM, Issuers: c.Issuers,
	}
}

// Clouds are Microsoft's clouds that are open.
func Clouds() []Cloud { return []Cloud{Commercial(), USGov(), China()} }

// FindCloud finds one of [Clouds] by a name that partner.ParseCloud takes. Kind
// problem.Usage when there is none.
func FindCloud(name string) (Cloud, error) {
	known, ok := partner.ParseCloud(name)
	var open []string
	for _, c := range Clouds() {
		if ok && c.Name == string(known) {
			return c, nil
		}
		open = append(open, c.Name)
	}
	if ok && !known.Open() {
		return Cloud{}, problem.New(problem.Usage, "the cloud %s is closed: nothing answers there", known).WithHint("clouds: %s", strings.Join(open, ", "))
	}
	return Cloud{}, problem.New(problem.Usage, "there is no cloud %.40q", name).WithHint("clouds: %s", strings.Join(open, ", "))
}

// CloudName is the present word for a cloud's name that was kept earlier.
func CloudName(kept string) string {
	if c, ok := partner.ParseCloud(kept); ok {
		return string(c)
	}
	return kept
}

// IssuersOf are the two issuers that tokens of a tenant may have: of v1 and of
// v2 tokens. Anything else was not issued for that tenant. The tenant is an id;
// nothing is expected of another name.
func (c Cloud) IssuersOf(tenant string) []string {
	if !isGUID(tenant) {
		return nil
	}
	tenant = strings.ToLower(tenant)
	var out []string
	for _, prefix := range c.Issuers {
		prefix = strings.TrimSuffix(prefix, "/") + "/" + tenant
		if u, err := url.Parse(prefix); err == nil && strings.HasPrefix(u.Hostname(), "sts.") {
			out = append(out, prefix+"/")
			continue
		}
		out = append(out, prefix+"/v2.0")
	}
	// The authority names itself in v2 tokens, also where the table lacks it.
	if own := c.Authority + "/" + tenant + "/v2.0"; !slices.Contains(out, own) {
		out = append(out, own)
	}
	return out
}

// Check says what is wrong with a cloud's addresses: each must be https, or
// http on this very machine, without path, query or credentials. Kind
// problem.Usage.
func (c Cloud) Check() error {
	for _, a := range []struct{ what, where string }{
		{"authority", c.Authority}, {"graph", c.Graph}, {"partnerCenter", c.PartnerCenter}, {"arm", c.ARM},
	} {
		if a.where == "" && a.what != "authority" {
			continue
		}
		u, err := url.Parse(a.where)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" || u.Scheme != "https" && u.Scheme != "http" {
			return problem.New(problem.Usage, "the cloud's %s is not an address such as "+entra.Login, a.what)
		}
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			return problem.New(problem.Usage, "the cloud's %s is plain http on another machine: tokens would be readable on the way", a.what).
				WithHint("use https")
		}
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var guid = pattern.Later(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

func isGUID(s string) bool { return guid.MatchString(s) }

// tenantName is what may stand in a token endpoint's path.
var tenantName = pattern.Later(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// checkTenant keeps anything else than a tenant's id or domain out of a path.
func checkTenant(tenant string) error {
	if !tenantName.MatchString(tenant) {
		return problem.New(problem.Usage, "%.80q is neither a tenant's id nor its domain", tenant)
	}
	return nil
}
