package kit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/intake"
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

	// Archive opens what --from names by archive:; nil where it names none, and where
	// nothing is kept.
	Archive func(context.Context, app.Archived) (fs.FS, error)

	ctx  context.Context // of the command
	ends []func() error  // what is closed after it
	next string          // what to do after it
}

// Input is standard input for reading: a signal that ends the command ends the
// waiting for a pipe that nobody writes into.
func (e *Env) Input() io.Reader { return intake.Bound(e.ctx, e.Stdin) }

// Exit is the exit code of a command that we ran, which becomes our own: it has
// said what there is to say.
type Exit int

func (c Exit) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(c)) }

// Coded is an error with an exit code of its own, as a shell gives it for a command
// that could not be run.
type Coded struct {
	Code int
	Err  error
}

func (c Coded) Error() string { return c.Err.Error() }
func (c Coded) Unwrap() error { return c.Err }

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
	env.ctx = ctx
	cmd := root(&env)
	prepare(cmd)
	wrapHelp(&env, cmd)
	cmd.SetArgs(env.Args)
	cmd.SetIn(env.Stdin)
	cmd.SetOut(env.Stdout)
	cmd.SetErr(env.Stderr)
	err := cmd.ExecuteContext(ctx)
	for _, end := range env.ends {
		if cerr := end(); err == nil {
			err = cerr
		}
	}
	if code, ok := errors.AsType[Exit](err); ok {
		return int(code)
	}
	_ = Text(&env, func(w io.Writer) error { report(w, err); return nil })(env.Stderr)
	tellNext(&env, err)
	if c, ok := errors.AsType[Coded](err); ok {
		return c.Code
	}
	return problem.ExitCode(err)
}

// prepare makes root speak as all commands do.
func prepare(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(cmd *cobra.Command, args []string) error {
				if to, rest, err := cmd.Root().Find(args); err != nil || len(args) > 0 && (to == cmd.Root() || len(rest) > 0) {
					return problem.New(problem.Usage, "there is no command %q", strings.Join(args, " ")).WithHint("partnerguard --help lists the commands")
				}
				return nil
			}
		case "completion":
			c.Args = cobra.ArbitraryArgs
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) > 0 {
					return problem.New(problem.Usage, "there is no completion for %q", args[0]).WithHint("for bash, zsh, fish and powershell")
				}
				return cmd.Help()
			}
		}
	}
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

// Between takes so many words; refused is the answer to fewer and to more.
func Between(least, most int, refused error) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return refused
		}
		return nil
	}
}

// Many is a number of words without a bound.
const Many = math.MaxInt

// Only is for a command that has only commands below it: it refuses a word with
// what it knows.
func Only(name, known string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return problem.New(problem.Usage, "%s does not know %.40q", name, args[0]).WithHint("it knows %s", known)
	}
}

// Suggest refuses a word that is no command, with the one that it is like.
func Suggest(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	of := ""
	if cmd.HasParent() {
		of = " of " + cmd.Name()
	}
	e := problem.New(problem.Usage, "unknown command %q%s", args[0], of)
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		return e.WithHint("did you mean %q?", s[0])
	}
	return e.WithHint("%s --help lists the commands", cmd.CommandPath())
}

func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
