package guard

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy/run"
)

// tellRemedy shows how runs of plans stand.
func tellRemedy(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, id string, asked bool) error {
	list, err := s.Remedy.Status(cmd.Context(), id)
	if err != nil {
		return err
	}
	said := map[string]any{"runs": print.List(list)}
	var acts []run.Act
	for i := range list {
		if !asked {
			break
		}
		more, err := s.Remedy.History(cmd.Context(), list[i].ID)
		if err != nil {
			return err
		}
		acts = append(acts, more...)
	}
	if asked {
		said["asked"] = print.List(acts)
	}
	err = output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		if len(list) == 0 {
			fmt.Fprintln(w, "No plan was applied. partnerguard remedy list shows what would meet what is not met.")
		}
		for i := range list {
			if i > 0 {
				fmt.Fprintln(w)
			}
			writeRun(w, p, &list[i], id != "")
		}
		if asked {
			fmt.Fprintln(w)
			kit.Table(w, p, acts,
				kit.Col("asked", func(a *run.Act) string { return a.Asked.UTC().Format(time.DateTime) }),
				kit.Col("what", func(a *run.Act) string { return a.What }),
				kit.Col("answer", func(a *run.Act) string { return cmp.Or(a.Result, "not known") }),
				kit.Col("words", func(a *run.Act) string { return a.Words }))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return notBack(list)
}

// notBack says of runs that were taken back what was not, with the exit code of what is not met.
func notBack(list []run.Status) error {
	var names []string
	id, settle := "", ""
	for i := range list {
		for _, l := range list[i].Left {
			names = append(names, l.Name)
			if id == "" {
				id, settle = list[i].ID, l.Settle
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	const most = 5
	words := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	return problem.New(problem.Unmet, "%s not taken back: %s", kit.Plural(len(names), "object was", "objects were"), print.Clean(words, print.MaxSaying)).
		WithHint("%s", cmp.Or(settle, "partnerguard remedy status "+id))
}

func writeRun(w io.Writer, p kit.Paint, s *run.Status, whole bool) {
	fmt.Fprintf(w, "%s: %s", s.ID, s.State)
	if s.Stage != "" {
		fmt.Fprintf(w, ", stage %s", s.Stage)
	}
	fmt.Fprintf(w, "; %s in %s\n", print.Clean(s.Goal, print.MaxName), print.Clean(cmp.Or(s.Name, s.Tenant), print.MaxName))
	fmt.Fprintf(w, "  Next: %s\n", print.Clean(s.Next, print.MaxSaying))
	fmt.Fprintf(w, "  applied %s by %s", s.Applied.UTC().Format(time.DateTime), print.Clean(s.Actor, 60))
	if a := s.Approved; a != nil {
		fmt.Fprintf(w, "; approved %s by %s", a.At.UTC().Format(time.DateTime), print.Clean(a.Actor, 60))
	}
	fmt.Fprintln(w)
	if !whole {
		return
	}
	for i := range s.Past {
		x := &s.Past[i]
		words := "being done"
		switch {
		case !x.Ended.IsZero():
			words = "passed " + x.Ended.UTC().Format(time.DateTime)
		case !x.Done.IsZero():
			words = "done " + x.Done.UTC().Format(time.DateTime) + ", watched"
		}
		fmt.Fprintf(w, "  stage %s: begun %s, %s", x.Stage, x.Began.UTC().Format(time.DateTime), words)
		if x.Evidence != "" {
			fmt.Fprintf(w, "; %s", print.Clean(x.Evidence, print.MaxSaying))
		}
		fmt.Fprintln(w)
	}
	for _, a := range s.Proof {
		fmt.Fprintf(w, "  proof of %s: %s → %s\n", a.Question, a.Before, a.After)
	}
	if g := s.Shut; g != nil {
		fmt.Fprintf(w, "  the gate of stage %s is shut:\n", g.Stage)
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() {
				writeFinding(w, f, "partnerguard remedy approve "+s.ID+" --accept "+f.ID+" --why TEXT")
			}
		}
	}
	for i := range s.Left {
		l := &s.Left[i]
		fmt.Fprintf(w, "  not taken back: %s %s: %s\n      → %s\n", l.Kind, l.Name, print.Clean(l.Why, print.MaxSaying), print.Clean(l.Settle, print.MaxSaying))
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		fmt.Fprintf(w, "  surprise %s: %s fails with %s by %s, %s\n", f.ID, print.Clean(cmp.Or(f.Effect.Name, f.Effect.Account), print.MaxName),
			print.Clean(f.Effect.App, print.MaxName), print.Clean(f.Effect.Client, print.MaxName), print.Plural(f.Effect.Count, "times"))
	}
	writeYes(w, s)
	if len(s.Steps) == 0 {
		return
	}
	fmt.Fprintln(w)
	kit.Table(w, p, s.Steps,
		kit.Col("step", func(x *run.Progress) string { return strconv.Itoa(x.Seq) }),
		kit.Col("stage", func(x *run.Progress) string { return string(x.Stage) }),
		kit.Col("what", func(x *run.Progress) string { return x.Step.Text }),
		kit.Col("state", func(x *run.Progress) string { return string(x.State) }),
		kit.Col("since", func(x *run.Progress) string { return x.Since.UTC().Format(time.DateTime) }),
		kit.Col("words", func(x *run.Progress) string { return cmp.Or(x.Refused, x.Words) }))
}

// writeYes says who took what upon themselves, and whose yes is missing.
func writeYes(w io.Writer, s *run.Status) {
	for i := range s.Accepted {
		y := &s.Accepted[i]
		who := print.Clean(y.By, 60)
		switch {
		case y.Second != "":
			who += " and " + print.Clean(y.Second, 60)
		case slices.ContainsFunc(s.Seconds, func(o run.Yes) bool { return o.Finding == y.Finding }):
			who += " alone, and waits for a second person"
		}
		fmt.Fprintf(w, "  %s is accepted until %s by %s: %s\n", y.Finding, y.Until.UTC().Format(time.DateOnly), who, print.Clean(y.Why, print.MaxSaying))
	}
}

func newRemedyDrift(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "drift [RUN]", Short: "Read again what plans changed, and say what is no longer so and by whom",
		Long: `drift reads every object that plans left behind, at this moment, and compares it with what was
left, and names what was not taken back of plans that were. Exit code 3 says that something is
no longer so, was not taken back, or could not be read.`,
		Example: "  partnerguard remedy drift\n  partnerguard remedy drift rr-0123456789ab-1 --output json",
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "drift takes one run, or none")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				id := ""
				if len(args) > 0 {
					r, err := s.Remedy.Find(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					id = r.ID
				}
				list, err := s.Remedy.Drift(cmd.Context(), id)
				if err != nil {
					return err
				}
				return tellDrift(env, &output, list)
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func tellDrift(env *kit.Env, output *kit.Output, list []run.Drift) error {
	away, unread, left, nameless := 0, 0, 0, false
	for i := range list {
		if list[i].Away() {
			away++
			nameless = nameless || list[i].By == ""
		}
		if list[i].State == run.NotBack {
			left++
		}
		if list[i].State == run.Unread {
			unread++
		}
	}
	said := map[string]any{"objects": print.List(list), "drifted": away, "unread": unread, "notTakenBack": left}
	err := output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		if len(list) == 0 {
			fmt.Fprintln(w, "No plan left anything behind.")
			return nil
		}
		fmt.Fprintf(w, "%d of %s no longer as plans left them, %d could not be read.\n", away, kit.Plural(len(list), "object is", "objects are"), unread)
		if left > 0 {
			fmt.Fprintf(w, "%s not taken back of plans that were.\n", kit.Plural(left, "object was", "objects were"))
		}
		if nameless {
			fmt.Fprintln(w, "Where nobody is named, who changed it is not in the directory's log as far as it was read: partnerguard collect --now reads on")
		}
		fmt.Fprintln(w)
		kit.Table(w, p, list,
			kit.Col("object", func(d *run.Drift) string { return string(d.Kind) + " " + cmp.Or(d.Name, d.ID) }),
			kit.Col("state", func(d *run.Drift) string { return string(d.State) }),
			kit.Col("by", func(d *run.Drift) string { return d.By }),
			kit.Col("words", func(d *run.Drift) string { return strings.Join(d.Words, "; ") }),
			kit.Col("run", func(d *run.Drift) string { return d.Run }))
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case left > 0 && away+unread == 0:
		err = problem.New(problem.Unmet, "%s not taken back of plans that were", kit.Plural(left, "object was", "objects were")).
			WithHint("the words of each say what to do; partnerguard remedy status RUN has them too")
	case away+unread > 0:
		err = problem.New(problem.Unmet, "%s no longer as plans left them, and %d could not be read", kit.Plural(away, "object is", "objects are"), unread).
			WithHint("apply a new plan, or have it changed back; partnerguard remedy status shows the runs")
	}
	return err
}
