package guard

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/bridge"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newAppPassword makes the commands of passwords of devices: those of the bridge are
// here; what Microsoft's app passwords can and cannot do is in decide.
func newAppPassword(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "apppassword", Short: "Say what app passwords can do here, and make those of the mail bridge",
		Long: `apppassword decide says for whom an app password of Microsoft's would work in this
tenant, until when, what breaks it, and who depends on one.

create, list and revoke have ours, for what knows no modern authentication: one a device, for one
mailbox, for the protocols that are named, from the addresses that are named, until a
day. They open the mail bridge (partnerguard bridge) and nothing else: none is a password
of Entra ID, and none proves a second factor.`,
		Example: `  partnerguard apppassword decide --from exports/ --account scanner@contoso.example
  partnerguard apppassword create --device "Scanner, second floor" --mailbox scans@contoso.example --protocols smtp --from 192.0.2.17 --expires 90d
  partnerguard apppassword list
  partnerguard apppassword revoke bd-abc`,
		Args: kit.Only("apppassword", "decide, create, list and revoke"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	acts := []*cobra.Command{newAppPasswordCreate(env, open), newAppPasswordList(env, open), newAppPasswordRevoke(env, open)}
	for _, act := range acts { // what judges has flags of its own
		in.Register(act)
	}
	cmd.AddCommand(append(acts, more...)...)
	in.Complete(env, cmd, map[string]kit.Words{"apppassword revoke": deviceIDs, "partnerguard apppassword revoke": deviceIDs})
	return cmd
}

func deviceIDs(ctx context.Context, i *app.Installation) (ids []string, err error) {
	list, err := i.Bridge.List(ctx)
	for k := range list {
		if list[k].Revoked.IsZero() {
			ids = append(ids, list[k].ID)
		}
	}
	return ids, err
}

// lifeOf reads how long a password lives: 90d, 12w or 36h.
func lifeOf(s string) (time.Duration, error) {
	unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if len(s) > 1 && len(s) < 8 {
		n, err := strconv.Atoi(s[:len(s)-1])
		if u := unit[s[len(s)-1]]; err == nil && n > 0 && u > 0 && n <= int(bridge.MaxLife/u) {
			return time.Duration(n) * u, nil
		}
	}
	return 0, problem.New(problem.Usage, "%.20q is no time that a password may live", s).WithHint("such as 90d, 12w or 36h, two years at most")
}

func newAppPasswordCreate(env *kit.Env, open kit.Opener) *cobra.Command {
	var d bridge.Device
	var expires string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "create", Short: "Make a device's password; it is shown once", Args: kit.NoWords,
		Long: `create makes the password of one device. It is shown once, and kept as an argon2id hash.
The device's user is its mailbox. Dashes may be left out, and capitals do not matter.`,
		Example: `  partnerguard apppassword create --device "Scanner, second floor" --mailbox scans@contoso.example --protocols smtp --from 192.0.2.17 --expires 90d
  partnerguard apppassword create --device "CRM" --mailbox sales@contoso.example --protocols imap,smtp --from 192.0.2.0/24 --as hello@contoso.example`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			life, err := lifeOf(expires)
			if err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				d.Ends = s.Now().Add(life)
				got, text, err := s.Bridge.Create(cmd.Context(), d, s.Actor)
				if err != nil {
					return err
				}
				said := struct {
					bridge.Device
					Password string `json:"password"`
				}{got, text.Reveal()} // to whom made it, once
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintln(w, said.Password)
					fmt.Fprintln(w, p.Dim(fmt.Sprintf("It is not shown again. %s (%s) signs in as %s, for %s, from %s, until %s.", print.Clean(got.Name, 120), got.ID,
						got.Mailbox, strings.Join(got.Protocols, " "), fromWord(got.Sources), got.Ends.Format(time.DateOnly))))
					return nil
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.Name, "device", "", "the device, by where it stands (required)")
	f.StringVar(&d.Mailbox, "mailbox", "", "the mailbox it opens, and its user (required)")
	f.StringSliceVar(&d.Protocols, "protocols", nil, "what it may: "+strings.Join(bridge.Protocols(), ", ")+"; may be repeated (required)")
	_ = cmd.RegisterFlagCompletionFunc("protocols", cobra.FixedCompletions(bridge.Protocols(), cobra.ShellCompDirectiveNoFileComp))
	f.StringSliceVar(&d.Sources, "from", nil, "the address or network it comes from; may be repeated (default anywhere)")
	f.StringSliceVar(&d.Senders, "as", nil, "an address it may write as beside the mailbox's; Exchange Online must allow it too; may be repeated")
	f.StringVar(&expires, "expires", "90d", "how long it lives, two years at most: 90d, 12w, 36h")
	output.Register(cmd)
	return cmd
}

func fromWord(sources []string) string {
	if len(sources) == 0 {
		return "anywhere"
	}
	return strings.Join(sources, " ")
}

func newAppPasswordList(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "Show the devices, and when each was used", Args: kit.NoWords,
		Example: "  partnerguard apppassword list\n  partnerguard apppassword list --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				rows, err := s.Bridge.List(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]any{"devices": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
					if len(rows) == 0 {
						fmt.Fprintln(w, "There is no device.")
						return nil
					}
					type row = bridge.Device
					kit.Table(w, p, rows,
						kit.Col("id", func(r *row) string { return r.ID }),
						kit.Col("device", func(r *row) string { return r.Name }),
						kit.Col("mailbox", func(r *row) string { return r.Mailbox }),
						kit.Col("may", func(r *row) string { return strings.Join(r.Protocols, " ") }),
						kit.Col("from", func(r *row) string { return fromWord(r.Sources) }),
						kit.Col("state", func(r *row) string { return r.State(s.Now()) }),
						kit.Col("ends", func(r *row) string { return kit.Until(r.Ends, s.Now()) }),
						kit.Col("used", func(r *row) string {
							if r.Used.IsZero() {
								return "never"
							}
							return usedAt(r.Used) + " " + r.UsedBy + " from " + r.UsedFrom
						}))
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func newAppPasswordRevoke(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "revoke ID", Short: "End a device's password, at once",
		Example: "  partnerguard apppassword revoke bd-abc",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "revoke takes one device's id").WithHint("partnerguard apppassword list shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				d, err := s.Bridge.Revoke(cmd.Context(), args[0], s.Actor)
				if err != nil {
					return err
				}
				return output.Answer(env, d, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "Revoked: %s, of %s. Whoever is in by it is cut off within seconds.\n", print.Clean(d.Name, 120), d.Mailbox)
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}
