package guard

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/doorbell"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newFraudWebhook(env *kit.Env, open kit.Opener) *cobra.Command {
	cmd := &cobra.Command{
		Use: "webhook", Short: "Have Partner Center ring when it detects fraud, so that alerts are read at once", Args: kit.NoWords,
		Long: `Partner Center has one webhook a partner. With it alerts are read as soon as they are
raised; without it every few minutes. A ring is believed only by Microsoft's signature,
and does nothing but have the alerts read.

It rings at the setting publicURL with fraudWebhookPath behind it, which serve answers.`,
		Example: "  partnerguard fraud webhook register\n  partnerguard fraud webhook test",
	}
	for _, act := range []func(*kit.Env, kit.Opener) *cobra.Command{newWebhookRegister, newWebhookStatus, newWebhookTest, newWebhookRemove} {
		cmd.AddCommand(act(env, open))
	}
	return cmd
}

// webhookSaid is what is known of the webhook.
type webhookSaid struct {
	Registered bool             `json:"registered"`
	Ours       bool             `json:"ours"` // it rings here
	Changed    bool             `json:"changed"`
	URL        string           `json:"url"`
	Events     []string         `json:"events"`
	Rings      []doorbell.Count `json:"rings"`
}

func saidOf(r *msapi.Registration, has, changed bool, where string) webhookSaid {
	return webhookSaid{Registered: has, Ours: has && strings.EqualFold(r.URL, where), Changed: changed, URL: r.URL, Events: print.List(r.Events),
		Rings: []doorbell.Count{}}
}

func newWebhookRegister(env *kit.Env, open kit.Opener) *cobra.Command {
	var replace bool
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "register", Short: "Register the webhook at Partner Center", Args: kit.NoWords, Example: "  partnerguard fraud webhook register",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWebhook(cmd.Context(), open, func(ctx context.Context, s *app.Installation, c doorbell.Center, where string) error {
				r, changed, err := doorbell.Register(ctx, c, where, replace)
				if err != nil {
					return err
				}
				if changed {
					if err := s.FraudWebhookChanged(ctx, r); err != nil {
						return err
					}
				}
				return output.Answer(env, saidOf(&r, true, changed, where), func(w io.Writer, _ kit.Paint) error {
					word := "It was registered already"
					if changed {
						word = "Registered"
					}
					fmt.Fprintf(w, "%s: Partner Center rings at %s.\nSee that it reaches you: partnerguard fraud webhook test\n", word, print.Clean(r.URL, 200))
					return nil
				})
			})
		},
	})
	cmd.Flags().BoolVar(&replace, "replace", false, "take the place of a webhook that rings elsewhere")
	return cmd
}

// withWebhook opens the installation and the way to the webhook's registration.
func withWebhook(ctx context.Context, open kit.Opener, do func(context.Context, *app.Installation, doorbell.Center, string) error) error {
	return open.With(ctx, func(s *app.Installation) error {
		return s.FraudWebhook(ctx, func(c doorbell.Center, where string) error { return do(ctx, s, c, where) })
	})
}

func newWebhookStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "status", Short: "Say where Partner Center rings, for what, and what came", Args: kit.NoWords, Example: "  partnerguard fraud webhook status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWebhook(cmd.Context(), open, func(ctx context.Context, s *app.Installation, c doorbell.Center, where string) error {
				r, has, err := doorbell.Registered(ctx, c)
				if err != nil {
					return err
				}
				said := saidOf(&r, has, false, where)
				if said.Rings, err = s.Doorbell.Counts(ctx); err != nil {
					return err
				}
				said.Rings = print.List(said.Rings)
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
					switch {
					case !said.Registered:
						fmt.Fprintf(w, "No webhook is registered: alerts are read every %s.\n", s.Config.Fraud.Every)
					case !said.Ours:
						fmt.Fprintf(w, "Partner Center rings elsewhere: %s\n", print.Clean(r.URL, 200))
					case !slices.Contains(r.Events, doorbell.Wanted()[0]):
						fmt.Fprintf(w, "Partner Center rings at %s, and not for fraud.\n", print.Clean(r.URL, 200))
					default:
						fmt.Fprintf(w, "Partner Center rings at %s, for %s.\n", print.Clean(r.URL, 200), print.Clean(strings.Join(r.Events, ", "), 600))
					}
					if len(said.Rings) > 0 {
						kit.Table(w, p, said.Rings, kit.Col("came", func(c *doorbell.Count) string { return print.Clean(c.What, 60) }),
							kit.Col("times", func(c *doorbell.Count) string { return print.Number(c.N) }),
							kit.Col("last", func(c *doorbell.Count) string { return fraudWhen(c.Last) }))
					}
					return nil
				})
			})
		},
	})
}

// testFor is how long a test waits for what Partner Center says of it.
const testFor = 30 * time.Second

func newWebhookTest(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "test", Short: "Have Partner Center send a test, and say whether it came", Args: kit.NoWords, Example: "  partnerguard fraud webhook test",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWebhook(cmd.Context(), open, func(ctx context.Context, _ *app.Installation, c doorbell.Center, _ string) error {
				id, err := c.TestWebhook(ctx)
				if err != nil {
					return err
				}
				var t msapi.WebhookTest
				for end := time.Now().Add(testFor); time.Now().Before(end); {
					if t, err = c.TestedWebhook(ctx, id); err != nil {
						return err
					}
					if t.Status == "completed" || t.Status == "failed" || t.Status == "refused" {
						break
					}
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(500 * time.Millisecond):
					}
				}
				if err := output.Answer(env, t, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "The test is %s, at %s.\n", print.Clean(t.Status, 40), print.Clean(t.URL, 200))
					for _, r := range t.Results {
						fmt.Fprintf(w, "  %s %s\n", print.Clean(r.Code, 20), print.Clean(r.Message, 200))
					}
					return nil
				}); err != nil {
					return err
				}
				if t.Status != "completed" {
					return problem.New(problem.Unmet, "the test of the webhook did not come through").
						WithHint("is serve running, and reachable there from the internet? a proxy in front must pass the headers on")
				}
				return nil
			})
		},
	})
}

func newWebhookRemove(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "remove", Short: "Have Partner Center ring for fraud no more", Args: kit.NoWords, Example: "  partnerguard fraud webhook remove",
		Long: `remove takes the events of fraud out of the registration. Partner Center has no call that
ends a registration: events of others stay, and where there are none test-created is
left, which nobody sends by itself.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withWebhook(cmd.Context(), open, func(ctx context.Context, s *app.Installation, c doorbell.Center, where string) error {
				r, changed, err := doorbell.Remove(ctx, c, where)
				if err != nil {
					return err
				}
				if changed {
					if err := s.FraudWebhookChanged(ctx, r); err != nil {
						return err
					}
				}
				return output.Answer(env, saidOf(&r, r.URL != "", changed, where), func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "Partner Center rings for fraud no more; alerts are read every %s.\n", s.Config.Fraud.Every)
					return nil
				})
			})
		},
	})
}
