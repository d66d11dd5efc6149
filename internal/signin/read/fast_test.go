package read

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/signintest"
)

// agree checks the property of the fast decoder: the same shape, the same
// event field for field, and the same texts accepted as with the slow one.
func agree(t testing.TB, d *Decoder, raw []byte) (usedFast bool) {
	t.Helper()
	var want, got signin.Event
	wantShape, wantErr := DecodeEvent(raw, &want)
	gotShape, ok := d.fast(raw, &got)
	if !ok {
		return false
	}
	// Once more, now that the structure is known.
	var again signin.Event
	clone := signintest.Clone(&got)
	if shape, ok := d.fast(raw, &again); !ok || shape != gotShape || !reflect.DeepEqual(clone, again) {
		t.Fatalf("%s\nsecond time %v %v, first %v\n%s", raw, ok, shape, gotShape, cmp.Diff(clone, again))
	}
	got = again
	if wantErr != nil {
		t.Fatalf("%q: accepted, but %v", raw, wantErr)
	}
	if wantShape != gotShape || !reflect.DeepEqual(want, got) {
		t.Fatalf("%s\nshape %v, want %v\n%s", raw, gotShape, wantShape, cmp.Diff(want, got))
	}
	return true
}

func TestFastAgreesOnSharedData(t *testing.T) {
	t.Parallel()
	var d Decoder
	fast := make(map[string]int)
	for folder, list := range signintest.SharedRecords(t) {
		for _, raw := range list {
			if agree(t, &d, raw) {
				fast[folder]++
			}
		}
	}
	// Not vacuous: these shapes must take the fast road.
	for folder, least := range map[string]int{"sekoia-azure-ad": 5, "sekoia-entraid-graphapi": 1, "elastic-integrations": 19} {
		if fast[folder] < least {
			t.Errorf("%s: only %d records decoded fast", folder, fast[folder])
		}
	}
}

func TestFastAgreesOnRandomRecords(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	var d Decoder
	d.makes.eager = true
	fast := 0
	for range 12000 {
		raw := signintest.RandomRecord(r)
		if agree(t, &d, raw) {
			fast++
		}
		if n := r.IntN(10); n < 2 && len(raw) > 2 { // damaged
			raw[r.IntN(len(raw))] = `{}[]:,"\ 1a`[r.IntN(11)]
			agree(t, &d, raw)
		}
		for range 3 { // of the same structure, mostly: letters and digits changed in place
			for range 1 + r.IntN(3) {
				i := r.IntN(len(raw))
				if c := raw[i]; 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' {
					raw[i] = "tfnulse019-.Ee"[r.IntN(14)]
				}
			}
			agree(t, &d, raw)
		}
	}
	if fast < 2400 {
		t.Errorf("only %d records decoded fast", fast)
	}
}

// Every key the slow decoder reads is known to the fast one, so that it can
// tell the odd spellings.
func TestFastKnowsEveryKey(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "decode.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	event := newKeyTable(eventKeys, eventFolded)
	known := map[string]bool{"countryorregion": true, "{": true}
	for _, m := range []map[string]field{eventKeys, statusKeys, locationKeys, deviceKeys, mfaKeys, stepKeys, requirementKeys, policyKeys} {
		for k := range m {
			known[foldKey(k)] = true
		}
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"text", "has", "object", "objects", "texts", "tri", "outcome"}, sel.Sel.Name) {
			return true
		}
		for _, arg := range call.Args {
			lit, ok := arg.(*ast.BasicLit)
			if !ok {
				continue
			}
			key, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			n++
			key = strings.TrimSuffix(strings.TrimSuffix(key, "_dynamic"), "_string")
			if !known[key] && !event.folded[key] {
				t.Errorf("the fast decoder does not know %q", key)
			}
		}
		return true
	})
	if n < 60 {
		t.Errorf("only %d keys found in decode.go", n)
	}
}

// Records of one structure whose values are not of one kind: what was learnt
// from the first must not be taken for the second.
func TestTemplatesNoticeOtherValues(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{`{"id":null,"time":"x"}`, `{"id":1234,"time":"x"}`},
		{`{"id":"a","isInteractive":true}`, `{"id":"a","isInteractive":1234}`},
		{`{"id":"a","mfaDetail":null}`, `{"id":"a","mfaDetail":true}`},
		{`{"id":"a","authenticationDetails":null}`, `{"id":"a","authenticationDetails":0}`},
		{`{"signInEventTypes":[null,"a"]}`, `{"signInEventTypes":[1,"a"]}`},
		{`{"status":{"errorCode":0}}`, `{"status":{"errorCode":1e3}}`},
		{`{"status":{"errorCode":0}}`, `{"status":{"errorCode":01}}`},
		{`{"status":{"errorCode":0}}`, `{"status":{"errorcode":5}}`},
		{`{"deviceDetail":{"isCompliant":true}}`, `{"deviceDetail":{"isCompliant":1}}`},
		{`{"deviceDetail":null}`, `{"deviceDetail":true}`},
		{`{"x":0}`, `{"x":nul}`},
		{`{"x":"a"}`, `{"id":"a"}`},
		{`{"x":"a"}`, `{ "id" : "a" }`},
		{`{"location":"US"}`, `{"location":"{\"countryOrRegion\":\"DE\"}"}`},
		{`{"properties":{"location":"US"}}`, `{"properties":{"location":"{}"}}`},
		{`{"id":"abc","userId":"d"}`, `{"id":"\u0061","userId":"\ud800"}`},
		{`{"id":"abc","userId":"d"}`, "{\"id\":\"\xff\",\"userId\":\"\u00e9\"}"},
		{`{"resultType":"0","category":"SignInLogs"}`, `{"resultType":"Failure","category":"SignInLogs"}`},
	} {
		for _, suffix := range []string{`,"category":"SignInLogs","time":"2024-05-01T00:00:00Z"}`, `}`} {
			var d Decoder
			first, second := strings.TrimSuffix(pair[0], "}")+suffix, strings.TrimSuffix(pair[1], "}")+suffix
			for _, raw := range []string{first, second, first, second} {
				agree(t, &d, []byte(raw))
			}
			d = Decoder{makes: makes{eager: true}}
			for _, raw := range []string{first, second, first, second, first, second} {
				agree(t, &d, slacked([]byte(raw)))
			}
		}
	}
}

func TestSameKey(t *testing.T) {
	t.Parallel()
	for n := range 48 {
		a := []byte(strings.Repeat("abcdefgh", 6)[:n])
		b := slices.Clone(a)
		if !sameKey(string(a), string(b)) || sameKey(string(a), string(a)+"x") {
			t.Fatalf("length %d", n)
		}
		for i := range b {
			b[i] ^= 0x20
			if sameKey(string(a), string(b)) {
				t.Fatalf("length %d: byte %d does not count", n, i)
			}
			b[i] = a[i]
		}
	}
}

// Every bit of every byte of a key counts when a template is compared, for keys
// of all lengths.
func TestTemplateComparesWholeKeys(t *testing.T) {
	t.Parallel()
	for n := 1; n < 44; n++ {
		key := strings.Repeat("abcDefghijkMnopqrstuv", 3)[:n]
		raw := []byte(`{"id":"a","` + key + `":"b","z":1}`)
		var d Decoder
		var e signin.Event
		if _, ok := d.fast(raw, &e); !ok || len(d.templates.list) != 1 {
			t.Fatalf("%s was not learnt", raw)
		}
		learnt := d.templates.list[0]
		if !learnt.sameKeys(&d.x) {
			t.Fatalf("%s differs from itself", raw)
		}
		for at := range n {
			for c := byte(' '); c < 0x7f; c++ {
				i := len(`{"id":"a","`) + at
				if old := raw[i]; c != old && c != '"' && c != '\\' {
					raw[i] = c
					if !d.x.Scan(raw) || learnt.sameKeys(&d.x) {
						t.Fatalf("%s: byte %d does not count", raw, at)
					}
					raw[i] = old
				}
			}
		}
	}
}

func TestClocksAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	fast := 0
	for range 200000 {
		s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", 1890+r.IntN(300), r.IntN(14), r.IntN(32), r.IntN(25), r.IntN(61), r.IntN(61))
		if n := r.IntN(10); n > 0 {
			s += "." + strings.Repeat("0123456789"[r.IntN(10):][:1], n)
		}
		s += "Z"
		if r.IntN(5) == 0 {
			b := []byte(s)
			b[r.IntN(len(b))] = "0Z:-T. x"[r.IntN(8)]
			s = string(b)
		}
		got, ok := utcClock(s)
		if !ok {
			continue
		}
		fast++
		if want, ok := lenient.ParseTime(s); !ok || !want.Equal(got) || want != got {
			t.Fatalf("%q: %v, want %v %v", s, got, want, ok)
		}
	}
	if fast < 50000 {
		t.Errorf("only %d clocks read fast", fast)
	}
}

// FuzzDecode: on any bytes the fast decoder agrees with the slow one, or
// leaves the record to it.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 40 {
		a, b := signintest.RandomRecord(r), signintest.RandomRecord(r)
		f.Add(a, b)
		c := bytes.Clone(a) // the same structure, one byte different
		c[r.IntN(len(c))] = "xA\"0,"[r.IntN(5)]
		f.Add(a, c)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		// A decoder learns from a what b is then read by, and the other way round:
		// each pair starts afresh, so that a failure can be repeated.
		var d Decoder
		d.makes.eager = len(a)&1 == 0
		for _, raw := range [][]byte{slacked(a), b, a, slacked(b), a, slacked(b)} {
			agree(t, &d, raw)
			var e, o signin.Event
			shape, err := d.Decode(raw, &e)
			wantShape, wantErr := DecodeEvent(raw, &o)
			if shape != wantShape || (err == nil) != (wantErr == nil) ||
				(err == nil) != (json.Valid(raw) && strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "{")) {
				t.Fatalf("%q after %q: %v %v, want %v %v", raw, a, shape, err, wantShape, wantErr)
			}
		}
	})
}

// TestTemplateSeesEveryBit: a record that differs from a learnt one in a single
// bit, in a key or anywhere else, is read as the oracle reads it.
func TestTemplateSeesEveryBit(t *testing.T) {
	t.Parallel()
	const record = `{"id":"a1","createdDateTime":"2026-11-19T10:00:00Z","userId":"u","appId":"app","category":"SignInLogs","status":{"errorCode":0,"failureReason":"x"},"isInteractive":true,"authenticationRequirement":"singleFactorAuthentication","conditionalAccessStatus":"success","authenticationDetails":[{"authenticationMethod":"Password","authenticationStepRequirement":"Primary authentication","succeeded":true}],"appliedConditionalAccessPolicies":[{"displayName":"p","result":"success","enforcedGrantControls":["Mfa"]}]}`
	for _, eager := range []bool{false, true} {
		var d Decoder
		d.makes.eager = eager
		if !agree(t, &d, []byte(record)) {
			t.Fatal("the record is not read fast")
		}
		seesEveryBit(t, &d, record)
		if eager && d.makes.fitted < 100 {
			t.Errorf("only %d records fitted a make", d.makes.fitted)
		}
	}
}

func seesEveryBit(t *testing.T, d *Decoder, record string) {
	t.Helper()
	for i := range len(record) {
		for bit := range 8 {
			raw := slacked([]byte(record))
			raw[i] ^= 1 << bit
			var got, want signin.Event
			shape, err := d.Decode(raw, &got)
			wantShape, wantErr := DecodeEvent(raw, &want)
			if shape != wantShape || (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(signintest.Clone(&got), signintest.Clone(&want)) {
				t.Fatalf("bit %d of byte %d (%q): %v %v, want %v %v\n%s", bit, i, raw[max(0, i-12):min(len(raw), i+12)], shape, err, wantShape, wantErr,
					cmp.Diff(want, got))
			}
		}
	}
}

// Random records draw from every key that the fast decoder reads.
func TestRandomRecordsHaveEveryKey(t *testing.T) {
	t.Parallel()
	n := 0
	for k, f := range eventKeys {
		if f < fieldTime || f >= firstText {
			n++
			if !slices.Contains(signintest.EventKeys, k) {
				t.Errorf("no random record has %s", k)
			}
		}
	}
	if n != len(signintest.EventKeys) {
		t.Errorf("%d keys, random records draw from %d", n, len(signintest.EventKeys))
	}
}
