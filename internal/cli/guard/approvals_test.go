package guard

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"partnerguard/internal/sam/broker"
)

// The policies that the documentation shows are read by the program.
func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```yaml\n(version: .*?)```")
	found := 0
	for _, name := range []string{"sam.md", "broker.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllSubmatch(text, -1) {
			raw := m[1]
			found++
			p, err := broker.ParsePolicy(name, raw)
			if err != nil || len(p.Callers) == 0 {
				t.Errorf("%s: %v\n%s", name, err, raw)
			}
		}
	}
	if found < 2 {
		t.Errorf("%d policies found", found)
	}
}
