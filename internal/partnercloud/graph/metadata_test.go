package graph

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/graph/csdl"
)

// The document is for everybody, and tells of what the table serves: of every address
// but those that Graph's own metadata does not know.
func TestMetadataOfWhatIsServed(t *testing.T) {
	l := newLab(t)
	for _, v := range []string{"v1.0", "beta"} {
		a := l.get("/"+v+"/$metadata", "").want(200)
		if ct := a.header.Get("Content-Type"); ct != "application/xml" {
			t.Errorf("Content-Type %q", ct)
		}
		doc := string(a.raw)
		for _, want := range []string{`<EntitySet Name="users" EntityType="graph.user">`, `<Property Name="employeeHireDate" Type="Edm.DateTimeOffset" />`,
			`<NavigationProperty Name="manager" `, `<Action Name="assignLicense" IsBound="true">`, `<EntityType Name="signIn" BaseType="graph.entity">`,
			`<NavigationProperty Name="namedLocations" `, `<EntityType Name="administrativeUnit" BaseType="graph.directoryObject"`} {
			if !strings.Contains(doc, want) {
				t.Errorf("%s: %s is not in the document", v, want)
			}
		}
		d := xml.NewDecoder(strings.NewReader(doc))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: not well-formed: %v", v, err)
			}
		}
		for _, not := range []string{`Name="messages"`, `Name="calendar"`} {
			if strings.Contains(doc, not) {
				t.Errorf("%s: %s is in the document and is not served", v, not)
			}
		}
		if in := strings.Contains(doc, `Namespace="microsoft.graph.partner.security"`); in != (v == "beta") {
			t.Errorf("%s: partner security in the document: %v", v, in)
		}
		m, err := csdl.Load(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range routes() {
			if !r.in(v) || r.leftOut != "" {
				continue
			}
			if u := m.Serve(r.parts); u != "" {
				say := t.Logf
				mine := words("users groups directory directoryObjects directoryRoles administrativeUnits invitations tenantRelationships")
				preview := strings.Contains(r.pattern, "hardwareOath") // of beta alone, and not in the model at hand
				if slices.Contains(mine, r.parts[0]) && !preview {
					say = t.Errorf
				}
				say("%s: %s: %s is not in Graph's metadata as package csdl has it", v, r.pattern, u)
			}
		}
	}
}
