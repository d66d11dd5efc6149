package partner

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
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
	Public  Cloud = entra.CloudPublic
	USGov   Cloud = entra.CloudUSGov
	China   Cloud = entra.CloudChina   // operated by 21Vianet
	Germany Cloud = entra.CloudGermany // closed
)

// Clouds lists all of them. These are the words of every command, setting and
// answer.
func Clouds() []Cloud { return []Cloud{Public, USGov, China, Germany} }

// olderWords for clouds were documented before there was one vocabulary. They
// are still read, never written.
var olderWords = map[Cloud]Cloud{"commercial": Public}

// ParseCloud finds a cloud by its name, or by an older word for it.
func ParseCloud(s string) (Cloud, bool) {
	c := Cloud(strings.ToLower(strings.TrimSpace(s)))
	if now, old := olderWords[c]; old {
		return now, true
	}
	return c, slices.Contains(Clouds(), c)
}

// Open reports a cloud that still answers. The German one was closed; what was
// exported from it can still be judged.
func (c Cloud) Open() bool { return c != Germany }

// Sovereign reports a cloud where the requirements only advise.
func (c Cloud) Sovereign() bool { return c != Public }
