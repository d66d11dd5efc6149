//go:build unix

package child

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// codeOf is the exit code of a command line that runs words.
func codeOf(t *testing.T, ctx context.Context, stdout io.Writer, words ...string) int {
	t.Helper()
	env := kit.Env{Args: nil, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: io.Discard}
	return kit.Main(ctx, env, func(env *kit.Env) *cobra.Command {
		return &cobra.Command{Use: "x", RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := Find(words[0])
			if err != nil {
				return err
			}
			return Run(cmd.Context(), env, Options{Path: path, Args: words, Environ: os.Environ()})
		}}
	})
}

// TestExitCodes: each as a shell gives it.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain, broken := filepath.Join(dir, "plain"), filepath.Join(dir, "broken")
	for path, mode := range map[string]os.FileMode{plain: 0o600, broken: 0o700} {
		if err := os.WriteFile(path, []byte{0, 1, 2}, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		want  int
		words []string
	}{
		{0, []string{"true"}}, {7, []string{"sh", "-c", "exit 7"}}, {255, []string{"sh", "-c", "exit 255"}},
		{127, []string{"no-such-program-here"}}, {127, []string{filepath.Join(dir, "none")}},
		{126, []string{plain}}, {126, []string{dir}}, {126, []string{broken}},
		{128 + 9, []string{"sh", "-c", "kill -KILL $$"}}, {128 + 15, []string{"sh", "-c", "kill -TERM $$"}}, {128 + 6, []string{"sh", "-c", "kill -ABRT $$"}},
	} {
		if got := codeOf(t, t.Context(), io.Discard, c.words...); got != c.want {
			t.Errorf("%v: %d, want %d", c.words, got, c.want)
		}
	}
}

// TestSignalsAreHandedOn: what we are sent the command gets, and it may decide.
// Not parallel: signals are the whole process's.
func TestSignalsAreHandedOn(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{syscall.SIGUSR1: 41, syscall.SIGTERM: 42, syscall.SIGHUP: 128 + 1} {
		r, w := io.Pipe()
		go func() {
			_, _ = r.Read(make([]byte, 10)) // it is ready
			_ = syscall.Kill(os.Getpid(), sig)
			_, _ = io.Copy(io.Discard, r)
		}()
		ended := make(chan int, 1)
		go func() {
			ended <- codeOf(t, context.Background(), w, "sh", "-c", `trap "exit 41" USR1; trap "exit 42" TERM; echo ready; while :; do sleep 0.05; done`)
		}()
		select {
		case got := <-ended:
			if got != want {
				t.Errorf("%v: %d, want %d", sig, got, want)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%v: not handed on", sig)
		}
		_ = w.Close()
	}
}
