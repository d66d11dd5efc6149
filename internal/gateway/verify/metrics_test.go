//go:build !judge

package verify_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// TestMetrics: each answer is counted by its reason, and no label comes from a token.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, verify.Limits{})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	r.want(tok, gateway.Passed)
	r.want("x.y", gateway.Malformed)
	r.want(r.Good(gatewaytest.Head("alg", "none")), gateway.BadAlgorithm)
	reg := prometheus.NewPedanticRegistry()
	r.Metrics(reg)
	want := `
# HELP partnerguard_gateway_keys Signing keys known of an authority, by state of the last reading: good, unread, away, emptied.
# TYPE partnerguard_gateway_keys gauge
partnerguard_gateway_keys{authority="public",state="good"} 1
# HELP partnerguard_gateway_tokens_total Tokens that were looked at, by result: known ones that were found again, passed ones that were verified anew, or the reason.
# TYPE partnerguard_gateway_tokens_total counter
partnerguard_gateway_tokens_total{result="bad-algorithm"} 1
partnerguard_gateway_tokens_total{result="known"} 1
partnerguard_gateway_tokens_total{result="malformed"} 1
partnerguard_gateway_tokens_total{result="passed"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "partnerguard_gateway_tokens_total", "partnerguard_gateway_keys"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(reg); err != nil || n != 7 {
		t.Errorf("%d metrics, %v", n, err)
	}
}
