package evidence_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
)

var update = flag.Bool("update", false, "write docs/resources.md anew")

// Every row says what a reader needs, by names that are its own.
func TestResources(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z][A-Za-z0-9.]*$`)
	seen, files := map[string]bool{}, map[string]string{}
	all := evidence.Resources()
	for _, r := range all {
		if !name.MatchString(r.Name) || seen[r.Name] {
			t.Errorf("%q is no name, or another's", r.Name)
		}
		seen[r.Name] = true
		base, _, _ := strings.Cut(r.Name, ".")
		if of := files[r.File]; of != "" && of != base {
			t.Errorf("%s: %s is the file of %s", r.Name, r.File, of)
		}
		files[r.File] = base
		if r.Service == evidence.ExchangeOnline || r.Kind == "" || r.Path == "" || r.Source == "" || r.Proves == "" || r.Bucket == "" ||
			r.Every < time.Minute || len(r.Roles) == 0 {
			t.Errorf("%s is incomplete: %+v", r.Name, r)
		}
		if (r.Service == evidence.Graph) != (len(r.Permissions) > 0) || (r.Licence == evidence.Free) != (r.Without == "") {
			t.Errorf("%s: permissions %v, licence %s, without it %q", r.Name, r.Permissions, r.Licence, r.Without)
		}
		sliced := r.Time != "" && r.Slice > 0 && r.Overlap > 0 && r.Back > r.Slice
		if sliced != (r.Way == evidence.Sliced) || (r.Delta != "") != (r.Way == evidence.Delta) || r.Filter != "" && !sliced {
			t.Errorf("%s: read as %s, but %+v", r.Name, r.Way, r)
		}
		if r.Licence != evidence.Free && !r.Nobody && len(r.Fallback) == 0 {
			t.Errorf("%s: nothing says anything of it without the licence", r.Name)
		}
		for _, other := range r.Fallback {
			if o, ok := evidence.ResourceNamed(other); !ok || other == r.Name || !r.Licence.Covers(o.Licence) {
				t.Errorf("%s falls back on %q", r.Name, other)
			}
		}
		if got, ok := evidence.ResourceNamed(r.Name); !ok || got.Name != r.Name {
			t.Errorf("%s is not found by its name", r.Name)
		}
	}
	for _, r := range evidence.Requests() {
		if !slices.ContainsFunc(all, func(x evidence.Resource) bool { return x.Kind == r.Kind }) && r.Service != evidence.ExchangeOnline {
			t.Errorf("%s is exported, and not collected", r.Kind)
		}
	}
	for _, k := range evidence.Unjudged() {
		byHand := slices.ContainsFunc(evidence.ByHand(), func(x evidence.Request) bool { return x.Kind == k })
		if collected := slices.ContainsFunc(all, func(x evidence.Resource) bool { return x.Kind == k }); collected == byHand || evidence.ReadingOf(k) == "" {
			t.Errorf("%s is read by nothing, or twice", k)
		}
	}
	if _, ok := evidence.ResourceNamed("nothing"); ok {
		t.Error("nothing is found")
	}
}

// docs/resources.md is the table as people read it.
func TestResourcesDocument(t *testing.T) {
	const path = "../../docs/resources.md"
	want := document()
	if *update {
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/resources.md is not up to date: run go test ./internal/evidence -run TestResourcesDocument -update (%v)", err)
	}
}

const preface = `# What is read, and why

Made from the table of resources by ` + "`go test ./internal/evidence -run TestResourcesDocument -update`" + `; a test
holds it to that. The same table is behind the list of what to export by hand ([exports.md](exports.md)).

A *whole* list is read anew each time. Of one read by *changes*, the whole comes once and then what changed; when Microsoft
has forgotten where we were, the whole comes again. A log is read by *slices* of time: a slice that is late is halved, down
to a minute, and the next is wider again; what may still come or change is read once more (*again*). What is refused for a
licence, a permission or a role is a fact and no failure, and says what is nearest (*else*).

Nothing is sent faster than this, for each app and tenant: logs and reports 5 requests in 10 seconds; Conditional Access and
Identity Protection 1 a second, all apps together; the directory 3,500 resource units in 10 seconds, as a small tenant is
granted; Graph in all 2,000 a second for an app. Partner Center, Azure and the partner's security score publish no limit, or a
larger one: 40, 25 and 50 a second. A 429 closes its own bucket until its time, and what answers with a share above 80 % is slowed.

`

func document() []byte {
	var b bytes.Buffer
	b.WriteString(preface)
	whose := map[evidence.Scope]string{evidence.OfPartner: "partner", evidence.OfCustomer: "customers", evidence.OfBoth: "partner, customers"}
	for _, r := range evidence.Resources() {
		fmt.Fprintf(&b, "## `%s`\n\nProves %s.\n\n", r.Name, r.Proves)
		row := func(what, format string, args ...any) { fmt.Fprintf(&b, "- "+what+": "+format+"\n", args...) }
		row("request", "`%s`", r.String())
		row("in", "%s; every %s", whose[r.Scope], span(r.Every))
		how := map[evidence.Way]string{evidence.Whole: "whole", evidence.Delta: "changes (`" + r.Delta + "`)", evidence.Sliced: "slices"}[r.Way]
		if r.Way == evidence.Sliced {
			how += fmt.Sprintf(" of %s by `%s`", span(r.Slice), r.Time)
			if r.Filter != "" {
				how += ", where `" + r.Filter + "`"
			}
			how += "; again " + span(r.Overlap)
		}
		if r.Only == evidence.Named {
			how += ", those items that a policy or a role names"
		}
		row("read", "%s; budget `%s`", how, r.Bucket)
		if r.Back > 0 {
			free := ""
			if r.FreeBack > 0 {
				free = ", " + span(r.FreeBack) + " without a licence"
			}
			row("Microsoft keeps", "%s%s", span(r.Back), free)
		}
		row("role", "%s", strings.Join(r.Roles, ", "))
		if r.Licence != evidence.Free {
			row("licence", "Entra ID %s; without it %s", strings.ToUpper(string(r.Licence)), strings.TrimPrefix(r.Without, "without it "))
		}
		if len(r.Fallback) > 0 {
			row("else", "`%s`", strings.Join(r.Fallback, "`, `"))
		}
		row("judged", "%s", cmp.Or(map[bool]string{true: "by nothing yet"}[slices.Contains(evidence.Unjudged(), r.Kind)], "as `"+string(r.Kind)+"`"))
		row("source", "%s", r.Source)
		b.WriteString("\n")
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

func span(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}
