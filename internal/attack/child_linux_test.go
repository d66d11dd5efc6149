package attack

import (
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// looking is what a hostile child of exec does: it says what it was given, and
// what it can read of its parent and of the installation.
const looking = `#!/bin/sh
echo "umask $(umask)"
echo "folder $(pwd -P)"
echo "user $(id -u)"
ls -l /proc/$$/fd
env | sed 's/^/env /'
sed 's/^/map /' /proc/self/maps
for name in environ mem maps fd cmdline; do
  if [ "$name" = fd ]; then ls /proc/$PPID/fd >/dev/null 2>&1 && echo "parent fd"
  else head -c 1 /proc/$PPID/$name >/dev/null 2>&1 && echo "parent $name"; fi
done
cat "$1" >/dev/null 2>&1 && echo "read the key"
cat "$2" >/dev/null 2>&1 && echo "read the database"
exit 7
`

// TestExecChild starts exec with secrets in the environment and a child that
// looks around: it has the streams, the token's endpoint and nothing of ours.
func TestExecChild(t *testing.T) {
	for _, v := range []string{"PARTNERGUARD_MASTER_KEY", "PARTNERGUARD_DATABASE", "PARTNERGUARD_ANYTHING", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET",
		"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"} {
		t.Setenv(v, "mark-of-ours")
	}
	t.Setenv("KEPT", "the-childs-own")
	d := newDesk(t)
	dir, err := os.MkdirTemp("", "child-") // where another user may go
	d.ok(err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d.ok(os.Chmod(dir, 0o755))
	script := filepath.Join(dir, "look")
	d.ok(os.WriteFile(script, []byte(looking), 0o755))
	here, err := os.Getwd()
	d.ok(err)
	for _, as := range []string{"", "nobody"} {
		line := "exec --customer fabrikam.example"
		if as != "" {
			u, err := user.Lookup(as)
			if os.Geteuid() != 0 || err != nil {
				t.Logf("NOTE: a child as another user was NOT tried (%v)", err)
				continue
			}
			line += " --user " + u.Username
		}
		code, said := d.run(line + " -- " + script + " " + filepath.Join(d.dir, "key") + " " + d.file())
		if code != 7 || !strings.Contains(said, "env KEPT=the-childs-own") || !strings.Contains(said, "env IDENTITY_ENDPOINT=http://127.0.0.1:") ||
			!strings.Contains(said, "env IDENTITY_HEADER=") {
			t.Fatalf("%q: exit code %d: %s", as, code, said)
		}
		d.childless(as, here, said)
	}
}

var stray = regexp.MustCompile(` ([3-9]|\d\d+) -> `)

// childless says what of ours the child had.
func (d *desk) childless(as, here, said string) {
	d.Helper()
	for _, line := range strings.Split(said, "\n") {
		switch {
		case strings.Contains(line, "mark-of-ours"), stray.MatchString(line) && !strings.HasSuffix(line, "/look"): // its own script
			d.Errorf("%q: the child has %s", as, line)
		case strings.HasPrefix(line, "env PARTNERGUARD_") && !strings.HasPrefix(line, "env PARTNERGUARD_CLOUD_"):
			d.Errorf("%q: the child has %s", as, line)
		case strings.HasPrefix(line, "map ") && (strings.Contains(line, d.dir) || strings.Contains(line, ".test")):
			d.Errorf("%q: the child's memory has a file of ours: %s", as, line)
		case strings.HasPrefix(line, "folder ") && line != "folder "+here && as == "":
			d.Errorf("it runs in %s, not %s", line, here)
		case as != "" && (strings.HasPrefix(line, "read ") || strings.HasPrefix(line, "parent ") && line != "parent cmdline"):
			d.Errorf("%q: the child could %s", as, line)
		case as != "" && line == "user 0":
			d.Errorf("%q: it is root", as)
		}
	}
	if !regexp.MustCompile(`(?m)^umask 0?022$|^umask 0\d+$`).MatchString(said) {
		d.Errorf("no umask: %s", said)
	}
}
