package cloud

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newCloudGraph(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var tenant, body string
	cmd := &cobra.Command{
		Use: "graph METHOD PATH", Short: "Call Microsoft Graph as the administrator of the partner cloud",
		Long: `graph calls the partner cloud's Graph as a tenant's first Global Administrator, with
every delegated permission: to revoke sessions, disable an account, add a
certificate to an app or a policy to the tenant, and see what then breaks. It
leaves the traces in the directory audit log that an administrator leaves.

The body is JSON, a file named @FILE, or - for standard input. Graph's answer is
printed as JSON; a refusal ends with exit code 1.`,
		Example: `  partnerguard cloud graph GET '/v1.0/users?$select=userPrincipalName'
  partnerguard cloud graph POST /v1.0/users/sam-agent@contoso.com/revokeSignInSessions
  partnerguard cloud graph PATCH /v1.0/users/sam-agent@contoso.com --body '{"accountEnabled":false}'
  partnerguard cloud graph GET /v1.0/users --tenant fabrikam.example`,
		Args: kit.Between(2, 2, problem.New(problem.Usage, "cloud graph takes a method and a path").
			WithHint("e.g. partnerguard cloud graph GET /v1.0/organization")),
		ValidArgs: []string{"GET", "POST", "PATCH", "PUT", "DELETE"},
		RunE: func(cmd *cobra.Command, args []string) error {
			call := control.GraphCall{Method: args[0], Path: args[1], Tenant: tenant}
			raw, err := graphBody(env, body)
			if err != nil {
				return err
			}
			call.Body = raw
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			a, err := client.Graph(cmd.Context(), call)
			// Its limits hold for everybody: a second later there is room again.
			for try := 0; err == nil && a.Status == http.StatusTooManyRequests && try < 15; try++ {
				select {
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				case <-time.After(time.Second):
				}
				a, err = client.Graph(cmd.Context(), call)
			}
			if err != nil {
				return err
			}
			if len(a.Body) > 0 {
				if err := print.JSON(env.Stdout, a.Body); err != nil {
					return err
				}
			}
			if a.Status >= 400 {
				return problem.New(problem.BadInput, "Graph refused it with %d", a.Status).WithHint("its answer says why")
			}
			fmt.Fprintf(env.Stderr, "%d\n", a.Status)
			return nil
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "a customer's domain or tenant id (default the partner tenant)")
	cmd.Flags().StringVar(&body, "body", "", "JSON, @FILE, or - for standard input")
	return cmd
}

func graphBody(env *kit.Env, body string) (json.RawMessage, error) {
	const most = 48 << 10
	var r io.Reader = strings.NewReader(body)
	switch {
	case body == "":
		return nil, nil
	case body == "-":
		r = env.Input()
	case strings.HasPrefix(body, "@"):
		f, err := os.Open(body[1:])
		if err != nil {
			return nil, problem.Wrap(err, problem.NotFound, "the body %s cannot be read", body[1:])
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.BadInput, "the body cannot be read")
	case len(b) > most:
		return nil, problem.New(problem.Limit, "the body is larger than %d bytes", most)
	case !json.Valid(b):
		return nil, problem.New(problem.BadInput, "the body is not JSON").WithHint(`e.g. --body '{"accountEnabled":false}'`)
	}
	return b, nil
}
