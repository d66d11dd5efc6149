package main

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// row is one sign-in before it takes the shape of an export.
type row struct {
	at       time.Time
	who      *person // nil for a service principal
	app      app
	from     place
	host     int    // last number of the address
	client   string // clientAppUsed
	protocol string
	token    string // incomingTokenType
	browser  string
	system   string

	quiet       bool // non-interactive
	code        int
	reason      string // status.failureReason
	details     string // status.additionalDetails
	required    bool   // authenticationRequirement
	steps       []o
	mfa         any // mfaDetail
	provider    []any
	ca          string // conditionalAccessStatus
	correlation string
	customer    *customer // on behalf of
	issuer      string
	workload    string // service principal credential type
	old         bool   // v1.0: no field that could prove MFA
}

// log makes all sign-ins, oldest first.
func log() []row {
	l := &diary{dice: dice("signins")}
	for day := olderFrom; day.Before(asOf); day = day.AddDate(0, 0, 1) {
		l.day(day)
	}
	l.rows = slices.DeleteFunc(l.rows, func(r row) bool { return !r.at.Before(asOf) })
	slices.SortStableFunc(l.rows, func(a, b row) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	return l.rows
}

type diary struct {
	dice *rand.Rand
	rows []row
	n    int
}

func (l *diary) chance(p float64) bool { return l.dice.Float64() < p }

// moment is a time of the working day, most of them in the morning and after
// lunch.
func (l *diary) moment(day time.Time) time.Time {
	h := 6 + l.dice.IntN(4)
	if l.chance(.45) {
		h = 11 + l.dice.IntN(6)
	}
	return day.Add(time.Duration(h)*time.Hour + time.Duration(l.dice.IntN(3600))*time.Second + time.Duration(l.dice.IntN(1e9)))
}

func (l *diary) correlation() string {
	l.n++
	return guid(fmt.Sprint("correlation/", l.n))
}

func (l *diary) add(r row) {
	if r.correlation == "" {
		r.correlation = l.correlation()
	}
	if r.ca == "" {
		r.ca = "notApplied"
	}
	l.rows = append(l.rows, r)
}

// day is one day of the partner.
func (l *diary) day(day time.Time) {
	weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	share := 1.0
	if day.Before(logFrom) {
		share = .16 // the older export was filtered by whoever made it
	}
	for i := range people {
		p := &people[i]
		chance := p.active * share * .8
		if weekend {
			chance *= .14
		}
		if p.disabled || p.created.After(day) || !l.chance(chance) {
			continue
		}
		l.person(p, day)
	}
	l.scripts(day, weekend)
	if !weekend && day.After(logFrom) {
		l.customers(day)
		l.mishaps(day)
	}
	if day.Equal(time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC)) {
		// The yearly drill: the emergency account works, and nobody asks it for more than its password.
		l.add(l.plain(who("emergency"), day.Add(13*time.Hour+4*time.Minute), portal, office))
	}
	if day.Equal(time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)) {
		r := l.strong(who("mia.lindqvist"), time.Date(2026, 11, 20, 5, 41, 12, 331e6, time.UTC), portal, dublin)
		l.add(r)
	}
}

// person lets somebody work: one interactive sign-in, and now and then the
// quiet renewals that follow it.
func (l *diary) person(p *person, day time.Time) {
	from := p.home
	if l.chance(p.office) {
		from = office
	}
	apps := []app{office30, teams, outlook, outlook}
	if p.admin() || p.eligible != nil {
		apps = []app{portal, admin365, teams, center}
	}
	if strings.Contains(p.title, "Licensing") || strings.Contains(p.title, "Billing") || p.title == "Customer Success" {
		apps = append(apps, center, center)
	}
	if strings.HasSuffix(p.title, "Engineer") {
		apps = append(apps, azureCLI, portal)
	}
	a := apps[l.dice.IntN(len(apps))]
	at := l.moment(day)

	switch {
	case p.guest:
		l.add(l.guest(p, at, teams))
		return
	case demands(p, from) && len(p.methods) == 0:
		// Nothing to answer with: the prompt to enrol is where it ends.
		l.add(l.interrupted(p, at, a, from, 50079, enrol))
		return
	case demands(p, from) && l.chance(.42):
		if l.chance(.3) {
			first := l.interrupted(p, at.Add(-time.Duration(11+l.dice.IntN(25))*time.Second), a, from, 50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.")
			l.add(first)
			r := l.strong(p, at, a, from)
			r.correlation = first.correlation
			l.add(r)
		} else {
			l.add(l.strong(p, at, a, from))
		}
	case demands(p, from):
		l.add(l.claim(p, at, a, from, false))
	case l.chance(.2) && len(p.methods) > 0:
		l.add(l.claim(p, at, a, from, false)) // brought the claim from home
	case l.chance(.12):
		l.add(l.carried(p, at, a, from))
	default:
		l.add(l.plain(p, at, a, from))
	}
	if demands(p, from) && l.chance(.36) {
		r := l.claim(p, at.Add(time.Duration(40+l.dice.IntN(160))*time.Minute), outlook, from, true)
		l.add(r)
	}
}

const enrol = "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource."

var browsers = []string{"Edge 142.0.0", "Chrome 142.0.0", "Firefox 145.0", "Safari 26.1"}
var systems = []string{"Windows11", "Windows11", "Windows10", "MacOs"}

// base is what all rows of a person share.
func (l *diary) base(p *person, at time.Time, a app, from place) row {
	h := dice("host/" + p.upn)
	r := row{at: at, who: p, app: a, from: from, host: 10 + h.IntN(180), client: "Browser", protocol: "none", token: "none",
		browser: browsers[h.IntN(len(browsers))], system: systems[h.IntN(len(systems))]}
	if a == teams || a == outlook || a == azureCLI {
		r.client = "Mobile Apps and Desktop clients"
		r.browser = ""
		r.protocol = "oAuth2"
	}
	return r
}

func step(at time.Time, method, detail, result, requirement string, ok bool) o {
	return o{"authenticationStepDateTime", stamp(at), "authenticationMethod", method, "authenticationMethodDetail", detail, "succeeded", ok,
		"authenticationStepResultDetail", result, "authenticationStepRequirement", requirement}
}

func password(p *person) string {
	if p.synced {
		return "Password Hash Sync"
	}
	return "Password in the cloud"
}

const (
	primary = "Primary authentication"
	second2 = "Multifactor authentication"
)

// plain is a password and nothing else.
func (l *diary) plain(p *person, at time.Time, a app, from place) row {
	r := l.base(p, at, a, from)
	r.steps = []o{step(at, "Password", password(p), "Correct password", primary, true)}
	return r
}

// carried rests on an earlier first factor; the row alone cannot say whether
// that one had a second.
func (l *diary) carried(p *person, at time.Time, a app, from place) row {
	r := l.base(p, at, a, from)
	r.token = "primaryRefreshToken"
	r.steps = []o{step(at, "Previously satisfied", "", "First factor requirement satisfied by claim in the token", primary, true)}
	return r
}

// strong is a password and a second factor, here and now.
func (l *diary) strong(p *person, at time.Time, a app, from place) row {
	r := l.base(p, at, a, from)
	method, detail, auth := preferred(p)
	r.required, r.ca = true, "success"
	r.details = "MFA completed in Azure AD"
	r.mfa = o{"authMethod", auth, "authDetail", detail}
	r.steps = []o{step(at, "Password", password(p), "Correct password", primary, true),
		step(at.Add(9*time.Second), method, detail, "MFA completed in Azure AD", second2, true)}
	r.provider = []any{o{"requirementProvider", "multiConditionalAccess", "detail", "Conditional Access"}}
	return r
}

// claim is satisfied by the MFA of an earlier sign-in.
func (l *diary) claim(p *person, at time.Time, a app, from place, quiet bool) row {
	r := l.base(p, at, a, from)
	r.quiet = quiet
	r.token = "primaryRefreshToken"
	if quiet {
		r.token = "refreshToken"
	}
	if demands(p, from) {
		r.required, r.ca = true, "success"
		r.provider = []any{o{"requirementProvider", "multiConditionalAccess", "detail", "Conditional Access"}}
	}
	r.details = "MFA requirement satisfied by claim in the token"
	r.steps = []o{step(at, "Previously satisfied", "", "First factor requirement satisfied by claim in the token", primary, true),
		step(at, "Previously satisfied", "", "MFA requirement satisfied by claim in the token", second2, true)}
	return r
}

// guest passed MFA at home, and the claim was accepted.
func (l *diary) guest(p *person, at time.Time, a app) row {
	r := l.base(p, at, a, p.home)
	r.required, r.ca = true, "success"
	r.details = "MFA requirement satisfied by claim provided by external provider"
	r.steps = []o{step(at, "Federated", "Satisfied by the home tenant", "First factor requirement satisfied by claim provided by external provider", primary, true),
		step(at, "Federated", "Satisfied by the home tenant", "MFA requirement satisfied by claim provided by external provider", second2, true)}
	return r
}

// interrupted stops at a prompt.
func (l *diary) interrupted(p *person, at time.Time, a app, from place, code int, why string) row {
	r := l.base(p, at, a, from)
	r.code, r.reason, r.required, r.ca = code, why, true, "failure"
	r.correlation = l.correlation()
	r.steps = []o{step(at, "Password", password(p), "Correct password", primary, true)}
	return r
}

// scripts are the accounts nobody sits at.
func (l *diary) scripts(day time.Time, weekend bool) {
	sync := l.base(who("Sync_DC01_4f2a91c07b3e"), day.Add(4*time.Hour+30*time.Minute+time.Duration(l.dice.IntN(200))*time.Second), connect, office)
	sync.client, sync.protocol, sync.browser, sync.system, sync.quiet = "Mobile Apps and Desktop clients", "oAuth2", "", "Windows", true
	sync.steps = []o{step(sync.at, "Password", password(sync.who), "Correct password", primary, true)}

	pay := l.base(who("svc-billing"), day.Add(2*time.Hour+time.Duration(l.dice.IntN(50))*time.Second), billing, cloud)
	pay.host, pay.client, pay.protocol, pay.browser, pay.system = 200, "Mobile Apps and Desktop clients", "ropc", "Python Requests 2.32", "Linux"
	pay.steps = []o{step(pay.at, "Password", "Password in the cloud", "Correct password", primary, true)}

	older := day.Before(logFrom)
	if !older || day.Day()%4 == 0 {
		l.add(pay)
	}
	if !older && (day.Day()%3 == 0) {
		l.add(sync)
	}
	if weekend || older && day.Day()%5 != 0 {
		return
	}
	for range 1 + l.dice.IntN(2) {
		scan := l.base(who("scanner"), l.moment(day), exchange, office)
		scan.host, scan.client, scan.protocol, scan.browser, scan.system = 61, "Authenticated SMTP", "none", "", ""
		scan.steps = []o{step(scan.at, "Password", "Password in the cloud", "Correct password", primary, true)}
		l.add(scan)
	}
	if day.Weekday() == time.Tuesday || day.Weekday() == time.Thursday {
		old := l.base(who("hannes.brandt"), l.moment(day), exchange, office)
		old.client, old.browser, old.system = "Exchange Web Services", "", "Windows7"
		old.steps = []o{step(old.at, "Password", password(old.who), "Correct password", primary, true)}
		l.add(old)
	}
	if older {
		return
	}
	bot := row{at: day.Add(time.Duration(3+l.dice.IntN(15)) * time.Hour), app: tickets, from: cloud, host: 210, workload: "certificate"}
	if day.Day()%2 == 0 {
		bot.app, bot.workload = monitor, "clientSecret"
	}
	l.add(bot)
}

// customers is work on behalf of customers: Microsoft itself asks for MFA
// there.
func (l *diary) customers(day time.Time) {
	for range 1 + l.dice.IntN(3) {
		team := groups[4].members
		a := portal
		if l.chance(.5) {
			team, a = groups[5].members, admin365
		}
		p := who(team[l.dice.IntN(len(team))])
		c := &customers[l.dice.IntN(len(customers))]
		var r row
		if l.chance(.3) {
			r = l.strong(p, l.moment(day), a, p.home)
		} else {
			r = l.claim(p, l.moment(day), a, p.home, false)
		}
		r.customer, r.ca = c, "notApplied" // no policy of ours: Microsoft asks
		r.provider = []any{o{"requirementProvider", "enforcedForCspAdmins", "detail", "MFA is enforced for CSP admins"}}
		l.add(r)
	}
}

// mishaps are what every log has: wrong passwords, refused prompts, blocked
// attempts, prompts nobody finished.
func (l *diary) mishaps(day time.Time) {
	fail := func(p *person, a app, from place, code int, why, ca string) {
		r := l.base(p, l.moment(day), a, from)
		r.code, r.reason, r.ca = code, why, ca
		ok := code != 50126 && code != 50053
		said := "Correct password"
		if !ok {
			said = "Invalid username or password or Invalid on-premise username or password."
		}
		r.steps = []o{step(r.at, "Password", password(p), said, primary, ok)}
		if code == 500121 {
			r.required = true
			method, detail, auth := preferred(p)
			r.mfa = o{"authMethod", auth, "authDetail", detail}
			r.details = "MFA denied; user declined the authentication"
			r.steps = append(r.steps, step(r.at.Add(20*time.Second), method, detail, "MFA denied; user declined the authentication", second2, false))
		}
		if code == 53003 && a == azureCLI {
			r.protocol = "deviceCode"
		}
		l.add(r)
	}
	pick := []string{"priya.nair", "oskar.berg", "brian.walsh", "ines.costa", "marek.kowal", "anna.virtanen", "aoife.byrne"}
	if l.chance(.45) {
		p := who(pick[l.dice.IntN(len(pick))])
		fail(p, office30, p.home, 50126, "Error validating credentials due to invalid username or password.", "notApplied")
	}
	switch day.Day() {
	case 23:
		fail(who("tomas.silva"), azureCLI, munich, 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", "failure")
	case 28:
		fail(who("ravi.menon"), portal, dublin, 500121, "Authentication failed during strong authentication request.", "failure")
	case 4, 5, 6:
		for range 2 {
			fail(who("niamh.kelly"), exchange, abroad, 50053, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.", "notApplied")
			last := &l.rows[len(l.rows)-1]
			last.client, last.browser, last.system = "IMAP4", "", ""
		}
	case 11:
		fail(who("hannes.brandt"), exchange, dublin, 53003, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", "failure")
		l.rows[len(l.rows)-1].client = "Exchange Web Services"
	case 18:
		if p := who("lucia.moreau"); p.created.Before(day) {
			l.add(l.interrupted(p, l.moment(day), outlook, dublin, 50079, enrol))
		}
	case 13, 17:
		p := who("henrik.dahl")
		l.add(l.interrupted(p, l.moment(day), center, branch, 50074, "Strong Authentication is required."))
	}
	// Noor works through another tool, whose export has none of the fields
	// that could prove MFA.
	if day.Day()%7 == 3 {
		r := l.plain(who("noor.haddad"), l.moment(day), office30, munich)
		r.old, r.ca = true, "success"
		l.add(r)
	}
}

// id is the row's own id.
func (r *row) id() string {
	name := "sp/" + r.app.id
	if r.who != nil {
		name = r.who.upn
	}
	return guid("row/" + name + "/" + stamp(r.at))
}

func (r *row) address() string { return r.from.net + fmt.Sprint(r.host) }

func (r *row) location() o {
	return o{"city", r.from.city, "state", r.from.state, "countryOrRegion", r.from.country, "geoCoordinates", o{"altitude", nil, "latitude", r.from.lat, "longitude", r.from.lon}}
}

func (r *row) device() o {
	return o{"deviceId", "", "displayName", "", "operatingSystem", r.system, "browser", r.browser, "isCompliant", false, "isManaged", false, "trustType", nil}
}

func (r *row) status() o {
	reason := r.reason
	if r.code == 0 {
		reason = "Other."
	}
	var details any
	if r.details != "" {
		details = r.details
	}
	return o{"errorCode", r.code, "failureReason", reason, "additionalDetails", details}
}

func (r *row) resourceTenant() string {
	if r.customer != nil {
		return r.customer.tenant()
	}
	return tenantID
}

func (r *row) homeTenant() string {
	if r.who != nil && r.who.guest {
		return customers[0].tenant()
	}
	return tenantID
}

func (r *row) cross() string {
	switch {
	case r.customer != nil:
		return "serviceProvider"
	case r.who != nil && r.who.guest:
		return "b2bCollaboration"
	}
	return "none"
}

func (r *row) requirement() string {
	if r.required {
		return "multiFactorAuthentication"
	}
	return "singleFactorAuthentication"
}

// applied lists the policies with what they came to.
func (r *row) applied() []any {
	out := []any{}
	for _, p := range policies() {
		result := "notApplied"
		hit := r.who != nil && p.applies(r.who, r.from, r.client) && r.customer == nil && !(r.who.guest && r.code != 0)
		switch {
		case p.whenReportOnly && !hit:
			result = "reportOnlyNotApplied"
		case p.whenReportOnly && (len(p.control) == 0 && strongKey(r.who)):
			result = "reportOnlySuccess"
		case p.whenReportOnly:
			result = "reportOnlyFailure"
		case r.code == 53003 && p.flows != nil && r.protocol == "deviceCode":
			result = "failure"
		case hit && (r.code == 0):
			result = "success"
		case hit && r.code != 50126 && r.code != 50053:
			result = "failure"
		}
		control := []string{}
		for _, c := range p.control {
			control = append(control, strings.ToUpper(c[:1])+c[1:])
		}
		out = append(out, o{"id", policyID(p.name), "displayName", p.name, "enforcedGrantControls", control, "enforcedSessionControls", []string{}, "result", result})
	}
	return out
}

func strongKey(p *person) bool {
	return slices.Contains(p.methods, "fido2SecurityKey") || slices.Contains(p.methods, "windowsHelloForBusiness")
}

func (r *row) agent() string {
	switch {
	case strings.HasPrefix(r.browser, "Python"):
		return "python-requests/2.32.5"
	case r.browser == "":
		return ""
	}
	return "Mozilla/5.0 (" + r.system + ") " + strings.Replace(r.browser, " ", "/", 1)
}

// graph is the row as the beta resource has it, or as v1.0 has it.
func (r *row) graph() o {
	if r.workload != "" {
		return r.servicePrincipal()
	}
	kind, event := "member", "interactiveUser"
	if r.who.guest {
		kind = "guest"
	}
	if r.quiet {
		event = "nonInteractiveUser"
	}
	head := o{
		"id", r.id(), "createdDateTime", stamp(r.at), "userDisplayName", r.who.name, "userPrincipalName", strings.ToLower(r.who.upn), "userId", r.who.id(),
		"appId", r.app.id, "appDisplayName", r.app.name, "ipAddress", r.address(), "clientAppUsed", r.client, "userAgent", r.agent(), "correlationId", r.correlation,
		"conditionalAccessStatus", r.ca, "isInteractive", !r.quiet, "resourceDisplayName", r.app.resource, "resourceId", r.app.resourceID,
		"resourceTenantId", r.resourceTenant(), "homeTenantId", r.homeTenant(),
		"riskDetail", "hidden", "riskLevelAggregated", "hidden", "riskLevelDuringSignIn", "hidden", "riskState", "none", "riskEventTypes_v2", []string{},
		"servicePrincipalId", "", "servicePrincipalName", nil,
	}
	tail := o{"status", r.status(), "deviceDetail", r.device(), "location", r.location(), "appliedConditionalAccessPolicies", r.applied()}
	if r.old {
		// Whoever exported these rows may not read policies: the list is empty.
		return append(head, append(tail[:len(tail)-2:len(tail)-2], "appliedConditionalAccessPolicies", []any{})...)
	}
	raw, _ := hex.DecodeString(strings.ReplaceAll(r.id(), "-", ""))
	steps := []any{}
	for _, s := range r.steps {
		steps = append(steps, s)
	}
	provider := r.provider
	if provider == nil {
		provider = []any{}
	}
	issuer := "AzureAD"
	if r.issuer != "" {
		issuer = r.issuer
	}
	return append(append(head,
		"originalRequestId", r.id(), "tokenIssuerName", "", "tokenIssuerType", issuer, "processingTimeInMilliseconds", 90+r.host,
		"authenticationMethodsUsed", []string{}, "authenticationRequirement", r.requirement(), "signInIdentifier", "", "signInIdentifierType", nil,
		"signInEventTypes", []string{event}, "userType", kind, "flaggedForReview", false, "isTenantRestricted", false, "autonomousSystemNumber", 64500,
		"crossTenantAccessType", r.cross(), "uniqueTokenIdentifier", base64.RawURLEncoding.EncodeToString(raw), "incomingTokenType", r.token,
		"authenticationProtocol", r.protocol, "originalTransferMethod", "none", "clientCredentialType", "none", "mfaDetail", r.mfa,
		"authenticationProcessingDetails", []any{}, "networkLocationDetails", r.network(), "authenticationDetails", steps,
		"authenticationRequirementPolicies", provider, "sessionLifetimePolicies", []any{},
	), tail...)
}

func (r *row) network() []any {
	if !r.from.trusted {
		return []any{}
	}
	return []any{o{"networkType", "trustedNamedLocation", "networkNames", []string{"Headquarters Dublin"}}}
}

func (r *row) servicePrincipal() o {
	return o{
		"id", r.id(), "createdDateTime", stamp(r.at), "userDisplayName", nil, "userPrincipalName", nil, "userId", "", "appId", r.app.id, "appDisplayName", r.app.name,
		"ipAddress", r.address(), "clientAppUsed", nil, "userAgent", nil, "correlationId", r.correlation, "conditionalAccessStatus", "notApplied", "isInteractive", false,
		"tokenIssuerName", "", "tokenIssuerType", "AzureAD", "processingTimeInMilliseconds", 0, "riskLevelDuringSignIn", "none", "resourceDisplayName", r.app.resource, "resourceId", r.app.resourceID,
		"resourceTenantId", tenantID, "homeTenantId", tenantID, "authenticationRequirement", nil, "signInEventTypes", []string{"servicePrincipal"},
		"servicePrincipalId", guid("sp/" + r.app.id), "servicePrincipalName", r.app.name, "clientCredentialType", r.workload, "servicePrincipalCredentialKeyId", guid("key/" + r.app.id),
		"crossTenantAccessType", "none", "incomingTokenType", "none", "authenticationProtocol", "none", "status", o{"errorCode", 0, "failureReason", nil, "additionalDetails", nil},
		"location", r.location(), "appliedConditionalAccessPolicies", []any{}, "authenticationDetails", []any{}, "authenticationRequirementPolicies", []any{},
	}
}
