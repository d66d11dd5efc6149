package partner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
)

// bookOf is the SHA-256 of the rule book, of its practices and of Microsoft's dates as they were on
// the day that Revised names.
const bookOf = "63ea0a0b4f755050f8a7037a1cdac44e7b65d28940c69f0a036d6d85cd0441cb"

// TestRevised: who changes a rule or a date says on which day.
func TestRevised(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(struct {
		Revised string
		Rules   []Rule
		Changes []Change
		Advised []Practice
	}{Revised.String(), Book(), Changes(), Practices()})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != bookOf {
		t.Errorf("the rule book is not that of %s any more: set Revised to today, and bookOf to %s", Revised, got)
	}
}
