//go:build deb

package deb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
)

// root is the root the walk happens in.
type root struct {
	*testing.T
	older, newer string // packages
	info         partnercloud.Info
	running      *exec.Cmd // the server
	at           string    // its address
	made         string    // the backup
}

// enter refuses any root but one that was made for this: the walk purges.
func enter(t *testing.T) *root {
	t.Helper()
	if _, err := os.Stat("/partnerguard-package-test"); err != nil {
		t.Skip("not in a root made for this: make package-test")
	}
	for _, v := range []string{"OLDER", "NEWER"} {
		if _, err := os.Stat(os.Getenv(v)); err != nil {
			t.Fatalf("%s is no package: %v", v, err)
		}
	}
	t.Setenv("PARTNERGUARD_CLOUD_CONTROL", "/run/partner-cloud/control.json")
	t.Setenv("DEBIAN_FRONTEND", "noninteractive")
	return &root{T: t, older: os.Getenv("OLDER"), newer: os.Getenv("NEWER")}
}

// run runs a command and gives all it said.
func (r *root) run(name string, args ...string) (string, int) {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), name, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.Fatalf("%s: %v", name, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (r *root) ok(name string, args ...string) string {
	r.Helper()
	out, code := r.run(name, args...)
	if code != 0 {
		r.Fatalf("%s %s: exit code %d\n%s", name, strings.Join(args, " "), code, out)
	}
	return out
}

// cloud starts the partner cloud, which is the tenant, for the whole walk. It is the
// service's user's, since its control file is for its owner alone.
func (r *root) cloud() {
	r.Helper()
	r.ok("install", "-d", "-m", "0700", "-o", "partnerguard", "-g", "partnerguard", "/run/partner-cloud")
	cmd := exec.Command("partnerguard-admin", "cloud", "--port", "0", "--customers", "3", "--days", "1", "--output", "json")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	if err := json.NewDecoder(out).Decode(&r.info); err != nil {
		r.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // it ends with the namespace
}

// toCloud sets the settings to the partner cloud.
func (r *root) toCloud() {
	r.Helper()
	f, err := os.OpenFile(settings, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		r.Fatal(err)
	}
	if _, err := f.WriteString("\ncloud: partner-cloud\n"); err != nil {
		r.Fatal(err)
	}
	if err := f.Close(); err != nil {
		r.Fatal(err)
	}
}

var signInAt = regexp.MustCompile(`^  (https?://\S+)$`)

// connect consents once, as that person in a browser.
func (r *root) connect(upn string) {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "partnerguard-admin", "connect", "--no-browser")
	var out bytes.Buffer
	cmd.Stdout = &out
	errs, err := cmd.StderrPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	where, said := "", ""
	lines := bufio.NewScanner(errs)
	for where == "" && lines.Scan() {
		said += lines.Text() + "\n"
		if m := signInAt.FindStringSubmatch(lines.Text()); m != nil {
			where = m[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	u, err := url.Parse(where)
	if err != nil || where == "" {
		r.Fatalf("no address: %s", said)
	}
	b := labtest.NewBrowser(r, http.DefaultTransport, u.Scheme+"://"+u.Host).Open(where).SignIn(r.person(upn))
	if b.Left == nil {
		r.Fatal(b.Page)
	}
	res, err := http.Get(b.Left.String())
	if err != nil {
		r.Fatal(err)
	}
	if page := body(r.T, res); !strings.Contains(page, "<h1>Connected</h1>") {
		r.Fatal(page)
	}
	if err := cmd.Wait(); err != nil {
		r.Fatalf("%v\n%s", err, &out)
	}
}

func (r *root) person(upn string) labtest.Person {
	r.Helper()
	for _, p := range r.info.People {
		if p.UPN == upn {
			return labtest.Person{UPN: upn, Password: p.Password,
				Code: func() string { c, _ := totp.GenerateCode(p.TOTP, time.Now()); return c }}
		}
	}
	r.Fatalf("nobody is %s", upn)
	return labtest.Person{}
}

// healthy asks Microsoft, here the partner cloud, through the connection.
func (r *root) healthy() {
	r.Helper()
	if out := r.ok("partnerguard-admin", "connect", "status", "--live"); !strings.Contains(out, "contoso.com  healthy") {
		r.Fatalf("not healthy:\n%s", out)
	}
}

// unit is what a unit starts, as its user, with its environment and its credential.
func (r *root) unit(name string) *exec.Cmd {
	r.Helper()
	text, err := os.ReadFile(filepath.Join("/lib/systemd/system", name))
	if err != nil {
		r.Fatal(err)
	}
	args := []string{"--reuid=partnerguard", "--regid=partnerguard", "--init-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "env", "-i",
		"PATH=/usr/bin:/bin", "PARTNERGUARD_CLOUD_CONTROL=" + os.Getenv("PARTNERGUARD_CLOUD_CONTROL")}
	exe := ""
	for _, line := range strings.Split(string(text), "\n") {
		what, value, _ := strings.Cut(line, "=")
		switch what {
		case "Environment":
			args = append(args, value)
		case "ExecStart":
			exe = strings.ReplaceAll(value, "%%", "%")
		case "LoadCredential":
			id, path, _ := strings.Cut(value, ":")
			dir := "/run/credentials/" + name
			r.ok("install", "-d", "-m", "0500", "-o", "partnerguard", dir)
			r.ok("install", "-m", "0400", "-o", "partnerguard", path, filepath.Join(dir, id))
			args = append(args, "CREDENTIALS_DIRECTORY="+dir)
		}
	}
	if exe == "" {
		r.Fatalf("%s starts nothing", name)
	}
	cmd := exec.Command("setpriv", append(args, "sh", "-c", "umask 077; exec "+exe)...)
	cmd.Dir = "/"
	return cmd
}

// start starts the server and waits until it answers.
func (r *root) start(name string) {
	r.Helper()
	cmd := r.unit(name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	_, at, ok := strings.Cut(strings.TrimSpace(line), "serves on ")
	if err != nil || !ok {
		r.Fatalf("the server says %q: %v", line, err)
	}
	r.running, r.at = cmd, at
	if got := r.get("/healthz"); strings.TrimSpace(got) != "ok" {
		r.Fatalf("/healthz: %s", got)
	}
	status, err := os.ReadFile("/proc/" + pid(cmd) + "/status")
	if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") || !strings.Contains(string(status), "CapBnd:\t0000000000000000") {
		r.Errorf("the server may have privileges (%v):\n%s", err, status)
	}
}

// stop ends the server as systemd does.
func (r *root) stop() {
	r.Helper()
	_ = r.running.Process.Signal(syscall.SIGTERM)
	if err := r.running.Wait(); err != nil {
		r.Errorf("the server ended with %v", err)
	}
}

func pid(cmd *exec.Cmd) string { return strconv.Itoa(cmd.Process.Pid) }

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
