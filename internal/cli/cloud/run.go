package cloud

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/child"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

func newCloudExec(env *kit.Env, start cloudStart, c *kit.CloudControl) *cobra.Command {
	var f cloudFlags
	cmd := &cobra.Command{
		Use: "exec -- COMMAND [ARGUMENT...]", Short: "Run an unmodified client against the partner cloud",
		Long: `exec runs a command whose requests to Microsoft's host names land in the partner
cloud, and whose requests to any other host are refused. It uses the running
partner cloud; without one, or with flags that describe a world, it starts its
own for as long as the command runs.

The command inherits an HTTPS proxy and the local CA by the usual environment
variables: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, CURL_CA_BUNDLE,
REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS. Node.js gets a hook besides, because
its fetch ignores proxies. PARTNERGUARD names this program, so that a script can
move the clock. Nothing is installed anywhere, and the files are removed when the
command ends.

exec ends with the exit code of the command, as a shell does: 128 and the number
of the signal that ended it, 127 where there is no such command, 126 where it
cannot be run.

It leads clients, it does not lock them in: a command that ignores the
environment can reach the network.`,
		Example: `  partnerguard cloud exec -- curl -i https://graph.microsoft.com/v1.0/me
  partnerguard cloud exec -- node my-integration.js
  partnerguard cloud exec --customers 500 --seed 7 -- go test ./...`,
		Args: kit.Between(1, kit.Many, problem.New(problem.Usage, "cloud exec needs a command").
			WithHint("e.g. partnerguard cloud exec -- node my-integration.js")),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := child.Find(args[0])
			if err != nil {
				return err
			}
			client, done, err := joinCloud(cmd.Context(), env, start, c, f.given(cmd), func() (partnercloud.Options, error) { return f.options(env, false) })
			if err != nil {
				return err
			}
			defer done()
			var info partnercloud.Info
			if err := client.Info(cmd.Context(), &info); err != nil {
				return err
			}
			w, clean, err := kit.LayWires(cmd.Context(), client, &info)
			if err != nil {
				return err
			}
			defer clean()
			w.Control = c.File
			if w.Program = env.Getenv(kit.ProgramVar); w.Program == "" {
				w.Program, _ = os.Executable()
			}
			return child.Run(cmd.Context(), env, child.Options{Path: path, Args: args, Environ: kit.ChildEnv(os.Environ(), w)})
		},
	}
	f.register(cmd, 0)
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	return cmd
}

// joinCloud gives the running partner cloud, or starts one that done ends. It
// leaves the control file's path in c.
func joinCloud(ctx context.Context, env *kit.Env, start cloudStart, c *kit.CloudControl, own bool,
	options func() (partnercloud.Options, error)) (client *control.Client, done func(), err error) {
	done = func() {}
	if !own {
		client, err = c.Attach(ctx, env)
		switch {
		case err == nil:
			c.File = c.Path(env)
			return client, done, nil
		case !errors.Is(err, problem.NotFound) || c.File != "":
			return nil, done, err // a file was named, and it does not lead anywhere
		}
	}
	o, err := options()
	if err != nil {
		return nil, done, err
	}
	dir, err := os.MkdirTemp("", kit.FolderName) // 0700
	if err != nil {
		return nil, done, problem.Wrap(err, problem.Limit, "no temporary folder can be made")
	}
	// It must outlive an interrupt: the child may still have something to say.
	s, err := start(context.WithoutCancel(ctx), o)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, done, err
	}
	done = func() {
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer stop()
		_ = s.Close(closing)
		_ = os.RemoveAll(dir)
	}
	info := s.Info()
	c.File = filepath.Join(dir, "control.json")
	if _, err := kit.WriteControl(c.File, &info, env.Now()); err != nil {
		done()
		return nil, func() {}, err
	}
	return control.Dial(info.Control, info.ControlSecret), done, nil
}
