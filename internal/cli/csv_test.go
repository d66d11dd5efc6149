package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// spiteful writes exports in which every name is a formula.
func spiteful(t *testing.T, sign string) string {
	t.Helper()
	dir := t.TempDir()
	name := func(s string) string { return sign + `HYPERLINK("http://x",` + s + `)` }
	user := "5a000000-0000-4000-8000-0000000000b1"
	policy := map[string]any{
		"id": name("p"), "displayName": name("policy"), "state": "enabled", "createdDateTime": "2026-01-01T00:00:00Z",
		"conditions": map[string]any{"users": map[string]any{"includeUsers": []string{"All"}, "excludeUsers": []string{user}},
			"applications":   map[string]any{"includeApplications": []string{"All"}},
			"clientAppTypes": []string{"all"}, "locations": map[string]any{"includeLocations": []string{"All"}, "excludeLocations": []string{name("place")}}},
		"grantControls": map[string]any{"operator": "OR", "builtInControls": []string{"mfa"}},
	}
	row := map[string]any{
		"id": name("row"), "createdDateTime": "2026-11-19T10:00:00Z", "userPrincipalName": name("upn"), "userId": user, "userDisplayName": name("person"),
		"appDisplayName": name("app"), "appId": name("appid"),
		"resourceDisplayName": name("resource"), "clientAppUsed": "Browser", "ipAddress": name("ip"),
		"authenticationRequirement": "singleFactorAuthentication", "signInEventTypes": []string{"nonInteractiveUser"},
		"authenticationProtocol": "ropc", "status": map[string]any{"errorCode": 0, "failureReason": name("why")},
		"location": map[string]any{"countryOrRegion": name("NL")}, "conditionalAccessStatus": name("status"), "isInteractive": false,
	}
	for file, v := range map[string]any{
		"users.json": map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
			"value": []any{map[string]any{"id": user, "userPrincipalName": name("upn"), "displayName": name("person"), "userType": "Member",
				"accountEnabled": true}}},
		"policies.json": map[string]any{"value": []any{policy}},
		"roles.json": map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#roleManagement/directory/roleAssignments",
			"value": []any{map[string]any{"id": "a", "principalId": user, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10",
				"directoryScopeId": "/"}}},
		"defaults.json": map[string]any{"id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults", "isEnabled": false},
		"signins.json":  map[string]any{"@odata.context": "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns", "value": []any{row}},
		"customer.json": map[string]any{"id": "c1", "companyProfile": map[string]any{"tenantId": "c1", "companyName": name("customer")},
			"allowDelegatedAccess": true},
		"gdap.json": map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminRelationships",
			"value": []any{map[string]any{"id": name("r"), "displayName": name("relationship"), "status": "active", "duration": "P730D",
				"customer": map[string]any{"tenantId": "c1", "displayName": name("customer")}, "activatedDateTime": "2026-01-01T00:00:00Z",
				"endDateTime": "2027-12-01T00:00:00Z", "accessDetails": map[string]any{"unifiedRoles": spitefulRoles},
				"accessAssignments": []any{map[string]any{"id": name("a"), "status": "active", "accessDetails": map[string]any{"unifiedRoles": spitefulRoles},
					"accessContainer": map[string]any{"accessContainerId": name("g"), "accessContainerType": "securityGroup"}}}}}},
		"usage.json": map[string]any{"items": []any{map[string]any{"resourceId": user, "resourceName": name("spender"), "totalCost": -5,
			"budget": map[string]any{"amount": -7}, "currencyCode": name("EUR"), "lastModifiedDate": name("never")}}},
		"customers/c1/directoryAudits.json": map[string]any{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits",
			"value": []any{map[string]any{"id": name("row"), "activityDateTime": "2026-11-19T10:00:00Z", "activityDisplayName": name("act"),
				"result":      "success",
				"initiatedBy": map[string]any{"user": map[string]any{"userPrincipalName": "user_" + strings.ReplaceAll(user, "-", "")}}}}},
		"attestations.yaml": nil,
	} {
		raw, err := json.Marshal(v)
		if v == nil { // what cannot be seen is refused there
			said := strings.Trim(name("who"), "\t\r\u200b")
			raw = fmt.Appendf(nil, "exceptions:\n  - what: %q\n    who: %q\n    since: 2026-11-01\n    until: 2026-12-01\n    reason: %q\n", said, said, said)
		}
		if err == nil {
			path := filepath.Join(dir, filepath.Dir(file), strings.TrimLeft(sign, "\t\r")+filepath.Base(file))
			if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
				err = os.WriteFile(path, raw, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	spitefulAzure(t, dir, name)
	spitefulGateway(t, dir, name)
	return dir
}

// spitefulGateway writes a decision of a gateway in which others chose all names.
func spitefulGateway(t *testing.T, dir string, name func(string) string) {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"at": "2026-11-19T10:00:00Z", "route": name("route"), "reason": "single-factor", "mode": "report", "refused": false,
		"kind": "user", "tenant": name("t"), "caller": name("c"), "account": name("upn"), "client": name("app"), "agent": name("agent"),
		"excused": name("why")})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "gateway"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway", "decisions.jsonl"), append(raw, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// spitefulAzure writes a log of Azure in which whoever makes many machines chose all names.
func spitefulAzure(t *testing.T, dir string, name func(string) string) {
	t.Helper()
	var log []byte
	for d := range 40 {
		for k := range map[bool]int{true: 40, false: 1}[d == 39] {
			row := map[string]any{"eventTimestamp": time.Date(2026, 10, 1+d, 3, k, 0, 0, time.UTC),
				"operationName":  "Microsoft.Compute/virtualMachines/write",
				"subscriptionId": name("sub"), "tenantId": name("c1"), "caller": name(fmt.Sprint("who", d)), "correlationId": fmt.Sprint(d, k),
				"resourceId": name(fmt.Sprint("vm", d, k)), "location": name("region"), "properties": map[string]any{"vmSize": "Standard_NC64as_T4_v3"}}
			raw, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			log = append(append(log, raw...), '\n')
		}
	}
	path := filepath.Join(dir, "azure", "activity")
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "log.jsonl"), log, 0o600); err != nil {
		t.Fatal(err)
	}
}

// spitefulRoles are what the spiteful relationship gives.
var spitefulRoles = []any{map[string]any{"roleDefinitionId": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"},
	map[string]any{"roleDefinitionId": "fe930be7-5e62-47db-91af-98c3a49a38b1"}}

// csvCommands are the arguments that make each command print all it can.
var csvCommands = map[string][]string{
	"partnerguard assess csv":               {"--from", "{in}"},
	"partnerguard assess accounts-csv":      {"--from", "{in}"},
	"partnerguard signins csv":              {"--from", "{in}"},
	"partnerguard prove csv":                {"--from", "{in}"},
	"partnerguard rehearse csv":             {"--from", "{in}", "--preset", "partner-baseline"},
	"partnerguard rules csv":                {},
	"partnerguard automation csv":           {"--from", "{in}"},
	"partnerguard attest list csv":          {"--from", "{in}"},
	"partnerguard dates csv":                {"--from", "{in}"},
	"partnerguard practices csv":            {"--from", "{in}"},
	"partnerguard apppassword decide csv":   {"--from", "{in}"},
	"partnerguard delegation recommend csv": {"--from", "{in}"},
	"partnerguard delegation unused csv":    {"--from", "{in}"},
	"partnerguard delegation list csv":      {"--from", "{in}"},
	"partnerguard delegation paths csv":     {"--from", "{in}", "--role", "User Administrator"},
	"partnerguard spend status csv":         {"--from", "{in}"},
	"partnerguard gateway report csv":       {"--from", "{in}/gateway/decisions.jsonl", "--since", "2026-11-01"},
	"partnerguard export plan csv":          {"--licence", "free"},
	"partnerguard export check csv":         {"--from", "{in}"},
	"partnerguard delegation expiring csv":  {"--from", "{in}", "--all"},
	"partnerguard spend anomalies csv":      {"--from", "{in}/azure"},
}

// TestCSVOutputs walks every command that prints CSV: no cell may be one that a
// spreadsheet runs.
func TestCSVOutputs(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command) []string
	walk = func(cmd *cobra.Command) (found []string) {
		if f := cmd.Flags().Lookup("output"); f != nil {
			for form := range strings.SplitSeq(f.Value.Type(), "|") {
				if strings.Contains(form, "csv") {
					found = append(found, cmd.CommandPath()+" "+form)
				}
			}
		}
		for _, c := range cmd.Commands() {
			found = append(found, walk(c)...)
		}
		return found
	}
	all := walk(newRoot(&kit.Env{}))
	if len(all) < 7 {
		t.Fatalf("only %v print CSV: the walk is broken", all)
	}
	for _, name := range all {
		args, ok := csvCommands[name]
		if kept, is := csvKept[name]; is {
			args, ok = append([]string{"--config", "{house}/partnerguard.yaml"}, kept...), true
		}
		if csvElsewhere[name] {
			continue
		}
		if !ok {
			t.Errorf("%s is not in the table of this test", name)
			continue
		}
		words := strings.Fields(name)
		for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "\u00a0=", "\u200b＝"} {
			line := append(append([]string{}, words[1:len(words)-1]...), "--output", words[len(words)-1])
			in, house := "", ""
			if csvKept[name] == nil {
				in = spiteful(t, sign)
			} else {
				house = spitefulHouse(t, sign)
			}
			for _, a := range args {
				line = append(line, strings.NewReplacer("{in}", in, "{house}", house).Replace(a))
			}
			checkCSV(t, name, sign, line)
		}
	}
}

func checkCSV(t *testing.T, name, sign string, args []string) {
	t.Helper()
	var stdout, stderr strings.Builder
	home := t.TempDir()
	code := Main(context.Background(), kit.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: func() time.Time {
			return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		},
		Getenv: func(k string) string { return map[string]string{"HOME": home, "XDG_RUNTIME_DIR": home}[k] },
	})
	rows, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
	if err != nil || len(rows) < 2 || code != 0 && code != 3 {
		t.Errorf("%s %q: exit %d, %d rows, %v\n%.600s", name, sign, code, len(rows), err, stderr.String())
		return
	}
	for _, row := range rows {
		for _, c := range row {
			plain := strings.TrimLeft(c, " \u00a0\u200b\u3000\ufeff")
			if c != "" && (c[0] == '\t' || c[0] == '\r') || plain != "" && strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", []rune(plain)[0]) {
				t.Errorf("%s %q: the cell %q is a formula", name, sign, c)
				return
			}
		}
	}
}
