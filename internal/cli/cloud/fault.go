package cloud

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// portion is a flag that holds a share: 0.2 or 20%.
type portion struct{ value float64 }

func (p *portion) String() string { return strconv.FormatFloat(p.value, 'g', -1, 64) }
func (p *portion) Type() string   { return "share" }

func (p *portion) Set(s string) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v <= 1) {
		return fmt.Errorf("must be a share like 0.2 or 20%%, above 0 and at most 1")
	}
	p.value = v
	return nil
}

func faultKinds() string {
	var b strings.Builder
	for _, k := range gate.Kinds() {
		fmt.Fprintf(&b, "\n  %-14s %s", k[0], k[1])
	}
	return b.String()
}

func newCloudFault(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	var (
		f      control.Fault
		share  = portion{value: 1}
		output = kit.NewOutput("text", "json")
	)
	cmd := &cobra.Command{
		Use: "fault SERVICE KIND", Short: "Make a service of the running partner cloud fail",
		Long: `fault makes a service fail as production does now and then. Of N requests that it
could hit it hits exactly the share asked for, evenly spread, so that a run can
be repeated.

Services: ` + strings.Join(gate.Services(), ", ") + ", or " + gate.Any + " for all.\n\nKinds:" + faultKinds(),
		Example: `  partnerguard cloud fault graph 429 --share 0.2
  partnerguard cloud fault graph 429-bare --path /v1.0/identity --times 3
  partnerguard cloud fault center lost --method POST --times 1
  partnerguard cloud fault login slow --delay 10s
  partnerguard cloud fault list
  partnerguard cloud fault clear`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return problem.New(problem.Usage, "cloud fault takes a service and a kind, got %d words", len(args)).
				WithHint("e.g. partnerguard cloud fault graph 429 --share 0.2; --help lists the kinds")
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) (words []string, _ cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				words = append(gate.Services(), gate.Any+"\tall services")
			case 1:
				for _, k := range gate.Kinds() {
					words = append(words, k[0]+"\t"+k[1])
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Service, f.Kind, f.Share = strings.ToLower(args[0]), strings.ToLower(args[1]), share.value
			// The gate itself says what is wrong with it, before anything is sent.
			if err := checkFault(f); err != nil {
				return err
			}
			client, err := c.Attach(cmd.Context(), env)
			if err != nil {
				return err
			}
			made, err := client.Inject(cmd.Context(), f)
			if err != nil {
				return err
			}
			return output.Answer(env, made, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintf(w, "%s  %s\npartnerguard cloud fault clear %s ends it\n", made.ID, faultWords(&made), made.ID)
				return err
			})
		},
	}
	fl := cmd.Flags()
	fl.Var(&share, "share", "which share of the requests: 0.2 or 20%")
	fl.IntVar(&f.Times, "times", 0, "end after so many (0 is never)")
	fl.StringVar(&f.Path, "path", "", "only paths that begin so, e.g. /v1.0/users")
	fl.StringVar(&f.Method, "method", "", "only this method")
	fl.StringVar(&f.Delay, "delay", "", "how slow, by how much the clock is off, or from which time on a log is too wide: 3s, 10m, -10m")
	fl.StringVar(&f.RetryAfter, "retry-after", "", "what Retry-After says with 429 and 503: 5s")
	fl.IntVar(&f.Status, "status", 0, "which status, with 5xx")
	_ = cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, cobra.ShellCompDirectiveNoFileComp))
	output.Register(cmd)
	cmd.AddCommand(newCloudFaultList(env, c), newCloudFaultClear(env, c))
	return cmd
}

// checkFault tries a fault on a gate of our own.
func checkFault(f control.Fault) error {
	g, err := f.Gate()
	if err == nil {
		_, err = gate.New(gate.Deps{}).Inject(g)
	}
	return err
}

// faultWords describes a fault in one line.
func faultWords(f *control.Fault) string {
	service := f.Service
	if service == gate.Any {
		service = "all services"
	}
	words := []string{service + " " + f.Kind}
	for _, part := range []struct {
		on   bool
		text string
	}{
		{f.Status != 0, fmt.Sprintf("status %d", f.Status)},
		{f.Share < 1, fmt.Sprintf("share %g", f.Share)},
		{f.Method != "", f.Method},
		{f.Path != "", f.Path + "…"},
		{f.Times > 0, fmt.Sprintf("%d times", f.Times)},
		{f.Delay != "", "by " + f.Delay},
		{f.RetryAfter != "", "Retry-After " + f.RetryAfter},
	} {
		if part.on {
			words = append(words, part.text)
		}
	}
	return print.Clean(strings.Join(words, ", "), 300)
}

func newCloudFaultList(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "List the faults that are on", Args: kit.NoWords,
		Example: "  partnerguard cloud fault list --output json",
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, _ []string) error {
			list, err := client.Faults(ctx)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"faults": print.List(list)}, func(w io.Writer, p kit.Paint) error {
				if len(list) == 0 {
					_, err := fmt.Fprintln(w, "no fault is on")
					return err
				}
				kit.Table(w, p, list,
					kit.Col("id", func(f *control.Fault) string { return f.ID }),
					kit.Col("fault", faultWords),
					kit.Col("hit", func(f *control.Fault) string { return fmt.Sprintf("%d of %d", f.Hits, f.Met) }))
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}

func newCloudFaultClear(env *kit.Env, c *kit.CloudControl) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "clear [ID]", Short: "End one fault, or all",
		Example: "  partnerguard cloud fault clear f1\n  partnerguard cloud fault clear",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "cloud fault clear takes one id at most, got %d", len(args))
			}
			return nil
		},
		RunE: c.Run(env, func(ctx context.Context, client *control.Client, args []string) error {
			id := ""
			if len(args) == 1 {
				id = args[0]
			}
			n, err := client.Clear(ctx, id)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]int{"cleared": n}, func(w io.Writer, _ kit.Paint) error {
				_, err := fmt.Fprintf(w, "%s ended\n", print.Plural(int64(n), "fault"))
				return err
			})
		}),
	}
	output.Register(cmd)
	return cmd
}
