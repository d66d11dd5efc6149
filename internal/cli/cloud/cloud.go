package cloud

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// cloudServer is what the commands need of a partner cloud that they started.
type cloudServer interface {
	Info() partnercloud.Info
	Wait() error // until it was closed or failed
	Close(context.Context) error
}

// cloudStart starts a partner cloud; the end of ctx ends it.
type cloudStart func(context.Context, partnercloud.Options) (cloudServer, error)

func startCloud(ctx context.Context, o partnercloud.Options) (cloudServer, error) {
	s, err := partnercloud.Start(ctx, o)
	if err != nil {
		return nil, err // not a typed nil
	}
	return s, nil
}

// cloudFlags say what partner cloud to start.
type cloudFlags struct {
	scenario               string
	customers, users, days int
	seed                   uint64
	state, listen          string
	port                   int
	force, mail, stamp     bool
}

func (f *cloudFlags) register(cmd *cobra.Command, port int) {
	fl := cmd.Flags()
	fl.StringVar(&f.scenario, "scenario", "", "a scenario file (default the embedded one)")
	fl.IntVar(&f.customers, "customers", 0, "how many customers to make up (default the scenario's)")
	fl.IntVar(&f.users, "users", 0, "how many partner users to make up (default the scenario's)")
	fl.IntVar(&f.days, "days", 0, "how many days of history to make up (default the scenario's)")
	fl.Uint64Var(&f.seed, "seed", 0, "the same seed makes the same world (default the scenario's)")
	fl.StringVar(&f.state, "state", "", "keep the world in this folder over a restart")
	fl.StringVar(&f.listen, "listen", "127.0.0.1", "the loopback address to listen on")
	fl.BoolVar(&f.force, "force-listen", false, "listen beyond loopback all the same")
	fl.IntVar(&f.port, "port", port, "the first of eight ports in a row; 0 means any that are free")
	fl.BoolVar(&f.mail, "mail", false, "send and read mail there too: SMTP, IMAP and POP3 with XOAUTH2, on three ports more")
	fl.BoolVar(&f.stamp, "stamp", false, "give time stamps there too (RFC 3161), on one port more")
	_ = cmd.MarkFlagFilename("scenario", "yaml", "yml", "json")
	_ = cmd.MarkFlagDirname("state")
}

// given says whether a flag that describes the world was set.
func (f *cloudFlags) given(cmd *cobra.Command) bool {
	for _, name := range []string{"scenario", "customers", "users", "days", "seed", "state", "listen", "port", "mail", "stamp"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func (f *cloudFlags) options(env *kit.Env, quiet bool) (partnercloud.Options, error) {
	for _, n := range []struct {
		name  string
		value int
	}{{"customers", f.customers}, {"users", f.users}, {"days", f.days}} {
		if n.value < 0 {
			return partnercloud.Options{}, problem.New(problem.Usage, "--%s cannot be %d", n.name, n.value)
		}
	}
	log := slog.New(slog.DiscardHandler)
	if !quiet {
		log = slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	return partnercloud.Options{
		Scenario: f.scenario, Customers: f.customers, Users: f.users, Days: f.days, Seed: f.seed, State: f.state,
		Listen: f.listen, Port: f.port, ForceListen: f.force, Mail: f.mail, Stamp: f.stamp, Log: log,
	}, nil
}

// newCloud makes the cloud command and what belongs to it.
func New(env *kit.Env, start cloudStart) *cobra.Command {
	var (
		f      cloudFlags
		c      kit.CloudControl
		quiet  bool
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "cloud", Short: "Run a local partner cloud: Entra ID, Graph, Partner Center and Azure in one process",
		Long: `cloud runs a partner cloud on this machine: a partner tenant and its customers
behind sign-in pages, Microsoft Graph, Partner Center, Azure Resource Manager
and a portal, where policy really decides tokens. It prints where everything is
and whom to sign in as, and runs until it is interrupted.

It is not Microsoft, its people are invented, and nothing leaves this machine.
With --state the world survives a restart; otherwise it ends with the process.`,
		Example: `  partnerguard cloud
  partnerguard cloud --customers 500 --days 30 --seed 7
  partnerguard cloud --scenario my.yaml --state ./lab
  partnerguard cloud --port 0 --output json > cloud.json &
  partnerguard cloud exec -- node my-integration.js
  partnerguard cloud clock +95d`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.options(env, quiet)
			if err != nil {
				return err
			}
			return serveCloud(cmd.Context(), env, start, o, c.Path(env), func(w io.Writer, info *partnercloud.Info, path string) error {
				switch {
				case output.Value == "json":
					return print.JSON(w, info)
				case quiet:
					return nil
				}
				return kit.Text(env, func(w io.Writer) error { return cloudText(w, info, path, kit.NewPaint(env)) })(w)
			})
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	f.register(cmd, 7441)
	c.Register(cmd)
	cmd.Flags().BoolVar(&quiet, "quiet", false, "print nothing unless something fails")
	output.Register(cmd)
	cmd.AddCommand(newCloudExec(env, start, &c), newCloudClock(env, &c), newCloudFault(env, &c), newCloudLog(env, &c), newCloudPeople(env, &c),
		newCloudInfo(env, &c), newCloudEnforcement(env, &c), newCloudScenario(env), newCloudKeys(env, &c), newCloudGraph(env, &c),
		newCloudStory(env, &c), newCloudAlert(env, &c), newCloudWebhook(env, &c))
	return cmd
}

// serveCloud runs a partner cloud until ctx ends, with a control file that
// leads the other commands to it.
func serveCloud(ctx context.Context, env *kit.Env, start cloudStart, o partnercloud.Options, path string,
	tell func(io.Writer, *partnercloud.Info, string) error) (err error) {
	if running, rerr := kit.ReadControl(path); rerr == nil && running.Alive(ctx) {
		return problem.New(problem.Limit, "a partner cloud is running already (process %d)", running.PID).
			WithHint("use it, end it, or run another beside it: --control FILE --port 0")
	}
	s, err := start(ctx, o)
	if err != nil {
		return err
	}
	// Its own ending must be waited for: it saves the state.
	defer func() {
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer stop()
		if cerr := s.Close(closing); err == nil && cerr != nil {
			err = cerr
		}
	}()
	info := s.Info()
	release, err := kit.WriteControl(path, &info, env.Now())
	if err != nil {
		return err
	}
	defer release()
	if err := kit.WriteOut(env, "", func(w io.Writer) error { return tell(w, &info, path) }); err != nil {
		return err
	}
	if err := s.Wait(); err != nil {
		return problem.Wrap(err, problem.Internal, "the partner cloud ended: %s", publicText(err))
	}
	return nil
}

// publicText is what may be said of an error: its sentence when it is one of
// ours, otherwise its own words, which come from listening on ports.
func publicText(err error) string { return print.Clean(err.Error(), 300) }

// aboutCloud makes a command that reads what the running partner cloud says of
// itself and prints it.
func aboutCloud(env *kit.Env, c *kit.CloudControl, cmd *cobra.Command, pick func(*partnercloud.Info) any,
	text func(io.Writer, *partnercloud.Info) error) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd.Args = kit.NoWords
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client, err := c.Attach(cmd.Context(), env)
		if err != nil {
			return err
		}
		var info partnercloud.Info
		if err := client.Info(cmd.Context(), &info); err != nil {
			return err
		}
		return output.Answer(env, pick(&info), func(w io.Writer, _ kit.Paint) error {
			return text(w, &info)
		})
	}
	output.Register(cmd)
	return cmd
}

func newCloudPeople(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	return aboutCloud(env, c, &cobra.Command{
		Use: "people", Short: "Show whom to sign in as",
		Long:    "people prints the sample people of the running partner cloud with their passwords\nand TOTP secrets, and its apps and customers.",
		Example: "  partnerguard cloud people\n  partnerguard cloud people --output json",
	}, func(info *partnercloud.Info) any {
		return struct {
			People    []partnercloud.Person   `json:"people"`
			Apps      []partnercloud.App      `json:"apps"`
			Customers []partnercloud.Customer `json:"customers"`
		}{info.People, info.Apps, info.Customers}
	}, func(w io.Writer, info *partnercloud.Info) error {
		peopleText(w, info, kit.NewPaint(env))
		return nil
	})
}

func newCloudInfo(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	return aboutCloud(env, c, &cobra.Command{
		Use: "info", Short: "Show where everything of the running partner cloud is",
		Long: "info prints once more what the partner cloud printed when it started: addresses,\nsample people with passwords and TOTP secrets, apps " +
			"and customers.",
		Example: "  partnerguard cloud info\n  partnerguard cloud info --output json",
	}, func(info *partnercloud.Info) any { return info }, func(w io.Writer, info *partnercloud.Info) error {
		return cloudText(w, info, c.Path(env), kit.NewPaint(env))
	})
}

func newCloudScenario(env *kit.Env) *cobra.Command {
	return &cobra.Command{
		Use: "scenario", Short: "Print the embedded scenario, to copy and change", Args: kit.NoWords,
		Long:    "scenario prints the YAML of the world that cloud starts when no --scenario is given.\nIts comments describe the format.",
		Example: "  partnerguard cloud scenario > my.yaml\n  partnerguard cloud --scenario my.yaml",
		RunE: func(*cobra.Command, []string) error {
			_, err := env.Stdout.Write(scenario.Default())
			return err
		},
	}
}

func newCloudKeys(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	keys := &cobra.Command{
		Use: "keys", Short: "Change the signing keys", Args: kit.NoWords,
		Example: "  partnerguard cloud keys rollover",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	output := kit.NewOutput("text", "json")
	rollover := &cobra.Command{
		Use: "rollover", Short: "Make a new signing key and sign with it from now on", Args: kit.NoWords,
		Long: `rollover makes a new signing key, publishes it, and signs with it from now on.
Clients that read the keys once and never again will refuse new tokens.`,
		Example: "  partnerguard cloud keys rollover",
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, _ []string) error {
			if err := client.Rollover(ctx); err != nil {
				return err
			}
			return output.Answer(env, map[string]bool{"rolledOver": true}, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintln(w, "new tokens are signed with a new key; the key set lists it")
				return err
			})
		}),
	}
	output.Register(rollover)
	keys.AddCommand(rollover)
	return keys
}
