package judge

import (
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/rehearse/render"
)

func newRehearse(env *kit.Env) *cobra.Command {
	var (
		in     source
		s      kit.Span
		p      proposed
		output = kit.NewOutput("text", "json", "html", "pdf", "csv")
	)
	cmd := &cobra.Command{
		Use: "rehearse", Short: "Replay recorded sign-ins through settings that are not on yet", Args: kit.NoArgs,
		Long: `rehearse replays every recorded sign-in through proposed settings beside
today's and says what would change: newly challenged and able to answer, newly
challenged and unable, newly blocked, newly open (a regression), each with the
accounts, apps and clients concerned and their way out.

The proposal is a folder of policies, a preset, security defaults, or a change
that assess names under "Fix first". Proposed policies are rehearsed as if they were enabled, whatever state they are written
in. --preset partner-baseline is a minimal set that meets the partner rule;
--write saves it in report-only form, ready to import.

Without --from it replays the embedded sample partner. Exit code 3 says that
somebody would break, something would open, or the proposal does not prove MFA
at every sign-in.`,
		Example: `  partnerguard rehearse --preset partner-baseline
  partnerguard rehearse --from exports/ --policies proposed/
  partnerguard rehearse --from exports/ --security-defaults on --output html --out rehearsal.html
  partnerguard rehearse --from exports/ --change 1a2b3c4d
  partnerguard rehearse --preset partner-baseline --write baseline.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.Check(); err != nil {
				return err
			}
			if err := p.check(env); err != nil {
				return err
			}
			bar := kit.NewProgress(env, "replaying")
			reading := in.reading(env, bar)
			reading.Since, reading.Until = s.Since.At, s.Until.End()
			r, err := app.Rehearse(cmd.Context(), reading, p.proposal())
			bar.Done()
			if err != nil {
				return err
			}
			err = output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.Text(w, r, output.Screen(env)) },
				"json": func(w io.Writer) error { return render.JSON(w, r) },
				"html": func(w io.Writer) error { return render.HTML(w, r) },
				"pdf":  output.PDF(cmd.Context(), env, func(w io.Writer) error { return render.HTML(w, r) }),
				"csv":  func(w io.Writer) error { return render.CSV(w, r) },
			})
			if err != nil {
				return err
			}
			kit.Next(env, "partnerguard automation%s", kit.From(in.from))
			return rehearsed(r)
		},
	}
	in.register(env, cmd)
	s.Register(cmd)
	p.register(cmd)
	output.RegisterFile(cmd)
	return cmd
}

// proposed are the flags that say what is rehearsed.
type proposed struct {
	policies         []string
	changes          []string
	preset, defaults kit.Choice
	write            string
}

func (p *proposed) register(cmd *cobra.Command) {
	p.preset.Allowed, p.defaults.Allowed = []string{"partner-baseline"}, []string{"on"}
	cmd.Flags().StringArrayVar(&p.policies, "policies", nil, "a file or folder of proposed policies; may be repeated")
	cmd.Flags().StringSliceVar(&p.changes, "change", nil, "a change that assess proposes, by the id it names; may be repeated")
	kit.AddChoice(cmd, &p.preset, "preset", "a ready-made proposal")
	kit.AddChoice(cmd, &p.defaults, "security-defaults", "rehearse security defaults instead of policies")
	cmd.Flags().StringVar(&p.write, "write", "", "save the preset's policies, report-only, to this file")
	_ = cmd.MarkFlagFilename("write", "json")
}

func (p *proposed) proposal() app.Proposal {
	return app.Proposal{Policies: p.policies, Changes: p.changes, Preset: p.preset.Value, SecurityDefaults: p.defaults.Value == "on"}
}

// check asks for one proposal, and saves the preset where that is wanted.
func (p *proposed) check(env *kit.Env) error {
	chosen := 0
	for _, on := range []bool{len(p.policies) > 0, len(p.changes) > 0, p.preset.Value != "", p.defaults.Value != ""} {
		if on {
			chosen++
		}
	}
	switch {
	case chosen != 1:
		return problem.New(problem.Usage, "rehearse takes one proposal, got %d", chosen).
			WithHint("give --policies FOLDER, --preset partner-baseline, --change ID as assess names it, or --security-defaults on")
	case p.write == "":
		return nil
	case p.preset.Value == "":
		return problem.New(problem.Usage, "--write saves a preset, and none is named").WithHint("add --preset partner-baseline")
	}
	raw, err := access.Export(access.PartnerBaseline())
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the preset could not be written")
	}
	return kit.WriteOut(env, p.write, func(w io.Writer) error { _, err := w.Write(append(raw, '\n')); return err })
}

// rehearsed is the exit of a rehearsal.
func rehearsed(r *rehearse.Result) error {
	var breaks, opened int
	for _, t := range r.Totals {
		switch {
		case t.Effect.Breaks():
			breaks += t.Accounts
		case t.Effect == rehearse.Opened:
			opened += t.Accounts
		}
	}
	switch {
	case opened > 0:
		return problem.New(problem.Unmet, "the proposal opens sign-ins of %s that are protected today", kit.Plural(opened, "account", "accounts"))
	case breaks > 0:
		return problem.New(problem.Unmet, "%s would break", kit.Plural(breaks, "account", "accounts"))
	}
	if !r.Complete {
		return problem.New(problem.Unmet, "not everything was read, so not everything was rehearsed").
			WithHint("partnerguard export check says what is missing and which request reads it")
	}
	for _, p := range r.After {
		if p.Question == "mfa-every-sign-in" && p.Verdict != access.Proved {
			return problem.New(problem.Unmet, "the proposal does not prove MFA at every sign-in")
		}
	}
	return nil
}
