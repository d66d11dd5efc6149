package facts_test

import (
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// TestAuditRows: rows of the audit log that are odd cost nothing else, and those that
// may be about an app password and cannot be told leave the list open.
func TestAuditRows(t *testing.T) {
	t.Parallel()
	const create = `"activityDisplayName":"Create application password for user"`
	for name, c := range map[string]struct {
		raw   string
		acts  int
		whole bool
	}{
		"another activity":          {`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z","activityDisplayName":"Add user"}`, 0, true},
		"made":                      {`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z",` + create + `}`, 1, true},
		"no time":                   {`{"id":"a",` + create + `}`, 0, false},
		"no id":                     {`{"activityDateTime":"2026-11-01T00:00:00Z",` + create + `}`, 0, false},
		"a time of no day":          {`{"id":"a","activityDateTime":"soon",` + create + `}`, 0, false},
		"targets of no form":        {`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z",` + create + `,"targetResources":7}`, 1, true},
		"null everywhere":           {`{"id":null,"activityDateTime":null,"activityDisplayName":null,"initiatedBy":null,"targetResources":null}`, 0, true},
		"an initiator that is none": {`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z",` + create + `,"initiatedBy":[1]}`, 1, false},
		"no object":                 {`[]`, 0, false},
		"neither made nor deleted":  {`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z","activityDisplayName":"Look at app password"}`, 0, true},
	} {
		f := build(t, map[evidence.Kind][]string{evidence.DirectoryAudit: {c.raw}})
		if len(f.Directory.AppPasswordActs) != c.acts || f.Whole(evidence.DirectoryAudit) != c.whole {
			t.Errorf("%s: %+v, whole %v", name, f.Directory.AppPasswordActs, f.Whole(evidence.DirectoryAudit))
		}
	}
}

func FuzzAuditRow(f *testing.F) {
	f.Add([]byte(`{"id":"a","activityDateTime":"2026-11-01T00:00:00Z","activityDisplayName":"Delete application password for user",
		"initiatedBy":{"app":{"displayName":"x"}},"targetResources":[{"id":"u","type":"User"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x := facts.New()
		if err := x.Take(evidence.DirectoryAudit, raw, evidence.Source{Path: "x"}); err != nil {
			t.Fatalf("a row of the audit log stops the reading: %v", err)
		}
		for id, a := range x.Directory.AppPasswordActs {
			if id == "" || a.ID == "" || a.At.IsZero() {
				t.Fatalf("%+v", a)
			}
		}
	})
}
