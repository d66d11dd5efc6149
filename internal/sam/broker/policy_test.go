package broker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/sam/broker"
)

const pin = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

const wholePolicy = `version: 1
zone: Europe/Berlin
issuers:
  - name: github
    issuer: https://token.actions.githubusercontent.com
    keys: https://token.actions.githubusercontent.com/.well-known/jwks
    audience: partnerguard
callers:
  - name: billing
    certificate:
      spki: ` + pin + `
    default: adatum.example
    grants:
      - connection: c-1
        tenants: [partner, adatum.example]
        resources: [graph, partner-center]
        scopes: [User.Read, Directory.Read.All]
        lifetime: 90m
        recheck: 10m
        hours: {days: [mon-fri], from: "07:00", to: "19:00"}
  - name: deploy
    token:
      issuer: github
      subject: "repo:contoso/infra:ref:refs/heads/main"
      claims: {repository_owner: contoso}
    grants:
      - connection: c-1
        tenants: [all-customers]
        resources: [arm]
        approval: {by: ["local:ravi", "ravi.menon@contoso.com"], for: 8h}
`

var withoutApproval = strings.ReplaceAll(wholePolicy, `approval: {by: ["local:ravi", "ravi.menon@contoso.com"], for: 8h}`, "recheck: 5m")

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	p, err := broker.ParsePolicy("policy.yaml", []byte(wholePolicy))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Callers) != 2 || p.Callers[0].Grants[0].Lifetime != 90*time.Minute || p.Callers[1].Grants[0].Approval.For != 8*time.Hour {
		t.Errorf("%+v", p)
	}
}

func TestPolicyFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":             {"    default: adatum.example", "    defualt: adatum.example", "policy.yaml:12: unknown field"},
		"unknown key in a grant":  {"        lifetime: 90m", "        lifetme: 90m", "policy.yaml:18: unknown field"},
		"key twice":               {"        lifetime: 90m", "        recheck: 90m", "policy.yaml:19:"},
		"version":                 {"version: 1", "version: 2", "policy.yaml:1: version: must be 1"},
		"no tenants":              {"[partner, adatum.example]", "[]", "policy.yaml:15: callers[0].grants[0].tenants"},
		"star tenants":            {"[partner, adatum.example]", `["*"]`, "* is not taken"},
		"star resources":          {"[graph, partner-center]", `["*"]`, "* is not taken"},
		"no resources":            {"[graph, partner-center]", `[]`, "resources: is required"},
		"bad duration":            {"90m", "soon", "policy.yaml:18"},
		"duration without a unit": {"90m", "90", "policy.yaml:18"},
		"negative duration":       {"90m", "-90m", "lifetime and recheck"},
		"tiny recheck":            {"10m", "10s", "lifetime and recheck"},
		"bad zone":                {"Europe/Berlin", "Europe/Bonn", "is no time zone"},
		"local zone":              {"Europe/Berlin", "Local", "each machine"},
		"bad day":                 {"mon-fri", "mon-holiday", "policy.yaml:20"},
		"no time left":            {`to: "19:00"`, `to: "07:00"`, "leave no time"},
		"bad time":                {`to: "19:00"`, `to: "25:00"`, "is no time of day"},
		"bad pin":                 {"sha256/AAAA", "sha256/", "must be sha256/"},
		"name twice":              {"name: deploy", "name: billing", "policy.yaml:21: callers[1].name"},
		"unknown issuer":          {"issuer: github", "issuer: gitlab", `no issuer is called "gitlab"`},
		"everybody":               {`subject: "repo:contoso/infra:ref:refs/heads/main"`, `subject: "*"`, "everybody"},
		"any claim":               {"repository_owner: contoso", `repository_owner: "*"`, "must have a value"},
		"no audience":             {"    audience: partnerguard\n", "", "audience: is required"},
		"issuer without tls":      {"issuer: https://token", "issuer: http://token", "https address"},
		"keys without tls":        {"keys: https://", "keys: http://", "must be the https address"},
		"keys from a loose path":  {"keys: https://token.actions.githubusercontent.com/.well-known/jwks", "keys: jwks.json", "absolute path"},
		"own approver":            {`"local:ravi"`, `"local:Deploy"`, "cannot approve itself"},
		"nobody approves":         {`["local:ravi", "ravi.menon@contoso.com"]`, `[]`, "must name who may approve"},
		"approval for ever":       {"for: 8h", "for: 9000h", "between 1m and 2160h"},
		"both proofs":             {"    default: adatum.example", "    token: {issuer: github, subject: x}", "either certificate or token"},
		"no proof":                {"    certificate:\n      spki: " + pin + "\n", "", "either certificate or token"},
		"anchor":                  {"certificate:", "certificate: &a", "anchors, aliases"},
		"tag":                     {"version: 1", "version: !!int 1", "anchors, aliases"},
		"second document":         {"callers:", "---\ncallers:", "one YAML document"},
		"a list where a map is":   {"version: 1", "- version", ""},
		"not UTF-8":               {"contoso", "\xff", "not UTF-8"},
		"nested too deep":         {"version: 1", "version: " + strings.Repeat("[", 5000), "nested too deep"},
		"one issuer twice": {"callers:", "  - {name: again, issuer: https://token.actions.githubusercontent.com, keys: /k, audience: other}\ncallers:",
			"another issuer has this address"},
		"tokens of ten years":  {"    audience: partnerguard\n", "    audience: partnerguard\n    lifetime: 87600h\n", "between 1m and 336h"},
		"a connection by name": {"connection: c-1", "connection: contoso", "write the id"},
		"no connection":        {"connection: c-1", `connection: ""`, "connection: is required"},
		"no grants":            {"", "", ""},
	} {
		text := strings.Replace(wholePolicy, c.from, c.to, 1)
		if name == "no grants" {
			text, c.want = "version: 1\ncallers:\n  - name: a\n    certificate: {spki: "+pin+"}\n", "without grants"
		}
		_, err := broker.ParsePolicy("policy.yaml", []byte(text))
		if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if _, err := broker.ParsePolicy("p", []byte(strings.Repeat("#", 2<<20))); !errors.Is(err, problem.Limit) {
		t.Errorf("endless: %v", err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(wholePolicy))
	f.Add([]byte("version: 1"))
	f.Add([]byte("version: 1\ncallers: [{name: a, certificate: {name: 'ip:1.2.3.4'}, grants: [{connection: c-1, tenants: [partner], resources: [graph]}]}]"))
	f.Add([]byte("? [[[[{\n - - - :"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := broker.ParsePolicy("p", raw)
		if err != nil {
			if p != nil {
				t.Error("a policy with an error")
			}
			return
		}
		for _, c := range p.Callers {
			if (c.Certificate == nil) == (c.Token == nil) || len(c.Grants) == 0 {
				t.Errorf("%+v", c)
			}
			for _, g := range c.Grants {
				if g.Connection == "" || len(g.Tenants) == 0 || len(g.Resources) == 0 {
					t.Errorf("%+v", g)
				}
			}
		}
	})
}

func TestHours(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		hours, at string
		open      bool
	}{
		{`{days: [mon-fri], from: "07:00", to: "19:00"}`, "2026-11-23 06:59:59", false}, // Monday
		{`{days: [mon-fri], from: "07:00", to: "19:00"}`, "2026-11-23 07:00:00", true},
		{`{days: [mon-fri], from: "07:00", to: "19:00"}`, "2026-11-23 18:59:59", true},
		{`{days: [mon-fri], from: "07:00", to: "19:00"}`, "2026-11-23 19:00:00", false},
		{`{days: [mon-fri], from: "07:00", to: "19:00"}`, "2026-11-22 12:00:00", false}, // Sunday
		{`{days: [fri], from: "22:00", to: "06:00"}`, "2026-11-28 05:59:59", true},      // Saturday morning is Friday's night
		{`{days: [fri], from: "22:00", to: "06:00"}`, "2026-11-28 06:00:00", false},
		{`{days: [fri], from: "22:00", to: "06:00"}`, "2026-11-27 05:00:00", false}, // Friday morning is not
		{`{days: [sat-mon]}`, "2026-11-23 23:59:59", true},
		{`{days: [sat-mon]}`, "2026-11-24 00:00:00", false},
		{`{from: "02:00", to: "03:00"}`, "2026-03-29 03:30:00", false}, // the hour that does not exist
		{`{zone: Asia/Tokyo, from: "09:00", to: "10:00"}`, "2026-11-23 01:30:00", true},
	} {
		r := newRig(t, nil)
		r.policy(strings.Replace(withoutApproval, `{days: [mon-fri], from: "07:00", to: "19:00"}`, c.hours, 1))
		r.at = at(c.at)
		d, err := r.b.Explain(t.Context(), "billing", broker.Ask{Resource: "graph"})
		if err != nil || d.Allowed != c.open {
			t.Errorf("%s at %s: %v %s", c.hours, c.at, d.Allowed, d.Words)
		}
		if d.Allowed && !d.Until.After(r.at) {
			t.Errorf("%s at %s: until %v", c.hours, c.at, d.Until)
		}
	}
}

// Deny by default, and every decision explained.
func TestExplain(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.policy(withoutApproval)
	for name, c := range map[string]struct {
		caller string
		ask    broker.Ask
		want   string
		ok     bool
	}{
		"default customer": {"billing", broker.Ask{Resource: "graph"}, "allowed", true},
		"partner, by word": {"billing", broker.Ask{Resource: "partner-center", Customer: "partner"}, "allowed", true},
		"partner, by id":   {"billing", broker.Ask{Resource: "https://api.partnercenter.microsoft.com/", Customer: home}, "allowed", true},
		"customer, by id":  {"billing", broker.Ask{Resource: graph + "/.default", Customer: strings.ToUpper(adatum)}, "allowed", true},
		"another customer": {"billing", broker.Ask{Resource: "graph", Customer: "tailspin.example"}, "is not among partner, adatum.example",
			false},
		"nobody's tenant": {"billing", broker.Ask{Resource: "graph", Customer: "dddddddd-0000-4000-8000-000000000000"},
			"name it as the policy does", false},
		"another resource":                {"billing", broker.Ask{Resource: "arm"}, "is not among graph, partner-center", false},
		"a name that looks alike":         {"billing", broker.Ask{Resource: "https://graph.microsoft.com.evil.example"}, "is not among", false},
		"no resource at all":              {"billing", broker.Ask{Resource: "http://x"}, "names no resource", false},
		"all customers: one":              {"deploy", broker.Ask{Resource: "arm", Customer: tailspin}, "allowed", true},
		"all customers: the old ARM name": {"deploy", broker.Ask{Resource: "https://management.core.windows.net/", Customer: tailspin}, "allowed", true},
		"all customers: not the partner":  {"deploy", broker.Ask{Resource: "arm"}, "the partner's own tenant is not among", false},
		"all customers: not a stranger": {"deploy", broker.Ask{Resource: "arm", Customer: "dddddddd-0000-4000-8000-000000000000"}, "is not a customer",
			false},
	} {
		d, err := r.b.Explain(t.Context(), c.caller, c.ask)
		if err != nil || d.Allowed != c.ok || !strings.Contains(d.Words, c.want) || len(d.Steps) == 0 {
			t.Errorf("%s: %+v %v", name, d, err)
		}
	}
	if _, err := r.b.Explain(t.Context(), "nobody", broker.Ask{}); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
	if len(r.book.Events()) != 0 || r.s.asked != 0 {
		t.Error("explaining left traces")
	}
}
