package keep

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/db"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// vaultParts are what the commands of the vault work with: the database alone,
// since a vault that does not open is one of the things they mend.
type vaultParts struct {
	DB      *db.DB
	Options vault.Options
	// Master reads which master key a setting names; "" is the configured one.
	Master func(spec string) (vault.Master, error)
	Close  func() error
}

type vaultOpen func(ctx context.Context) (vaultParts, error)

func newVault(env *kit.Env, open vaultOpen) *cobra.Command {
	cmd := &cobra.Command{
		Use: "vault", Short: "Show, check, rotate, back up and restore the vault of sealed secrets",
		Long: `vault looks after the sealed secrets in the database: refresh tokens, private keys,
client secrets. They are sealed under keys of the vault, and those under a master
key that never enters the database. None of these commands prints a secret.

A master key is one of:
  file:PATH                 a key file, made by vault key
  passphrase                asked for at the terminal
  passphrase-file:PATH      one line; PATH may be an open descriptor, /dev/fd/3
  systemd:NAME              a credential of the unit (LoadCredentialEncrypted=)
  azurekeyvault:URL         an RSA key, https://NAME.vault.azure.net/keys/KEY`,
		Example: `  partnerguard vault status
  partnerguard vault check
  partnerguard vault rotate
  partnerguard vault backup --out vault.backup
  partnerguard vault master --to systemd:partnerguard`,
		Args: kit.Only("vault", "status, check, rotate, backup, restore, master and key"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newVaultStatus(env, open), newVaultCheck(env, open), newVaultRotate(env, open), newVaultBackup(env, open), newVaultRestore(env, open),
		newVaultMaster(env, open), newVaultKey(env))
	return cmd
}

// withVaultParts opens the database, works with it and closes it.
func withVaultParts(ctx context.Context, open vaultOpen, work func(vaultParts) error) error {
	p, err := open(ctx)
	if err != nil {
		return err
	}
	return kit.Closing(work(p), p.Close)
}

// withVault opens the vault that is there; it never makes one.
func withVault(ctx context.Context, open vaultOpen, work func(vaultParts, *vault.Vault) error) error {
	return withVaultParts(ctx, open, func(p vaultParts) error {
		st, err := vault.Peek(ctx, p.DB)
		if err != nil {
			return err
		}
		if !st.Exists && len(st.Secrets) == 0 {
			return problem.New(problem.NotFound, "there is no vault in %s yet", p.DB.Where()).
				WithHint("partnerguard connect makes one; partnerguard vault restore brings one back")
		}
		m, err := p.Master("")
		if err != nil {
			return err
		}
		v, err := vault.Open(ctx, p.DB, m, p.Options)
		if err != nil {
			return err
		}
		return work(p, v)
	})
}

func newVaultStatus(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	var locked bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show which master key the vault wants, its keys, and how many secrets it has", Args: kit.NoWords,
		Long: `status shows what the vault is. With a wrong master key, or --locked, it shows what
can be told without one: above all, which one the vault wants.`,
		Example: "  partnerguard vault status\n  partnerguard vault status --locked --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return withVaultParts(ctx, open, func(p vaultParts) error {
				st, err := vault.Peek(ctx, p.DB)
				if err != nil {
					return err
				}
				var wrong error
				if st.Exists && !locked {
					if st, wrong, err = openedStatus(ctx, p, st); err != nil {
						return err
					}
				}
				if err := output.Answer(env, st, func(w io.Writer, pt kit.Paint) error { return vaultStatusText(w, &st, p.DB.Where(), pt) }); err != nil {
					return err
				}
				return wrong
			})
		},
	}
	cmd.Flags().BoolVar(&locked, "locked", false, "do not open the vault: ask for no master key")
	output.Register(cmd)
	return cmd
}

// openedStatus opens the vault for its status; wrong is why it does not open.
func openedStatus(ctx context.Context, p vaultParts, st vault.Status) (_ vault.Status, wrong, err error) {
	m, err := p.Master("")
	if err != nil {
		return st, err, nil
	}
	v, err := vault.Open(ctx, p.DB, m, p.Options)
	if err != nil {
		return st, err, nil
	}
	st, err = v.Status(ctx)
	return st, nil, err
}

func vaultStatusText(w io.Writer, st *vault.Status, where string, p kit.Paint) error {
	if !st.Exists {
		if len(st.Secrets) > 0 {
			fmt.Fprintln(w, p.Bold("the vault's keyset is gone or not readable; its sealed secrets are there"))
		} else {
			_, err := fmt.Fprintf(w, "no vault in %s yet\n", print.Clean(where, 300))
			return err
		}
	} else {
		fmt.Fprintf(w, "%s, made %s\n", p.Bold("vault "+print.Clean(st.Vault, 60)), st.Created.UTC().Format(time.DateTime)+" UTC")
		fmt.Fprintf(w, "  database    %s\n  master key  %s\n", print.Clean(where, 300), print.Clean(st.Master, 300))
	}
	for _, k := range st.Keys {
		word := "opens only: a rotation is under way"
		if k.Seals {
			word = "seals"
		}
		fmt.Fprintf(w, "  key         %08x  %s  %s\n", k.ID, vaultCount(k.Rows, "secret"), word)
	}
	if !st.Opened && st.Exists {
		fmt.Fprintln(w, "  keys        not opened")
	}
	if st.Stale {
		fmt.Fprintln(w, "  The passphrase is guarded by an older cost: partnerguard vault rotate renews it.")
	}
	if len(st.Secrets) == 0 {
		_, err := fmt.Fprintln(w, "  no secrets yet")
		return err
	}
	for _, c := range st.Secrets {
		fmt.Fprintf(w, "  %6d  %s\n", c.Secrets, print.Clean(c.Purpose, 100))
	}
	return nil
}

func vaultCount(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func newVaultCheck(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "check", Short: "Open every sealed secret and name those that are damaged", Args: kit.NoWords,
		Long: "check opens every sealed secret, prints none, and names those that do not open. It\nholds every row that grants or steers something " +
			"to its mark, and names those that\nsomething else wrote. It ends with exit code 3 when there is one of either.",
		Example: "  partnerguard vault check\n  partnerguard vault check --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withVault(cmd.Context(), open, func(_ vaultParts, v *vault.Vault) error {
				bar := kit.NewCount(env, "opening")
				c, err := v.Check(cmd.Context(), bar.Set)
				bar.Done()
				if err != nil {
					return err
				}
				if err := output.Answer(env, c, func(w io.Writer, p kit.Paint) error { return vaultCheckText(w, &c, p) }); err != nil {
					return err
				}
				if c.Forged > 0 {
					return problem.New(problem.Unmet, "%s not as partnerguard wrote it", vaultCount(c.Forged, "row")+" "+map[bool]string{true: "is",
						false: "are"}[c.Forged == 1]).
						WithHint("something else writes into the database: find out what; a connection is accepted or made anew by partnerguard " +
							"connect, an app's credential is added again")
				}
				if c.Bad > 0 {
					return problem.New(problem.Unmet, "%s not open", vaultCount(c.Bad, "sealed secret")+" "+map[bool]string{true: "does",
						false: "do"}[c.Bad == 1]).
						WithHint("put them in again (a connection: partnerguard connect), or restore a backup")
				}
				return nil
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func vaultCheckText(w io.Writer, c *vault.Check, p kit.Paint) error {
	for _, d := range c.Damaged {
		fmt.Fprintf(w, "%s  %s\n", p.Bold(print.Clean(d.Ref.String(), 300)), print.Clean(d.Reason, 200))
	}
	if more := c.Bad + c.Forged - int64(len(c.Damaged)); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	if c.Forged > 0 {
		fmt.Fprintf(w, "\n%d of %s written by something else\n", c.Forged, vaultCount(c.Marked, "marked row"))
	} else if c.Marked > 0 {
		fmt.Fprintf(w, "%s, %s\n", vaultCount(c.Marked, "marked row"), p.Bold("every one fits"))
	}
	if c.Bad == 0 {
		_, err := fmt.Fprintf(w, "%s, %s\n", vaultCount(c.Rows, "sealed secret"), p.Bold("every one opens"))
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %s damaged\n", c.Bad, vaultCount(c.Rows, "sealed secret"))
	return err
}

// vaultBatch is how many secrets are sealed again before the bar moves.
const vaultBatch = 256

func newVaultRotate(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	var resume bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Make a new key, seal every secret again, remove the old key", Args: kit.NoWords,
		Long: `rotate makes a new key that seals from now on, seals every secret again under it,
and removes the old key. It may be interrupted at any moment; run it again, and it
finishes that first. Other processes go on working meanwhile.`,
		Example: "  partnerguard vault rotate\n  partnerguard vault rotate --resume   # only finish one that was interrupted",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return withVault(ctx, open, func(_ vaultParts, v *vault.Vault) error {
				all, err := resealAll(ctx, env, v)
				if err == nil && !resume && all.OldKeys == 0 {
					if err = v.Rotate(ctx); err == nil {
						var more vault.Progress
						more, err = resealAll(ctx, env, v)
						more.Sealed += all.Sealed
						all = more
					}
				}
				if err != nil {
					return err
				}
				if err := output.Answer(env, all, func(w io.Writer, p kit.Paint) error { return vaultRotateText(w, &all, p) }); err != nil {
					return err
				}
				if all.OldKeys > 0 {
					return problem.New(problem.Conflict, "the old key stays: %s under it not open", vaultCount(all.Left, "secret")+" "+
						map[bool]string{true: "does", false: "do"}[all.Left == 1]).
						WithHint("put them in again (a connection: partnerguard connect) or remove their owners, then: partnerguard vault rotate --resume")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&resume, "resume", false, "finish an interrupted rotation and make no new key")
	output.Register(cmd)
	return cmd
}

// resealAll seals again until everything was looked at.
func resealAll(ctx context.Context, env *kit.Env, v *vault.Vault) (vault.Progress, error) {
	bar := kit.NewCount(env, "sealing again")
	defer bar.Done()
	sealed := 0
	for {
		p, err := v.Reseal(ctx, vaultBatch)
		sealed += p.Sealed
		p.Sealed = sealed
		if err != nil || p.Done {
			return p, err
		}
		bar.Set(int64(sealed), int64(sealed)+p.Left)
	}
}

func vaultRotateText(w io.Writer, all *vault.Progress, p kit.Paint) error {
	fmt.Fprintf(w, "%s sealed again\n", vaultCount(int64(all.Sealed), "secret"))
	for _, r := range all.Damaged {
		fmt.Fprintf(w, "%s  does not open\n", p.Bold(print.Clean(r.String(), 300)))
	}
	word := "one key is left: the new one"
	if all.OldKeys > 0 {
		word = "the old key stays until those are put in again or removed"
	}
	_, err := fmt.Fprintln(w, word)
	return err
}

func newVaultBackup(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	var out string
	cmd := &cobra.Command{
		Use: "backup", Short: "Write the sealed secrets and keys, and nothing else, to one file", Args: kit.NoWords,
		Long: `backup writes the vault as it is at one moment: sealed secrets and sealed keys,
nothing in the clear. The master key is not in it: keep a copy of that elsewhere.
The file appears whole, for its owner alone; another backup of that name is
replaced, any other file is not.

It is not a backup of the installation: connections, apps, approvals, the audit
trail and the settings are not in it, and an empty installation that it is restored
into has no connection. partnerguard backup writes everything.`,
		Example: "  partnerguard vault backup --out /backup/vault.backup",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" || out == "-" {
				return problem.New(problem.Usage, "--out must name a file").WithHint("partnerguard vault backup --out vault.backup")
			}
			return withVault(cmd.Context(), open, func(_ vaultParts, v *vault.Vault) error {
				bar := kit.NewCount(env, "writing")
				b, err := v.BackupFile(cmd.Context(), out, bar.Set)
				bar.Done()
				if err != nil {
					return err
				}
				return output.Answer(env, b, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "%s written to %s\nmaster key: %s\n", vaultCount(b.Rows, "secret"), print.Clean(out, 300), print.Clean(b.Master, 300))
					fmt.Fprintln(w, "This is the vault alone: connections, trail and settings are not in it; partnerguard backup writes everything.")
					return vaultDamagedNote(w, b.Damaged)
				})
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file (required)")
	_ = cmd.MarkFlagFilename("out")
	output.Register(cmd)
	return cmd
}

func vaultDamagedNote(w io.Writer, n int64) error {
	if n == 0 {
		return nil
	}
	word := "do"
	if n == 1 {
		word = "does"
	}
	_, err := fmt.Fprintf(w, "%d of them %s not open: partnerguard vault check names them\n", n, word)
	return err
}

func newVaultRestore(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	var from, spec string
	var replace bool
	cmd := &cobra.Command{
		Use: "restore", Short: "Bring a backup back", Args: kit.NoWords,
		Long: `restore puts a backup into an empty vault, or with --replace in the place of what is
there. The master key must be the one the backup was made with. The whole backup is
verified before anything changes. No connection is part of it: those that the database
has find their tokens again, look at them with partnerguard connect status; an empty
one has none afterwards. partnerguard restore brings a whole installation back.`,
		Example: `  partnerguard vault restore --from vault.backup
  partnerguard vault restore --from vault.backup --replace --key file:/safe/old.key`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" {
				return problem.New(problem.Usage, "--from must name a backup").WithHint("partnerguard vault restore --from vault.backup")
			}
			return withVaultParts(cmd.Context(), open, func(p vaultParts) error {
				m, err := p.Master(spec)
				if err != nil {
					return err
				}
				b, err := vault.RestoreFile(cmd.Context(), p.DB, from, m, p.Options, replace)
				if err != nil {
					return err
				}
				return output.Answer(env, b, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "%s of %s restored\nmaster key: %s\n", vaultCount(b.Rows, "secret"), b.Made.UTC().Format(time.DateTime)+" UTC",
						print.Clean(b.Master, 300))
					if b.Removed > 0 {
						fmt.Fprintf(w, "%s that stood there before removed\n", vaultCount(b.Removed, "secret"))
					}
					if spec != "" {
						fmt.Fprintln(w, "The vault wants the backup's master key now: name it in the settings (masterKey), or change it with "+
							"partnerguard vault master.")
					}
					return vaultDamagedNote(w, b.Damaged)
				})
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the backup (required)")
	cmd.Flags().StringVar(&spec, "key", "", "the master key of the backup, when it is not the configured one")
	cmd.Flags().BoolVar(&replace, "replace", false, "remove what the vault has")
	_ = cmd.MarkFlagFilename("from")
	output.Register(cmd)
	return cmd
}

// newSettledVault makes vault, with what it takes of the installation.
func newSettledVault(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := newVault(env, func(ctx context.Context) (vaultParts, error) {
		o, err := in.Options(ctx, env)
		if err != nil {
			return vaultParts{}, err
		}
		s, err := app.OpenData(ctx, o)
		if s, err = kit.Opened(env, s, err); err != nil {
			return vaultParts{}, err
		}
		master := func(spec string) (vault.Master, error) {
			if spec == "" {
				spec = o.Config.MasterKey
			}
			return app.ParseMaster(spec, o)
		}
		return vaultParts{DB: s.DB, Options: s.VaultOptions(), Master: master, Close: s.Close}, nil
	})
	in.Register(cmd)
	return cmd
}
