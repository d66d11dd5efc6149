package access

import (
	"sort"
	"strings"
)

// addDevices adds the boolean axes: what a grant may ask of the device instead
// of MFA, and one axis for each device filter rule.
func (e *Engine) addDevices() {
	axis := func(name, without, with string) *dim {
		return e.addDim(name, []string{without, with}, func(_ int, p *Policy, c int) tri {
			for _, d := range p.Conditions.Devices.Items {
				if d.Filter == nil || strings.TrimSpace(d.Filter.Rule) == "" {
					continue
				}
				rule, want := readFilter(d.Filter.Rule)
				if rule != name {
					continue
				}
				matches := (c == 1) == want
				if strings.EqualFold(string(d.Filter.Mode), "exclude") {
					matches = !matches
				}
				if !matches {
					return no
				}
			}
			return yes
		})
	}
	for i, a := range []struct{ name, no, yes string }{
		{"compliant device", "a device that is not compliant", "a compliant device"},
		{"joined device", "a device that is not hybrid joined", "a hybrid joined device"},
		{"approved app", "an app that is not approved", "an approved client app"},
		{"protected app", "an app without app protection", "an app with app protection"},
	} {
		d := axis(a.name, a.no, a.yes)
		d.guard = []mask{e.full(), e.full()}
		for p := range e.policies {
			if e.demands[p].or[i] {
				d.guard[1][p/64] &^= 1 << (p % 64)
			}
		}
	}
	seen := map[string]bool{}
	for _, p := range e.policies {
		for _, d := range p.Conditions.Devices.Items {
			if d.Filter == nil || strings.TrimSpace(d.Filter.Rule) == "" {
				continue
			}
			if rule, _ := readFilter(d.Filter.Rule); !seen[rule] && rule != "compliant device" && rule != "joined device" {
				seen[rule] = true
				e.filters = append(e.filters, rule)
			}
		}
	}
	sort.Strings(e.filters)
	for _, r := range e.filters {
		axis(r, "a device outside the filter "+shorten(r), "a device the filter takes: "+shorten(r))
	}
}

// shorten keeps the beginning of a long device filter for a label.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// readFilter brings a device filter rule to an axis. The plain tests of
// compliance and join type share the axes of the grant controls; any other
// rule is an axis of its own, by its text.
func readFilter(rule string) (axis string, want bool) {
	words := strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(rule), "()")))
	if len(words) == 3 {
		value := strings.Trim(words[2], `"'`)
		eq, known := words[1] == "-eq", words[1] == "-eq" || words[1] == "-ne"
		switch {
		case known && words[0] == "device.iscompliant" && (value == "true" || value == "false"):
			return "compliant device", eq == (value == "true")
		case known && words[0] == "device.trusttype" && value == "serverad":
			return "joined device", eq
		}
	}
	return strings.Join(strings.Fields(rule), " "), true
}

// locationName shows a location id as a person knows it.
func (e *Engine) locationName(id string) string {
	switch strings.ToLower(id) {
	case locAllTrusted:
		return "all trusted locations"
	case locCompliantNetwork:
		return "the compliant network"
	case locMFATrusted:
		return "the MFA trusted IPs"
	}
	for _, l := range e.tenant.Locations {
		if strings.EqualFold(l.ID, id) {
			return "the location " + l.DisplayName
		}
	}
	return "the location " + id
}
