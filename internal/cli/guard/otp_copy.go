package guard

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// copyFor is how long a code stays in the clipboard.
const copyFor = 20 * time.Second

// clipboard is a way to the clipboard: programs that take the text on standard input,
// or a terminal that is told.
type clipboard struct {
	name  string
	set   []string
	read  []string // gives what is there, so that what came later is left; nil: cannot
	tells io.Writer
}

// findClipboard gives the first way there is.
func findClipboard(env *kit.Env, look func(string) (string, error)) (clipboard, error) {
	ways := []clipboard{}
	switch {
	case runtime.GOOS == "darwin":
		ways = append(ways, clipboard{name: "pbcopy", set: []string{"pbcopy"}, read: []string{"pbpaste"}})
	case runtime.GOOS == "windows":
		ways = append(ways, clipboard{name: "clip.exe", set: []string{"clip.exe"}})
	}
	if env.Getenv("WAYLAND_DISPLAY") != "" {
		ways = append(ways, clipboard{name: "wl-copy", set: []string{"wl-copy", "--sensitive"}, read: []string{"wl-paste", "--no-newline"}},
			clipboard{name: "wl-copy", set: []string{"wl-copy"}, read: []string{"wl-paste", "--no-newline"}})
	}
	if env.Getenv("DISPLAY") != "" {
		ways = append(ways, clipboard{name: "xclip", set: []string{"xclip", "-selection", "clipboard"},
			read: []string{"xclip", "-selection", "clipboard", "-o"}})
	}
	for _, w := range ways {
		if _, err := look(w.set[0]); err == nil {
			return w, nil
		}
	}
	for _, w := range []io.Writer{env.Stderr, env.Stdout} {
		if _, tty := kit.Terminal(w); tty && env.Getenv("TERM") != "dumb" {
			return clipboard{name: "the terminal (OSC 52)", tells: w}, nil
		}
	}
	return clipboard{}, problem.New(problem.Unavailable, "there is no clipboard here").WithHint("install wl-clipboard or xclip, or leave --copy out")
}

func (c *clipboard) put(ctx context.Context, text string) error {
	if c.tells != nil {
		_, err := fmt.Fprintf(c.tells, "\x1b]52;c;%s\a", base64.StdEncoding.EncodeToString([]byte(text)))
		return err
	}
	// Who leaves in this moment has it taken out again, not left half put.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	run := exec.CommandContext(ctx, c.set[0], c.set[1:]...)
	run.Stdin = strings.NewReader(text) // never an argument: other users see those
	if err := run.Run(); err != nil {
		return problem.Wrap(err, problem.Unavailable, "%s does not take the code", c.name)
	}
	return nil
}

// clear takes the text out, unless something else was copied since.
func (c *clipboard) clear(text string) error {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second) // also after Ctrl-C
	defer stop()
	if c.read != nil {
		out, err := exec.CommandContext(ctx, c.read[0], c.read[1:]...).Output()
		if err == nil && string(bytes.TrimSpace(out)) != text {
			return nil
		}
	}
	return c.put(ctx, "")
}

func copyCode(ctx context.Context, env *kit.Env, c otp.Code) error {
	clip, err := findClipboard(env, exec.LookPath)
	if err != nil {
		return err
	}
	if err := clip.put(ctx, c.Code.Reveal()); err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "The code of %s is in the clipboard, by %s; it is valid for %d s, and is taken out after %d s. Ctrl-C takes it out now.\n",
		print.Clean(c.Name, 120), clip.name, seconds(c.Left), seconds(copyFor))
	select {
	case <-ctx.Done():
	case <-time.After(copyFor):
	}
	return clip.clear(c.Code.Reveal())
}
