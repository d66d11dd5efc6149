package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"

	"partnerguard/internal/evidence"
)

const (
	aUser   = `{"id":"u%d","userPrincipalName":"ada%[1]d@contoso.example","displayName":"Ada Ärger 漢","accountEnabled":true}`
	aPolicy = `{"id":"p1","displayName":"All","state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR"}}`
	aSignIn = `{"id":"s%d","createdDateTime":"2026-01-02T03:04:05Z","userPrincipalName":"ada@contoso.example","userId":"u1",` +
		`"appId":"a1","ipAddress":"203.0.113.7","clientAppUsed":"Browser","status":{"errorCode":0}}`
	aRole = `{"id":"r1","principalId":"u1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`
)

func user(n int) string    { return fmt.Sprintf(aUser, n) }
func signInN(n int) string { return fmt.Sprintf(aSignIn, n) }

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// counts writes kinds as "2 user, 1 signIn", sorted by kind.
func counts(in evidence.Input) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(in.Kinds)) {
		parts = append(parts, fmt.Sprintf("%d %s", in.Kinds[k], k))
	}
	return strings.Join(parts, ", ")
}

func pretty(s string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		panic(err)
	}
	return b.String()
}

// shapes are texts of every shape, with what must come of them.
var shapes = []struct {
	name   string
	text   string
	status evidence.Status
	kinds  string
	format string
	note   string // part of the first note
}{
	{"one object", user(1), evidence.Read, "1 user", "json", ""},
	{"one object, pretty", pretty(user(1)), evidence.Read, "1 user", "json", ""},
	{"array", "[" + user(1) + "," + user(2) + "]", evidence.Read, "2 user", "json array", ""},
	{"array of mixed kinds", "[" + user(1) + "," + aPolicy + "]", evidence.Read, "1 conditionalAccessPolicy, 1 user", "json array", ""},
	{"graph page", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[` + user(1) + `,{"id":"u2"}]}`, evidence.Read, "2 user",
		"graph page", ""},
	{"graph page, members in any order", `{"value":[{"id":"u2"}],"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id)"}`, evidence.Read,
		"1 user", "graph page", ""},
	{"graph page without context", `{"value":[` + user(1) + `]}`, evidence.Read, "1 user", "graph page", ""},
	{"graph page with a single value", `{"value":` + user(1) + `}`, evidence.Read, "1 user", "graph page", ""},
	{"graph pages behind each other", strings.Repeat(pretty(`{"@odata.context":"x#users","value":[`+user(1)+`]}`)+"\n", 3), evidence.Read, "3 user",
		"graph page", ""},
	{"graph pages in an array", `[{"@odata.context":"x#users","value":[` + user(1) + `]},{"@odata.context":"x#groups","value":[{"id":"g"}]}]`, evidence.Read,
		"1 group, 1 user", "json array", ""},
	{"empty graph page of a known kind", `{"@odata.context":"x#identity/conditionalAccess/policies","value":[]}`, evidence.Read, "0 conditionalAccessPolicy",
		"graph page", ""},
	{"empty graph page of a kind that is not judged", `{"@odata.context":"x#identityProtection/riskyUsers","value":[]}`, evidence.Read, "0 riskyUser",
		"graph page", "an empty list of risky users"},
	{"empty page of who knows what", `{"value":[]}`, evidence.NotRecognised, "", "graph page", "an empty list: it does not say of what"},
	{"json lines", user(1) + "\n" + user(2) + "\n", evidence.Read, "2 user", "json lines", ""},
	{"json lines, CRLF, blank lines, no end", "\r\n" + user(1) + "\r\n\r\n" + user(2), evidence.Read, "2 user", "json lines", ""},
	{"objects behind each other", pretty(user(1)) + "\n" + pretty(user(2)), evidence.Read, "2 user", "json, concatenated", ""},
	{"sign-in lines", signInN(1) + "\n" + signInN(2) + "\n" + user(1) + "\n" + signInN(3), evidence.Read, "3 signIn, 1 user", "json lines", ""},
	{"sign-in lines with a broken one", signInN(1) + "\n{\"id\":\n" + signInN(2) + "\n", evidence.Partial, "2 signIn", "json lines", "not JSON"},
	{"sign-ins later", user(1) + "\n" + signInN(1) + "\n", evidence.Read, "1 signIn, 1 user", "json lines", ""},
	{"azure monitor, whole", `{"records":[` + signInN(1) + "," + signInN(2) + `]}`, evidence.Read, "2 signIn", "azure monitor records", ""},
	{"azure monitor, one a line", `{"records":[` + signInN(1) + `]}` + "\n" + `{"records":[` + signInN(2) + `,` + signInN(3) + `]}`, evidence.Read,
		"3 signIn", "azure monitor records", ""},
	{"partner center", `{"totalCount":1,"items":[{"id":"c","companyProfile":{"tenantId":"t"}}],"links":{"self":{"uri":"/customers"}},"attributes":{"objectType":"Collection"}}`, evidence.Read, "1 customer", "partner center collection", ""},
	{"bare partner center array", `[{"loginDate":"2026-01-01","mfaCompliantRequestCount":1,"totalRequestCount":2,"applicationId":"a","applicationName":""}]`,
		evidence.Read, "1 applicationMfaAdoptionStatus", "json array", ""},
	{"batch", `{"responses":[{"id":"2","status":200,"headers":{},"body":{"@odata.context":"x#users","value":[` + user(1) +
		`]}},{"id":"1","status":200,"body":` + aPolicy + `}]}`, evidence.Read, "1 conditionalAccessPolicy, 1 user", "graph batch", ""},
	{"batch with a refusal", `{"responses":[{"id":"1","status":403,"body":{"error":{"code":"Authorization_RequestDenied"}}},{"id":"2","status":200,"body":` +
		user(1) + `}]}`, evidence.Partial, "1 user", "graph batch", "status 403 (Authorization_RequestDenied)"},
	{"log analytics", `{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"UserPrincipalName","type":"string"},{"name":"ResultType","type":"string"},{"name":"AppId","type":"string"},{"name":"IPAddress","type":"string"}],"rows":[["2026-01-02T03:04:05Z","a@x","0","a",null],["2026-01-02T03:04:05Z","b@x","0","a","b"]]}]}`, evidence.Read, "2 signIn", "log analytics tables", ""},
	{"csv", "userPrincipalName,displayName,accountEnabled\nada@x,\"Ada, of\nLondon\",True\nbob@x,Bob,False\n", evidence.Read, "2 user", "csv", ""},
	{"csv with semicolons", "userPrincipalName;displayName;accountEnabled\r\nada@x;Ada;True\r\n", evidence.Read, "1 user", "csv", ""},
	{"csv with tabs", "userPrincipalName\tdisplayName\taccountEnabled\nada@x\tAda\tTrue\n", evidence.Read, "1 user", "csv", ""},
	{"csv with preambles", "#TYPE Selected.Object\nuserPrincipalName,displayName,accountEnabled\nada@x,Ada,True\n", evidence.Read, "1 user", "csv", ""},
	{"csv, ragged", "userPrincipalName,displayName,accountEnabled\nada@x\nbob@x,Bob,True,extra\n", evidence.Partial, "2 user", "csv",
		"2 rows have more or fewer cells"},
	{"csv without rows", "userPrincipalName,displayName,accountEnabled\n", evidence.Read, "0 user", "csv", ""},
	{"portal sign-ins", "Date (UTC),Request ID,Correlation ID,User,Username,User ID,Application,Application ID,IP address,Status,Sign-in error " +
		"code,Client app,Authentication requirement\n" +
		"2026-01-02T03:04:05Z,r1,c1,Ada,ada@x,u1,Azure Portal,a1,203.0.113.7,Success,,Browser,Single-factor authentication\n", evidence.Read, "1 signIn",
		"csv", ""},
	{"composite", `{"exportedAt":"2026","users":[` + user(1) + `],"policies":{"value":[` + aPolicy + `]},"roles":[` + aRole + `],"other":{"x":1}}`,
		evidence.Read, "1 conditionalAccessPolicy, 1 roleAssignment, 1 user", "composite json", ""},
	{"scubagear", `{"baseline_version":"1","conditional_access_policies":[],"privileged_users":{"u1":{"DisplayName":"Ada","roles":["Global Administrator"],"OnPremisesImmutableId":null}},"service_plans":[{"ServicePlanName":"AAD_PREMIUM"}],"teams_tenant_info":[{"x":1}]}`, evidence.Read, "0 conditionalAccessPolicy, 1 privilegedUser, 1 subscribedSku", "scubagear export", ""},
	{"scubagear whose command failed", `{"conditional_access_policies":[],"aad_unsuccessful_commands":["Get-MgBetaIdentityConditionalAccessPolicy"]}`,
		evidence.Partial, "0 conditionalAccessPolicy", "scubagear export", "Get-MgBetaIdentityConditionalAccessPolicy"},
	{"envelope with a text", `{"input":{"message":` + jsonText(signInN(1)) + `},"expected":{"event":{"message":` + jsonText(signInN(1)) + `}}}`,
		evidence.Read, "1 signIn", "json", ""},
	{"envelopes a line", `{"_source":` + signInN(1) + `}` + "\n" + `{"preview":false,"result":{"_raw":` + jsonText(signInN(2)) + `}}` + "\n", evidence.Read,
		"2 signIn", "json lines", ""},
	{"envelopes five deep", `{"event":{"log":{"data":{"body":{"record":` + user(1) + `}}}}}`, evidence.NotRecognised, "", "json", "no record known here"},
	{"array of texts that are objects", `[` + jsonText(user(1)) + `,` + jsonText(user(2)) + `]`, evidence.Read, "2 user", "json array", ""},
	{"csv with a raw column", "_time,_raw\n2026,\"" + strings.ReplaceAll(user(1), `"`, `""`) + "\"\n", evidence.Read, "1 user", "csv", ""},
	{"group with members", `{"id":"g1","displayName":"Admins","members":[` + user(1) + `,` + user(2) + `]}`, evidence.Read, "1 group", "json", ""},
	{"known beside unknown", `[` + user(1) + `,{"colour":"red","size":2}]`, evidence.Read, "1 user", "json array",
		"1 record that is not judged: an object with the members colour, size"},
	{"an error answer", `{"error":{"code":"Authorization_RequestDenied","message":"no"}}`, evidence.Unreadable, "", "json",
		"an error answer instead of data (Authorization_RequestDenied)"},
	{"a single value", `"hello"`, evidence.NotRecognised, "", "json", "a single JSON value"},
	{"a web page", "<!DOCTYPE html><html><body>Sign in</body></html>", evidence.NotRecognised, "", "", "a web page"},
	{"plain text", "nothing here\nto read\n", evidence.NotRecognised, "", "", "neither JSON nor CSV"},
	{"comma lines without brackets", user(1) + ",\n" + user(2) + ",\n" + user(3) + "\n", evidence.Partial, "3 user", "json lines", "line 1"},
	{"a broken list", "[\n" + user(1) + ",\n{\"id\":1,},\n" + user(2) + "\n]", evidence.Partial, "2 user", "json array", "line 3"},
	{"a trailing comma", "[" + user(1) + ",\n]", evidence.Partial, "1 user", "json array",
		"line 2, byte 110: expected a value after ',' (a trailing comma is not JSON), found ']'"},
}

// TestShapes reads every shape in every encoding and compression.
func TestShapes(t *testing.T) {
	t.Parallel()
	for _, c := range shapes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plain, recs := readBytes(t, Options{}, []byte(c.text))
			if plain.Status != c.status || counts(plain) != c.kinds || plain.Format != c.format {
				t.Errorf("got %s, %q, format %q; want %s, %q, format %q\nnotes %v", plain.Status, counts(plain), plain.Format, c.status, c.kinds, c.format,
					plain.Notes)
			}
			switch {
			case c.note == "" && len(plain.Notes) > 0:
				t.Errorf("notes: %v", plain.Notes)
			case c.note != "" && (len(plain.Notes) == 0 || !strings.Contains(plain.Notes[0].Message, c.note)):
				t.Errorf("notes %v, want %q", plain.Notes, c.note)
			}
			for _, enc := range encodings {
				for _, z := range compressions {
					in, got := readBytes(t, Options{}, z.pack(enc.write(c.text)))
					if in.Status != plain.Status || counts(in) != counts(plain) || in.Compression != z.name {
						t.Errorf("%s %s: got %s, %q, compression %q, notes %v", enc.name, z.name, in.Status, counts(in), in.Compression, in.Notes)
					}
					if in.Encoding != enc.name && in.Format != "binary" {
						t.Errorf("encoding %q, want %q", in.Encoding, enc.name)
					}
					if diff := cmp.Diff(recs, got); diff != "" {
						t.Errorf("%s %s: records differ (-plain +got):\n%s", enc.name, z.name, diff)
					}
				}
			}
		})
	}
}

func utf16Bytes(s string, order unicode.Endianness, bom unicode.BOMPolicy) []byte {
	b, err := unicode.UTF16(order, bom).NewEncoder().Bytes([]byte(s))
	if err != nil {
		panic(err)
	}
	return b
}

var encodings = []struct {
	name  string
	write func(string) []byte
}{
	{"utf-8", func(s string) []byte { return []byte(s) }},
	{"utf-8 bom", func(s string) []byte { return append([]byte("\xef\xbb\xbf"), s...) }},
	{"utf-16le", func(s string) []byte { return utf16Bytes(s, unicode.LittleEndian, unicode.UseBOM) }},
	{"utf-16be", func(s string) []byte { return utf16Bytes(s, unicode.BigEndian, unicode.UseBOM) }},
	{"utf-16le", func(s string) []byte { return utf16Bytes(s, unicode.LittleEndian, unicode.IgnoreBOM) }},
	{"utf-16be", func(s string) []byte { return utf16Bytes(s, unicode.BigEndian, unicode.IgnoreBOM) }},
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a Buffer takes all
	_ = w.Close()
	return out.Bytes()
}

func zst(b []byte) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(b) // a Buffer takes all
	_ = w.Close()
	return out.Bytes()
}

func halves(pack func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte { return append(pack(b[:len(b)/2]), pack(b[len(b)/2:])...) }
}

var compressions = []struct {
	name string
	pack func([]byte) []byte
}{
	{"", func(b []byte) []byte { return b }},
	{"gzip", gz},
	{"gzip", halves(gz)},
	{"zstd", zst},
	{"zstd", halves(zst)},
	{"gzip, zstd", func(b []byte) []byte { return gz(zst(b)) }},
	{"gzip, gzip", func(b []byte) []byte { return gz(gz(b)) }},
}

// TestNextLink: a next link counts when no later page of its collection follows.
func TestNextLink(t *testing.T) {
	t.Parallel()
	n := 0
	page := func(set, next string) string { // pages of one collection share no record
		n++
		return `{"@odata.context":"x#` + set + `",` + next + `"value":[` + user(n) + `]}` + "\n"
	}
	link := `"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=x",`
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"last page", page("users", ""), false},
		{"more to come", page("users", link), true},
		{"followed", page("users", link) + page("users", ""), false},
		{"another collection follows", page("users", link) + page("groups", ""), true},
		{"behind the value", `{"value":[` + user(1) + `],"@odata.nextLink":"x"}`, true},
		{"empty link", `{"value":[` + user(1) + `],"@odata.nextLink":""}`, false},
		{"cut short", strings.TrimSuffix(page("users", link), "]}\n"), true},
		{"partner center", `{"items":[{"id":"c","companyProfile":{}}],"links":{"next":{"uri":"/customers?size=1"}}}`, true},
		{"partner center, last", `{"items":[{"id":"c","companyProfile":{}}],"links":{"self":{"uri":"/customers"},"next":null}}`, false},
		{"two answers of a batch", `{"responses":[{"id":"1","status":200,"body":` + page("directoryObjects", link) + `},{"id":"2","status":200,"body":` +
			page("directoryObjects", "") + `}]}`, true},
	} {
		if in, _ := readBytes(t, Options{}, []byte(c.text)); in.NextLink != c.want {
			t.Errorf("%s: NextLink = %v, want %v (%v)", c.name, in.NextLink, c.want, in.Notes)
		}
	}
}

// TestSources: every record says where it was read.
func TestSources(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"object", pretty(user(1)), []string{"-"}},
		{"array", "[" + user(1) + "," + user(2) + "]", []string{"-[1]", "-[2]"}},
		{"lines", user(1) + "\n\n" + user(2), []string{"-:1", "-:3"}},
		{"sign-in lines behind a blank one", "\n" + signInN(1) + "\n" + user(1), []string{"-:1", "-:3"}},
		{"pages", `{"value":[` + user(1) + `]}` + "\n" + `{"value":[` + user(2) + `]}`, []string{"-[1]", "-:2"}},
		{"arrays behind each other", "[" + user(1) + "]\n[" + user(2) + "]", []string{"-[1]", "-[2]"}},
		{"locations inside a policy", strings.TrimSuffix(aPolicy, "}") + `,"namedLocations":[{"id":"l","ipRanges":[]}]}`,
			[]string{"-:1", "-#namedLocations:1"}},
		{"csv", "userPrincipalName,displayName\n\"a\nb\",x\nc,d\n", []string{"-:2", "-:4"}},
		{"composite", `{"people":[` + user(1) + `,` + user(2) + `]}`, []string{"-#people[1]", "-#people[2]"}},
		{"scubagear", pretty(`{"privileged_users":{"u1":{"DisplayName":"Ada"}},"conditional_access_policies":` + aPolicy + `}`),
			[]string{"-#privileged_users[1]", "-#conditional_access_policies[1]"}},
	} {
		_, recs := readBytes(t, Options{}, []byte(c.text))
		var got []string
		for _, r := range recs {
			got = append(got, r.Src)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestScubaRecords: what is put together from a ScubaGear export.
func TestScubaRecords(t *testing.T) {
	t.Parallel()
	_, recs := readBytes(t, Options{}, []byte(`{
		"privileged_users": {"u1": {"DisplayName": "Ada"}, "u2": {"Id": "own", "DisplayName": "Bob"}, "u3": {}},
		"service_plans": {"ServicePlanName": "AAD_PREMIUM"},
		"license_information": [{"SkuId": "k"}],
		"tenant_details": [{"TenantId": "t", "AADAdditionalData": {"Id": "t", "VerifiedDomains": []}}],
		"authentication_method": [{"authentication_method_policy": {"Id": "p"}, "authentication_method_feature_settings": [{"Id": "Sms"}]}],
		"meeting_policies": [`+user(9)+`]}`))
	want := []rec{
		{evidence.PrivilegedUser, "-#privileged_users[1]", `{"id":"u1","DisplayName": "Ada"}`},
		{evidence.PrivilegedUser, "-#privileged_users[2]", `{"Id": "own", "DisplayName": "Bob"}`},
		{evidence.PrivilegedUser, "-#privileged_users[3]", `{"id":"u3"}`},
		{evidence.SubscribedSku, "-#service_plans", `{"servicePlans":[{"ServicePlanName": "AAD_PREMIUM"}]}`},
		{evidence.SubscribedSku, "-#license_information[1]", `{"SkuId": "k"}`},
		{evidence.Organization, "-#tenant_details[1]", `{"Id": "t", "VerifiedDomains": []}`},
		{evidence.AuthenticationMethods, "-#authentication_method[1]", `{"authenticationMethodConfigurations":[{"Id": "Sms"}],"Id": "p"}`},
	}
	if diff := cmp.Diff(want, recs); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// TestSinkDecides: a sink's note makes the input partial, its error stops all.
func TestSinkDecides(t *testing.T) {
	t.Parallel()
	s := &strictSink{t: t, refuse: func(_ evidence.Kind, raw []byte) (string, error) {
		if bytes.Contains(raw, []byte("ada2")) {
			return "unusable", nil
		}
		return "", nil
	}}
	read := func(text string) (evidence.Input, error) {
		ins, err := Read(context.Background(), Options{Stdin: strings.NewReader(text)}, []string{"-"}, s)
		return ins[0], err
	}
	in, err := read("[" + user(1) + "," + user(2) + "]")
	if err != nil || in.Status != evidence.Partial || counts(in) != "1 user" || in.Notes[0].Source.Index != 2 {
		t.Errorf("got %v, %+v", err, in)
	}
	if in, _ = read(user(2)); in.Status != evidence.Unreadable {
		t.Errorf("nothing decodes: %+v", in)
	}
	stop := fmt.Errorf("stop")
	s.refuse = func(evidence.Kind, []byte) (string, error) { return "", stop }
	for _, text := range []string{user(1), signInN(1) + "\n" + user(1), `{"value":[` + user(1) + `]}`, "userPrincipalName,id\na,b"} {
		if _, err := read(text); err != stop {
			t.Errorf("%.20s: error %v, want the sink's own", text, err)
		}
	}
}
