package ledger

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/gateway"
)

// Kind is what a caller is.
type Kind uint8

// The kinds of callers.
const (
	Unknown Kind = iota // nobody has proven who asks: a network
	User
	App
	Others // callers beyond what is counted one by one
)

var kindWords = [...]string{"unknown", "user", "app", "others"}

// String is the kind's word.
func (k Kind) String() string { return kindWords[min(int(k), len(kindWords)-1)] }

// agents are classes of programs, by what their User-Agent has; the first that fits.
var agents = [...]struct{ has, word string }{
	{"powershell", "PowerShell"}, {"msal", "MSAL"}, {"azsdk", "Azure SDK"}, {"postman", "Postman"}, {"curl", "curl"}, {"python", "Python"},
	{"go-http", "Go"}, {"node", "Node"}, {"axios", "Node"}, {"java", "Java"}, {"okhttp", "Java"}, {".net", ".NET"}, {"mozilla", "browser"},
}

// Agents beyond the list.
const (
	agentNone  = uint8(len(agents))
	agentOther = agentNone + 1
)

// agentOf is the class of a program. It is looked for in the first bytes alone.
func agentOf(s string) uint8 {
	const enough = 160
	if s == "" {
		return agentNone
	}
	s = strings.ToLower(s[:min(len(s), enough)])
	for i := range agents {
		if strings.Contains(s, agents[i].has) {
			return uint8(i)
		}
	}
	return agentOther
}

func agentWord(a uint8) string {
	switch {
	case a == agentNone:
		return "none"
	case a > agentNone:
		return "other"
	}
	return agents[a].word
}

// key is what a count is of.
type key struct {
	hour    int64 // since 1970
	reason  gateway.Reason
	mode    gateway.Mode
	refused bool
	kind    Kind
	way     gateway.Way // 0: none
	agent   uint8       // of what is not well; agentNone otherwise
	from    netip.Addr  // the network of somebody unknown
	route   string
	tenant  string
	caller  string
	client  string
	excused string
}

// hourOf is the hour of a moment, since 1970.
func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// keyOf makes the key of a decision. It allocates nothing for what is well.
func keyOf(d *gateway.Decision, r *gateway.Request) key {
	k := key{hour: hourOf(r.Now), reason: d.Reason, mode: d.Phase.Mode, refused: d.Refused, agent: agentNone}
	if d.Route != nil {
		k.route = d.Route.Name
	}
	if d.Excused != nil {
		k.excused = d.Excused.Name
	}
	if d.Reason != gateway.Passed {
		k.agent = agentOf(r.UserAgent)
	}
	id := d.Identity
	switch {
	case id == nil:
		k.from = network(r.Remote)
		return k
	case id.IsApp:
		k.kind, k.caller = App, id.App
	default:
		if k.kind, k.caller = User, id.ObjectID; k.caller == "" {
			k.caller = id.Subject
		}
	}
	k.way, k.tenant, k.client = id.Way, id.Tenant, id.App
	return k
}

// network is what is kept of an address.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// others is the key that counts whom no key is left for.
func (k *key) others() key {
	return key{hour: k.hour, reason: k.reason, mode: k.mode, refused: k.refused, kind: Others, agent: agentNone, route: k.route}
}

// most is how much of a room a key may find taken: whoever proves nothing can be as many as
// they like, and leaves half of it to those who do.
func (k *key) most(all int64) int64 {
	if k.kind == Unknown {
		return all / 2
	}
	return all
}

// own is the key with texts of its own: those of an identity may be parts of something
// larger.
func (k *key) own() key {
	o := *k
	o.tenant, o.caller, o.client = strings.Clone(k.tenant), strings.Clone(k.caller), strings.Clone(k.client)
	return o
}

var seed = maphash.MakeSeed()

// hash spreads keys; it is of this process alone, so that nobody chooses what collides.
func (k *key) hash() uint64 {
	h := uint64(k.hour)<<40 ^ uint64(k.reason)<<32 ^ uint64(k.mode)<<24 ^ uint64(k.kind)<<16 ^ uint64(k.way)<<12 ^ uint64(k.agent)
	if k.refused {
		h ^= 1 << 63
	}
	h = mix(h, maphash.String(seed, k.route))
	h = mix(h, maphash.String(seed, k.caller))
	h = mix(h, maphash.String(seed, k.client))
	h = mix(h, maphash.String(seed, k.tenant))
	if k.excused != "" {
		h = mix(h, maphash.String(seed, k.excused))
	}
	if k.from.IsValid() {
		b := k.from.As16()
		h = mix(h, maphash.Bytes(seed, b[:]))
	}
	return h
}

func mix(h, x uint64) uint64 {
	h ^= x
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>29
}
