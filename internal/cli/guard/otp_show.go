package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// looker gives codes, from the agent where one is open, else from the file, which is
// opened once.
func (f *otpFile) looker(ctx context.Context, env *kit.Env) (func(name string) (otp.Shown, error), error) {
	path, err := f.path(env)
	if err != nil {
		return nil, err
	}
	agent := func(name string) (otp.Shown, error) { return otp.AskAgent(ctx, otp.Socket(env.Getenv), path, name) }
	if _, err := agent(""); err == nil {
		return agent, nil
	}
	s, err := f.store(env)
	if err != nil {
		return nil, err
	}
	b, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	return func(name string) (otp.Shown, error) { return b.Show(name, env.Now()) }, nil
}

func newOTPShow(env *kit.Env, f *otpFile) *cobra.Command {
	var copies, once bool
	var view time.Duration
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Show codes, with the time they have left",
		Args: kit.Between(0, 1, problem.New(problem.Usage, "otp show takes one name, or none for all").WithHint("partnerguard otp list shows them")),
		Long: `show shows, on a terminal, the codes with the time that each has left and the one after
it, until you press Ctrl-C or --for is over; the screen is as it was before, then. A part
of a name is enough. Where the output is no terminal it is the code alone, of one name.

--copy puts the code into the clipboard (wl-copy, xclip, pbcopy, or the terminal's own),
and takes it out again after 20 seconds.`,
		Example: `  partnerguard otp show
  partnerguard otp show contoso --copy
  partnerguard otp show contoso --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if view < time.Second || view > time.Hour {
				return problem.New(problem.Usage, "--for is between a second and an hour, not %s", view)
			}
			look, err := f.looker(cmd.Context(), env)
			if err != nil {
				return err
			}
			name := strings.Join(args, "")
			shown, err := look(name)
			if err != nil {
				return err
			}
			if len(shown.Codes) == 0 {
				return problem.New(problem.NotFound, "there is no one-time password").WithHint("partnerguard otp add takes one")
			}
			_, tty := kit.Terminal(env.Stdout)
			if !copies && tty && !once && output.Value == "text" && output.File == "" && env.Getenv("TERM") != "dumb" {
				return watchCodes(cmd.Context(), env, view, func() (otp.Shown, error) { return look(name) })
			}
			if len(shown.Codes) > 1 && (copies || !tty && output.Value == "text") {
				return problem.New(problem.Usage, "there are %d one-time passwords: say which", len(shown.Codes)).WithHint("partnerguard otp list shows them")
			}
			if copies {
				return copyCode(cmd.Context(), env, shown.Codes[0])
			}
			return tellCodes(env, &output, shown, tty)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&copies, "copy", false, "put the code into the clipboard for 20 seconds")
	fl.BoolVar(&once, "once", false, "print once, and do not stay")
	fl.DurationVar(&view, "for", 2*time.Minute, "how long the view stays open")
	cmd.MarkFlagsMutuallyExclusive("copy", "once")
	output.Register(cmd)
	return cmd
}

type otpCodeRow struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Code     string  `json:"code"`
	ValidFor int     `json:"validFor"` // seconds
	Next     string  `json:"next"`
	Offset   float64 `json:"clockOffset"` // seconds added to the machine's clock
}

func tellCodes(env *kit.Env, output *kit.Output, s otp.Shown, tty bool) error {
	rows := []otpCodeRow{}
	for _, c := range s.Codes {
		rows = append(rows, otpCodeRow{c.ID, c.Name, c.Code.Reveal(), seconds(c.Left), c.Next.Reveal(), s.Offset.Seconds()})
	}
	return output.Answer(env, map[string]any{"codes": rows}, func(w io.Writer, p kit.Paint) error {
		if !tty {
			fmt.Fprintln(w, rows[0].Code)
			return nil
		}
		for _, line := range codeLines(s, p, kit.Width(env)) {
			fmt.Fprintln(w, line)
		}
		return nil
	})
}

// codeLines lay codes out for a terminal of a width.
func codeLines(s otp.Shown, p kit.Paint, width int) (lines []string) {
	wide := 4
	for _, c := range s.Codes {
		wide = max(wide, print.Width(print.Clean(c.Name, 60)))
	}
	wide = min(wide, max(width-34, 8))
	for _, c := range s.Codes {
		name := print.Clean(c.Name, 60)
		for r := []rune(name); print.Width(name) > wide && len(r) > 1; {
			r = r[:len(r)-1]
			name = string(r) + "…"
		}
		const bar = 10
		full := 0
		if c.Period > 0 {
			full = min(int(c.Left*bar/c.Period)+1, bar)
		}
		left := seconds(c.Left)
		line := name + strings.Repeat(" ", max(wide-print.Width(name), 0)) + "  " + p.Bold(fmt.Sprintf("%-9s", grouped(c.Code.Reveal()))) + " " +
			strings.Repeat("▮", full) + strings.Repeat("▯", bar-full) + fmt.Sprintf(" %3d s", left)
		if width >= wide+48 {
			line += p.Dim("  then " + grouped(c.Next.Reveal()))
		}
		lines = append(lines, line)
	}
	if s.Offset != 0 {
		lines = append(lines, "", p.Dim("The clock of this machine is corrected by "+signed(s.Offset)+"."))
	}
	return lines
}

func signed(d time.Duration) string {
	if d > 0 {
		return "+" + d.String()
	}
	return d.String()
}

// watchCodes draws the codes each second on a screen of its own, which leaves nothing
// behind in the terminal's history.
func watchCodes(ctx context.Context, env *kit.Env, view time.Duration, look func() (otp.Shown, error)) error {
	p := kit.NewPaint(env)
	over, stop := context.WithTimeout(ctx, view)
	defer stop()
	fmt.Fprint(env.Stdout, "\x1b[?1049h\x1b[?25l")
	defer fmt.Fprint(env.Stdout, "\x1b[?25h\x1b[?1049l")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	ends := time.Now().Add(view)
	for {
		s, err := look()
		if err != nil {
			if errors.Is(err, problem.Unavailable) || errors.Is(err, problem.Unauthenticated) {
				return problem.New(problem.Unauthenticated, "it was locked meanwhile").WithHint("partnerguard otp show asks for the passphrase")
			}
			return err
		}
		lines := codeLines(s, p, kit.Width(env))
		lines = append(lines, "", p.Dim(fmt.Sprintf("Ctrl-C ends; by itself in %d s.", seconds(time.Until(ends))+1)))
		_ = kit.Text(env, func(w io.Writer) error {
			_, err := io.WriteString(w, "\x1b[H\x1b[2J"+strings.Join(lines, "\r\n")+"\r\n")
			return err
		})(env.Stdout)
		select {
		case <-over.Done():
			return nil // Ctrl-C is how it is meant to end
		case <-tick.C:
		}
	}
}
