package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// post sends a form to the authority.
func post(t *testing.T, where string, form url.Values) map[string]any {
	t.Helper()
	res, err := http.PostForm(where, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%s: %s", res.Status, bytes.TrimSpace(raw))
	}
	return m
}

// call asks an API with a token.
func call(t *testing.T, method, where, token, body string) (int, http.Header, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, where, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	return res.StatusCode, res.Header, m
}

// curl gives status line with headers, and body, of a call.
func curl(t *testing.T, args ...string) (head, body string) {
	t.Helper()
	head, body, err := tryCurl(t, args...)
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, body)
	}
	return head, body
}

func tryCurl(t *testing.T, args ...string) (head, body string, err error) {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		missing(t, "curl")
	}
	// Headers apart: under a proxy curl prints the tunnel's as well.
	c := exec.Command(path, append([]string{"-sS", "--suppress-connect-headers", "-i"}, args...)...)
	c.Env = os.Environ()
	out, err := c.CombinedOutput()
	text := strings.ReplaceAll(string(out), "\r\n", "\n")
	if err != nil {
		return "", text, err
	}
	head, body, _ = strings.Cut(text, "\n\n")
	return strings.ToLower(head), body, nil
}

// listen takes the redirect of a sign-in that no library's server waits for.
func listen(t *testing.T) (redirect string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "arrived")
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port + "/"
}

// The example of RFC 7636.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// authorizeURL begins the code flow by hand.
func authorizeURL(tenant, client, redirect, scope string, more url.Values) string {
	q := url.Values{"client_id": {client}, "response_type": {"code"}, "redirect_uri": {redirect}, "response_mode": {"query"}, "state": {"s"}, "scope": {scope},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	for k, v := range more {
		q[k] = v
	}
	return authority(tenant) + "/oauth2/v2.0/authorize?" + q.Encode()
}

// redeem turns the code of a redirect into tokens.
func redeem(t *testing.T, tenant, at, redirect, scope string, a app) map[string]any {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {a.id}, "code": {query(t, at, "code")}, "redirect_uri": {redirect},
		"code_verifier": {verifier}, "scope": {scope}}
	if a.secret != "" {
		form.Set("client_secret", a.secret)
	}
	return post(t, authority(tenant)+"/oauth2/v2.0/token", form)
}
