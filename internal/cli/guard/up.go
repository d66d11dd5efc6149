package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/assess"
	"partnerguard/internal/assess/render"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/collect"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
)

func newUp(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var once bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "up", Short: "Collect, judge, and keep going: everything in one command", Args: kit.NoWords,
		Long: `up collects what the rule book needs, keeps the raw answers as evidence, judges, and
prints the headline; then it goes on by itself until it is interrupted: it collects
by the schedule, judges after each round, says what changed, and serves what
partnerguard serve serves. Run it again and it goes on where it was.

Where nothing was ever connected it starts a partner cloud inside, a local one with
invented people, and connects to it by a real sign-in with a one-time passcode: so
it runs with nothing but this program. With a real tenant it is the same command,
after partnerguard connect.

The laboratory's data lie apart from a real tenant's, and neither opens the other's.`,
		Example: `  partnerguard up
  partnerguard up --once --output json > first.json
  partnerguard up --config partnerguard.yaml
  partnerguard cloud clock +30d        # in another terminal: what changes in a month`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			u := up{env: env, in: &in, once: once, output: &output, say: newSteps(env)}
			return u.run(cmd.Context())
		},
	}
	in.Register(cmd)
	in.Serving(cmd)
	cmd.Flags().BoolVar(&once, "once", false, "end after the first verdict")
	output.Register(cmd)
	return cmd
}

// up is one run of the command.
type up struct {
	env    *kit.Env
	in     *kit.Installation
	once   bool
	output *kit.Output
	say    *steps
}

func (u *up) run(ctx context.Context) (err error) {
	c, err := u.in.Config(u.env)
	if err != nil {
		return err
	}
	u.in.Works = "up"
	o, err := u.in.Options(ctx, u.env)
	if err != nil {
		return err
	}
	o.Log = slog.New(slog.NewTextHandler(u.env.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if o.Lab == nil && app.WantsInside(ctx, c) {
		inside, done, err := u.inside(ctx, o)
		if err != nil {
			return err
		}
		// What uses the cloud is closed before it.
		defer func() { err = errors.Join(err, done()) }()
		o.Lab = &inside.Lab
	}
	i, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	for _, n := range i.Notes() {
		u.say.note(n)
	}
	return u.work(ctx, i)
}

// inside starts the partner cloud of this installation in this process, so that
// other commands find it as they find any.
func (u *up) inside(ctx context.Context, o app.Options) (*app.Inside, func() error, error) {
	began := u.env.Now()
	path := u.in.Control.Path(u.env)
	// It must outlive the interrupt: what uses it says goodbye first.
	in, err := app.StartInside(context.WithoutCancel(ctx), o.Config, u.env.Now, o.Log)
	if err != nil {
		return nil, nil, err
	}
	release, err := kit.WriteControl(path, in.Info, u.env.Now())
	if err != nil {
		return nil, nil, errors.Join(err, in.Close(context.WithoutCancel(ctx)))
	}
	u.say.done("partner cloud",
		fmt.Sprintf("the local one, not Microsoft: %s, %d customers, invented people", in.Info.Tenant.Domain, len(in.Info.Customers)), began)
	return in, func() error {
		release()
		closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer stop()
		return in.Close(closing)
	}, nil
}

// work connects where that is needed, reads, judges, tells, and goes on.
func (u *up) work(ctx context.Context, i *app.Installation) error {
	if err := i.Alone("up"); err != nil {
		return err
	}
	c, err := u.connection(ctx, i)
	if err != nil {
		return err
	}
	round, err := u.collect(ctx, i)
	if err != nil {
		return err
	}
	began := u.env.Now()
	j, kept, err := i.KeepRound(ctx, c.Tenant)
	if err != nil {
		return err
	}
	u.say.done("judged", fmt.Sprintf("%d requirements, %d accounts", len(j.Report.Requirements), len(j.Report.Accounts)), began)
	if err := u.tell(i, &round, j, &kept); err != nil {
		return err
	}
	if u.once {
		if n := len(j.Report.Failing()); n > 0 {
			return problem.New(problem.Unmet, "%d mandatory requirements are not met or unknown", n)
		}
		return nil
	}
	return u.goOn(ctx, i)
}

func (u *up) connection(ctx context.Context, i *app.Installation) (c sam.Connection, err error) {
	began, fresh := u.env.Now(), false
	if i.Lab() {
		c, fresh, err = i.ConnectLab(ctx)
	} else {
		c, err = i.SAM.Connection(ctx, i.Config.Collect.Connection)
	}
	switch {
	case errors.Is(err, problem.NotFound):
		return c, problem.Wrap(err, problem.NotFound, "no partner is connected yet").
			WithHint("partnerguard connect --feature %s; or, for the local partner cloud: partnerguard up --cloud partner-cloud", strings.Join(features(), ","))
	case err != nil:
		return c, err
	case fresh:
		u.say.done("connected", c.Account+" signed in with password and one-time passcode, and consented", began)
	default:
		u.say.done("connected", c.Account+" at "+c.Domain, began)
	}
	return c, nil
}

func features() (words []string) {
	for _, f := range app.Collecting() {
		words = append(words, string(f))
	}
	return words
}

// collect reads what is due of the partner's own tenant.
func (u *up) collect(ctx context.Context, i *app.Installation) (collect.Round, error) {
	began := u.env.Now()
	t, err := i.Collect.Meet(ctx)
	if err != nil {
		return collect.Round{}, err
	}
	bar := kit.NewCount(u.env, "collecting")
	r, err := i.Collect.Round(ctx, t.ID, collect.Ask{Progress: func(s collect.Step) { bar.Set(int64(s.Done), int64(s.All)) },
		Busy: func(collect.Tenant) { u.say.note("another process reads the tenant; waiting for its end") }})
	bar.Done()
	if err != nil {
		return r, err
	}
	came := fmt.Sprintf("%d lists, %s", len(r.Results), kit.Plural(r.Pages, "page", "pages"))
	if len(r.Results) == 0 {
		came = "nothing is due yet: what was read before is judged"
	}
	u.say.done("collected", came, began)
	for _, x := range r.Results {
		if x.Outcome == collect.Refused || x.Outcome == collect.Failed {
			u.say.note(x.Resource + ": " + string(x.Outcome) + ", " + x.Words)
		}
	}
	return r, nil
}

// told is what up prints for programs.
type told struct {
	Round   collect.Round    `json:"collected"`
	Report  *assess.Report   `json:"report"`
	Changes *posture.Changes `json:"changes"` // null the first time, and where nothing changed
	Places  app.Places       `json:"places"`
}

func (u *up) tell(i *app.Installation, round *collect.Round, j *app.Judged, kept *posture.Kept) error {
	places := i.Places()
	return u.output.Write(u.env, kit.Forms{
		"json": func(w io.Writer) error { return print.JSON(w, told{*round, j.Report, kept.Changes, places}) },
		"text": func(w io.Writer) error {
			fmt.Fprintln(w)
			if err := render.Headline(w, j.Report, u.output.Screen(u.env)); err != nil {
				return err
			}
			fmt.Fprintln(w)
			p := u.output.Paint(u.env)
			tellChanges(w, kept, p)
			fmt.Fprintf(w, "%s\n", p.Bold("Where things lie"))
			for _, l := range places.Lines() {
				fmt.Fprintf(w, "  %-10s %s\n", l[0], print.Clean(l[1], 500))
			}
			return nil
		},
	})
}

// mostTold bounds the causes that are told.
const mostTold = 8

// tellChanges says what differs from what was judged before.
func tellChanges(w io.Writer, kept *posture.Kept, p kit.Paint) {
	switch c := kept.Changes; {
	case kept.First:
		fmt.Fprintf(w, "%s  this is the first judgement; the next one tells what changed\n\n", p.Bold("Changed"))
	case c == nil || len(c.Turned)+len(c.Causes) == 0:
		fmt.Fprintf(w, "%s  nothing since %s\n\n", p.Bold("Changed"), kept.Judged.UTC().Format("2006-01-02 15:04 UTC"))
	default:
		fmt.Fprintf(w, "%s\n", p.Bold("Changed since "+c.From.LastOf.UTC().Format("2006-01-02 15:04 UTC")))
		for _, t := range c.Turned {
			fmt.Fprintf(w, "  %s: %s → %s\n", print.Clean(t.Title, 200), words(t.From), words(t.To))
		}
		for n, x := range c.Causes {
			if n == mostTold {
				fmt.Fprintf(w, "  and %d more: partnerguard changes\n", len(c.Causes)-n)
				break
			}
			fmt.Fprintf(w, "  · %s\n", print.Clean(strings.TrimSpace(x.Text+" "+x.Who), 500))
		}
		fmt.Fprintln(w)
	}
}

func words(verdict string) string { return strings.ReplaceAll(verdict, "_", " ") }

// goOn serves until ctx ends, and tells of each further judgement that changed
// something.
func (u *up) goOn(ctx context.Context, i *app.Installation) error {
	i.OnKept = func(j *app.Judged, kept posture.Kept) {
		if kept.Same || kept.First || kept.Changes == nil {
			return
		}
		_ = kit.Text(u.env, func(w io.Writer) error {
			fmt.Fprintf(w, "\n%s\n", u.env.Now().Format("2006-01-02 15:04:05"))
			tellChanges(w, &kept, u.say.paint)
			return nil
		})(u.env.Stderr)
	}
	i.Anywhere()
	return i.Run(ctx, func(where, link string) {
		fmt.Fprintf(u.env.Stderr, "\npartnerguard serves on %s and goes on collecting. Ctrl-C ends it; run it again and it goes on where it was.\n", where)
		tellDoors(u.env.Stderr, i.GatewayListens())
		tellLink(u.env, link)
	})
}
