package guard

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/mfa"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newMFAPeople makes the commands of people and factors.
func newMFAPeople(env *kit.Env, open kit.Opener) []*cobra.Command {
	return []*cobra.Command{newMFAUsers(env, open), newMFAFactors(env, open), newMFAInvite(env, open),
		newMFAPair(env, open, mfa.ActReset, "Take every factor of a person away, and invite them anew",
			"lost phone; called back on the number in the directory"),
		newMFAPair(env, open, mfa.ActPass, "Give a person a temporary pass, good once", "phone at home; stands at the desk with a badge"),
		newMFAPair(env, open, mfa.ActRecovery, "Make new recovery codes for a person", "codes lost; called back"),
		newMFAUnlock(env, open), newMFABlock(env, open), newMFARemove(env, open)}
}

// mfaUsers are the names by which people are completed.
func mfaUsers(ctx context.Context, i *app.Installation) (out []string, err error) {
	list, err := i.MFA.People(ctx)
	for k := range list {
		out = append(out, first(list[k].Login, list[k].ID))
	}
	return out, err
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func moment(t time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func newMFAUsers(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "users", Short: "Show people with their factors, who needs the help desk first", Args: kit.NoWords,
		Example: "  partnerguard mfa users\n  partnerguard mfa users --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				rows, err := s.MFA.Lines(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]any{"users": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
					if len(rows) == 0 {
						fmt.Fprintln(w, "Nobody has a factor here. partnerguard mfa invite --help says how it begins.")
						return nil
					}
					type row = mfa.Line
					kit.Table(w, p, rows,
						kit.Col("id", func(r *row) string { return r.ID }),
						kit.Col("who", func(r *row) string { return r.Called() }),
						kit.Col("account", func(r *row) string { return r.Login }),
						kit.Col("strongest", func(r *row) string { return first(r.Strongest.Word(), "none") }),
						kit.Col("shown last", func(r *row) string { return moment(r.Last, "never") }),
						kit.Col("standing", func(r *row) string { return mfaStanding(r, s.Now()) }))
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}

// mfaStanding is what somebody should know of a person.
func mfaStanding(l *mfa.Line, now time.Time) string {
	var list []string
	if l.Refused != "" {
		list = append(list, "refused: "+l.Refused)
	}
	if l.State == mfa.Blocked {
		list = append(list, "blocked")
	}
	if !l.Locked.IsZero() {
		list = append(list, "locked until "+kit.Until(l.Locked, now))
	}
	for _, a := range l.Acts {
		list = append(list, fmt.Sprintf("%s %s (%s)", a.What, a.On(now), a.ID))
	}
	if l.Invited != nil {
		list = append(list, "invited until "+moment(l.Invited.Ends, ""))
	}
	if len(l.Notes) > 0 {
		list = append(list, print.Plural(int64(len(l.Notes)), "notes")+", the last: "+l.Notes[0].Words)
	}
	return strings.Join(list, "; ")
}

func newMFAFactors(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "factors [USER]", Short: "Show the factors of a person, or of all",
		Long:    "factors shows no secret: what was set up is sealed, and is never shown again. USER is an account, an object id, or an id of mfa users.",
		Example: "  partnerguard mfa factors\n  partnerguard mfa factors ada@contoso.example --output json",
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "mfa factors takes one person").WithHint("partnerguard mfa users shows who is here")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				of := ""
				if len(args) == 1 {
					p, err := s.MFA.Find(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					of = p.ID
				}
				rows, err := s.MFA.Factors(cmd.Context(), of)
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]any{"factors": print.List(rows)}, func(w io.Writer, p kit.Paint) error {
					if len(rows) == 0 {
						fmt.Fprintln(w, "No factor is set up.")
						return nil
					}
					type row = mfa.Factor
					kit.Table(w, p, rows,
						kit.Col("id", func(r *row) string { return r.ID }),
						kit.Col("person", func(r *row) string { return r.Person }),
						kit.Col("kind", func(r *row) string { return r.Kind.Word() }),
						kit.Col("label", func(r *row) string { return r.Label }),
						kit.Col("set up", func(r *row) string { return moment(r.Made, "") + " by " + r.By }),
						kit.Col("shown last", func(r *row) string { return moment(r.Last, "never") }),
						kit.Col("more", mfaMore))
					return nil
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func mfaMore(f *mfa.Factor) string {
	switch {
	case f.Refused != "":
		return "refused: " + f.Refused
	case f.Kind == mfa.Recovery:
		return print.Plural(int64(f.Left), "codes") + " left"
	case f.Kind == mfa.Key:
		return "model " + f.Model
	case f.Drift != 0:
		return fmt.Sprintf("its clock is %+d s off", f.Drift*f.Period)
	}
	return ""
}

func newMFAInvite(env *kit.Env, open kit.Opener) *cobra.Command {
	var a mfa.Account
	var name string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "invite ACCOUNT", Short: "Let a person set up a first factor; the address is shown once",
		Long: `invite makes an address at which a person sets up their first factor, once. ACCOUNT is
the name that they sign in with; whose the factor is, tenant and object id say. Who had
a factor here before is not invited by one person: mfa reset asks a second.`,
		Example: "  partnerguard mfa invite ada@contoso.example --tenant-id 11111111-2222-3333-4444-555555555555 " +
			"--object aaaaaaaa-2222-3333-4444-555555555555 --name \"Ada Lovelace\"",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "mfa invite takes one account").WithHint("the name that the person signs in with")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.Check(); err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				i, link, err := s.MFA.Invite(cmd.Context(), a, name, args[0], s.Actor)
				if err != nil {
					return err
				}
				said := struct {
					mfa.Invitation
					Link string `json:"link"`
				}{i, link.Reveal()} // to whom made it, once
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintln(w, said.Link)
					fmt.Fprintln(w, p.Dim(fmt.Sprintf("It is not shown again. It is good once, until %s (%s): give it to %s by a way that you trust.",
						moment(i.Ends, ""), i.ID, print.Clean(first(name, args[0]), 100))))
					return nil
				})
			})
		},
	}
	cmd.Flags().StringVar(&a.Tenant, "tenant-id", "", "id of the account's tenant (required)")
	cmd.Flags().StringVar(&a.Object, "object", "", "object id of the user (required)")
	cmd.Flags().StringVar(&name, "name", "", "what the person is called")
	output.Register(cmd)
	return cmd
}

// newMFAPair makes a command of two people: one asks, another approves.
func newMFAPair(env *kit.Env, open kit.Opener, what, short, reason string) *cobra.Command {
	var why, approve, withdraw string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: what + " [USER]", Short: short + "; a second person approves",
		Long: what + ` asks, with --reason, and does nothing. Another person approves it within a day, here
with --approve or in the console, and is shown what it gives, once. Nobody approves what
they asked for, or what concerns themselves.`,
		Example: fmt.Sprintf("  partnerguard mfa %s ada@contoso.example --reason %q\n  partnerguard mfa %s --approve ma-abc", what, reason, what),
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "mfa %s takes one person", what).WithHint("partnerguard mfa users shows who is here")),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch n := len(args) + b2i(approve != "") + b2i(withdraw != ""); {
			case n == 0:
				return problem.New(problem.Usage, "whose %s?", what).WithHint("name a person with --reason, or --approve or --withdraw what waits")
			case n > 1:
				return problem.New(problem.Usage, "a person, --approve and --withdraw exclude each other")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				ctx := cmd.Context()
				switch {
				case approve != "":
					a, given, err := s.MFA.Approve(ctx, approve, s.Actor)
					if err != nil {
						return err
					}
					return mfaGiven(env, output, a, &given)
				case withdraw != "":
					a, err := s.MFA.Withdraw(ctx, withdraw, s.Actor)
					return mfaActed(env, output, a, err, "Withdrawn: "+withdraw)
				}
				p, err := s.MFA.Find(ctx, args[0])
				if err != nil {
					return err
				}
				a, err := s.MFA.Ask(ctx, p.ID, what, why, s.Actor)
				return mfaActed(env, output, a, err, fmt.Sprintf("Asked for: %s. Another person runs: partnerguard mfa %s --approve %s", a.ID, what, a.ID))
			})
		},
	}
	cmd.Flags().StringVar(&why, "reason", "", "why, and how you know that it is this person")
	cmd.Flags().StringVar(&approve, "approve", "", "approve what another person asked for, by its id")
	cmd.Flags().StringVar(&withdraw, "withdraw", "", "end what was asked for, by its id")
	output.Register(cmd)
	return cmd
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func mfaActed(env *kit.Env, output kit.Output, a mfa.Act, err error, said string) error {
	if err != nil {
		return err
	}
	return output.Answer(env, a, func(w io.Writer, _ kit.Paint) error {
		_, err := fmt.Fprintln(w, said)
		return err
	})
}

// mfaGiven shows what an approval gives, once, to whom approved it.
func mfaGiven(env *kit.Env, output kit.Output, a mfa.Act, g *mfa.Given) error {
	said := struct {
		mfa.Act
		Given []string `json:"given"`
	}{a, g.Shown()}
	return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		for _, line := range said.Given {
			fmt.Fprintln(w, line)
		}
		until := ""
		if a.What == mfa.ActPass {
			until = " It is good once, until " + moment(a.Ends, "") + "."
		}
		fmt.Fprintln(w, p.Dim("It is not shown again: give it to the person by a way that you trust."+until))
		return nil
	})
}

func newMFAUnlock(env *kit.Env, open kit.Opener) *cobra.Command {
	return mfaOne(env, open, "unlock USER", "End the wait of a person after wrong answers", "  partnerguard mfa unlock ada@contoso.example",
		func(cmd *cobra.Command, s *app.Installation, p mfa.Person) (string, error) {
			_, err := s.MFA.Unlock(cmd.Context(), p.ID, s.Actor)
			return "Unlocked: " + p.Called(), err
		})
}

func newMFABlock(env *kit.Env, open kit.Opener) *cobra.Command {
	var undo bool
	var why string
	cmd := mfaOne(env, open, "block USER", "Take no factor of a person any more, at once; --undo takes them again",
		"  partnerguard mfa block ada@contoso.example --reason \"left the company\"\n  partnerguard mfa block ada@contoso.example --undo",
		func(cmd *cobra.Command, s *app.Installation, p mfa.Person) (string, error) {
			_, err := s.MFA.Block(cmd.Context(), p.ID, !undo, s.Actor, why)
			if undo {
				return "Their factors are taken again: " + p.Called(), err
			}
			return "Blocked: " + p.Called(), err
		})
	cmd.Flags().BoolVar(&undo, "undo", false, "take their factors again")
	cmd.Flags().StringVar(&why, "reason", "", "why, for the trail")
	return cmd
}

func mfaOne(env *kit.Env, open kit.Opener, use, short, example string, do func(*cobra.Command, *app.Installation, mfa.Person) (string, error)) *cobra.Command {
	verb, _, _ := strings.Cut(use, " ")
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "mfa %s takes one person", verb).WithHint("partnerguard mfa users shows who is here")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				p, err := s.MFA.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				said, err := do(cmd, s, p)
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]string{"person": p.ID, "done": verb}, func(w io.Writer, _ kit.Paint) error {
					_, err := fmt.Fprintln(w, print.Clean(said, 300))
					return err
				})
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func newMFARemove(env *kit.Env, open kit.Opener) *cobra.Command {
	var why string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "remove FACTOR", Short: "Take one factor away; the last wants mfa reset, and two people",
		Example: "  partnerguard mfa remove mf-abc --reason \"the key was lost\"",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "mfa remove takes one factor").WithHint("partnerguard mfa factors lists their ids")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				f, err := s.MFA.RemoveFactor(cmd.Context(), args[0], s.Actor, why)
				if err != nil {
					return err
				}
				return output.Answer(env, f, func(w io.Writer, _ kit.Paint) error {
					_, err := fmt.Fprintf(w, "Taken away: %s (%s)\n", print.Clean(f.Label, 100), f.ID)
					return err
				})
			})
		},
	}
	cmd.Flags().StringVar(&why, "reason", "", "why, for the trail")
	output.Register(cmd)
	return cmd
}
