package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// shape is one way in which the same events are exported.
type shape struct {
	name string
	base string // the shape that says how fast lines of the same records are
	path string // file or folder
	peer string // what DuckDB reads it as; "" not at all
	size int64
}

// graphPage is how many sign-ins a page of Graph holds.
const graphPage = 1000

// shapes compares the shapes in which sign-in logs are exported, each read as the
// product reads it, with JSON lines of the same records.
func shapes(events, rounds int, dir string) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "partnerguard-shapes")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	if err := buildReader(dir); err != nil {
		return err
	}
	list, err := writeShapes(dir, events)
	if err != nil {
		return err
	}
	got := map[string]*result{}
	key := func(name string, cores int) string { return name + "/" + strconv.Itoa(cores) }
	cores := min(2, runtime.NumCPU())
	for range rounds {
		for n := 1; n <= cores; n++ {
			for _, s := range list {
				r, err := measure(n, nil, "shape", s.path)
				if err != nil {
					return err
				}
				take(got, key(s.name, n), r)
				if s.peer == "" {
					continue
				}
				if r, err = measure(n, nil, "duckcsv", s.peer, s.path, strconv.Itoa(n)); err != nil {
					return err
				}
				take(got, key("DuckDB "+s.name, n), r)
			}
		}
	}
	fmt.Printf("%d events in each shape; ratios are of the time a byte takes against JSON lines of the same records, and of DuckDB's time\n\n", events)
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "shape\tcores\tMB\tGB/s\tGB per CPU second\tlines (wall)\tlines (CPU)\tDuckDB (wall)\tDuckDB (CPU)")
	sizes := map[string]int64{}
	for _, s := range list {
		sizes[s.name] = s.size
	}
	for n := 1; n <= cores; n++ {
		for _, s := range list {
			r, lines, duck := got[key(s.name, n)], got[key(s.base, n)], got[key("DuckDB "+s.name, n)]
			fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f\t%.2f", s.name, n, float64(s.size)/1e6, float64(s.size)/1e9/r.wall.Seconds(),
				float64(s.size)/1e9/r.cpu.Seconds())
			if lines == nil {
				fmt.Fprint(t, "\t\t")
			} else {
				same := float64(s.size) / float64(sizes[s.base])
				fmt.Fprintf(t, "\t%.2f\t%.2f", lines.wall.Seconds()*same/r.wall.Seconds(), lines.cpu.Seconds()*same/r.cpu.Seconds())
			}
			if duck == nil {
				fmt.Fprintln(t, "\t\t")
			} else {
				fmt.Fprintf(t, "\t%.2f\t%.2f\n", duck.wall.Seconds()/r.wall.Seconds(), duck.cpu.Seconds()/r.cpu.Seconds())
			}
		}
	}
	return t.Flush()
}

func take(got map[string]*result, key string, r result) {
	if got[key] == nil {
		got[key] = &result{}
	}
	got[key].best(r)
}

// buildReader builds the program that reads as the product does.
func buildReader(dir string) error {
	reader = filepath.Join(dir, "reader")
	cmd := exec.Command("go", "build", "-o", reader, "./reader")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// event is what the columns of an export are made of.
type event struct {
	raw    []byte // one JSON object
	fields map[string]json.RawMessage
}

func (e *event) text(key string) string {
	var s string
	if raw := e.fields[key]; len(raw) > 0 && raw[0] == '"' {
		_ = json.Unmarshal(raw, &s) // it is a text
		return s
	} else if string(raw) != "null" {
		return string(raw)
	}
	return ""
}

func (e *event) in(key, member string) string {
	in := event{}
	_ = json.Unmarshal(e.fields[key], &in.fields) // absent reads as empty
	return in.text(member)
}

// diagnostic is the event as a diagnostic setting writes it.
func (e *event) diagnostic() []byte {
	return fmt.Appendf(nil,
		`{"time":"%s","resourceId":"/tenants/2ad3fc79-1859-42fa-9011-6f8df2251b22/providers/Microsoft.aadiam","operationName":"Sign-in activity",`+
			`"operationVersion":"1.0","category":"SignInLogs","tenantId":"2ad3fc79-1859-42fa-9011-6f8df2251b22","resultType":"%s","resultSignature":"None",`+
			`"resultDescription":"%s","durationMs":0,"callerIpAddress":"%s","correlationId":"%s","identity":%s,"Level":4,"location":"%s","properties":%s}`,
		e.text("createdDateTime"), e.in("status", "errorCode"), e.in("status", "failureReason"), e.text("ipAddress"), e.text("correlationId"),
		e.fields["userDisplayName"], e.in("location", "countryOrRegion"), e.raw)
}

// writeShapes writes the same events in every shape.
func writeShapes(dir string, n int) ([]shape, error) {
	var text bytes.Buffer
	if err := replay(&text, n, true); err != nil {
		return nil, err
	}
	var events []event
	for line := range bytes.Lines(text.Bytes()) {
		e := event{raw: bytes.TrimSuffix(line, []byte("\n"))}
		if err := json.Unmarshal(e.raw, &e.fields); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	list := []shape{
		{name: "lines", path: "lines/signins.jsonl"},
		{name: "10,000ths: files of 100 KB", base: "lines", path: "small"},
		{name: "Graph pages", base: "lines", path: "pages"},
		{name: "one array", base: "lines", path: "array/signins.json"},
		{name: "diagnostic lines", path: "diagnostic/signins.jsonl"},
		{name: "PT1H blobs", base: "diagnostic lines", path: "pt1h"},
		{name: "Event Hub captures", base: "diagnostic lines", path: "captures"},
		{name: "diagnostic records in one object", base: "diagnostic lines", path: "records/signins.json"},
		{name: "CSV of Log Analytics", path: "workspace/query_data.csv", peer: "workspace"},
		{name: "CSV of the portal", path: "portal/InteractiveSignIns.csv", peer: "portal"},
	}
	for i := range list {
		s := &list[i]
		s.path = filepath.Join(dir, s.path)
		var err error
		if s.size, err = s.write(events); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// write writes one shape and returns how many bytes that are.
func (s *shape) write(events []event) (size int64, err error) {
	put := func(path string, write func(w *bufio.Writer) error) {
		if err != nil {
			return
		}
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return
		}
		var f *os.File
		if f, err = os.Create(path); err != nil {
			return
		}
		defer f.Close()
		var total counter
		w := bufio.NewWriterSize(io.MultiWriter(f, &total), 1<<20)
		if err = write(w); err == nil {
			err = w.Flush()
		}
		size += int64(total)
	}
	parts := func(n int, name string, write func(w *bufio.Writer, from, to int)) {
		for i := 0; i < len(events); i += n {
			put(filepath.Join(s.path, fmt.Sprintf(name, i/n)), func(w *bufio.Writer) error {
				write(w, i, min(i+n, len(events)))
				return nil
			})
		}
	}
	lines := func(record func(*event) []byte) func(w *bufio.Writer, from, to int) {
		return func(w *bufio.Writer, from, to int) {
			for i := range events[from:to] {
				_, _ = w.Write(record(&events[from+i])) // the error stays with the writer
				_ = w.WriteByte('\n')
			}
		}
	}
	joined := func(w *bufio.Writer, from, to int, open, shut string, record func(*event) []byte) {
		_, _ = w.WriteString(open)
		for i := from; i < to; i++ {
			if i > from {
				_ = w.WriteByte(',')
			}
			_, _ = w.Write(record(&events[i]))
		}
		_, _ = w.WriteString(shut)
	}
	raw, diagnostic := func(e *event) []byte { return e.raw }, (*event).diagnostic
	whole := func(write func(w *bufio.Writer, from, to int)) {
		put(s.path, func(w *bufio.Writer) error { write(w, 0, len(events)); return nil })
	}
	switch filepath.Base(filepath.Dir(s.path)) + "/" + filepath.Base(s.path) {
	case "lines/signins.jsonl":
		whole(lines(raw))
	case "diagnostic/signins.jsonl":
		whole(lines(diagnostic))
	case "array/signins.json":
		whole(func(w *bufio.Writer, from, to int) { joined(w, from, to, "[", "]", raw) })
	case "records/signins.json":
		whole(func(w *bufio.Writer, from, to int) { joined(w, from, to, `{"records":[`, "]}", diagnostic) })
	case "workspace/query_data.csv", "portal/InteractiveSignIns.csv":
		put(s.path, func(w *bufio.Writer) error { return writeTable(w, tables[s.peer], events) })
	default:
		switch filepath.Base(s.path) {
		case "small":
			parts(25, "signins-%05d.jsonl", lines(raw))
		case "pt1h":
			parts(250, "h=%04d/m=00/PT1H.json", lines(diagnostic))
		case "captures":
			parts(500, "%04d.json", func(w *bufio.Writer, from, to int) {
				for i := from; i < to; i += 50 {
					joined(w, i, min(i+50, to), `{"records":[`, "]}\n", diagnostic)
				}
			})
		case "pages":
			parts(graphPage, "page-%04d.json", func(w *bufio.Writer, from, to int) {
				next := ""
				if to < len(events) {
					next = fmt.Sprintf(`"@odata.nextLink":"https://graph.microsoft.com/beta/auditLogs/signIns?$skiptoken=%d",`, to)
				}
				joined(w, from, to, `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns",`+next+`"value":[`, "]}", raw)
			})
		}
	}
	return size, err
}

// column is one column of a CSV.
type column struct {
	name string
	cell func(e *event) string
}

func field(key string) func(*event) string { return func(e *event) string { return e.text(key) } }

func fixed(text string) func(*event) string { return func(*event) string { return text } }

func member(key, name string) func(*event) string {
	return func(e *event) string { return e.in(key, name) }
}

func asJSON(key string) func(*event) string {
	return func(e *event) string {
		if raw := e.fields[key]; string(raw) != "null" {
			return string(raw)
		}
		return ""
	}
}

// clock writes createdDateTime as the portal of Log Analytics does.
func clock(e *event) string {
	at, err := time.Parse(time.RFC3339Nano, e.text("createdDateTime"))
	if err != nil {
		return ""
	}
	return at.Format("1/2/2006, 3:04:05.000 PM")
}

func yesNo(get func(*event) string) func(*event) string {
	return func(e *event) string {
		if get(e) == "true" {
			return "Yes"
		}
		return "No"
	}
}

// tables are the columns of Log Analytics' and of the portal's CSV.
var tables = map[string][]column{
	"workspace": {
		{"TenantId", fixed("eb467a60-10c7-52ae-a559-50b6a9a59438")}, {"SourceSystem", fixed("Azure AD")}, {"TimeGenerated [UTC]", clock},
		{"ResourceId", fixed("/tenants/2ad3fc79-1859-42fa-9011-6f8df2251b22/providers/Microsoft.aadiam")}, {"OperationName", fixed("Sign-in activity")},
		{"Category", fixed("SignInLogs")}, {"ResultType", member("status", "errorCode")}, {"ResultDescription", member("status", "failureReason")},
		{"CorrelationId", field("correlationId")}, {"Identity", field("userDisplayName")}, {"Location", member("location", "countryOrRegion")},
		{"AppDisplayName", field("appDisplayName")}, {"AppId", field("appId")}, {"AuthenticationDetails", asJSON("authenticationDetails")},
		{"AuthenticationProcessingDetails", asJSON("authenticationProcessingDetails")}, {"AuthenticationRequirement", field("authenticationRequirement")},
		{"AuthenticationRequirementPolicies", asJSON("authenticationRequirementPolicies")}, {"ClientAppUsed", field("clientAppUsed")},
		{"ConditionalAccessPolicies", asJSON("appliedConditionalAccessPolicies")}, {"ConditionalAccessStatus", field("conditionalAccessStatus")},
		{"CreatedDateTime [UTC]", clock}, {"DeviceDetail", asJSON("deviceDetail")}, {"IsInteractive", field("isInteractive")}, {"Id", field("id")},
		{"IPAddress", field("ipAddress")}, {"LocationDetails", asJSON("location")}, {"MfaDetail", asJSON("mfaDetail")},
		{"OriginalRequestId", field("originalRequestId")}, {"ResourceDisplayName", field("resourceDisplayName")}, {"ResourceIdentity", field("resourceId")},
		{"RiskDetail", field("riskDetail")}, {"RiskLevelDuringSignIn", field("riskLevelDuringSignIn")}, {"RiskState", field("riskState")},
		{"ServicePrincipalId", field("servicePrincipalId")}, {"Status", asJSON("status")}, {"TokenIssuerType", field("tokenIssuerType")},
		{"UserAgent", field("userAgent")}, {"UserDisplayName", field("userDisplayName")}, {"UserId", field("userId")},
		{"UserPrincipalName", field("userPrincipalName")}, {"UserType", field("userType")}, {"ResourceTenantId", field("resourceTenantId")},
		{"HomeTenantId", field("homeTenantId")}, {"CrossTenantAccessType", field("crossTenantAccessType")}, {"Type", fixed("SigninLogs")},
	},
	"portal": {
		{"Date (UTC)", field("createdDateTime")}, {"Request ID", field("id")}, {"User agent", field("userAgent")}, {"Correlation ID", field("correlationId")},
		{"User ID", field("userId")}, {"User", field("userDisplayName")}, {"Username", field("userPrincipalName")}, {"User type", field("userType")},
		{"Cross tenant access type", field("crossTenantAccessType")}, {"Incoming token type", field("incomingTokenType")},
		{"Authentication Protocol", field("authenticationProtocol")}, {"Unique token identifier", field("uniqueTokenIdentifier")},
		{"Original transfer method", field("originalTransferMethod")}, {"Client credential type", field("clientCredentialType")},
		{"Token Protection - Sign In Session", fixed("Unbound")}, {"Token Protection - Sign In Session StatusCode", fixed("1002")},
		{"Application", field("appDisplayName")}, {"Application ID ", field("appId")}, {"App owner tenant ID", field("appOwnerTenantId")},
		{"Resource", field("resourceDisplayName")}, {"Resource ID ", field("resourceId")}, {"Resource tenant ID", field("resourceTenantId")},
		{"Resource owner tenant ID", field("resourceOwnerTenantId")}, {"Home tenant ID", field("homeTenantId")}, {"Home tenant name", fixed("")},
		{"IP address", field("ipAddress")}, {"Location", member("location", "countryOrRegion")}, {"Status", func(e *event) string {
			if e.in("status", "errorCode") == "0" {
				return "Success"
			}
			return "Failure"
		}}, {"Sign-in error code", func(e *event) string { return strings.TrimPrefix(e.in("status", "errorCode"), "0") }},
		{"Failure reason", member("status", "failureReason")}, {"Client app", field("clientAppUsed")}, {"Device ID", member("deviceDetail", "deviceId")},
		{"Browser", member("deviceDetail", "browser")}, {"Operating System", member("deviceDetail", "operatingSystem")},
		{"Compliant", yesNo(member("deviceDetail", "isCompliant"))}, {"Managed", yesNo(member("deviceDetail", "isManaged"))},
		{"Join Type", member("deviceDetail", "trustType")}, {"Multifactor authentication result", member("status", "additionalDetails")},
		{"Multifactor authentication auth method", fixed("")}, {"Multifactor authentication auth detail", fixed("")},
		{"Authentication requirement", field("authenticationRequirement")}, {"Sign-in identifier", field("signInIdentifier")},
		{"Session ID", field("sessionId")}, {"IP address (seen by resource)", fixed("")}, {"Through Global Secure Access", yesNo(fixed(""))},
		{"Global Secure Access IP address", fixed("")}, {"Autonomous system  number", field("autonomousSystemNumber")}, {"Flagged for review",
			yesNo(fixed(""))},
		{"Token issuer type", field("tokenIssuerType")}, {"Incoming token type", field("incomingTokenType")}, {"Token issuer name", fixed("")},
		{"Latency", field("processingTimeInMilliseconds")}, {"Conditional Access", field("conditionalAccessStatus")}, {"Managed Identity type", fixed("")},
		{"Associated Resource Id", fixed("")}, {"Federated Token Id", fixed("")}, {"Federated Token Issuer", fixed("")},
	},
}

func writeTable(w io.Writer, columns []column, events []event) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range events {
		for j, c := range columns {
			row[j] = c.cell(&events[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// duckTable has DuckDB read and judge a CSV, its columns given.
func duckTable(table, path, threads string) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var list []string
	for i := range tables[table] {
		list = append(list, fmt.Sprintf("'c%d': 'VARCHAR'", i))
	}
	at := func(name string) string {
		for i, c := range tables[table] {
			if c.name == name {
				return "c" + strconv.Itoa(i)
			}
		}
		return "NULL"
	}
	query := `CREATE TABLE result AS SELECT CASE WHEN code IN ('50074', '50076', '50079', '50158') THEN 'interrupted' WHEN code NOT IN ('0', '') THEN 'failed'
		WHEN steps LIKE '%Multifactor authentication%' THEN 'challenged' WHEN contains(detail, 'satisfied by claim') THEN 'satisfied_by_claim'
		WHEN client IN ('IMAP4', 'Authenticated SMTP', 'POP3', 'Other clients') THEN 'not_challenged'
		WHEN requirement = 'multiFactorAuthentication' THEN 'challenged'
		WHEN requirement = 'singleFactorAuthentication' THEN 'not_challenged' ELSE 'unknown' END AS verdict,
		count(*) AS n, count(upn), count(resource), max(strptime(created, '` + map[string]string{"workspace": "%-m/%-d/%Y, %-I:%M:%S.%g %p",
		"portal": "%Y-%m-%dT%H:%M:%S.%nZ"}[table] + `')), count(country), count(ip), count(policies), count(access), count(id) FROM (SELECT `
	for _, c := range [][3]string{
		{"id", "Id", "Request ID"}, {"created", "CreatedDateTime [UTC]", "Date (UTC)"}, {"upn", "UserPrincipalName", "Username"},
		{"resource", "ResourceDisplayName", "Resource"}, {"country", "Location", "Location"}, {"ip", "IPAddress", "IP address"},
		{"policies", "ConditionalAccessPolicies", "Status"}, {"access", "ConditionalAccessStatus", "Conditional Access"},
		{"client", "ClientAppUsed", "Client app"}, {"requirement", "AuthenticationRequirement", "Authentication requirement"},
		{"steps", "AuthenticationDetails", "Multifactor authentication auth method"},
	} {
		name := c[1]
		if table == "portal" {
			name = c[2]
		}
		query += at(name) + " AS " + c[0] + ", "
	}
	if table == "portal" {
		query += fmt.Sprintf("coalesce(%s, '') AS code, %s AS detail", at("Sign-in error code"), at("Multifactor authentication result"))
	} else {
		query += fmt.Sprintf("json_extract_string(%s, '$.errorCode') AS code, json_extract_string(%[1]s, '$.additionalDetails') AS detail", at("Status"))
	}
	query += fmt.Sprintf(" FROM read_csv('%s', header=true, auto_detect=false, delim=',', quote='\"', escape='\"', columns={%s})) GROUP BY ALL", path,
		strings.Join(list, ", "))
	for _, s := range []string{"SET threads=" + threads, query} {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	var rows int
	return db.QueryRow("SELECT sum(n) FROM result").Scan(&rows)
}
