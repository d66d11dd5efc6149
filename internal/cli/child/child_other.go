//go:build !unix

package child

import (
	"os"
	"os/exec"
	"syscall"

	"partnerguard/internal/problem"
)

func handedOn() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

func typed(s os.Signal) bool { return s == os.Interrupt }

// User is nobody here.
type User struct{}

func FindUser(string) (*User, error) {
	return nil, problem.New(problem.Usage, "this system starts no command as another user").WithHint("use its own means, e.g. runas")
}

func (*User) String() string                 { return "" }
func (*User) UID() int                       { return -1 }
func (*User) Environ(base []string) []string { return base }
func (*User) Give(string) error              { return nil }
func (*User) become(*exec.Cmd)               {}
func (*User) notAllowed(error) error         { return nil }

// KeepClosed has nothing to do: a handle is inherited only when it is named.
func KeepClosed() error { return nil }
