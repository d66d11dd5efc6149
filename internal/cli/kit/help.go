package kit

import (
	"fmt"
	"io"
	"regexp"
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
	cobra.AddTemplateFunc("hangFlags", hangFlags)
	cobra.AddTemplateFunc("refill", refill)
}

// hang is a command's line of a list: its name, and its words hung beside it.
func hang(name string, padding int, words string, width int) string {
	lead := padding + 3
	lines := print.Wrap(words, max(width-lead, 20))
	return fmt.Sprintf("%-*s", padding+1, name) + strings.Join(lines, "\n"+strings.Repeat(" ", lead))
}

// widestFlag is the column up to which words stand beside their flag.
const widestFlag = 30

// hangFlags lays out what pflag says of flags, a line each: the flag, and its words
// hung beside it, or below it where it is wide. pflag's own wrapping gives every flag
// the width of the widest one, and the words what is left.
func hangFlags(text string, width int) string {
	var out strings.Builder
	widest := 0
	var list [][2]string
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		at := len(line) - len(strings.TrimLeft(line, " "))
		name, words, _ := strings.Cut(line[at:], "   ")
		name = strings.Repeat(" ", at) + name
		if n := len(name); n <= widestFlag {
			widest = max(widest, n)
		}
		list = append(list, [2]string{name, strings.TrimSpace(words)})
	}
	for _, l := range list {
		name, lead := l[0], widest+3
		for len(name) > width { // a flag with many values breaks between them
			cut := strings.LastIndex(name[:width], "|")
			if cut < 0 {
				break
			}
			fmt.Fprintln(&out, name[:cut+1])
			name = strings.Repeat(" ", 8) + name[cut+1:]
		}
		if len(name) > widest {
			fmt.Fprintln(&out, name)
			name = ""
		}
		for _, words := range print.Wrap(l[1], max(width-lead, 20)) {
			fmt.Fprintln(&out, strings.TrimRight(fmt.Sprintf("%-*s%s", lead, name, words), " "))
			name = ""
		}
	}
	return strings.TrimRight(out.String(), "\n")
}

// wrapHelp makes the help of root and of every command below it width columns wide.
// Examples stay as they are: they are to be copied.
func wrapHelp(env *Env, root *cobra.Command) {
	width := helpWidth(env)
	usage := strings.NewReplacer(
		"{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}", fmt.Sprintf("{{hangFlags .LocalFlags.FlagUsages %d}}", width),
		"{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}", fmt.Sprintf("{{hangFlags .InheritedFlags.FlagUsages %d}}", width),
		`Use "{{.CommandPath}} [command] --help" for more information about a command.`,
		fmt.Sprintf(`{{refill (printf "Use \"%%s [command] --help\" for more information about a command." .CommandPath) %d}}`, width),
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

// listed is a line of a list with two columns.
var listed = regexp.MustCompile(`^( +\S+ {2,})(.*)$`)

// refill breaks the paragraphs of a text anew. Lines that are indented are a list,
// whose words are hung, or a command, and stay.
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
			if m := listed.FindStringSubmatch(line); m != nil && print.Width(line) > width {
				for i, words := range print.Wrap(m[2], max(width-len(m[1]), 20)) {
					if i > 0 {
						m[1] = strings.Repeat(" ", len(m[1]))
					}
					out = append(out, m[1]+words)
				}
				continue
			}
			out = append(out, line)
			continue
		}
		paragraph = append(paragraph, line)
	}
	end()
	return strings.Join(out, "\n")
}
