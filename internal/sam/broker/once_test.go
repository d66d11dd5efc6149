package broker_test

import (
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/broker"
)

// Who asks for a customer that is none is told so, and not to change a policy
// that does not exist.
func TestOnceUnknownCustomer(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	_, err := r.b.Once(t.Context(), broker.LocalOptions{User: "local:alex", Connection: "contoso", Customers: []string{"stranger.example"},
		Resources: []string{"graph"}})
	if err == nil || !strings.Contains(err.Error(), "stranger.example") || strings.Contains(err.Error(), "not known: ") {
		t.Errorf("%v", err)
	}
}
