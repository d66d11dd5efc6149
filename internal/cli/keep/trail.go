package keep

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// trailParts are what the trail's commands work with.
type trailParts struct {
	Trail     *trail.Trail
	Anchors   func() ([]trail.Anchor, error)
	Verifiers func(context.Context) ([]note.Verifier, error) // of checkpoints
	Send      func(context.Context) ([]trail.Standing, error)
	Key       func(context.Context) (string, error)
	Close     func() error
}

// trailOpen opens the audit trail of the configured database: with the vault for
// what signs, or, where it helps and can be had, for what checks.
type trailOpen func(ctx context.Context, need trailNeed) (trailParts, error)

type trailNeed int

const (
	noVault trailNeed = iota
	keyIfAny
	signs
)

func newTrail(env *kit.Env, open trailOpen) *cobra.Command {
	cmd := &cobra.Command{
		Use: "trail", Short: "Show, verify and export the audit trail",
		Long: `trail reads the audit trail: every consent, renewal, token handed out or refused,
approval and change of the vault. The entries make a Merkle tree (RFC 6962), so that
none can be changed, removed or moved unseen.

Whoever may write the whole database could still write a whole new trail, or cut
off its end. So signed checkpoints of it go to anchors, places that the database's
owner does not hold: the setting anchors names them, serve sends them, trail anchor
sends them now, and trail verify compares. A head that trail verify printed and
that was written down does the same, with --head.`,
		Example: `  partnerguard trail list --action token.issued --since 2026-11-01
  partnerguard trail verify
  partnerguard trail anchor
  partnerguard trail status
  partnerguard trail export --out trail.jsonl
  partnerguard trail verify --from trail.jsonl`,
		Args: kit.Only("trail", "list, verify, export, anchor, status and key"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTrailList(env, open), newTrailVerify(env, open), newTrailExport(env, open),
		newTrailAnchor(env, open), newTrailStatus(env, open), newTrailKey(env, open))
	return cmd
}

// withTrail opens the trail, works with it and closes it.
func withTrail(ctx context.Context, open trailOpen, need trailNeed, work func(trailParts) error) error {
	p, err := open(ctx, need)
	if err != nil {
		return err
	}
	return kit.Closing(work(p), p.Close)
}

func newTrailList(env *kit.Env, open trailOpen) *cobra.Command {
	var q trail.Query
	var s kit.Span
	output := kit.NewOutput("text", "json")
	outcome := kit.Choice{Allowed: []string{string(audit.Done), string(audit.Refused), string(audit.Failed)}}
	cmd := &cobra.Command{
		Use: "list", Short: "Show entries, newest first", Args: kit.NoWords,
		Long: `list shows the newest entries that match every flag. A word that ends in * matches
what begins with the rest.`,
		Example: `  partnerguard trail list
  partnerguard trail list --action 'token.*' --outcome refused
  partnerguard trail list --actor mtls:billing --since 2026-11-01 --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Limit < 1 || q.Limit > 1000 {
				return problem.New(problem.Usage, "--limit must be between 1 and 1000, got %d", q.Limit)
			}
			if err := s.Check(); err != nil {
				return err
			}
			q.From, q.To, q.Outcome = s.Since.At, s.Until.End(), audit.Outcome(outcome.Value)
			return withTrail(cmd.Context(), open, noVault, func(p trailParts) error {
				f, err := p.Trail.Search(cmd.Context(), q)
				if err != nil {
					return err
				}
				return output.Answer(env, f, func(w io.Writer, _ kit.Paint) error {
					return trailText(w, &f, kit.NewPaint(env), kit.Width(env))
				})
			})
		},
	}
	cmd.Flags().Var(&s.Since, "since", "entries from this date or time on")
	cmd.Flags().Var(&s.Until, "until", "entries up to this date (inclusive) or time (exclusive)")
	cmd.Flags().StringVar(&q.Action, "action", "", "what was done, e.g. token.issued or token.*")
	cmd.Flags().StringVar(&q.Actor, "actor", "", "who did it, e.g. mtls:billing")
	cmd.Flags().StringVar(&q.Object, "object", "", "to what: a connection's id, a customer's tenant id")
	cmd.Flags().StringVar(&q.Tenant, "tenant", "", "the tenant id it concerns")
	cmd.Flags().Int64Var(&q.Before, "before", 0, "only entries with a smaller number: the next page")
	cmd.Flags().IntVar(&q.Limit, "limit", 50, "how many entries, 1 to 1000")
	kit.AddChoice(cmd, &outcome, "outcome", "how it ended")
	output.Register(cmd)
	return cmd
}

func trailText(w io.Writer, f *trail.Found, p kit.Paint, width int) error {
	if len(f.Entries) == 0 {
		fmt.Fprintln(w, "no entry matches")
	}
	for i := range f.Entries {
		e := &f.Entries[i]
		outcome := string(e.Outcome)
		if e.Outcome != audit.Done {
			outcome = p.Bold(outcome)
		}
		fmt.Fprintf(w, "%6d  %s  %s  %s  %s\n", e.Seq, e.At.UTC().Format(time.DateTime), p.Bold(print.Clean(string(e.Action), 60)), outcome,
			print.Clean(e.Actor, 80))
		var more []string
		for _, v := range []struct{ name, word string }{{"object", e.Object}, {"tenant", e.Tenant}} {
			if v.word != "" {
				more = append(more, v.name+" "+print.Clean(v.word, 120))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(e.Details)) {
			more = append(more, print.Clean(name, 40)+" "+print.Clean(e.Details[name], 200))
		}
		for _, line := range []string{print.Clean(e.Reason, 600), strings.Join(more, ", ")} {
			if line == "" {
				continue
			}
			for _, part := range print.Wrap(line, max(width-8, 40)) {
				fmt.Fprintf(w, "        %s\n", part)
			}
		}
	}
	if f.Unread > 0 {
		fmt.Fprintf(w, "\n%s\n", p.Bold(fmt.Sprintf("%d entries could not be read: run partnerguard trail verify", f.Unread)))
	}
	if f.Next > 0 {
		fmt.Fprintf(w, "\nthere is more: --before %d\n", f.Next)
	}
	return nil
}

func newTrailExport(env *kit.Env, open trailOpen) *cobra.Command {
	var out string
	var after int64
	cmd := &cobra.Command{
		Use: "export", Short: "Write the trail as JSON Lines that can be checked without the database", Args: kit.NoWords,
		Long: `export writes a first line about the export, then one line an entry, and a last line
with the root of the tree. trail verify --from checks it; so can anyone: the hash of
an entry is SHA-256 over a zero byte and the bytes of "entry", and the root is that
of RFC 6962. Entries of before the tree carry the hash of the chain they were in:
SHA-256 over the 32 bytes of the hash before, followed by the bytes of "entry".`,
		Example: "  partnerguard trail export --out trail.jsonl\n  partnerguard trail export --after 12000 > new.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTrail(cmd.Context(), open, noVault, func(p trailParts) error {
				var head trail.Head
				err := kit.WriteOut(env, out, func(w io.Writer) (err error) {
					head, err = p.Trail.Export(cmd.Context(), w, after)
					return err
				})
				if err == nil && out != "" && out != "-" {
					_, err = fmt.Fprintf(env.Stderr, "head: entry %d, %s\n", head.Seq, head.Hash)
				}
				return err
			})
		},
	}
	kit.AddOut(cmd, &out)
	cmd.Flags().Int64Var(&after, "after", 0, "only entries after this number")
	return cmd
}

// newSettledTrail makes trail, with what it takes of the installation.
func newSettledTrail(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := newTrail(env, func(ctx context.Context, need trailNeed) (trailParts, error) {
		o, err := in.Options(ctx, env)
		if err != nil {
			return trailParts{}, err
		}
		var s *app.Installation
		switch {
		case need == signs:
			s, err = app.Open(ctx, o)
		case need == keyIfAny && len(o.Config.Anchor.Places) > 0 && o.Config.Anchor.Key == "":
			// Without the vault the rest can still be said.
			if s, err = app.Open(ctx, o); err != nil && ctx.Err() == nil {
				fmt.Fprintf(env.Stderr, "partnerguard: the vault does not open, so signatures of checkpoints are not checked: set trailKey\n")
				s, err = app.OpenData(ctx, o)
			}
		default:
			s, err = app.OpenData(ctx, o)
		}
		if s, err = kit.Opened(env, s, err); err != nil {
			return trailParts{}, err
		}
		return trailParts{Trail: s.Trail, Anchors: s.Keeper.Anchors, Verifiers: s.Keeper.Verifiers, Close: s.Close,
			Send: func(ctx context.Context) ([]trail.Standing, error) { return s.Keeper.Send(ctx, true) }, Key: s.Keeper.Key}, nil
	})
	in.Register(cmd)
	return cmd
}
