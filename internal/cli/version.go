package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// build says which build this is, from what the Go toolchain recorded.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion(env *kit.Env) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: kit.NoWords,
		Example: "  partnerguard version --output json",
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			if output.Value == "json" {
				enc := json.NewEncoder(env.Stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(b)
			}
			fmt.Fprintf(env.Stdout, "partnerguard %s", b.Version)
			if b.Revision != "" {
				fmt.Fprintf(env.Stdout, " (%.12s)", b.Revision)
			}
			_, err := fmt.Fprintf(env.Stdout, " %s %s\n", b.Go, b.Platform)
			return err
		},
	}
	output.Register(cmd)
	return cmd
}
