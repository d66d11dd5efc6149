//go:build !judge

package judge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/automation"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// automationOpen opens the kept list; the function it gives closes it. An error
// of kind NotFound says that nothing was ever kept here.
type automationOpen func(ctx context.Context) (*automation.Store, func() error, error)

func newAutomation(env *kit.Env, open func(ctx context.Context) (*automation.Store, func() error, error)) *cobra.Command {
	var (
		from   []string
		s      kit.Span
		output = kit.NewOutput("text", "json", "csv")
	)
	cmd := &cobra.Command{
		Use: "automation", Short: "List the scripts and services that sign in with user credentials",
		Long: `automation finds the scripts and services that sign in with a user's credentials:
the password grant (ROPC), basic authentication, the device code flow, PowerShell
and command lines under user accounts, programs by their user agent, accounts
named like a service's, and what signs in with nobody at the keyboard. Each says
how sure it is and why, with example rows, and what to do.

With --from it reads sign-in logs (with users and apps beside them, as assess
does) and keeps what it finds: owner and state of each stay from run to run. An
item that was set to moved is verified gone once the logs cover 14 days after
that without a sign-in; one that is seen again is reopened, and says so.

Without --from it shows what is kept, or the embedded sample partner when nothing
is.`,
		Example: `  partnerguard automation
  partnerguard automation --from exports/
  partnerguard automation set auto-5f2ab7c3d4e6gh7i --owner 'Ada Lovelace' --state planned
  partnerguard automation --output csv --out automation.csv`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			e := problem.New(problem.Usage, "automation does not know %.40q", args[0])
			return e.WithHint("it knows set; name inputs with --from, e.g. automation --from %.80s", args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.Check(); err != nil {
				return err
			}
			r := app.Reading{From: from, Stdin: env.Stdin, Since: s.Since.At, Until: s.Until.End(), Archive: env.Archive}
			view, err := automationView(cmd.Context(), env, open, r)
			if err != nil {
				return err
			}
			switch {
			case len(view.Items) == 0:
			case view.Stored:
				kit.Next(env, "partnerguard automation set %s --owner NAME --state planned", view.Items[0].ID)
			default: // the sample is not kept
				kit.Next(env, "partnerguard automation --from exports/, which keeps what it finds")
			}
			return output.Write(env, kit.Forms{
				"text": func(w io.Writer) error { return automation.Text(w, view, output.Screen(env)) },
				"json": func(w io.Writer) error { return automation.JSON(w, view) },
				"csv":  func(w io.Writer) error { return automation.CSV(w, view) },
			})
		},
	}
	kit.AddFrom(env, cmd, &from)
	s.Register(cmd)
	output.RegisterFile(cmd)
	cmd.AddCommand(newAutomationSet(env, open))
	return cmd
}

// automationView reads and keeps, or shows what is kept, or the sample.
func automationView(ctx context.Context, env *kit.Env, open automationOpen, r app.Reading) (*automation.View, error) {
	if r.Sample() {
		var view *automation.View
		err := withAutomation(ctx, open, func(store *automation.Store) error {
			items, err := store.List(ctx)
			view = &automation.View{Stored: true, Items: items}
			return err
		})
		if err == nil && len(view.Items) > 0 {
			return view, nil
		}
		if err != nil && !errors.Is(err, problem.NotFound) {
			return nil, err
		}
		found, _, err := app.Automation(ctx, r)
		if err != nil {
			return nil, err
		}
		return &automation.View{Sample: true, Items: found.Items, Covered: found.Covered, Beyond: found.Beyond}, nil
	}
	bar := kit.NewProgress(env, "reading")
	r.Progress = bar.Set
	found, f, err := app.Automation(ctx, r)
	bar.Done()
	if err != nil {
		return nil, err
	}
	kit.TellUnread(env, f)
	view := &automation.View{Stored: true, Covered: found.Covered, Beyond: found.Beyond, Unread: unreadPaths(f)}
	err = withAutomation(ctx, open, func(store *automation.Store) error {
		merged, err := store.Merge(ctx, found)
		if err != nil {
			return err
		}
		view.Changes = &merged
		view.Items, err = store.List(ctx)
		return err
	})
	return view, err
}

// unreadPaths names the inputs that were not read whole.
func unreadPaths(f *facts.Facts) (paths []string) {
	for i := range f.Inputs {
		if in := &f.Inputs[i]; in.Status == evidence.Partial || in.Status == evidence.Unreadable || in.NextLink {
			paths = append(paths, in.Path)
		}
	}
	return paths
}

// withAutomation opens the kept list, works with it and closes it.
func withAutomation(ctx context.Context, open automationOpen, work func(*automation.Store) error) error {
	store, done, err := open(ctx)
	if err != nil {
		return err
	}
	return kit.Closing(work(store), done)
}

func newAutomationSet(env *kit.Env, open automationOpen) *cobra.Command {
	var (
		owner, note string
		state       = kit.Choice{Allowed: []string{string(automation.Found), string(automation.Planned), string(automation.Moved)}}
		output      = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "set ID", Short: "Say who owns an item and how far it is",
		Long: `set keeps an owner, a state and a note with an item of the list. The states are
found, planned and moved. verified-gone cannot be set: it comes by evidence, once
the logs cover 14 days after the move without a sign-in.`,
		Example: `  partnerguard automation set auto-5f2ab7c3d4e6gh7i --owner 'Ada Lovelace' --state planned --note 'with the next release'
  partnerguard automation set auto-5f2ab7c3d4e6gh7i --state moved`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return problem.New(problem.Usage, "automation set takes one id, got %d words", len(args)).
				WithHint("partnerguard automation lists the items with their ids")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c := automation.Change{Actor: "local:" + kit.LocalUser()}
			if cmd.Flags().Changed("owner") {
				c.Owner = &owner
			}
			if cmd.Flags().Changed("note") {
				c.Note = &note
			}
			if cmd.Flags().Changed("state") {
				next := automation.State(state.Value)
				c.State = &next
			}
			if c.Owner == nil && c.Note == nil && c.State == nil {
				return problem.New(problem.Usage, "there is nothing to set").WithHint("add --owner, --state or --note")
			}
			return withAutomation(cmd.Context(), open, func(store *automation.Store) error {
				it, err := store.Set(cmd.Context(), args[0], c)
				if err != nil {
					return err
				}
				return output.Answer(env, it, func(w io.Writer, _ kit.Paint) error {
					_, err := fmt.Fprintf(w, "%s: %s, owner %s\n", it.ID, it.State, cmp.Or(print.Clean(it.Owner, print.MaxName), "nobody yet"))
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "who answers for it; empty takes the owner away")
	cmd.Flags().StringVar(&note, "note", "", "a word to remember")
	kit.AddChoice(cmd, &state, "state", "how far it is")
	output.Register(cmd)
	return cmd
}

// newSettledAutomation makes automation, with what it takes of the installation.
func newSettledAutomation(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var cmd *cobra.Command
	cmd = newAutomation(env, func(ctx context.Context) (*automation.Store, func() error, error) {
		from := cmd.Flags().Lookup("from")
		s, err := in.Data(ctx, env, from != nil && from.Changed)
		if err != nil {
			return nil, nil, err
		}
		return s.Automation, s.Close, nil
	})
	in.Register(cmd)
	return cmd
}
