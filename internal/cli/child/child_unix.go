//go:build unix

package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"partnerguard/internal/problem"
)

// handedOn are the signals that a child gets from us. Those that stop and
// continue reach it by the terminal, as we are in one group.
func handedOn() []os.Signal {
	return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
}

// typed says whether a terminal sends the signal to the child as well as to us.
func typed(s os.Signal) bool { return s == os.Interrupt || s == syscall.SIGQUIT }

// User is another user of this machine, under which a child runs.
type User struct {
	name, home  string
	credentials syscall.Credential
}

// FindUser looks a user up by name or number.
func FindUser(name string) (*User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "this machine has no user %.80q", name)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil || gerr != nil {
		return nil, problem.New(problem.BadInput, "the user %.80q has no number that can be used", name)
	}
	switch {
	case int(uid) == os.Geteuid():
		return nil, problem.New(problem.Usage, "%s is the user that partnerguard itself runs as", u.Username).
			WithHint("name another one, who may not read the master key")
	case uid == 0:
		return nil, problem.New(problem.Usage, "root may read everything of ours").WithHint("name a user without rights")
	}
	c := &User{name: u.Username, home: u.HomeDir, credentials: syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the groups of the user %s cannot be read", u.Username)
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			c.credentials.Groups = append(c.credentials.Groups, uint32(n))
		}
	}
	return c, nil
}

func (u *User) String() string { return u.name }

func (u *User) UID() int { return int(u.credentials.Uid) }

// ours are variables that name sockets, files and folders of our own user.
var ours = []string{
	"HOME", "USER", "LOGNAME", "MAIL", "XAUTHORITY", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "KRB5CCNAME",
	"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME",
}

// Environ makes our environment the other user's.
func (u *User) Environ(base []string) []string {
	out := slices.DeleteFunc(slices.Clone(base), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(ours, name)
	})
	return append(out, "HOME="+u.home, "USER="+u.name, "LOGNAME="+u.name)
}

// Give makes a folder of ours, and what is in it, the other user's: the folder
// itself last, so that nobody but us can reach what is in it until we are done.
func (u *User) Give(dir string) error {
	paths, err := inside(dir)
	for _, path := range paths {
		if err == nil {
			err = os.Lchown(path, u.UID(), int(u.credentials.Gid))
		}
	}
	return err
}

// inside lists what a folder holds, and it after that.
func inside(dir string) (paths []string, err error) {
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	slices.Reverse(paths)
	return paths, err
}

// become makes the command the other user's.
func (u *User) become(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &u.credentials}
}

// notAllowed explains why a child could not be started as another user.
func (u *User) notAllowed(err error) error {
	if !errors.Is(err, syscall.EPERM) {
		return nil
	}
	return problem.Wrap(err, problem.BadInput, "the command cannot run as %s: only root, or who may change users (CAP_SETUID and CAP_SETGID), starts "+
		"programs of others", u.name).
		WithHint("%s", fmt.Sprintf("give partnerguard these rights, or run it without --user as a user of its own (now %d)", os.Geteuid()))
}

// keepClosedIn marks the descriptors that a folder of the system lists.
func keepClosedIn(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}
