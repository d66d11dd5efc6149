package guard

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

func newWorker(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "worker", Short: "Share the jobs of a server over PostgreSQL, on this machine or another", Args: kit.NoWords,
		Long: `worker does the jobs of all features until it is interrupted, and answers nobody:
only /healthz, /readyz and /metrics, on this machine. Any number of workers on any
number of machines share one PostgreSQL database, with or without a serve; each needs
the settings and the master key. What a worker was at when it was killed is taken up
by another within a minute. A database in a file is worked by one process, serve or
worker, and a second one is refused.

SIGTERM lets the jobs under way end, for up to half a minute; then they are cut off,
and others take them up.`,
		Example: `  partnerguard worker
  partnerguard worker --concurrency 16
  partnerguard worker --worker-listen 127.0.0.1:8451   # a second one on this machine
  partnerguard db status                               # who works the database`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Logging, in.Works = true, "worker"
			ctx := cmd.Context()
			return kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) }).With(ctx, func(i *app.Installation) error {
				return i.RunWorker(ctx, func(where string) { fmt.Fprintln(env.Stdout, "partnerguard works; its health is at "+where+"/readyz") })
			})
		},
	}
	in.Register(cmd)
	in.Serving(cmd, "concurrency", "worker-listen", "traces")
	return cmd
}
