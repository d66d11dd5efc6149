package pack_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
)

// attacks are packs that one of the verifiers took for whole once, or that would have it
// use more memory than the file has bytes.
var attacks = []tampering{
	{"a page is put into a pack that has no evidence", "none", plain, func(o *opened) { o.smuggle() }, form.Structure},
	{"a page is put into a pack that has no evidence, by who has the key", "none", signed, func(o *opened) {
		o.smuggle()
		o.m.Pages = form.Pages{}
	}, form.Structure},
	{"a member of the manifest is there twice", "", signed, func(o *opened) {
		o.replace(form.ManifestName, `"reader": "auditor"`, `"reader": "insurer", "reader": "auditor"`)
	}, form.Structure},
	{"a member of the manifest is there in capitals too", "", signed, func(o *opened) {
		o.replace(form.ManifestName, `"reader": "auditor"`, `"READER": "insurer", "reader": "auditor"`)
	}, form.Structure},
	{"something is behind the manifest", "", signed, func(o *opened) {
		o.content[form.ManifestName] = append(o.content[form.ManifestName], "{}\n"...)
	}, form.Structure},
	{"the manifest is larger than any", "", plain, func(o *opened) {
		o.content[form.ManifestName] = append(o.content[form.ManifestName], bytes.Repeat([]byte{' '}, 8<<20)...)
	}, form.Structure},
	{"the moment that is judged is before the period", "", signed, func(o *opened) {
		o.m.AsOf = o.m.From.AddDate(0, 0, -1)
		o.manifest()
	}, form.Structure},
	{"the tenant is none", "", signed, func(o *opened) { o.m.Tenant = "../x"; o.manifest() }, form.Structure},
	{"a verdict is there twice", "", signed, func(o *opened) {
		o.m.Verdicts = append(o.m.Verdicts, o.m.Verdicts[0])
		o.manifest()
	}, form.Structure},
	{"a member of the index is there twice", "all", signed, func(o *opened) {
		o.replace(form.IndexName, `"index":0,`, `"index":7,"index":0,`)
	}, form.Page},
	{"a hash of the trail's proof is null", "", signed, func(o *opened) { o.replace(form.ProofName, `"hashes": [`, `"hashes": [null,`) }, form.Trail},
	{"a member of the proof is there twice", "", signed, func(o *opened) { o.replace(form.ProofName, `"size": `, `"size": 1, "size": `) }, form.Trail},
	{"a space is in a record that was cut", "redacted", signed, func(o *opened) { o.recut(o.page(0), `,"`, `, "`) }, form.Redaction},
	{"a value is shown whose path names somebody", "redacted", signed, func(o *opened) {
		o.recut(o.page(0), `"/accountEnabled"`, `"/by/adele@contoso.example"`)
	}, form.Redaction},
	{"a value is shown within a member that the rule names", "redacted", signed, func(o *opened) {
		o.recut(o.page(0), `["/id",`, `["/emailAddress/id",`)
	}, form.Redaction},
	{"a value is shown that describes somebody", "redacted", signed, func(o *opened) {
		o.recut(o.page(0), `["/id",`, `["/description",`)
	}, form.Redaction},
	{"a line of a reading has the sum of a page", "all", signed, func(o *opened) {
		o.lines(form.IndexName, func(l []string) []string {
			for i := range l {
				if strings.Contains(l[i], `{\"run\"`) {
					l[i] = strings.TrimSuffix(l[i], "}\n") + `,"sha256":"` + strings.Repeat("0", 64) + "\"}\n"
					break
				}
			}
			return l
		})
	}, form.Page},
}

// TestOneRule: both verifiers have the same members and the same looks.
func TestOneRule(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nameMembers", "addressMembers", "mailForm", "hostForm", "givenNames", "pseudonymForm"} {
		var of [2]string
		for n, file := range []string{"leaf/rule.go", "../../verify/evidence.go"} {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(raw), name+" ")
			_, rest, _ = strings.Cut(rest, "`")
			text, _, _ := strings.Cut(rest, "`")
			of[n] = strings.Join(strings.Fields(text), " ")
			if strings.HasSuffix(name, "Members") || name == "givenNames" {
				of[n] = strings.ToLower(of[n])
			}
		}
		if of[0] != of[1] || of[0] == "" {
			t.Errorf("%s: %q and %q", name, of[0], of[1])
		}
	}
}

// smuggle puts a file among the pages.
func (o *opened) smuggle() {
	o.names = append([]string{"evidence/x/0.page"}, o.names...)
	o.content["evidence/x/0.page"] = []byte("hidden")
}

// TestAttacks has each found by both verifiers, and named.
func TestAttacks(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	of := map[string][]byte{"": madeOf(t, h, kinds["all"])}
	for _, kind := range []string{"none", "redacted"} {
		of[kind] = madeOf(t, h, kinds[kind])
	}
	of["all"] = of[""]
	for _, x := range attacks {
		t.Run(x.name, func(t *testing.T) {
			o := takeApart(t, of[x.kind], h.Signer)
			x.change(o)
			if x.how >= signed {
				if !strings.HasPrefix(x.name, "a member of the manifest") && !strings.Contains(x.name, "the manifest") {
					o.sums()
				}
				o.m.Pages = keptPages(o, x.kind)
				o.sign()
			}
			large, little := byBoth(t, o.file(), form.Trust{Key: h.Signer.Verifier()}, packtest.Count, "--key", h.Signer.Key())
			if !has(large, x.want) {
				t.Errorf("the large one does not say %s: %v", x.want, large)
			}
			if !has(little, x.want) {
				t.Errorf("the small one does not say %s: %v", x.want, little)
			}
		})
	}
}

// keptPages are what the manifest says of pages: none, of a pack without.
func keptPages(o *opened, kind string) form.Pages {
	if kind != "none" {
		return o.m.Pages
	}
	o.m.Pages = form.Pages{}
	o.manifest()
	return form.Pages{}
}
