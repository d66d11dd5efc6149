package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// packs are those that earlier versions of partnerguard made.
const packs = "../internal/pack/testdata/packs"

func trusted(t testing.TB, path string) Trust {
	t.Helper()
	beside := strings.TrimSuffix(path, ".zip")
	read := func(end string) string {
		raw, err := os.ReadFile(beside + end)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(raw))
	}
	trust, err := trustOf(read(".key"), []string{read(".witness")}, beside+".pem")
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// TestPacks verifies each, and finds every byte of it to matter that is tried.
func TestPacks(t *testing.T) {
	t.Parallel()
	list, err := filepath.Glob(packs + "/*.zip")
	if err != nil || len(list) < 4 {
		t.Fatal(list, err)
	}
	for _, path := range list {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			trust := trusted(t, path)
			v := Verify(bytes.NewReader(raw), int64(len(raw)), trust)
			if len(v.Faults) > 0 || !v.Pinned || !v.Trusted || v.Witnessed != 4 || v.Unchecked != 0 {
				t.Fatalf("%+v", v)
			}
			if v := Verify(bytes.NewReader(raw), int64(len(raw)), Trust{}); len(v.Faults) > 0 || v.Pinned || v.Trusted || v.Unchecked != 4 {
				t.Errorf("without anything to check by: %+v", v)
			}
			step := max(1, len(raw)/400)
			for i := int(time.Now().UnixNano() % int64(step)); i < len(raw); i += step {
				b := bytes.Clone(raw)
				b[i] ^= 1 << (i % 8)
				if v := Verify(bytes.NewReader(b), int64(len(b)), trust); len(v.Faults) == 0 {
					t.Errorf("byte %d does not matter", i)
				}
			}
		})
	}
}

// TestOtherKey refuses a pack by the key of another.
func TestOtherKey(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(packs + "/v1-all.zip")
	if err != nil {
		t.Fatal(err)
	}
	v := Verify(bytes.NewReader(raw), int64(len(raw)), trusted(t, packs+"/v1-none.zip"))
	if len(v.Faults) == 0 || v.Faults[0].Check != "key" {
		t.Errorf("%+v", v.Faults)
	}
}

// TestConsistent holds the algorithm of RFC 9162 to trees of up to 40 leaves.
func TestConsistent(t *testing.T) {
	t.Parallel()
	var leaves []hash
	for i := range 40 {
		leaves = append(leaves, leafHash([]byte{byte(i)}))
	}
	for n := 2; n <= len(leaves); n++ {
		for m := 1; m < n; m++ {
			p := prove(m, leaves[:n], true)
			a, b := rootOf(leaves[:m]), rootOf(leaves[:n])
			if !consistent(int64(m), int64(n), a, b, p) {
				t.Fatalf("%d of %d does not hold", m, n)
			}
			if consistent(int64(m), int64(n), b, a, p) || consistent(int64(m), int64(n), a, b, append(p, a)) ||
				len(p) > 0 && consistent(int64(m), int64(n), a, b, p[1:]) {
				t.Errorf("%d of %d holds with another proof or other roots", m, n)
			}
		}
	}
}

// prove is SUBPROOF of RFC 9162 section 2.1.4.1.
func prove(m int, leaves []hash, whole bool) []hash {
	n := len(leaves)
	if m == n {
		if whole {
			return nil
		}
		return []hash{rootOf(leaves)}
	}
	k := int(split(int64(n)))
	if m <= k {
		return append(prove(m, leaves[:k], whole), rootOf(leaves[k:]))
	}
	return append(prove(m-k, leaves[k:], false), rootOf(leaves[:k]))
}

// FuzzVerify reads what comes from anywhere.
func FuzzVerify(f *testing.F) {
	list, _ := filepath.Glob(packs + "/v1-none.zip")
	for _, path := range list {
		raw, _ := os.ReadFile(path)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		Verify(bytes.NewReader(b), int64(len(b)), Trust{}).tell(&out)
	})
}

// FuzzStamp reads tokens that come from anywhere.
func FuzzStamp(f *testing.F) {
	if raw, err := os.ReadFile(packs + "/v1-none.zip"); err == nil {
		if a, err := openZip(bytes.NewReader(raw), int64(len(raw))); err == nil {
			if token, err := a.whole("pack.tsr", 64<<10); err == nil {
				f.Add(token)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { _, _, _ = stamped(b, []byte("data"), nil) })
}
