package keep

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// archiveOpen opens an installation that is there, with its vault for what signs.
type archiveOpen func(ctx context.Context, signs bool) (*app.Installation, error)

func (open archiveOpen) with(ctx context.Context, signs bool, work func(*app.Installation) error) error {
	s, err := open(ctx, signs)
	if err != nil {
		return err
	}
	return kit.Closing(work(s), s.Close)
}

func newArchive(env *kit.Env) *cobra.Command {
	var in kit.Installation
	open := func(ctx context.Context, signs bool) (*app.Installation, error) {
		if signs {
			return openKept(ctx, env, &in)
		}
		s, err := in.Data(ctx, env, false)
		if err != nil && problem.HintOf(err) == "" {
			if p, ok := err.(*problem.Error); ok { //nolint:errorlint // of this very call
				err = p.WithHint("partnerguard up collects from a partner cloud; --data names another folder")
			}
		}
		return s, err
	}
	cmd := &cobra.Command{
		Use: "archive", Short: "Show, verify, prove and export what was collected",
		Long: `archive looks after the pages that were collected: Microsoft's answers as they came,
compressed, in segments that are written whole or not at all. Each segment is an
entry of the audit trail, so the trail's checkpoints and anchors vouch for every
byte of it, and one page can be proved without the rest.

Commands that read exports read the archive by --from archive:, or
--from archive:TENANT, as of any moment.`,
		Example: `  partnerguard archive list
  partnerguard archive verify
  partnerguard archive export exports/ --as-of 2026-09-30
  partnerguard archive prove 20261101T120000Z-0a1b2c3d4e5f --record 1c9f… --out page.proof
  partnerguard assess --from archive: --as-of 2026-09-30`,
		Args: kit.Only("archive", "list, verify, export, prove and restore"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newArchiveList(env, open), newArchiveVerify(env, open, &in), newArchiveExport(env, open), newArchiveProve(env, open),
		newArchiveRestore(env, open))
	in.Register(cmd)
	return cmd
}

// archiveList is what list answers.
type archiveList struct {
	Schema   string            `json:"schema"`
	Segments []archive.Segment `json:"segments"`
	More     bool              `json:"more"` // there are more than --limit
	Total    archive.Total     `json:"total"`
}

func newArchiveList(env *kit.Env, open archiveOpen) *cobra.Command {
	var (
		q      archive.Query
		s      kit.Span
		limit  int
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "list", Short: "List the segments: of whom, of when, how large", Args: kit.NoWords,
		Long: `list shows the segments in the order in which they were kept, the newest last. What
policy removed is listed as such.`,
		Example: `  partnerguard archive list
  partnerguard archive list --resource users --since 2026-11-01
  partnerguard archive list --output json | jq -r '.segments[].name'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.Check(); err != nil {
				return err
			}
			if limit < 1 {
				return problem.New(problem.Usage, "--limit must be at least 1, got %d", limit)
			}
			q.Tenant, q.From, q.To = strings.ToLower(q.Tenant), s.Since.At, s.Until.End()
			return open.with(cmd.Context(), false, func(i *app.Installation) error {
				l := archiveList{Schema: "partnerguard.archive/1", Segments: []archive.Segment{}}
				var err error
				if l.Total, err = i.Archive.Total(cmd.Context()); err != nil {
					return err
				}
				if l.Segments, l.More, err = newestSegments(i.Archive.Segments(cmd.Context(), q), limit); err != nil {
					return err
				}
				return output.Answer(env, l, func(w io.Writer, p kit.Paint) error { return archiveText(w, &l, p) })
			})
		},
	}
	cmd.Flags().StringVar(&q.Tenant, "tenant", "", "the tenant's id")
	cmd.Flags().StringVar(&q.Resource, "resource", "", "with something of this, e.g. users or signIns.interactiveUser")
	cmd.Flags().Var(&s.Since, "since", "with pages answered from this date or time on")
	cmd.Flags().Var(&s.Until, "until", "with pages answered up to this date (inclusive) or time (exclusive)")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, the newest of them")
	output.Register(cmd)
	return cmd
}

// newestSegments are the last of them.
func newestSegments(all iter.Seq2[archive.Segment, error], limit int) (out []archive.Segment, more bool, err error) {
	out = []archive.Segment{}
	for s, err := range all {
		if err != nil {
			return nil, false, err
		}
		if out = append(out, s); len(out) >= 2*limit+64 { // now and then, not each time
			out, more = slices.Delete(out, 0, len(out)-limit), true
		}
	}
	if len(out) > limit {
		out, more = out[len(out)-limit:], true
	}
	return out, more, nil
}

func archiveText(w io.Writer, l *archiveList, p kit.Paint) error {
	if len(l.Segments) == 0 {
		_, err := fmt.Fprintln(w, "no segment: nothing was collected, or nothing that fits")
		return err
	}
	fmt.Fprintf(w, "%s, %s\n\n", p.Bold(kit.Plural(l.Total.Segments, "segment", "segments")), size(l.Total.Size))
	kit.Table(w, p, l.Segments,
		kit.Col("segment", func(s *archive.Segment) string { return s.Name }),
		kit.Col("tenant", func(s *archive.Segment) string { return s.Tenant }),
		kit.Col("entry", func(s *archive.Segment) string { return fmt.Sprint(s.Seq) }),
		kit.Col("answered", func(s *archive.Segment) string { return s.Last.Format(time.DateTime) }),
		kit.Col("pages", func(s *archive.Segment) string { return fmt.Sprint(s.Pages) }),
		kit.Col("size", func(s *archive.Segment) string { return size(s.Size) }),
		kit.Col("of", func(s *archive.Segment) string {
			if !s.Removed.IsZero() {
				return "removed " + s.Removed.Format(time.DateOnly) + " by policy"
			}
			return resources(s)
		}))
	if l.More {
		_, err := fmt.Fprintln(w, "\nthere are more, older ones: --limit, --until")
		return err
	}
	return nil
}

// resources are what a segment has something of.
func resources(s *archive.Segment) string {
	var names []string
	for _, r := range s.Runs {
		if !slices.Contains(names, r.Resource) {
			names = append(names, r.Resource)
		}
	}
	if len(names) > 4 {
		return strings.Join(names[:3], ", ") + fmt.Sprintf(" and %d more", len(names)-3)
	}
	return strings.Join(names, ", ")
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

func newArchiveExport(env *kit.Env, open archiveOpen) *cobra.Command {
	var (
		tenant string
		asOf   kit.Moment
		since  kit.Moment
		raw    bool
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "export DIR", Short: "Write the archive as of a moment into a folder, as an export is",
		Long: `export writes the files that an export of the tenant would have had at a moment: the
newest whole reading of each list, the log of the 30 days before. Whatever reads
exports reads them, and judges them as it judges --from archive:. The folder must be
empty or new. With --raw it writes every page as it was answered instead, one file
each, with a line about each in pages.jsonl.`,
		Example: `  partnerguard archive export exports/
  partnerguard archive export exports/ --as-of 2026-09-30
  partnerguard archive export pages/ --raw --since 2026-11-01`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "it takes the folder to write to, and nothing else").
			WithHint("partnerguard archive export exports/")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.with(cmd.Context(), false, func(i *app.Installation) error {
				bar := kit.NewProgress(env, "writing")
				a := app.Archived{Tenant: strings.ToLower(tenant), AsOf: asOf.End(), Since: since.At}
				var x app.ArchiveExport
				var err error
				if raw {
					x, err = i.ExportPages(cmd.Context(), a, args[0], bar.Set)
				} else {
					x, err = i.ExportArchive(cmd.Context(), a, args[0], bar.Set)
				}
				bar.Done()
				if err != nil {
					return err
				}
				if !raw {
					kit.Next(env, "partnerguard assess --from %s", kit.Quoted(args[0]))
				}
				return output.Answer(env, x, func(w io.Writer, p kit.Paint) error { return exportText(w, &x, p) })
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "the tenant's id (default the partner's, or the only one)")
	cmd.Flags().Var(&asOf, "as-of", "leave out what was answered after this date (inclusive) or time")
	cmd.Flags().Var(&since, "since", "of logs, what was answered from this date or time on (default 30 days back)")
	cmd.Flags().BoolVar(&raw, "raw", false, "every page as it was answered")
	output.Register(cmd)
	return cmd
}

func exportText(w io.Writer, x *app.ArchiveExport, p kit.Paint) error {
	fmt.Fprintf(w, "%s in %s\n", p.Bold(kit.Plural(x.Files, "file", "files")), print.Clean(x.Dir, 300))
	for _, l := range x.Lists {
		if l.Why != "" {
			fmt.Fprintf(w, "  %s is not whole: %s\n", l.Resource, print.Clean(l.Why, 200))
		}
		if l.Refused != "" {
			fmt.Fprintf(w, "  %s was refused: %s\n", l.Resource, print.Clean(l.Refused, 200))
		}
	}
	return nil
}

func newArchiveRestore(env *kit.Env, open archiveOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "restore FROM", Short: "Put missing or changed segments back from a copy",
		Long: `restore reads a copy of the archive, a folder or an address such as s3://bucket, and
puts back what is missing here or has other bytes than were recorded. Each object is
held to its record first; nothing that is whole is touched. Exit code 3 says that
something is still missing.`,
		Example: "  partnerguard archive restore /backup/archive\n  partnerguard archive restore 's3://copies?region=eu-central-1'",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "it takes the folder or the address of a copy, and nothing else").
			WithHint("partnerguard archive restore /backup/archive")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.with(cmd.Context(), false, func(i *app.Installation) error {
				bar := kit.NewProgress(env, "comparing")
				r, err := i.Archive.Restore(cmd.Context(), args[0], archive.Verifying{Progress: bar.Set})
				bar.Done()
				if err != nil {
					return err
				}
				err = output.Answer(env, r, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintf(w, "%s of %d segments; %d were whole\n", p.Bold(fmt.Sprintf("put back %d", len(r.Restored))), r.Examined, r.Here)
					for _, name := range r.Restored {
						fmt.Fprintf(w, "  put back  %s\n", name)
					}
					for _, name := range r.Missing {
						fmt.Fprintf(w, "  missing   %s: the copy does not have it\n", name)
					}
					for _, name := range r.Damaged {
						fmt.Fprintf(w, "  damaged   %s: the copy has other bytes than were recorded\n", name)
					}
					return nil
				})
				if err != nil {
					return err
				}
				kit.Next(env, "partnerguard archive verify")
				return r.Err()
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// openFile opens a file that was named.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s cannot be opened", path)
	}
	return f, nil
}

// readSmall reads a file of at most so many bytes; - is standard input.
func readSmall(env *kit.Env, path string, most int64) ([]byte, error) {
	r := env.Input()
	if path != "-" {
		f, err := openFile(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read", path)
	}
	if int64(len(b)) > most {
		return nil, problem.New(problem.Limit, "%s is larger than %s", path, size(most))
	}
	return b, nil
}
