package guard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/claim"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/check"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// gatewayCheck are the flags of gateway check.
type gatewayCheck struct {
	env  *kit.Env
	in   *kit.Installation
	file *string

	token, method, url, at, keys, requests, tenant string
	headers                                        []string
	offline, strict                                bool
	output                                         kit.Output
}

// newGatewayCheck makes "gateway check"; file is the group's --config. It is long
// because most of it is the help text.
func newGatewayCheck(env *kit.Env, in *kit.Installation, file *string) *cobra.Command {
	c := &gatewayCheck{env: env, in: in, file: file, output: kit.NewOutput("text", "json", "jsonl", "decisions")}
	cmd := &cobra.Command{
		Use: "check", Short: "Explain a gateway's file: its routes, its keys, what a request would get and why", Args: kit.NoWords,
		Long: `check reads the gateway's file and says what it means: each route, its mode now and
next, who may come, what the rule asks for in words, and what lets in more than one may
think: no MFA, any app, mode off, plain listeners and upstreams, exceptions near their
end. It reads the authorities' keys, and says which there are; --offline leaves that out.

With --url, or --token alone for every route, it says what a request would get: the
route, the decision and by which claim, what the caller would be answered (the status,
the challenge with its claims decoded), and what to do. The token is read from a file or
from standard input (-), never from the command line, and is never printed. Without keys
its signature is not checked, and the answer says so.

--requests judges many from a file, one JSON object a line with url and, where there are
any, method, headers, token (or claims, taken as a genuine token's), from, at and id; the
answers come a line each: --output jsonl, or --output decisions for gateway report --from.

It decides by the rooms that the gateway itself decides by. It listens nowhere and keeps
nothing. "connected" in the file is the installation's tenant and cloud; without an
installation, --tenant and --keys say them.

Exit code 3 with --strict: something in the file is to be looked at.`,
		Example: `  partnerguard gateway check --config gateway.yaml
  partnerguard gateway check --config gateway.yaml --url https://panel.contoso.example/ --token - < token.txt
  partnerguard gateway check --config gateway.yaml --tenant 7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21 --keys jwks.json --requests day.jsonl --output jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	fl := cmd.Flags()
	fl.StringVar(&c.url, "url", "", "the address of a request to try, https://host/path")
	fl.StringVar(&c.token, "token", "", "a file with an access token, or - for standard input")
	fl.StringVar(&c.method, "method", "", "the method of that request (default GET)")
	fl.StringArrayVar(&c.headers, "header", nil, "a header of it, as Name: value; may be repeated; tokens and cookies have no place here")
	fl.StringVar(&c.at, "at", "", "the moment to judge by, such as 2026-12-07 or 2026-12-07T08:00:00Z (default now)")
	fl.StringVar(&c.keys, "keys", "", "a file with the authorities' keys, a JSON Web Key Set, instead of asking for them")
	fl.StringVar(&c.requests, "requests", "", "a file of requests to judge, one JSON object a line; - is standard input")
	fl.StringVar(&c.tenant, "tenant", "", "the tenant id that \"connected\" stands for")
	fl.BoolVar(&c.offline, "offline", false, "ask nobody for keys")
	fl.BoolVar(&c.strict, "strict", false, "exit with 3 where something in the file is to be looked at")
	for _, name := range []string{"token", "keys", "requests"} {
		_ = cmd.MarkFlagFilename(name)
	}
	c.output.RegisterAs(cmd, "how to print; jsonl and decisions go with --requests")
	return cmd
}

func (c *gatewayCheck) run(ctx context.Context) error {
	if err := c.usage(); err != nil {
		return err
	}
	raw, err := problem.ReadFile("the gateway's file", *c.file, gateway.MaxFile)
	if err != nil {
		return err
	}
	now, names, live, done, err := c.world(ctx, raw)
	if err != nil {
		return err
	}
	defer done()
	f, err := gateway.Read(raw, names)
	if err != nil {
		return err
	}
	table := f.Compile(1)
	source, err := c.source(table, live)
	if err != nil {
		return err
	}
	d := check.Deps{Table: table, Keys: source, Now: now}
	if names.Connected != nil && live != nil {
		d.Authority = live.connected.Authority
	}
	checker, err := check.New(d)
	if err != nil {
		return err
	}
	if c.requests != "" {
		return c.many(checker)
	}
	return c.one(ctx, checker, table, now)
}

func (c *gatewayCheck) usage() error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.Usage, format, args...).WithHint("%s", hint)
	}
	lines := c.output.Value == "jsonl" || c.output.Value == "decisions"
	switch {
	case *c.file == "":
		return bad("docs/gateway-config.md has one to begin with: --config gateway.yaml", "which file? --config names the gateway's")
	case strings.HasPrefix(c.token, "eyJ"):
		return bad("what was typed is in the shell's history: revoke it; then --token FILE, or --token - < FILE",
			"--token names a file, and that looks like a token; it is not repeated here")
	case c.requests != "" && (c.url != "" || c.token != "" || c.method != "" || len(c.headers) > 0):
		return bad("put that request into the file, or leave --requests out", "--requests has its requests in the file")
	case c.requests != "" && c.strict:
		return bad("run it once more without --requests", "--strict is of the file, which --requests does not explain")
	case c.requests == "" && lines:
		return bad("--output json", "--output %s is for --requests", c.output.Value)
	case c.requests != "" && c.output.Value == "json":
		return bad("--output jsonl", "many requests are answered a line each")
	case (len(c.headers) > 0 || c.method != "") && c.url == "":
		return bad("--url https://host/path", "--header and --method are of a request, and none is named")
	}
	return nil
}

// world is what the file leaves to the installation: the moment, the tenant, the cloud.
func (c *gatewayCheck) world(ctx context.Context, raw []byte) (time.Time, gateway.Names, *cloudKeys, func(), error) {
	now, n, done := c.env.Now().UTC(), gateway.Names{File: *c.file, Dir: filepath.Dir(*c.file), Tenant: c.tenant}, func() {}
	var live *cloudKeys
	fail := func(err error) (time.Time, gateway.Names, *cloudKeys, func(), error) { return now, n, nil, done, err }
	connected := bytes.Contains(raw, []byte("connected"))
	if connected || !c.offline && c.keys == "" {
		o, err := c.in.Options(ctx, c.env)
		if err != nil {
			return fail(err)
		}
		s, err := app.OpenCloud(ctx, o)
		if err != nil {
			return fail(err)
		}
		done = func() { _ = s.Close() }
		now, live = s.Now().UTC(), &cloudKeys{api: s.API, connected: s.Cloud}
		n.Connected = &gateway.Authority{Issuers: gateway.CloudIssuers(s.Cloud.Authority, s.Cloud.Issuers)}
		if n.Tenant == "" && s.LabInfo() != nil {
			n.Tenant = s.LabInfo().Info.Tenant.ID
		}
	}
	if connected && n.Tenant == "" {
		n.Tenant = c.partner(ctx)
	}
	if c.at != "" {
		at, err := parseMoment(c.at)
		if err != nil {
			return fail(err)
		}
		now = at
	}
	n.Now = now
	return now, n, live, done, nil
}

// partner is the tenant that is connected, "" where nothing says it: the file's error
// then says what to do.
func (c *gatewayCheck) partner(ctx context.Context) string {
	s, err := c.in.Kept(ctx, c.env)
	if err != nil {
		return ""
	}
	defer s.Close()
	if s.SAM == nil { // its vault does not open here
		return ""
	}
	if conn, err := s.SAM.Connection(ctx, s.Config.Collect.Connection); err == nil {
		return conn.Tenant
	}
	return ""
}

func parseMoment(s string) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, s); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, problem.New(problem.Usage, "--at %.40q is no moment", s).WithHint("a day, 2026-12-07, or an instant, 2026-12-07T08:00:00Z")
}

// source is where keys come from; nil where none are read.
func (c *gatewayCheck) source(t *gateway.Table, live *cloudKeys) (verify.Source, error) {
	var rest verify.Source
	if !c.offline && c.keys == "" && live != nil {
		rest = live
	}
	f, err := check.NewFileKeys(t, c.keys, rest)
	if err != nil {
		return nil, err
	}
	if rest == nil && !f.Any() {
		return nil, nil
	}
	return f, nil
}

// cloudKeys asks clouds for their keys.
type cloudKeys struct {
	api       *msapi.Client
	connected msapi.Cloud
}

// Keys implements [verify.Source]. The keys are asked for by no tenant's name, so that
// those of every tenant of the cloud are among them.
func (k *cloudKeys) Keys(ctx context.Context, of gateway.Authority, kid string) (jose.JSONWebKeySet, error) {
	cloud := k.connected
	if of.Cloud != "connected" {
		var err error
		if cloud, err = msapi.FindCloud(of.Cloud); err != nil {
			return jose.JSONWebKeySet{}, err
		}
	}
	return k.api.Keys(ctx, cloud, "common", kid)
}

// one explains the file, and tries one request or one token on every route.
func (c *gatewayCheck) one(ctx context.Context, checker *check.Checker, t *gateway.Table, now time.Time) error {
	tried, err := c.tried(checker, t)
	if err != nil {
		return err
	}
	said, keys := check.Explain(t, now), []verify.AuthorityStatus(nil)
	if tried == nil || c.output.Value == "json" {
		keys = checker.Keys(ctx)
		said.Keys(keys)
	}
	err = c.output.Answer(c.env, map[string]any{"file": said, "keys": print.List(keys), "tried": print.List(tried)}, func(w io.Writer, _ kit.Paint) error {
		p := print.NewScreen(w, c.output.Screen(c.env))
		if tried == nil {
			said.Write(p, keys, now)
		}
		for i, x := range tried {
			if i > 0 {
				p.Blank()
			}
			x.Write(p)
		}
		return p.Flush()
	})
	if err == nil && c.strict && len(said.Dangers) > 0 {
		return problem.New(problem.Unmet, "%s to look at", kit.Plural(len(said.Dangers), "thing is", "things are"))
	}
	return err
}

func (c *gatewayCheck) tried(checker *check.Checker, t *gateway.Table) (out []*check.Tried, err error) {
	if c.url == "" && c.token == "" {
		return nil, nil
	}
	token, err := c.readToken()
	if err != nil {
		return nil, err
	}
	urls := []string{c.url}
	if c.url == "" {
		urls = check.URLs(t)
	}
	for _, u := range urls {
		a := &check.Asked{Method: cmp.Or(c.method, "GET"), URL: u, Token: token}
		for _, h := range c.headers {
			name, value, ok := strings.Cut(h, ":")
			if name = strings.TrimSpace(name); !ok || strings.EqualFold(name, "Authorization") || strings.EqualFold(name, "Cookie") {
				return nil, problem.New(problem.Usage, "a header is not Name: value, or is one that holds secrets").
					WithHint("--token FILE has the token: what stands on the command line is seen by others")
			}
			a.AddHeader(name, strings.TrimSpace(value))
		}
		if err := a.Check(); err != nil {
			return nil, err
		}
		out = append(out, checker.Try(a))
	}
	return out, nil
}

func (c *gatewayCheck) open(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(c.env.Input()), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s cannot be read%s", path, problem.Reason(err))
	}
	return f, nil
}

func (c *gatewayCheck) readToken() (secret.Text, error) {
	if c.token == "" {
		return secret.Text{}, nil
	}
	f, err := c.open(c.token)
	if err != nil {
		return secret.Text{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4*claim.MaxSize+1))
	switch {
	case err != nil:
		return secret.Text{}, problem.Wrap(err, problem.BadInput, "the token cannot be read")
	case len(b) > 4*claim.MaxSize:
		return secret.Text{}, problem.New(problem.Limit, "what --token names is longer than any token")
	}
	s := strings.TrimSpace(string(b))
	var answer struct {
		Token string `json:"access_token"`
	}
	if strings.HasPrefix(s, "{") && json.Unmarshal(b, &answer) == nil {
		s = answer.Token
	}
	if rest := strings.TrimPrefix(s, "Bearer "); rest != "" {
		return secret.New(strings.TrimSpace(rest)), nil
	}
	return secret.Text{}, problem.New(problem.BadInput, "there is no token in what --token names").
		WithHint("an access token, or an answer that holds access_token")
}

// many judges a file of requests.
func (c *gatewayCheck) many(checker *check.Checker) error {
	f, err := c.open(c.requests)
	if err != nil {
		return err
	}
	defer f.Close()
	return kit.WriteOut(c.env, "", func(w io.Writer) error {
		enc, sum := json.NewEncoder(w), check.NewSum()
		enc.SetEscapeHTML(false)
		for a, err := range check.Lines(f) {
			if err != nil {
				return err
			}
			t := checker.Try(a)
			sum.Add(t)
			switch c.output.Value {
			case "jsonl":
				err = enc.Encode(t)
			case "decisions":
				err = enc.Encode(t.Line())
			default:
				_, err = fmt.Fprintln(w, t.Short())
			}
			if err != nil {
				return err
			}
		}
		if c.output.Value == "text" {
			p := print.NewScreen(w, c.output.Screen(c.env))
			sum.Write(p)
			return p.Flush()
		}
		return nil
	})
}
