package graph

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/partnercloud/world"
)

func evaluateFields() fields {
	levels := "low medium high hidden none"
	return fields{
		"signInIdentity": obj(fields{
			"userId": text(), "externalTenantId": text(),
			"externalUserType": enum("none internalGuest b2bCollaborationGuest b2bCollaborationMember b2bDirectConnectUser otherExternalUser " +
				"serviceProvider"),
			"servicePrincipalId": text(),
		}).need(),
		"signInContext": obj(fields{
			"includeApplications": list(text()).upTo(1), "userAction": enum("registerSecurityInformation registerOrJoinDevices"),
			"authenticationContextValue": text(),
		}).need(),
		"signInConditions": obj(fields{
			"devicePlatform":  enum("android iOS windows windowsPhone macOS linux"),
			"clientAppType":   enum("all browser mobileAppsAndDesktopClients exchangeActiveSync easSupported other"),
			"signInRiskLevel": enum(levels), "userRiskLevel": enum(levels), "servicePrincipalRiskLevel": enum(levels), "country": text().upTo(2),
			"ipAddress":          text().upTo(60),
			"insiderRiskLevel":   enum("none minor moderate elevated"),
			"authenticationFlow": obj(fields{"transferMethod": enum("deviceCodeFlow authenticationTransfer")}), "deviceInfo": obj(fields{
				"isCompliant": flag(), "trustType": text(), "deviceId": text(), "displayName": text(), "deviceOwnership": text(),
				"enrollmentProfileName": text(), "manufacturer": text(),
				"mdmAppId": text(), "model": text(), "operatingSystem": text(), "operatingSystemVersion": text(), "profileType": text(),
				"physicalIds": list(text()), "systemLabels": list(text()),
				"extensionAttribute1": text(), "extensionAttribute2": text(),
			}),
		}),
		"appliedPoliciesOnly": flag(),
	}
}

// clauses are the parts of a policy that What-If can name as the reason, with
// how each is taken out of a policy's conditions.
type clause struct {
	reason string
	keys   []string
}

func clauses() []clause {
	return []clause{
		{"users", []string{"users"}}, {"application", []string{"applications"}}, {
			"clientApps", []string{"clientAppTypes"},
		}, {"devicePlatform", []string{"platforms"}},
		{"location", []string{"locations"}}, {"devices", []string{"devices"}}, {"signInRisk", []string{"signInRiskLevels"}},
		{"userRisk", []string{"userRiskLevels"}},
		{"insiderRisk", []string{"insiderRiskLevels"}}, {"authenticationFlow", []string{"authenticationFlows"}},
	}
}

// alone is a copy of a policy, enforced, with one clause and nothing else that
// narrows; "" keeps all of them.
func alone(m map[string]any, id, keep string, keys []string) *access.Policy {
	conditions := map[string]any{}
	old := inner(m, "conditions")
	if keep == "" {
		conditions = old
	} else {
		conditions["users"] = map[string]any{"includeUsers": []any{"All"}}
		conditions["applications"] = map[string]any{"includeApplications": []any{"All"}}
		conditions["clientAppTypes"] = []any{"all"}
		for _, k := range keys {
			conditions[k] = old[k]
		}
		if keep != "application" { // an action or context is no application: keep the same kind of target
			if apps := inner(old, "applications"); names(apps, "includeUserActions", "includeAuthenticationContextClassReferences") {
				conditions["applications"] = apps
			}
		}
	}
	raw, err := json.Marshal(map[string]any{
		"id": id, "displayName": id, "state": "enabled", "conditions": conditions,
		"grantControls": map[string]any{"operator": "OR", "builtInControls": []any{"mfa"}},
	})
	if err != nil {
		return nil
	}
	p := new(access.Policy)
	if json.Unmarshal(raw, p) != nil {
		return nil
	}
	return p
}

// evaluate is What-If: it asks the access engine about every enabled and
// report-only policy, and about each clause of those that do not apply.
func evaluate(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := evaluateFields().check("", c.in); err != nil {
		return nil, err
	}
	who, target, cond := inner(c.in, "signInIdentity"), inner(c.in, "signInContext"), inner(c.in, "signInConditions")
	if who == nil || target == nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "signInIdentity and signInContext are required.")
	}
	workload := strings.HasSuffix(str(who, "@odata.type"), "servicePrincipalSignIn") || str(who, "servicePrincipalId") != ""
	subject, err := c.whatIfSubject(s, t, who, workload)
	if err != nil {
		return nil, err
	}
	in := access.SignIn{
		Platform: str(cond, "devicePlatform"), Country: str(cond, "country"), SignInRisk: str(cond, "signInRiskLevel"), UserRisk: str(cond, "userRiskLevel"),
		InsiderRisk: str(cond, "insiderRiskLevel"), Device: map[string]bool{},
	}
	switch {
	case len(strs(target, "includeApplications")) == 1:
		in.App = strs(target, "includeApplications")[0]
	case str(target, "userAction") == "registerSecurityInformation":
		in.App = "urn:user:registersecurityinfo"
	case str(target, "userAction") == "registerOrJoinDevices":
		in.App = "urn:user:registerdevice"
	case str(target, "authenticationContextValue") != "":
		in.App = str(target, "authenticationContextValue")
	default:
		return nil, refuse(http.StatusBadRequest, "BadRequest", "signInContext names no application, user action or authentication context.")
	}
	switch str(cond, "clientAppType") {
	case "browser":
		in.Client = "browser"
	case "mobileAppsAndDesktopClients":
		in.Client = "native"
	case "exchangeActiveSync", "easSupported":
		in.Client = "eas"
	case "other":
		in.Client = "other"
	}
	if inner(cond, "authenticationFlow") != nil {
		in.Client = map[string]string{"deviceCodeFlow": "device-code", "authenticationTransfer": "transfer"}[str(inner(cond, "authenticationFlow"),
			"transferMethod")]
	}
	if ip := str(cond, "ipAddress"); ip != "" {
		if in.IP, err = netip.ParseAddr(ip); err != nil {
			return nil, badRequest("'%s' is not an address.", clip(ip))
		}
	}
	if dev := inner(cond, "deviceInfo"); dev != nil {
		if given(dev, "isCompliant") {
			in.Device[access.AxisCompliant] = truth(dev, "isCompliant")
		}
		if given(dev, "trustType") {
			in.Device[access.AxisJoined] = strings.EqualFold(str(dev, "trustType"), "ServerAD")
		}
	}
	answers := whatIfAnswers(s, t, subject, in, workload)
	var all []*document
	shape := documentShape("whatIfAnalysisResult", nil, append(policyNames(), "policyApplies", "analysisReasons")...)
	for d := range t.Policies.All() {
		a, ok := answers[d.ID]
		if !ok || !a.applies && truth(c.in, "appliedPoliciesOnly") {
			continue
		}
		m := decodeObject(c.shownPolicy(t, d).raw)
		m["policyApplies"], m["analysisReasons"] = a.applies, a.reasons
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		all = append(all, newDocument(d.ID, raw))
	}
	page := make([]*entity, 0, len(all))
	for _, d := range all {
		page = append(page, c.entity(shape, d))
	}
	return c.page("Collection(microsoft.graph.whatIfAnalysisResult)", page, nil, -1, nil), nil
}

func (c *call) whatIfSubject(s *world.State, t *world.Tenant, who map[string]any, workload bool) (access.Subject, error) {
	if workload {
		if t.SPs.Get(str(who, "servicePrincipalId")) == nil {
			return access.Subject{}, notFound(str(who, "servicePrincipalId"))
		}
		return access.Subject{ID: "workload", PerUserMFA: "disabled"}, nil
	}
	if id := str(who, "userId"); id != "" {
		u := t.Users.Get(id)
		if u == nil {
			return access.Subject{}, notFound(id)
		}
		e := s.Engine(t)
		if i, ok := e.Find(u.ID); ok {
			return e.Subjects()[i], nil
		}
	}
	typ := strings.ToLower(str(who, "externalUserType"))
	if typ == "" || typ == "none" {
		return access.Subject{}, refuse(http.StatusBadRequest, "BadRequest", "signInIdentity names no user.")
	}
	return access.Subject{ID: "external", External: access.External(typ), HomeTenant: strings.ToLower(str(who, "externalTenantId")), PerUserMFA: "disabled"},
		nil
}

type whatIfAnswer struct {
	applies bool
	reasons string
}

// whatIfAnswers compiles every policy whole and clause by clause for one
// subject and asks them all at once.
func whatIfAnswers(s *world.State, t *world.Tenant, subject access.Subject, in access.SignIn, workload bool) map[string]whatIfAnswer {
	settings := s.Engine(t).Tenant()
	small := &access.Tenant{
		Locations: settings.Locations, Strengths: settings.Strengths, KnownGroups: settings.KnownGroups, RolesKnown: true, Whole: true,
		Names: settings.Names, Users: []access.Subject{subject},
	}
	out := map[string]whatIfAnswer{}
	for d := range t.Policies.All() {
		m := decodeObject(d.Raw)
		if state := str(m, "state"); state != "enabled" && state != "enabledForReportingButNotEnforced" {
			continue
		}
		out[d.ID] = whatIfAnswer{}
		small.Policies = append(small.Policies, alone(m, d.ID, "", nil))
		for _, cl := range clauses() {
			small.Policies = append(small.Policies, alone(m, d.ID+"#"+cl.reason, cl.reason, cl.keys))
		}
	}
	e := access.Compile(small)
	user, ok := e.Find(subject.ID)
	if !ok {
		return out
	}
	in.User = user
	answer := e.Decide(in)
	uses := map[string]string{}
	for _, list := range [][]access.Use{answer.Applied, answer.Others} {
		for _, u := range list {
			uses[u.ID] = u.Applies
		}
	}
	for id := range out {
		forWorkload := inner(inner(decodeObject(t.Policies.Get(id).Raw), "conditions"), "clientApplications") != nil
		if forWorkload != workload {
			reason := "users"
			if forWorkload {
				reason = "workloadIdentities"
			}
			out[id] = whatIfAnswer{false, reason}
			continue
		}
		if uses[id] == "yes" {
			out[id] = whatIfAnswer{true, "notSet"}
			continue
		}
		var reasons []string
		vague := false
		for _, cl := range clauses() {
			switch uses[id+"#"+cl.reason] {
			case "no":
				reasons = append(reasons, reasonOf(cl.reason, in.App))
			case "perhaps":
				vague = true
			}
		}
		if len(reasons) == 0 || vague && len(reasons) == 0 {
			reasons = []string{"notEnoughInformation"}
		}
		out[id] = whatIfAnswer{false, strings.Join(reasons, ",")}
	}
	return out
}

// reasonOf names the kind of target that was asked about.
func reasonOf(reason, app string) string {
	switch {
	case reason != "application":
		return reason
	case strings.HasPrefix(app, "urn:user:"):
		return "userActions"
	case len(app) <= 3 && strings.HasPrefix(app, "c"):
		return "authenticationContext"
	}
	return reason
}
