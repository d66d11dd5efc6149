package guard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
	"partnerguard/internal/remedy/run"
)

// RemedyRuns are the commands that do plans. They stand under remedy, whose other commands
// judge from files.
func RemedyRuns(env *kit.Env) (out []*cobra.Command) {
	for _, act := range []func(*kit.Env, kit.Opener) *cobra.Command{newRemedyApply, newRemedyApprove, newRemedyStatus, newRemedyRollback,
		newRemedyStop, newRemedyDrift} {
		in := &kit.Installation{} // each its own: what judges beside them has other flags
		c := act(env, func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
		in.Register(c)
		out = append(out, c)
	}
	return out
}

func newRemedyApply(env *kit.Env, open kit.Opener) *cobra.Command {
	var stage, back string
	var wait time.Duration
	var yes bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "apply PLAN", Short: "Do a plan, in its stages, as far as its gates and the evidence let it",
		Long: `apply takes a plan over and does it: report-only first, then the pilot, shares, all. Each
stage begins with its gate, over the settings as they are at that moment, and ends with its
evidence: what its policies did to sign-ins, compared with the rehearsal. A surprise stops
it. partnerguard serve does it from then on; the command does here what can be done now,
and --wait goes on for so long.

Before anything is changed, the instructions that take it back by hand are written to a
file beside the plan: they need nothing of this program. A plan that nobody signed, or
that holds what cannot be taken back, waits for a second person. Applying the same plan
again has it go on where it stopped, and raises the stage.`,
		Example: `  partnerguard remedy apply plan.yaml --stage report-only
  partnerguard remedy apply plan.yaml --yes --wait 10m`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "apply takes one plan").
			WithHint("partnerguard remedy plan mfa-every-sign-in > plan.yaml makes one")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				raw, err := problem.ReadFile("the plan", args[0], remedy.MaxFile)
				if err != nil {
					return err
				}
				var upto remedy.Stage
				if stage != "" {
					if upto, err = remedy.ParseStage(stage); err != nil {
						return err
					}
				}
				if err := agreed(env, args[0], raw, upto, yes); err != nil {
					return err
				}
				if err := writeBack(env, cmp.Or(back, args[0]+".back.txt"), func() (string, error) {
					p, err := remedy.ReadFile(raw)
					if err != nil {
						return "", err
					}
					return run.Instructions(p, nil, nil), nil
				}); err != nil {
					return err
				}
				r, err := s.Remedy.Apply(cmd.Context(), raw, upto)
				if err != nil {
					return shutWords(env, err, kit.Quoted(args[0]))
				}
				if err := s.Remedy.Now(cmd.Context(), r.ID, wait, pauseFor); err != nil {
					return err
				}
				if err := tellRemedy(cmd, env, s, &output, r.ID, false); err != nil {
					return err
				}
				return stoppedRun(cmd.Context(), s, r.ID)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&stage, "stage", "", "go up to this stage: report-only, pilot, 10%, all (default all)")
	fl.BoolVar(&yes, "yes", false, "begin without being asked")
	fl.StringVar(&back, "print", "", "where the instructions for taking it back by hand go (default PLAN.back.txt)")
	_ = cmd.MarkFlagFilename("print", "txt")
	fl.DurationVar(&wait, "wait", 0, "go on here for so long")
	output.Register(cmd)
	return cmd
}

// stoppedRun says of a run that it stopped, with the exit code of what is not met.
func stoppedRun(ctx context.Context, s *app.Installation, id string) error {
	list, err := s.Remedy.Status(ctx, id)
	if err != nil || len(list) != 1 || list[0].State != run.Stopped {
		return err
	}
	return problem.New(problem.Unmet, "the plan stopped: %s", print.Clean(cmp.Or(list[0].Why, list[0].Next), print.MaxSaying))
}

// agreed shows what a plan changes, and asks.
func agreed(env *kit.Env, path string, raw []byte, upto remedy.Stage, yes bool) error {
	p, err := remedy.ReadFile(raw)
	if err != nil {
		return err
	}
	if yes {
		return nil
	}
	fmt.Fprintf(env.Stderr, "This changes the tenant %s:\n", print.Clean(cmp.Or(p.Tenant.Name, p.Tenant.ID), print.MaxName))
	for _, w := range object.Words(p, nil) {
		fmt.Fprintln(env.Stderr, "  "+print.Clean(w, print.MaxSaying))
	}
	return problem.New(problem.Usage, "nothing was done: it begins with --yes").
		WithHint("read it, then: partnerguard remedy apply %s --yes%s", kit.Quoted(path), stageFlag(upto))
}

func stageFlag(s remedy.Stage) string {
	if s == "" {
		return ""
	}
	return " --stage " + string(s)
}

// writeBack writes the instructions for taking it back by hand, before anything is done.
func writeBack(env *kit.Env, path string, text func() (string, error)) error {
	body, err := text()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		return problem.Wrap(err, problem.Unavailable, "the instructions for taking it back cannot be written to %s", path).
			WithHint("--print FILE names another place; nothing was changed")
	}
	fmt.Fprintf(env.Stderr, "How to take it back by hand is in %s: keep it where you can read it without this machine.\n", path)
	return nil
}

// shutWords lists the findings of a gate that was not passed.
func shutWords(env *kit.Env, err error, path string) error {
	shut, is := errors.AsType[*run.Shut](err)
	if !is {
		return err
	}
	for i := range shut.Gate.Findings {
		if f := &shut.Gate.Findings[i]; f.Refuses() {
			writeFinding(env.Stderr, f, "partnerguard remedy check "+path+" --accept "+f.ID+" --by WHO --why TEXT --until DATE")
		}
	}
	return err
}

// writeFinding writes a finding with the command that accepts it.
func writeFinding(w io.Writer, f *remedy.Finding, accept string) {
	may := "nobody can accept this"
	if f.Acceptable {
		may = "a person may accept it"
	}
	fmt.Fprintf(w, "  %s %s: %s (%s)\n", f.ID, f.Kind, print.Clean(f.Text, print.MaxSaying), may)
	if f.Acceptable {
		defer fmt.Fprintf(w, "      → accept it: %s\n", accept)
	}
	for _, o := range f.WaysOut {
		fmt.Fprintf(w, "      → %s\n", print.Clean(o, print.MaxSaying))
	}
}

func newRemedyApprove(env *kit.Env, open kit.Opener) *cobra.Command {
	var accept, why, until string
	var done int
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "approve RUN", Short: "Say yes, as a second person, to exactly the plan of a run",
		Long: `approve is for another person than the one who applied the plan: read what it changes first
with remedy status RUN. You approve as local:USER, with your user name on this machine.

--accept takes one consequence upon yourself by its id: a finding, a surprise of a stage, or
no-evidence:STAGE where no log can tell what the stage does. What opens something, and
with remedyApproval always everything, is accepted by two people: the second one gives
the same id, and needs no --why. --done says that the step of a person was done by hand, or
that what a rollback left is as it should be.`,
		Example: `  partnerguard remedy approve rr-0123456789ab-1
  partnerguard remedy approve rr-0123456789ab-1 --accept 5f3a9c01 --why "the scanner is replaced on Monday" --until 2027-01-31
  partnerguard remedy approve rr-0123456789ab-1 --done 4`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "approve takes one run").WithHint("partnerguard remedy status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			day, err := untilDay(until)
			if err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Remedy.Find(cmd.Context(), args[0])
				switch {
				case err != nil:
					return err
				case accept != "":
					_, err = s.Remedy.Accept(cmd.Context(), r.ID, accept, why, day)
				case done != 0:
					_, err = s.Remedy.Confirm(cmd.Context(), r.ID, done)
				default:
					_, err = s.Remedy.Approve(cmd.Context(), r.ID)
				}
				if err != nil {
					return err
				}
				return tellRemedy(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&accept, "accept", "", "take this finding, surprise or no-evidence:STAGE upon yourself")
	fl.StringVar(&why, "why", "", "why, for the trail")
	fl.StringVar(&until, "until", "", "until this day, such as 2027-01-31 (default 30 days)")
	fl.IntVar(&done, "done", 0, "the person's step of this number was done")
	cmd.MarkFlagsMutuallyExclusive("accept", "done")
	output.Register(cmd)
	return cmd
}

func untilDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, problem.New(problem.Usage, "%.40q is no day", text).WithHint("--until 2027-01-31")
	}
	return t, nil
}

func newRemedyStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	var asked bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status [RUN]", Short: "Show how far plans came, and what happens next and when",
		Example: "  partnerguard remedy status\n  partnerguard remedy status rr-0123456789ab-1 --asked",
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "status takes one run, or none")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				return tellRemedy(cmd, env, s, &output, cmp.Or(append(args, "")...), asked)
			})
		},
	}
	cmd.Flags().BoolVar(&asked, "asked", false, "show also each change that was asked of Microsoft, with its answer")
	output.Register(cmd)
	return cmd
}

func newRemedyStop(env *kit.Env, open kit.Opener) *cobra.Command {
	var reason string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "stop RUN", Short: "Begin nothing more of a plan until it is applied again",
		Example: `  partnerguard remedy stop rr-0123456789ab-1 --reason "the help desk is overrun"`,
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "stop takes one run").WithHint("partnerguard remedy status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := reasoned("stop", reason); err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Remedy.Find(cmd.Context(), args[0])
				if err == nil {
					_, err = s.Remedy.Stop(cmd.Context(), r.ID, reason)
				}
				if err != nil {
					return err
				}
				return tellRemedy(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the trail")
	output.Register(cmd)
	return cmd
}

func reasoned(verb, reason string) error {
	if len(strings.TrimSpace(reason)) < 5 {
		return problem.New(problem.Usage, "%s needs a reason, of five characters or more", verb).WithHint(`--reason "the help desk is overrun"`)
	}
	return nil
}

func newRemedyRollback(env *kit.Env, open kit.Opener) *cobra.Command {
	var reason, back string
	var wait time.Duration
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "rollback RUN", Short: "Take back what a plan did, or write how a person does",
		Long: `rollback takes back what was done, the last first: only what the plan changed, and only where
it still has the plan's value. Deleted policies are restored, not made anew. What cannot be
taken back is said of each object, with what to do about it, and exit code 3. Where it takes longer than --wait, partnerguard serve goes
on with it; the same command again goes on with it here, and needs no --reason.

--print writes each request, with the objects as they were, to a file instead, and changes
nothing: with a break-glass account it works also when the connection is gone.`,
		Example: `  partnerguard remedy rollback rr-0123456789ab-1 --reason "people cannot sign in" --wait 10m
  partnerguard remedy rollback rr-0123456789ab-1 --print back.txt`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "rollback takes one run").WithHint("partnerguard remedy status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Remedy.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if back != "" {
					return writeBack(env, back, func() (string, error) { return s.Remedy.Instructions(cmd.Context(), r.ID) })
				}
				if r.State != run.Undoing { // else it is gone on with
					if err := reasoned("rollback", reason); err != nil {
						return err
					}
					_, err = s.Remedy.Rollback(cmd.Context(), r.ID, reason)
				}
				if err == nil {
					err = s.Remedy.Now(cmd.Context(), r.ID, wait, pauseFor)
				}
				if err != nil {
					return err
				}
				return tellRemedy(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&reason, "reason", "", "why, for the trail")
	fl.StringVar(&back, "print", "", "change nothing: write to this file how it is taken back by hand")
	_ = cmd.MarkFlagFilename("print", "txt")
	fl.DurationVar(&wait, "wait", 0, "go on here for so long, until it is done")
	output.Register(cmd)
	return cmd
}
