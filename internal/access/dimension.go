package access

import (
	"strings"
)

// addDim adds a dimension whose clause of policy p on class c is match.
func (e *Engine) addDim(name string, labels []string, match func(i int, p *Policy, class int) tri) *dim {
	d := dim{name: name, labels: labels}
	for c := range labels {
		sure, could := e.mask(), e.mask()
		for i, p := range e.policies {
			t := match(i, p, c)
			if t == no && len(p.Unsupported) > 0 && p.lostDimension(dimID(len(e.dims))) {
				t = maybe
			}
			switch t {
			case yes:
				sure.set(i)
				could.set(i)
			case maybe:
				could.set(i)
			}
		}
		d.sure, d.could = append(d.sure, sure), append(d.could, could)
	}
	e.dims = append(e.dims, d)
	return &e.dims[len(e.dims)-1]
}

func (e *Engine) buildDims() {
	e.addDim("client", clientLabels[:], func(_ int, p *Policy, c int) tri { return matchClient(p, c) })
	e.addResources()
	e.addDim("platform", platformNames, func(_ int, p *Policy, c int) tri { return matchPlatform(p, c) })
	used := map[string]bool{}
	for _, p := range e.policies {
		for _, l := range p.Conditions.Locations.Items {
			for _, list := range [][]string{l.IncludeLocations, l.ExcludeLocations} {
				for _, id := range list {
					used[strings.ToLower(id)] = true
				}
			}
		}
	}
	e.geo = survey(e.tenant.Locations, used)
	labels := make([]string, len(e.geo.places))
	for i := range e.geo.places {
		labels[i] = e.geo.places[i].label
	}
	clauses := make([][]placeClause, len(e.policies))
	for i, p := range e.policies {
		for k := range p.Conditions.Locations.Items {
			if l := &p.Conditions.Locations.Items[k]; len(l.IncludeLocations)+len(l.ExcludeLocations) > 0 {
				clauses[i] = append(clauses[i], placeClause{newPlaceSet(l.IncludeLocations), newPlaceSet(l.ExcludeLocations)})
			}
		}
	}
	d := e.addDim("location", labels, func(i int, _ *Policy, c int) tri {
		out := yes
		for k := range clauses[i] {
			out = out.and(clauses[i][k].selects(&e.geo.places[c]))
		}
		return out
	})
	d.vague, d.phantom, d.blur = make([]bool, len(labels)), make([]bool, len(labels)), make([]bool, len(labels))
	for c := range e.geo.places {
		p := &e.geo.places[c]
		d.vague[c], d.phantom[c], d.blur[c] = p.vague, p.phantom, p.blur
	}
	level := func(get func(*Conditions) []string, names []string) func(int, *Policy, int) tri {
		return func(_ int, p *Policy, c int) tri {
			list := get(&p.Conditions)
			if len(list) == 0 {
				return yes
			}
			for _, v := range list {
				if strings.EqualFold(v, names[c]) {
					return yes
				}
			}
			return no
		}
	}
	e.addDim("sign-in risk", riskNames, level(func(c *Conditions) []string { return c.SignInRiskLevels }, riskNames))
	e.addDim("user risk", riskNames, level(func(c *Conditions) []string { return c.UserRiskLevels }, riskNames))
	e.addDim("insider risk", insiderNames, level(func(c *Conditions) []string { return c.InsiderRisk }, insiderNames))
	e.addDevices()
}

// lostDimension reports that what a policy says of a dimension is not
// understood.
func (p *Policy) lostDimension(l dimID) bool {
	switch {
	case l == dimClient:
		return p.lost(areaClients)
	case l == dimResource:
		return p.lost(areaApps)
	case l == dimPlatform:
		return p.lost(areaPlatforms)
	case l == dimLocation:
		return p.lost(areaLocations)
	case l == dimSignInRisk:
		return p.lost(areaSignInRisk)
	case l == dimUserRisk:
		return p.lost(areaUserRisk)
	case l == dimInsiderRisk:
		return p.lost(areaInsiderRisk)
	}
	return p.lost(areaDevices)
}

func matchClient(p *Policy, class int) tri {
	c := &p.Conditions
	// A flow clause takes only sign-ins by that flow.
	for _, f := range c.Flows.Items {
		wanted := false
		any := false
		for _, m := range f.TransferMethods {
			switch strings.ToLower(m) {
			case "devicecodeflow":
				any, wanted = true, wanted || class == clientDeviceCode
			case "authenticationtransfer":
				any, wanted = true, wanted || class == clientTransfer
			}
		}
		if any && !wanted {
			return no
		}
	}
	if len(c.ClientAppTypes) == 0 {
		return yes
	}
	out := no
	for _, v := range c.ClientAppTypes {
		switch strings.ToLower(v) {
		case "all":
			return yes
		case "browser":
			out = out.or(triOf(class == clientBrowser))
		case "mobileappsanddesktopclients":
			out = out.or(triOf(class == clientNative || class == clientDeviceCode || class == clientTransfer))
		case "exchangeactivesync":
			out = out.or(triOf(class == clientEAS))
		case "eassupported": // a part of Exchange ActiveSync
			if class == clientEAS {
				out = out.or(maybe)
			}
		case "other":
			out = out.or(triOf(class == clientOther))
		}
	}
	return out
}

func matchPlatform(p *Policy, class int) tri {
	out := yes
	for _, c := range p.Conditions.Platforms.Items {
		if len(c.Include)+len(c.Exclude) == 0 {
			continue
		}
		has := func(list []string) bool {
			for _, v := range list {
				if strings.EqualFold(v, "all") || strings.EqualFold(v, platformNames[class]) {
					return true
				}
			}
			return false
		}
		out = out.and(triOf((len(c.Include) == 0 || has(c.Include)) && !has(c.Exclude)))
	}
	return out
}
