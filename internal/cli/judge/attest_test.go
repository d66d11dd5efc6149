package judge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/vouch"
)

// TestAttestThroughALink: a link stays one, what it leads to is added to with its
// remarks, and one that leads nowhere is refused.
func TestAttestThroughALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link, dead := filepath.Join(dir, "kept.yaml"), filepath.Join(dir, "link.yaml"), filepath.Join(dir, "dead.yaml")
	if err := os.WriteFile(file, []byte("# ours\nattestations: []\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	for at, to := range map[string]string{link: "kept.yaml", dead: "nowhere.yaml"} {
		if err := os.Symlink(to, at); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip("SKIPPED, NOTHING WAS TESTED: no symbolic links here: ", err)
		}
	}
	s := vouch.Statement{Kind: vouch.Attestation, Requirement: "app-passwords", Who: "Ada", Since: "2026-11-01", Until: "2027-04-30",
		Reason: "no export shows it"}
	if err := addStatement(&kit.Env{}, link, s); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(raw), "who: Ada") || !strings.HasPrefix(string(raw), "# ours\n") {
		t.Errorf("%v\n%s", err, raw)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is one no more: %v", err)
	}
	if err := addStatement(&kit.Env{}, dead, s); err == nil || !strings.Contains(err.Error(), "leads nowhere") {
		t.Error(err)
	}
}
