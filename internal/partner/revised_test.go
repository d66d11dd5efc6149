package partner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
)

// bookOf is the SHA-256 of the rule book and of Microsoft's dates as they were on
// the day that Revised names.
const bookOf = "befd3fadf7a72ae21a9b6a6e0526b8fc30b4f53113444f7f23676f278561369d"

// TestRevised: who changes a rule or a date says on which day.
func TestRevised(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(struct {
		Revised string
		Rules   []Rule
		Changes []Change
	}{Revised.String(), Book(), Changes()})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if got := hex.EncodeToString(sum[:]); got != bookOf {
		t.Errorf("the rule book is not that of %s any more: set Revised to today, and bookOf to %s", Revised, got)
	}
}
