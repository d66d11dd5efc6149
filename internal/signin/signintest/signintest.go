package signintest

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var sharedData = filepath.Join("..", "..", "..", "..", "shared", "data")

// SharedRecords reads every sign-in record of the shared data, unwrapped from
// the test files that hold it, by name of the folder.
func SharedRecords(t testing.TB) map[string][][]byte {
	t.Helper()
	if _, err := os.Stat(sharedData); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared data is missing: %v", err)
		}
		t.Skipf("SKIPPED: the shared data is missing: %v", err)
	}
	all := make(map[string][][]byte)
	add := func(folder string, raw []byte) { all[folder] = append(all[folder], bytes.TrimSpace(raw)) }
	files, err := filepath.Glob(filepath.Join(sharedData, "signins", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Base(filepath.Dir(path))
		b = bytes.TrimPrefix(b, []byte("\ufeff"))
		switch {
		case folder == "cipp-shapes":
			var v struct{ Shape json.RawMessage }
			if json.Unmarshal(b, &v) == nil && v.Shape != nil {
				add(folder, v.Shape)
			}
		case filepath.Ext(path) == ".csv":
			cr := csv.NewReader(bytes.NewReader(b))
			cr.FieldsPerRecord = -1
			rows, err := cr.ReadAll()
			if err != nil {
				t.Fatal(path, err)
			}
			for _, row := range rows[1:] {
				o := make(map[string]string)
				for i, cell := range row {
					o[rows[0][i]] = cell
				}
				j, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				add(folder+"/"+filepath.Base(path), j)
			}
		case filepath.Ext(path) == ".jsonl" || filepath.Ext(path) == ".log":
			sc := bufio.NewScanner(bytes.NewReader(b))
			sc.Buffer(nil, 1<<20)
			for sc.Scan() {
				var v struct{ Log json.RawMessage }
				if json.Unmarshal(sc.Bytes(), &v) == nil && v.Log != nil {
					add(folder, bytes.Clone(v.Log))
				} else if len(bytes.TrimSpace(sc.Bytes())) > 0 {
					add(folder, bytes.Clone(sc.Bytes()))
				}
			}
		default:
			var v struct {
				Value []json.RawMessage
				Input struct{ Message string }
			}
			if err := json.Unmarshal(b, &v); err != nil {
				add(folder+"/malformed", b)
				continue
			}
			switch {
			case v.Input.Message != "":
				add(folder, []byte(v.Input.Message))
			case v.Value != nil:
				for _, r := range v.Value {
					add(folder, r)
				}
			default:
				add(folder, b)
			}
		}
	}
	return all
}

// EventKeys are the keys of a sign-in that random records draw from: all that the
// fast decoder reads.
var EventKeys = []string{
	"id", "correlationId", "createdDateTime", "userId", "userPrincipalName", "userDisplayName", "userType", "appId", "appDisplayName",
	"resourceId", "resourceDisplayName", "resourceTenantId", "homeTenantId", "ipAddress", "clientAppUsed", "userAgent", "authenticationProtocol",
	"originalTransferMethod", "incomingTokenType", "crossTenantAccessType", "tokenIssuerType", "servicePrincipalId", "servicePrincipalName",
	"conditionalAccessStatus", "riskLevelDuringSignIn", "category", "authenticationRequirement", "location", "signInEventTypes", "isInteractive",
	"status", "mfaDetail", "authenticationDetails", "authenticationRequirementPolicies", "appliedConditionalAccessPolicies",
	"conditionalAccessPolicies", "deviceDetail",
}

// RandomRecord writes an object from the keys both decoders know, mostly with
// fitting values, sometimes with odd ones. It is one list of what each key may
// have, and long for that alone.
func RandomRecord(r *rand.Rand) []byte {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	text := func() string {
		return pick(`"x"`, `""`, `"2024-05-01T10:00:00.1234567Z"`, `"US"`, `"Seattle, WA, US"`, `"a\u00e9\n\"b"`, `"ü"`, `"\ud83d\ude00"`, `"/tenants/x"`,
			`"SignInLogs"`, `"AuditLogs"`)
	}
	odd := func() string {
		return pick(`1`, `1.0`, `true`, `{}`, `[]`, `[null]`, `{"a":[{"b":[]}]}`, `"TRUE"`, `"{\"errorCode\":5}"`, `"[{\"id\":\"p\"}]"`, `99999999999`,
			`-5`, `"0"`, `"007"`,
			`"Success"`, `"Failure"`, `"\ud800"`, "\"\xff\"", `"{"`, `null`, `[{}]`, `[[]]`)
	}
	value := func(fit string) string {
		if r.IntN(90) == 0 {
			return odd()
		}
		if r.IntN(8) == 0 {
			return "null"
		}
		return fit
	}
	gap := func() string { return pick("", "", "", "", " ", "\n\t") }
	name := func(k string) string {
		switch r.IntN(400) {
		case 0:
			k = strings.ToUpper(k)
		case 1:
			k = strings.ReplaceAll(k, "s", "ſ")
		case 2:
			k = `\u0061` + k
		case 3:
			k += pick("_dynamic", "_string", " ", " [UTC]")
		}
		return `"` + k + `"`
	}
	object := func(keys []string, val func(k string) string) string {
		var b strings.Builder
		b.WriteString("{" + gap())
		n := 0
		for _, k := range keys {
			if r.IntN(4) == 0 {
				continue
			}
			if n > 0 {
				b.WriteString("," + gap())
			}
			n++
			b.WriteString(name(k) + gap() + ":" + gap() + val(k) + gap())
		}
		b.WriteString("}")
		return b.String()
	}
	list := func(keys []string, val func(k string) string) string {
		var parts []string
		for range r.IntN(3) {
			parts = append(parts, object(keys, val))
		}
		return "[" + strings.Join(parts, ","+gap()) + "]"
	}
	texts := func() string { return pick(`[]`, `["Mfa"]`, `["a","","b"]`, `[null,"c"]`, `"a,b"`) }
	plain := func(string) string { return value(text()) }
	eventVal := func(k string) string {
		switch k {
		case "status":
			return value(object([]string{"errorCode", "failureReason", "additionalDetails", "x"}, func(k string) string {
				if k == "errorCode" {
					return value(pick("0", "50074", `"50126"`))
				}
				return plain(k)
			}))
		case "location":
			return value(pick(object([]string{"city", "countryOrRegion", "geoCoordinates"}, plain), text()))
		case "deviceDetail":
			return value(object([]string{"deviceId", "operatingSystem", "isCompliant", "trustType"}, func(k string) string {
				if k == "isCompliant" {
					return value(pick("true", "false", `""`))
				}
				return plain(k)
			}))
		case "mfaDetail":
			return value(object([]string{"authMethod", "authDetail"}, plain))
		case "isInteractive":
			return value(pick("true", "false"))
		case "signInEventTypes":
			return value(texts())
		case "authenticationDetails":
			return value(list([]string{"authenticationMethod", "authenticationMethodDetail", "succeeded", "authenticationStepResultDetail",
				"authenticationStepRequirement"},
				func(k string) string {
					if k == "succeeded" {
						return value(pick("true", "false"))
					}
					return plain(k)
				}))
		case "authenticationRequirementPolicies":
			return value(list([]string{"requirementProvider", "detail"}, plain))
		case "appliedConditionalAccessPolicies", "conditionalAccessPolicies":
			return value(list([]string{"id", "displayName", "result", "enforcedGrantControls", "y"}, func(k string) string {
				if k == "enforcedGrantControls" {
					return value(texts())
				}
				return plain(k)
			}))
		case "resultType":
			return value(pick(`"0"`, `0`, `"50074"`))
		}
		return plain(k)
	}
	var keys []string
	for _, k := range EventKeys {
		if r.IntN(3) > 0 && (k != "conditionalAccessPolicies" || r.IntN(6) == 0) {
			keys = append(keys, k)
		}
	}
	for range r.IntN(4) {
		keys = append(keys, pick("zzz", "devices", "riskState", "Level", "", "userAgent"))
	}
	slices.Sort(keys)
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	if r.IntN(20) == 0 {
		keys = append(keys, keys[:min(1, len(keys))]...)
	}
	if r.IntN(3) > 0 {
		return []byte(object(keys, eventVal))
	}
	inner := object(keys, eventVal)
	outer := []string{"time", "category", "resultType", "resultDescription", "callerIpAddress", "correlationId", "identity", "location", "properties",
		"resourceId", "other"}
	return []byte(object(outer, func(k string) string {
		if k == "properties" {
			return value(inner)
		}
		return eventVal(k)
	}))
}

// BenchInput is a file of JSON lines named by the environment, or the shared
// records repeated.
func BenchInput(b *testing.B) []byte {
	if path := os.Getenv("PARTNERGUARD_BENCH_LINES"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return text
	}
	var text []byte
	for _, raw := range SharedRecords(b)["sekoia-azure-ad"] {
		text = append(append(text, raw...), '\n')
	}
	return bytes.Repeat(text, 500)
}
