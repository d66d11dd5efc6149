package app_test

import (
	"encoding/json"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/partnercloud/world"
)

// sameVerdicts wants of a pack with something left out the verdicts of one without; what is
// unknown may count otherwise, and then that is said.
func sameVerdicts(t *testing.T, whole, cut *pack.Manifest) {
	t.Helper()
	for _, v := range whole.Verdicts {
		n := slices.IndexFunc(cut.Verdicts, func(o pack.Verdict) bool { return o.Requirement == v.Requirement })
		if n < 0 {
			t.Fatalf("%s has no verdict", v.Requirement)
		}
		o := &cut.Verdicts[n]
		told := slices.Contains(cut.Recounted, form.Recount{Requirement: v.Requirement, Affected: v.Affected, Total: v.Total})
		if same := o.Affected == v.Affected && o.Total == v.Total; o.Verdict != v.Verdict || same == told {
			t.Errorf("%s is %s, and with names and addresses left out %s; told: %v", v.Requirement, v.Count(), o.Count(), told)
		}
	}
	t.Logf("counted otherwise: %+v", cut.Recounted)
}

// namesNobody wants a pack with names and addresses left out that holds, and in no entry of
// which one of them is.
func namesNobody(t *testing.T, cut *pack.Made, names []string) {
	t.Helper()
	hidden, r := packHolds(t, cut)
	pages := 0
	for name, text := range hidden {
		if strings.HasPrefix(name, "evidence/") && name != "evidence/index.jsonl" && strings.Contains(text, "redacted-") {
			pages++
		}
	}
	if pages == 0 || r.Manifest.Leaves.ByMember == 0 || r.Manifest.Leaves.Shown == 0 {
		t.Errorf("nothing was cut: %d pages, %+v", pages, r.Manifest.Leaves)
	}
	for name, where := range tells(hidden, names) {
		t.Errorf("%s names %s", where, name)
	}
	if cut.Manifest.Unjudged != "" {
		return
	}
	if !strings.Contains(hidden["report.json"], "redacted-") {
		t.Error("report.json has no pseudonyms: it is not of the evidence that was cut")
	}
	p := &app.PackReading{}
	if v, err := pack.VerifyFile(t.Context(), cut.Path, form.Trust{}, p.Again, p.Told); err != nil || v.Err() != nil || !v.Rejudged || len(v.Files.Again) < 6 {
		t.Errorf("%v %+v", err, v)
	}
}

// smallHolds has a pack verified by the second verifier, which shares no code with the first.
func smallHolds(t *testing.T, made *pack.Made) {
	t.Helper()
	path, err := filepath.Abs(made.Path)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", "run", ".", "--key", made.Manifest.Key, path)
	c.Dir = filepath.Join("..", "..", "verify")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("the second verifier: %v: %s", err, out)
	}
}

var addressOf = regexp.MustCompile(`"ipAddress": ?"([0-9a-f.:]+)"`)

// laboratoryNames are the names of the laboratory's people, and the addresses of their sign-ins.
func laboratoryNames(w *watched, asOf time.Time) (out []string) {
	w.lab.Server.World.Read(func(s *world.State) {
		for u := range s.PartnerTenant().Users.All() {
			out = append(out, strings.ToLower(u.UPN), strings.ToLower(u.Name))
		}
	})
	v, err := w.s.Archive.View(w.Context(), archive.ViewOf{Tenant: w.lab.Info.Tenant.ID, AsOf: asOf, Since: asOf.AddDate(0, 0, -30)})
	if err != nil {
		w.Fatal(err)
	}
	people := len(out)
	err = fs.WalkDir(v, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(v, name)
		for _, m := range addressOf.FindAllSubmatch(raw, -1) {
			out = append(out, string(m[1]))
		}
		return err
	})
	if err != nil || people < 20 || len(out) == people {
		w.Fatalf("%d people, %d addresses, %v", people, len(out)-people, err)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// others are texts of the laboratory that hold the name of an account and are not it: a
// group's description, and an app.
var others = strings.NewReplacer("emergency access, excluded from", "", "contoso billing sync", "")

// tells are the names that stand in entries, with one that has it.
func tells(entries map[string]string, names []string) map[string]string {
	out := map[string]string{}
	for where, text := range entries {
		low := others.Replace(strings.ToLower(text + "\n" + plain(text)))
		for _, n := range names {
			if strings.Contains(low, n) {
				out[n] = where
			}
		}
	}
	return out
}

// plain are the texts of JSON, one document or one a line, without escapes.
func plain(text string) string {
	var b strings.Builder
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		t, err := d.Token()
		if err != nil {
			return b.String()
		}
		if s, is := t.(string); is {
			b.WriteString(s + "\n")
		}
	}
}

var personalOf = regexp.MustCompile(`"(?:userPrincipalName|mail|mailNickname|givenName|surname|userDisplayName|mobilePhone)": ?"([^"]{4,})"`)

// personalNames are what members that are named after people hold in the evidence as it was kept.
func personalNames(w *watched, asOf time.Time) (out []string) {
	v, err := w.s.Archive.View(w.Context(), archive.ViewOf{Tenant: w.lab.Info.Tenant.ID, AsOf: asOf, Since: asOf.AddDate(0, 0, -30)})
	if err != nil {
		w.Fatal(err)
	}
	err = fs.WalkDir(v, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(v, name)
		for _, m := range personalOf.FindAllSubmatch(raw, -1) {
			if n := strings.ToLower(string(m[1])); n != "adminagents" && n != "helpdeskagents" && n != "salesagents" { // groups of every tenant
				out = append(out, n)
			}
		}
		return err
	})
	if err != nil || len(out) == 0 {
		w.Fatalf("%d names, %v", len(out), err)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
