//go:build deb

package deb

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	settings = "/etc/partnerguard/partnerguard.yaml"
	key      = "/etc/partnerguard/master.key"
	data     = "/var/lib/partnerguard"
	backups  = "/var/backups/partnerguard"
	safe     = "/root/safe"
)

// TestWalk is one walk; each step stands on the one before.
func TestWalk(t *testing.T) {
	r := enter(t)
	for _, step := range []struct {
		name string
		do   func(*root)
	}{
		{"install", (*root).install},
		{"assess as anybody", (*root).assess},
		{"settings name every setting", (*root).settings},
		{"consent", (*root).consent},
		{"serve as the unit says", (*root).serve},
		{"backup as the unit says, while serving", (*root).backup},
		{"upgrade while serving", (*root).upgrade},
		{"remove keeps everything", (*root).remove},
		{"purge deletes data and settings alone", (*root).purge},
		{"install again and restore", (*root).again},
		{"a new machine: bring the key back and restore", (*root).newMachine},
	} {
		if !t.Run(step.name, func(t *testing.T) { r.T = t; step.do(r) }) {
			t.Fatalf("the walk ends at: %s", step.name)
		}
	}
}

func (r *root) install() {
	out := r.ok("dpkg", "-i", r.older)
	if !strings.Contains(out, "made the master key "+key) || !strings.Contains(out, "No backup holds it") {
		r.Errorf("nobody is told of the key:\n%s", out)
	}
	for path, want := range map[string]string{
		data: "drwx------ partnerguard:partnerguard", backups: "drwx------ partnerguard:partnerguard",
		"/etc/partnerguard": "drwxr-x--- partnerguard:partnerguard", key: "-rw------- partnerguard:partnerguard",
		settings: "-rw-r----- root:partnerguard", "/usr/bin/partnerguard": "-rwxr-xr-x root:root",
	} {
		if got := strings.TrimSpace(r.ok("stat", "-c", "%A %U:%G", path)); got != want {
			r.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := r.ok("getent", "passwd", "partnerguard"); !strings.Contains(got, "/var/lib/partnerguard:/usr/sbin/nologin") {
		r.Errorf("the user: %s", got)
	}
	if out, code := r.run("dpkg", "--verify", "partnerguard"); code != 0 || strings.TrimSpace(out) != "" {
		r.Errorf("dpkg --verify: %d %s", code, out)
	}
	r.ok("bash", "-n", "/usr/share/bash-completion/completions/partnerguard")
	if out, code := r.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "cat", settings, key); code == 0 {
		r.Errorf("anybody reads the settings or the key:\n%s", out)
	}
}

func (r *root) assess() {
	out, code := r.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/partnerguard", "assess")
	if code != 3 || !strings.Contains(out, "Fix first") || !strings.Contains(out, "embedded sample partner") {
		r.Fatalf("%d\n%s", code, out)
	}
	r.Logf("exit code 3, as it has to be\n%s", strings.Join(strings.SplitN(out, "\n", 13)[:12], "\n"))
}

func (r *root) settings() {
	text, err := os.ReadFile(settings)
	if err != nil {
		r.Fatal(err)
	}
	var list struct {
		Settings []struct{ Name, Value string }
	}
	out := r.ok("partnerguard-admin", "config", "--output", "json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Settings) == 0 {
		r.Fatalf("%v\n%s", err, out)
	}
	for _, s := range list.Settings {
		if !strings.Contains(string(text), "\n"+s.Name+": ") && !strings.Contains(string(text), "\n#"+s.Name+": ") {
			r.Errorf("%s does not name the setting %s", settings, s.Name)
		}
		if s.Name == "data" && s.Value != data {
			r.Errorf("data is %s", s.Value)
		}
	}
}

func (r *root) consent() {
	r.cloud()
	r.toCloud()
	if out, code := r.run("partnerguard-admin", "connect", "status"); code == 0 && strings.Contains(out, "healthy") {
		r.Fatalf("healthy before anything was connected: %s", out)
	}
	r.connect("sam-agent@contoso.com")
	r.healthy()
}

func (r *root) serve() {
	r.start("partnerguard.service")
	for _, want := range []string{`partnerguard_connections{state="active"} 1`, "partnerguard_trail_entries "} {
		if !strings.Contains(r.get("/metrics"), want) {
			r.Errorf("/metrics lacks %s", want)
		}
	}
	if out := r.ok("partnerguard-admin", "serve", "health"); !strings.HasSuffix(out, "ok\n") {
		r.Errorf("serve health: %s", out)
	}
	if got := r.get("/readyz"); strings.TrimSpace(got) != "ready" {
		r.Errorf("/readyz: %s", got)
	}
	// A database in a file has one process that works it.
	if out, err := r.unit("partnerguard-worker.service").CombinedOutput(); err == nil || !strings.Contains(string(out), `is worked by partnerguard "serve"`) {
		r.Errorf("a worker beside the service: %v\n%s", err, out)
	}
}

func (r *root) backup() {
	out, code := r.unit("partnerguard-backup.service").CombinedOutput()
	if code != nil {
		r.Fatalf("%v\n%s", code, out)
	}
	made, err := filepath.Glob(backups + "/partnerguard-[1-7].backup")
	if err != nil || len(made) != 1 {
		r.Fatalf("%v %v", made, err)
	}
	if got := strings.TrimSpace(r.ok("stat", "-c", "%A %U", made[0])); got != "-rw------- partnerguard" {
		r.Errorf("%s is %s", made[0], got)
	}
	r.Log(r.ok("partnerguard-admin", "backup", "verify", made[0]))
	r.made = made[0]
}

func (r *root) upgrade() {
	before, err := os.ReadFile(key)
	if err != nil {
		r.Fatal(err)
	}
	out := r.ok("dpkg", "-i", r.newer)
	r.Log(out)
	kept := backups + "/before-" + strings.TrimSpace(r.ok("dpkg-query", "-W", "-f", "${Version}", "partnerguard")) + ".backup"
	if !strings.Contains(out, "backed up everything to "+kept) {
		r.Errorf("an upgrade without a backup:\n%s", out)
	}
	r.ok("partnerguard-admin", "backup", "verify", kept)
	if text, _ := os.ReadFile(settings); !strings.Contains(string(text), "\ncloud: partner-cloud\n") {
		r.Errorf("the upgrade lost a setting:\n%s", text)
	}
	if after, _ := os.ReadFile(key); string(after) != string(before) {
		r.Errorf("the upgrade changed the master key")
	}
	if r.get("/healthz") != "ok" {
		r.Errorf("serve is not well any more")
	}
	r.stop()
	r.start("partnerguard.service") // what try-restart does where systemd runs
	r.healthy()
}

func (r *root) remove() {
	r.stop()
	if out, code := r.run("partnerguard-admin", "serve", "health"); code != 1 {
		r.Errorf("serve health of a server that was stopped: %d %s", code, out)
	}
	r.ok("dpkg", "-r", "partnerguard")
	r.gone("/usr/bin/partnerguard", "/lib/systemd/system/partnerguard.service", "/lib/systemd/system/partnerguard-worker.service",
		"/lib/systemd/system/partnerguard-worker@.service")
	r.there(data+"/partner-cloud/partnerguard.db", settings, key, r.made)
	if out := r.ok("dpkg", "-i", r.newer); strings.Contains(out, "made the master key") {
		r.Errorf("another master key:\n%s", out)
	}
	r.healthy()
}

func (r *root) purge() {
	r.ok("mkdir", "-m", "0700", safe)
	r.ok("cp", "-p", key, r.made, safe)
	out := r.ok("dpkg", "-P", "partnerguard")
	r.Log(out)
	if !strings.Contains(out, "rm -r /etc/partnerguard "+backups) {
		r.Errorf("nobody is told what is left:\n%s", out)
	}
	r.gone(data, settings, "/usr/bin/partnerguard", "/usr/sbin/partnerguard-admin")
	r.there(key, r.made)
}

func (r *root) again() {
	if out := r.ok("dpkg", "-i", r.newer); strings.Contains(out, "made the master key") {
		r.Errorf("another master key:\n%s", out)
	}
	r.toCloud()
	if out, _ := r.run("partnerguard-admin", "connect", "status"); strings.Contains(out, "healthy") {
		r.Fatalf("purged, and a connection is here: %s", out)
	}
	r.Log(r.ok("partnerguard-admin", "restore", "--replace", r.made))
	r.healthy()
}

func (r *root) newMachine() {
	r.ok("dpkg", "-P", "partnerguard")
	r.ok("rm", "-r", "/etc/partnerguard", backups)
	if out := r.ok("dpkg", "-i", r.newer); !strings.Contains(out, "made the master key") {
		r.Errorf("no master key:\n%s", out)
	}
	r.toCloud()
	file := backups + "/" + filepath.Base(r.made)
	r.ok("install", "-m", "0600", "-o", "partnerguard", "-g", "partnerguard", safe+"/"+filepath.Base(r.made), file)
	out, code := r.run("partnerguard-admin", "restore", file)
	if code == 0 || strings.Count(out, "key:") < 2 {
		r.Errorf("with another master key: %d\n%s", code, out)
	}
	r.Log(out)
	r.ok("install", "-m", "0600", "-o", "partnerguard", "-g", "partnerguard", safe+"/master.key", key)
	r.Log(r.ok("partnerguard-admin", "restore", file))
	r.healthy()
	r.Log(r.ok("partnerguard-admin", "connect", "renew", "--all"))
	r.start("partnerguard.service")
	if r.get("/healthz") != "ok" {
		r.Errorf("serve is not well")
	}
	r.stop()
}

// get asks the server.
func (r *root) get(path string) string {
	r.Helper()
	res, err := http.Get(r.at + path)
	if err != nil {
		r.Fatal(err)
	}
	return strings.TrimSpace(body(r.T, res))
}

func (r *root) gone(paths ...string) {
	r.Helper()
	for _, p := range paths {
		if _, err := os.Lstat(p); !os.IsNotExist(err) {
			r.Errorf("%s is still there (%v)", p, err)
		}
	}
}

func (r *root) there(paths ...string) {
	r.Helper()
	for _, p := range paths {
		if _, err := os.Lstat(p); err != nil {
			r.Errorf("%s is gone: %v", p, err)
		}
	}
}
