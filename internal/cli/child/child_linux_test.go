package child

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"partnerguard/internal/cli/kit"
)

// The two processes of the tests of a child: the one that holds secrets, and the
// command that it runs and that looks around.
const roleVar = "GO_TEST_CHILD_ROLE"

func init() {
	switch os.Getenv(roleVar) {
	case "holder":
		os.Exit(holder())
	case "thief":
		thief()
		os.Exit(0)
	}
}

// holder is partnerguard exec from the moment on at which it opens the
// installation.
func holder() int {
	if os.Getenv("GO_TEST_OPEN") != "1" {
		kit.BeUnreadable()
	}
	environ := append(os.Environ(), roleVar+"=thief", fmt.Sprintf("GO_TEST_HOLDER=%d", os.Getpid()))
	o := Options{Path: os.Args[0], Args: []string{"thief"}, Environ: environ, Sealed: os.Getenv("GO_TEST_OPEN") != "1"}
	if os.Getenv("GO_TEST_RUN") != "" {
		o.Path, o.Args = "/bin/sh", []string{"sh", "-c", "ulimit -Sn"}
	}
	err := Run(context.Background(), &kit.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, o)
	if code, ok := err.(kit.Exit); ok {
		return int(code)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// thief says what it inherited and what it can see of the holder.
func thief() {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if n > 2 && (strings.Contains(to, "secret") || strings.HasPrefix(to, "pipe:") || strings.HasPrefix(to, "socket:")) {
			fmt.Println("descriptor", n)
		}
	}
	of := "/proc/" + os.Getenv("GO_TEST_HOLDER")
	for _, name := range []string{"mem", "maps", "environ", "fd/3", "auxv"} {
		if f, err := os.Open(of + "/" + name); err == nil {
			n, err := f.Read(make([]byte, 1))
			if name == "mem" || n > 0 || err == nil {
				fmt.Println("opened", name)
			}
			_ = f.Close()
		}
	}
	fmt.Println("ignores interrupt", signal.Ignored(syscall.SIGINT), "hangup", signal.Ignored(syscall.SIGHUP))
}

// unprivileged is this test binary, and a secret file, where nobody's processes
// can use them: root may look into everything.
func unprivileged(t *testing.T) (binary, secret string, as *syscall.Credential) {
	t.Helper()
	dir, err := os.MkdirTemp("", "child-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, secret = filepath.Join(dir, "child.test"), filepath.Join(dir, "secret")
	// Copied by another process: a child that a parallel test starts would inherit our
	// descriptor while it is open for writing, and then the copy could not be run.
	err = exec.Command("cp", self, binary).Run()
	if err != nil || os.WriteFile(secret, []byte("correct horse battery staple\n"), 0o600) != nil || os.Chmod(dir, 0o755) != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		as = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := os.Chown(secret, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	return binary, secret, as
}

// TestChildInheritsNothing: a command beside the vault has three descriptors,
// and cannot see the memory, the descriptors or the environment of ours. The
// twin without the defence shows that the thief would find them.
func TestChildInheritsNothing(t *testing.T) {
	t.Parallel()
	binary, secret, as := unprivileged(t)
	look := func(open string) string {
		f, err := os.Open(secret)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		c := exec.Command(binary)
		c.Env = []string{roleVar + "=holder", "GO_TEST_OPEN=" + open, "SECRET=hunter2"}
		c.ExtraFiles = []*os.File{f, f}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		c.Dir = "/"
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, line := range strings.Split(strings.TrimSpace(look("0")), "\n") {
		if !strings.HasPrefix(line, "ignores") {
			t.Errorf("the child: %s", line)
		}
	}
	if got := look("1"); !strings.Contains(got, "descriptor 3") || !strings.Contains(got, "opened environ") {
		t.Errorf("the thief finds nothing where it should: %s", got)
	}
}

// TestChildIsAsFromAShell: what was ignored stays ignored, and the limits are
// those that we were started with, though Go raises its own.
func TestChildIsAsFromAShell(t *testing.T) {
	t.Parallel()
	binary, _, _ := unprivileged(t)
	out, err := exec.Command("sh", "-c", `trap "" INT HUP; `+roleVar+`=holder exec "$0"`, binary).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ignores interrupt true hangup true") {
		t.Errorf("%v: %s", err, out)
	}
	out, err = exec.Command("sh", "-c", `ulimit -Sn 77; `+roleVar+`=holder GO_TEST_RUN=/bin/sh exec "$0"`, binary).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "77" {
		t.Errorf("open files: %v: %s", err, out)
	}
	// Nothing else is ignored than whoever started this test ignores (nohup).
	out, err = exec.Command("sh", "-c", roleVar+`=holder exec "$0"`, binary).CombinedOutput()
	if want := fmt.Sprintf("ignores interrupt %t hangup %t", signal.Ignored(os.Interrupt), signal.Ignored(syscall.SIGHUP)); err != nil ||
		!strings.Contains(string(out), want) {
		t.Errorf("%v: want %s\n%s", err, want, out)
	}
}

// TestChildOfAnotherUser: the command runs as that user, with its groups and its
// home, and without the names of our own sockets.
func TestChildOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if u, err := FindUser("nobody"); err == nil {
			err = Run(context.Background(), &kit.Env{Stdout: io.Discard, Stderr: io.Discard}, Options{Path: "/bin/true", Args: []string{"true"}, Sealed: true,
				User: u})
			if err == nil || !strings.Contains(err.Error(), "CAP_SETUID") {
				t.Errorf("not allowed, and told: %v", err)
			}
		}
		return
	}
	if _, err := FindUser("root"); err == nil {
		t.Error("our own user is another one")
	}
	if _, err := FindUser("no-such-user-here"); err == nil {
		t.Error("a user that is not there")
	}
	u, err := FindUser("nobody")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("this machine has no nobody: a child as another user was not tried")
		}
		t.Skip("NOTE: this machine has no nobody: a child as another user was NOT tried")
	}
	var out bytes.Buffer
	env := &kit.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}
	o := Options{Path: "/bin/sh", Args: []string{"sh", "-c", "id -u; id -G; echo $HOME; echo $SSH_AUTH_SOCK."},
		Environ: u.Environ([]string{"HOME=/root", "SSH_AUTH_SOCK=/x", "PATH=/bin:/usr/bin"}), Sealed: true, User: u}
	if err := Run(context.Background(), env, o); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	want := fmt.Sprintf("%d\n%d\n%s\n.\n", u.UID(), u.credentials.Gid, u.home)
	if out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
}
