package arch

import (
	"os/exec"
	"strings"
	"testing"
)

// TestJudgeIsLight: the build tag judge is for those who compile to look, and a wrong
// import would quietly bring back what it leaves out.
func TestJudgeIsLight(t *testing.T) {
	t.Parallel()
	deps := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"list", "-deps"}, args...), "../../cmd/partnerguard")...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		return "\n" + string(out)
	}
	whole, judge := deps(), deps("-tags", "judge")
	for _, heavy := range []string{"modernc.org/sqlite", "github.com/jackc/pgx/", "github.com/riverqueue/", "github.com/minio/", "github.com/tink-crypto/",
		"github.com/prometheus/", "go.opentelemetry.io/",
		"github.com/go-webauthn/", "google.golang.org/protobuf/", "partnerguard/internal/partnercloud", "partnerguard/internal/db",
		"partnerguard/internal/vault", "partnerguard/internal/msapi", "github.com/Azure/", "gocloud.dev/", "github.com/aws/"} {
		if !strings.Contains(whole, "\n"+heavy) {
			t.Errorf("nothing imports %s any more: take it out of this list", heavy)
		}
		if strings.Contains(judge, "\n"+heavy) {
			t.Errorf("with the tag judge %s is compiled; partnerguard/internal/cli/judge must not lead there", heavy)
		}
	}
}
