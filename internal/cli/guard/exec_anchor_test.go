package guard

import (
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/trail/anchor"
)

// TestChildHasNoAnchorKey: the key of an anchor in S3, where it comes from the
// environment, is not handed to a child.
func TestChildHasNoAnchorKey(t *testing.T) {
	for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(v, "mark-of-ours")
	}
	s := &app.Installation{Config: &config.Config{Anchor: anchor.Config{Places: []anchor.Setting{{S3: "https://s3.example/audit", Region: "x"}}}}}
	list, clean, err := execEnviron(t.Context(), nil, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer clean()
	if all := strings.Join(list, "\n"); strings.Contains(all, "mark-of-ours") {
		t.Error("a child of exec gets the key of our anchor")
	}
}
