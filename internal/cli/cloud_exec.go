package cli

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

//go:embed cloud_hook.cjs
var cloudHook []byte

func newCloudExec(env *Env, start cloudStart, c *cloudControl) *cobra.Command {
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
its fetch ignores proxies. Nothing is installed anywhere, and the files are
removed when the command ends. Its exit code is ours.

It leads clients, it does not lock them in: a command that ignores the
environment can reach the network.`,
		Example: `  partnerguard cloud exec -- curl -i https://graph.microsoft.com/v1.0/me
  partnerguard cloud exec -- node my-integration.js
  partnerguard cloud exec --customers 500 --seed 7 -- go test ./...`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return problem.New(problem.Usage, "cloud exec needs a command").WithHint("e.g. partnerguard cloud exec -- node my-integration.js")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := exec.LookPath(args[0])
			if err != nil {
				return problem.Wrap(err, problem.NotFound, "the command %.200q cannot be run", args[0]).WithHint("is it installed and in PATH?")
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
			w, clean, err := layWires(cmd.Context(), client, &info)
			if err != nil {
				return err
			}
			defer clean()
			w.control = c.file
			return runChild(cmd.Context(), env, childOptions{path: path, args: args, environ: childEnv(os.Environ(), w)})
		},
	}
	f.register(cmd, 0)
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	return cmd
}

// joinCloud gives the running partner cloud, or starts one that done ends. It
// leaves the control file's path in c.
func joinCloud(ctx context.Context, env *Env, start cloudStart, c *cloudControl, own bool, options func() (partnercloud.Options, error)) (client *control.Client, done func(), err error) {
	done = func() {}
	if !own {
		client, err = c.attach(ctx, env)
		switch {
		case err == nil:
			c.file = c.path(env)
			return client, done, nil
		case !errors.Is(err, problem.NotFound) || c.file != "":
			return nil, done, err // a file was named, and it does not lead anywhere
		}
	}
	o, err := options()
	if err != nil {
		return nil, done, err
	}
	dir, err := os.MkdirTemp("", folderName) // 0700
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
	c.file = filepath.Join(dir, "control.json")
	if _, err := writeControl(c.file, &info, env.Now()); err != nil {
		done()
		return nil, func() {}, err
	}
	return control.Dial(info.Control, info.ControlSecret), done, nil
}

// wires are what leads a child process to the partner cloud.
type wires struct {
	proxy   string // URL with its password
	sni     string // host:port
	hosts   []string
	caFile  string
	caDir   string // holds the certificate alone
	hook    string
	control string
}

// layWires writes what the child reads into a private folder, which clean
// removes.
func layWires(ctx context.Context, client *control.Client, info *partnercloud.Info) (w wires, clean func(), err error) {
	pem, err := client.CA(ctx)
	if errors.Is(err, problem.NotFound) && info.CAFile != "" {
		pem, err = os.ReadFile(info.CAFile)
	}
	if err != nil {
		return w, nil, problem.Wrap(err, problem.NotFound, "the certificate of the partner cloud cannot be had").WithHint("is it of the same version?")
	}
	dir, err := os.MkdirTemp("", folderName+"exec-") // 0700
	if err != nil {
		return w, nil, problem.Wrap(err, problem.Limit, "no temporary folder can be made")
	}
	clean = func() { _ = os.RemoveAll(dir) }
	w = wires{proxy: info.Proxy, sni: info.SNI, caDir: filepath.Join(dir, "certs"), hook: filepath.Join(dir, "hook.cjs")}
	w.caFile = filepath.Join(w.caDir, "ca.pem")
	if !strings.Contains(w.proxy, "://") {
		w.proxy = "http://" + w.proxy
	}
	for _, h := range partnercloud.Hosts() {
		if h != "localhost" {
			w.hosts = append(w.hosts, h)
		}
	}
	if err := errors.Join(os.Mkdir(w.caDir, 0o700), os.WriteFile(w.caFile, pem, 0o600), os.WriteFile(w.hook, cloudHook, 0o600)); err != nil {
		clean()
		return w, nil, problem.Wrap(err, problem.Limit, "the certificate of the partner cloud cannot be written")
	}
	return w, clean, nil
}

// childEnv is base with what leads to the partner cloud put in, and what leads
// elsewhere taken out.
func childEnv(base []string, w wires) []string {
	const here = "localhost,127.0.0.1,::1"
	set := []string{
		"HTTPS_PROXY=" + w.proxy, "https_proxy=" + w.proxy, "HTTP_PROXY=" + w.proxy, "http_proxy=" + w.proxy, "ALL_PROXY=" + w.proxy, "all_proxy=" + w.proxy,
		"NO_PROXY=" + here, "no_proxy=" + here,
		// The folder as well: OpenSSL and Go read the system's beside the file.
		"SSL_CERT_FILE=" + w.caFile, "SSL_CERT_DIR=" + w.caDir,
		"CURL_CA_BUNDLE=" + w.caFile, "REQUESTS_CA_BUNDLE=" + w.caFile, "NODE_EXTRA_CA_CERTS=" + w.caFile,
		"NODE_USE_ENV_PROXY=1",
		"PARTNERGUARD_CLOUD_SNI=" + w.sni, "PARTNERGUARD_CLOUD_HOSTS=" + strings.Join(w.hosts, ","),
	}
	if w.control != "" {
		set = append(set, controlVar+"="+w.control)
	}
	options := "--require " + nodeQuote(w.hook)
	out := make([]string, 0, len(base)+len(set)+1)
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		if strings.EqualFold(name, "NODE_OPTIONS") {
			if value != "" {
				options = value + " " + options
			}
			continue
		}
		if strings.EqualFold(name, "NODE_TLS_REJECT_UNAUTHORIZED") {
			continue // a client must show that it checks certificates
		}
		if !slices.ContainsFunc(set, func(s string) bool { n, _, _ := strings.Cut(s, "="); return strings.EqualFold(n, name) }) {
			out = append(out, kv)
		}
	}
	return append(append(out, set...), "NODE_OPTIONS="+options)
}

// nodeQuote quotes a path as NODE_OPTIONS wants it.
func nodeQuote(path string) string {
	if !strings.ContainsAny(path, ` "\`) {
		return path
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
