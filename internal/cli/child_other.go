//go:build !unix

package cli

import (
	"os"
	"os/exec"
	"syscall"

	"partnerguard/internal/problem"
)

func handedOn() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

func typed(s os.Signal) bool { return s == os.Interrupt }

// childUser is nobody here.
type childUser struct{}

func findUser(string) (*childUser, error) {
	return nil, problem.New(problem.Usage, "this system starts no command as another user").WithHint("use its own means, e.g. runas")
}

func (*childUser) String() string                 { return "" }
func (*childUser) uid() int                       { return -1 }
func (*childUser) environ(base []string) []string { return base }
func (*childUser) give(string) error              { return nil }
func (*childUser) become(*exec.Cmd)               {}
func (*childUser) notAllowed(error) error         { return nil }

// keepClosed has nothing to do: a handle is inherited only when it is named.
func keepClosed() error { return nil }

// beUnreadable is done by Linux alone.
func beUnreadable() {}
