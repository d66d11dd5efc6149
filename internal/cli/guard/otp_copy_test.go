//go:build unix

package guard

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/secret"
)

// TestCopyClears: a code goes into the clipboard by standard input, and comes out
// again at the end, unless something else was copied since.
func TestCopyClears(t *testing.T) {
	dir := t.TempDir()
	held := filepath.Join(dir, "held")
	script := "#!/bin/sh\necho \"$*\" >>'" + dir + "/args'\ncase \"$*\" in *-o*) cat '" + held + "';; *) cat >'" + held + "';; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "xclip"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for later, want := range map[string]string{"": "", "something else": "something else"} {
		var said bytes.Buffer
		env := &kit.Env{Stdout: &said, Stderr: &said, Getenv: func(name string) string { return map[string]string{"DISPLAY": ":0"}[name] }}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- copyCode(ctx, env, otp.Code{Name: "Contoso", Code: secret.New("123456"), Left: 9 * time.Second})
		}()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if b, err := os.ReadFile(held); err == nil && string(b) == "123456" {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the code is not in the clipboard")
			}
		}
		if later != "" {
			if err := os.WriteFile(held, []byte(later), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stop() // Ctrl-C takes it out at once
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(held); err != nil || string(b) != want {
			t.Errorf("the clipboard holds %q, %v; want %q", b, err, want)
		}
		if strings.Contains(said.String(), "123456") {
			t.Errorf("the code is told: %s", said.String())
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "args")); err != nil || bytes.Contains(b, []byte("123456")) {
		t.Errorf("the code was an argument: %s, %v", b, err)
	}
}

// TestCodeLines: each line fits the terminal, whatever the name is.
func TestCodeLines(t *testing.T) {
	t.Parallel()
	s := otp.Shown{Offset: 42 * time.Second}
	for _, name := range []string{"a", strings.Repeat("long name ", 12), "日本語の名前" + strings.Repeat("語", 30)} {
		s.Codes = append(s.Codes, otp.Code{Name: name, Code: secret.New("12345678"), Next: secret.New("87654321"), Left: 29 * time.Second,
			Period: 30 * time.Second})
	}
	for _, width := range []int{40, 60, 80, 200} {
		lines := codeLines(s, kit.Paint{}, width)
		for _, l := range lines[:3] {
			if w := print.Width(l); w > width || !strings.Contains(l, "1234 5678") || !strings.Contains(l, "29 s") {
				t.Errorf("%d columns in %d: %s", w, width, l)
			}
		}
		if !strings.Contains(strings.Join(lines, "\n"), "+42s") {
			t.Error("the correction of the clock is not told")
		}
	}
}
