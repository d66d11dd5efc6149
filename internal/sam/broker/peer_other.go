//go:build !linux

package broker

import "net/netip"

func ownUser() int { return -1 }

// connectionOwners is not known here: the header alone must do.
func connectionOwners(netip.AddrPort) (map[netip.AddrPort]int, bool) { return nil, false }
