package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newCloudLog(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	cmd := &cobra.Command{
		Use: "log", Short: "Show sign-ins or requests of the running partner cloud",
		Example: "  partnerguard cloud log signins --follow\n  partnerguard cloud log requests --faulted",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return problem.New(problem.Usage, "there is no log of %.40q", args[0]).WithHint("logs: signins, requests")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCloudSignIns(env, c), newCloudRequests(env, c))
	return cmd
}

// signInRow is what a line of text shows of a sign-in.
type signInRow struct {
	Created     time.Time `json:"createdDateTime"`
	User        string    `json:"userPrincipalName"`
	Service     string    `json:"servicePrincipalName"`
	App         string    `json:"appDisplayName"`
	Resource    string    `json:"resourceDisplayName"`
	IP          string    `json:"ipAddress"`
	CA          string    `json:"conditionalAccessStatus"`
	Requirement string    `json:"authenticationRequirement"`
	CrossTenant string    `json:"crossTenantAccessType"`
	Status      struct {
		Code   int    `json:"errorCode"`
		Reason string `json:"failureReason"`
	} `json:"status"`
}

func (r *signInRow) text(p kit.Paint) string {
	who := r.User
	if who == "" {
		who = r.Service
	}
	result, why := "ok", ""
	if r.Status.Code != 0 {
		result, why = fmt.Sprintf("%d", r.Status.Code), print.Clean(r.Status.Reason, 160)
	}
	factor := map[string]string{"multiFactorAuthentication": "MFA required", "singleFactorAuthentication": "single factor"}[r.Requirement]
	parts := []string{r.Created.UTC().Format(time.DateTime), print.Clean(who, 80), print.Clean(r.App, 60) + " -> " + print.Clean(r.Resource, 60), factor}
	if r.CA != "" && r.CA != "notApplied" {
		parts = append(parts, "CA "+print.Clean(r.CA, 40))
	}
	if r.CrossTenant == "serviceProvider" {
		parts = append(parts, "service provider")
	}
	strong := ""
	if why != "" {
		strong = result
	}
	return kit.Flow(p, strong, append(parts, result, why)...)
}

func newCloudSignIns(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var follow bool
	output := kit.NewLines("text")
	cmd := &cobra.Command{
		Use: "signins", Short: "Show the sign-ins made since the partner cloud started", Args: kit.NoWords,
		Long: `signins prints the sign-ins of all tenants made since the partner cloud started,
oldest first; --follow goes on with those to come until interrupted. --output jsonl
prints the rows themselves, one a line, in the names of the sign-in log.`,
		Example: "  partnerguard cloud log signins\n  partnerguard cloud log signins --follow --output jsonl",
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, _ []string) error {
			p := kit.NewPaint(env)
			put := func(raw json.RawMessage) error {
				if output.Value == "jsonl" {
					_, err := fmt.Fprintf(env.Stdout, "%s\n", raw)
					return err
				}
				var row signInRow
				if err := json.Unmarshal(raw, &row); err != nil {
					return problem.Wrap(err, problem.Internal, "a row of the sign-in log cannot be understood").
						WithHint("is the partner cloud of the same version?")
				}
				_, err := fmt.Fprintln(env.Stdout, row.text(p))
				return err
			}
			if follow {
				_, err := client.SignIns(ctx, 0, 1000, true, put)
				return leave(ctx, err)
			}
			for after := int64(0); ; {
				n := 0
				next, err := client.SignIns(ctx, after, 1000, false, func(raw json.RawMessage) error { n++; return put(raw) })
				if err != nil || n == 0 || next <= after {
					return err
				}
				after = next
			}
		}),
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with new ones until interrupted")
	output.Register(cmd)
	return cmd
}

// leave takes an interrupt for the good end of following.
func leave(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func requestText(w io.Writer, s *gate.Seen, p kit.Paint) error {
	status, strong := fmt.Sprintf("%3d", s.Status), ""
	switch {
	case s.Aborted:
		status, strong = "cut", "cut"
	case s.Status >= 400:
		strong = status
	}
	target := s.Path
	if s.Query != "" {
		target += "?" + s.Query
	}
	parts := []string{s.Time.UTC().Format(time.DateTime), fmt.Sprintf("%-6s", s.Service), status, fmt.Sprintf("%-6s %s", s.Method, print.Clean(target, 400)),
		fmt.Sprintf("%.0f ms", s.Millis)}
	if s.App != "" {
		parts = append(parts, "app "+print.Clean(s.App, 60))
	}
	if s.Tenant != "" {
		parts = append(parts, "tenant "+print.Clean(s.Tenant, 60))
	}
	if len(s.Faults) > 0 {
		parts = append(parts, "fault "+strings.Join(s.Faults, ", "))
	}
	if s.Missed > 0 {
		parts = append(parts, fmt.Sprintf("(%s before this one lost: read faster)", print.Plural(int64(s.Missed), "rows")))
	}
	_, err := fmt.Fprintln(w, kit.Flow(p, strong, parts...))
	return err
}

func newCloudRequests(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var (
		follow bool
		f      gate.Filter
	)
	output := kit.NewLines("text")
	cmd := &cobra.Command{
		Use: "requests", Short: "Show the requests the partner cloud has seen", Args: kit.NoWords,
		Long: `requests prints what the partner cloud remembers of the requests it has seen,
oldest first, never with bodies, tokens, cookies or secrets; --follow goes on
with those to come until interrupted.`,
		Example: "  partnerguard cloud log requests --service graph --status 429\n  partnerguard cloud log requests --follow --output jsonl",
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, _ []string) error {
			p := kit.NewPaint(env)
			err := client.Requests(ctx, f, follow, func(s gate.Seen) error {
				if output.Value == "jsonl" {
					b, err := json.Marshal(s)
					if err == nil {
						_, err = fmt.Fprintf(env.Stdout, "%s\n", b)
					}
					return err
				}
				return requestText(env.Stdout, &s, p)
			})
			return leave(ctx, err)
		}),
	}
	fl := cmd.Flags()
	fl.BoolVar(&follow, "follow", false, "go on with new ones until interrupted")
	fl.StringVar(&f.Service, "service", "", "only this service")
	fl.StringVar(&f.Method, "method", "", "only this method")
	fl.StringVar(&f.PathPrefix, "path", "", "only paths that begin so")
	fl.IntVar(&f.Status, "status", 0, "only this status")
	fl.StringVar(&f.App, "app", "", "only this app, by client id")
	fl.BoolVar(&f.Faulted, "faulted", false, "only those that a fault hit")
	fl.IntVar(&f.Limit, "last", 0, "only the last so many")
	_ = cmd.RegisterFlagCompletionFunc("service", cobra.FixedCompletions(gate.Services(), cobra.ShellCompDirectiveNoFileComp))
	output.Register(cmd)
	return cmd
}
