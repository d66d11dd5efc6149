package fold

import (
	"os"
	"os/exec"
	"testing"

	"partnerguard/internal/jsonscan"
)

// The reports are those of encoding/json whatever the processor can do: what holds the
// pipeline to it runs again with each lower level of instructions.
func TestEveryLevel(t *testing.T) {
	const name = "PARTNERGUARD_TEST_LEVEL"
	if want := os.Getenv(name); want != "" {
		if got := jsonscan.Level(); got != want {
			t.Fatalf("level %s, want %s", got, want)
		}
		return
	}
	t.Parallel()
	t.Logf("this machine: %s", jsonscan.Level())
	lower := map[string]string{"avx2": "cpu.avx512vbmi2=off,cpu.avx512bw=off", "portable": "cpu.avx2=off"}
	switch jsonscan.Level() {
	case "portable":
		return // nothing lower
	case "avx2":
		delete(lower, "avx2")
	}
	for level, debug := range lower {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "TestEveryLevel|TestPipeline|TestFoldEquals|TestReadLines", "-test.short")
		cmd.Env = append(os.Environ(), "GODEBUG="+debug, name+"="+level)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", level, err, out)
		}
	}
}
