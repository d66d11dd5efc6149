package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/problem"
)

// Env is the world a command runs in. Stdin, Stdout and Stderr are required.
type Env struct {
	Args   []string
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string // nil means no environment
	Now    func() time.Time    // nil means time.Now
}

// Exit is the exit code of a command that we ran, which becomes our own: it has
// said what there is to say.
type Exit int

func (c Exit) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(c)) }

// Main runs one command line under the commands that root makes, and returns the
// process's exit code. It never calls os.Exit and may run many times in one
// process.
func Main(ctx context.Context, env Env, root func(*Env) *cobra.Command) int {
	if env.Getenv == nil {
		env.Getenv = func(string) string { return "" }
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	cmd := root(&env)
	prepare(cmd)
	cmd.SetArgs(env.Args)
	cmd.SetIn(env.Stdin)
	cmd.SetOut(env.Stdout)
	cmd.SetErr(env.Stderr)
	err := cmd.ExecuteContext(ctx)
	if code, ok := errors.AsType[Exit](err); ok {
		return int(code)
	}
	report(env.Stderr, err)
	return problem.ExitCode(err)
}

// prepare makes root speak as all commands do.
func prepare(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage, root.SuggestionsMinimumDistance = true, true, 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return problem.New(problem.Usage, "%s", strings.TrimSpace(err.Error())).WithHint("%s --help lists the flags", cmd.CommandPath())
	})
}

// report writes err as a person should read it. An unmet requirement was
// already told by the report itself.
func report(w io.Writer, err error) {
	switch {
	case err == nil:
		return
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "partnerguard: interrupted")
		return
	}
	fmt.Fprintf(w, "partnerguard: %s\n", err)
	if problem.DiskFull(err) {
		fmt.Fprintln(w, "hint: the disk is full: make room there, and run the command again")
		return
	}
	if hint := problem.HintOf(err); hint != "" && !strings.Contains(err.Error(), hint) {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}

// NoArgs refuses positional words with a sentence that helps.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return problem.New(problem.Usage, "%s takes no argument, got %q", cmd.CommandPath(), args[0]).
		WithHint("name inputs with --from, e.g. %s --from %s", cmd.CommandPath(), args[0])
}

// NoWords refuses positional words where there are no inputs to name.
func NoWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return problem.New(problem.Usage, "%s takes no argument, got %q", cmd.CommandPath(), args[0]).WithHint("%s --help shows how", cmd.CommandPath())
}

func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
