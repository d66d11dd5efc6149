package guard

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// otpFile is which file of one-time passwords a command means, and what opens it.
type otpFile struct {
	file, person, folder, key string
}

const otpKeys = "passphrase, passphrase-file:PATH, file:PATH (a key file), systemd:NAME"

func (f *otpFile) register(cmd *cobra.Command) {
	fl := cmd.PersistentFlags()
	fl.StringVar(&f.file, "file", "", "the file of one-time passwords (default own.otp in your data folder)")
	fl.StringVar(&f.person, "person", "", "the file of this person of a shared floor")
	fl.StringVar(&f.folder, "folder", "", "the folder of the files of persons (default people in your data folder)")
	fl.StringVar(&f.key, "key", "passphrase", "what opens the file: "+otpKeys)
	_ = cmd.MarkPersistentFlagFilename("file", "otp")
	_ = cmd.MarkPersistentFlagDirname("folder")
	cmd.MarkFlagsMutuallyExclusive("file", "person")
}

func (f *otpFile) people(env *kit.Env) string {
	if f.folder != "" {
		return f.folder
	}
	return filepath.Join(otp.Folder(env.Getenv), "people")
}

func (f *otpFile) path(env *kit.Env) (string, error) {
	switch {
	case f.person != "":
		return otp.PersonFile(f.people(env), f.person)
	case f.file != "":
		return f.file, nil
	}
	return otp.OwnFile(env.Getenv), nil
}

// master is a way to open a file; what says, on the terminal, whose passphrase it is.
func (f *otpFile) master(env *kit.Env, spec, what string) (vault.Master, error) {
	kit.BeUnreadable() // from here on there are secrets in this process
	m, err := vault.ParseMaster(spec, vault.Env{
		LookupEnv: func(name string) (string, bool) { v := env.Getenv(name); return v, v != "" },
		Prompt: func(_ context.Context, _ string, confirm bool) (secret.Text, error) {
			label := what
			if confirm {
				label = "New passphrase (15 characters or more)"
			}
			return kit.Ask(env, label, confirm)
		},
	})
	if err != nil {
		if problem.ExitCode(err) == 2 {
			return nil, problem.Wrap(err, problem.Usage, "%v", err).WithHint("--key is one of: %s", otpKeys)
		}
		return nil, err
	}
	return m, nil
}

func (f *otpFile) store(env *kit.Env) (*otp.Store, error) {
	path, err := f.path(env)
	if err != nil {
		return nil, err
	}
	m, err := f.master(env, f.key, "Passphrase of "+filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return otp.NewStore(path, m), nil
}

func newOTP(env *kit.Env) *cobra.Command {
	var f otpFile
	cmd := &cobra.Command{
		Use: "otp", Short: "One-time passwords on a desk without phones", Args: kit.Only("otp", "add, list, show, import, lock, unlock, remove, passphrase, correct and serve"),
		Long: `otp keeps the seeds of one-time passwords (TOTP, RFC 6238) for people who may have no
phone at their desk: Microsoft Entra ID's, Partnerguard's own and everybody's. They are
sealed in a file that only you may read, under a passphrase or a key of systemd. A seed
that went in is never shown again, and there is no export.

Each command asks for the passphrase and forgets it. otp unlock keeps codes, not seeds,
at hand for some minutes (not on Windows). Codes by a counter (HOTP) are not kept.`,
		Example: `  partnerguard otp add                      # paste the otpauth:// address; it is not shown
  partnerguard otp add --qr picture.png
  partnerguard otp show contoso --copy
  partnerguard otp unlock --for 10m`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f.register(cmd)
	cmd.AddCommand(newOTPAdd(env, &f), newOTPList(env, &f), newOTPShow(env, &f), newOTPImport(env, &f), newOTPRemove(env, &f), newOTPPassphrase(env, &f),
		newOTPCorrect(env, &f), newOTPUnlock(env, &f), newOTPLock(env), newOTPAgent(env), newOTPServe(env, &f))
	return cmd
}

// otpRow is an entry as --output json has it. There is no seed in it.
type otpRow struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Algorithm string    `json:"algorithm"`
	Digits    int       `json:"digits"`
	Period    int       `json:"period"` // seconds
	Added     time.Time `json:"added"`
}

func rowOf(c otp.Code) otpRow {
	return otpRow{c.ID, c.Name, string(c.Algorithm), c.Digits, int(c.Period / time.Second), c.Added}
}

func newOTPList(env *kit.Env, f *otpFile) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{Use: "list", Short: "Show what there is, without codes", Args: kit.NoWords, Example: "  partnerguard otp list --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			look, err := f.looker(cmd.Context(), env)
			if err != nil {
				return err
			}
			shown, err := look("")
			if err != nil {
				return err
			}
			rows := []otpRow{}
			for _, c := range shown.Codes {
				rows = append(rows, rowOf(c))
			}
			return output.Answer(env, map[string]any{"entries": rows}, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "There is no one-time password.")
					return nil
				}
				kit.Table(w, p, rows,
					kit.Col("name", func(r *otpRow) string { return r.Name }),
					kit.Col("codes", func(r *otpRow) string {
						return fmt.Sprintf("%d digits, every %d s, %s", r.Digits, r.Period, r.Algorithm)
					}),
					kit.Col("added", func(r *otpRow) string { return r.Added.UTC().Format(time.DateOnly) }),
					kit.Col("id", func(r *otpRow) string { return r.ID }))
				return nil
			})
		}}
	output.Register(cmd)
	return cmd
}

func newOTPRemove(env *kit.Env, f *otpFile) *cobra.Command {
	var yes bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{Use: "remove NAME", Short: "Take a one-time password away, for good", Example: "  partnerguard otp remove contoso --yes",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "otp remove takes one name").WithHint("partnerguard otp list shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return problem.New(problem.Usage, "nothing was removed: a seed that is removed is gone").
					WithHint("first register another method where it is used; then say --yes")
			}
			s, err := f.store(env)
			if err != nil {
				return err
			}
			var gone otp.Entry
			if err := s.Change(cmd.Context(), false, func(b *otp.Book) (err error) { gone, err = b.Remove(args[0]); return err }); err != nil {
				return err
			}
			return output.Answer(env, map[string]string{"removed": gone.Name, "id": gone.ID}, func(w io.Writer, _ kit.Paint) error {
				fmt.Fprintf(w, "Removed: %s\n", print.Clean(gone.Name, 120))
				return nil
			})
		}}
	cmd.Flags().BoolVar(&yes, "yes", false, "yes, it is to be gone")
	output.Register(cmd)
	return cmd
}

func newOTPPassphrase(env *kit.Env, f *otpFile) *cobra.Command {
	var to string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{Use: "passphrase", Short: "Change what opens the file", Args: kit.NoWords,
		Long: `passphrase seals the file anew, under another passphrase or key. A copy that somebody
made before still opens with the old one.`,
		Example: `  partnerguard otp passphrase
  partnerguard otp passphrase --new-key systemd:otp`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.store(env)
			if err != nil {
				return err
			}
			m, err := f.master(env, to, "New passphrase")
			if err != nil {
				return err
			}
			if err := s.ChangeKey(cmd.Context(), m); err != nil {
				return err
			}
			return output.Answer(env, map[string]string{"file": s.Path(), "opens": m.Describe()}, func(w io.Writer, _ kit.Paint) error {
				fmt.Fprintf(w, "From now on %s opens %s.\n", m.Describe(), s.Path())
				return nil
			})
		}}
	cmd.Flags().StringVar(&to, "new-key", "passphrase", "what opens it from now on: "+otpKeys)
	output.Register(cmd)
	return cmd
}
