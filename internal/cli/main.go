package cli

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

// Main runs one command line and returns the process's exit code. It never
// calls os.Exit and may run many times in one process.
func Main(ctx context.Context, env Env) int {
	if env.Getenv == nil {
		env.Getenv = func(string) string { return "" }
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	root := newRoot(&env)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(ctx)
	if code, ok := errors.AsType[childExit](err); ok {
		return int(code) // of a command that we ran: it has said what there is to say
	}
	report(env.Stderr, err)
	return problem.ExitCode(err)
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

func newRoot(env *Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "partnerguard",
		Short: "Prove, rehearse, enforce and keep the Partner security requirements",
		Long: `Partnerguard judges whether a Microsoft CSP partner meets the Partner security
requirements, and who or what does not: MFA at every sign-in of the partner
tenant, the Secure Application Model for every integration, least privilege
towards customers, and a watch over Azure fraud.

Without any input it judges an embedded sample partner, so that you see at once
what an answer looks like.`,
		Example: `  partnerguard assess
  partnerguard assess --from exports/ --output html --out report.html
  partnerguard signins --from exports/ --not-challenged --output csv > report.csv
  partnerguard rules --as-of 2022-03-01`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				e := problem.New(problem.Usage, "unknown command %q", args[0])
				if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
					return e.WithHint("did you mean %q?", s[0])
				}
				return e.WithHint("partnerguard --help lists the commands")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return problem.New(problem.Usage, "%s", strings.TrimSpace(err.Error())).WithHint("%s --help lists the flags", cmd.CommandPath())
	})
	root.AddCommand(newAssess(env), newSignIns(env), newProve(env), newDecide(env), newRehearse(env), newRules(env), newExport(env), newCloud(env, startCloud),
		newConnect(env), newExec(env), newToken(env), newCustomers(env), newSettledAutomation(env), newServe(env), newPolicy(env), newSettledVault(env), newSettledTrail(env), newConfig(env), newVersion(env))
	return root
}

// noArgs refuses positional words with a sentence that helps.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return problem.New(problem.Usage, "%s takes no argument, got %q", cmd.CommandPath(), args[0]).
		WithHint("name inputs with --from, e.g. %s --from %s", cmd.CommandPath(), args[0])
}
