package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTimes: what dates an input, and what must not.
func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text           string
		stated, newest string
		live           bool
	}{
		"a policy":         {`{"id":"p","displayName":"x","state":"enabled","conditions":{},"grantControls":null,"createdDateTime":"2024-02-01T00:00:00Z","modifiedDateTime":"2025-03-01T00:00:00Z"}`, "", "2025-03-01", false},
		"a promise":        {`{"id":"r","displayName":"x","duration":"P1Y","accessDetails":{},"endDateTime":"2028-01-01T00:00:00Z","activatedDateTime":"2026-01-01T00:00:00Z"}`, "", "2026-01-01", false},
		"the future":       {`{"id":"u","userPrincipalName":"a@b.c","displayName":"x","createdDateTime":"2099-01-01T00:00:00Z"}`, "", "", false},
		"a report":         {`{"id":"u","userPrincipalName":"a@b.c","isMfaRegistered":true,"methodsRegistered":[],"lastUpdatedDateTime":"2026-11-20T00:00:00Z"}`, "", "2026-11-20", true},
		"activity":         {`{"id":"u","userPrincipalName":"a@b.c","displayName":"x","signInActivity":{"lastSignInDateTime":"2026-11-01T00:00:00Z","lastSignInRequestId":"2026"}}`, "", "2026-11-01", false},
		"ScubaGear":        {`{"timestamp_zulu":"2026-05-04T17:15:48.307Z","conditional_access_policies":[]}`, "2026-05-04", "", false},
		"a plan's moment":  {`{"exportPlan":"partnerguard","exportedAt":"2026-11-20T06:00:00Z"}`, "2026-11-20", "", false},
		"a moment to come": {`{"exportPlan":"partnerguard","exportedAt":"2036-11-20T06:00:00Z"}`, "", "", false},
		"answers":          {`{"responses":[{"id":"1","status":200,"headers":{"Date":"Fri, 20 Nov 2026 06:00:00 GMT"},"body":{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[]}}]}`, "2026-11-20", "", false},
		"an older clock":   {`{"Id":"u","UserPrincipalName":"a@b.c","DisplayName":"x","CreatedDateTime":"\/Date(1613679244000)\/"}`, "", "2021-02-18", false},
	} {
		dir := t.TempDir()
		p := filepath.Join(dir, "x.json")
		write(t, p, c.text)
		written := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(p, written, written); err != nil {
			t.Fatal(err)
		}
		ins, err := Read(context.Background(), Options{Now: now}, []string{dir}, &strictSink{t: t})
		if err != nil {
			t.Fatal(err)
		}
		got := ins[0].Times
		if dayOf(got.Stated) != c.stated || dayOf(got.Newest) != c.newest || got.Live != c.live || dayOf(got.Written) != "2026-11-27" || got.Root != dir {
			t.Errorf("%s: stated %s, newest %s, live %v, written %s, root %s", name, dayOf(got.Stated), dayOf(got.Newest), got.Live,
				dayOf(got.Written), got.Root)
		}
	}
}

func dayOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.DateOnly)
}

// TestEntryTimes: a file in an archive was written when its entry says, and no
// later than the archive; the first day of the archive's calendar says nothing.
func TestEntryTimes(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, at := range map[string]time.Time{
		"old.json": time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), "never.json": time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		"later.json": time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC),
	} {
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Modified: at})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(`[{"id":"u","userPrincipalName":"a@b.c","displayName":"x"}]`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "a.zip")
	write(t, p, b.String())
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(p, at, at); err != nil {
		t.Fatal(err)
	}
	ins, err := Read(context.Background(), Options{Now: at.Add(time.Hour)}, []string{p}, &strictSink{t: t})
	if err != nil || len(ins) != 3 {
		t.Fatal(err, len(ins))
	}
	want := map[string]string{p + "!old.json": "2024-05-01", p + "!never.json": "2026-11-20", p + "!later.json": "2026-11-20"}
	for _, in := range ins {
		if got := dayOf(in.Times.Written); got != want[in.Path] {
			t.Errorf("%s: %s", in.Path, got)
		}
	}
}
