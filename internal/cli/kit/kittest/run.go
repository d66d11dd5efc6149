package kittest

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Run runs one command under a root of its own.
func Run(t testing.TB, stdin io.Reader, command func(*kit.Env) *cobra.Command, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := kit.Env{Args: args, Stdin: stdin, Stdout: &out, Stderr: &errs, Now: func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }}
	code = kit.Main(t.Context(), env, func(env *kit.Env) *cobra.Command {
		root := &cobra.Command{Use: "partnerguard"}
		root.AddCommand(command(env))
		return root
	})
	return out.String(), errs.String(), code
}
