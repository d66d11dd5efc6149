package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/cli"
	"partnerguard/internal/sample"
)

// TestReadmeShowsTheOutput: what the README shows of judging the sample is what it
// prints, line by line, up to where it says that there is more.
func TestReadmeShowsTheOutput(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	cli.Main(t.Context(), cli.Env{Args: []string{"assess"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	shows(t, "It judges the embedded sample partner:\n\n```\n", out.String(), errs.String())
}

// TestReadmeShowsUp: so is what it shows of the first command, on a day that stands
// still. A laboratory is started for it, and asked within the published limits.
func TestReadmeShowsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the limits of an API")
	}
	t.Parallel()
	home := t.TempDir()
	began := time.Now()
	var out, errs bytes.Buffer
	code := cli.Main(t.Context(), cli.Env{Args: []string{"up", "--once"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Now: func() time.Time { return sample.AsOf.Add(time.Since(began)) },
		Getenv: func(name string) string {
			return map[string]string{"HOME": home, "XDG_CONFIG_HOME": filepath.Join(home, "config"), "XDG_DATA_HOME": home, "XDG_RUNTIME_DIR": home,
				"LANG": "C.UTF-8"}[name]
		}})
	if code != 3 {
		t.Errorf("it ended with %d", code)
	}
	took := regexp.MustCompile(`(?m)  [0-9.]+ s$`) // says how fast this machine is
	errs.WriteString(out.String())
	shows(t, "verdict, within 20 seconds once it is built:\n\n```\n", took.ReplaceAllString(errs.String(), "")+"\n", errs.String(), took)
}

// shows holds an excerpt of the README, behind some words, to what was printed.
func shows(t *testing.T, behind, printed, errs string, without ...*regexp.Regexp) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), behind)
	excerpt, _, closed := strings.Cut(after, "\n...\n```")
	if !ok || !closed || strings.Count(excerpt, "\n") < 15 {
		t.Fatalf("the README has no such excerpt, or too short a one: %.80q", excerpt)
	}
	for _, re := range without {
		excerpt = re.ReplaceAllString(excerpt, "")
	}
	got := strings.Split(printed, "\n")
	got = slices.DeleteFunc(got, func(l string) bool { // notes of the first time, and how it ended
		return strings.HasPrefix(l, "! made") || strings.HasPrefix(l, "partnerguard: ")
	})
	for i, want := range strings.Split(excerpt, "\n") {
		if i >= len(got) {
			t.Fatalf("the output has %d lines: %s", len(got), errs)
		}
		begins, cut := strings.CutSuffix(want, "...")
		if got[i] != want && !(cut && strings.HasPrefix(got[i], begins)) {
			t.Errorf("line %d\n  README %s\n  output %s", i+1, want, got[i])
		}
	}
}
