package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"partnerguard/internal/cli"
	"partnerguard/internal/page/paper"
)

// TestSampleOnPaper: the sample's report is at most six pages, so that somebody
// reads it.
func TestSampleOnPaper(t *testing.T) {
	t.Parallel()
	if _, err := paper.Browser(""); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOTHING WAS PRINTED: ", err)
	}
	out := filepath.Join(t.TempDir(), "report.pdf")
	var stdout, stderr bytes.Buffer
	exit := cli.Main(context.Background(), cli.Env{Args: []string{"assess", "--output", "pdf", "--out", out}, Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Now: time.Now})
	pdf, err := os.ReadFile(out)
	if exit != 3 || err != nil {
		t.Fatalf("exit %d, %v: %s", exit, err, &stderr)
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page[^s]`).FindAll(pdf, -1)); n < 2 || n > 6 {
		t.Errorf("%d pages", n)
	}
}
