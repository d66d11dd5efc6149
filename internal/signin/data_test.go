package signin

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var sharedData = filepath.Join("..", "..", "..", "shared", "data")

// sharedRecords reads every sign-in record of the shared data, unwrapped from
// the test files that hold it, by name of the folder.
func sharedRecords(t testing.TB) map[string][][]byte {
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

// What is a sign-in in the shared data, by folder: recognised of all.
func TestRecogniseSharedData(t *testing.T) {
	t.Parallel()
	want := map[string][2]int{
		"sentinel-training-lab/sign-in_adelete.csv": {56, 56},
		"sentinel-training-lab/signinLogs.csv":      {0, 1}, // an alert
		"panther-analysis":                          {21, 21},
		"sekoia-azure-ad":                           {5, 5},
		"sekoia-entraid-graphapi":                   {1, 1},
		"elastic-integrations":                      {19, 19},
		"graph-docs-examples":                       {1, 1},
		"graph-docs-examples/malformed":             {0, 5},
		"cipp-shapes":                               {0, 5},
		"zerotrustassessment":                       {0, 2},
	}
	got := make(map[string][2]int)
	for folder, list := range sharedRecords(t) {
		n := got[folder]
		for _, raw := range list {
			n[1]++
			if Recognise(raw) {
				n[0]++
			}
		}
		got[folder] = n
	}
	for folder, w := range want {
		if got[folder] != w {
			t.Errorf("%s: recognised %v, want %v", folder, got[folder], w)
		}
	}
	for folder := range got {
		if _, ok := want[folder]; !ok {
			t.Errorf("%s: unexpected folder, %v", folder, got[folder])
		}
	}
}

// The numbers of the shared README, over the same records.
func TestDecodeSharedData(t *testing.T) {
	t.Parallel()
	for folder, list := range sharedRecords(t) {
		for i, raw := range list {
			var e Event
			shape, err := DecodeEvent(raw, &e)
			if shape == ShapeNone {
				continue
			}
			if err != nil || folder != "elastic-integrations" && (e.Created.IsZero() || !e.HasStatus && folder != "graph-docs-examples" || e.IPAddress == "" && !strings.HasPrefix(folder, "panther")) {
				t.Errorf("%s[%d]: %v %v %+v", folder, i, shape, err, e)
			}
		}
	}
}
