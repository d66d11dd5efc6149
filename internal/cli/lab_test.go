package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/cli"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
)

// house is a local partner cloud and an installation beside it, as a person has them
// who reads docs/sam.md.
type house struct {
	*testing.T
	dir  string
	info partnercloud.Info
}

func newHouse(t *testing.T, more ...string) *house {
	t.Helper()
	h := &house{T: t, dir: t.TempDir()}
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		var errs bytes.Buffer
		ended <- cli.Main(ctx, cli.Env{Args: append([]string{"cloud", "--port", "0", "--customers", "3", "--days", "1",
			"--output", "json", "--control", h.control()}, more...),
			Stdin: strings.NewReader(""), Stdout: w, Stderr: &errs})
		_ = w.CloseWithError(io.EOF)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("the partner cloud ended with %d", code)
		}
	})
	if err := json.NewDecoder(r).Decode(&h.info); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return h
}

func (h *house) control() string { return filepath.Join(h.dir, "control.json") }

// run runs a command line of the installation.
func (h *house) run(args ...string) (stdout, stderr string, code int) {
	h.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(h.Context(), h.env(&out, &errs, args...))
	return out.String(), errs.String(), code
}

func (h *house) env(out, errs io.Writer, args ...string) cli.Env {
	if args[0] != "cloud" {
		own := []string{"--data", h.dir, "--master-key", "file:" + filepath.Join(h.dir, "key"), "--cloud", "partner-cloud"}
		at := len(args)
		for i, a := range args {
			if a == "--" {
				at = i
				break
			}
		}
		args = append(append(append([]string{}, args[:at]...), own...), args[at:]...)
	}
	return cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: out, Stderr: errs, Getenv: func(name string) string {
		return map[string]string{"XDG_RUNTIME_DIR": h.dir, "PARTNERGUARD_CLOUD_CONTROL": h.control(), "PARTNERGUARD_BROWSER": "true"}[name]
	}}
}

var signInAt = regexp.MustCompile(`(?m)^  (https?://\S+)$`)

// connect runs connect and signs in, as somebody, at the address that it prints. It
// gives the page at the end and what the command printed.
func (h *house) connect(upn string, args ...string) (page, stdout, stderr string, code int) {
	h.Helper()
	r, w := io.Pipe()
	var out, errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(h.Context(), h.env(&out, io.MultiWriter(&errs, w), append([]string{"connect"}, args...)...))
		_ = w.Close()
	}()
	var said strings.Builder
	buf := make([]byte, 4096)
	where := ""
	for where == "" {
		n, err := r.Read(buf)
		said.Write(buf[:n])
		if m := signInAt.FindStringSubmatch(said.String()); m != nil {
			where = m[1]
		}
		if err != nil && where == "" {
			h.Fatalf("no address: %s", said.String())
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	u, err := url.Parse(where)
	if err != nil {
		h.Fatal(err)
	}
	b := labtest.NewBrowser(h, http.DefaultTransport, u.Scheme+"://"+u.Host).Open(where).SignIn(h.person(upn))
	if b.Left == nil {
		return b.Page, out.String(), errs.String(), -1
	}
	res, err := http.Get(b.Left.String())
	if err != nil {
		h.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if strings.Contains(res.Request.URL.String(), "code=") {
		h.Errorf("the code stays in the address bar")
	}
	code = <-ended
	return string(text), out.String(), errs.String(), code
}

func (h *house) person(upn string) labtest.Person {
	for _, p := range h.info.People {
		if p.UPN == upn {
			out := labtest.Person{UPN: upn, Password: p.Password}
			if p.TOTP != "" {
				out.Code = func() string { c, _ := totp.GenerateCode(p.TOTP, time.Now()); return c }
			}
			return out
		}
	}
	h.Fatalf("nobody is %s", upn)
	return labtest.Person{}
}

// TestLabEndsHealthy walks the README's walk: a partner cloud, a consent, and a
// connection of which everything that could end it is known.
func TestLabEndsHealthy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page, out, errs, code := h.connect("sam-agent@contoso.com")
	if code != 0 || !strings.Contains(page, "<h1>Connected</h1>") || !strings.Contains(out, "Connected: contoso.com") {
		t.Fatalf("%d\n%s\n%s\n%s", code, out, errs, page[max(0, strings.Index(page, "<main>")):])
	}
	out, errs, code = h.run("connect", "status")
	if code != 0 || !strings.Contains(out, "contoso.com  healthy") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	// The README's next line, which needs curl and nothing that is not here.
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("NOTE: there is no curl: the script of the walk was NOT tried")
		return
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	code = cli.Main(t.Context(), h.env(w, &stderr, "exec", "--customer", "fabrikam.example", "--", "sh", "../../docs/walk/list-users.sh"))
	_ = w.Close()
	users, _ := io.ReadAll(r)
	if code != 0 || strings.Count(string(users), "@fabrikam.example\n") < 3 {
		t.Errorf("%d\n%s%s", code, users, &stderr)
	}
}

// TestProbeInTheLab: what the table says, and the exit code when something is not so.
func TestProbeInTheLab(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if _, out, errs, code := h.connect("sam-agent@contoso.com"); code != 0 {
		t.Fatalf("%d\n%s\n%s", code, out, errs)
	}
	out, errs, code := h.run("delegation", "probe", "--customer", "fabrikam.example")
	if code != 0 || !strings.Contains(out, "Fabrikam") || !strings.Contains(out, "token") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
	out, errs, code = h.run("delegation", "probe", "--customer", "coho.example")
	if code == 0 || !strings.Contains(errs, "no active relationship") {
		t.Errorf("%d\n%s%s", code, out, errs)
	}
}

// TestDeadIsThree: whatever looks at a connection that Entra ID refuses ends with 3,
// also when nothing of it was due; exec is not run with it.
func TestDeadIsThree(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if page, _, errs, code := h.connect("sam-agent@contoso.com", "--no-browser"); code != 0 {
		t.Fatalf("%d %s\n%s", code, errs, page)
	}
	if _, errs, code := h.run("connect", "renew"); code != 0 {
		t.Errorf("alive, and %d: %s", code, errs)
	}
	if _, errs, code := h.run("connect", "renew", "nobody"); code != 1 {
		t.Errorf("not there, and %d: %s", code, errs)
	}
	// What is asked for and cannot be is told by a code of its own.
	if _, errs, code := h.run("token", "get", "--customer", "partner", "--resource", "nope"); code != 2 {
		t.Errorf("a resource that is none: %d %s", code, errs)
	}
	for _, c := range []struct {
		words []string
		want  int
	}{{[]string{"sh", "-c", "exit 9"}, 9}, {[]string{"sh", "-c", "kill -TERM $$"}, 128 + 15}, {[]string{"no-such-program"}, 127}} {
		if _, errs, code := h.run(append([]string{"exec", "--customer", "partner", "--"}, c.words...)...); code != c.want {
			t.Errorf("exec %v: %d, want %d: %s", c.words, code, c.want, errs)
		}
	}
	if out, errs, code := h.run("cloud", "graph", "POST", "/v1.0/users/sam-agent@contoso.com/revokeSignInSessions", "--control", h.control()); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	time.Sleep(1100 * time.Millisecond) // tokens of the same second outlive it
	for _, args := range [][]string{{"connect", "renew", "--all"}, {"connect", "renew"}, {"connect", "renew", "contoso.com"}, {"connect", "status"},
		{"connect", "status", "--live"}} {
		if out, errs, code := h.run(args...); code != 3 || !strings.Contains(errs, "dead") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
}

// TestInvite: what would end in an error at the partner's, or rename what is
// connected, is told before anybody is invited.
func TestInvite(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const app = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	if page, _, errs, code := h.connect("sam-agent@contoso.com", "--name", "mine"); code != 0 {
		t.Fatalf("%d %s\n%s", code, errs, page)
	}
	public := []string{"--public-url", "https://guard.contoso.example"}
	invite := func(args ...string) (string, string, int) {
		return h.run(append([]string{"connect", "invite", "--client-id", app}, args...)...)
	}
	if _, errs, code := invite("--tenant", "fabrikam.example"); code != 2 || !strings.Contains(errs, "is not set") {
		t.Errorf("without an address: %d %s", code, errs)
	}
	if out, errs, code := invite(append(public, "--tenant", "fabrikam.example")...); code != 1 || out != "" || !strings.Contains(errs, "AADSTS50011") ||
		!strings.Contains(errs, "https://guard.contoso.example/connect/callback") {
		t.Errorf("an address that the app lacks: %d %s%s", code, out, errs)
	}
	apps, errs, code := h.run("cloud", "graph", "GET", "/v1.0/applications?$filter=appId eq '"+app+"'", "--control", h.control())
	var list struct{ Value []struct{ ID string } }
	if err := json.Unmarshal([]byte(apps), &list); err != nil || code != 0 || len(list.Value) != 1 {
		t.Fatalf("%v %s%s", err, apps, errs)
	}
	if out, errs, code := h.run("cloud", "graph", "PATCH", "/v1.0/applications/"+list.Value[0].ID, "--control", h.control(), "--body",
		`{"web":{"redirectUris":["http://localhost","https://guard.contoso.example/connect/callback"]}}`); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	out, errs, code := invite(append(public, "--tenant", "fabrikam.example", "--output", "json")...)
	if code != 0 || !strings.Contains(out, `"link": "https://guard.contoso.example/connect/`) || !strings.Contains(out, `"notes": []`) {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if _, errs, code := invite(append(public, "--tenant", "fabrikam.example", "--name", "mine")...); code != 2 || !strings.Contains(errs, `called "mine"`) {
		t.Errorf("a name that another one has: %d %s", code, errs)
	}
	if _, errs, code := invite(append(public, "--tenant", "contoso.com")...); code != 0 || !strings.Contains(errs, "connected already as mine") {
		t.Errorf("a tenant that is connected: %d %s", code, errs)
	}
	if _, errs, code := invite(append(public, "--tenant", "contoso.com", "--name", "other")...); code != 2 || !strings.Contains(errs, "keep its name") {
		t.Errorf("another name for it: %d %s", code, errs)
	}
}

// TestConsentPlanSaysWhy: what is asked for at customers, what it lets the app do, and
// for which feature.
func TestConsentPlanSaysWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if page, _, errs, code := h.connect("sam-agent@contoso.com"); code != 0 {
		t.Fatalf("%d %s\n%s", code, errs, page)
	}
	out, errs, _ := h.run("customers", "consent", "--plan", "--feature", "policies,azure")
	for _, want := range []string{"Policy.Read.All", "read Conditional Access and the other policies", "--feature policies is to judge Conditional Access",
		"work in the customer's Azure subscriptions"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said:\n%s%s", want, out, errs)
		}
	}
	out, _, _ = h.run("customers", "consent", "--plan", "--output", "json")
	if !strings.Contains(out, `"allows": "read users, groups, roles`) {
		t.Errorf("the JSON does not say it: %.400s", out)
	}
}
