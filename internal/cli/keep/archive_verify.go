package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// archiveVerify are the flags of archive verify.
type archiveVerify struct{ from, trail, checkpoint, proof, key string }

func newArchiveVerify(env *kit.Env, open archiveOpen, in *kit.Installation) *cobra.Command {
	var v archiveVerify
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that no byte of the archive was changed, removed, added or moved", Args: kit.NoWords,
		Long: `verify reads every object of the archive and compares it with its row and with its
entry in the audit trail, verifies the trail, and compares that with its anchors,
and with checkpoints that you kept (--checkpoint, as trail verify takes it): a tree
that was put back to an older state does not fit them. Each segment that was
changed is named, with the bytes and pages that it was, each that is missing, and
each object that nobody recorded. What a write left that was interrupted is told
apart: it is no fault.

With --from and --trail it checks a copy of the archive against an export of the
trail, without any database. With --proof it checks what archive prove wrote, with
nothing else; --key names the key that you trust, as trail key printed it.

Exit code 3 says that something does not hold.`,
		Example: `  partnerguard archive verify
  partnerguard archive verify --checkpoint /mnt/other/partnerguard.checkpoints
  partnerguard archive verify --from /backup/archive --trail trail.jsonl
  partnerguard archive verify --proof page.proof --key partnerguard/trail/…+…`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := kit.NewProgress(env, "verifying")
			switch {
			case v.proof != "":
				if v.from != "" || v.trail != "" || v.checkpoint != "" {
					return problem.New(problem.Usage, "--proof goes with --key alone")
				}
				return v.verifyProof(env, in, &output)
			case (v.from != "") != (v.trail != ""):
				return problem.New(problem.Usage, "--from, a copy of the archive, and --trail, an export of the trail, go together").
					WithHint("partnerguard trail export --out trail.jsonl writes the one")
			case v.from != "":
				r, err := v.copy(cmd.Context(), env, bar)
				bar.Done()
				return tellVerified(env, &output, r, err)
			}
			return open.with(cmd.Context(), false, func(i *app.Installation) error {
				r, err := v.here(cmd.Context(), env, i, bar)
				bar.Done()
				return tellVerified(env, &output, r, err)
			})
		},
	}
	cmd.Flags().StringVar(&v.from, "from", "", "a copy of the archive, a folder or an address, instead of the archive")
	cmd.Flags().StringVar(&v.trail, "trail", "", "with --from: an export of the trail")
	cmd.Flags().StringVar(&v.checkpoint, "checkpoint", "", "a file of signed checkpoints, or a saved mail, to compare the trail with; - is standard input")
	cmd.Flags().StringVar(&v.proof, "proof", "", "what archive prove wrote; - is standard input")
	cmd.Flags().StringVar(&v.key, "key", "", "with --proof and --from: the key that verifies checkpoints (default the setting trailKey)")
	for _, name := range []string{"trail", "checkpoint", "proof"} {
		_ = cmd.MarkFlagFilename(name)
	}
	output.Register(cmd)
	return cmd
}

// here verifies the archive of an installation.
func (v *archiveVerify) here(ctx context.Context, env *kit.Env, i *app.Installation, bar *kit.Progress) (*archive.Report, error) {
	p := trailParts{Trail: i.Trail, Anchors: i.Keeper.Anchors, Verifiers: i.Keeper.Verifiers}
	t, err := verifyAnchored(ctx, env, p, nil, v.checkpoint)
	if err != nil {
		return nil, err
	}
	r, err := i.Archive.Verify(ctx, i.Trail, archive.Verifying{Progress: bar.Set})
	if err != nil {
		return nil, err
	}
	r.Trail = &t
	return r, nil
}

// verifiers are the key that was named.
func (v *archiveVerify) verifiers(setting string) ([]note.Verifier, error) {
	if v.key == "" {
		v.key = setting
	}
	if v.key == "" {
		return nil, nil
	}
	k, err := note.NewVerifier(v.key)
	if err != nil {
		return nil, problem.New(problem.Usage, "the key that verifies checkpoints cannot be read").WithHint("partnerguard trail key prints it")
	}
	return []note.Verifier{k}, nil
}

// copy verifies a copy of an archive against an export of the trail.
func (v *archiveVerify) copy(ctx context.Context, env *kit.Env, bar *kit.Progress) (*archive.Report, error) {
	known, err := v.verifiers("")
	if err != nil {
		return nil, err
	}
	var kept *trail.Marks
	if v.checkpoint != "" {
		raw, err := readSmall(env, v.checkpoint, 64<<20)
		if err != nil {
			return nil, err
		}
		kept = &trail.Marks{Name: "given:" + v.checkpoint}
		err = anchor.Checkpoints(ctx, bytes.NewReader(raw), known, func(m trail.Mark) error { kept.List = append(kept.List, m); return nil })
		if err != nil {
			return nil, err
		}
	}
	f, err := openFile(v.trail)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := archive.NewLedger()
	t, err := trail.ReadExport(f, nil, kept, func(e *trail.Entry) error { l.Add(e); return nil })
	if err != nil {
		return nil, err
	}
	if t.After > 0 {
		return nil, problem.New(problem.Usage, "%s begins after entry %d of the trail: what was kept before is not in it", v.trail, t.After).
			WithHint("partnerguard trail export --out trail.jsonl writes it whole")
	}
	r, err := archive.VerifyCopy(ctx, v.from, l, archive.Verifying{Progress: bar.Set})
	if err != nil {
		return nil, err
	}
	r.Trail = &t
	return r, nil
}

func tellVerified(env *kit.Env, output *kit.Output, r *archive.Report, err error) error {
	if err != nil {
		return err
	}
	if err := output.Answer(env, r, func(w io.Writer, p kit.Paint) error { return archiveVerifyText(w, r, p) }); err != nil {
		return err
	}
	return r.Err()
}

func archiveVerifyText(w io.Writer, r *archive.Report, p kit.Paint) error {
	head, do := "the archive holds", "hold"
	if r.Faults > 0 {
		head, do = "the archive does not hold", "do"
	}
	fmt.Fprintf(w, "%s: %s with %d pages %s, %s read", p.Bold(head), kit.Plural(r.Segments, "segment", "segments"), r.Pages, do, size(r.Bytes))
	if r.Removed > 0 {
		fmt.Fprintf(w, "; %d more were removed by policy", r.Removed)
	}
	fmt.Fprintln(w)
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(w, "  %-11s %s\n", f.Kind, print.Clean(f.Words, 600))
	}
	if r.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", r.More)
	}
	if !r.Rows {
		fmt.Fprintln(w, "no database was compared: this is a copy")
	}
	if r.Trail == nil {
		return nil
	}
	return verifyText(w, r.Trail, false, p)
}

// verifyProof checks a proof with nothing else.
func (v *archiveVerify) verifyProof(env *kit.Env, in *kit.Installation, output *kit.Output) error {
	raw, err := readSmall(env, v.proof, archive.MaxProof)
	if err != nil {
		return err
	}
	p, err := archive.ReadProof(raw)
	if err != nil {
		return err
	}
	setting := ""
	if c, err := in.Config(env); err == nil && v.key == "" { // a proof is checked where there are no settings, too
		setting = c.Anchor.Key
	}
	by, err := v.verifiers(setting)
	if err != nil {
		return err
	}
	got, err := p.Verify(by...)
	if err != nil {
		return err
	}
	return output.Answer(env, got, func(w io.Writer, p kit.Paint) error {
		pg := &got.Page
		fmt.Fprintf(w, "%s: this page was archived as it is\n", p.Bold("the proof holds"))
		say := func(label, format string, args ...any) {
			fmt.Fprintf(w, "  %-11s %s\n", label, print.Clean(fmt.Sprintf(format, args...), 400))
		}
		say("request", "%s", pg.Request)
		say("tenant", "%s", pg.Tenant)
		say("answered", "%s UTC, status %d, request id %s", pg.At.UTC().Format(time.DateTime), pg.Status, pg.RequestID)
		say("page", "number %d of the reading %s of %s, %d bytes, SHA-256 %s", pg.Number, pg.Run, pg.Resource, got.Bytes, got.SHA256)
		say("segment", "%s, kept by entry %d of the trail at %s UTC", got.Segment, got.Seq, got.Kept.At.UTC().Format(time.DateTime))
		say("checkpoint", "%s, %d entries, %s", got.Checkpoint.Origin, got.Checkpoint.Size, got.Checkpoint.Root)
		if !got.Signed {
			_, err := fmt.Fprintln(w, "whose checkpoint it is was not checked: --key names the key that you trust, as trail key printed it")
			return err
		}
		_, err := fmt.Fprintln(w, "the checkpoint is signed by the key that you named")
		return err
	})
}

func newArchiveProve(env *kit.Env, open archiveOpen) *cobra.Command {
	var (
		w      = archive.Which{Page: -1}
		out    string
		signed string
	)
	cmd := &cobra.Command{
		Use: "prove SEGMENT", Short: "Write a proof that one page was archived as it is",
		Long: `prove writes a file that shows, to whoever has the key of the trail's checkpoints and
nothing else, that one page was archived as it is: the page, the hashes up to the
root of its segment, the entry of the audit trail that kept it, and the hashes from
there to a signed checkpoint. --record finds the page that holds a text, such as the
id of a sign-in. The page's content is in the proof, in full.`,
		Example: `  partnerguard archive prove 20261101T120000Z-0a1b2c3d4e5f --page 3 --out page.proof
  partnerguard archive prove 20261101T120000Z-0a1b2c3d4e5f --record 1c9f2d… --out page.proof
  partnerguard archive verify --proof page.proof --key "$(partnerguard trail key)"`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "it takes the name of a segment, and nothing else").
			WithHint("partnerguard archive list names them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (w.Page >= 0) == (w.Record != "") {
				return problem.New(problem.Usage, "say which page: --page N, or --record TEXT that it holds")
			}
			return open.with(cmd.Context(), signed == "", func(i *app.Installation) error {
				s, err := i.Archive.Segment(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				cp, err := signedCheckpoint(cmd.Context(), env, i, signed)
				if err != nil {
					return err
				}
				p, err := i.Archive.Prove(cmd.Context(), i.Trail, s, w, cp)
				if err != nil {
					return err
				}
				if out != "" && out != "-" {
					kit.Next(env, "partnerguard archive verify --proof %s --key KEY, anywhere; partnerguard trail key prints the key", kit.Quoted(out))
				}
				if err := kit.WriteOut(env, out, func(w io.Writer) error { return print.JSON(w, p) }); err != nil {
					return err
				}
				if out != "" && out != "-" {
					fmt.Fprintf(env.Stderr, "partnerguard: wrote %s\n", print.Clean(out, 300))
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&w.Page, "page", -1, "the number of the page in the segment, from 0")
	cmd.Flags().StringVar(&w.Record, "record", "", "a text that the page holds whole, such as a record's id")
	cmd.Flags().StringVar(&signed, "checkpoint", "", "prove under this signed checkpoint, such as one that a witness cosigned (default one signed now)")
	_ = cmd.MarkFlagFilename("checkpoint")
	kit.AddOut(cmd, &out)
	return cmd
}

// signedCheckpoint is one that was kept, or one of now.
func signedCheckpoint(ctx context.Context, env *kit.Env, i *app.Installation, path string) ([]byte, error) {
	if path == "" {
		cp, err := i.Keeper.Sign(ctx)
		if errors.Is(err, problem.NotFound) {
			return nil, problem.Wrap(err, problem.NotFound, "there is no key that signs checkpoints").WithHint("partnerguard trail key makes it")
		}
		return cp, err
	}
	return readSmall(env, path, 64<<10)
}
