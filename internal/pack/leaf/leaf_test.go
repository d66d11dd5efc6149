package leaf_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/pack/leaf"
)

// stored is a tree in memory.
type stored []tlog.Hash

func (s stored) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, n := range at {
		out = append(out, s[n])
	}
	return out, nil
}

func grow(t *testing.T, n int64) (s stored, leaves []tlog.Hash) {
	t.Helper()
	for i := range n {
		h := tlog.RecordHash([]byte{byte(i), byte(i >> 8)})
		more, err := tlog.StoredHashesForRecordHash(i, h, s)
		if err != nil {
			t.Fatal(err)
		}
		s, leaves = append(s, more...), append(leaves, h)
	}
	return s, leaves
}

// TestFold proves every set of leaves of small trees, and some of larger ones, and sees
// each proof refused with a hash changed, taken away or added, and with another leaf.
func TestFold(t *testing.T) {
	t.Parallel()
	try := func(size int64, set []int64) {
		s, leaves := grow(t, size)
		want, err := tlog.TreeHash(size, s)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := leaf.Prove(size, set, s)
		if err != nil {
			t.Fatalf("%d %v: %v", size, set, err)
		}
		of := func(i int) leaf.Hash { return leaves[set[i]] }
		if got, err := leaf.Fold(size, set, of, proof); err != nil || got != want {
			t.Fatalf("%d %v: %v", size, set, err)
		}
		for i := range proof {
			bad := append([]leaf.Hash{}, proof...)
			bad[i][3] ^= 1
			if got, err := leaf.Fold(size, set, of, bad); err == nil && got == want {
				t.Errorf("%d %v: hash %d does not matter", size, set, i)
			}
			if got, err := leaf.Fold(size, set, of, append(bad[:i:i], proof[i+1:]...)); err == nil && got == want {
				t.Errorf("%d %v: without hash %d it holds", size, set, i)
			}
		}
		if _, err := leaf.Fold(size, set, of, append(proof, leaf.Hash{})); err == nil {
			t.Errorf("%d %v: a hash more does not matter", size, set)
		}
		if got, err := leaf.Fold(size, set, func(int) leaf.Hash { return leaf.Hash{} }, proof); err == nil && got == want {
			t.Errorf("%d %v: the leaves do not matter", size, set)
		}
	}
	for size := int64(1); size <= 9; size++ {
		for bits := 1; bits < 1<<size; bits++ {
			var set []int64
			for i := range size {
				if bits>>i&1 == 1 {
					set = append(set, i)
				}
			}
			try(size, set)
		}
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // of a test
	for range 30 {
		size := 1 + r.Int64N(300)
		var set []int64
		for i := range size {
			if r.IntN(20) == 0 || i == size-1 {
				set = append(set, i)
			}
		}
		try(size, set)
	}
	for _, set := range [][]int64{nil, {1, 1}, {2, 1}, {-1}, {4}} {
		if _, err := leaf.Fold(4, set, func(int) leaf.Hash { return leaf.Hash{} }, nil); err == nil {
			t.Errorf("%v is no set of a tree of 4", set)
		}
	}
}

func cut(t *testing.T, body string) (out [][]leaf.Scalar, err error) {
	t.Helper()
	err = leaf.Cut([]byte(body), func(s []leaf.Scalar) error { out = append(out, append([]leaf.Scalar{}, s...)); return nil })
	return out, err
}

// rejoin cuts a page, salts it, writes and reads its records, and joins them.
func rejoin(t *testing.T, body string, rule *leaf.Rule) string {
	t.Helper()
	all, err := cut(t, body)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	s := leaf.NewSalter([]byte("key"), "segment")
	p := leaf.NewPseudonyms([]byte("pack"))
	var records []*leaf.Record
	var made, read leaf.Counts
	for n, scalars := range all {
		r := s.Salt(7, n, scalars)
		root := r.Root
		if s.Root(7, n, scalars) != root {
			t.Fatalf("%s: record %d has two roots", body, n)
		}
		if rule != nil {
			rule.Redact(r, false, p, &made)
		}
		line := bytes.TrimSuffix(r.Append(nil), []byte{'\n'})
		back, err := leaf.Parse(line)
		if err != nil || back.Root != root {
			t.Fatalf("%s: record %d: %s: %v", body, n, line, err)
		}
		if rule != nil {
			if err := rule.Check(back, false, &read); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
		records = append(records, back)
	}
	if made != read {
		t.Errorf("%s: made with %+v, read with %+v", body, made, read)
	}
	out, err := leaf.Join(records[0], records[1:])
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return string(out)
}

// TestJoined cuts what services answer and gets the same value back.
func TestJoined(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `[]`, `null`, `"text"`, `12.50`, `{"value":[]}`, `{"value":[{}]}`, `{"value":[[],[1,[2,{}]]]}`,
		`{"@odata.context":"x","value":[{"id":"a","b":{"c":[1,2,{"d":null}],"e":{}}},{"id":"b"}],"@odata.nextLink":"y"}`,
		`{"items":[{"id":1}],"value":[{"id":2}],"totalCount":1}`, `{"value":"none","items":[1,2]}`,
		`[{"a/b":1,"c~d":2,"e#f":3,"":4}]`, `{"a":{"b":{"c":1},"d":2},"e":[[[3]]]}`, `{"ü":"\u00e4\n","x":1e400}`,
		"\ufeff {\"totalCount\":1,\r\n\"items\":[ {\"id\" : 1 } ] } ",
	} {
		var want, got any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(strings.ReplaceAll(body, "1e400", "0"), "\ufeff")), &want); err != nil {
			t.Fatal(body, err)
		}
		back := rejoin(t, body, nil)
		if err := json.Unmarshal([]byte(strings.ReplaceAll(back, "1e400", "0")), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %s (%v)", body, back, err)
		}
	}
	for _, body := range []string{`{"a":1,"a":2}`, `{"value":[{"a":1,"a":2}]}`, `{`, ``, `{} {}`, "a,b\n1,2\n", `{"a":"` + "\xff" + `"}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200)} {
		if _, err := cut(t, body); err == nil {
			t.Errorf("%.40q was cut", body)
		}
	}
}

// TestRedaction leaves out by member and by look, and nothing of it is in the line.
func TestRedaction(t *testing.T) {
	t.Parallel()
	body := `{"value":[{"id":"0b1c","userPrincipalName":"Adele@contoso.example","displayName":"Adele","accountEnabled":true,"mail":null,"otherMails":[],
		"businessPhones":["+49 1"],"ipAddress":"203.0.113.7","location":{"city":"Ulm","countryOrRegion":"DE","geoCoordinates":{"latitude":48.1}},
		"note":"ask adele@contoso.example","more":"\"newValue\":\"198.51.100.9\"","v6":"2001:db8::1","time":"12:30:00","version":"10.0.19045",
		"principalDisplayName":"Adele Vance","modifiedProperties":[{"displayName":"DisplayName","oldValue":"[\"Adele\"]","newValue":"[\"Adele Vance\"]"}]}]}`
	out := rejoin(t, body, &leaf.Rule{Names: true, Addresses: true})
	for _, secret := range []string{"dele", "+49", "203.0", "Ulm", "48.1", "198.51", "db8"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is in %s", secret, out)
		}
	}
	for _, kept := range []string{`"0b1c"`, `"accountEnabled":true`, `"mail":null`, `"otherMails":[]`, `"DE"`, `"12:30:00"`, `"10.0.19045"`} {
		if !strings.Contains(out, kept) {
			t.Errorf("%s is not in %s", kept, out)
		}
	}
	if out := rejoin(t, body, &leaf.Rule{Names: true, Keep: map[string]bool{"displayname": true}}); !strings.Contains(out, `"Adele"`) ||
		!strings.Contains(out, "203.0.113.7") || strings.Contains(out, "Adele@") {
		t.Errorf("kept: %s", out)
	}
	p := leaf.NewPseudonyms([]byte("k"))
	if a, b := p.Of("/mail", []byte(`"A"`), leaf.ByMember), p.Of("/mail", []byte(`"\u0061"`), leaf.ByMember); !bytes.Equal(a, b) {
		t.Errorf("%s and %s are of one value", a, b)
	}
}

// TestRedactionKeepsKinds keeps of a name what it says of the kind of its account, and of a
// sentence nothing; what Microsoft calls the agents' groups in every tenant is shown.
func TestRedactionKeepsKinds(t *testing.T) {
	t.Parallel()
	body := `{"value":[{"displayName":"AdminAgents"},{"userPrincipalName":"svc-crm@contoso.example","description":"emergency access of Adele"},` +
		`{"userPrincipalName":"bg.two_fabrikam.example#EXT#@contoso.example","displayName":"AdminAgents of Adele"}]}`
	out := rejoin(t, body, &leaf.Rule{Names: true})
	form := `{"displayName":"AdminAgents"},\s*{"userPrincipalName":"redacted-[0-9a-f]{16}-service","description":"redacted-[0-9a-f]{16}"},\s*` +
		`{"userPrincipalName":"redacted-[0-9a-f]{16}-bg#EXT#","displayName":"redacted-[0-9a-f]{16}"}`
	if !regexp.MustCompile(form).MatchString(out) {
		t.Errorf("it reads %s", out)
	}
}

// TestRedactionOfShapes leaves out what stands within a member that the rule names, what
// approvers are described by, and records with members that are named after somebody.
func TestRedactionOfShapes(t *testing.T) {
	t.Parallel()
	body := `{"@odata.context":"x","value":[
		{"id":"r1",
			"setting":{"approvalStages":[{"primaryApprovers":[{"@odata.type":"#microsoft.graph.singleUser","userId":"7","description":"Adele Vance"}]}]}},
		{"id":"r2","emailAddress":{"name":"Adele Vance","address":"adele@contoso.example"},"justification":"Adele is ill","deviceName":"ADELE-PC"},
		{"id":"r3","byUser":{"adele@contoso.example":{"count":1}}},
		{"id":"r4","byAddress":{"203.0.113.7":1}},
		{"id":"r5","location":"Ulm","members@odata.count":3,"assigned@microsoft.graph.tips":"none"}]}`
	out := rejoin(t, body, &leaf.Rule{Names: true, Addresses: true})
	for _, secret := range []string{"dele", "ADELE", "203.0", "Ulm", "r3", "r4"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is in %s", secret, out)
		}
	}
	for _, kept := range []string{`"r1"`, `"userId":"7"`, `"r2"`, `"members@odata.count":3`, `"assigned@microsoft.graph.tips":"none"`} {
		if !strings.Contains(out, kept) {
			t.Errorf("%s is not in %s", kept, out)
		}
	}
	kept := &leaf.Rule{Names: true, Keep: map[string]bool{"emailaddress": true}}
	if out := rejoin(t, body, kept); !strings.Contains(out, `"name":"Adele Vance"`) || kept.Member("/a/emailAddress/name") != "" {
		t.Errorf("kept: %s", out)
	}
	if m := (&leaf.Rule{Names: true}).Member("/a/emailAddress#0/name"); m != "emailaddress" {
		t.Errorf("it is left out by %q", m)
	}
}

// TestLines refuses lines that are another way of writing a record.
func TestLines(t *testing.T) {
	t.Parallel()
	s := leaf.NewSalter([]byte("key"), "s")
	good := strings.TrimSpace(string(s.Salt(0, 0, []leaf.Scalar{{Path: "/a", Raw: []byte("1")}}).Append(nil)))
	if _, err := leaf.Parse([]byte(good)); err != nil {
		t.Fatal(good, err)
	}
	for _, bad := range []string{"", "[]", "{}", "1", `"x"`, good + " ", " " + good, strings.Replace(good, "/a", `\u002fa`, 1),
		strings.Replace(good, ",1", ", 1", 1),
		strings.Replace(good, ",1", ",{\"b\":1}", 1), strings.Replace(good, "==", "=", 1), good + good, `[["/a",null,1,"x"]]`, `[["/a",null,"x"]]`} {
		if _, err := leaf.Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`[["/a","AAAAAAAAAAAAAAAAAAAAAA==",1]]`))
	f.Add([]byte(`"` + strings.Repeat("0", 64) + `"`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := leaf.Parse(line)
		if err != nil {
			return
		}
		if got := bytes.TrimSuffix(r.Append(nil), []byte{'\n'}); !bytes.Equal(got, line) {
			t.Fatalf("%q was read, and is written %q", line, got)
		}
		_, _ = leaf.Join(r, []*leaf.Record{r})
	})
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"value":[{"id":1},{"a":{"b":[1,{}]}}],"x":"y"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := leaf.NewSalter([]byte("key"), "s")
		var all []*leaf.Record
		if leaf.Cut(body, func(c []leaf.Scalar) error { all = append(all, s.Salt(0, len(all), c)); return nil }) != nil {
			return
		}
		out, err := leaf.Join(all[0], all[1:])
		if err != nil {
			t.Fatalf("%q was cut and does not come back: %v", body, err)
		}
		var again []*leaf.Record
		err = leaf.Cut(out, func(c []leaf.Scalar) error { again = append(again, s.Salt(0, len(again), c)); return nil })
		if err != nil || len(again) != len(all) {
			t.Fatalf("%q came back as %q: %v", body, out, err)
		}
		for i := range all {
			if all[i].Root != again[i].Root {
				t.Fatalf("%q came back as %q, another record %d", body, out, i)
			}
		}
	})
}
