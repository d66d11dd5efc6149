package exchange_test

import (
	"errors"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/exchange"
)

// TestResourceOfNoCloud: a cloud that is not known, or lacks a service, has no
// resource of that name; the words for two services do not meet in "".
func TestResourceOfNoCloud(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"graph", "partner-center", "arm", "00000003-0000-0000-c000-000000000000", ""} {
		if r, err := exchange.Resource(msapi.Cloud{Name: "unheard-of"}, name); !errors.Is(err, problem.Usage) || r != "" {
			t.Errorf("%s: %q %v", name, r, err)
		}
	}
}
