package access

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// Resource classes that stand for more than one app.
const (
	resOffice365    = "office365"
	resAdminPortals = "microsoftadminportals"
	resAgents       = "allagentidresources"
	resOther        = "any other app"
	resBasic        = "a client that asks for baseline scopes alone"
)

// noSuite are apps of Microsoft's that are in neither suite (K).
var noSuite = map[string]bool{
	"00000002-0000-0000-c000-000000000000": true, // Windows Azure Active Directory
	"00000003-0000-0000-c000-000000000000": true, // Microsoft Graph
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": true, // Azure Service Management
	"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd": true, // Partner Center
	"00000009-0000-0000-c000-000000000000": true, // Power BI
	"0000000a-0000-0000-c000-000000000000": true, // Microsoft Intune
	"d4ebce55-015a-49b5-a083-c84d1797ae8c": true, // Microsoft Intune Enrollment
	"cfa8b339-82a2-471a-a3c9-0fc0be7a4093": true, // Azure Key Vault
	"022907d3-0f1b-48f7-badc-1ba6abab6d66": true, // Azure SQL Database
	"372140e0-b3b7-4226-8ef9-d57986796201": true, // Azure Windows VM Sign-In
	"9cdead84-a844-4324-93f2-b2e6bb768d07": true, // Azure Virtual Desktop
	"38aa3b87-a06d-4817-b275-7a316988d93b": true, // Windows Sign-In
	"fc780465-2017-40d4-a0c5-307022471b92": true, // Windows Defender ATP
}

// Apps whose suite is known (K): members of the Office365 and
// MicrosoftAdminPortals groups by their app id. Any other id a policy names is
// taken for an app of neither.
var suiteOf = map[string]string{
	exchangeOnline:                         resOffice365,
	"00000003-0000-0ff1-ce00-000000000000": resOffice365, // SharePoint Online
	"00000004-0000-0ff1-ce00-000000000000": resOffice365, // Skype for Business Online
	"00000005-0000-0ff1-ce00-000000000000": resOffice365, // Viva Engage (Yammer)
	"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe": resOffice365, // Teams
	"2634dd23-5e5a-431c-81ca-11710d9079f4": resOffice365, // Stream
	"cf53fce8-def6-4aeb-8d30-b158e7b1cf83": resOffice365, // Stream portal
	"7df0a125-d3be-4c96-aa54-591f83ff541c": resOffice365, // Power Automate
	"66a88757-258c-4c72-893c-3e8bed4d6899": resOffice365, // Office 365 Search
	"c9a559d2-7aab-4f13-a6ed-e7e9c52aec87": resOffice365, // Forms
	"905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba": resOffice365, // Sway
	"94c63fef-13a3-47bc-8074-75af8c65887a": resOffice365, // Delve
	"09abbdfd-ed23-44ee-a2d9-a627aa1c90f3": resOffice365, // Planner
	"4765445b-32c6-49b0-83e6-1d93765276ca": resOffice365, // Office.com
	"2087bd82-7206-4c0a-b305-1321a39e5926": resOffice365, // To Do
	"c830ddb0-63e6-4f22-bd71-2ad47198a23e": resOffice365, // To Do
	"95de633a-083e-42f5-b444-a4295d8e9314": resOffice365, // Whiteboard
	"2d4d3d8e-2be3-4bef-9f87-7875a61c29de": resOffice365, // OneNote
	"4354e225-50c9-4423-9ece-2d5afd904870": resOffice365, // Augmentation Loop
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": resAdminPortals,
	"00000006-0000-0ff1-ce00-000000000000": resAdminPortals,
	"80ccca67-54bd-44ab-8625-4b79c4dc7775": resAdminPortals,
	"497effe9-df71-4043-a8bb-14cf78c4b63b": resAdminPortals,
}

const exchangeOnline = "00000002-0000-0ff1-ce00-000000000000"

// appNames are shown instead of ids where known (K).
var appNames = map[string]string{
	exchangeOnline:                         "Exchange Online",
	"00000003-0000-0ff1-ce00-000000000000": "SharePoint Online",
	"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe": "Teams",
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure portal",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": "Azure Service Management",
	"00000003-0000-0000-c000-000000000000": "Microsoft Graph",
	"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd": "Partner Center",
	resOffice365:                           "another app of Office 365",
	resAdminPortals:                        "another Microsoft admin portal",
	resBasic:                               "a client that asks for baseline scopes alone (openid, profile, User.Read)",
	actionRegisterInfo:                     "registering security information",
	actionRegisterDevice:                   "registering or joining a device",
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
	put(exchangeOnline)
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
		labels[i] = cmp.Or(appNames[k], e.tenant.Names[k], k)
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
		return triOf(include[i].hasApp(k, suiteOf[k]) && !exclude[i].hasApp(k, suiteOf[k]))
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
	if suiteOf[key] != "" || noSuite[key] || e.tenant.OwnApps[key] || suiteNames[key] != "" {
		return false
	}
	return strings.Count(key, "-") == 4 && e.namesSuite
}

// maybeSuite reports an app that is or may be of a suite.
func (e *Engine) maybeSuite(key, suite string) bool {
	return suiteOf[key] == suite || (suite == resOffice365 || suite == resAdminPortals) && e.suiteOpen(key)
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
	if s := suiteOf[id]; s != "" {
		return e.apps[s]
	}
	return e.apps[resOther]
}
