package observe_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"partnerguard/internal/observe"
)

// A gauge says what is read, each time anew; what cannot be read is left out.
func TestGauge(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	values, fails := map[string]float64{"active": 2, "dead": 1}, error(nil)
	observe.Gauge(reg, "things", "Things by state.", "state", func(context.Context) (map[string]float64, error) { return values, fails })
	observe.Gauge(reg, "size", "How large.", "", func(context.Context) (map[string]float64, error) { return map[string]float64{"": 7}, nil })
	const size = "# HELP size How large.\n# TYPE size gauge\nsize 7\n"
	if err := testutil.GatherAndCompare(reg, strings.NewReader(size+
		"# HELP things Things by state.\n# TYPE things gauge\nthings{state=\"active\"} 2\nthings{state=\"dead\"} 1\n")); err != nil {
		t.Error(err)
	}
	fails = errors.New("the database is away")
	if err := testutil.GatherAndCompare(reg, strings.NewReader(size)); err != nil {
		t.Error(err)
	}
}
