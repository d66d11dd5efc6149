package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// maxContainFile bounds a plan's file; what a plan takes is less.
const maxContainFile = 9 << 20

// containFlags are what contain is asked for.
type containFlags struct {
	plan          bool
	apply, answer string
	wait          time.Duration
	ask           contain.Ask
}

// newFraudContain makes what stops an attack: planned, approved, applied, taken back.
func newFraudContain(env *kit.Env, open kit.Opener) *cobra.Command {
	var f containFlags
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "contain [ALERT]", Short: "Stop an attack: plan it, have it approved, apply it, take it back",
		Long: `contain ALERT --plan writes what shall be stopped about an alert, in order: sessions,
accounts, apps and credentials first, so that nobody starts things again; then role
assignments, then all that runs in the subscription, in all regions; then quotas and a
budget. Each step says what stops, whether it can be taken back, and whether we have the
right. Nothing is changed. Cancelling the subscription is in it with --allow-cancel alone.

contain --apply PLAN takes the plan over, less the steps that you took out. It begins when
a second person approved it (contain approve, or the console), but for steps that the
setting containRule approves in containHours. partnerguard serve does it from then on; the
command does here what can be done now, and --wait goes on until it is done.

ALERT is an alert's id, or the beginning of one.`,
		Example: `  partnerguard fraud contain 7c3e --plan > plan.yaml
  partnerguard fraud contain --apply plan.yaml
  partnerguard fraud contain approve cr-0123456789abcdef
  partnerguard fraud contain --apply plan.yaml --wait 10m --answer fraud
  partnerguard fraud contain status
  partnerguard fraud contain rollback cr-0123456789abcdef --reason "the customer's own test"`,
		Args: kit.Between(0, 1, problem.New(problem.Usage, "contain takes one alert").WithHint("partnerguard fraud contain ALERT --plan > plan.yaml")),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.plan && f.apply != "", f.plan && len(args) == 0, f.apply != "" && len(args) > 0, !f.plan && f.apply == "":
				return problem.New(problem.Usage, "contain makes a plan of an alert, or applies one").
					WithHint("partnerguard fraud contain ALERT --plan > plan.yaml, then partnerguard fraud contain --apply plan.yaml")
			case f.plan:
				f.ask.Alert = args[0]
				return planContain(cmd, env, open, &f, &output)
			}
			return applyContain(cmd, env, open, &f, &output)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.plan, "plan", false, "write a plan; nothing is changed")
	fl.StringVar(&f.apply, "apply", "", "apply this plan")
	_ = cmd.MarkFlagFilename("apply", "yaml", "yml")
	fl.StringVar(&f.ask.Connection, "connection", "", "plan to do it by this connection (default the one that collects)")
	fl.DurationVar(&f.ask.Before, "since", 14*24*time.Hour, "how long before the alert's first sign what is new is suspected")
	fl.BoolVar(&f.ask.Everything, "everything", false, "stop also what was there before")
	fl.BoolVar(&f.ask.Cancel, "allow-cancel", false, "cancel the whole subscription as the last step, for good")
	fl.BoolVar(&f.ask.Suspend, "allow-suspend", false, "suspend the customer's whole Azure plan as the last step")
	fl.BoolVar(&f.ask.OnlyEnd, "only-end", false, "nothing but what --allow-cancel or --allow-suspend ends")
	fl.Int64Var(&f.ask.Budget, "budget", 0, "set this spending budget, in the customer's currency (0: none)")
	fl.DurationVar(&f.wait, "wait", 0, "go on here for so long, until it is done")
	fl.StringVar(&f.answer, "answer", "", "when all of it is done, tell Microsoft: fraud, legitimate or ignore")
	output.Register(cmd)
	cmd.AddCommand(newContainStatus(env, open), newContainApprove(env, open), newContainAnswer(env, open),
		newContainTurn(env, open, "cancel", "Begin nothing more of a plan", (*contain.Containment).Cancel),
		newContainTurn(env, open, "rollback", "Take back what can be taken back", (*contain.Containment).Rollback))
	return cmd
}

func planContain(cmd *cobra.Command, env *kit.Env, open kit.Opener, f *containFlags, output *kit.Output) error {
	return open.With(cmd.Context(), func(s *app.Installation) error {
		p, err := s.Contain.Plan(cmd.Context(), f.ask)
		if err != nil {
			return err
		}
		if len(p.Steps) == 0 {
			for _, t := range p.Told {
				fmt.Fprintln(env.Stderr, "- "+print.Clean(t, print.MaxSaying))
			}
			return problem.New(problem.NotFound, "nothing was found that a plan would stop").
				WithHint("--since 720h looks further back; --everything takes in all that runs; the lines above say what could not be read")
		}
		asYAML := func(w io.Writer) error {
			b, err := p.YAML()
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		}
		form := *output
		if form.Value == "text" { // byte by byte: the steps are held to what they say
			form.Value = "yaml"
		}
		return form.Write(env, kit.Forms{"yaml": asYAML, "json": func(w io.Writer) error { return json.NewEncoder(w).Encode(p) }})
	})
}

func applyContain(cmd *cobra.Command, env *kit.Env, open kit.Opener, f *containFlags, output *kit.Output) error {
	raw, err := problem.ReadFile("the plan", f.apply, maxContainFile)
	if err != nil {
		return err
	}
	p, err := contain.Read(f.apply, raw)
	if err != nil {
		return err
	}
	reason := fraud.Reason(strings.ToLower(f.answer))
	if f.answer != "" && reason != fraud.Fraud && reason != fraud.Legitimate && reason != fraud.Ignore {
		return problem.New(problem.Usage, "%.40q is no answer", f.answer).WithHint("--answer fraud, legitimate or ignore")
	}
	return open.With(cmd.Context(), func(s *app.Installation) error {
		r, err := s.Contain.Apply(cmd.Context(), p)
		if err != nil {
			return err
		}
		if err := s.Contain.Now(cmd.Context(), r.ID, f.wait, pauseFor); err != nil {
			return err
		}
		if f.answer != "" {
			if r, err = s.Contain.Find(cmd.Context(), r.ID); err != nil {
				return err
			}
			if r.State != contain.Over {
				fmt.Fprintf(env.Stderr, "Microsoft is not told yet: the plan is %s. Then: partnerguard fraud contain answer %s --reason %s\n", r.State,
					r.ID, reason)
			} else if _, err = s.Contain.Tell(cmd.Context(), r.ID, reason); err != nil {
				return err
			}
		}
		return tellContain(cmd, env, s, output, r.ID, false)
	})
}

// pauseFor waits, unless it is ended before.
func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func newContainStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	var asked bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status [RUN]", Short: "Show how far applied plans came, and what is left to do by whom",
		Example: "  partnerguard fraud contain status\n  partnerguard fraud contain status cr-0123456789abcdef --asked",
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "status takes one applied plan, or none")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				return tellContain(cmd, env, s, &output, cmp.Or(append(args, "")...), asked)
			})
		},
	}
	cmd.Flags().BoolVar(&asked, "asked", false, "show also each change that was asked of Microsoft, with its answer")
	output.Register(cmd)
	return cmd
}

func newContainApprove(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "approve RUN", Short: "Say yes, as a second person, to exactly the steps of an applied plan",
		Long: `approve is for another person than the one who applied the plan: read it first with
contain status RUN. You approve as local:USER, with your user name on this machine.`,
		Example: "  partnerguard fraud contain approve cr-0123456789abcdef",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "approve takes one applied plan").WithHint("partnerguard fraud contain status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Contain.Find(cmd.Context(), args[0])
				if err == nil {
					r, err = s.Contain.Approve(cmd.Context(), r.ID)
				}
				if err != nil {
					return err
				}
				return tellContain(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func newContainAnswer(env *kit.Env, open kit.Opener) *cobra.Command {
	var reason string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "answer RUN", Short: "Tell Microsoft what the alert of an applied plan was",
		Example: "  partnerguard fraud contain answer cr-0123456789abcdef --reason fraud",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "answer takes one applied plan").WithHint("partnerguard fraud contain status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Contain.Find(cmd.Context(), args[0])
				if err == nil {
					r, err = s.Contain.Tell(cmd.Context(), r.ID, fraud.Reason(strings.ToLower(reason)))
				}
				if err != nil {
					return err
				}
				return tellContain(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "fraud, legitimate or ignore")
	output.Register(cmd)
	return cmd
}

func newContainTurn(env *kit.Env, open kit.Opener, verb, short string,
	turn func(*contain.Containment, context.Context, string, string) (contain.Run, error)) *cobra.Command {
	var reason string
	var wait time.Duration
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: verb + " RUN", Short: short,
		Example: "  partnerguard fraud contain " + verb + " cr-0123456789abcdef --reason \"the customer's own test\"",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "%s takes one applied plan", verb).WithHint("partnerguard fraud contain status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(strings.TrimSpace(reason)) < 5 {
				return problem.New(problem.Usage, "%s needs a reason, of five characters or more", verb).WithHint("--reason \"the customer's own test\"")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Contain.Find(cmd.Context(), args[0])
				if err == nil {
					r, err = turn(s.Contain, cmd.Context(), r.ID, reason)
				}
				if err == nil {
					err = s.Contain.Now(cmd.Context(), r.ID, wait, pauseFor)
				}
				if err != nil {
					return err
				}
				return tellContain(cmd, env, s, &output, r.ID, false)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the trail")
	cmd.Flags().DurationVar(&wait, "wait", 0, "go on here for so long, until it is done")
	output.Register(cmd)
	return cmd
}

// tellContain shows how applied plans stand.
func tellContain(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, run string, asked bool) error {
	list, err := s.Contain.Status(cmd.Context(), run)
	if err != nil {
		return err
	}
	said := map[string]any{"runs": print.List(list)}
	var acts []contain.Act
	for i := range list {
		if !asked {
			break
		}
		more, err := s.Contain.History(cmd.Context(), list[i].ID)
		if err != nil {
			return err
		}
		acts = append(acts, more...)
	}
	if asked {
		said["asked"] = print.List(acts)
	}
	return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		if len(list) == 0 {
			fmt.Fprintln(w, "No plan was applied.")
		}
		for i := range list {
			writeContain(w, p, &list[i])
		}
		if asked {
			fmt.Fprintln(w)
			kit.Table(w, p, acts,
				kit.Col("asked", func(a *contain.Act) string { return a.Asked.UTC().Format(time.DateTime) }),
				kit.Col("what", func(a *contain.Act) string { return a.What }),
				kit.Col("answer", func(a *contain.Act) string { return cmp.Or(a.Result, "not known") }),
				kit.Col("words", func(a *contain.Act) string { return a.Words }))
		}
		return nil
	})
}

func writeContain(w io.Writer, p kit.Paint, s *contain.Status) {
	fmt.Fprintf(w, "%s: %s; alert %s, %s, subscription %s\n", s.ID, s.State, print.Clean(s.Plan.Alert, 80), print.Clean(cmp.Or(s.Plan.Name, s.Plan.Customer),
		80), s.Plan.Subscription)
	fmt.Fprintf(w, "  applied %s by %s", s.Applied.UTC().Format(time.DateTime), print.Clean(s.Actor, 60))
	if a := s.Approved; a != nil {
		fmt.Fprintf(w, "; approved %s by %s", a.At.UTC().Format(time.DateTime), print.Clean(a.Actor, 60))
	}
	if s.Rule != "" {
		fmt.Fprintf(w, "; some steps by %s", print.Clean(s.Rule, 300))
	}
	if s.Answer != "" {
		fmt.Fprintf(w, "; answer to Microsoft: %s", s.Answer)
	}
	fmt.Fprintln(w)
	if words := cmp.Or(s.Refused, s.Why); words != "" {
		fmt.Fprintf(w, "  %s\n", print.Clean(words, print.MaxSaying))
	}
	var counts []string
	for _, state := range contain.StepStates() {
		if n := s.Counts[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(w, "  %s\n\n", strings.Join(counts, ", "))
	kit.Table(w, p, s.Steps,
		kit.Col("step", func(x *contain.Progress) string { return string(x.Step.Kind) }),
		kit.Col("of", func(x *contain.Progress) string { return cmp.Or(x.Step.Name, x.Step.Target) }),
		kit.Col("state", func(x *contain.Progress) string { return string(x.State) }),
		kit.Col("since", func(x *contain.Progress) string { return x.Since.UTC().Format(time.TimeOnly) }),
		kit.Col("undo", func(x *contain.Progress) string { return map[bool]string{true: "yes", false: "no"}[x.Step.Undo] }),
		kit.Col("words", func(x *contain.Progress) string { return cmp.Or(x.Refused, x.Words) }))
	if v := s.Verified; v != nil {
		fmt.Fprintf(w, "\nLooked at again %s: %d of the plan run all the same, %d are new since the plan.\n", v.At.UTC().Format(time.DateTime),
			len(v.Running), len(v.New))
		for _, x := range v.New {
			fmt.Fprintf(w, "  new: %s\n", print.Clean(x, print.MaxName))
		}
		for _, x := range v.Running {
			fmt.Fprintf(w, "  runs: %s\n", print.Clean(x, print.MaxName))
		}
		for _, x := range v.Unread {
			fmt.Fprintf(w, "  not known: %s\n", print.Clean(x, print.MaxSaying))
		}
		if len(v.New)+len(v.Running) > 0 {
			fmt.Fprintf(w, "  → make a new plan: partnerguard fraud contain %s --plan\n", print.Clean(s.Plan.Alert, 80))
		}
	}
	if len(s.Left) > 0 && s.State != contain.Waiting { // before that nothing was begun, as the table says
		fmt.Fprintln(w, "\nLeft to do:")
		for _, x := range s.Left[:min(len(s.Left), 40)] {
			fmt.Fprintf(w, "  - %s\n", print.Clean(x, print.MaxSaying))
		}
		if more := len(s.Left) - 40; more > 0 {
			fmt.Fprintf(w, "  and %s: the table and the JSON have all\n", kit.Plural(more, "step more", "steps more"))
		}
	}
}
