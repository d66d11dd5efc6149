package conformance

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// installed makes sure that the packages are there.
func installed(t *testing.T) (dir string) {
	t.Helper()
	dir, err := filepath.Abs("node")
	if err != nil {
		t.Fatal(err)
	}
	installedIn(t, dir)
	return dir
}

func installedIn(t *testing.T, dir string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "Node")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	// The package registry is not part of the partner cloud.
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case strings.Contains(strings.ToLower(name), "_proxy") && os.Getenv("PARTNERGUARD_CLOUD_SNI") != "",
			name == "NODE_OPTIONS", name == "NODE_USE_ENV_PROXY", name == "NODE_EXTRA_CA_CERTS", name == "SSL_CERT_FILE", name == "SSL_CERT_DIR":
		default:
			install.Env = append(install.Env, v)
		}
	}
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// node runs one of our scripts, which use Microsoft's packages unmodified, and
// gives its last line. Other lines are words to act on: "OPEN url", "CODE url
// code", "VISIT url".
func node(t *testing.T, script string, env []string, act func(words []string)) (last string) {
	t.Helper()
	dir := installed(t)
	a := program(t, "collector")
	script = filepath.Join(dir, script)
	c := exec.Command("node", script)
	c.Dir = filepath.Dir(script)
	c.Env = append(os.Environ(), "WAY="+cloud.way, "LOGIN="+cloud.Login, "GRAPH="+cloud.Graph, "TENANT="+cloud.Tenant.ID, "CLIENT_ID="+a.id,
		"CLIENT_SECRET="+a.secret, "PUBLIC_ID="+program(t, "command line").id)
	c.Env = append(c.Env, env...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		if words := strings.Fields(last); act != nil && len(words) > 1 && (words[0] == "OPEN" || words[0] == "CODE" || words[0] == "VISIT") {
			act(words[1:])
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", script, err, last, errs.String())
	}
	return last
}

func nodeOK(t *testing.T, script string, env []string, act func([]string)) {
	t.Helper()
	if last := node(t, script, env, act); !strings.HasPrefix(last, "ok") {
		t.Fatal(last)
	}
}

func TestNodeMSAL(t *testing.T) {
	shows(t, "@azure/msal-node", "client credentials by secret, then from its cache; a wrong secret is refused")
	nodeOK(t, "msal.mjs", nil, nil)
}

func TestNodeMSALInteractive(t *testing.T) {
	shows(t, "@azure/msal-node", "interactive through Chromium; a second resource silently; MFA claim kept")
	b, p := chromium(t), someone(t, "ravi.menon")
	nodeOK(t, "interactive.mjs", []string{"UPN=" + p.upn}, func(w []string) {
		if err := b.open(p)(w[0]); err != nil {
			t.Error(err)
		}
	})
}

func TestNodeMSALDeviceCode(t *testing.T) {
	shows(t, "@azure/msal-node", "device code")
	b, p := chromium(t), someone(t, "lena.fischer")
	nodeOK(t, "device.mjs", []string{"UPN=" + p.upn}, func(w []string) { b.enterCode(w[0], w[1], p) })
}

func TestNodeIdentity(t *testing.T) {
	shows(t, "@azure/identity", "ClientSecretCredential and ClientCertificateCredential; a wrong secret is refused")
	a := program(t, "collector")
	cert, key := newCert(t)
	giveCert(t, a.id, cert)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cert.pem")
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	nodeOK(t, "identity.mjs", []string{"CERT=" + file}, nil)
}

func TestNodeGraph(t *testing.T) {
	shows(t, "@microsoft/microsoft-graph-client", "users through its page iterator; a batch; GraphError for who is not there")
	nodeOK(t, "graph.mjs", nil, nil)
}

func TestNodeGraphThrottled(t *testing.T) {
	shows(t, "@microsoft/microsoft-graph-client", "goes on after 429 with Retry-After")
	hits := fault(t, "graph", "429", "--path", "/v1.0/users", "--times", "1", "--retry-after", "1s")
	nodeOK(t, "graph.mjs", nil, nil)
	if n := hits(); n != 1 {
		t.Errorf("the fault hit %d requests", n)
	}
}
