package keep

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/checkup"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
)

func newDoctor(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var offline bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look at the installation: clock, certificates, rights, network, disk, queue, database, trail, backups", Args: kit.NoWords,
		Long: `doctor looks at this installation and says what is not well, the worst first, each
with what mends it: the clock against Microsoft's and the database's, certificates
that end, files that others may read, connections and what they may, the way to each
of Microsoft's addresses with name, TLS and proxy, the disk, dead and waiting jobs,
the database, the trail's anchors, the last backup, and where the master key is.

It changes nothing, asks no secret and may run beside serve. With --offline nobody is
asked over the network. What could not be looked at is unknown, not well.

Exit code 1 says that something is bad; a warning alone ends with 0.`,
		Example: `  partnerguard doctor
  partnerguard doctor --offline
  partnerguard doctor --output json | jq '.findings[] | select(.level != "well")'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := in.Options(cmd.Context(), env)
			if err != nil {
				return err
			}
			bar := kit.NewCount(env, "looking")
			r, err := app.CheckUp(cmd.Context(), o, offline, bar.Set)
			bar.Done()
			if err != nil {
				return err
			}
			if err := output.Answer(env, r, func(w io.Writer, p kit.Paint) error { return doctorText(w, r, p) }); err != nil {
				return err
			}
			return r.Err()
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody over the network")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

// marks are what a line begins with.
var marks = map[checkup.Level]string{checkup.Bad: "bad", checkup.Warning: "warning", checkup.Unknown: "unknown", checkup.Well: "well"}

func doctorText(w io.Writer, r *checkup.Result, p kit.Paint) error {
	head := "All is well."
	switch parts := []string{}; {
	case r.Bad+r.Warnings+r.Unknown > 0:
		for _, c := range []struct {
			n    int
			what string
		}{{r.Bad, "bad"}, {r.Warnings, "to be looked at"}, {r.Unknown, "not known"}} {
			if c.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
			}
		}
		head = strings.Join(parts, ", ") + "."
	}
	fmt.Fprintf(w, "%s\n\n", p.Bold(head))
	width := 0
	for _, f := range r.Findings {
		width = max(width, print.Width(f.About))
	}
	for _, f := range r.Findings {
		mark := fmt.Sprintf("%-8s", marks[f.Level])
		if f.Level == checkup.Bad {
			mark = p.Bold(mark)
		}
		indent := 2 + 8 + 1 + width + 2
		lines := print.Wrap(print.Clean(f.Text, 600), max(p.Width-indent, 40))
		if p.Width == 0 {
			lines = []string{print.Clean(f.Text, 600)}
		}
		for i, l := range lines {
			if i > 0 {
				fmt.Fprintf(w, "%*s%s\n", indent, "", l)
				continue
			}
			fmt.Fprintf(w, "  %s %-*s  %s\n", mark, width, f.About, l)
		}
		if f.Fix != "" { // to be copied: never wrapped
			fmt.Fprintf(w, "%*s%s\n", indent, "", p.Dim("fix: ")+print.Clean(f.Fix, 600))
		}
	}
	return nil
}
