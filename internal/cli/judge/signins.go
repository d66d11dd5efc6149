package judge

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
)

func newSignIns(env *kit.Env) *cobra.Command {
	var (
		s      kit.Span
		from   []string
		k      kept
		output = kit.NewLines("text", "csv")
	)
	cmd := &cobra.Command{
		Use: "signins", Short: "Judge sign-ins one by one", Args: kit.NoArgs,
		Long: `signins judges every sign-in of the exports: challenged, satisfied by a claim in
the token, satisfied by an external provider, not challenged, interrupted,
failed, unknown, or not a user's. --output csv writes one row for each, with the
columns partners know; --output jsonl the same rows as JSON lines; text a
summary. Copies of a row count once, the newest wins.

Without --from it reads the embedded sample partner.`,
		Example: `  partnerguard signins --from exports/
  partnerguard signins --from exports/ --not-challenged --output csv > report.csv
  partnerguard signins --from exports/ --verdict unknown --account ada@contoso.com --output jsonl
  partnerguard signins --from - --since 2026-11-01 < signins.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.Check(); err != nil {
				return err
			}
			keep, err := k.rows()
			if err != nil {
				return err
			}
			if output.Value == "text" && keep != nil {
				return problem.New(problem.Usage, "--not-challenged, --verdict and --account choose rows, and text shows a summary of all").
					WithHint("add --output csv or --output jsonl")
			}
			bar := kit.NewProgress(env, "reading")
			r := app.Reading{
				From: from, Stdin: env.Stdin, Progress: bar.Set, Since: s.Since.At, Until: s.Until.End(), CSV: output.Value != "text", Keep: keep,
				Archive: env.Archive,
			}
			return kit.WriteOut(env, output.File, func(w io.Writer) error {
				dst, finish := io.Writer(nil), func(error) error { return nil }
				switch output.Value {
				case "csv":
					dst = w
				case "jsonl":
					dst, finish = jsonLines(w)
				}
				facts, err := app.Read(cmd.Context(), r, dst)
				bar.Done()
				if ferr := finish(err); err == nil {
					err = ferr
				}
				if err != nil {
					return err
				}
				kit.TellUnread(env, facts)
				if output.Value == "text" {
					return kit.Text(env, func(w io.Writer) error { return signInsText(w, facts.SignIns, output.Paint(env), kit.Width(env)) })(w)
				}
				return nil
			})
		},
	}
	kit.AddFrom(env, cmd, &from)
	kit.AddPlace(cmd)
	s.Register(cmd)
	k.register(cmd, &from)
	output.RegisterFile(cmd)
	return cmd
}

// kept are the flags that choose rows.
type kept struct {
	verdicts      []string
	notChallenged bool
	account       string
}

func (k *kept) register(cmd *cobra.Command, from *[]string) {
	cmd.Flags().BoolVar(&k.notChallenged, "not-challenged", false, "only successes that nothing asked MFA for")
	cmd.Flags().StringSliceVar(&k.verdicts, "verdict", nil, "only rows with this verdict; may be repeated ("+strings.Join(verdictNames(), ", ")+")")
	_ = cmd.RegisterFlagCompletionFunc("verdict", cobra.FixedCompletions(verdictNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringVar(&k.account, "account", "", "only rows of this user principal name or user id")
	kit.CompleteAccounts(cmd, "account", from)
}

// rows says which rows are kept; nil keeps all.
func (k *kept) rows() (func(*signin.Event, signin.Judgement) bool, error) {
	want := map[signin.Verdict]bool{}
	if k.notChallenged {
		want[signin.NotChallenged] = true
	}
	for _, name := range k.verdicts {
		v, ok := signin.ParseVerdict(strings.ReplaceAll(name, "-", "_"))
		if !ok {
			return nil, problem.New(problem.Usage, "no verdict is called %q", name).WithHint("verdicts: %s", strings.Join(verdictNames(), ", "))
		}
		want[v] = true
	}
	if len(want) == 0 && k.account == "" {
		return nil, nil
	}
	return func(e *signin.Event, j signin.Judgement) bool {
		return (len(want) == 0 || want[j.Verdict]) &&
			(k.account == "" || strings.EqualFold(e.UserPrincipalName, k.account) || strings.EqualFold(e.UserID, k.account))
	}, nil
}

func verdictNames() (names []string) {
	for _, v := range signin.Verdicts() {
		names = append(names, v.String())
	}
	return names
}

// jsonLines turns the CSV it is written into JSON lines with the same names.
// The apostrophe that guards a spreadsheet cell is taken off again.
func jsonLines(w io.Writer) (io.Writer, func(error) error) {
	pr, pw := io.Pipe()
	result := make(chan error, 1)
	go func() {
		err := copyJSON(w, pr)
		pr.CloseWithError(err) // unblocks the writer when the copy gave up
		result <- err
	}()
	return pw, func(err error) error {
		pw.CloseWithError(err) // nil means the end of the rows
		if got := <-result; got != nil && !errors.Is(got, err) {
			return got
		}
		return nil
	}
}

func copyJSON(w io.Writer, r io.Reader) error {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	header = slices.Clone(header)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	var line []byte
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		line = append(line[:0], '{')
		for i, cell := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(append(append(line, '"'), header[i]...), '"', ':')
			switch {
			case cell == "" || (cell == "true" || cell == "false") && isFlag(header[i]):
				if cell == "" {
					cell = "null"
				}
				line = append(line, cell...)
			default:
				text, err := json.Marshal(unguard(cell))
				if err != nil {
					return err
				}
				line = append(line, text...)
			}
		}
		line = append(line, '}')
		if err := enc.Encode(json.RawMessage(line)); err != nil {
			return err
		}
	}
}

func isFlag(column string) bool {
	return column == "loginSucceeded" || column == "mfaRequired" || column == "isLegacy" || column == "isAobo"
}

// unguard takes a leading apostrophe off where AppendCell put one.
func unguard(cell string) string {
	bare, ok := strings.CutPrefix(cell, "'")
	if ok && string(fold.AppendCell(nil, bare)) != bare && strings.Contains(string(fold.AppendCell(nil, bare)), "'") {
		return bare
	}
	return cell
}

func signInsText(w io.Writer, s *signin.Summary, p kit.Paint, width int) error {
	if s == nil || s.Rows == 0 {
		_, err := fmt.Fprintf(w, "No sign-in was found in the input. What reads the log is %s;\npartnerguard export plan has the lines to paste.\n",
			evidence.RequestFor(evidence.SignIn))
		return err
	}
	fmt.Fprintf(w, "%s\n", p.Bold(fmt.Sprintf("%d sign-ins", s.Rows)))
	if !s.First.IsZero() {
		fmt.Fprintf(w, "from %s to %s\n", s.First.Format("2006-01-02 15:04"), s.Last.Format("2006-01-02 15:04"))
	}
	for _, n := range []struct {
		n    int64
		text string
	}{{s.Duplicates, "further copies of a row were dropped"}, {s.OutOfRange, "were outside --since and --until"},
		{s.WithoutMFAFields, "come from an export that cannot show MFA (v1.0)"}} {
		if n.n > 0 {
			fmt.Fprintf(w, "%d %s\n", n.n, n.text)
		}
	}
	fmt.Fprintf(w, "\n  %-22s %9s %8s %8s\n", "verdict", "rows", "legacy", "AOBO")
	for _, v := range signin.Verdicts() {
		if s.Verdicts.Of(v) == 0 {
			continue
		}
		fmt.Fprintf(w, "  %-22s %9d %8d %8d\n", strings.ReplaceAll(v.String(), "_", " "), s.Verdicts.Of(v), s.Legacy.Of(v), s.AOBO.Of(v))
	}
	fmt.Fprintf(w, "\n  %9s  %s\n", "rows", "why")
	reasons := make([]signin.Reason, 0, len(s.Reasons))
	for r := range s.Reasons {
		reasons = append(reasons, r)
	}
	slices.SortFunc(reasons, func(a, b signin.Reason) int {
		if s.Reasons[a] != s.Reasons[b] {
			return int(s.Reasons[b] - s.Reasons[a])
		}
		return int(a) - int(b)
	})
	for _, r := range reasons {
		for i, line := range kit.Wrap(r.Text(), max(width-13, 30)) {
			if i == 0 {
				fmt.Fprintf(w, "  %9d  %s\n", s.Reasons[r], line)
			} else {
				fmt.Fprintf(w, "%13s%s\n", "", line)
			}
		}
	}
	_, err := fmt.Fprintf(w, "\nsignins --not-challenged --output csv lists the rows nothing asked MFA for\n")
	return err
}
