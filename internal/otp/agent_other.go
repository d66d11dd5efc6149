//go:build !unix

package otp

import (
	"net"
	"syscall"

	"partnerguard/internal/problem"
)

// ListenAgent refuses: there is no socket here that answers one user alone.
func ListenAgent(string) (net.Listener, error) {
	return nil, problem.New(problem.Unavailable, "there is no agent on this system").WithHint("partnerguard otp show asks for the passphrase each time")
}

// Apart is for systems with an agent.
func Apart() *syscall.SysProcAttr { return nil }
