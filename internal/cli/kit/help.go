package kit

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"partnerguard/internal/print"
)

// The help of a command is as wide as the terminal, within what reads well, and 80
// columns where there is no terminal.
const (
	helpLeast, helpMost = 40, 100
	helpElse            = 80
)

func helpWidth(env *Env) int {
	if f, tty := Terminal(env.Stdout); tty {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return min(max(w, helpLeast), helpMost)
		}
	}
	return helpElse
}

func init() {
	// cobra keeps the functions of all templates in one map of the process.
	cobra.AddTemplateFunc("hang", hang)
}

// hang is a command's line of a list: its name, and its words hung beside it.
func hang(name string, padding int, words string, width int) string {
	lead := padding + 3
	lines := print.Wrap(words, max(width-lead, 20))
	return fmt.Sprintf("%-*s", padding+1, name) + strings.Join(lines, "\n"+strings.Repeat(" ", lead))
}

// wrapHelp makes the help of root and of every command below it width columns wide.
// Examples stay as they are: they are to be copied.
func wrapHelp(env *Env, root *cobra.Command) {
	width := helpWidth(env)
	usage := strings.NewReplacer(
		".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", width),
		"{{rpad .Name .NamePadding }} {{.Short}}", fmt.Sprintf("{{hang .Name .NamePadding .Short %d}}", width),
		"{{rpad .CommandPath .CommandPathPadding}} {{.Short}}", fmt.Sprintf("{{hang .CommandPath .CommandPathPadding .Short %d}}", width),
	).Replace(root.UsageTemplate())
	root.SetUsageTemplate(usage)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_ = Text(env, func(w io.Writer) error {
			text := cmd.Long
			if text == "" {
				text = cmd.Short
			}
			if text = strings.TrimSpace(text); text != "" {
				fmt.Fprintf(w, "%s\n\n", refill(text, width))
			}
			_, err := io.WriteString(w, cmd.UsageString())
			return err
		})(env.Stdout) // nobody is left to be told that it failed
	})
}

// refill breaks the paragraphs of a text anew. Lines that are indented are a list
// or a command, and stay.
func refill(text string, width int) string {
	var out, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			out = append(out, print.Wrap(strings.Join(paragraph, " "), width)...)
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" || strings.HasPrefix(line, " ") {
			end()
			out = append(out, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	end()
	return strings.Join(out, "\n")
}
