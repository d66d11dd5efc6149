package cli_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"partnerguard/internal/cli"
)

// TestReadmeShowsTheOutput: what the README shows of the first command is what it
// prints, line by line, up to where it says that there is more.
func TestReadmeShowsTheOutput(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "It judges the embedded sample partner:\n\n```\n")
	excerpt, _, closed := strings.Cut(after, "\n...\n```")
	if !ok || !closed || strings.Count(excerpt, "\n") < 15 {
		t.Fatalf("the README has no such excerpt, or too short a one: %.80q", excerpt)
	}
	var out, errs bytes.Buffer
	cli.Main(t.Context(), cli.Env{Args: []string{"assess"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	got := strings.Split(out.String(), "\n")
	for i, want := range strings.Split(excerpt, "\n") {
		if i >= len(got) {
			t.Fatalf("the output has %d lines: %s", len(got), &errs)
		}
		begins, cut := strings.CutSuffix(want, "...")
		if got[i] != want && !(cut && strings.HasPrefix(got[i], begins)) {
			t.Errorf("line %d\n  README %s\n  output %s", i+1, want, got[i])
		}
	}
}
