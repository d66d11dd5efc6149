package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli"
	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/sam/capture"
)

// walks are the pages whose every command a newcomer types.
var walks = []string{"../../README.md", "../../docs/exports.md", "../../docs/real-tenant.md", "../../docs/fraud-walk.md"}

var (
	fenced  = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$")
	inline  = regexp.MustCompile("`((?:go run \\./cmd/)?partnerguard [^`\n]*(?:\n[^`\n]*)?)`")
	started = regexp.MustCompile(`^(?:go run \./cmd/)?partnerguard (.*)$`)
)

// typed are the command lines that a page shows, without the program's name.
func typed(page string) (out [][]string) {
	var lines []string
	for _, m := range fenced.FindAllStringSubmatch(page, -1) {
		lines = append(lines, strings.Split(m[1], "\n")...)
	}
	for l := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(l, "    ") {
			lines = append(lines, l)
		}
	}
	for _, m := range inline.FindAllStringSubmatch(page, -1) {
		lines = append(lines, strings.Join(strings.Fields(m[1]), " "))
	}
	for _, l := range lines {
		m := started.FindStringSubmatch(strings.TrimSpace(l))
		if m == nil {
			continue
		}
		words := strings.Fields(m[1])
		for i, w := range words { // a comment, a pipe, a file that the shell reads or writes
			if w == "#" || w == "|" || w == ">" || w == "<" {
				words = words[:i]
				break
			}
		}
		out = append(out, words)
	}
	return out
}

// TestDocsCommandsParse: every command that the pages show is there, with every
// flag and every value that it names.
func TestDocsCommandsParse(t *testing.T) {
	t.Parallel()
	for _, page := range walks {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		lines := typed(string(raw))
		if len(lines) < 3 {
			t.Fatalf("%s shows %d commands: %q", page, len(lines), lines)
		}
		for _, words := range lines {
			t.Run(filepath.Base(page)+" "+strings.Join(words, " "), func(t *testing.T) {
				t.Parallel()
				if err := parses(words); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := parses([]string{"assess", "--frm", "x"}); err == nil {
		t.Error("a flag that is none passes")
	}
	if err := parses([]string{"asses"}); err == nil {
		t.Error("a command that is none passes")
	}
	if err := parses([]string{"export", "plan", "--licence", "p3"}); err == nil {
		t.Error("a value that is none passes")
	}
}

// parses brings a command line to the command and its flags, and runs nothing.
func parses(words []string) error {
	root := cli.Root(&cli.Env{Stdin: strings.NewReader(""), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Getenv: func(string) string { return "" }})
	root.SilenceErrors, root.SilenceUsage = true, true
	cmd, _, err := root.Find(words)
	if err != nil {
		return err
	}
	cmd.RunE, cmd.Run, cmd.PreRunE, cmd.PersistentPreRunE = func(*cobra.Command, []string) error { return nil }, nil, nil, nil
	root.PersistentPreRunE = nil
	root.SetArgs(words)
	return root.ExecuteContext(context.Background())
}

// table is the first column of the table that a page has under a mark.
func table(t *testing.T, page, mark string) (out []string) {
	t.Helper()
	_, after, ok := strings.Cut(page, "<!-- permissions: "+mark+" -->\n")
	text, _, closed := strings.Cut(after, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("there is no table %q", mark)
	}
	for i, l := range strings.Split(strings.TrimSpace(text), "\n") {
		if i > 1 {
			out = append(out, strings.TrimSpace(strings.Split(l, "|")[1]))
		}
	}
	slices.Sort(out)
	return out
}

// TestDocsPermissions: what docs/real-tenant.md has people allow is what the
// program asks for, no more and no less; and the roles it names read all of it.
func TestDocsPermissions(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/real-tenant.md")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := doctor.MakePlan(doctor.Options{AsOf: partner.Revised.Time, Licence: evidence.P2})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range evidence.Requests() {
		if r.Service != evidence.ExchangeOnline && !slices.Contains(r.Roles, "Global Reader") && !slices.Contains(r.Roles, "Admin Agent") {
			t.Errorf("%s is read by none of the two roles: %v", r.File, r.Roles)
		}
	}
	if got := table(t, string(raw), "export"); !slices.Equal(got, plan.Permissions) {
		t.Errorf("the page allows %v\nthe plan asks for %v", got, plan.Permissions)
	}
	var granted []string
	for _, r := range capture.Permissions([]capture.Feature{capture.Customers, capture.Forecast}).Resources {
		for _, s := range r.Scopes {
			granted = append(granted, s.Value)
		}
	}
	slices.Sort(granted)
	if got := table(t, string(raw), "connect"); !slices.Equal(got, granted) {
		t.Errorf("the page allows %v\nconnect needs %v", got, granted)
	}
}
