//go:build !judge

package kit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partnerguard/internal/app"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// addArchive lets --from name the archive. The installation is the one of the
// settings file and the data folder that the command names; its clock becomes the
// command's, since a partner cloud's runs apart.
func addArchive(env *Env, cmd *cobra.Command, from *[]string) {
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if !slices.ContainsFunc(slices.Concat(*from, args), func(p string) bool { return strings.HasPrefix(p, app.FromArchive) }) {
			return nil
		}
		in, err := installationOf(cmd)
		if err != nil {
			return err
		}
		s, err := in.Kept(cmd.Context(), env)
		if errors.Is(err, problem.NotFound) {
			return problem.Wrap(err, problem.NotFound, "nothing was collected here yet").
				WithHint("partnerguard up collects from a partner cloud; partnerguard connect, then collect --now, from your tenant")
		}
		if err != nil {
			return err
		}
		env.ends = append(env.ends, s.Close)
		env.Now = s.Now
		env.Archive = func(ctx context.Context, a app.Archived) (fs.FS, error) {
			if t, err := s.Collect.Tenant(ctx, a.Tenant); err == nil && a.Tenant != "" && !t.Partner {
				fmt.Fprintf(env.Stderr, "partnerguard: %s is a customer's tenant; the rule book is about partners\n", print.Clean(cmp.Or(t.Domain, t.ID), 200))
			}
			return s.Shown(ctx, a)
		}
		return nil
	}
}

// AddPlace adds the flags that say whose archive a command reads, where it has none.
func AddPlace(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "with --from archive: the settings file (default partnerguard.yaml in your configuration folder)")
	cmd.Flags().String("data", "", "with --from archive: the folder of the database")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkFlagDirname("data")
}

// installationOf is the installation that a command's flags name.
func installationOf(cmd *cobra.Command) (*Installation, error) {
	in := &Installation{}
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	in.settings(own, false)
	names := []string{"data"}
	if cmd.Flags().Lookup("master-key") != nil { // it has all of an installation's flags
		names = append(names, "cloud")
	}
	for _, name := range names {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
			if err := own.Set(name, f.Value.String()); err != nil {
				return nil, err
			}
		}
	}
	if f := cmd.Flags().Lookup("config"); f != nil {
		in.file = f.Value.String()
	}
	if f := cmd.Flags().Lookup("control"); f != nil {
		in.Control.File = f.Value.String()
	}
	return in, nil
}

// OpenNamed opens the installation whose archive a command's --from names; nil where it
// names none. The caller closes it.
func OpenNamed(ctx context.Context, env *Env, cmd *cobra.Command) (*app.Installation, error) {
	from, err := cmd.Flags().GetStringArray("from")
	if err != nil || !slices.ContainsFunc(from, func(p string) bool { return strings.HasPrefix(p, app.FromArchive) }) {
		return nil, nil
	}
	in, err := installationOf(cmd)
	if err != nil {
		return nil, err
	}
	return in.Open(ctx, env)
}
