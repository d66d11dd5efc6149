//go:build !judge

package kit

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"partnerguard/internal/app"
)

// Words gives what may stand in a place of the command line.
type Words func(context.Context, *app.Installation) ([]string, error)

// What an installation knows, by the names of flags.
var known = map[string]Words{
	"connection": func(ctx context.Context, i *app.Installation) ([]string, error) { return i.SAM.ConnectionNames(ctx) },
	"client-id":  func(ctx context.Context, i *app.Installation) ([]string, error) { return i.SAM.AppIDs(ctx) },
	"customer":   func(ctx context.Context, i *app.Installation) ([]string, error) { return i.SAM.CustomerDomains(ctx) },
}

// Complete completes the flags of cmd and of its commands by what the
// installation knows: connections, apps, customers. words says the same of
// arguments, by the command's path. Nothing is made for it and nobody is asked for
// anything; what fails completes nothing.
func (in *Installation) Complete(env *Env, cmd *cobra.Command, words map[string]Words) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, given := cmd.GetFlagCompletionFunc(f.Name); known[f.Name] != nil && !given {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, in.completing(env, known[f.Name]))
		}
	})
	if w := words[cmd.CommandPath()]; w != nil {
		cmd.ValidArgsFunction = in.completing(env, w)
	}
	for _, c := range cmd.Commands() {
		in.Complete(env, c, words)
	}
}

// Connections are the names of the connections, for arguments.
func Connections(ctx context.Context, i *app.Installation) ([]string, error) {
	return known["connection"](ctx, i)
}

func (in *Installation) completing(env *Env, words Words) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, stop := context.WithTimeout(ctx, completeWithin)
		defer stop()
		list, _ := in.words(ctx, env, words)
		return offered(list, begun, args), cobra.ShellCompDirectiveNoFileComp
	}
}

// words opens what is kept, without a person, and asks it.
func (in *Installation) words(ctx context.Context, env *Env, words Words) ([]string, error) {
	o, err := in.Options(ctx, env)
	if err != nil {
		return nil, err
	}
	i, err := app.Look(ctx, o)
	if err != nil {
		return nil, err
	}
	list, err := words(ctx, i)
	_ = i.Close() // nothing was changed
	return list, err
}

// CompleteFlag completes one flag of cmd by what the installation knows.
func (in *Installation) CompleteFlag(env *Env, cmd *cobra.Command, flag string, words Words) {
	_ = cmd.RegisterFlagCompletionFunc(flag, in.completing(env, words))
}

// Tenants are the domains of the tenants that are read, and the word for the
// partner's own, for flags.
func Tenants(ctx context.Context, i *app.Installation) ([]string, error) {
	list, err := i.Collect.Tenants(ctx)
	names := []string{"partner"}
	for _, t := range list {
		if t.Domain != "" && len(names) < 500 {
			names = append(names, t.Domain)
		}
	}
	return names, err
}

// Resources are the names of what is read of a tenant, for flags.
func Resources(_ context.Context, i *app.Installation) ([]string, error) {
	return i.Collect.Names(), nil
}
