package center

import (
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
)

// unchanged refuses what a client sent of a resource that cannot be changed where it
// sent it (see [kit.Differs]).
func unchanged(sent, shown any) *fault {
	if name := kit.Differs(sent, shown); name != "" {
		return deny(entra.CenterInvalidProperty, clip(name)+" is read-only here.")
	}
	return nil
}
