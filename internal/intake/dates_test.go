package intake

import (
	"io/fs"
	"partnerguard/internal/evidence"
	"testing"
	"testing/fstest"
	"time"
)

// The moments of an archive's export date the files beside and below it, and no
// others; what a file says of itself counts where it is earlier.
func TestMomentsOfAnArchive(t *testing.T) {
	t.Parallel()
	const users = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"id":"1","userPrincipalName":"a@b.c","userType":"Member"}]}`
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	moments := `{"archiveView":"partnerguard","tenant":"t","position":"1","files":{"users.json":{"at":"2026-11-01T06:00:00Z"},` +
		`"logs/a.json":{"at":"2026-11-02T06:00:00Z"},"later.json":{"at":"2036-11-02T06:00:00Z"},"../up.json":{"at":"2026-11-03T06:00:00Z"}},"lists":[]}`
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"in/archive-view.json": moments, "in/users.json": users, "in/logs/a.json": users, "in/later.json": users, "up.json": users,
		"other/users.json": users, "renamed/view.json": moments, "renamed/users.json": users,
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	inputs, err := ReadFS(t.Context(), Options{Now: now}, files, "x:", &strictSink{t: t})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"x:in/users.json": "2026-11-01", "x:in/logs/a.json": "2026-11-02"}
	for _, in := range inputs {
		got := ""
		if in.Times.Stated != nil {
			got = in.Times.Stated.Format(time.DateOnly)
		}
		if got != want[in.Path] {
			t.Errorf("%s: %q, not %q", in.Path, got, want[in.Path])
		}
	}
	at := now.AddDate(0, 0, -9)
	inputs, err = Read(t.Context(), Options{Now: now, Mounts: map[string]fs.FS{"archive:": files}, Dated: func(path string) time.Time {
		if path == "archive:in/users.json" || path == "archive:up.json" {
			return at
		}
		return time.Time{}
	}}, []string{"archive:", "archive:"}, &strictSink{t: t})
	if err != nil || len(inputs) != len(files) {
		t.Fatal(len(inputs), err)
	}
	for _, in := range inputs {
		earlier := now.AddDate(0, 0, -20).Add(6 * time.Hour)
		if in.Path == "archive:up.json" && !in.Times.Stated.Equal(at) || in.Path == "archive:in/users.json" && !in.Times.Stated.Equal(earlier) {
			t.Errorf("%s: %v", in.Path, in.Times.Stated)
		}
	}
}

// What an export of the archive says was never read makes the list not whole, though
// the file beside it is.
func TestGapsOfAnArchive(t *testing.T) {
	t.Parallel()
	const users = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"id":"1","userPrincipalName":"a@b.c","userType":"Member"}]}`
	files := fstest.MapFS{"in/users.json": {Data: []byte(users)}, "in/gaps/users.json": {Data: []byte(
		`{"archiveGaps":[{"kind":"user","why":"lacks what belongs to x","request":"GET /users","source":{"path":"x"}},7,{"kind":7}]}`)}}
	inputs, err := ReadFS(t.Context(), Options{Now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}, files, "x:", &strictSink{t: t})
	if err != nil || len(inputs) != 2 {
		t.Fatal(inputs, err)
	}
	in := inputs[0]
	if in.Path != "x:in/gaps/users.json" || in.Status != evidence.Read || len(in.Cuts) == 0 ||
		in.Cuts[0] != (evidence.Cut{Kind: evidence.User, Why: "lacks what belongs to x", Request: "GET /users", Source: evidence.Source{Path: in.Path}}) {
		t.Errorf("%+v", in)
	}
}
