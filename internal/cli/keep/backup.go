package keep

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/backup"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newBackup(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var out string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "backup", Short: "Write everything that is kept here to one checked file, while it runs",
		Long: `backup writes one file with everything that is kept here: the database of either
kind with connections, sealed vault, audit trail and its anchors, and the settings
with the files they name. It is of one moment; serve goes on meanwhile. The file is
sealed under the vault's key, for its owner alone, and is read back before it takes
its name; another backup of that name is replaced, any other file is not.

The master key is never in it: keep that apart, without it no backup opens. A
backup of one kind of database restores into the other.`,
		Example: `  partnerguard backup --out /backup/partnerguard.backup
  partnerguard backup verify /backup/partnerguard.backup
  partnerguard restore /backup/partnerguard.backup`,
		Args: kit.Only("backup", "verify"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" || out == "-" {
				return problem.New(problem.Usage, "--out must name a file").WithHint("partnerguard backup --out partnerguard.backup")
			}
			return backUp(cmd.Context(), env, &in, &output, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file (required)")
	_ = cmd.MarkFlagFilename("out")
	output.Register(cmd)
	in.Register(cmd)
	cmd.AddCommand(newBackupVerify(env, &in))
	return cmd
}

// backUp writes a backup into a file, and says what is in it.
func backUp(ctx context.Context, env *kit.Env, in *kit.Installation, output *kit.Output, out string) error {
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return openKept(ctx, env, in) })
	return open.With(ctx, func(i *app.Installation) error {
		bar := kit.NewCount(env, "writing")
		b, err := i.Backup(ctx, out, bar.Set)
		bar.Done()
		if err != nil {
			return err
		}
		return output.Answer(env, b, func(w io.Writer, p kit.Paint) error {
			fmt.Fprintf(w, "%s\n", p.Bold("everything is in "+print.Clean(out, 300)))
			backupText(w, &b)
			_, err := fmt.Fprintf(w, "next: keep the master key (%s) apart from it; partnerguard backup verify %s reads it back elsewhere\n",
				print.Clean(b.Master, 100), print.Clean(out, 300))
			return err
		})
	})
}

// openKept opens an installation that is there: to back up is no reason to make one.
func openKept(ctx context.Context, env *kit.Env, in *kit.Installation) (*app.Installation, error) {
	o, err := in.Options(ctx, env)
	if err != nil {
		return nil, err
	}
	if kept, err := app.Kept(ctx, o); err != nil {
		return nil, err
	} else if !kept {
		return nil, problem.New(problem.NotFound, "nothing is kept here yet").
			WithHint("partnerguard connect makes the first connection; --data names another folder")
	}
	s, err := app.Open(ctx, o)
	return kit.Opened(env, s, err)
}

// aFile is the one word of a command that takes a backup.
func aFile(example string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "it takes the file of a backup, and nothing else").WithHint("%s", example))
}

func newBackupVerify(env *kit.Env, in *kit.Installation) *cobra.Command {
	var key string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Read a whole backup and say what is in it; nothing is changed",
		Long: `verify opens a backup with its master key and reads it to the end: every part and
row is held to its count and hash. It opens no database and changes nothing.`,
		Example: "  partnerguard backup verify /backup/partnerguard.backup\n  partnerguard backup verify old.backup --key file:/safe/old.key --output json",
		Args:    aFile("partnerguard backup verify partnerguard.backup"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := in.Options(cmd.Context(), env)
			if err != nil {
				return err
			}
			bar := kit.NewProgress(env, "reading")
			b, err := app.CheckBackup(cmd.Context(), o, args[0], key, bar.Set)
			bar.Done()
			if err != nil {
				return err
			}
			return output.Answer(env, b, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "%s\n", p.Bold("the backup is whole: "+print.Clean(args[0], 300)))
				backupText(w, &b)
				_, err := fmt.Fprintf(w, "next: partnerguard restore %s\n", print.Clean(args[0], 300))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the master key of the backup, when it is not the configured one")
	output.Register(cmd)
	return cmd
}

// backupText is what is in a backup.
func backupText(w io.Writer, b *backup.Backup) {
	say := func(label, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", label, print.Clean(fmt.Sprintf(format, args...), 500))
	}
	say("made", "%s by partnerguard %s", utc(b.Made), b.Program)
	say("of", "%s, %s, schema %d", b.Installation, b.Database, b.Schema)
	say("has", "%d rows of %d tables, %s, %s", b.Rows, len(b.Tables), kit.Plural(b.Connections, "connection", "connections"),
		kit.Plural(len(b.Files), "file beside it", "files beside it"))
	if len(b.Tenants) > 0 {
		say("tenants", "%s", strings.Join(b.Tenants, ", "))
	}
	say("trail", "%d entries, head %s", b.Trail.Entries, b.Trail.Root)
	say("master key", "%s", b.Master)
	say("file", "%d bytes, SHA-256 %s", b.Bytes, b.SHA256)
	for _, a := range b.Absent {
		say("not in it", "%s: %s", a.What, a.Where)
	}
}

func utc(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
