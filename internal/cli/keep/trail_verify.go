package keep

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

func newTrailVerify(env *kit.Env, open trailOpen) *cobra.Command {
	var head, from, checkpoint string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that nothing in the trail was changed, removed or moved", Args: kit.NoWords,
		Long: `verify reads the whole trail and names the first entry at which it does not hold.
Then it compares the trail with every anchor that it can read (the setting
anchors), and says which it could not: each checkpoint that an anchor holds must be
one that this trail went through. It ends with exit code 3 where something does not
fit. With --from it checks an export, without any database; with --checkpoint it
compares checkpoints that somebody kept, such as the messages of a syslog server or
a saved mail.`,
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
				if err := output.Answer(env, r, func(w io.Writer, p kit.Paint) error { return verifyText(w, &r, wanted != nil, p) }); err != nil {
					return err
				}
				return r.Err()
			}
			if from != "" && checkpoint != "" {
				return problem.New(problem.Usage, "--from and --checkpoint do not go together")
			}
			switch from {
			case "":
				return withTrail(cmd.Context(), open, keyIfAny, func(p trailParts) error {
					return tell(verifyAnchored(cmd.Context(), env, p, wanted, checkpoint))
				})
			case "-":
				return tell(trail.VerifyExport(env.Input(), wanted))
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
	cmd.Flags().StringVar(&checkpoint, "checkpoint", "",
		"a file of signed checkpoints, or a saved mail, to compare with besides the anchors; - is standard input")
	_ = cmd.MarkFlagFilename("from")
	_ = cmd.MarkFlagFilename("checkpoint")
	output.Register(cmd)
	return cmd
}

func verifyText(w io.Writer, r *trail.Report, headGiven bool, p kit.Paint) error {
	if r.Bad != nil {
		_, err := fmt.Fprintf(w, "%s at entry %d: %s\n%d entries before it hold\n", p.Bold("the trail does not hold"), r.Bad.Seq, r.Bad.Words, r.Entries)
		return err
	}
	fmt.Fprintf(w, "%s: %d entries", p.Bold("the trail holds"), r.Entries)
	if r.After > 0 {
		fmt.Fprintf(w, " after entry %d", r.After)
	}
	if headGiven {
		fmt.Fprint(w, ", and the head that was written down is among them")
	}
	fmt.Fprintf(w, "\nhead: entry %d, %s\n", r.Head.Seq, r.Head.Hash)
	if len(r.Anchors) == 0 {
		_, err := fmt.Fprintln(w, "no anchor was compared: write the head down elsewhere, or set anchors, or nobody sees it when the end is cut off")
		return err
	}
	for _, a := range r.Anchors {
		name := print.Clean(a.Anchor, 120)
		var err error
		switch {
		case a.Misfit != "":
			_, err = fmt.Fprintf(w, "%s %s: %s\n", p.Bold("does not fit"), name, print.Clean(a.Misfit, 400))
		case a.Marks == 0:
			_, err = fmt.Fprintf(w, "not compared %s: %s\n", name, print.Clean(a.Unsaid, 400))
		default:
			_, err = fmt.Fprintf(w, "fits         %s: %s, the newest of %s\n", name, kit.Plural(int(a.Marks), "checkpoint", "checkpoints"),
				kit.Plural(int(a.Size), "entry", "entries"))
			if a.Unsaid != "" && err == nil {
				_, err = fmt.Fprintf(w, "             %s\n", print.Clean(a.Unsaid, 400))
			}
		}
		if err != nil {
			return err
		}
	}
	for _, e := range r.Restored {
		if _, err := fmt.Fprintf(w, "entry %d of %s says: %s\n", e.Seq, e.At.UTC().Format(time.DateTime), print.Clean(e.Reason, 300)); err != nil {
			return err
		}
	}
	return nil
}

// verifyAnchored verifies the trail and compares it with its anchors and with a
// file of checkpoints.
func verifyAnchored(ctx context.Context, env *kit.Env, p trailParts, wanted *trail.Hash, checkpoint string) (trail.Report, error) {
	list, err := p.Anchors()
	if err != nil {
		return trail.Report{}, err
	}
	var known []note.Verifier
	if len(list) > 0 || checkpoint != "" {
		if known, err = p.Verifiers(ctx); err != nil {
			return trail.Report{}, err
		}
	}
	if checkpoint != "" {
		r := env.Input()
		if checkpoint != "-" {
			f, err := os.Open(checkpoint)
			if err != nil {
				return trail.Report{}, problem.Wrap(err, problem.NotFound, "%s cannot be opened", checkpoint)
			}
			defer f.Close()
			r = f
		}
		list = append(list, given{checkpoint, r})
	}
	return p.Trail.VerifyAnchored(ctx, wanted, known, list)
}

// given is a file of checkpoints from the command line, as an anchor.
type given struct {
	name string
	r    io.Reader
}

func (g given) Name() string       { return "given:" + g.name }
func (given) Every() time.Duration { return 0 }
func (given) Send(context.Context, *trail.Sending) ([]byte, error) {
	return nil, problem.New(problem.Internal, "it takes none")
}
func (g given) Held(ctx context.Context, known []note.Verifier, _ []trail.Kept, each func(trail.Mark) error) error {
	return anchor.Checkpoints(ctx, g.r, known, each)
}

func newTrailAnchor(env *kit.Env, open trailOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "anchor", Short: "Send a signed checkpoint of the trail to every anchor now", Args: kit.NoWords,
		Long: `anchor signs where the trail stands and hands it to every anchor of the settings, as
serve does by itself. An anchor that cannot be reached is recorded in the trail as
a gap. It ends with exit code 1 when one was not reached and 3 when one holds what
does not fit the trail. Put it into a timer where serve does not run.`,
		Example: "  partnerguard trail anchor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTrail(cmd.Context(), open, signs, func(p trailParts) error {
				list, err := p.Send(cmd.Context())
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return problem.New(problem.Usage, "no anchor is set").
						WithHint("name one in the settings file, for example anchors: [{file: /mnt/other/partnerguard.checkpoints}]")
				}
				if err := standings(env, output.Value, list); err != nil {
					return err
				}
				return p.failing(cmd.Context(), list)
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// failing is an error that names what was not reached, or does not fit.
func (p trailParts) failing(ctx context.Context, list []trail.Standing) error {
	for _, s := range list {
		if s.Failing.IsZero() {
			continue
		}
		if s.Misfit {
			return problem.New(problem.Unmet, "the anchor %s does not fit the trail: %s", s.Anchor, s.Reason).WithHint("partnerguard trail verify")
		}
		return problem.New(problem.BadInput, "the anchor %s was not reached: %s", s.Anchor, s.Reason)
	}
	return ctx.Err()
}

func newTrailStatus(env *kit.Env, open trailOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show how far each anchor is, and which are not reached", Args: kit.NoWords,
		Long:    "status shows how far each anchor is. Exit code 3 says that one is not reached, or does\nnot fit the trail.",
		Example: "  partnerguard trail status --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTrail(cmd.Context(), open, noVault, func(p trailParts) error {
				had, err := p.Trail.Standings(cmd.Context())
				if err != nil {
					return err
				}
				set, err := p.Anchors()
				if err != nil {
					return err
				}
				head, err := p.Trail.Head(cmd.Context())
				if err != nil {
					return err
				}
				list := []trail.Standing{}
				for _, a := range set {
					s := trail.Standing{Anchor: a.Name()}
					for _, h := range had {
						if h.Anchor == s.Anchor {
							s = h
						}
					}
					list = append(list, s)
				}
				if output.Value == "text" {
					fmt.Fprintf(env.Stdout, "the trail has %d entries\n", head.Seq)
					if len(list) == 0 {
						fmt.Fprintln(env.Stdout, "no anchor is set: whoever may write the database can cut or rewrite the trail unseen")
					}
				}
				if err := standings(env, output.Value, list); err != nil {
					return err
				}
				return gaps(list)
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// gaps is an error of kind [problem.Unmet] where an anchor lacks what the trail has.
func gaps(list []trail.Standing) error {
	n := 0
	for _, s := range list {
		if !s.Failing.IsZero() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return problem.New(problem.Unmet, "%s not take what the trail writes", kit.Plural(n, "anchor does", "anchors do")).
		WithHint("the reason is beside it; once it answers again what it lacks is sent")
}

func standings(env *kit.Env, output string, list []trail.Standing) error {
	if output == "json" {
		return print.JSON(env.Stdout, list)
	}
	for _, s := range list {
		var err error
		name := print.Clean(s.Anchor, 120)
		switch {
		case !s.Failing.IsZero():
			_, err = fmt.Fprintf(env.Stdout, "GAP       %s: since %s: %s (it has %d entries)\n",
				name, s.Failing.Format(time.DateTime), print.Clean(s.Reason, 400), s.Size)
		case s.At.IsZero():
			_, err = fmt.Fprintf(env.Stdout, "never     %s: no checkpoint was sent yet\n", name)
		default:
			_, err = fmt.Fprintf(env.Stdout, "anchored  %s: %d entries at %s\n", name, s.Size, s.At.Format(time.DateTime))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func newTrailKey(env *kit.Env, open trailOpen) *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the key that verifies the trail's checkpoints", Args: kit.NoWords,
		Long: `key prints the verifier's key of the trail's checkpoints (C2SP signed-note). It is not
secret. Give it to a witness; and set it as trailKey where trail verify runs, so that
it trusts no key that comes with the database.`,
		Example: "  partnerguard trail key",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTrail(cmd.Context(), open, signs, func(p trailParts) error {
				k, err := p.Key(cmd.Context())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(env.Stdout, k)
				return err
			})
		},
	}
}
