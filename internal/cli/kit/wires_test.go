package kit

import (
	"strings"
	"testing"
)

func TestChildEnv(t *testing.T) {
	t.Parallel()
	w := wires{proxy: "http://cloud:s@127.0.0.1:9", sni: "127.0.0.1:8", hosts: []string{"a", "b"}, caFile: "/t/certs/ca.pem", caDir: "/t/certs",
		Hook: "/t/with space/hook.cjs", Control: "/t/control.json", Program: "/bin/pg"}
	got := ChildEnv([]string{
		"PATH=/bin", "https_proxy=http://corp:3128", "Http_Proxy=x", "NO_PROXY=graph.microsoft.com,*", "SSL_CERT_FILE=/etc/x",
		"NODE_OPTIONS=--max-old-space-size=100", "NODE_TLS_REJECT_UNAUTHORIZED=0", "AWS_CA_BUNDLE=/own", "ODD",
	}, w)
	env, seen := map[string]string{}, map[string]int{}
	for _, kv := range got {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
		seen[name]++
	}
	for name, want := range map[string]string{
		"PATH": "/bin", "AWS_CA_BUNDLE": "/own", "HTTPS_PROXY": w.proxy, "https_proxy": w.proxy, "HTTP_PROXY": w.proxy, "ALL_PROXY": w.proxy,
		"NO_PROXY": "localhost,127.0.0.1,::1", "no_proxy": "localhost,127.0.0.1,::1",
		"SSL_CERT_FILE": w.caFile, "SSL_CERT_DIR": w.caDir, "CURL_CA_BUNDLE": w.caFile, "REQUESTS_CA_BUNDLE": w.caFile, "NODE_EXTRA_CA_CERTS": w.caFile,
		"NODE_USE_ENV_PROXY": "1",
		"NODE_OPTIONS":       `--max-old-space-size=100 --require "/t/with space/hook.cjs"`, "PARTNERGUARD_CLOUD_HOSTS": "a,b", controlVar: w.Control, ProgramVar: "/bin/pg",
	} {
		if env[name] != want || seen[name] != 1 {
			t.Errorf("%s is %q (%d times), want %q", name, env[name], seen[name], want)
		}
	}
	for _, name := range []string{"Http_Proxy", "NODE_TLS_REJECT_UNAUTHORIZED"} {
		if seen[name] != 0 {
			t.Errorf("%s was passed on", name)
		}
	}
	if q := nodeQuote(`C:\a b\"x`); q != `"C:\\a b\\\"x"` || nodeQuote("/plain") != "/plain" {
		t.Errorf("quoted: %s", q)
	}
}
