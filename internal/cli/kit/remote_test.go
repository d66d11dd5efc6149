//go:build !judge

package kit

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// remotely runs a command line with commands that can be asked of a server and one that
// cannot.
func remotely(t *testing.T, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := Env{Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string {
		return map[string]string{TokenVar: "pg_env", "LC_ALL": "C.UTF-8"}[name]
	}}
	code = Main(t.Context(), env, func(env *Env) *cobra.Command {
		root := &cobra.Command{Use: "partnerguard"}
		local := func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), "local\n")
			return err
		}
		output := NewOutput("text", "json", "csv", "jsonl")
		gaps := &cobra.Command{Use: "gaps", RunE: local, Example: "  partnerguard gaps"}
		output.RegisterFile(gaps)
		gaps.Flags().String("tenant", "", "")
		gaps.Flags().String("as-of", "", "")
		root.AddCommand(gaps, &cobra.Command{Use: "up", RunE: local})
		Remotely(env, root, map[string]Remote{"gaps": {Page: "collection/gaps", Flags: map[string]string{"tenant": "tenant"}, Finds: true}})
		return root
	})
	return code, stdout.String(), stderr.String()
}

func TestRemotely(t *testing.T) {
	t.Parallel()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization")+" "+r.URL.Path+" "+r.URL.Query().Get("tenant"))
		if strings.HasSuffix(r.URL.Path, ".csv") {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			_, _ = io.WriteString(w, "list,lastTried\r\nusers,\"=1+1\"\r\n")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[{"list":"users"}],"page":{"number":1,"pages":1,"matched":1,"total":1},
			"facts":[{"what":"Users","at":null,"decides":true,"state":"stale"}],"notices":[{"level":"bad","text":"Graph refuses\u001b[31m"}],
			"asOf":"2026-11-20T06:11:00Z"}`)
	}))
	defer s.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("pg_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args      []string
		code      int
		out, said string
	}{
		{[]string{"gaps"}, 0, "local", ""},
		{[]string{"gaps", "--server", s.URL, "--token-file", token, "--tenant", "fabrikam.example"}, 3, "last tried", ""},
		{[]string{"gaps", "--server", s.URL, "--tenant", "partner"}, 3, "! Graph refuses\n", ""},
		{[]string{"gaps", "--server", s.URL}, 3, "! Users: stale", ""},
		{[]string{"gaps", "--server", s.URL, "--output", "json"}, 3, `"list": "users"`, ""},
		{[]string{"gaps", "--server", s.URL, "--output", "csv"}, 3, "'=1+1", ""},
		{[]string{"gaps", "--server", s.URL, "--output", "jsonl"}, 2, "", "not printed as jsonl"},
		{[]string{"gaps", "--server", s.URL, "--as-of", "2026-01-01"}, 2, "", "--as-of is not asked of a server"},
		{[]string{"gaps", "--token-file", token}, 2, "", "go with --server"},
		{[]string{"up", "--server", s.URL}, 2, "", "this machine's data alone"},
		{[]string{"up"}, 0, "local", ""},
		{[]string{"gaps", "--server", "http://guard.example"}, 2, "", "https://"},
		{[]string{"gaps", "--help"}, 0, "--server https://", ""},
	} {
		code, out, said := remotely(t, c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(said, c.said) || strings.Contains(out+said, "\x1b") ||
			strings.Contains(out+said, "pg_") {
			t.Errorf("%q: %d\n%s\n%s", c.args, code, out, said)
		}
	}
	if got := strings.Join(asked[:4], "\n"); got != `Bearer pg_file /api/v1/collection/gaps fabrikam.example
Bearer pg_file /collection/gaps.csv fabrikam.example
Bearer pg_env /api/v1/collection/gaps 
Bearer pg_env /collection/gaps.csv ` {
		t.Error(got)
	}
}
