package report

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSBOM holds the bill of materials to CycloneDX's own schema, which the module that
// writes it carries.
func TestSBOM(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	for name, file := range map[string]string{"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json",
		"jsf-0.82.schema.json": "jsf-0.82.schemax.json"} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err == nil {
			err = c.AddResource("http://cyclonedx.org/schema/"+name, doc)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	in := input(Auditor)
	for _, build := range []*debug.BuildInfo{in.Build, ours(t)} {
		in.Build = build
		text := written(t, in)["sbom.cdx.json"]
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = s.Validate(doc)
		}
		if err != nil {
			t.Error(err)
		}
		for _, m := range build.Deps {
			if !bytes.Contains(text, []byte(`"name": "`+m.Path+`"`)) {
				t.Errorf("%s is missing", m.Path)
			}
		}
	}
	in.Build = nil
	if written(t, in)["sbom.cdx.json"] != nil {
		t.Error("a bill of nothing")
	}
}

func ours(t *testing.T) *debug.BuildInfo {
	t.Helper()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("this test does not know what it is made of")
	}
	return info
}
