//go:build unix

package otp

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"partnerguard/internal/problem"
)

// ListenAgent listens at socket for this user alone. One that is there and that nobody
// answers at is replaced; kind problem.Conflict where somebody does.
func ListenAgent(socket string) (net.Listener, error) {
	if err := folder(filepath.Dir(socket)); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(socket), 0o700); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder of %s cannot be closed to others", socket)
	}
	if c, err := net.Dial("unix", socket); err == nil {
		c.Close()
		return nil, problem.New(problem.Conflict, "an agent is open already").WithHint("partnerguard otp lock ends it")
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, problem.Wrap(err, problem.BadInput, "%s is in the way", socket)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the agent cannot listen at %s", socket).WithHint("its path may be too long: set XDG_RUNTIME_DIR")
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		l.Close()
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be closed to others", socket)
	}
	return l, nil
}

// Apart are the attributes of a process that outlives the terminal it was started on.
func Apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
