package kit

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
)

// What is offered goes on as begun, is not given yet, and does nothing to a terminal
// or to a shell's script, whatever an installation keeps.
func TestOnlyWordsAreOffered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := &Env{Now: time.Now, Getenv: func(name string) string {
		return map[string]string{"HOME": dir, "XDG_RUNTIME_DIR": dir}[name]
	}}
	args := []string{"--data", filepath.Join(dir, "data"), "--cloud", "public"}
	var in Installation
	cmd := &cobra.Command{Use: "x"}
	in.Register(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	i, err := in.Open(t.Context(), &Env{Now: time.Now, Getenv: env.Getenv, Stderr: io.Discard})
	if err == nil {
		err = i.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	hostile := []string{"beta", "alpha", "alpha", "Alarm", "al\x1b[31mred", "al\tpha", "al\nb", "al\u202eb", "_activeHelp_ al", "al\xff", "given"}
	in.Complete(env, cmd, map[string]Words{"x": func(context.Context, *app.Installation) ([]string, error) { return slices.Clone(hostile), nil }})
	for begun, want := range map[string][]string{"al": {"Alarm", "alpha"}, "": {"Alarm", "alpha", "beta"}, "z": {}} {
		if got, _ := cmd.ValidArgsFunction(cmd, []string{"given"}, begun); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", begun, got, want)
		}
	}
}
