package partnercloud

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/arm"
	"partnerguard/internal/partnercloud/center"
	"partnerguard/internal/partnercloud/graph"
	"partnerguard/internal/partnercloud/kit"
)

var update = flag.Bool("update", false, "write docs/partner-cloud-routes.md")

const routesFile = "../../docs/partner-cloud-routes.md"

// TestRoutesDocument holds docs/partner-cloud-routes.md to the tables of routes:
// go test ./internal/partnercloud -run RoutesDocument -update writes it.
func TestRoutesDocument(t *testing.T) {
	want := routesDocument()
	if *update {
		if err := os.WriteFile(routesFile, want, 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(routesFile)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale: go test ./internal/partnercloud -run RoutesDocument -update (%v)", routesFile, err)
	}
}

// Every operation says where it is described.
func TestEveryOperationHasASource(t *testing.T) {
	for service, ops := range allOperations() {
		for _, o := range ops {
			if o.Text == "" || o.LeftOut == "" && o.Permission == "" {
				t.Errorf("%s: %s %s has no source or no permission", service, o.Method, o.Path)
			}
		}
	}
}

func allOperations() map[string][]kit.Operation {
	return map[string][]kit.Operation{"Microsoft Graph": graph.Operations(), "Partner Center": center.Operations(), "Azure Resource Manager": arm.Operations()}
}

func routesDocument() []byte {
	var b bytes.Buffer
	b.WriteString(`# What the partner cloud serves

Made from the tables of routes by ` + "`go test ./internal/partnercloud -run RoutesDocument -update`" + `; a test
holds it to them. Every operation refuses query options, headers and members of a body that it does not understand.
"How sure": **read** is read on a page of Microsoft or in the contracts, **known** is from general knowledge and not
checked, **ours** is chosen by us. Facts behind the answers: [partner-cloud-facts.md](partner-cloud-facts.md).

What is left out is listed with each service and answers 501 by its name.
`)
	all := allOperations()
	for _, service := range []string{"Microsoft Graph", "Partner Center", "Azure Resource Manager"} {
		served := slices.DeleteFunc(slices.Clone(all[service]), func(o kit.Operation) bool { return o.LeftOut != "" })
		fmt.Fprintf(&b, "\n## %s: %d operations\n", service, len(served))
		bySource(&b, served)
		missing := slices.DeleteFunc(slices.Clone(all[service]), func(o kit.Operation) bool { return o.LeftOut == "" })
		if len(missing) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### Left out of %s\n\n| What | Path |\n| --- | --- |\n", service)
		seen := map[string]bool{}
		for _, o := range missing {
			if row := o.LeftOut + o.Path; !seen[row] && !strings.HasSuffix(o.Path, "/{}") {
				seen[row] = true
				fmt.Fprintf(&b, "| %s | `%s` |\n", o.LeftOut, o.Path)
			}
		}
	}
	return b.Bytes()
}

// bySource writes a table for each source, an address a row.
func bySource(b *bytes.Buffer, ops []kit.Operation) {
	var order []kit.Source
	groups := map[kit.Source][]kit.Operation{}
	for _, o := range ops {
		if groups[o.Source] == nil {
			order = append(order, o.Source)
		}
		groups[o.Source] = append(groups[o.Source], o)
	}
	slices.SortStableFunc(order, func(x, y kit.Source) int { return cmp.Compare(x.Text, y.Text) })
	for _, s := range order {
		fmt.Fprintf(b, "\n### %s\n\nHow sure: %s.\n\n| Path | Methods | Permission | Licence | Options |\n| --- | --- | --- | --- | --- |\n", s.Text, s.Sure)
		rows := groups[s]
		slices.SortStableFunc(rows, func(x, y kit.Operation) int { return cmp.Compare(x.Path, y.Path) })
		for i := 0; i < len(rows); {
			o, methods := rows[i], []string{}
			for ; i < len(rows) && same(rows[i], o); i++ {
				if !slices.Contains(methods, rows[i].Method) {
					methods = append(methods, rows[i].Method)
				}
			}
			version := ""
			if o.Versions != "" {
				version = " (" + o.Versions + ")"
			}
			fmt.Fprintf(b, "| `%s`%s | %s | %s | %s | %s |\n", o.Path, version, strings.Join(methods, ", "), escaped(o.Permission), o.Licence,
				escaped(strings.Join(o.Options, " ")))
		}
	}
}

func same(a, b kit.Operation) bool {
	return a.Path == b.Path && a.Permission == b.Permission && a.Licence == b.Licence && a.Versions == b.Versions && slices.Equal(a.Options, b.Options)
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
