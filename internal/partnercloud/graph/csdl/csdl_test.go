package csdl

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the model files from the shared metadata")

type sharedMember struct {
	Type       string `json:"type"`
	Nullable   *bool  `json:"nullable"`
	Collection bool   `json:"collection"`
	Contains   bool   `json:"contains"`
	Name       string `json:"name"`
}

type sharedType struct {
	Kind       string                  `json:"kind"`
	Base       string                  `json:"base"`
	Open       bool                    `json:"open"`
	Abstract   bool                    `json:"abstract"`
	Flags      bool                    `json:"flags"`
	Members    []string                `json:"members"`
	Values     []json.Number           `json:"values"`
	Properties map[string]sharedMember `json:"properties"`
	Navigation map[string]sharedMember `json:"navigation"`
}

func short(name string) string { return strings.TrimPrefix(name, "microsoft.graph.") }

func (x sharedMember) text(name string) string {
	out := name + "="
	if x.Collection {
		out += "*"
	}
	out += short(x.Type)
	if x.Nullable != nil && !*x.Nullable {
		out += "!"
	}
	if x.Contains {
		out += "~"
	}
	return out
}

// generate makes a model file of the shared metadata: every type in it, one a line.
func generate(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "..", "shared", "data", "reference", "graph-schema-"+version+".json")
	raw, err := os.ReadFile(path)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared data is missing: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: the shared data is missing: %v", err)
	}
	var in struct {
		Source struct {
			Repository, Commit, Licence string
		} `json:"source"`
		Types      map[string]*sharedType `json:"types"`
		Operations []struct {
			Name, Kind, BoundTo string
			BoundToCollection   bool
			Parameters          []sharedMember
			Returns             *sharedMember
		} `json:"operations"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Made by the test of this package from %s, commit %s, %s.\n", in.Source.Repository, in.Source.Commit, in.Source.Licence)
	for _, name := range slices.Sorted(maps.Keys(in.Types)) {
		x := in.Types[name]
		fmt.Fprintf(&b, "%s %s", x.Kind, short(name))
		if x.Base != "" {
			b.WriteString(" " + short(x.Base))
		}
		for _, word := range []string{"open", "abstract", "flags"} {
			if map[string]bool{"open": x.Open, "abstract": x.Abstract, "flags": x.Flags}[word] {
				b.WriteString(" " + word)
			}
		}
		b.WriteString(" :")
		for i, m := range x.Members {
			value := json.Number(fmt.Sprint(i))
			if i < len(x.Values) {
				value = x.Values[i]
			}
			fmt.Fprintf(&b, " %s=%s", m, value)
		}
		for _, n := range slices.Sorted(maps.Keys(x.Properties)) {
			b.WriteString(" " + x.Properties[n].text(n))
		}
		for _, n := range slices.Sorted(maps.Keys(x.Navigation)) {
			b.WriteString(" >" + x.Navigation[n].text(n))
		}
		b.WriteByte('\n')
	}
	for _, o := range in.Operations {
		fmt.Fprintf(&b, "%s %s on %s", o.Kind, o.Name[strings.LastIndexByte(o.Name, '.')+1:], short(o.BoundTo))
		if o.BoundToCollection {
			b.WriteByte('*')
		}
		b.WriteString(" :")
		for _, p := range o.Parameters {
			b.WriteString(" " + p.text(p.Name))
		}
		if o.Returns != nil {
			b.WriteString(" -> " + strings.TrimPrefix(o.Returns.text(""), "="))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The models are those of the shared metadata.
func TestModelsAreGenerated(t *testing.T) {
	for _, v := range []string{"v1.0", "beta"} {
		want := generate(t, v)
		file := "model_" + v + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s is not what the metadata makes: go test -run Generated -update", file)
		}
	}
}

func TestServedIsWritten(t *testing.T) {
	m, err := Load("v1.0")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"users": "", "users/{}": "", "users/{}/manager/$ref": "", "users/{}/assignLicense": "", "users/delta": "",
		"users/{}/delta": "delta", "users/assignLicense": "assignLicense",
		"groups/{}/members/{}": "",
		"users/{}/nonsense":    "nonsense", "nowhere": "nowhere", "directory/administrativeUnits/{}/members": "", "directoryObjects/getByIds": "",
		"identity/conditionalAccess/namedLocations": "", "users/{}/authentication/fido2Methods/{}": "", "administrativeUnits": "administrativeUnits",
	} {
		if got := m.Serve(strings.Split(path, "/")); got != want {
			t.Errorf("%s: %q is unknown, want %q", path, got, want)
		}
	}
	doc := string(m.Write())
	for _, want := range []string{
		`<EntityType Name="user" BaseType="graph.directoryObject" OpenType="true">`, `<Property Name="accountEnabled" Type="Edm.Boolean" />`,
		`<Property Name="businessPhones" Type="Collection(Edm.String)" Nullable="false" />`,
		`<NavigationProperty Name="manager" Type="graph.directoryObject" />`, `<Action Name="assignLicense" IsBound="true">`,
		`<EntitySet Name="users" EntityType="graph.user">`, `<Singleton Name="directory" Type="graph.directory">`,
		`<NavigationPropertyBinding Path="manager" Target="directoryObjects" />`, `<EntityType Name="ipNamedLocation" BaseType="graph.namedLocation">`,
		`<ComplexType Name="assignedLicense">`, `<Function Name="delta" IsBound="true">`,
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("%s is not in the document", want)
		}
	}
	for _, not := range []string{`"calendar"`, `"signIn"`, `Name="messages"`, `Name="oauth2PermissionGrants"`} {
		if strings.Contains(doc, not) {
			t.Errorf("%s is in the document and is not served", not)
		}
	}
}

func TestPaths(t *testing.T) {
	m, err := Load("v1.0")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"user employeeOrgData division": "", "user EmployeeOrgData Division": "", "user employeeOrgData team": "team", "user city x": "x",
		"user nonsense x": "", "signIn status errorCode": "", "signIn status code": "code", "nothing a b": "", "user manager id": "",
	} {
		f := strings.Fields(path)
		if got := m.Unknown(f[0], f[1:]); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// Every name that the document uses is in it.
func TestDocumentsAreWhole(t *testing.T) {
	for _, v := range []string{"v1.0", "beta"} {
		m, err := Load(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range m.sets {
			for _, n := range m.types[s.typ].Navs {
				m.Serve([]string{s.name, "{}", n.Name})
			}
			m.Serve([]string{s.name})
		}
		Whole(t, m.Write())
	}
}

// Whole checks a document: well-formed, and without a name that is not defined.
func Whole(t *testing.T, doc []byte) {
	t.Helper()
	defined, used := map[string]bool{}, map[string]string{}
	ns := ""
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		el, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		at := map[string]string{}
		for _, a := range el.Attr {
			at[a.Name.Local] = a.Value
		}
		switch el.Name.Local {
		case "Schema":
			ns = at["Namespace"]
		case "EntityType", "ComplexType", "EnumType":
			defined[ns+"."+at["Name"]] = true
		}
		for _, k := range []string{"Type", "BaseType", "EntityType"} {
			n := strings.TrimSuffix(strings.TrimPrefix(at[k], "Collection("), ")")
			if rest, ok := strings.CutPrefix(n, "graph."); ok {
				n = "microsoft.graph." + rest
			}
			if n != "" && !strings.HasPrefix(n, "Edm.") {
				used[n] = el.Name.Local + " " + at["Name"]
			}
		}
	}
	if len(defined) < 20 {
		t.Errorf("%d types only", len(defined))
	}
	for n, by := range used {
		if !defined[n] {
			t.Errorf("%s, used by %s, is not defined", n, by)
		}
	}
}
