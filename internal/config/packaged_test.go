package config_test

import (
	"os"
	"strings"
	"testing"

	"partnerguard/internal/config"
)

// TestPackagedFileNamesEverySetting: who installs the package finds each setting,
// commented out, in the file that is laid down.
func TestPackagedFileNamesEverySetting(t *testing.T) {
	t.Parallel()
	const path = "../../packaging/partnerguard.yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		if !strings.Contains(string(text), "\n"+s.Name+": ") && !strings.Contains(string(text), "\n#"+s.Name+": ") {
			t.Errorf("packaging/partnerguard.yaml does not name the setting %s", s.Name)
		}
	}
}
