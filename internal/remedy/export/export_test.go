package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hclparse"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/export"
	"partnerguard/internal/remedy/object"
)

const (
	anyone = "22222222-2222-2222-2222-222222222222"
	evil   = `it's ‘quoted’ "${evil}" %{ if true } $(rm -rf /) \ 'x' #{y} ` + "`z`"
)

// plan is a plan with one of everything that may be exported. old and gone are policies
// that are there; member is an account.
func plan(t *testing.T, old, gone json.RawMessage, oldID, goneID, member string) *remedy.Plan {
	t.Helper()
	form := func(kind remedy.Kind, raw string) remedy.Object {
		o, err := object.Canonical(kind, json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	text, _ := json.Marshal(evil)
	day := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	wanted := strings.Replace(string(form(remedy.Policy, string(old))), `"displayName":"Old"`, `"displayName":"Old, renamed"`, 1)
	p := &remedy.Plan{
		Form: remedy.Form, ID: "7k2m9q4x", Goal: "mfa-every-sign-in", Made: day, By: "local:lena", Program: "test", Tenant: remedy.Tenant{ID: anyone},
		Basis: remedy.Basis{AsOf: day}, Stages: []remedy.Stage{remedy.ReportOnly, remedy.All}, Steps: []remedy.Step{
			{Do: remedy.Create, Kind: remedy.Group, Key: "left-out", First: true, Text: "Make a group",
				After: form(remedy.Group, `{"displayName":`+string(text)+`,"mailNickname":"pg-left-out","securityEnabled":true}`)},
			{Do: remedy.Create, Kind: remedy.Member, First: true, Text: "Put an account in",
				After: form(remedy.Member, `{"group":"{left-out}","member":"`+member+`"}`)},
			{Do: remedy.Create, Kind: remedy.Location, Key: "office", First: true, Text: "Name the office",
				After: form(remedy.Location, `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"Office","isTrusted":true,"ipRanges":[
					{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"192.0.2.0/24"},{"cidrAddress":"2001:DB8::/32"}]}`)},
			{Do: remedy.Create, Kind: remedy.Policy, Staged: true, Text: "Ask for MFA\n# injected", Name: "MFA",
				After: form(remedy.Policy, `{"displayName":`+string(text)+`,"state":"enabled","conditions":{"users":{"includeUsers":["All"],
					"excludeGroups":["{left-out}"],"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest,serviceProvider",
					"externalTenants":{"membershipKind":"enumerated","members":["`+anyone+`"]}}},"applications":{"includeApplications":["All"]},
					"clientAppTypes":["all"],"locations":{"includeLocations":["All"],"excludeLocations":["{office}"]},"devices":{"deviceFilter":
					{"mode":"exclude","rule":"device.displayName -eq \"${x}\""}}},"grantControls":{"operator":"OR",
					"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}},"sessionControls":{"signInFrequency":{"isEnabled":true,
					"value":4,"type":"hours"}}}`)},
			{Do: remedy.Create, Kind: remedy.Policy, Staged: true, Text: "Block device codes",
				After: form(remedy.Policy, `{"displayName":"Codes","state":"enabled","conditions":{"users":{"includeUsers":["All"]},
					"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"authenticationFlows":{"transferMethods":"deviceCodeFlow"}},
					"grantControls":{"operator":"OR","builtInControls":["block"]}}`)},
			{Do: remedy.Update, Kind: remedy.Policy, ID: oldID, Text: "Rename the old one", Before: form(remedy.Policy, string(old)),
				After: remedy.Object(wanted)},
			{Do: remedy.Delete, Kind: remedy.Policy, ID: goneID, Text: "Take one away", Before: form(remedy.Policy, string(gone))},
			{Do: remedy.Ask, Kind: remedy.Person, Text: "Switch app passwords off", Task: &remedy.Task{Do: []string{"Open the settings\nof MFA"}}},
			{Do: remedy.Create, Kind: remedy.Policy, Staged: true, Text: "Bind tokens",
				After: form(remedy.Policy, `{"displayName":"Tokens","state":"enabled","conditions":{"users":{"includeUsers":["All"]},
					"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"insiderRiskLevels":"minor,elevated"},
					"sessionControls":{"secureSignInSession":{"isEnabled":true}}}`)},
		},
	}
	for i := range p.Steps {
		p.Steps[i].N = i + 1
		p.Steps[i].Text = strings.ReplaceAll(p.Steps[i].Text, "\n", " ")
		object.Complete(&p.Steps[i])
	}
	p.Steps[7].Task.Do[0] = "Open the settings of MFA"
	return p
}

// ground is a partner cloud with the plan's objects.
type ground struct {
	*labtest.Lab
	c    *control.Client
	plan *remedy.Plan
}

func newGround(t *testing.T) *ground {
	t.Helper()
	l := labtest.Start(t)
	l.Edit(noDefaults)
	g := &ground{Lab: l, c: control.Dial(l.Info.Control, l.Info.ControlSecret)}
	made := func(name string) (json.RawMessage, string) {
		raw := g.ask("POST", "/v1.0/identity/conditionalAccess/policies", `{"displayName":"`+name+`","state":"disabled","conditions":{"users":{"includeUsers":
			["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)
		return raw, idOf(raw)
	}
	old, oldID := made("Old")
	gone, goneID := made("Gone")
	var page struct{ Value []struct{ ID string } }
	_ = json.Unmarshal(g.ask("GET", "/v1.0/users?$top=1&$select=id", ""), &page)
	g.plan = plan(t, old, gone, oldID, goneID, page.Value[0].ID)
	return g
}

func idOf(raw json.RawMessage) string {
	var x struct{ ID string }
	_ = json.Unmarshal(raw, &x)
	return strings.ToLower(x.ID)
}

func (g *ground) ask(method, path, body string) json.RawMessage {
	g.Helper()
	call := control.GraphCall{Method: method, Path: path}
	if body != "" {
		call.Body = json.RawMessage(body)
	}
	a, err := g.c.Graph(g.Context(), call)
	if err != nil || a.Status >= 300 {
		g.Fatalf("%s %s: %v %d %s\n%s", method, path, err, a.Status, a.Body, body)
	}
	return a.Body
}

// proves compares what is there with the plan. ids are what was made, by key; policies in
// the order in which they came.
func (g *ground) proves(ids map[string]string, stage remedy.Stage) {
	g.Helper()
	var page struct{ Value []json.RawMessage }
	if err := json.Unmarshal(g.ask("GET", "/beta/identity/conditionalAccess/policies", ""), &page); err != nil {
		g.Fatal(err)
	}
	found := func(want json.RawMessage) bool {
		for _, x := range page.Value {
			if object.Equal(remedy.Policy, x, want) {
				return true
			}
		}
		return false
	}
	for i := range g.plan.Steps {
		s := &g.plan.Steps[i]
		if s.Kind != remedy.Policy {
			continue
		}
		want, err := object.Resolve(s.Kind, s.After, ids)
		if err != nil {
			g.Fatal(err)
		}
		switch {
		case s.Do == remedy.Delete:
			if found(s.Before) != (stage == remedy.ReportOnly) {
				g.Errorf("step %d: taken away in %s: %v", s.N, stage, !found(s.Before))
			}
		case stage == remedy.ReportOnly && s.Do == remedy.Update:
			if !found(s.Before) {
				g.Errorf("step %d was done in report-only", s.N)
			}
		case stage == remedy.ReportOnly:
			want = json.RawMessage(strings.Replace(string(want), `"state":"enabled"`, `"state":"enabledForReportingButNotEnforced"`, 1))
			fallthrough
		default:
			if !found(want) {
				g.Errorf("step %d: what is there is another than\n%s", s.N, want)
			}
		}
	}
}

// TestGraph does the requests of requests.json, and finds what the plan wanted.
func TestGraph(t *testing.T) {
	for _, stage := range []remedy.Stage{remedy.ReportOnly, remedy.All} {
		t.Run(string(stage), func(t *testing.T) {
			g := newGround(t)
			out, err := export.Graph(g.plan, stage)
			if err != nil {
				t.Fatal(err)
			}
			var list []export.Request
			if err := json.Unmarshal(out.Files[1].Text, &list); err != nil {
				t.Fatal(err)
			}
			ids := map[string]string{}
			for _, r := range list {
				path, body := r.Path, string(r.Body)
				for k, id := range ids {
					path, body = strings.ReplaceAll(path, "{"+k+"}", id), strings.ReplaceAll(body, "{"+k+"}", id)
				}
				if answer := g.ask(r.Method, path, body); r.Makes != "" {
					ids[r.Makes] = idOf(answer)
				}
			}
			g.proves(ids, stage)
			if left := strings.Join(out.Left, "\n"); !strings.Contains(left, "step 8 ") || stage == remedy.All && !strings.Contains(left, "a person's") {
				t.Errorf("what a person does is not told: %v", out.Left)
			}
		})
	}
}

// TestRequestsHTTP: both files say the same requests.
func TestRequestsHTTP(t *testing.T) {
	p := samplePlan(t)
	out, err := export.Graph(p, remedy.All)
	if err != nil {
		t.Fatal(err)
	}
	var list []export.Request
	if err := json.Unmarshal(out.Files[1].Text, &list); err != nil {
		t.Fatal(err)
	}
	text := string(out.Files[0].Text)
	for _, r := range list {
		for k := range map[string]bool{"left-out": true, "office": true} {
			r.Path = strings.ReplaceAll(r.Path, "{"+k+"}", "{{made_"+strings.ReplaceAll(k, "-", "_")+".response.body.id}}")
		}
		if !strings.Contains(text, "\n"+r.Method+" {{graph}}"+r.Path+"\nAuthorization: Bearer {{token}}\n") {
			t.Errorf("%s %s is not in requests.http", r.Method, r.Path)
		}
	}
	if n := strings.Count(text, "\n###\n"); n != len(p.Steps) {
		t.Errorf("%d sections for %d steps", n, len(p.Steps))
	}
}

func samplePlan(t *testing.T) *remedy.Plan {
	const raw = `{"displayName":"Old","state":"disabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},
		"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	return plan(t, json.RawMessage(raw), json.RawMessage(raw), "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444", anyone)
}

type sink struct {
	intake.Sink
	policies, locations []json.RawMessage
}

func (s *sink) Record(k evidence.Kind, raw []byte, _ evidence.Source) (string, error) {
	switch k {
	case evidence.ConditionalAccessPolicy:
		s.policies = append(s.policies, bytes.Clone(raw))
	case evidence.NamedLocation:
		s.locations = append(s.locations, bytes.Clone(raw))
	}
	return "", nil
}

// TestTerraform reads the configuration by the reader of the product's inputs, which knows
// nothing of the writer, and finds the plan's policies.
func TestTerraform(t *testing.T) {
	p := samplePlan(t)
	out, err := export.Terraform(p, remedy.All)
	if err != nil {
		t.Fatal(err)
	}
	text := out.Files[0].Text
	if _, diags := hclparse.NewParser().ParseHCL(text, "main.tf"); diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	for _, want := range []string{
		"to = azuread_conditional_access_policy.id_33333333_3333_3333_3333_333333333333",
		`id = "/identity/conditionalAccess/policies/33333333-3333-3333-3333-333333333333"`,
		"excluded_groups = [azuread_group.made_left_out.object_id]", "excluded_locations = [azuread_named_location.made_office.object_id]",
		"group_object_id  = azuread_group.made_left_out.object_id", "$${evil}", "%%{ if true }",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	left := strings.Join(out.Left, "\n")
	for _, want := range []string{"step 9", "sessionControls.secureSignInSession", "conditions.insiderRiskLevels", "step 7", "step 8"} {
		if !strings.Contains(left, want) {
			t.Errorf("%s is left out in silence: %s", want, left)
		}
	}
	// Groups and locations of the plan have ids only once they are made.
	plain := strings.NewReplacer("azuread_group.made_left_out.object_id", `"`+anyone+`"`, "azuread_named_location.made_office.object_id", `"`+anyone+`"`).
		Replace(string(text))
	var s sink
	if _, err := intake.Read(t.Context(), intake.Options{Stdin: strings.NewReader(plain)}, []string{"-"}, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.policies) != 3 || len(s.locations) != 1 {
		t.Fatalf("%d policies, %d locations\n%s", len(s.policies), len(s.locations), text)
	}
	ids := map[string]string{"left-out": anyone, "office": anyone}
	for i, n := range []int{3, 4, 5} {
		want, _ := object.Resolve(remedy.Policy, p.Steps[n].After, ids)
		got := without(s.policies[i], "@partnerguard.planned")
		if !object.Equal(remedy.Policy, want, got) {
			t.Errorf("step %d: %v\n%s\n%s", n+1, object.Diff(remedy.Policy, want, got, nil), want, got)
		}
	}
}

func without(raw json.RawMessage, name string) json.RawMessage {
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	delete(m, name)
	out, _ := json.Marshal(m)
	return out
}

// TestReportOnlyKeepsEnforced: what is in force is never switched to report-only.
func TestReportOnlyKeepsEnforced(t *testing.T) {
	p := samplePlan(t)
	for _, o := range []*remedy.Object{&p.Steps[5].Before, &p.Steps[5].After} {
		*o = remedy.Object(strings.Replace(string(*o), `"disabled"`, `"enabled"`, 1))
	}
	p.Steps[5].Staged = true
	for _, form := range export.Forms()[:3] {
		out, err := export.As(p, form, remedy.ReportOnly)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out.Files[0].Text), "renamed") || !strings.Contains(strings.Join(out.Left, "\n"), "in force today") {
			t.Errorf("%s: %v\n%s", form, out.Left, out.Files[0].Text)
		}
	}
	if _, err := export.As(p, "terraform", "10%"); !errors.Is(err, problem.Usage) {
		t.Errorf("a share: %v", err)
	}
	if _, err := export.As(p, "pulumi", remedy.All); !errors.Is(err, problem.Usage) {
		t.Errorf("another tool: %v", err)
	}
	p.Steps[3].After = remedy.Object(strings.Replace(string(p.Steps[3].After), `"hours"`, `"unknownFutureValue"`, 1))
	for _, form := range export.Forms() {
		if _, err := export.As(p, form, remedy.All); err == nil || !strings.Contains(err.Error(), "not known") {
			t.Errorf("%s writes what is not known: %v", form, err)
		}
	}
}

var (
	psString = regexp.MustCompile(`^'((?:[^'‘’‚‛]|''|‘‘|’’|‚‚|‛‛)*)'`)
	psDouble = regexp.MustCompile(`(['‘’‚‛])['‘’‚‛]`)
)

// shell does what the script says, in the few forms that it is written in: a form that is
// not known here fails the test, as does a text that does not end where it should.
type shell struct {
	*ground
	vars map[string]string
}

func (s *shell) expr(text string) string {
	m := psString.FindStringSubmatch(text)
	if m == nil {
		s.Fatalf("no text: %s", text)
	}
	out, rest := psDouble.ReplaceAllString(m[1], "$1"), text[len(m[0]):]
	return s.replaced(out, rest)
}

func (s *shell) replaced(out, rest string) string {
	re := regexp.MustCompile(`^\.Replace\('(\{[a-z-]+\})', \$(\w+)\)`)
	for rest != "" {
		m := re.FindStringSubmatch(rest)
		if m == nil {
			s.Fatalf("not known: %s", rest)
		}
		out, rest = strings.ReplaceAll(out, m[1], s.vars[m[2]]), rest[len(m[0]):]
	}
	return out
}

func (s *shell) run(script string) {
	invoke := regexp.MustCompile(`^(?:\$(\w+) = \()?Invoke-MgGraphRequest -Method (\w+) -Uri \$uri( -Body \$body -ContentType 'application/json')?` +
		`( -OutputType PSObject\)\.id| \| Out-Null)$`)
	lines := strings.Split(script, "\n")
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		switch {
		case l == "" || l[0] == '#' || strings.HasPrefix(l, "Set-StrictMode") || strings.HasPrefix(l, "$ErrorAction") || strings.HasPrefix(l, "Start-Sleep"),
			strings.HasPrefix(l, "$connect = @{"), strings.HasPrefix(l, "Connect-MgGraph"):
		case strings.HasPrefix(l, "$uri = "):
			s.vars["uri"] = s.expr(strings.TrimPrefix(l, "$uri = "))
		case l == "$body = @'":
			var body []string
			for i++; lines[i] != "'@"; i++ {
				body = append(body, lines[i])
			}
			s.vars["body"] = strings.Join(body, "\n")
		case strings.HasPrefix(l, "$body = $body"):
			s.vars["body"] = s.replaced(s.vars["body"], strings.TrimPrefix(l, "$body = $body"))
		default:
			m := invoke.FindStringSubmatch(l)
			if m == nil {
				s.Fatalf("not known: %s", l)
			}
			body := ""
			if m[3] != "" {
				body = s.vars["body"]
			}
			if answer := s.ask(m[2], s.vars["uri"], body); m[1] != "" {
				s.vars[m[1]] = idOf(answer)
			}
		}
	}
}

// TestPowerShell does what the script says to the partner cloud. There is no pwsh here:
// the forms that it uses are read by the test.
func TestPowerShell(t *testing.T) {
	g := newGround(t)
	out, err := export.PowerShell(g.plan, remedy.All)
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{g, map[string]string{}}
	s.run(string(out.Files[0].Text))
	g.proves(map[string]string{"left-out": s.vars["made_left_out"], "office": s.vars["made_office"]}, remedy.All)
}

func TestBicep(t *testing.T) {
	p := samplePlan(t)
	out, err := export.Bicep(p, remedy.All)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out.Files[0].Text)
	for _, want := range []string{
		"extension microsoftGraphV1\n", "resource made_left_out 'Microsoft.Graph/groups@v1.0' = {", `it\'s`, `\${evil}`, "      '" + anyone + "'\n",
		"// POST /v1.0/identity/conditionalAccess/policies",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for l := range strings.SplitSeq(text, "\n") {
		if strings.Contains(l, "conditionalAccess") && !strings.HasPrefix(l, "//") {
			t.Errorf("a policy outside of a comment: %s", l)
		}
	}
	if !strings.Contains(strings.Join(out.Left, "\n"), "step 4") {
		t.Errorf("a policy is left out in silence: %v", out.Left)
	}
	p.Steps = p.Steps[5:6]
	p.Steps[0].N = 1
	if _, err := export.Bicep(p, remedy.All); !errors.Is(err, problem.Usage) {
		t.Errorf("a plan of policies alone: %v", err)
	}
}

func noDefaults(_ *world.State, t *world.Tenant) { t.SecurityDefaults = false }
