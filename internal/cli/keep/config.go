package keep

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
)

func newConfig(env *kit.Env) *cobra.Command {
	var in kit.Installation
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "config", Short: "Show the settings and where each comes from",
		Long: `config shows every setting of this installation, its value and where it comes
from: a flag, an environment variable, the settings file, or a default. Flags
win over variables, variables over the file.

The file is partnerguard.yaml in the user's configuration folder, or the one
named by --config or PARTNERGUARD_CONFIG. Secrets do not belong in it.

anchors, in the file only, are the places that keep the audit trail's checkpoints:
  anchors:
    - file: /mnt/other-machine/partnerguard.checkpoints
    - syslog: tls://logs.contoso.example:6514
    - mail: smtp://mail.contoso.example:587
      from: partnerguard@contoso.example
      to: [auditors@contoso.example]
    - azureBlob: https://contosoaudit.blob.core.windows.net/checkpoints/guard1
    - s3: https://s3.eu-central-1.amazonaws.com/contoso-audit/guard1
      region: eu-central-1
docs/trail.md tells of all of them, with witnesses and time stamps.`,
		Example: `  partnerguard config
  partnerguard config --config /etc/partnerguard.yaml --output json
  PARTNERGUARD_MASTER_KEY=systemd:partnerguard partnerguard config`,
		Args: kit.NoWords,
		RunE: func(*cobra.Command, []string) error {
			c, err := in.Config(env)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"file": c.File(), "settings": c.Lines()}, func(w io.Writer, p kit.Paint) error {
				file := c.File()
				if file == "" {
					file = "none"
				}
				fmt.Fprintf(w, "Settings file: %s\n\n", print.Clean(file, 300))
				lines := c.Lines()
				type line = struct{ name, value, origin, variable string }
				var rows []line
				for _, l := range lines {
					rows = append(rows, line{l.Name, l.Value, l.Origin, l.Variable})
				}
				kit.Table(w, p, rows,
					kit.Col("setting", func(l *line) string { return l.name }),
					kit.Col("value", func(l *line) string { return l.value }),
					kit.Col("from", func(l *line) string { return l.origin }),
					kit.Col("variable", func(l *line) string { return l.variable }))
				return nil
			})
		},
	}
	in.Register(cmd)
	output.Register(cmd)
	return cmd
}
