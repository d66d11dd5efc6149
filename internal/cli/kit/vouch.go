//go:build !judge

package kit

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/vouch"
)

// AddKeep adds --keep, and the flags that say in which installation.
func AddKeep(cmd *cobra.Command, keep *bool) {
	cmd.Flags().BoolVar(keep, "keep", false, "keep it in this installation's database, which judges what it collects by it; a file only with --file")
	cmd.Flags().String("config", "", "with --keep: the settings file (default partnerguard.yaml in your configuration folder)")
	cmd.Flags().String("data", "", "with --keep: the folder of the database")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkFlagDirname("data")
}

// KeepStatement keeps a statement in the installation that the command names, and
// gives its id.
func KeepStatement(ctx context.Context, env *Env, cmd *cobra.Command, v vouch.Statement) (string, error) {
	in, err := installationOf(cmd)
	if err != nil {
		return "", err
	}
	s, err := in.Open(ctx, env)
	if err != nil {
		return "", err
	}
	id := ""
	err = Closing(func() (err error) { id, err = s.KeepStatement(ctx, v); return err }(), s.Close)
	return id, err
}
