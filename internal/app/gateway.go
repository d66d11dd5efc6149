//go:build !judge

package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/gateway/run"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// Gateway is the installation's enforcement gateway: what it keeps always, and what runs
// once it was started.
type Gateway struct {
	Book   *ledger.Ledger
	Revoke *revoke.Store // nil where it was opened without the vault

	i   *Installation
	reg prometheus.Registerer // of serve; nil: none
	on  *running              // nil: it does not run here
}

// running are the parts of a gateway that runs.
type running struct {
	*run.Gateway
	verifier *verify.Verifier
	proxy    *proxy.Proxy
	front    *front.Front
	where    []run.Where
}

// makeGateway makes what the gateway keeps: without the vault its book alone.
func (i *Installation) makeGateway() error {
	if i.Gateway == nil {
		book, err := ledger.New(ledger.Deps{DB: i.DB, Record: i.Trail, Now: i.Now, Log: i.Log})
		if err != nil {
			return err
		}
		i.Gateway = &Gateway{Book: book, i: i}
	}
	if i.Vault == nil {
		return nil
	}
	var err error
	i.Gateway.Revoke, err = revoke.New(revoke.Deps{DB: i.DB, Marks: i.Vault, Record: i.Trail, Last: i.lastOfRevocations, Now: i.Now, Log: i.Log})
	return err
}

// lastOfRevocations gives what the trail says last of each revocation.
func (i *Installation) lastOfRevocations(ctx context.Context) (map[revoke.Said]audit.Action, error) {
	return i.revokeWords.now(ctx, i.Trail, revoke.Line, func(e *trail.Entry) (revoke.Said, bool) { return revoke.ReadSaid(e) })
}

// Metrics adds the book's gauges; what runs adds its own when it starts.
func (g *Gateway) Metrics(reg prometheus.Registerer) {
	g.reg = reg
	g.Book.Metrics(reg)
}

// Jobs forgets what is older than is kept, also where no gateway runs any more.
func (g *Gateway) Jobs(q *jobs.Queue) error { return g.Book.Jobs(q) }

// Ready says whether the gateway runs that the settings name.
func (g *Gateway) Ready(context.Context) error {
	if g.i.Config.Gateway.File != "" && g.on == nil {
		return problem.New(problem.Unavailable, "the gateway does not run")
	}
	return nil
}

// gatewayNames are what the file leaves to the installation.
func (i *Installation) gatewayNames(ctx context.Context, path string) (gateway.Names, error) {
	n := gateway.Names{File: path, Dir: filepath.Dir(path), Now: i.Now(), Connected: &gateway.Authority{
		Name: "connected", Cloud: connectedCloud, Issuers: gateway.CloudIssuers(i.Cloud.Authority, i.Cloud.Issuers)}}
	if i.SAM == nil {
		return n, problem.New(problem.Unavailable, "the gateway's file cannot be read: the vault is not open").WithHint("open the installation with its key")
	}
	c, err := i.SAM.Connection(ctx, i.Config.Collect.Connection)
	switch {
	case err == nil:
		n.Tenant = strings.ToLower(c.Tenant)
	case i.lab != nil:
		n.Tenant = strings.ToLower(i.lab.Info.Tenant.ID)
	case !errors.Is(err, problem.NotFound) && !errors.Is(err, problem.Usage):
		return n, err
	}
	return n, nil
}

// connectedCloud is how the file's authorities name the installation's cloud.
const connectedCloud = "connected"

// readGateway reads the gateway's file.
func (i *Installation) readGateway(ctx context.Context, path string) (*gateway.File, error) {
	n, err := i.gatewayNames(ctx, path)
	if err != nil {
		return nil, err
	}
	return gateway.ReadFile(path, n)
}

// GatewayTable is the file that holds: of the gateway that runs here, else as the settings,
// or path, name it. nil where no file is known.
func (i *Installation) GatewayTable(ctx context.Context, path string) (*gateway.Table, error) {
	if on := i.Gateway.on; on != nil && path == "" {
		return on.Table(), nil
	}
	if path == "" {
		path = i.Config.Gateway.File
	}
	if path == "" {
		return nil, nil //nolint:nilnil // none is known
	}
	f, err := i.readGateway(ctx, path)
	if err != nil {
		return nil, err
	}
	return f.Compile(0), nil
}

// GatewayRun is how a gateway is run.
type GatewayRun struct {
	File  string
	Lines *ledger.Lines // also told each decision; nil: none
	Alone bool          // not within serve: health and metrics are at the file's admin address
}

// StartGateway runs the gateway as its file says until the installation is closed.
func (i *Installation) StartGateway(ctx context.Context, o GatewayRun) ([]run.Where, error) {
	if i.Gateway.on != nil {
		return nil, problem.New(problem.Conflict, "the gateway runs already")
	}
	on, err := i.composeGateway(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Lines != nil {
		i.Gateway.Book.Also(o.Lines)
	}
	where, err := on.Start(ctx)
	if err != nil {
		on.proxy.Close()
		return nil, err
	}
	on.where, i.Gateway.on = where, on
	i.close = append(i.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 15*time.Second)
		defer stop()
		err := on.Stop(ending)
		on.proxy.Close()
		return err
	})
	return where, nil
}

// GatewayListens are the addresses of the gateway that runs here; nil where none does.
func (i *Installation) GatewayListens() []run.Where {
	if i.Gateway == nil || i.Gateway.on == nil {
		return nil
	}
	return slices.Clone(i.Gateway.on.where)
}

// startGateway runs the gateway within serve, where the settings say so.
func (i *Installation) startGateway(ctx context.Context) error {
	if i.Config.Gateway.File == "" {
		return nil
	}
	where, err := i.StartGateway(ctx, GatewayRun{File: i.Config.Gateway.File})
	for _, w := range where {
		i.Log.InfoContext(ctx, "the gateway listens", "for", w.What, "tls", w.TLS, "at", w.Addr.String())
	}
	return err
}

// ReloadGateway reads the file of the gateway that runs here again, at once.
func (i *Installation) ReloadGateway(ctx context.Context) error {
	if i.Gateway.on == nil {
		return problem.New(problem.Conflict, "the gateway does not run here")
	}
	return i.Gateway.on.Reload(ctx)
}
