package access

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/entra"
)

// Resource classes that stand for more than one app.
const (
	resOffice365    = string(entra.Office365)
	resAdminPortals = string(entra.AdminPortals)
	resAgents       = "allagentidresources"
	resOther        = "any other app"
	resBasic        = "a client that asks for baseline scopes alone"
)

// appLabel is what stands for an app, a suite or an action instead of its id; ""
// where only the tenant may know a name.
func appLabel(key string) string {
	switch key {
	case entra.AppExchange, entra.AppSharePoint, entra.AppTeams, entra.AppAzurePortal, entra.AppARM, entra.AppGraph, entra.AppPartnerCenter:
		return entra.AppName(key)
	case resOffice365:
		return "another app of Office 365"
	case resAdminPortals:
		return "another Microsoft admin portal"
	case resBasic:
		return "a client that asks for baseline scopes alone (openid, profile, User.Read)"
	case actionRegisterInfo:
		return "registering security information"
	case actionRegisterDevice:
		return "registering or joining a device"
	}
	return ""
}

// suiteOf is the suite of an app; "" for one of neither, or that is not known to
// be of one.
func suiteOf(app string) string {
	if s := entra.SuiteOf(app); s != entra.NoSuite {
		return string(s)
	}
	return ""
}

// suiteNames name a suite as a whole.
var suiteNames = map[string]string{resOffice365: "Office 365", resAdminPortals: "the Microsoft admin portals"}

// gatherApps lists the apps that policies name, the suites, the user actions,
// and a stand-in for all other apps.
func (e *Engine) gatherApps() (keys []string) {
	e.apps = map[string]int{}
	put := func(id string) {
		id = strings.ToLower(id)
		e.namesSuite = e.namesSuite || suiteNames[id] != ""
		if id == "" || id == "all" || id == "none" || id == resOther || id == resBasic || id == resAgents || slices.Contains(knownActions, id) {
			return
		}
		if _, ok := e.apps[id]; !ok {
			e.apps[id] = -1
			keys = append(keys, id)
		}
	}
	for _, p := range e.policies {
		for _, id := range slices.Concat(p.Conditions.Applications.IncludeApplications, p.Conditions.Applications.ExcludeApplications) {
			put(id)
		}
	}
	named := e.namesSuite
	put(entra.AppExchange)
	put(resOffice365)
	put(resAdminPortals)
	e.namesSuite = named
	sort.Strings(keys)
	keys = append(keys, resOther, actionRegisterInfo, actionRegisterDevice)
	if e.exceptsApps() {
		keys = append(keys, resBasic)
	}
	return keys
}

// addResources makes a class for every app a policy names, for the suites, the
// user actions, and for all other apps together.
func (e *Engine) addResources() {
	keys := e.gatherApps()
	// An app that may be one of a suite stands there as what is known of it, and as
	// each thing that it may be.
	type phantom struct{ key, suite string }
	var phantoms []phantom
	for _, k := range keys {
		if e.suiteOpen(k) {
			phantoms = append(phantoms, phantom{k, ""}, phantom{k, resOffice365}, phantom{k, resAdminPortals})
		}
	}
	n := len(keys)
	labels := make([]string, n+len(phantoms))
	for i, k := range keys {
		e.apps[k] = i
		labels[i] = cmp.Or(appLabel(k), e.tenant.Names[k], k)
	}
	e.basic = -1
	if i, ok := e.apps[resBasic]; ok {
		e.basic = i
	}
	for i, ph := range phantoms {
		keys = append(keys, ph.key)
		labels[n+i] = labels[e.apps[ph.key]] + ", if it is of " + cmp.Or(suiteNames[ph.suite], "neither suite")
	}
	e.appKeys = keys
	include, exclude := make([]idSet, len(e.policies)), make([]idSet, len(e.policies))
	for i, p := range e.policies {
		include[i], exclude[i] = newIDSet(p.Conditions.Applications.IncludeApplications), newIDSet(p.Conditions.Applications.ExcludeApplications)
		for _, own := range []string{resOther, resBasic} { // names of ours, not an app's
			delete(include[i], own)
			delete(exclude[i], own)
		}
	}
	match := func(i int, p *Policy, c int) tri {
		k := keys[c]
		switch {
		case k == actionRegisterInfo || k == actionRegisterDevice:
			return triOf(slices.ContainsFunc(p.Conditions.Applications.UserActions, func(u string) bool { return strings.EqualFold(u, k) }))
		case k == resBasic:
			return basicScopes(include[i], exclude[i], e.tenant.baseline())
		case c >= n:
			suite := phantoms[c-n].suite
			return triOf(include[i].hasApp(k, suite) && !exclude[i].hasApp(k, suite))
		case e.suiteOpen(k):
			return include[i].perhapsApp(k).and(exclude[i].perhapsApp(k).not())
		}
		return triOf(include[i].hasApp(k, suiteOf(k)) && !exclude[i].hasApp(k, suiteOf(k)))
	}
	d := e.addDim("app", labels, match)
	d.vague, d.phantom = make([]bool, len(labels)), make([]bool, len(labels))
	for c := range labels {
		d.vague[c], d.phantom[c] = c < n && e.suiteOpen(keys[c]), c >= n
	}
	if e.basic >= 0 {
		e.basicBefore = e.mask()
		for i := range e.policies {
			if basicScopes(include[i], exclude[i], no) == yes {
				e.basicBefore.set(i)
			}
		}
	}
}

// suiteOpen reports an app that policies name and of which it is not known
// whether it is one of a suite that a policy names too.
func (e *Engine) suiteOpen(key string) bool {
	if entra.SuiteOf(key) != entra.SuiteUnknown || e.tenant.OwnApps[key] || suiteNames[key] != "" {
		return false
	}
	return strings.Count(key, "-") == 4 && e.namesSuite
}

// maybeSuite reports an app that is or may be of a suite.
func (e *Engine) maybeSuite(key, suite string) bool {
	return suiteOf(key) == suite || (suite == resOffice365 || suite == resAdminPortals) && e.suiteOpen(key)
}

// idSet is a set of ids in lower case.
type idSet map[string]bool

func newIDSet(ids []string) idSet {
	s := make(idSet, len(ids))
	for _, id := range ids {
		if id != "" {
			s[strings.ToLower(id)] = true
		}
	}
	return s
}

// hasApp says whether a list of apps holds an app, by itself, by its suite or
// by All.
func (s idSet) hasApp(key, suite string) bool { return s["all"] || s[key] || suite != "" && s[suite] }

// perhapsApp is hasApp of an app whose suite is not known.
func (s idSet) perhapsApp(key string) tri {
	switch {
	case s["all"] || s[key]:
		return yes
	case s[resOffice365] || s[resAdminPortals]:
		return maybe
	}
	return no
}

// resource finds the class of an app id or user action.
func (e *Engine) resource(id string) int {
	if c, ok := e.apps[id]; ok {
		return c
	}
	if s := suiteOf(id); s != "" {
		return e.apps[s]
	}
	return e.apps[resOther]
}
