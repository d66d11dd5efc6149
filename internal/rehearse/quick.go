package rehearse

import (
	"net/netip"

	"partnerguard/internal/signin"
)

// Most rows are of a pattern met before, and the fold says which of their texts are the
// same: such a row is told by a few numbers.
type quickKey struct {
	alike  *circumstance
	who    uint32
	places [maxQuick]int32
}

const (
	maxQuick = 2       // engines
	forgetAt = 1 << 16 // entries beside those of patterns
)

type alikeKey struct {
	book       uint64
	what, seen uint32
	flags      byte
}

// circumstance is all of a sign-in but who and from where, with its classes.
type circumstance struct{ classes [][]int32 }

// circumstance finds that of a row, or makes it.
func (c *collector) circumstance(s *signin.Sighting) *circumstance {
	key := alikeKey{s.Alike.Book, s.Alike.What, s.Alike.Seen, flagsOf(s)}
	if got := c.alike[key]; got != nil {
		return got
	}
	if len(c.quick) > len(c.patterns)+forgetAt || c.alike == nil || len(c.alike) > forgetAt {
		c.alike, c.quick = map[alikeKey]*circumstance{}, map[quickKey]*Pattern{}
	}
	got := &circumstance{}
	t := traitsOf(s, netip.Addr{})
	for _, e := range c.engines {
		classes := make([]int32, e.Dimensions())
		t.locate(e, s.AppID, classes)
		got.classes = append(got.classes, classes)
	}
	c.alike[key] = got
	return got
}
