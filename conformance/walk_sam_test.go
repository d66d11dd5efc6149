package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// guarded is an installation of the product: its folders and what every command
// is given.
type guarded struct {
	t    *testing.T
	dir  string
	said bytes.Buffer // everything that any command printed
}

// installation makes an empty one. By names it is told that its cloud is
// Microsoft's, so that nothing of it knows of the local one.
func installation(t *testing.T) *guarded { return &guarded{t: t, dir: t.TempDir()} }

func (g *guarded) command(args ...string) *exec.Cmd {
	at := len(args)
	for i, a := range args {
		if a == "--" {
			at = i
			break
		}
	}
	own := []string{"--data", filepath.Join(g.dir, "data"), "--master-key", "file:" + filepath.Join(g.dir, "key")}
	if cloud.way == byNames {
		own = append(own, "--cloud", "public")
	} else {
		own = append(own, "--cloud", "partner-cloud", "--control", os.Getenv(controlVar))
	}
	args = append(append(append([]string{}, args[:at]...), own...), args[at:]...)
	return exec.Command(os.Getenv(binVar), args...)
}

// run runs a command and gives what it printed and its exit code.
func (g *guarded) run(stdin string, args ...string) (string, int) {
	g.t.Helper()
	c := g.command(args...)
	c.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if len(args) < 2 || args[0] != "token" || args[1] != "get" {
		g.said.Write(out.Bytes())
	}
	g.said.Write(errs.Bytes())
	code := 0
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		code = exit.ExitCode()
	} else if err != nil {
		g.t.Fatal(err)
	}
	if code != 0 {
		g.t.Logf("partnerguard %s: exit code %d\n%s", strings.Join(args, " "), code, errs.String())
	}
	return out.String(), code
}

// must is run where nothing else than success will do.
func (g *guarded) must(args ...string) string {
	g.t.Helper()
	out, code := g.run("", args...)
	if code != 0 {
		g.t.Fatalf("partnerguard %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// connect runs connect, with a person at the browser, and gives its exit code.
func (g *guarded) connect(p person, args ...string) (string, int) {
	g.t.Helper()
	b := chromium(g.t)
	c := g.command(append(append([]string{}, args...), "--no-browser", "--output", "json")...)
	var out bytes.Buffer
	c.Stdout = &out
	errs, err := c.StderrPipe()
	if err != nil {
		g.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		g.t.Fatal(err)
	}
	for lines := bufio.NewScanner(errs); lines.Scan(); {
		line := lines.Text()
		g.said.WriteString(line + "\n")
		where := strings.TrimSpace(line)
		u, err := url.Parse(where)
		if err != nil || !strings.HasPrefix(u.Scheme, "http") {
			continue
		}
		back := u.Query().Get("redirect_uri")
		seen, err := b.signIn(where, p, arrives(back))
		if err != nil {
			g.t.Errorf("the browser: %v (%+v)", err, seen)
			_ = c.Process.Kill()
		}
	}
	err = c.Wait()
	g.said.Write(out.Bytes())
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return out.String(), exit.ExitCode()
	}
	return out.String(), 0
}

// TestSecureApplicationModel walks the way of docs/sam.md: a partner connects
// with MFA, runs a script that knows nothing of it, loses the consent, sees it,
// and heals it. Nothing that could be used is left on the disk.
func TestSecureApplicationModel(t *testing.T) {
	shows(t, "partnerguard", "connect with MFA in Chromium; exec gives @azure/identity in Node a customer's token; revoked, seen, healed; no token on disk")
	shows(t, "azidentity", "ManagedIdentityCredential and DefaultAzureCredential under partnerguard exec; a customer's users from Graph")
	dir, g, p, a := installed(t), installation(t), someone(t, "lena.fischer"), program(t, "control panel")
	// A script of the reader's own, beside the packages.
	script := filepath.Join(dir, "list-users.tmp.mjs")
	text, err := os.ReadFile(filepath.Join("..", "docs", "walk", "list-users.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(script) })
	connect := []string{"connect"}
	if cloud.way == byNames { // nobody tells it of the sample app
		if _, code := g.run(a.secret+"\n", "connect", "app", "secret", "--client-id", a.id, "--tenant", cloud.Tenant.ID, "--from", "-"); code != 0 {
			t.Fatal("the app's secret was not taken")
		}
	}

	if out, code := g.connect(p, connect...); code != 0 {
		t.Fatalf("connect: exit code %d\n%s", code, out)
	}
	type status struct {
		Connections []struct {
			Health, Because, Heal string
			Code                  int
			Connection            struct {
				Proof struct{ Answer string }
				Name  string
			}
		}
	}
	stands := func(want int, args ...string) status {
		t.Helper()
		var s status
		out, code := g.run("", append([]string{"connect", "status", "--output", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Connections) != 1 || code != want {
			t.Fatalf("status: exit code %d, %v\n%s", code, err, out)
		}
		return s
	}
	if s := stands(0, "--live"); s.Connections[0].Connection.Proof.Answer != "proven" || s.Connections[0].Health == "dead" {
		t.Fatalf("after connecting: %+v", s)
	}

	list := []string{"exec", "--customer", "fabrikam.example", "--", "node", script}
	if out := g.must(list...); !regexp.MustCompile(`(?m)^[1-9][0-9]* users$`).MatchString(out) || !strings.Contains(out, "@fabrikam.example") {
		t.Fatalf("the script said:\n%s", out)
	}
	// The same for Go: this program is the script.
	t.Setenv(childVar, "fabrikam.example")
	if out := g.must("exec", "--customer", "fabrikam.example", "--", os.Args[0]); strings.Count(out, "@fabrikam.example") != 2 {
		t.Fatalf("azidentity said:\n%s", out)
	}
	if err := os.Unsetenv(childVar); err != nil {
		t.Fatal(err)
	}
	if out, code := g.run("", "exec", "--customer", "no.example", "--", "node", script); code == 0 {
		t.Fatalf("a stranger's tenant: %s", out)
	}
	access := strings.TrimSpace(g.must("token", "get", "--customer", "partner", "--resource", "partner-center"))
	if out, code := g.run(access, "token", "check"); code != 0 || !strings.Contains(out, "proven") {
		t.Errorf("token check: %s", out)
	}

	cli(t, "graph", "POST", "/v1.0/users/"+p.upn+"/revokeSignInSessions")
	s := stands(3, "--live")
	if c := s.Connections[0]; c.Health != "dead" || c.Code != 50173 || c.Heal == "" {
		t.Fatalf("after the revocation: %+v", s)
	}
	if out, code := g.run("", list...); code == 0 {
		t.Fatalf("the script still works: %s", out)
	}
	heal := strings.Fields(s.Connections[0].Heal)
	if out, code := g.connect(p, heal[1:]...); code != 0 {
		t.Fatalf("heal: exit code %d\n%s", code, out)
	}
	if s := stands(0, "--live"); s.Connections[0].Health == "dead" {
		t.Fatalf("after healing: %+v", s)
	}
	g.must(list...)

	if out := g.must("trail", "verify"); out == "" {
		t.Error("the trail says nothing")
	}
	g.must("vault", "check")
	g.nothingUsable(access, a.secret)
}

// usable is what a token looks like: a JWT, or one of the cloud's refresh
// tokens (0.PC.), or one of Entra ID's (0.A, 1.A).
var usable = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}|\b[01]\.(?:PC\.|A)[A-Za-z0-9_-]{20,}`)

// nothingUsable looks through every byte that was written or printed.
func (g *guarded) nothingUsable(secrets ...string) {
	g.t.Helper()
	look := func(where string, b []byte) {
		if m := usable.Find(b); m != nil {
			g.t.Errorf("%s holds what looks like a token: %.12s…", where, m)
		}
		for i, s := range secrets {
			if s == "" || bytes.Contains(b, []byte(s)) {
				g.t.Errorf("%s holds secret %d", where, i)
			}
		}
	}
	files := 0
	err := filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		look(filepath.Base(path), b)
		files++
		return err
	})
	if err != nil || files < 2 {
		g.t.Errorf("%d files: %v", files, err)
	}
	look("what was printed", g.said.Bytes())
}

// childVar makes this program a script that exec runs: the customer's domain.
const childVar = "CONFORMANCE_SCRIPT"

// managedIdentities lists a user of the customer with each of azidentity's
// credentials that find a managed identity, as any program would.
func managedIdentities() int {
	ctx := context.Background()
	one := func(name string, cred azcore.TokenCredential, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		token, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://graph.microsoft.com/v1.0/users?$select=userPrincipalName&$top=999", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token.Token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer res.Body.Close()
		var list struct {
			Value []struct{ UserPrincipalName string }
		}
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s %w", name, res.Status, err)
		}
		for _, u := range list.Value {
			if strings.HasSuffix(u.UserPrincipalName, "@"+os.Getenv(childVar)) {
				fmt.Println(name, u.UserPrincipalName)
				return nil
			}
		}
		return fmt.Errorf("%s: nobody of %s among %d", name, os.Getenv(childVar), len(list.Value))
	}
	managed, e1 := azidentity.NewManagedIdentityCredential(nil)
	standard, e2 := azidentity.NewDefaultAzureCredential(nil)
	if err := errors.Join(one("ManagedIdentityCredential", managed, e1), one("DefaultAzureCredential", standard, e2)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
