package read

import (
	"strings"
	"testing"

	"partnerguard/internal/signin"
	"partnerguard/internal/signin/signintest"
)

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
	for folder, list := range signintest.SharedRecords(t) {
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
	for folder, list := range signintest.SharedRecords(t) {
		for i, raw := range list {
			var e signin.Event
			shape, err := DecodeEvent(raw, &e)
			if shape == ShapeNone {
				continue
			}
			if err != nil || folder != "elastic-integrations" && (e.Created.IsZero() || !e.HasStatus && folder != "graph-docs-examples" ||
				e.IPAddress == "" && !strings.HasPrefix(folder, "panther")) {
				t.Errorf("%s[%d]: %v %v %+v", folder, i, shape, err, e)
			}
		}
	}
}
