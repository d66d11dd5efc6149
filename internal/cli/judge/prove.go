package judge

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/prove"
	"partnerguard/internal/prove/render"
)

func newProve(env *kit.Env) *cobra.Command {
	var (
		in     source
		names  []string
		file   string
		output = kit.NewOutput("text", "json", "html", "pdf", "csv")
	)
	cmd := &cobra.Command{
		Use: "prove", Short: "Prove from the settings whether anyone can sign in without MFA", Args: kit.NoArgs,
		Long: `prove answers a question over all sign-ins at once, from the tenant's own
settings: every account, app, client, place, device and risk. The answer is
proved; or a gap, with who, where, with what, the clauses that open it and one
concrete sign-in to try; or unknown, with what to export.

It reads security defaults, Conditional Access policies, named locations,
authentication strengths, users, groups with members, roles and eligibility.
Policies that are report-only, off, or that say something not known here are
never counted as protection.

Without --from it reads the embedded sample partner. Exit code 3 says that
there is a gap or an unknown.`,
		Example: `  partnerguard prove --from exports/
  partnerguard prove --from exports/ --question legacy-blocked
  partnerguard prove --from exports/ --question-file kiosks.json --output json
  partnerguard prove --output html --out gaps.html`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			questions, err := questionsOf(names, file)
			if err != nil {
				return err
			}
			bar := kit.NewProgress(env, "reading")
			r, err := app.Prove(cmd.Context(), in.reading(env, bar), questions)
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
			kit.Next(env, "partnerguard rehearse%s --preset partner-baseline", kit.From(in.from))
			return unproved(r)
		},
	}
	in.register(env, cmd)
	var all []string
	for _, q := range access.Questions() {
		all = append(all, q.Name)
	}
	cmd.Flags().StringSliceVar(&names, "question", nil, "ask only this; may be repeated ("+strings.Join(all, ", ")+")")
	_ = cmd.RegisterFlagCompletionFunc("question", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringVar(&file, "question-file", "", "ask the question in this JSON file")
	_ = cmd.MarkFlagFilename("question-file", "json")
	output.RegisterFile(cmd)
	return cmd
}

func questionsOf(names []string, file string) ([]access.Question, error) {
	var out []access.Question
	for _, n := range names {
		q, ok := access.FindQuestion(n)
		if !ok {
			var all []string
			for _, q := range access.Questions() {
				all = append(all, q.Name)
			}
			return nil, problem.New(problem.Usage, "no question is called %q", n).
				WithHint("questions: %s; --question-file asks one of your own", strings.Join(all, ", "))
		}
		out = append(out, q)
	}
	if file != "" {
		raw, err := problem.ReadFile("the question", file, 1<<20)
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			return nil, problem.New(problem.Usage, "the question %s is empty", file).WithHint("docs/answers.md shows what a question is")
		}
		q, err := access.ParseQuestion(raw)
		if err != nil {
			return nil, problem.Wrap(err, problem.Usage, "%s: %s", file, err)
		}
		out = append(out, q)
	}
	if out == nil {
		out = access.Questions()
	}
	return out, nil
}

func unproved(r *prove.Report) error {
	var gaps, unknown int
	for _, p := range r.Proofs {
		switch p.Verdict {
		case access.GapFound:
			gaps++
		case access.Proved:
		default:
			unknown++
		}
	}
	if gaps+unknown == 0 {
		return nil
	}
	return problem.New(problem.Unmet, "of %s, %d proved, %d with a gap, %d unknown", kit.Plural(len(r.Proofs), "question", "questions"),
		len(r.Proofs)-gaps-unknown, gaps, unknown)
}
