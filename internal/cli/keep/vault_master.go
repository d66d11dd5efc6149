package keep

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

func newVaultMaster(env *kit.Env, open vaultOpen) *cobra.Command {
	output := kit.NewOutput("text", "json")
	var to string
	cmd := &cobra.Command{
		Use: "master", Short: "Change the master key", Args: kit.NoWords,
		Long: `master wraps the vault's keys by another master key, at once or not at all. No
secret is sealed again. The new key is tried before the old one is given up. The
old one still opens copies and backups from before: when it was stolen, run
partnerguard vault rotate too, and destroy those.

Afterwards name the new one in the settings (masterKey) and start other processes
of partnerguard anew.`,
		Example: `  partnerguard vault key --out /etc/partnerguard/master.key
  partnerguard vault master --to file:/etc/partnerguard/master.key
  partnerguard vault master --to azurekeyvault:https://contoso-keys.vault.azure.net/keys/partnerguard`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if to == "" {
				return problem.New(problem.Usage, "--to must name a master key").WithHint("one of: %s", vault.Specs)
			}
			return withVault(ctx, open, func(p vaultParts, v *vault.Vault) error {
				before, err := v.Status(ctx)
				if err != nil {
					return err
				}
				m, err := p.Master(to)
				if err != nil {
					return err
				}
				if err := v.ChangeMaster(ctx, m); err != nil {
					return err
				}
				st, err := v.Status(ctx)
				if err != nil {
					return err
				}
				return output.Answer(env, struct {
					From string `json:"from"`
					To   string `json:"to"`
				}{before.Master, st.Master}, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintf(w, "master key: %s, was %s\n", p.Bold(print.Clean(st.Master, 300)), print.Clean(before.Master, 300))
					word, _, _ := strings.Cut(to, ":")
					_, err := fmt.Fprintf(w, "Name it in the settings now (masterKey: %s…) and start other processes anew.\n", word)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the new master key (required): "+vault.Specs)
	output.Register(cmd)
	return cmd
}

func newVaultKey(env *kit.Env) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "key", Short: "Make a key file", Args: kit.NoWords,
		Long: "key makes a random master key in a new file, for its owner alone. A file that is\nthere is never overwritten. Keep a copy apart from " +
			"the database: without it nothing\nthat is sealed opens.",
		Example: "  partnerguard vault key --out /etc/partnerguard/master.key",
		RunE: func(_ *cobra.Command, _ []string) error {
			if out == "" || out == "-" {
				return problem.New(problem.Usage, "--out must name a new file").WithHint("partnerguard vault key --out master.key")
			}
			id, err := vault.MakeKeyFile(out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.Stdout, "%s is in %s: keep a copy elsewhere\n", id, print.Clean(out, 300))
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the new file (required)")
	_ = cmd.MarkFlagFilename("out")
	return cmd
}
