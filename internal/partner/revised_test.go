package partner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
)

// bookOf is the SHA-256 of the rule book and of Microsoft's dates as they were on
// the day that Revised names.
const bookOf = "4e2b9529246dae1ae606208da4d4429f24a7203434106bfdda463781fbb80de5"

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
