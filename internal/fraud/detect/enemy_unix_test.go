//go:build unix

package detect_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"partnerguard/internal/fraud/detect"
)

// Amounts and times that are none are told, and not read for nothing or for a life of the world.
func TestDamagedUse(t *testing.T) {
	t.Parallel()
	const head = `{"usageDate":"2026-10-01","subscriptionId":"s","meterId":"m",`
	for name, row := range map[string]string{
		"NaN":                    head + `"quantity":"NaN"}`,
		"infinite":               head + `"quantity":1,"cost":"-Infinity"}`,
		"beyond all numbers":     head + `"quantity":1e999}`,
		"over all other numbers": head + `"quantity":1,"unitPrice":1e30}`,
		"the year 1":             `{"usageDate":"0001-01-01","subscriptionId":"s","meterId":"m","quantity":1}`,
		"the year 9999":          `{"usageDate":"9999-12-31T00:00:00Z","subscriptionId":"s","meterId":"m","quantity":1}`,
	} {
		if u, err := detect.ParseUsage([]byte(row)); err == nil {
			t.Errorf("%s: %+v", name, u)
		}
	}
	u, err := detect.ParseUsage([]byte(head + `"quantity":1,"ratedDate":"9999-12-31"}`))
	if err != nil || !u.Rated.IsZero() {
		t.Errorf("rated at the end of time: %v, %v", u.Rated, err)
	}
}

// What a caller writes into what it asks for neither makes a failure of what succeeded, nor
// another region of where it is.
func TestCallersWords(t *testing.T) {
	t.Parallel()
	row := func(status, props string) string {
		return `{"eventTimestamp":"2026-10-01T05:00:00Z","operationName":{"value":"Microsoft.Compute/virtualMachines/write"},` +
			`"status":{"value":"` + status + `"},"caller":"x@y","subscriptionId":"s","properties":` + props + `}`
	}
	for _, c := range []struct{ name, row, status, region string }{
		{"a code in the request", row("Accepted", `{"requestbody":"{\"location\":\"brazilsouth\",\"code\":\"QuotaExceeded\",\"message\":\"quota\"}"}`),
			"Accepted", "brazilsouth"},
		{"a code in what was made", row("Succeeded", `{"responseBody":"{\"location\":\"brazilsouth\",\"properties\":{\"code\":\"QuotaExceeded\"}}"}`),
			"Succeeded", "brazilsouth"},
		{"a place of a part", row("Succeeded", `{"requestbody":"{\"location\":\"brazilsouth\",\"zz\":{\"location\":\"westeurope\"}}"}`),
			"Succeeded", "brazilsouth"},
		{"what Azure says", row("Failed", `{"statusMessage":"{\"error\":{\"code\":\"QuotaExceeded\"}}"}`), "Failed", ""},
	} {
		e, err := detect.ParseEvent([]byte(c.row))
		if err != nil || e.Status != c.status || e.Region != c.region {
			t.Errorf("%s: %q in %q, %v", c.name, e.Status, e.Region, err)
		}
	}
	if e, _ := detect.ParseEvent([]byte(row("Failed", `{"statusMessage":"{\"error\":{\"code\":\"QuotaExceeded\"}}"}`))); !strings.Contains(e.Code, "Quota") {
		t.Errorf("why it failed: %q", e.Code)
	}
}

// Envelopes in envelopes cost no more than their bytes.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	row := `{"time":"2026-10-01T05:00:00Z"}`
	const deep = 4000
	row = strings.Repeat(`{"category":"AuditLogs","properties":`, deep) + row + strings.Repeat("}", deep)
	begun := time.Now()
	_, _ = detect.ParseEvent([]byte(row))
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("%s for %d bytes", d, len(row))
	}
}

// What lies among use and logs and is not read is named: silence is no answer.
func TestNotRead(t *testing.T) {
	t.Parallel()
	r := read(t, fstest.MapFS{"usage/a.csv": {}, "activity/b.parquet": {}, "usage/.hidden": {}, "readme.md": {},
		"customers.json": {Data: []byte(`[{"id":"c"}]`)}}, detect.Options{})
	named := map[string]bool{}
	for _, f := range r.Read.Files {
		named[f.Path] = f.Note != ""
	}
	if len(named) != 3 || !named["usage/a.csv"] || !named["activity/b.parquet"] || named["customers.json"] {
		t.Errorf("%v", named)
	}
}

// A pipe that nobody writes to does not hold the reading up.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/usage", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(dir+"/usage/x.jsonl", 0o600); err != nil {
		t.Fatal(err)
	}
	r := &detect.Reader{D: detect.New(detect.Options{})}
	ended := make(chan error, 1)
	go func() { ended <- r.FS(t.Context(), os.DirFS(dir)) }()
	select {
	case err := <-ended:
		if err != nil || len(r.Read.Files) != 1 || r.Read.Files[0].Note == "" {
			t.Errorf("%v %+v", err, r.Read.Files)
		}
	case <-time.After(time.Minute):
		t.Fatal("it waits for a writer")
	}
}
