package kql

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever a query computes has JSON, and a size.
func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	for _, q := range []string{
		"resources | extend x=todouble('inf')", "resources | extend x=toreal('NaN')", "resources | summarize sum(b) by a", "resources | summarize avg(b)",
		"resources | summarize count() by todouble('-inf')",
		"resources" + strings.Repeat(" | summarize x=make_list(a) | extend a=tostring(x)", 24),
	} {
		p, wrong := Parse(q, "resources")
		if wrong != nil {
			t.Errorf("%.60s: %s", q, wrong.Text)
			continue
		}
		rows := p.Run([]Row{{"a": `x"y`, "b": 1e308}, {"a": `x"y`, "b": 1e308}, {"a": `"`, "b": 1.0}})
		if b, err := json.Marshal(rows); err != nil || len(b) > 1<<20 || len(rows) == 0 {
			t.Errorf("%.60s: %d rows, %d bytes: %v", q, len(rows), len(b), err)
		}
	}
	for _, q := range []string{"resources | extend " + strings.Repeat("a=a,", 200) + "b=a",
		"resources | summarize " + strings.Repeat("count(),", 200) + "count()"} {
		if _, wrong := Parse(q, "resources"); wrong == nil {
			t.Errorf("%.60s: taken", q)
		}
	}
}
