package guard

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/mfa/provider"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newMFA makes the commands of our provider of External MFA.
func newMFA(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "mfa", Short: "Be the MFA provider of Entra ID: serve, register, try; people, factors, the help desk",
		Long: `mfa is our provider of External MFA (external authentication methods): Entra ID sends
people here for their second factor, and takes our signed word for it. serve, up and
mfa serve answer; register-with-entra makes it known to a tenant; selftest plays Entra
ID's side before the first person does. users, factors and invite are its people; the
help desk's reset, pass and recovery want two persons. All of it is in the trail.

External MFA satisfies "Require multifactor authentication", and no authentication
strength. When it fails the whole sign-in fails: keep a second method registered.`,
		Example: `  partnerguard mfa register-with-entra --plan > plan.yaml
  partnerguard mfa register-with-entra --apply plan.yaml
  partnerguard mfa selftest
  partnerguard mfa status
  partnerguard mfa pass ada@contoso.example --reason "phone at home; stands at the desk"`,
		Args: kit.Only("mfa", "serve, register-with-entra, status, selftest, check-hint, keys and oath; of people users, factors, invite, reset, pass, "+
			"recovery, unlock, block and remove"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newMFAServe(env, &in), newMFARegister(env, open), newMFAStatus(env, open), newMFASelftest(env, open), newMFACheckHint(env, open),
		newMFAKeys(env, open), newMFAOath(env, open))
	cmd.AddCommand(newMFAPeople(env, open)...)
	in.Register(cmd)
	in.Taking(cmd)
	words := map[string]kit.Words{}
	for _, verb := range []string{"factors", "reset", "pass", "recovery", "unlock", "block"} {
		words["mfa "+verb], words["partnerguard mfa "+verb] = mfaUsers, mfaUsers
	}
	in.Complete(env, cmd, words)
	return cmd
}

func newMFAServe(env *kit.Env, in *kit.Installation) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the MFA provider alone", Args: kit.NoWords,
		Long: `serve answers what Entra ID and people need of the MFA provider, and nothing else: no
console, no tokens. partnerguard serve and partnerguard up do so too. A database in a
file is worked by one process; several may share PostgreSQL.`,
		Example: "  partnerguard mfa serve\n  partnerguard mfa serve --listen 0.0.0.0:8443 --public-url https://mfa.contoso.example",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Logging, in.Works = true, "mfa serve"
			ctx := cmd.Context()
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).With(ctx, func(s *app.Installation) error {
				return s.RunExternal(ctx, func(where string) { fmt.Fprintln(env.Stdout, "the MFA provider serves on "+where) })
			})
		},
	}
}

func newMFAStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	days := 7
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show keys, tenants, requests and refusals of the MFA provider", Args: kit.NoWords,
		Long: `status shows the addresses that Entra ID knows, our keys and their ages, the tenants
that are served, what was asked and refused by reason, and how far the clock is off.`,
		Example: "  partnerguard mfa status\n  partnerguard mfa status --days 30 --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > 90 {
				return problem.New(problem.Usage, "--days is 1 to 90, not %d", days).WithHint("--days 7")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				st, err := s.External.Status(cmd.Context(), days)
				if err != nil {
					return err
				}
				said := struct {
					provider.Status
					Clock string `json:"clockOff"` // "" when the cloud's is not known
				}{st, ""}
				if at, err := s.API.Clock(cmd.Context(), s.Cloud); err == nil {
					said.Clock = s.Now().Sub(at).Round(time.Second).String()
				}
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error { return writeStatus(w, p, s, &said.Status, said.Clock) })
			})
		},
	}
	cmd.Flags().IntVar(&days, "days", days, "how many days of requests, 90 at most")
	output.Register(cmd)
	return cmd
}

func writeStatus(w io.Writer, p kit.Paint, s *app.Installation, st *provider.Status, clock string) error {
	if st.Issuer == "" {
		fmt.Fprintln(w, "There is no public address, so Entra ID cannot come here: set publicURL.")
	} else {
		fmt.Fprintf(w, "Discovery:     %s\nRedirect URI:  %s\n", st.Discovery, st.Authorization)
	}
	if clock == "" {
		clock = "not known: the cloud cannot be reached"
	}
	fmt.Fprintf(w, "Clock off by:  %s\n", clock)
	if len(st.Keys) == 0 {
		fmt.Fprintln(w, "\nThere is no key yet; serve makes them when it starts.")
	} else {
		fmt.Fprintln(w)
		kit.Table(w, p, st.Keys,
			kit.Col("key", func(k *provider.KeyNow) string { return k.ID[:min(12, len(k.ID))] }),
			kit.Col("state", func(k *provider.KeyNow) string { return string(k.State) }),
			kit.Col("published", func(k *provider.KeyNow) string { return k.Made.Format("2006-01-02 15:04") }),
			kit.Col("turns", func(k *provider.KeyNow) string {
				if k.Turns.IsZero() { // a spare key turns when it is needed, and at no time
					return "-"
				}
				return kit.Until(k.Turns, s.Now())
			}))
	}
	if len(st.Tenants) == 0 {
		fmt.Fprintln(w, "\nNo tenant is served: partnerguard mfa register-with-entra --plan begins.")
	} else {
		fmt.Fprintln(w)
		kit.Table(w, p, st.Tenants,
			kit.Col("tenant", func(t *provider.Tenant) string { return t.ID }),
			kit.Col("name", func(t *provider.Tenant) string { return print.Clean(t.Name, 60) }),
			kit.Col("app", func(t *provider.Tenant) string { return t.App }),
			kit.Col("since", func(t *provider.Tenant) string { return t.Added.Format(time.DateOnly) }),
			kit.Col("ended", func(t *provider.Tenant) string { return day(t.Ended) }))
	}
	if len(st.Counts) > 0 {
		fmt.Fprintln(w)
		kit.Table(w, p, st.Counts,
			kit.Col("day", func(c *provider.Count) string { return c.Day }),
			kit.Col("what", func(c *provider.Count) string { return c.What }),
			kit.Col("tenant", func(c *provider.Count) string { return c.Tenant }),
			kit.Col("times", func(c *provider.Count) string { return strconv.FormatInt(c.N, 10) }),
			kit.Col("last", func(c *provider.Count) string { return c.Last.Format("15:04:05") }))
	}
	return nil
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func newMFAKeys(env *kit.Env, open kit.Opener) *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Roll the keys that sign, or replace a stolen one at once",
		Long: `keys roll publishes the next key; it signs two days later by itself, or by keys switch
after a day, since Entra ID keeps what it read for a day. keys emergency is for a key
that was stolen: the spare key, published all along, signs at once, and the stolen one
is withdrawn. Without any of it keys roll by themselves (mfaKeyLife).`,
		Example: "  partnerguard mfa keys roll\n  partnerguard mfa keys switch\n  partnerguard mfa keys emergency --yes",
		Args:    kit.Only("mfa keys", "roll, switch and emergency"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	roll := &cobra.Command{Use: "roll", Short: "Publish the next key", Args: kit.NoWords, Example: "  partnerguard mfa keys roll",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			k, err := s.External.Roll(ctx, s.Actor)
			if err == nil {
				fmt.Fprintf(env.Stdout, "Published: %s. It signs in two days.\n", k.ID)
			}
			return err
		})}
	turn := &cobra.Command{Use: "switch", Short: "Have the next key sign, once Entra ID has read it", Args: kit.NoWords,
		Example: "  partnerguard mfa keys switch",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			k, err := s.External.Turn(ctx, s.Actor)
			if err == nil {
				fmt.Fprintf(env.Stdout, "Signs from now on: %s\n", k.ID)
			}
			return err
		})}
	sure := false
	emergency := &cobra.Command{Use: "emergency", Short: "Have the spare key sign at once, and withdraw the one that signed", Args: kit.NoWords,
		Example: "  partnerguard mfa keys emergency --yes",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			if !sure {
				return problem.New(problem.Usage, "the key that signs would be withdrawn for good").WithHint("partnerguard mfa keys emergency --yes")
			}
			k, early, err := s.External.Emergency(ctx, s.Actor)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stdout, "Signs from now on: %s\n", k.ID)
			if early {
				fmt.Fprintln(env.Stderr, "It is published for less than a day: sign-ins fail until Entra ID reads our keys again, within a day.")
			}
			return nil
		})}
	emergency.Flags().BoolVar(&sure, "yes", false, "do it")
	cmd.AddCommand(roll, turn, emergency)
	return cmd
}
