package cli_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/cli"
	"partnerguard/internal/cli/kit/kittest"
	"partnerguard/internal/print"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// onTerminal runs a command line whose output and errors are a terminal.
func onTerminal(t *testing.T, columns uint16, args ...string) []string {
	t.Helper()
	tty, written := kittest.Terminal(t, columns)
	cli.Main(t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: tty, Stderr: tty})
	return strings.Split(escapes.ReplaceAllString(strings.ReplaceAll(written(), "\r\n", "\n"), ""), "\n")
}

// everyCommand walks the help of all commands.
func everyCommand(t *testing.T, each func(words []string)) {
	t.Helper()
	todo, seen := [][]string{{}}, 0
	for len(todo) > 0 {
		words := todo[0]
		todo = todo[1:]
		seen++
		each(words)
		var out bytes.Buffer
		cli.Main(t.Context(), cli.Env{Args: append([]string{"__complete"}, append(words, "")...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
		var usage bytes.Buffer
		cli.Main(t.Context(), cli.Env{Args: append(append([]string{}, words...), "--help"), Stdin: strings.NewReader(""), Stdout: &usage, Stderr: &usage})
		if !strings.Contains(usage.String(), " [command]") {
			continue
		}
		for line := range strings.Lines(out.String()) {
			name, about, ok := strings.Cut(strings.TrimSpace(line), "\t")
			if ok && about != "" && !strings.HasPrefix(name, "-") && name != "help" && regexp.MustCompile(`^[a-z-]+$`).MatchString(name) &&
				regexp.MustCompile(`(?m)^  `+name+` `).MatchString(usage.String()) {
				todo = append(todo, append(append([]string{}, words...), name))
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands were looked at", seen)
	}
}

// TestHelpFits: no line of any help is wider than 80 columns, or than the terminal;
// only examples and the line of usage, which are to be copied, may be.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	check := func(words []string, lines []string, width int) {
		copied := false
		for _, l := range lines {
			switch {
			case l == "Examples:" || l == "Usage:":
				copied = true
			case !strings.HasPrefix(l, " "):
				copied = false
			}
			if w := print.Width(l); w > width && !copied && !strings.Contains(l, "://") && strings.Contains(strings.TrimSpace(l), " ") {
				t.Errorf("%v: %d columns, not %d: %s", words, w, width, l)
			}
		}
	}
	everyCommand(t, func(words []string) {
		args := append(append([]string{}, words...), "--help")
		var out bytes.Buffer
		cli.Main(t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
		check(words, strings.Split(out.String(), "\n"), 80)
		if len(words) < 2 {
			check(words, onTerminal(t, 60, args...), 60)
		}
	})
	wide := onTerminal(t, 100, "--help")
	if !strings.Contains(strings.Join(wide, "\n"), "serve       Renew connections, hand tokens to allowed callers, take invited partners' consents\n") {
		t.Errorf("at 100 columns it is still broken: %s", strings.Join(wide, "\n"))
	}
}

// TestNextIsForPeople: the next step is told on a terminal and nowhere else.
func TestNextIsForPeople(t *testing.T) {
	t.Parallel()
	if text := strings.Join(onTerminal(t, 80, "assess"), "\n"); !strings.Contains(text, "\nnext: partnerguard ") {
		t.Errorf("no next step: %.300s", text[max(0, len(text)-300):])
	}
	var out, errs bytes.Buffer
	cli.Main(t.Context(), cli.Env{Args: []string{"assess"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	if strings.Contains(out.String()+errs.String(), "next:") {
		t.Error("a script reads a next step")
	}
}

// TestGlyphsFallBack: in a locale without UTF-8 the program's own text is ASCII, as
// wide as before; JSON and CSV are what they are.
func TestGlyphsFallBack(t *testing.T) {
	t.Parallel()
	run := func(locale string, args ...string) string {
		var out, errs bytes.Buffer
		cli.Main(t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(name string) string {
			if name == "LC_ALL" {
				return locale
			}
			return ""
		}})
		return out.String()
	}
	ours := "✓✗·→─…–—≈×"
	for _, args := range [][]string{{"assess"}, {"prove"}, {"rehearse", "--preset", "partner-baseline"}, {"automation"}, {"export", "plan"}, {"signins"},
		{"decide", "--user", "nomfa@contoso.com"}, {"rules"}, {"trail", "verify", "--help"}, {"connect", "--help"}} {
		plain, rich := run("C", args...), run("C.UTF-8", args...)
		if strings.ContainsAny(plain, ours) {
			t.Errorf("%v: glyphs under LC_ALL=C", args)
		}
		if args[0] == "assess" && !strings.ContainsAny(rich, "✗·→") {
			t.Errorf("%v: no glyphs under UTF-8", args)
		}
		if strings.Count(plain, "\n") != strings.Count(rich, "\n") {
			t.Errorf("%v: the layout differs", args)
		}
	}
	for _, args := range [][]string{{"assess", "--output", "json"}, {"assess", "--output", "csv"}, {"assess", "--output", "html"}} {
		now := regexp.MustCompile(`2\d\d\d-\d\d-\d\d[T ][0-9:.]+`)
		if a, b := run("C", args...), run("C.UTF-8", args...); now.ReplaceAllString(a, "") != now.ReplaceAllString(b, "") {
			t.Errorf("%v: data depends on the locale", args)
		}
	}
}
