package detect_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"partnerguard/internal/fraud/detect"
)

// The page has the weights that are weighed.
func TestDocsWeights(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/spend.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range detect.Weights() {
		row := fmt.Sprintf("| `%s` | %g | %s |\n", w.Signal, w.Most, w.Meaning)
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/spend.md lacks: %s", row)
		}
	}
	if want := fmt.Sprintf("From %g on", detect.DefaultScore); !strings.Contains(string(page), want) {
		t.Errorf("docs/spend.md does not say %q", want)
	}
}
