package app

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin/signintest"
)

// readOut is all that a reading says.
type readOut struct {
	Summary, Inputs, Seen string
	CSV                   string
	Err                   string
}

// readPaths reads paths, one record after the other or ahead.
func readPaths(t testing.TB, ahead bool, paths ...string) (out readOut) {
	t.Helper()
	r := Reading{From: paths, CSV: true, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	if !ahead {
		r.records = func(evidence.Kind, []byte, evidence.Source) {}
	}
	var csv bytes.Buffer
	f, err := Read(t.Context(), r, &csv)
	if err != nil {
		return readOut{Err: err.Error()}
	}
	text := func(v any) string {
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return readOut{Summary: text(f.SignIns), Inputs: text(f.Inputs), Seen: text(f.Seen), CSV: csv.String()}
}

func samePaths(t *testing.T, name string, paths ...string) readOut {
	t.Helper()
	want, got := readPaths(t, false, paths...), readPaths(t, true, paths...)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: read ahead, it differs (-one by one +ahead):\n%.4000s", name, d)
	}
	return want
}

// logOf is n sign-ins of a few structures, with copies and odd ones among them.
func logOf(n int, seed uint64) (list []string) {
	r := rand.New(rand.NewPCG(seed, seed))
	for i := range n {
		at := time.Date(2026, 11, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)
		e := fmt.Sprintf(`{"id":"%08x-0000-4000-8000-000000000001","createdDateTime":"%s","userPrincipalName":"user%d@contoso.example",`+
			`"userId":"%08x-1111-4111-8111-000000000001","appId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c",`+
			`"appDisplayName":"Azure \"Portal\" \\","ipAddress":"192.0.2.%d",`+
			`"clientAppUsed":"Browser","correlationId":"%08x-0000-4000-9000-000000000001","conditionalAccessStatus":"success","isInteractive":true,`+
			`"status":{"errorCode":%d,"failureReason":"Other.","additionalDetails":""},`+
			`"appliedConditionalAccessPolicies":[{"id":"%08x-3333-4333-8333-333333333333",`+
			`"displayName":"Require MFA {[","result":"success"}],"authenticationRequirement":"multiFactorAuthentication","padding":"%s"}`,
			r.Uint32(), at, r.IntN(40), r.IntN(40), r.IntN(255), r.IntN(n), []int{0, 0, 0, 50074, 50126}[r.IntN(5)], r.IntN(5), strings.Repeat("é\\u00e9",
				r.IntN(60)))
		switch r.IntN(30) {
		case 0:
			e = list[max(0, len(list)-1)%max(1, len(list)):][0]
		case 1:
			e = string(signintest.RandomRecord(r))
		case 2:
			e = `{"activityDateTime":"2026-11-02T00:00:00Z","activityDisplayName":"Add user","initiatedBy":{},"targetResources":[],"id":"x"}`
		case 3:
			e = strings.Replace(e, `"padding"`, `"@removed":{"reason":"deleted"},"p"`, 1)
		case 4:
			e = fmt.Sprintf(`{"id":"I%[1]d","createdDateTime":"2026-11-03T00:00:00Z","userId":"%[2]s","appId":"%[2]s",`+
				`"appDisplayName":"%[2]s","ipAddress":"%[2]s",`+
				`"clientAppUsed":"%[2]s","resourceId":"%[2]s","userType":"%[2]s","status":{"errorCode":0},"correlationId":"%[2]s"}`, i, []string{"String",
				"a-9"}[r.IntN(2)])
		case 5:
			e = strings.Replace(e, at, "11/5/2026 3:04 PM", 1)
		}
		list = append(list, e)
		if i == 0 {
			list[0] = strings.Replace(e, `{`, ` {`, 1)[1:]
		}
	}
	return list
}

func diagnosticOf(list []string) (out []string) {
	for i, e := range list {
		out = append(out,
			fmt.Sprintf(`{"time":"2026-11-02T00:00:%02dZ","resourceId":"/tenants/x/providers/Microsoft.aadiam","operationName":"Sign-in activity",`+
				`"category":"SignInLogs","resultType":"0","callerIpAddress":"192.0.2.1","properties":%s}`, i%60, e))
	}
	return out
}

func graphPage(list []string, next string) string {
	return `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns",` + next + `"value":[` + strings.Join(list, ",") + `]}`
}

// TestReadAheadIsTheSame holds the reading on several cores to the one that takes one
// record after the other: in every shape, whole and hostile.
func TestReadAheadIsTheSame(t *testing.T) {
	list := logOf(1500, 1)
	diagnostic := diagnosticOf(list)
	next := `"@odata.nextLink":"https://graph.microsoft.com/beta/auditLogs/signIns?$skiptoken=1",`
	array := "[" + strings.Join(list, ",") + "]"
	pretty := "[\n  " + strings.Join(list, ",\n  ") + "\n]\n"
	records := `{"records":[` + strings.Join(diagnostic, " ,\r\n") + `]}`
	var captures strings.Builder
	for part := range slices.Chunk(diagnostic, 7) {
		captures.WriteString(`{"records":[` + strings.Join(part, ",") + "]}\r\n")
	}
	huge := strings.Replace(list[1], `"padding":"`, `"padding":"`+strings.Repeat("x", 600<<10), 1)
	deep := strings.Replace(list[1], `"padding"`, `"deep":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"padding"`, 1)
	with := func(i int, e string) string {
		return "[" + strings.Join(slices.Insert(slices.Clone(list), i, e), ",") + "]"
	}
	cases := map[string]string{
		"array": array, "pretty": pretty, "page": graphPage(list, ""), "page with a next one": graphPage(list, next), "records": records,
		"captures": captures.String(),
		"lines":    strings.Join(list, "\n"), "diagnostic lines": strings.Join(diagnostic, "\r\n") + "\r\n", "BOM": "\ufeff" + array,
		"count behind": strings.TrimSuffix(graphPage(list, ""), "}") + `,"@odata.count":2000}`, "context behind": `{"value":` + array +
			`,"@odata.context":"x#auditLogs/signIns"}`,
		"cut in a record": array[:len(array)/2], "cut in the first record": array[:300], "cut behind a comma": "[" + list[0] + "," + list[1] + ",",
		"garbage behind": array + "xyz", "two arrays": array + "\n" + array, "garbage between": with(700, "nul"), "a text between": with(700, `"text"`),
		"a number between": with(700, `12`), "a list between": with(700, `[`+list[3]+`,`+list[4]+`]`), "huge record": with(700, huge),
		"deep record":   with(700, deep),
		"broken record": with(700, `{"id":"x",,}`), "broken text": with(700, "{\"id\":\"a\nb\"}"), "bad escape": with(700, `{"id":"\x"}`),
		"wrong bracket":     with(700, `{"id":[}`),
		"broken and pretty": "[\n" + list[0] + ",\n" + list[1] + ",\n{\"id\":\"x\",,},\n" + strings.Join(list[2:], ",\n") + "\n]", "two commas": with(700,
			""),
		"trailing comma": strings.TrimSuffix(array, "]") + ",]", "same key twice": with(700, strings.Replace(list[1], `{`, `{"id":"other",`, 1)),
		"page within": with(700, graphPage(list[:3], "")), "own context": with(700, strings.Replace(list[1], `{`, `{"@odata.context":"x#users/$entity",`, 1)),
		"bag": with(700, strings.Replace(list[1], `{`, `{"AdditionalProperties":{"riskState":"none"},`, 1)), "no sign-ins first": "[" + `{"a":1},` +
			strings.TrimPrefix(array, "["),
		"users first": `{"users":[{"id":"u","userPrincipalName":"a@b.example","displayName":"A","accountEnabled":true}],"signIns":` + array + `,"groups":[]}`,
		"as users":    `{"@odata.context":"x#users","value":` + array + `}`, "empty": "[]", "empty page": graphPage(nil, ""), "escaped quotes": with(700,
			strings.ReplaceAll(list[1], "Other.", `\\\\\"\\`)),
		"error beside": `{"@odata.context":"x#auditLogs/signIns","value":` + array + `,"error":{"code":"TooMany"}}`,
		"batch": `{"responses":[{"id":"1","status":200,"body":` + graphPage(list[:50], "") + `},{"id":"2","status":200,"body":` +
			graphPage(list[50:], "") + `}]}`,
		"lines, some broken": strings.Join(slices.Insert(slices.Clone(list), 500, `{"id":`, `[1]`, ``, `"x"`), "\n"), "stringly status": with(700,
			strings.Replace(list[1], `"status":{`, `"status":"System.Object","s":{`, 1)),
	}
	for _, cores := range []int{1, 3} {
		before := runtime.GOMAXPROCS(cores)
		t.Cleanup(func() { runtime.GOMAXPROCS(before) })
		for name, text := range cases {
			dir := t.TempDir()
			path := filepath.Join(dir, "in.json")
			writeText(t, path, text)
			samePaths(t, name, path)
		}
		sameFolder(t, list, next)
	}
}

// sameFolder reads many files: what is handed on of one must not be told of another.
func sameFolder(t *testing.T, list []string, next string) {
	t.Helper()
	dir := t.TempDir()
	for i, part := range slices.Collect(slices.Chunk(list, 40)) {
		at := filepath.Join(dir, fmt.Sprintf("%03d", i))
		switch i % 5 {
		case 0:
			writeText(t, at+".jsonl", strings.Join(part, "\n"))
		case 1:
			writeText(t, at+".json", graphPage(part, next))
		case 2:
			writeText(t, at+".json", `{"records":[`+strings.Join(diagnosticOf(part), ",")+"]}\n"+`{"records":[`+strings.Join(diagnosticOf(part),
				",")+"]}")
		case 3:
			writeText(t, at+".json", `[{"id":"u","userPrincipalName":"a@b.example","displayName":"A","accountEnabled":true}]`)
		case 4:
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			_, _ = w.Write([]byte(strings.Join(part, "\n") + "\n{"))
			_ = w.Close()
			writeText(t, at+".json.gz", z.String())
		}
	}
	writeText(t, filepath.Join(dir, "050-empty.json"), "")
	writeText(t, filepath.Join(dir, "051.txt"), "no export")
	if got := samePaths(t, "folder", dir); !strings.Contains(got.Seen, `"signIn": 1`) && !strings.Contains(got.Seen, "signIn") {
		t.Errorf("no sign-ins in %s", got.Seen)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tableOf is n rows under the columns, each cell one of what such a column may hold.
func tableOf(n int, seed uint64, clock string, columns ...string) string {
	r := rand.New(rand.NewPCG(seed, seed))
	words := []string{"", "None", "Success", "Failure", "Interrupted", "String", "0", "50074", "12345678901", "1.0", "-1", " true ", "Yes", "no", "US",
		"Utrecht, Utrecht, NL",
		"System.Object[]", "@{errorCode=0; failureReason=x}", "{}", "[]", "{", `{"errorCode":0}`,
		`{"errorCode":"50076","failureReason":"a","additionalDetails":"b"}`,
		`{"errorCode":0},"resourceDisplayName":"injected"`, `{"countryOrRegion":"DE","geoCoordinates":{"latitude":1.5}}`,
		`{"operatingSystem":"Windows","isCompliant":true,"trustType":"x"}`,
		`[{"authenticationMethod":"Password","succeeded":true,"authenticationStepRequirement":"Primary authentication"},` + "\n" +
			`{"authenticationMethod":"Phone","succeeded":true,` +
			`"authenticationStepRequirement":"Multifactor authentication","authenticationStepResultDetail":"MFA completed in Azure AD"}]`,
		`[{"id":"00000001-3333-4333-8333-333333333333","displayName":"P","result":"success","enforcedGrantControls":["Mfa"]}]`, `["interactiveUser"]`,
		`{"authMethod":"Phone","authDetail":"+1"}`, "2026-11-02T03:04:05Z", "2026-11-02T03:04:05.123", "caf\xe9", "café \"q\"", "a,b", "line\nline",
		"SigninLogs", "AADNonInteractiveUserSignInLogs"}
	var out strings.Builder
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	for i, c := range columns {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(quote(c))
	}
	for i := range n {
		out.WriteString("\r\n")
		for j, c := range columns {
			if j > 0 {
				out.WriteByte(',')
			}
			low := strings.ToLower(c)
			s := words[r.IntN(len(words))]
			switch odd := r.IntN(40) == 0; {
			case odd:
			case strings.Contains(low, "date") || strings.Contains(low, "time"):
				s = time.Date(2026, 11, 1+i%28, i%24, i%60, 0, 0, time.UTC).Format(clock)
			case strings.Contains(low, "id") && !strings.Contains(low, "identity"):
				s = fmt.Sprintf("%08x-0000-4000-8000-00000000000%d", r.IntN(n), j%10)
			case strings.Contains(low, "name"):
				s = fmt.Sprintf("user%d@contoso.example", r.IntN(30))
			case strings.Contains(low, "code") || strings.Contains(low, "resulttype"):
				s = []string{"0", "", "50074", "50126"}[r.IntN(4)]
			case r.IntN(3) > 0 && (strings.HasPrefix(low, "status") || strings.HasPrefix(low, "device") || strings.HasPrefix(low, "mfa")):
				s = words[18+r.IntN(8)]
			case r.IntN(2) > 0:
				s = ""
			}
			out.WriteString(quote(s))
		}
		if r.IntN(100) == 0 {
			out.WriteString(",more")
		}
	}
	return out.String()
}

var (
	portalColumns = []string{"Date (UTC)", "Request ID", "User agent", "Correlation ID", "User ID", "User", "Username", "User type",
		"Cross tenant access type",
		"Incoming token type", "Application", "Application ID ", "Resource", "Resource ID ", "Home tenant ID", "IP address", "Location", "Status",
		"Sign-in error code",
		"Failure reason", "Client app", "Operating System", "Compliant", "Join Type", "Multifactor authentication result",
		"Multifactor authentication auth method",
		"Multifactor authentication auth detail", "Authentication requirement", "Incoming token type", "Conditional Access"}
	workspaceColumns = []string{"TenantId", "TimeGenerated [UTC]", "Category", "ResultType", "ResultDescription", "CorrelationId", "Identity", "Location",
		"AppDisplayName",
		"AppId", "AuthenticationDetails", "AuthenticationRequirement", "AuthenticationRequirementPolicies", "ClientAppUsed",
		"ConditionalAccessPolicies_dynamic",
		"ConditionalAccessPolicies_string", "ConditionalAccessStatus", "CreatedDateTime [UTC]", "DeviceDetail", "IsInteractive", "Id", "IPAddress",
		"LocationDetails",
		"MfaDetail", "ResourceIdentity", "ServicePrincipalId", "SignInEventTypes", "Status_dynamic", "Status_string", "UserId", "UserPrincipalName", "Type"}
	scriptColumns = []string{"id", "createdDateTime", "userPrincipalName", "appId", "status", "errorCode", "location", "deviceDetail",
		"authenticationDetails",
		"appliedConditionalAccessPolicies", "ipAddress", "clientAppUsed", "isInteractive", "mfaDetail", "country", "additionalDetails", "type"}
)

// TestTablesReadAheadAreTheSame is the same for tables, whose cells are tried out.
func TestTablesReadAheadAreTheSame(t *testing.T) {
	iso, us := "2006-01-02T15:04:05Z", "1/2/2006, 3:04:05.000 PM"
	sep := strings.ReplaceAll(tableOf(200, 3, iso, portalColumns...), ",", ";")
	rows := tableOf(2000, 4, iso, portalColumns...)
	taken := 0
	for name, text := range map[string]string{
		"portal": rows, "portal, local clocks": tableOf(2000, 5, us, portalColumns...), "workspace": tableOf(2000, 6, iso, workspaceColumns...),
		"workspace, local clocks": tableOf(2000, 7, us, workspaceColumns...), "script": tableOf(2000, 8, iso, scriptColumns...), "semicolons": sep,
		"zone": tableOf(200, 9, us, append([]string{"TimeGenerated [Local Time]"}, workspaceColumns...)...), "cut": rows[:len(rows)*2/3],
		"header":     rows[:strings.IndexByte(rows, '\n')+1],
		"properties": tableOf(300, 10, iso, append([]string{"properties"}, workspaceColumns...)...), "flat": tableOf(300, 11, iso,
			append([]string{"Status.errorCode"}, scriptColumns...)...),
		"twice": tableOf(300, 12, iso, append(slices.Clone(scriptColumns), "ID", "Status_dynamic", "status_string")...), "huge": rows + "\r\n\"" +
			strings.Repeat("x", 17<<20) + "\"\r\n" + rows[200:4000],
		"details": tableOf(300, 13, iso, "Request ID", "Authentication method", "Authentication method detail", "Succeeded", "Result detail",
			"Requirement", "Date (UTC)"),
		"annotated": tableOf(300, 14, iso, append([]string{"@odata.type"}, scriptColumns...)...), "audit": tableOf(300, 15, iso,
			append([]string{"Operation", "RecordType"}, scriptColumns...)...),
	} {
		path := filepath.Join(t.TempDir(), "in.csv")
		writeText(t, path, "\ufeff"+text)
		if got := samePaths(t, name, path); got.Summary != "null" {
			taken++
		}
	}
	if taken < 10 {
		t.Errorf("only %d tables held sign-ins", taken)
	}
}

// TestReadAheadOnSharedData does so on everything that is shared.
func TestReadAheadOnSharedData(t *testing.T) {
	for _, name := range []string{"data", "field", "truth"} {
		root := filepath.Join("..", "..", "..", "shared", name)
		entries, err := os.ReadDir(root)
		if err != nil {
			t.Logf("SKIPPED: %v", err)
			continue
		}
		for _, e := range entries {
			samePaths(t, name+"/"+e.Name(), filepath.Join(root, e.Name()))
		}
	}
}
