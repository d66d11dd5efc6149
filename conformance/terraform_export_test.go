//go:build terraform

package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The provider that TestTerraformExport is about: the last whose sources were read. Its
// Go module has no version since 1.6.0, so it comes from its tag, by its commit.
const (
	azureadVersion = "3.9.0"
	azureadCommit  = "df2a07a337129119e0a267925ea8a63e841d1a19"
	azureadVar     = "AZUREAD_PROVIDER" // set by hand: a provider built before
)

// azuread gives the folder of the provider's program, built once from the checkout that
// `make conformance-terraform` gets.
func azuread(t *testing.T) (dir string) {
	t.Helper()
	if bin := os.Getenv(azureadVar); bin != "" {
		if _, err := os.Stat(bin); err != nil || filepath.Base(bin) != "terraform-provider-azuread" {
			t.Fatalf("%s=%s is no program called terraform-provider-azuread: %v", azureadVar, bin, err)
		}
		return filepath.Dir(bin)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(cache, "partnerguard-conformance", "azuread-"+azureadVersion)
	from := filepath.Join(dir, "source")
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", from}, args...)...).Output()
		if err != nil {
			t.Fatalf("there is no checkout of terraform-provider-azuread v%s in %s (git %s: %v): `make conformance-terraform` gets it, or %s names a program",
				azureadVersion, from, args[0], err, azureadVar)
		}
		return strings.TrimSpace(string(out))
	}
	if head := git("rev-parse", "HEAD"); head != azureadCommit {
		t.Fatalf("%s is at %s, and v%s is %s: remove the folder", from, head, azureadVersion, azureadCommit)
	}
	if changed := git("status", "--porcelain"); changed != "" {
		t.Fatalf("%s was changed: remove the folder\n%.300s", from, changed)
	}
	bin := filepath.Join(dir, "bin", "terraform-provider-azuread")
	stamp := bin + "." + azureadCommit
	if _, err := os.Stat(stamp); err == nil {
		return filepath.Dir(bin)
	}
	t.Logf("building terraform-provider-azuread %s", azureadVersion)
	c := exec.Command("go", "build", "-mod=vendor", "-o", bin, ".")
	c.Dir, c.Env = from, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("terraform-provider-azuread %s: %v\n%s", azureadVersion, err, out)
	}
	if err := os.WriteFile(stamp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(bin)
}

// planStep is a step of a plan as its file has it.
type planStep struct {
	N      int             `json:"n"`
	Do     string          `json:"do"`
	Kind   string          `json:"kind"`
	ID     string          `json:"id,omitempty"`
	Key    string          `json:"key,omitempty"`
	Text   string          `json:"text"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	Staged bool            `json:"staged,omitempty"`
	First  bool            `json:"first,omitempty"`
	Undo   string          `json:"undo"`
}

// product runs the program; what it says besides is told when it fails. Status 3, not
// met, is an answer.
func product(t *testing.T, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(os.Getenv(binVar), args...).Output()
	if e, is := err.(*exec.ExitError); err != nil && (!is || e.ExitCode() != 3) {
		said := ""
		if is {
			said = string(e.Stderr)
		}
		t.Fatalf("partnerguard %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return out
}

// exported is a plan's document, and how the product's exports of it are made.
type exported struct {
	*testing.T
	work string
	doc  map[string]any // all but the steps
}

// planned has the product make a plan for settings, and gives its steps.
func (x *exported) planned(args ...string) (list []planStep) {
	x.Helper()
	var made struct{ Plan map[string]any }
	out := product(x.T, append([]string{"remedy", "plan", "--output", "json"}, args...)...)
	if err := json.Unmarshal(out, &made); err != nil || made.Plan == nil {
		x.Fatalf("remedy plan: %v\n%.300s", err, out)
	}
	raw, _ := json.Marshal(made.Plan["steps"])
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		x.Fatalf("remedy plan: %v\n%s", err, raw)
	}
	delete(made.Plan, "steps")
	delete(made.Plan, "gate")
	if basis, is := made.Plan["basis"].(map[string]any); is {
		delete(basis, "sha256") // over the steps of this one plan
	}
	x.doc = made.Plan
	return list
}

// file writes a plan of steps.
func (x *exported) file(name string, steps []planStep) string {
	x.Helper()
	for i := range steps {
		steps[i].N = i + 1
	}
	doc := maps.Clone(x.doc)
	doc["steps"] = steps
	raw, err := json.Marshal(doc)
	if err != nil {
		x.Fatal(err)
	}
	path := filepath.Join(x.work, name)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		x.Fatal(err)
	}
	return path
}

// configured has the product write main.tf, all of the plan in it.
func (x *exported) configured(plan string) {
	x.Helper()
	product(x.T, "remedy", "export", plan, "--as", "terraform", "--dir", filepath.Join(x.work, "tf"))
	raw, err := os.ReadFile(filepath.Join(x.work, "tf", "main.tf"))
	if err != nil {
		x.Fatal(err)
	}
	if strings.Contains(string(raw), "not by Terraform") {
		x.Fatalf("something is left out:\n%s", raw)
	}
}

// foretold are the answers that a plan's last gate says are true when it is done.
func (x *exported) foretold(plan, from string) map[string]string {
	x.Helper()
	var said struct {
		Gates []struct {
			Stage   string
			Answers []struct{ Question, After string }
		}
	}
	out := product(x.T, "remedy", "check", plan, "--from", from, "--output", "json")
	if err := json.Unmarshal(out, &said); err != nil || len(said.Gates) == 0 {
		x.Fatalf("remedy check: %v\n%.300s", err, out)
	}
	answers := map[string]string{}
	for _, a := range said.Gates[len(said.Gates)-1].Answers {
		answers[a.Question] = a.After
	}
	if len(answers) == 0 {
		x.Fatal("the gate answers nothing")
	}
	return answers
}

// applied plans and applies three at a time. Ten, Terraform's own number, ask Graph so often
// while they wait for what they made that the provider gives up at a 429; one takes
// more than four minutes.
func applied(r *terra) {
	r.Helper()
	r.must("plan", "-no-color", "-parallelism=3", "-out=plan")
	r.must("apply", "-no-color", "-parallelism=3", "plan")
}

func TestTerraformExport(t *testing.T) {
	if !onlyByNames(t, "terraform-provider-azuread "+azureadVersion, "a plan's export applied, read back, proved, planned again without a change, taken back") {
		return
	}
	provider, core, w := azuread(t), built(t, "core"), writer(t)
	x := &exported{T: t, work: t.TempDir()}
	rc := filepath.Join(x.work, "terraformrc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"hashicorp/azuread\" = %q\n  }\n  direct {}\n}\n", provider)
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &terra{t, core, filepath.Join(x.work, "tf"), []string{"TF_CLI_CONFIG_FILE=" + rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"ARM_CLIENT_ID=" + w.id, "ARM_CLIENT_SECRET=" + w.secret, "ARM_USE_CLI=false"}}

	before := settingsOf(t)
	verdicts := proved(t, before)
	var person struct{ ID string }
	asAdmin(t, "GET", "/v1.0/users/"+someone(t, "brian.walsh").upn+"?$select=id", nil, &person)
	steps := handMade(t, strings.ToLower(person.ID))
	steps = append(steps, x.planned("mfa-every-sign-in", "--way", "edit", "--from", before)...)
	steps = append(steps, x.planned("--preset", "partner-baseline", "--from", before)...)
	plan := x.file("plan.json", steps)
	x.configured(plan)
	applied(r)
	settled(t, steps)
	after := proved(t, settingsOf(t))
	for q, want := range x.foretold(plan, before) {
		if after[q] != want {
			t.Errorf("%s: %s after, and the plan says %s", q, after[q], want)
		}
	}
	if after["mfa-every-sign-in"] != "proved" || verdicts["mfa-every-sign-in"] == "proved" {
		t.Errorf("mfa-every-sign-in: %s before, %s after", verdicts["mfa-every-sign-in"], after["mfa-every-sign-in"])
	}
	pace()
	if out := r.must("plan", "-no-color", "-parallelism=3"); !strings.Contains(out, "No changes.") {
		t.Errorf("a second plan changes something:\n%s", out)
	}

	// What was there before the plan is not destroyed with what the plan made.
	if out, err := r.run("destroy", "-no-color", "-auto-approve", "-parallelism=3"); err == nil || !strings.Contains(out, "prevent_destroy") {
		t.Errorf("destroy takes away what was there before: %v\n%s", err, out)
	}
	settled(t, steps)
	var back []planStep
	for _, s := range slices.Backward(steps) {
		if s.Do == "update" {
			s.Before, s.After = s.After, s.Before
			back = append(back, s)
		}
	}
	x.configured(x.file("back.json", back))
	applied(r)
	settled(t, back)
	last := settingsOf(t)
	if got := proved(t, last); fmt.Sprint(got) != fmt.Sprint(verdicts) {
		t.Errorf("taken back: %v, before: %v", got, verdicts)
	}
	sameSettings(t, before, last)
}

// sameSettings compares two exports, but for the times of changes.
func sameSettings(t *testing.T, a, b string) {
	t.Helper()
	for _, name := range []string{"conditionalAccess-policies.json", "namedLocations.json", "authenticationStrengths.json", "groups.json"} {
		var was, is struct{ Value []map[string]any }
		for path, into := range map[string]any{filepath.Join(a, name): &was, filepath.Join(b, name): &is} {
			raw, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(raw, into)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		byID := func(x, y map[string]any) int { return strings.Compare(fmt.Sprint(x["id"]), fmt.Sprint(y["id"])) }
		slices.SortFunc(was.Value, byID)
		slices.SortFunc(is.Value, byID)
		if len(was.Value) != len(is.Value) {
			t.Errorf("%s: %d objects before, %d at last", name, len(was.Value), len(is.Value))
			continue
		}
		for i := range was.Value {
			if odd := differs("", was.Value[i], is.Value[i]); len(odd) > 0 {
				t.Errorf("%s: %v is not as it was: %v", name, was.Value[i]["displayName"], odd)
			}
		}
	}
}
