package intake

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin/read"
)

// engineSink answers like the program's own: a record that the engine does not
// take for a sign-in is none.
type engineSink struct{ *strictSink }

func (s engineSink) Record(kind evidence.Kind, raw []byte, src evidence.Source) (string, error) {
	if isLog(kind) && read.ShapeOf(raw) == read.ShapeNone {
		return "", ErrNoSignIn
	}
	return s.strictSink.Record(kind, raw, src)
}

func readEngine(t testing.TB, text string) (evidence.Input, []rec) {
	t.Helper()
	s := &strictSink{t: t}
	ins, err := Read(context.Background(), Options{Stdin: strings.NewReader(text)}, []string{"-"}, engineSink{s})
	if err != nil || len(ins) != 1 {
		t.Fatal(err, len(ins))
	}
	checkInput(t, ins[0])
	return ins[0], s.recs
}

const (
	logHeader = "CreatedDateTime,UserPrincipalName,AppDisplayName,IPAddress,Id,Status,ClientAppUsed\n"
	logRow    = "2026-11-20T08:00:00Z,u@x.example,Azure Portal,203.0.113.7,id%d,0,Browser\n"
	audited   = `{"CreationTime":"2026-11-20T08:00:02","Id":"%d","Operation":"%s","RecordType":15,"UserId":"u@x.example","Workload":"AzureActiveDirectory"}`
)

func TestSignInsOfEveryLog(t *testing.T) {
	t.Parallel()
	ual := func(op string) string { return fmt.Sprintf(audited, 1, op) }
	csvCell := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	hunting := `{"Timestamp":"2026-11-20T08:00:00Z","ApplicationId":"a","ErrorCode":"0","AccountUpn":"u@x.example","RequestId":"h","IPAddress":"203.0.113.7"}`
	elastic := `{"_index":"i","_source":{"@timestamp":"2026-11-20T08:00:00Z","azure":{"signinlogs":{"category":"SignInLogs","properties":{"id":"e","user_principal_name":"u@x.example","status":{"error_code":0}}}}}}`
	diagnostic := `{"time":"2026-11-20T08:00:00Z","category":"SignInLogs","resultType":"0","properties":{"id":"d","userPrincipalName":"u@x.example","appId":"a"}}`
	for _, c := range []struct {
		name, text string
		status     evidence.Status
		kinds      string
		note       string
		cut        bool // the sign-ins are known not to be whole
	}{
		{"audit log as JSON", "[" + ual("UserLoggedIn") + "," + ual("UserLoginFailed") + "]", evidence.Read, "2 unifiedAuditSignIn",
			"never whether MFA was asked for", false},
		{"audit log as CSV", "RecordId,CreationDate,Operation,UserId,AuditData\n1,2026-11-20,UserLoggedIn,u@x.example," + csvCell(ual("UserLoggedIn")) + "\n",
			evidence.Read, "1 unifiedAuditSignIn", "never whether", false},
		{"audit log, other operations", "[" + ual("UserLoggedIn") + "," + ual("Set-Mailbox") + "]", evidence.Read, "1 unifiedAuditSignIn", "never whether",
			false},
		{"audit log without sign-ins", "[" + ual("Set-Mailbox") + "]", evidence.NotRecognised, "", "entries of other operations, not sign-ins", false},
		{"audit search cut short", "CreationDate,UserIds,Operations,AuditData,ResultIndex,ResultCount\n2026-11-20,u@x.example,UserLoggedIn," +
			csvCell(ual("UserLoggedIn")) + ",1,250\n",
			evidence.Partial, "1 unifiedAuditSignIn", "never whether", false},
		{"hunting", `{"Schema":[{"Name":"Timestamp"}],"Results":[` + hunting + `]}`, evidence.Read, "1 signIn", "", false},
		{"hunting, on premises", `[{"Timestamp":"2026-11-20T08:00:00Z","ActionType":"LogonSuccess","AccountUpn":"u@x.example","Protocol":"Kerberos"}]`,
			evidence.NotRecognised, "", "logons that Defender saw", false},
		{"elastic search", `{"took":1,"hits":{"total":{"value":1,"relation":"eq"},"hits":[` + elastic + `]}}`, evidence.Read, "1 signIn", "", false},
		{"elastic search, not all", `{"hits":{"total":{"value":25,"relation":"eq"},"hits":[` + elastic + `]}}`, evidence.Partial, "1 signIn",
			"the search found 25 documents, and 1 stand here", true},
		{"elastic search, more than counted", `{"hits":{"hits":[` + elastic + `],"total":{"value":1,"relation":"gte"}}}`, evidence.Partial, "1 signIn",
			"more than 1 documents", true},
		{"elastic lines", elastic + "\n" + elastic + "\n", evidence.Read, "2 signIn", "", false},
		{"elastic, another data set", `{"_source":{"azure":{"auditlogs":{"category":"AuditLogs"}}}}`, evidence.NotRecognised, "", "no record known here",
			false},
		{"a JSON text", jsonText(diagnostic), evidence.Read, "1 signIn", "", false},
		{"a JSON text of a list", jsonText("[" + diagnostic + "," + diagnostic + "]"), evidence.Read, "2 signIn", "", false},
		{"lines of JSON texts", jsonText(diagnostic) + "\n" + jsonText(diagnostic) + "\n", evidence.Read, "2 signIn", "", false},
		{"query answer", `{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated"},{"name":"Id"},{"name":"UserPrincipalName"},{"name":"ResultType"},{"name":"Type"}],
			"rows":[["2026-11-20T08:00:00Z","a","u@x.example","0","SigninLogs"]]}]}`, evidence.Read, "1 signIn", "", false},
		{"query answer, partial", `{"tables":[{"columns":[{"name":"TimeGenerated"},{"name":"Id"},{"name":"UserPrincipalName"},{"name":"ResultType"},{"name":"Type"}],
			"rows":[["2026-11-20T08:00:00Z","a","u@x.example","0","SigninLogs"]]}],"error":{"code":"PartialError"}}`, evidence.Partial, "1 signIn",
			"not whole (PartialError)", true},
		{"query answer, a cell too few", `{"tables":[{"columns":[{"name":"TimeGenerated"},{"name":"Type"},{"name":"UserPrincipalName"},{"name":"ResultType"}],"rows":[["2026-11-20T08:00:00Z","SigninLogs","u@x.example"]]}]}`,
			evidence.Partial, "1 signIn", "expected 4 cells, found 3", true},
		{"local time", "TimeGenerated [Local Time],Id,UserPrincipalName,AppId,ResultType,Type\n\"11/20/2026, 2:05:00.000 PM\",a,u@x.example,b,0,SigninLogs\n",
			evidence.Read, "1 signIn", "", false},
		{"names of types", logHeader + strings.Replace(fmt.Sprintf(logRow, 1), ",0,", ",Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus,", 1),
			evidence.Partial, "1 signIn", "holds the name of a .NET type, not a value", true},
		{"a script's report", "Date,UPN,AppName,IPAddress,Location\n2026-11-20T08:00:00Z,u@x.example,Azure Portal,203.0.113.7,Utrecht\n",
			evidence.NotRecognised, "", "a script's report of sign-ins", true},
		{"a blank row", logHeader + fmt.Sprintf(logRow, 1) + ",,,,,,\n", evidence.Read, "1 signIn", "", false},
		{"a row without a user", "[" + signInN(1) + `,{"id":"x","createdDateTime":"2026-11-20T08:00:00Z","status":{"errorCode":0}}]`, evidence.Read,
			"1 signIn", "", false},
		{"a page with a row that is none", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns","value":[` + signInN(1) +
			`,{"id":"x"}]}`, evidence.Partial, "1 signIn", "lacks what a sign-in is told by", true},
		{"details", "Request ID,Date (UTC),Authentication method,Authentication method detail,Succeeded,Result " +
			"detail,Requirement\nr,2026-11-20T08:00:00Z,Password,,true,,Primary authentication\n",
			evidence.Read, "1 signInAuthenticationDetail", "", false},
		{"exactly a page", "[" + strings.TrimSuffix(strings.Repeat(signInN(1)+",", 1000), ",") + "]", evidence.Read, "1000 signIn", "exactly 1000 records",
			true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, _ := readEngine(t, c.text)
			if in.Status != c.status || counts(in) != c.kinds {
				t.Errorf("got %s, %q; want %s, %q; %v", in.Status, counts(in), c.status, c.kinds, in.Notes)
			}
			if c.note != "" && (len(in.Notes) == 0 || !strings.Contains(in.Notes[0].Message, c.note)) {
				t.Errorf("notes %v, want %q", in.Notes, c.note)
			}
			if cut := len(in.Cuts) > 0 && in.Cuts[0].Kind == evidence.SignIn; cut != c.cut {
				t.Errorf("cuts %v, want one: %v", in.Cuts, c.cut)
			}
		})
	}
}

// A column name that stands twice: the first that says something counts.
func TestColumnTwice(t *testing.T) {
	t.Parallel()
	h := newHeader([][]byte{[]byte("a"), []byte("token"), []byte("b"), []byte("token "), []byte("token")})
	for cells, want := range map[string]string{
		"1|prt|2|None|None": `{"a":"1","token":"prt","b":"2"}`,
		"1|None|2|x|y":      `{"a":"1","token":"x","b":"2"}`,
		"1||2||none":        `{"a":"1","token":"","b":"2"}`,
		"1|None|2||y":       `{"a":"1","token":"y","b":"2"}`,
		"1":                 `{"a":"1","token":"","b":""}`,
	} {
		if got, _ := h.row(nil, bytes.Split([]byte(cells), []byte("|"))); string(got) != want {
			t.Errorf("%s: %s, want %s", cells, got, want)
		}
	}
}

// FuzzAnswers: tables and hits of any content are read or named.
func FuzzAnswers(f *testing.F) {
	f.Add(`"name":"TimeGenerated"`, `["2026-11-20T08:00:00Z"]`, `{"value":3,"relation":"gte"}`)
	f.Add(`"ColumnName":"UserPrincipalName"`, `[[1,2],{}]`, `-1`)
	f.Add(``, `[]`, `1e99`)
	f.Fuzz(func(t *testing.T, column, row, total string) {
		for _, text := range []string{
			`{"tables":[{"columns":[{` + column + `},"b"],"rows":[` + row + `]}],"error":{"code":"x"}}`,
			`{"hits":{"total":` + total + `,"hits":[` + row + `]}}`,
			`"{\"tables\":[` + row + `]}"`,
		} {
			in, recs := readEngine(t, text)
			n := 0
			for _, k := range in.Kinds {
				n += k
			}
			if n != len(recs) {
				t.Errorf("%d records counted, %d handed on", n, len(recs))
			}
		}
	})
}
