package broker

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// littleEndian says in which order this machine writes numbers.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func ownUser() int { return os.Geteuid() }

// connectionOwners reads the kernel's table of TCP connections: for each one
// whose far end is our listener, the user of its near end.
func connectionOwners(listener netip.AddrPort) (map[netip.AddrPort]int, bool) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return nil, false
	}
	defer f.Close()
	return readOwners(io.LimitReader(f, 64<<20), listener)
}

// readOwners reads the table's text (proc_net_tcp(5)): sl, local address,
// remote address, state, four fields, uid.
func readOwners(r io.Reader, listener netip.AddrPort) (map[netip.AddrPort]int, bool) {
	owners := map[netip.AddrPort]int{}
	s := bufio.NewScanner(r)
	if !s.Scan() || !strings.Contains(s.Text(), "local_address") {
		return nil, false
	}
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 8 {
			return nil, false
		}
		remote, ok := kernelAddr(f[2])
		if !ok || remote != listener {
			continue
		}
		local, ok := kernelAddr(f[1])
		uid, err := strconv.Atoi(f[7])
		if ok && err == nil {
			owners[local] = uid
		}
	}
	return owners, s.Err() == nil
}

// kernelAddr reads 0100007F:1F90: the address as a number of the machine's own
// byte order, the port in the usual one.
func kernelAddr(s string) (netip.AddrPort, bool) {
	addr, port, ok := strings.Cut(s, ":")
	p, err := strconv.ParseUint(port, 16, 16)
	b, herr := hex.DecodeString(addr)
	if !ok || err != nil || herr != nil || len(b) != 4 {
		return netip.AddrPort{}, false
	}
	if littleEndian {
		slices.Reverse(b)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), uint16(p)), true
}
