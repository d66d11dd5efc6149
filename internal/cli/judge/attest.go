package judge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/vouch"
)

func newAttest(env *kit.Env) *cobra.Command {
	var (
		s      vouch.Statement
		file   string
		keep   bool
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "attest", Short: "Vouch for what no export can show, by name and until a day", Args: kit.NoArgs,
		Long: `attest writes down that somebody vouches for a requirement which no export can
show (an attestation), or leaves an account out of one for a while and answers for
it (an exception, with --account). It adds to a YAML file, which belongs beside the
exports: assess reads it with them, shows it in every output, and forgets it on its
day.

With --keep it goes to the database of this installation instead, and counts wherever
what was collected is judged.

An attestation makes a requirement "attested" only where the evidence cannot
decide. What the evidence contradicts stays as it is, and both are shown. An
exception changes no verdict. Nothing is vouched for without an end, or for more
than a year.`,
		Example: `  partnerguard attest --requirement app-passwords --who 'Ada Lovelace' --until 2027-04-30 \
      --reason 'not allowed in the MFA service settings, looked at today' --file exports/attestations.yaml
  partnerguard attest --account scanner@contoso.com --requirement mfa-every-user --who 'Ada Lovelace' \
      --until 2026-12-31 --reason 'cannot answer a prompt' --control 'sends from one address only'
  partnerguard attest list --from exports/`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.Kind = vouch.Attestation
			if s.Account != "" || s.Requirement == "" && s.What != "" {
				s.Kind = vouch.Exception
			}
			if s.Since == "" {
				s.Since = env.Now().UTC().Format(time.DateOnly)
			}
			if err := writable(&s); err != nil {
				return err
			}
			where := file
			if keep {
				id, err := kit.KeepStatement(cmd.Context(), env, cmd, s)
				if err != nil {
					return err
				}
				where = "the database as " + id
			}
			if !keep || cmd.Flags().Changed("file") {
				if err := addStatement(env, file, s); err != nil {
					return err
				}
			}
			return output.Answer(env, &s, func(w io.Writer, _ kit.Paint) error { return attestText(w, &s, where, keep) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Requirement, "requirement", "", "the requirement's id, as partnerguard rules lists them, or that of a best practice (P22)")
	f.StringVar(&s.Account, "account", "", "the account that is left out (makes it an exception)")
	f.StringVar(&s.What, "what", "", "what exactly is vouched for, or left out")
	f.StringVar(&s.Who, "who", "", "the person who vouches")
	f.StringVar(&s.Since, "since", "", "the first day on which it counts (default today)")
	f.StringVar(&s.Until, "until", "", "the last day on which it counts, a year ahead at most")
	f.StringVar(&s.Reason, "reason", "", "why")
	f.StringVar(&s.Control, "control", "", "the compensating control: what stands in its place")
	f.StringVar(&s.ApprovedBy, "approved-by", "", "who approved it")
	f.StringVar(&file, "file", "attestations.yaml", "the file to add to; it is made where there is none")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("requirement", attestable)
	kit.AddKeep(cmd, &keep)
	output.Register(cmd)
	cmd.AddCommand(newAttestList(env))
	return cmd
}

// attestable completes what may be vouched for.
func attestable(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	for _, r := range partner.Book() {
		ids = append(ids, r.ID+"\t"+r.Title)
	}
	for _, p := range partner.Practices() {
		if p.Mode.Attestable() {
			ids = append(ids, p.ID+"\t"+p.Title)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// writable refuses, as wrong words of a command, what a file would refuse.
func writable(s *vouch.Statement) error {
	if err := s.Check(); err != nil {
		return problem.Wrap(err, problem.Usage, "this cannot be vouched for: %s", err).WithHint("partnerguard attest --help says what is needed")
	}
	if s.Requirement == "" {
		return nil
	}
	if p, ok := partner.FindPractice(s.Requirement); ok {
		if !p.Mode.Attestable() {
			return problem.New(problem.Usage, "what is collected alone decides %s: nobody's word counts for it", p.ID).
				WithHint("partnerguard practices %s says what would decide it", p.ID)
		}
		return nil
	}
	if _, ok := partner.Find(s.Requirement); !ok {
		return problem.New(problem.Usage, "no requirement is called %.40q", s.Requirement).
			WithHint("partnerguard rules lists them, and partnerguard practices the best practices")
	}
	return nil
}

// addStatement adds to a file that appears under its name only when it is whole.
func addStatement(env *kit.Env, path string, s vouch.Statement) error {
	if path == "" || path == "-" {
		return problem.New(problem.Usage, "--file needs the name of a file")
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays one, and what it leads to is added to
	} else if _, here := os.Lstat(path); here == nil {
		return problem.Wrap(err, problem.BadInput, "%s is a link that leads nowhere%s", path, problem.Reason(err))
	}
	old, mode, err := readStatements(path)
	if err != nil {
		return err
	}
	text, err := vouch.Add(old, s)
	switch {
	case errors.Is(err, problem.Conflict):
		return problem.Wrap(err, problem.Conflict, "%s: %s", path, err)
	case err != nil:
		return problem.Wrap(err, problem.BadInput, "%s cannot be added to: %s", path, err).WithHint("mend the file, or name another with --file")
	}
	err = kit.WriteOut(env, path, func(w io.Writer) error {
		if now, _, err := readStatements(path); err != nil || !bytes.Equal(now, old) {
			return problem.New(problem.Conflict, "%s was changed meanwhile", path).WithHint("run the command again")
		}
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(path, mode); err != nil {
		return problem.Wrap(err, problem.BadInput, "%s was written, but who may read it could not be set%s", path, problem.Reason(err))
	}
	return nil
}

// readStatements reads a file that may not be there yet, with who may read it.
func readStatements(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0o644, nil // it is to be read by whoever reads the exports
	}
	if err != nil {
		return nil, 0, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", path, problem.Reason(err))
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, 0, problem.Wrap(err, problem.BadInput, "%s is no file that can be added to", path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, vouch.MaxFile+1))
	if err != nil {
		return nil, 0, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", path, problem.Reason(err))
	}
	return raw, info.Mode().Perm(), nil
}

func attestText(w io.Writer, s *vouch.Statement, path string, kept bool) error {
	clean := func(t string) string { return print.Clean(t, print.MaxName) }
	if s.Kind == vouch.Attestation {
		fmt.Fprintf(w, "%s attests %s from %s until %s, in %s\n", clean(s.Who), clean(s.Requirement), s.Since, s.Until, clean(path))
	} else {
		fmt.Fprintf(w, "%s answers for leaving out %s from %s until %s, in %s\n", clean(s.Who), print.First("", s.Account, s.What), s.Since, s.Until,
			clean(path))
	}
	command := "assess"
	if slices.ContainsFunc(partner.Practices(), func(p partner.Practice) bool { return p.ID == s.Requirement }) {
		command = "practices"
	}
	next := "keep it beside the exports, and run partnerguard " + command + " --from that folder"
	if kept {
		next = "what is collected is judged by it; partnerguard " + command + " --from archive: shows it"
	}
	_, err := fmt.Fprintf(w, "next: %s\n", next)
	return err
}

func newAttestList(env *kit.Env) *cobra.Command {
	var (
		in     source
		asOf   kit.Moment
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "list", Short: "List what is vouched for, and what came of it", Args: kit.NoArgs,
		Long: `list shows the attestations and exceptions among the inputs: whether each counts,
is contradicted by the evidence, is not needed, has ended or not begun.`,
		Example: `  partnerguard attest list --from exports/
  partnerguard attest list --from exports/ --as-of 2027-05-01 --output csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(in.from) == 0 {
				return problem.New(problem.Usage, "--from is needed: the folder that holds the file").
					WithHint("partnerguard attest list --from exports/")
			}
			bar := kit.NewProgress(env, "reading")
			r := in.reading(env, bar)
			r.Until, r.AsOf = asOf.End(), asOf.End()
			report, err := app.Assess(cmd.Context(), r, app.Question{AsOf: asOf.At, Now: env.Now().UTC()})
			bar.Done()
			if err != nil {
				return err
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return render.Vouches(w, report, output.Screen(env)) },
				"json": func(w io.Writer) error {
					return print.JSON(w, attestList{"partnerguard.attestations/1", report.AsOf, report.Attestations})
				},
				"csv": func(w io.Writer) error { return attestCSV(w, report.Attestations) },
			})
		},
	}
	in.register(env, cmd)
	cmd.Flags().Var(&asOf, "as-of", "look at it as of this date (default now)")
	output.RegisterFile(cmd)
	return cmd
}

type attestList struct {
	Schema       string         `json:"schema"`
	AsOf         time.Time      `json:"asOf"`
	Attestations []assess.Vouch `json:"attestations"`
}

func attestCSV(w io.Writer, list []assess.Vouch) error {
	out := print.NewSheet(w, "kind", "requirement", "account", "what", "who", "since", "until", "reason", "compensating_control", "approved_by", "state",
		"days_left", "effect", "text", "source")
	for i := range list {
		v := &list[i]
		left := ""
		if v.DaysLeft >= 0 {
			left = strconv.Itoa(v.DaysLeft)
		}
		out.Row(v.Kind, v.Requirement, v.Account, v.What, v.Who, v.Since, v.Until, v.Reason, v.CompensatingControl, v.ApprovedBy, v.State,
			left, v.Effect, v.Text, v.Source.String())
	}
	return out.Close()
}
