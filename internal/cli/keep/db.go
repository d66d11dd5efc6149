package keep

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newDB(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "db", Short: "The database: how it is, who works it, its schema and its jobs; back it up, put it back",
		Long: `db shows, checks, raises, backs up and restores the database of this installation, a
file or PostgreSQL.`,
		Example: "  partnerguard db status\n  partnerguard db check\n  partnerguard db backup /backup/partnerguard.backup",
		Args:    kit.Only("db", "status, check, migrate, jobs, backup and restore"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	in.Register(cmd)
	cmd.AddCommand(newDBStatus(env, &in, false), newDBStatus(env, &in, true), newDBMigrate(env, &in), newDBJobs(env, &in),
		newDBBackup(env, &in), newDBRestore(env))
	return cmd
}

// newDBStatus makes status, or check, which reads all of it.
func newDBStatus(env *kit.Env, in *kit.Installation, full bool) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show kind, schema and size of the database, who works it, and its jobs", Args: kit.NoWords,
		Long: `status shows the database as it is, also one of an older or a newer schema, and which
processes work it. It opens no vault, changes nothing, and may run beside serve.`,
		Example: "  partnerguard db status\n  partnerguard db status --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := in.Options(cmd.Context(), env)
			if err != nil {
				return err
			}
			bar := kit.NewCount(env, "reading")
			s, err := app.Database(cmd.Context(), o, full, bar.Set)
			bar.Done()
			if err != nil {
				return err
			}
			if err := output.Answer(env, s, func(w io.Writer, p kit.Paint) error { return databaseText(w, s, full, p) }); err != nil {
				return err
			}
			if len(s.Damage) > 0 {
				return problem.New(problem.BadInput, "the database %s is damaged", s.Where).
					WithHint("stop partnerguard, copy the database away, then: partnerguard db restore FILE --replace")
			}
			return nil
		},
	}
	if full {
		cmd.Use, cmd.Short = "check", "Read all of the database and name what is damaged"
		cmd.Long = `check reads all of the database: pages, indexes and references of a file, and every
row of every table. It takes about as long as a backup, changes nothing, and may run
beside serve. What it does not judge: whether a row was written by this program
(partnerguard vault check, partnerguard trail verify).

Exit code 1 says that something is damaged.`
		cmd.Example = "  partnerguard db check"
	}
	output.Register(cmd)
	return cmd
}

func databaseText(w io.Writer, s *app.DatabaseStatus, full bool, p kit.Paint) error {
	say := func(label, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", label, print.Clean(fmt.Sprintf(format, args...), 500))
	}
	head := s.Version + ", schema " + fmt.Sprint(s.Schema)
	switch {
	case len(s.Damage) > 0:
		head = "The database is damaged"
	case s.Schema == 0:
		head = s.Version + ", and nothing is kept in it"
	case s.Schema < s.Known:
		head += fmt.Sprintf(", which this program raises to %d", s.Known)
	case s.Schema > s.Known:
		head += fmt.Sprintf(", newer than this program's %d, which refuses it", s.Known)
	}
	fmt.Fprintf(w, "%s\n", p.Bold(head))
	say("database", "%s", s.Where)
	if s.Of != "" {
		say("of", "%s", s.Of)
	}
	if s.WAL > 0 {
		say("size", "%d bytes, and %d in its write-ahead log", s.Size, s.WAL)
	} else {
		say("size", "%d bytes", s.Size)
	}
	switch {
	case s.Holder != nil:
		say("worked by", "%s", s.Holder)
	case len(s.Works) == 0:
		say("worked by", "nobody")
	}
	for _, x := range s.Works {
		say("worked by", "process %d on %s, seen %s (%s)", x.PID, x.Host, utc(x.Seen), x.ID)
	}
	jobsText(say, s.Jobs)
	backed := "never"
	if !s.Backed.IsZero() {
		backed = utc(s.Backed)
	}
	say("last backup", "%s", backed)
	switch {
	case len(s.Damage) > 0:
		for _, d := range s.Damage {
			say("damaged", "%s", d)
		}
	case full:
		say("whole", "all of it was read")
	case s.Checked:
		say("whole", "by a quick check of its pages; partnerguard db check reads all of it")
	}
	return nil
}

func jobsText(say func(label, format string, args ...any), list []jobs.State) {
	for _, j := range list {
		more := ""
		if j.Dead > 0 {
			more += fmt.Sprintf(", %d dead", j.Dead)
		}
		if j.GivenUp > 0 {
			more += fmt.Sprintf(", %d given up", j.GivenUp)
		}
		if j.Oldest > time.Minute {
			more += ", the oldest since " + j.Oldest.Round(time.Second).String()
		}
		say("jobs", "%s: %d waiting, %d running%s", j.Kind, j.Waiting, j.Running, more)
	}
}

func newDBMigrate(env *kit.Env, in *kit.Installation) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "migrate", Short: "Raise the schema to this program's, without starting anything", Args: kit.NoWords,
		Long: `migrate raises the database's schema to this program's, as every other command would
when it opens it: for an upgrade of several machines, where one does it while the
others are stopped. It is refused while another process works the database. There is
no way back but a backup.`,
		Example: "  partnerguard db backup before.backup && partnerguard db migrate",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := in.Options(cmd.Context(), env)
			if err != nil {
				return err
			}
			from, to, err := app.Migrate(cmd.Context(), o)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]int64{"from": from, "to": to}, func(w io.Writer, p kit.Paint) error {
				words := fmt.Sprintf("the schema is raised from %d to %d", from, to)
				if from == to {
					words = fmt.Sprintf("the schema is %d, as this program wants it: nothing was to be done", to)
				}
				_, err := fmt.Fprintln(w, p.Bold(words))
				return err
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func newDBJobs(env *kit.Env, in *kit.Installation) *cobra.Command {
	var revive bool
	var kind string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "jobs", Short: "Show what waits, runs and is dead in the queue; run the dead ones again", Args: kit.NoWords,
		Long: `jobs shows the queue by kind of job, and those that failed for the last time, with
what the last try said. They are kept for a week. --revive has them wait again.`,
		Example: "  partnerguard db jobs\n  partnerguard db jobs --revive\n  partnerguard db jobs --revive --kind renew",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Data(cmd.Context(), env, false)
			if err != nil {
				return err
			}
			q, n, err := i.Jobs(cmd.Context(), revive, kind)
			if err = kit.Closing(err, i.Close); err != nil {
				return err
			}
			answer := map[string]any{"states": q.States, "dead": q.Dead, "revived": n}
			return output.Answer(env, answer, func(w io.Writer, p kit.Paint) error {
				switch {
				case revive:
					fmt.Fprintln(w, p.Bold(kit.Plural(n, "job waits again", "jobs wait again")))
				case len(q.Dead) > 0:
					fmt.Fprintln(w, p.Bold(kit.Plural(len(q.Dead), "job is dead", "jobs are dead")+"; --revive runs them again"))
				default:
					fmt.Fprintln(w, p.Bold("No job is dead."))
				}
				jobsText(func(label, format string, args ...any) {
					fmt.Fprintf(w, "  %-12s %s\n", label, print.Clean(fmt.Sprintf(format, args...), 300))
				}, q.States)
				for _, d := range q.Dead {
					words := fmt.Sprintf("%s %d, %d tries, since %s: %s", d.Kind, d.ID, d.Tries, utc(d.Since), d.Words)
					fmt.Fprintf(w, "  %-12s %s\n", "dead", print.Clean(words, 400))
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&revive, "revive", false, "have the dead ones wait again")
	cmd.Flags().StringVar(&kind, "kind", "", "of this kind alone")
	output.Register(cmd)
	return cmd
}

func newDBBackup(env *kit.Env, in *kit.Installation) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write everything that is kept to one checked file, while it runs: partnerguard backup --out FILE",
		Long: `backup is partnerguard backup --out FILE: one file with the whole database of either
kind, the sealed vault, the trail and the settings, of one moment, while serve and
workers go on.

The archive's segments are not in it: they are never changed, and are copied as files
or kept by the object storage. The backup says where they are and how far they go.`,
		Example: "  partnerguard db backup /backup/partnerguard.backup\n  partnerguard backup verify /backup/partnerguard.backup",
		Args:    aFile("partnerguard db backup partnerguard.backup"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" || args[0] == "-" {
				return problem.New(problem.Usage, "a backup goes into a file").WithHint("partnerguard db backup partnerguard.backup")
			}
			return backUp(cmd.Context(), env, in, &output, args[0])
		},
	}
	output.Register(cmd)
	return cmd
}

func newDBRestore(env *kit.Env) *cobra.Command {
	cmd := newRestore(env)
	cmd.Short = "Put a backup of everything into place: partnerguard restore FILE"
	return cmd
}
