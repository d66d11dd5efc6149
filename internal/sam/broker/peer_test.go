//go:build linux

package broker

import (
	"net/netip"
	"strings"
	"testing"
)

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20 1 0000000000000000 100 0 0 10 0
   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 21 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 22 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:C351 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     7        0 23 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:C352 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     8        0 24 1 0000000000000000 20 4 30 10 -1
`

func TestReadOwners(t *testing.T) {
	t.Parallel()
	if !littleEndian {
		t.Skip("the table is of a little-endian machine")
	}
	at := netip.MustParseAddrPort("127.0.0.1:8080")
	got, ok := readOwners(strings.NewReader(table), at)
	if !ok || len(got) != 2 || got[netip.MustParseAddrPort("127.0.0.1:50000")] != 1000 || got[netip.MustParseAddrPort("127.0.0.1:50001")] != 7 {
		t.Errorf("%v %v", got, ok)
	}
	for _, text := range []string{"", "x\n", table + "short\n"} {
		if _, ok := readOwners(strings.NewReader(text), at); ok {
			t.Errorf("%.30q is taken for a table", text)
		}
	}
}

func FuzzReadOwners(f *testing.F) {
	f.Add(table)
	f.Add("local_address\n 0: :: : 1 1 1 1 x\n")
	at := netip.MustParseAddrPort("127.0.0.1:8080")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := readOwners(strings.NewReader(text), at)
		if !ok && got != nil && len(got) > len(text) {
			t.Error(len(got))
		}
	})
}

// A connection of another user is refused, one that the system does not know
// too; where the system does not tell, the header alone decides.
func TestPeerOwn(t *testing.T) {
	t.Parallel()
	remote := netip.MustParseAddrPort("127.0.0.1:50000")
	for name, c := range map[string]struct {
		owners map[netip.AddrPort]int
		failed bool
		want   bool
	}{
		"our own":   {map[netip.AddrPort]int{remote: ownUser()}, false, true},
		"another's": {map[netip.AddrPort]int{remote: ownUser() + 1}, false, false},
		"unknown":   {map[netip.AddrPort]int{}, false, false},
		"not told":  {nil, true, true},
	} {
		s := &peers{owners: c.owners, failed: c.failed, number: 1, seen: 1}
		if p := (&peer{of: s, remote: remote, number: 1}); p.own() != c.want {
			t.Errorf("%s: %v", name, !c.want)
		}
	}
}
