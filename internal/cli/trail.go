package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/audit"
	"partnerguard/internal/console"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// trailOpen opens the audit trail of the configured database; the function it
// gives closes it.
type trailOpen func(ctx context.Context) (*trail.Trail, func() error, error)

func newTrail(env *Env, open func(ctx context.Context) (*trail.Trail, func() error, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use: "trail", Short: "Show, verify and export the audit trail",
		Long: `trail reads the audit trail: every consent, renewal, token handed out or refused,
approval and change of the vault. Each entry carries a hash over the entry before
it, so that none can be changed, removed or moved unseen.

Whoever may write the whole database could still write a whole new trail, or cut
off its end. So write the head that trail verify prints down elsewhere from time
to time, and give it back with --head.`,
		Example: `  partnerguard trail list --action token.issued --since 2026-11-01
  partnerguard trail verify
  partnerguard trail verify --head 5f1c…
  partnerguard trail export --out trail.jsonl
  partnerguard trail verify --from trail.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return problem.New(problem.Usage, "trail does not know %.40q", args[0]).WithHint("it knows list, verify and export")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTrailList(env, open), newTrailVerify(env, open), newTrailExport(env, open))
	return cmd
}

// withTrail opens the trail, works with it and closes it.
func withTrail(ctx context.Context, open trailOpen, work func(*trail.Trail) error) error {
	t, done, err := open(ctx)
	if err != nil {
		return err
	}
	err = work(t)
	if cerr := done(); err == nil {
		err = cerr
	}
	return err
}

func newTrailList(env *Env, open trailOpen) *cobra.Command {
	var q trail.Query
	var s span
	output := choice{value: "text", allowed: []string{"text", "json"}}
	outcome := choice{allowed: []string{string(audit.Done), string(audit.Refused), string(audit.Failed)}}
	cmd := &cobra.Command{
		Use: "list", Short: "Show entries, newest first", Args: noWords,
		Long: `list shows the newest entries that match every flag. A word that ends in * matches
what begins with the rest.`,
		Example: `  partnerguard trail list
  partnerguard trail list --action 'token.*' --outcome refused
  partnerguard trail list --actor mtls:billing --since 2026-11-01 --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Limit < 1 || q.Limit > 1000 {
				return problem.New(problem.Usage, "--limit must be between 1 and 1000, got %d", q.Limit)
			}
			if err := s.check(); err != nil {
				return err
			}
			q.From, q.To, q.Outcome = s.since.at, s.until.end(), audit.Outcome(outcome.value)
			return withTrail(cmd.Context(), open, func(t *trail.Trail) error {
				f, err := t.Search(cmd.Context(), q)
				if err != nil {
					return err
				}
				if output.value == "json" {
					return console.JSON(env.Stdout, f)
				}
				return trailText(env.Stdout, &f, paint{on: colour(env)}, width(env))
			})
		},
	}
	cmd.Flags().Var(&s.since, "since", "entries from this date or time on")
	cmd.Flags().Var(&s.until, "until", "entries up to this date (inclusive) or time (exclusive)")
	cmd.Flags().StringVar(&q.Action, "action", "", "what was done, e.g. token.issued or token.*")
	cmd.Flags().StringVar(&q.Actor, "actor", "", "who did it, e.g. mtls:billing")
	cmd.Flags().StringVar(&q.Object, "object", "", "to what: a connection's id, a customer's tenant id")
	cmd.Flags().StringVar(&q.Tenant, "tenant", "", "the tenant id it concerns")
	cmd.Flags().Int64Var(&q.Before, "before", 0, "only entries with a smaller number: the next page")
	cmd.Flags().IntVar(&q.Limit, "limit", 50, "how many entries, 1 to 1000")
	addChoice(cmd, &outcome, "outcome", "how it ended")
	addChoice(cmd, &output, "output", "how to print")
	return cmd
}

func trailText(w io.Writer, f *trail.Found, p paint, width int) error {
	if len(f.Entries) == 0 {
		fmt.Fprintln(w, "no entry matches")
	}
	for i := range f.Entries {
		e := &f.Entries[i]
		outcome := string(e.Outcome)
		if e.Outcome != audit.Done {
			outcome = p.bold(outcome)
		}
		fmt.Fprintf(w, "%6d  %s  %s  %s  %s\n", e.Seq, e.At.UTC().Format(time.DateTime), p.bold(console.Clean(string(e.Action), 60)), outcome, console.Clean(e.Actor, 80))
		var more []string
		for _, v := range []struct{ name, word string }{{"object", e.Object}, {"tenant", e.Tenant}} {
			if v.word != "" {
				more = append(more, v.name+" "+console.Clean(v.word, 120))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.Details)) {
			more = append(more, console.Clean(name, 40)+" "+console.Clean(e.Details[name], 200))
		}
		for _, line := range []string{console.Clean(e.Reason, 600), strings.Join(more, ", ")} {
			if line == "" {
				continue
			}
			for _, part := range console.Wrap(line, max(width-8, 40)) {
				fmt.Fprintf(w, "        %s\n", part)
			}
		}
	}
	if f.Unread > 0 {
		fmt.Fprintf(w, "\n%s\n", p.bold(fmt.Sprintf("%d entries could not be read: run partnerguard trail verify", f.Unread)))
	}
	if f.Next > 0 {
		fmt.Fprintf(w, "\nthere is more: --before %d\n", f.Next)
	}
	return nil
}

func newTrailVerify(env *Env, open trailOpen) *cobra.Command {
	var head, from string
	output := choice{value: "text", allowed: []string{"text", "json"}}
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that nothing in the trail was changed, removed or moved", Args: noWords,
		Long: `verify reads the whole trail and names the first entry at which the chain does not
hold. It ends with exit code 3 there. With --from it checks an export, without
any database.`,
		Example: `  partnerguard trail verify
  partnerguard trail verify --head 5f1c…   # a head that an earlier run printed
  partnerguard trail verify --from trail.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var wanted *trail.Hash
			if head != "" {
				h, err := trail.ParseHash(strings.ToLower(strings.TrimSpace(head)))
				if err != nil {
					return problem.Wrap(err, problem.Usage, "--head: %s", err)
				}
				wanted = &h
			}
			tell := func(r trail.Report, err error) error {
				if err != nil {
					return err
				}
				if output.value == "json" {
					err = console.JSON(env.Stdout, r)
				} else {
					err = verifyText(env.Stdout, &r, wanted != nil, paint{on: colour(env)})
				}
				if err != nil {
					return err
				}
				return r.Err()
			}
			switch from {
			case "":
				return withTrail(cmd.Context(), open, func(t *trail.Trail) error { return tell(t.Verify(cmd.Context(), wanted)) })
			case "-":
				return tell(trail.VerifyExport(env.Stdin, wanted))
			}
			f, err := os.Open(from)
			if err != nil {
				return problem.Wrap(err, problem.NotFound, "%s cannot be opened", from)
			}
			defer f.Close()
			return tell(trail.VerifyExport(f, wanted))
		},
	}
	cmd.Flags().StringVar(&head, "head", "", "the hash of a head written down before: it must be in the trail")
	cmd.Flags().StringVar(&from, "from", "", "an export to check instead of the database; - is standard input")
	_ = cmd.MarkFlagFilename("from")
	addChoice(cmd, &output, "output", "how to print")
	return cmd
}

func verifyText(w io.Writer, r *trail.Report, headGiven bool, p paint) error {
	if r.Bad != nil {
		_, err := fmt.Fprintf(w, "%s at entry %d: %s\n%d entries before it hold\n", p.bold("the trail does not hold"), r.Bad.Seq, r.Bad.Words, r.Entries)
		return err
	}
	fmt.Fprintf(w, "%s: %d entries", p.bold("the trail holds"), r.Entries)
	if r.After > 0 {
		fmt.Fprintf(w, " after entry %d", r.After)
	}
	if headGiven {
		fmt.Fprint(w, ", and the head that was written down is among them")
	}
	_, err := fmt.Fprintf(w, "\nhead: entry %d, %s\nwrite it down elsewhere: trail verify --head then shows whether the end was cut off\n", r.Head.Seq, r.Head.Hash)
	return err
}

func newTrailExport(env *Env, open trailOpen) *cobra.Command {
	var out string
	var after int64
	cmd := &cobra.Command{
		Use: "export", Short: "Write the trail as JSON Lines that can be checked without the database", Args: noWords,
		Long: `export writes a first line about the export, then one line an entry: its hash and
the bytes that were hashed. trail verify --from checks it; so can anyone: the hash
of an entry is SHA-256 over the 32 bytes of the hash before it, followed by the
bytes of "entry".`,
		Example: "  partnerguard trail export --out trail.jsonl\n  partnerguard trail export --after 12000 > new.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTrail(cmd.Context(), open, func(t *trail.Trail) error {
				var head trail.Head
				err := writeOut(env, out, func(w io.Writer) (err error) {
					head, err = t.Export(cmd.Context(), w, after)
					return err
				})
				if err == nil && out != "" && out != "-" {
					_, err = fmt.Fprintf(env.Stderr, "head: entry %d, %s\n", head.Seq, head.Hash)
				}
				return err
			})
		},
	}
	addOut(cmd, &out)
	cmd.Flags().Int64Var(&after, "after", 0, "only entries after this number")
	return cmd
}
