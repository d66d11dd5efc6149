package cli_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"

	"partnerguard/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"partnerguard": func() {
			os.Exit(cli.Main(context.Background(), cli.Env{
				Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
				Now: func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) },
			}))
		},
	})
}

// TestScripts runs every script under testdata/script: one behaviour a file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gzip":      rewrite(func(b []byte) []byte { return zipped(b) }),
			"utf16":     rewrite(utf16le),
			"collected": collected(t),
			"flip":      flip,
			"cut":       rewrite(func(b []byte) []byte { return b[:len(b)*2/3] }),
		},
	})
}

// rewrite makes a script command "NAME from to".
func rewrite(f func([]byte) []byte) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 2 {
			ts.Fatalf("usage: NAME from to")
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), f([]byte(ts.ReadFile(args[0]))), 0o600))
	}
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func utf16le(b []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(b))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// TestColourNeedsATerminal: whatever is asked, nothing but a terminal gets
// escape sequences.
func TestColourNeedsATerminal(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"assess"}, {"signins"}, {"rules"}, {"rules", "mfa-every-user"}, {"version"}, {"--help"}} {
		var out, errs bytes.Buffer
		cli.Main(t.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
		if strings.Contains(out.String()+errs.String(), "\x1b") {
			t.Errorf("%v wrote escape sequences into a pipe", args)
		}
		if out.Len() == 0 {
			t.Errorf("%v wrote nothing: %s", args, &errs)
		}
	}
}

// TestInterrupted: a cancelled context ends the work with a message and 1.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	if code := cli.Main(ctx, cli.Env{Args: []string{"assess"}, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &errs}); code != 1 ||
		!strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit code %d, %q", code, &errs)
	}
}
