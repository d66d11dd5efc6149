//go:build unix

package kit

import (
	"io"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// To complete never waits for what may never come.
func TestCompletionReadsNoPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{pipe, "/dev/stdin", "-"} {
		var list []string
		cmd := &cobra.Command{Use: "x", Run: func(*cobra.Command, []string) {}}
		root := &cobra.Command{Use: "partnerguard"}
		root.AddCommand(cmd)
		cmd.Flags().String("user", "", "")
		AddFrom(&Env{}, cmd, &list)
		CompleteAccounts(cmd, "user", &list)
		root.SetArgs([]string{"__complete", "x", "--from", from, "--user", ""})
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		done := make(chan error, 1)
		go func() { done <- root.ExecuteContext(t.Context()) }()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(completeWithin + time.Minute):
			t.Fatalf("it waits for %s", from)
		}
	}
}
