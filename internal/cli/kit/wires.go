//go:build !judge

package kit

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
)

//go:embed cloud_hook.cjs
var cloudHook []byte

// wires are what leads a child process to the partner cloud.
type wires struct {
	proxy   string // URL with its password
	sni     string // host:port
	hosts   []string
	caFile  string
	caDir   string // holds the certificate alone
	Hook    string
	Control string
	Program string // this program's file; "" for none
}

// LayWires writes what the child reads into a private folder, which clean
// removes.
func LayWires(ctx context.Context, client *control.Client, info *partnercloud.Info) (w wires, clean func(), err error) {
	pem, err := client.CA(ctx)
	if errors.Is(err, problem.NotFound) && info.CAFile != "" {
		pem, err = os.ReadFile(info.CAFile)
	}
	if err != nil {
		return w, nil, problem.Wrap(err, problem.NotFound, "the certificate of the partner cloud cannot be had").WithHint("is it of the same version?")
	}
	dir, err := os.MkdirTemp("", FolderName+"exec-") // 0700
	if err != nil {
		return w, nil, problem.Wrap(err, problem.Limit, "no temporary folder can be made")
	}
	clean = func() { _ = os.RemoveAll(dir) }
	w = wires{proxy: info.Proxy, sni: info.SNI, caDir: filepath.Join(dir, "certs"), Hook: filepath.Join(dir, "hook.cjs")}
	w.caFile = filepath.Join(w.caDir, "ca.pem")
	if !strings.Contains(w.proxy, "://") {
		w.proxy = "http://" + w.proxy
	}
	for _, h := range partnercloud.Hosts() {
		if h != "localhost" {
			w.hosts = append(w.hosts, h)
		}
	}
	if err := errors.Join(os.Mkdir(w.caDir, 0o700), os.WriteFile(w.caFile, pem, 0o600), os.WriteFile(w.Hook, cloudHook, 0o600)); err != nil {
		clean()
		return w, nil, problem.Wrap(err, problem.Limit, "the certificate of the partner cloud cannot be written")
	}
	return w, clean, nil
}

// ChildEnv is base with what leads to the partner cloud put in, and what leads
// elsewhere taken out.
func ChildEnv(base []string, w wires) []string {
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
	if w.Program != "" {
		set = append(set, ProgramVar+"="+w.Program)
	}
	if w.Control != "" {
		set = append(set, controlVar+"="+w.Control)
	}
	options := "--require " + nodeQuote(w.Hook)
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
