package ledger

import (
	"strings"
	"testing"
	"time"
)

// Who only came with a token that had run out would not be kept out: their client gets a
// new one by itself.
func TestRenewedByThemselves(t *testing.T) {
	t.Parallel()
	ada := Sum{Route: "panel", Mode: "report", Kind: User.String(), Tenant: "t", Caller: "ada", Reason: "expired", N: 3}
	ben := Sum{Route: "panel", Mode: "report", Kind: User.String(), Tenant: "t", Caller: "ben", Reason: "single-factor", N: 1}
	r := Make([]Sum{ada, ben}, nil, Filter{Since: time.Unix(0, 0), Until: time.Unix(10, 0)})
	got := r.Routes[0]
	if got.Callers != 2 || got.Hit != 1 || got.Would != 4 || got.Renewed != 3 ||
		!strings.Contains(got.Says, "3 requests by tokens or sessions that were over") {
		t.Errorf("%+v", got)
	}
}
