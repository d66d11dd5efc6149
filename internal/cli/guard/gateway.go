package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/run"
	"partnerguard/internal/problem"
)

// newGateway makes the enforcement gateway's commands. Its --config names gateway.yaml; the
// installation's settings are named by --settings here.
func newGateway(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var file, decisions string
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd := &cobra.Command{
		Use: "gateway", Short: "Let nobody into your tools without the MFA claim", Args: kit.NoWords,
		Long: `gateway runs until it is interrupted. It stands in front of your control panel, PSA, RMM and
billing tools, and passes on only who brings proof: an access token or a browser's sign-in
with the MFA claim, in time, of your tenant. Clients and browsers that fall short are
challenged in the way that they understand by themselves.

A route begins in mode report: nothing is refused, and gateway report says who would be.
The file names the dates from which a route goes on to ramp and enforce; callers are told.

The file is read again when it changes and on SIGHUP, without dropping a request; a broken
one is refused with its line, and the old one stays. partnerguard serve runs the gateway
too, where the setting gatewayConfig names the file.`,
		Example: `  partnerguard gateway --config gateway.yaml
  partnerguard gateway report --since 7d
  partnerguard gateway revoke user ada@contoso.example --reason "laptop was stolen"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return noGatewayFile()
			}
			in.Logging = true
			ctx := cmd.Context()
			return open.With(ctx, func(s *app.Installation) error { return runGateway(ctx, env, s, file, decisions) })
		},
	}
	in.RegisterAs(cmd, "settings")
	cmd.PersistentFlags().StringVar(&file, "config", "", "the gateway's file (default the setting gatewayConfig, where there is one)")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	cmd.Flags().StringVar(&decisions, "decisions", "", "also write each decision to this file, a JSON object a line")
	kept := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Kept(ctx, env) })
	cmd.AddCommand(newGatewayCheck(env, &in, &file), newGatewayReport(env, kept, &file), newGatewayStatus(env, open, &file),
		newGatewayRevoke(env, open), newGatewayUnrevoke(env, open), newGatewayRevocations(env, open))
	return cmd
}

func noGatewayFile() error {
	return problem.New(problem.Usage, "which file? --config names the gateway's").WithHint("docs/gateway.md has one to begin with: --config gateway.yaml")
}

// runGateway runs until ctx ends.
func runGateway(ctx context.Context, env *kit.Env, s *app.Installation, file, decisions string) error {
	o := app.GatewayRun{File: file, Alone: true}
	written := make(chan error, 1)
	if decisions != "" {
		f, err := os.OpenFile(decisions, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the file of decisions %s cannot be written", decisions).
				WithHint("name one in a folder that you may write to")
		}
		defer f.Close()
		o.Lines = ledger.NewLines()
		writing, stop := context.WithCancel(context.WithoutCancel(ctx))
		go func() { written <- o.Lines.Run(writing, f) }()
		defer func() {
			stop()
			if err := errors.Join(<-written, lost(o.Lines)); err != nil {
				fmt.Fprintf(env.Stderr, "partnerguard: %s: %s\n", decisions, err)
			}
		}()
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	where, err := s.StartGateway(ctx, o)
	if err != nil {
		return err
	}
	t, err := s.GatewayTable(ctx, "")
	if err != nil {
		return err
	}
	tellDoors(env.Stdout, where)
	for _, line := range run.Banner(t, s.Now()) {
		fmt.Fprintln(env.Stdout, "  "+line)
	}
	for {
		select {
		case <-hup:
			if err := s.ReloadGateway(ctx); err != nil {
				fmt.Fprintf(env.Stderr, "partnerguard: the file was not taken over, the one before stays: %s\n", err)
				continue
			}
			fmt.Fprintln(env.Stdout, "The file was read again.")
		case <-ctx.Done():
			return nil
		}
	}
}

// lost says that decisions were left out of the file.
func lost(l *ledger.Lines) error {
	if n := l.Dropped(); n > 0 {
		return fmt.Errorf("%d decisions came faster than they could be written, and are not in it", n)
	}
	return nil
}

// tellDoors tells where a gateway listens; nothing where none runs.
func tellDoors(w io.Writer, where []run.Where) {
	for _, x := range where {
		fmt.Fprintln(w, "The gateway listens: "+doorWords(x))
	}
}

func doorWords(w run.Where) string {
	how := "plain HTTP"
	if w.TLS {
		how = "TLS"
	}
	switch w.What {
	case "forward":
		return "for other proxies on " + w.Addr.String() + " (" + how + ")"
	case "admin":
		return "health and metrics on " + w.Addr.String()
	}
	return "requests on " + w.Addr.String() + " (" + how + ")"
}

func newGatewayStatus(env *kit.Env, open kit.Opener, file *string) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show routes with their modes and dates, and how the last day was", Args: kit.NoWords,
		Long: `status shows each route of the gateway's file: its mode, the next one and its date, its
exceptions, and how ready it is to be enforced by what came in the last 24 hours.`,
		Example: "  partnerguard gateway status --config gateway.yaml\n  partnerguard gateway status --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return open.With(ctx, func(s *app.Installation) error {
				said, err := s.GatewayStatus(ctx, *file)
				if err != nil {
					return err
				}
				return output.Answer(env, said, func(w io.Writer, p kit.Paint) error { return tellGateway(w, p, said) })
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func tellGateway(w io.Writer, p kit.Paint, s *app.GatewaySaid) error {
	if len(s.Routes) == 0 {
		fmt.Fprintln(w, "No file is known and nothing came: name the gateway's file with --config.")
	}
	for i := range s.Routes {
		r := &s.Routes[i]
		fmt.Fprintln(w, p.Bold(r.Name)+"  "+r.Says)
		fmt.Fprintln(w, "  "+r.Ready)
		for _, e := range r.Exceptions {
			fmt.Fprintln(w, "  exception "+e)
		}
	}
	if s.Revoked > 0 {
		fmt.Fprintln(w, kit.Plural(s.Revoked, "revocation holds", "revocations hold")+": partnerguard gateway revocations")
	}
	return nil
}
