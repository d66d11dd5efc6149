package register

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/problem"
)

// Graph is Microsoft Graph in one tenant; *msapi.Graph meets it.
type Graph interface {
	All(ctx context.Context, path string) ([]json.RawMessage, error)
	Change(ctx context.Context, method, path string, body any) (json.RawMessage, error)
}

// Act is what a step does.
type Act string

// The acts.
const (
	Create Act = "create"
	Change Act = "change"
	Keep   Act = "keep"    // as it is
	ByHand Act = "by hand" // a person does it, at Link
	Wait   Act = "wait"    // for a step before it
)

// Step is one thing of a plan, and what has to be done for it.
type Step struct {
	What    string       `json:"what"` // app, consent, method, state, user
	Name    string       `json:"name"`
	Act     Act          `json:"act"`
	Changes []Difference `json:"changes"`
	Link    string       `json:"link,omitempty"`
	Why     string       `json:"why,omitempty"`
}

// Difference is what a step changes of an object.
type Difference struct {
	Member string `json:"member"`
	Was    string `json:"was,omitempty"`
	Will   string `json:"will"`
}

// Found is what stands in the tenant now.
type Found struct {
	AppID         string   `json:"appId,omitempty"`
	Principal     string   `json:"servicePrincipal,omitempty"` // its object id
	Configuration string   `json:"configurationId,omitempty"`
	State         string   `json:"state,omitempty"` // of the configuration
	Registered    []string `json:"registered"`      // of the plan's users

	app    application
	method configuration
}

type application struct {
	ID       string `json:"id"`
	AppID    string `json:"appId"`
	Name     string `json:"displayName"`
	Audience string `json:"signInAudience"`
	Web      struct {
		Redirects []string `json:"redirectUris"`
	} `json:"web"`
}

type target struct {
	ID   string `json:"id"`
	Type string `json:"targetType"`
}

type configuration struct {
	Type  string `json:"@odata.type"`
	ID    string `json:"id"`
	Name  string `json:"displayName"`
	AppID string `json:"appId"`
	State string `json:"state"`
	OIDC  struct {
		ClientID  string `json:"clientId"`
		Discovery string `json:"discoveryUrl"`
	} `json:"openIdConnectSetting"`
	Include []target `json:"includeTargets"`
	Exclude []target `json:"excludeTargets"`
}

const (
	v1          = "/v1.0"
	policyPath  = v1 + "/policies/authenticationMethodsPolicy"
	methodsPath = policyPath + "/authenticationMethodConfigurations"
	kindOf      = "#microsoft.graph.externalAuthenticationMethodConfiguration"
	single      = "AzureADMyOrg"
	multi       = "AzureADMultipleOrgs"
)

func (p *Plan) audience() string {
	if p.App.MultiTenant {
		return multi
	}
	return single
}

// here says that the app's registration is in the plan's own tenant.
func (p *Plan) here() bool { return p.App.Home == "" || p.App.Home == p.Tenant }

// quoted writes a text into an OData filter.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func list[T any](ctx context.Context, g Graph, path, filter string) ([]T, error) {
	if filter != "" {
		path += "?" + url.Values{"$filter": {filter}}.Encode()
	}
	raw, err := g.All(ctx, path)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(raw))
	for i := range raw {
		if err := json.Unmarshal(raw[i], &out[i]); err != nil {
			return nil, problem.New(problem.Unavailable, "an answer of Microsoft Graph cannot be read").WithHint("try again later")
		}
	}
	return out, nil
}

// Look reads what stands in the tenant, and says what has to be done. It changes
// nothing. authority is the cloud's, for links.
func Look(ctx context.Context, g Graph, p Plan, authority string) (f Found, steps []Step, err error) {
	f.Registered = []string{}
	if err := p.Check(); err != nil {
		return f, nil, err
	}
	if err := f.findApp(ctx, g, &p); err != nil {
		return f, nil, err
	}
	if f.AppID != "" {
		sps, err := list[struct{ ID string }](ctx, g, v1+"/servicePrincipals", "appId eq "+quoted(f.AppID))
		if err != nil {
			return f, nil, err
		}
		if len(sps) > 0 {
			f.Principal = sps[0].ID
		}
	}
	if err := f.findMethod(ctx, g, &p); err != nil {
		return f, nil, err
	}
	if f.Configuration != "" {
		for _, u := range p.Users {
			is, err := list[struct {
				Configuration string `json:"configurationId"`
			}](ctx, g, v1+"/users/"+url.PathEscape(u)+"/authentication/externalAuthenticationMethods", "")
			if err != nil {
				return f, nil, err
			}
			for _, m := range is {
				if strings.EqualFold(m.Configuration, f.Configuration) {
					f.Registered = append(f.Registered, u)
					break
				}
			}
		}
	}
	return f, p.steps(&f, authority), nil
}

// findApp finds our app by its id, else by its redirect URI.
func (f *Found) findApp(ctx context.Context, g Graph, p *Plan) error {
	if !p.here() {
		f.AppID = p.App.ID
		return nil
	}
	filter := "appId eq " + quoted(p.App.ID)
	if p.App.ID == "" {
		filter = "displayName eq " + quoted(p.App.Name)
	}
	apps, err := list[application](ctx, g, v1+"/applications", filter)
	if err != nil {
		return err
	}
	if p.App.ID == "" {
		ours := slices.DeleteFunc(slices.Clone(apps), func(a application) bool { return !slices.Contains(a.Web.Redirects, p.App.Redirect) })
		if len(ours) == 0 && len(apps) > 0 {
			return problem.New(problem.Conflict, "there is an app of the name %q already, which does not send people here", p.App.Name).
				WithHint("write its id into the plan where it is meant, or another name")
		}
		apps = ours
	}
	switch {
	case len(apps) > 1:
		return problem.New(problem.Conflict, "there are %d apps of the name %q", len(apps), p.App.Name).
			WithHint("write the id of the one that is meant into the plan")
	case len(apps) == 1:
		f.app, f.AppID = apps[0], strings.ToLower(apps[0].AppID)
	case p.App.ID != "":
		return problem.New(problem.NotFound, "the tenant has no app %s", p.App.ID).WithHint("take the id out of the plan, and an app is made")
	}
	return nil
}

// findMethod finds the method's configuration: by our app, else by its name, which is
// unique.
func (f *Found) findMethod(ctx context.Context, g Graph, p *Plan) error {
	all, err := list[configuration](ctx, g, methodsPath, "")
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Type != kindOf {
			continue
		}
		ours := f.AppID != "" && strings.EqualFold(c.AppID, f.AppID)
		if !ours && strings.EqualFold(c.Name, p.Method.Name) {
			return problem.New(problem.Conflict, "the tenant has a method of the name %q, of another app", c.Name).
				WithHint("give the plan's method another name: names are unique, and never change")
		}
		if ours {
			f.method, f.Configuration, f.State = c, c.ID, c.State
		}
	}
	return nil
}

// steps says what has to be done, in the order in which it is done.
func (p *Plan) steps(f *Found, authority string) []Step {
	steps := []Step{p.appStep(f), p.consentStep(f, authority), p.methodStep(f), p.stateStep(f)}
	for _, u := range p.Users {
		s := Step{What: "user", Name: u, Act: Create, Changes: []Difference{{Member: "registered", Was: "no", Will: "yes"}}}
		if slices.Contains(f.Registered, u) {
			s.Act, s.Changes = Keep, nil
		}
		steps = append(steps, s)
	}
	for i := range steps {
		if steps[i].Changes == nil {
			steps[i].Changes = []Difference{}
		}
	}
	return steps
}

func (p *Plan) appStep(f *Found) Step {
	s := Step{What: "app", Name: p.App.Name, Act: Keep}
	switch {
	case !p.here():
		s.Why = "its registration is in the tenant " + p.App.Home
		return s
	case f.app.ID == "":
		s.Act = Create
		s.Changes = []Difference{{Member: "signInAudience", Will: p.audience()}, {Member: "redirectUris", Will: p.App.Redirect},
			{Member: "permissions", Will: "openid profile, delegated"}}
		return s
	}
	if f.app.Audience != p.audience() && !(f.app.Audience == multi && !p.App.MultiTenant) { // one that others use is never made narrower
		s.Changes = append(s.Changes, Difference{"signInAudience", f.app.Audience, p.audience()})
	}
	if !slices.Contains(f.app.Web.Redirects, p.App.Redirect) {
		s.Changes = append(s.Changes, Difference{"redirectUris", strings.Join(f.app.Web.Redirects, " "),
			strings.Join(append(slices.Clone(f.app.Web.Redirects), p.App.Redirect), " ")})
	}
	if len(s.Changes) > 0 {
		s.Act = Change
	}
	return s
}

func (p *Plan) consentStep(f *Found, authority string) Step {
	s := Step{What: "consent", Name: p.App.Name, Act: Keep}
	switch {
	case f.Principal != "":
	case p.here():
		s.Act, s.Changes = Create, []Difference{{Member: "service principal", Was: "none", Will: "there"}}
	default:
		s.Act, s.Link = ByHand, ConsentLink(authority, p.Tenant, p.App.ID)
		s.Why = "a Privileged Role Administrator of the tenant opens the link; then run this once more"
	}
	return s
}

// ConsentLink is where an administrator of a tenant consents to our app.
func ConsentLink(authority, tenant, app string) string {
	return authority + "/" + tenant + "/adminconsent?" + url.Values{"client_id": {app}}.Encode()
}

func ids(list []target) (out []string) {
	for _, t := range list {
		out = append(out, t.ID)
	}
	slices.Sort(out)
	return out
}

func differs(member string, was, will []string) []Difference {
	a, b := slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(will))
	if slices.EqualFunc(a, b, strings.EqualFold) {
		return nil
	}
	return []Difference{{member, strings.Join(a, " "), strings.Join(b, " ")}}
}

func (p *Plan) methodStep(f *Found) Step {
	s := Step{What: "method", Name: p.Method.Name, Act: Keep}
	if f.Configuration == "" {
		s.Act = Create
		s.Changes = []Difference{{Member: "clientId", Will: p.Method.ClientID}, {Member: "discoveryUrl", Will: p.Method.Discovery},
			{Member: "includeTargets", Will: strings.Join(p.Method.Groups, " ")}}
		s.Changes = append(s.Changes, differs("excludeTargets", nil, p.Method.Without)...)
		return s
	}
	if f.method.Name != p.Method.Name {
		s.Why = "it stays " + f.method.Name + ": a method's name never changes"
	}
	s.Changes = append(s.Changes, differs("clientId", []string{f.method.OIDC.ClientID}, []string{p.Method.ClientID})...)
	s.Changes = append(s.Changes, differs("discoveryUrl", []string{f.method.OIDC.Discovery}, []string{p.Method.Discovery})...)
	s.Changes = append(s.Changes, differs("includeTargets", ids(f.method.Include), p.Method.Groups)...)
	s.Changes = append(s.Changes, differs("excludeTargets", ids(f.method.Exclude), p.Method.Without)...)
	if len(s.Changes) > 0 {
		s.Act = Change
	}
	return s
}

func (p *Plan) stateStep(f *Found) Step {
	s := Step{What: "state", Name: p.Method.Name, Act: Keep}
	will, was := "disabled", f.State
	if p.Method.Enabled {
		will = "enabled"
	}
	if was == "" {
		was = "disabled"
	}
	if was == will {
		return s
	}
	s.Act, s.Changes = Change, []Difference{{"state", was, will}}
	if will == "enabled" && f.Principal == "" && !p.here() {
		s.Act, s.Why = Wait, "Entra ID enables a method when the consent is there"
	}
	return s
}

// State is what stands in a tenant about an app of ours.
type State struct {
	Redirects []string
	Principal bool
	State     string // of the method; "" when there is none
	Discovery string
}

// Standing reads what stands in a tenant about an app of ours.
func Standing(ctx context.Context, g Graph, app string) (s State, err error) {
	apps, err := list[application](ctx, g, v1+"/applications", "appId eq "+quoted(app))
	if err != nil {
		return s, err
	}
	for i := range apps {
		s.Redirects = append(s.Redirects, apps[i].Web.Redirects...)
	}
	sps, err := list[struct{ ID string }](ctx, g, v1+"/servicePrincipals", "appId eq "+quoted(app))
	if err != nil {
		return s, err
	}
	s.Principal = len(sps) > 0
	methods, err := list[configuration](ctx, g, methodsPath, "")
	for i := range methods {
		if m := &methods[i]; m.Type == kindOf && strings.EqualFold(m.AppID, app) {
			s.State, s.Discovery = m.State, m.OIDC.Discovery
		}
	}
	return s, err
}
