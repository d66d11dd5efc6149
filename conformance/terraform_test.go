//go:build terraform

package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// tools are what is built for the walk, each in a module of its own.
var tools = []struct{ dir, pkg, bin string }{
	{"core", "github.com/hashicorp/terraform", "terraform"},
	{"azuread", "github.com/hashicorp/terraform-provider-azuread", "terraform-provider-azuread"},
	{"restapi", "github.com/Mastercard/terraform-provider-restapi", "terraform-provider-restapi"},
}

// built builds Terraform and the providers, those named, into the user's cache folder:
// minutes the first time.
func built(t *testing.T, names ...string) (dir string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(cache, "partnerguard-conformance", "terraform")
	for _, x := range tools {
		if !slices.Contains(names, x.dir) {
			continue
		}
		sum, err := os.ReadFile(filepath.Join("terraform", x.dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		stamp := filepath.Join(dir, x.bin+".mod")
		if had, err := os.ReadFile(stamp); err == nil && bytes.Equal(had, sum) {
			continue
		}
		t.Logf("building %s", x.pkg)
		c := exec.Command("go", "build", "-o", filepath.Join(dir, x.bin), x.pkg)
		c.Dir = filepath.Join("terraform", x.dir)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", x.pkg, err, out)
		}
		if err := os.WriteFile(stamp, sum, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// terra runs Terraform on the configuration that docs/walk shows.
type terra struct {
	*testing.T
	dir, work string
	env       []string
}

func (r *terra) run(args ...string) (string, error) {
	r.Helper()
	c := exec.Command(filepath.Join(r.dir, "terraform"), args...)
	c.Dir = r.work
	c.Env = append(os.Environ(), r.env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

func (r *terra) must(args ...string) string {
	r.Helper()
	out, err := r.run(args...)
	if err != nil {
		r.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// apply plans, waits and applies: planning and applying are two processes, which do not
// keep Graph's limit of one request a second together.
func (r *terra) apply(args ...string) {
	r.Helper()
	pace()
	r.must(append([]string{"plan", "-no-color", "-parallelism=1", "-out=plan"}, args...)...)
	pace()
	r.must("apply", "-no-color", "-parallelism=1", "plan")
}

// azLogin signs a person in to Azure CLI by the device code.
func azLogin(t *testing.T, config, who string) {
	t.Helper()
	if _, err := exec.LookPath("az"); err != nil {
		missing(t, "Azure CLI")
	}
	b, p := chromium(t), someone(t, who)
	ctx, stop := context.WithTimeout(b.wait, 2*time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, "az", "login", "--use-device-code", "--tenant", cloud.Tenant.ID, "--allow-no-subscriptions")
	c.Env = append(os.Environ(), "AZURE_CONFIG_DIR="+config, "AZURE_CORE_COLLECT_TELEMETRY=0")
	words, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`open the page (\S+) and enter the code (\S+) to`)
	var all strings.Builder
	for lines := bufio.NewScanner(words); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if m := said.FindStringSubmatch(lines.Text()); m != nil {
			b.enterCode(m[1], m[2], p)
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("az login: %v\n%s", err, all.String())
	}
}

// gaps asks the product itself: what is read from the running cloud is proved.
func gaps(t *testing.T) map[string]string {
	t.Helper()
	return proved(t, settingsOf(t))
}

// settingsOf exports the partner's settings into a folder.
func settingsOf(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, path := range map[string]string{
		"conditionalAccess-policies.json": "/v1.0/identity/conditionalAccess/policies", "namedLocations.json": "/v1.0/identity/conditionalAccess/namedLocations",
		"authenticationStrengths.json":  "/v1.0/policies/authenticationStrengthPolicies",
		"securityDefaults.json":         "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
		"users.json":                    "/v1.0/users?$select=id,userPrincipalName,displayName,accountEnabled,userType&$top=999",
		"groups.json":                   "/v1.0/groups?$expand=members($select=id)&$top=999",
		"roleAssignments.json":          "/v1.0/roleManagement/directory/roleAssignments",
		"roleEligibilitySchedules.json": "/v1.0/roleManagement/directory/roleEligibilitySchedules",
		"servicePrincipals.json":        "/v1.0/servicePrincipals?$top=999",
		"organization.json":             "/v1.0/organization",
	} {
		var doc json.RawMessage
		pace()
		asAdmin(t, "GET", path, nil, &doc)
		if err := os.WriteFile(filepath.Join(dir, name), doc, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// proved are the verdicts of the product's questions about an export.
func proved(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := exec.Command(os.Getenv(binVar), "prove", "--from", dir, "--output", "json").Output()
	if e, ok := err.(*exec.ExitError); ok && e.ExitCode() != 3 {
		t.Fatalf("prove: %v\n%s\n%s", err, out, e.Stderr)
	}
	var answers struct {
		Proofs []struct{ Question, Verdict, Reason string }
	}
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatalf("prove: %v\n%.600s", err, out)
	}
	verdicts := map[string]string{}
	for _, a := range answers.Proofs {
		verdicts[a.Question] = a.Verdict
		t.Logf("%s: %s: %s", a.Question, a.Verdict, a.Reason)
	}
	if len(verdicts) == 0 {
		t.Fatal("prove asked nothing")
	}
	return verdicts
}

func TestTerraform(t *testing.T) {
	if !onlyByNames(t, "terraform-provider-azuread 1.6.0", "the partner's baseline applied by Terraform, proved by prove, planned again without a change, destroyed") {
		return
	}
	w, dir := writer(t), built(t, "core", "azuread", "restapi")
	work := t.TempDir()
	config := filepath.Join(work, "az")
	who := "lena.fischer" // policy lets her use the device code; she may not make groups of herself
	var person, role struct{ ID string }
	asAdmin(t, "GET", "/v1.0/users/"+who+"@"+cloud.Tenant.Domain+"?$select=id", nil, &person)
	asAdmin(t, "POST", "/v1.0/roleManagement/directory/roleAssignments", map[string]any{"principalId": person.ID,
		"roleDefinitionId": "fdd7a751-b60b-444a-984c-02652fe8fa1c", "directoryScopeId": "/"}, &role)
	t.Cleanup(func() { asAdmin(t, "DELETE", "/v1.0/roleManagement/directory/roleAssignments/"+role.ID, nil, nil) })
	azLogin(t, config, who)
	rc := filepath.Join(work, "terraformrc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/azuread\" = %q\n    \"Mastercard/restapi\" = %q\n  }\n  direct {}\n}\n", dir, dir)
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	main, err := os.ReadFile("../docs/walk/partner-baseline/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "main.tf"), main, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &terra{t, dir, work, []string{
		"TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "AZURE_CONFIG_DIR=" + config, "TF_VAR_tenant_id=" + cloud.Tenant.ID,
		"TF_VAR_client_id=" + w.id, "TF_VAR_client_secret=" + w.secret, `TF_VAR_administrators=["lena.fischer@` + cloud.Tenant.Domain + `"]`,
	}}
	before := gaps(t)
	t.Logf("before: %v", before)
	r.apply()
	if got := gaps(t); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("policies in report-only changed a verdict: %v", got)
	}
	r.apply("-var", "state=enabled")
	after := gaps(t)
	t.Logf("after: %v", after)
	for _, q := range []string{"mfa-every-sign-in", "mfa-every-user", "mfa-admin-roles", "legacy-blocked", "register-security-info-protected", "service-providers"} {
		if before[q] == "proved" || after[q] != "proved" {
			t.Errorf("%s: %s before, %s after", q, before[q], after[q])
		}
	}
	pace()
	if out := r.must("plan", "-no-color", "-parallelism=1", "-var", "state=enabled"); !strings.Contains(out, "No changes.") {
		t.Errorf("a second plan changes something:\n%s", out)
	}
	r.apply("-destroy", "-var", "state=enabled")
	if got := gaps(t); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("after destroy: %v, before: %v", got, before)
	}

	// With a secret this version asks Azure AD Graph before anything else.
	secret := *r
	secret.env = append(secret.env, "ARM_CLIENT_ID="+w.id, "ARM_CLIENT_SECRET="+w.secret, "ARM_TENANT_ID="+cloud.Tenant.ID)
	if out, err := secret.run("plan", "-no-color"); err == nil || !strings.Contains(out, "graphrbac") || !strings.Contains(out, "StatusCode:403") {
		t.Errorf("the retired API was not refused as Microsoft refuses it: %v\n%s", err, out)
	}
}
