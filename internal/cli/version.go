package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

func newVersion(env *kit.Env) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version", Args: kit.NoWords,
		Example: "  partnerguard version --output json",
		RunE: func(*cobra.Command, []string) error {
			b := app.Program()
			if output.Value == "json" {
				enc := json.NewEncoder(env.Stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(b)
			}
			_, err := fmt.Fprintf(env.Stdout, "partnerguard %s %s %s\n", b, b.Go, b.Platform)
			return err
		},
	}
	output.Register(cmd)
	return cmd
}
