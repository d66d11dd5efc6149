package register

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Plan is what shall stand in a tenant of Entra ID. It is read by people, and holds no
// secret.
type Plan struct {
	Version int    `yaml:"version" json:"version"` // 1
	Cloud   string `yaml:"cloud" json:"cloud"`
	Tenant  string `yaml:"tenant" json:"tenant"` // its id
	Name    string `yaml:"name" json:"name"`     // of the tenant, as its people know it
	App     App    `yaml:"app" json:"app"`
	Method  Method `yaml:"method" json:"method"`
	// Users are registered for the method: ids or user principal names. Others are
	// asked by Entra ID at their next sign-in.
	Users []string `yaml:"users,omitempty" json:"users"`
}

// App is our app in Entra ID: one a cloud.
type App struct {
	Name string `yaml:"name" json:"name"`
	// ID is the app that is there already; "" looks for one by its redirect URI.
	ID string `yaml:"id,omitempty" json:"id,omitempty"`
	// Home is the tenant that has the registration, where that is another: there its
	// administrator consents by a link.
	Home        string `yaml:"home,omitempty" json:"home,omitempty"`
	MultiTenant bool   `yaml:"multiTenant" json:"multiTenant"`
	Redirect    string `yaml:"redirectUri" json:"redirectUri"`
}

// Method is the configuration of the method.
type Method struct {
	Name      string   `yaml:"name" json:"name"` // shown to people; it can never be changed
	ClientID  string   `yaml:"clientId" json:"clientId"`
	Discovery string   `yaml:"discoveryUrl" json:"discoveryUrl"`
	Groups    []string `yaml:"groups" json:"groups"` // all_users, or ids of groups
	Without   []string `yaml:"without,omitempty" json:"without"`
	Enabled   bool     `yaml:"enabled" json:"enabled"`
}

// AllUsers is the target that holds everybody.
const AllUsers = "all_users"

// Limits of a plan.
const (
	maxPlan  = 256 << 10
	maxName  = 120
	maxUsers = 5000
	maxHeld  = 200 // groups
)

const (
	suffix    = "/.well-known/openid-configuration"
	brackets  = 20
	indenting = 20
)

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Read reads a plan's file strictly; name is for its errors. Unknown keys, keys given
// twice and what could not work are errors of kind problem.BadInput.
func Read(name string, raw []byte) (p Plan, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case len(raw) > maxPlan:
		return p, problem.New(problem.Limit, "%s: a plan has at most %d bytes", name, maxPlan)
	case !utf8.Valid(raw):
		return p, problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return p, problem.New(problem.BadInput, "%s: line %d is nested deeper than a plan is", name, line)
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: not readable as YAML", name).WithHint("partnerguard mfa register-with-entra --plan writes one")
	}
	if line, _ := yamlguard.First(f, yamlguard.Expanding()...); line > 0 {
		return p, problem.New(problem.BadInput, "%s: line %d: anchors, aliases and tags have no place in a plan", name, line)
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&p); err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: %s", name, strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0]).
			WithHint("partnerguard mfa register-with-entra --plan writes one that can be read")
	}
	if err := p.Check(); err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: %s", name, err.Error()).WithHint("%s", problem.HintOf(err))
	}
	return p, nil
}

// YAML writes a plan for people.
func (p Plan) YAML() ([]byte, error) {
	b, err := yaml.Marshal(p)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the plan cannot be written")
	}
	head := "# What shall stand in Entra ID. Read it, change it, then:\n# partnerguard mfa register-with-entra --apply THIS-FILE\n"
	if p.Method.Enabled && slices.Contains(p.Method.Groups, AllUsers) {
		head += "# Everybody is offered the method from then on, and a sign-in by it fails while this server is down:\n" +
			"# begin with one group (--group ID), or with enabled: false.\n"
	}
	return append([]byte(head), b...), nil
}

// Check says what in a plan could not work.
func (p *Plan) Check() error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	switch {
	case p.Version != 1:
		return bad("version: 1", "the plan's version is %d", p.Version)
	case p.Cloud == "":
		return bad("one app a cloud: public, usgov or china", "the plan names no cloud")
	case !guid.MatchString(p.Tenant):
		return bad("write the tenant's id in lower case", "the plan's tenant is not an id")
	case p.App.ID != "" && !guid.MatchString(p.App.ID), p.App.Home != "" && !guid.MatchString(p.App.Home):
		return bad("ids are in lower case", "the app's id, or its home, is not an id")
	case !readable(p.App.Name), !readable(p.Method.Name), p.Name != "" && !readable(p.Name), !readable(p.Method.ClientID):
		return bad("at most 120 characters that can be seen", "a name of the plan is missing, too long, or hides something")
	case p.App.Home != "" && p.App.Home != p.Tenant && !p.App.MultiTenant:
		return bad("multiTenant: true, or an app of the tenant's own", "an app of one tenant cannot be used in another")
	case len(p.Method.Groups) == 0:
		return bad("groups: [all_users], or ids of groups", "the method is for nobody")
	case len(p.Users) > maxUsers || len(p.Method.Groups)+len(p.Method.Without) > maxHeld:
		return bad("make several plans", "the plan names more than %d users or %d groups", maxUsers, maxHeld)
	}
	for i, g := range append(append([]string{}, p.Method.Groups...), p.Method.Without...) {
		if !guid.MatchString(g) && (g != AllUsers || i >= len(p.Method.Groups)) {
			return bad("a group is named by its id", "%q is not a group", g)
		}
	}
	for _, u := range p.Users {
		if len(u) > maxName || strings.ContainsAny(u, "/?#\\ ") || u == "" {
			return bad("a user is named by id or user principal name", "%q is not a user", u)
		}
	}
	return p.addresses()
}

func (p *Plan) addresses() error {
	for _, a := range []struct{ what, where string }{{"redirectUri", p.App.Redirect}, {"discoveryUrl", p.Method.Discovery}} {
		u, err := url.Parse(a.where)
		local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && local) ||
			u.Port() == "443" {
			return problem.New(problem.BadInput, "the plan's %s is not an https address without query and without :443", a.what).
				WithHint("set publicURL, and have the plan made anew")
		}
	}
	if !strings.HasSuffix(p.Method.Discovery, suffix) {
		return problem.New(problem.BadInput, "the plan's discoveryUrl does not end in %s", suffix).WithHint("partnerguard mfa status shows it")
	}
	return nil
}

func readable(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
}
