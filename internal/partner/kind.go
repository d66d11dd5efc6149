package partner

import (
	"slices"
	"strings"
)

// Kind is a kind of partner (contracts.md section 1.2).
type Kind string

// The kinds the requirements bind.
const (
	DirectBill         Kind = "direct-bill"
	IndirectProvider   Kind = "indirect-provider"
	IndirectReseller   Kind = "indirect-reseller"
	ControlPanelVendor Kind = "control-panel-vendor"
	Advisor            Kind = "advisor"
)

// Kinds lists all of them.
func Kinds() []Kind {
	return []Kind{DirectBill, IndirectProvider, IndirectReseller, ControlPanelVendor, Advisor}
}

// ParseKind finds a kind by its name.
func ParseKind(s string) (Kind, bool) {
	k := Kind(strings.ToLower(strings.TrimSpace(s)))
	return k, slices.Contains(Kinds(), k)
}

// Cloud is a Microsoft cloud.
type Cloud string

// The clouds. All but Public are sovereign: the requirements advise there and
// do not bind (contracts.md section 1.2).
const (
	Public  Cloud = "public"
	USGov   Cloud = "usgov"
	China   Cloud = "china"   // operated by 21Vianet
	Germany Cloud = "germany" // closed
)

// Clouds lists all of them.
func Clouds() []Cloud { return []Cloud{Public, USGov, China, Germany} }

// ParseCloud finds a cloud by its name.
func ParseCloud(s string) (Cloud, bool) {
	c := Cloud(strings.ToLower(strings.TrimSpace(s)))
	return c, slices.Contains(Clouds(), c)
}

// Sovereign reports a cloud where the requirements only advise.
func (c Cloud) Sovereign() bool { return c != Public }
