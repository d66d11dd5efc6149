package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
)

func newConnectStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	var live bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status", Short: "Show every connection: healthy, dying when and why, or dead and how to heal it", Args: kit.NoWords,
		Long: `status shows how each connection stands: healthy, works but not everything that
could end it is known, dying on a date because of a setting, or dead because
Entra ID refused it, with the one command that heals it.

It reads what the last renewal and forecast found. With --live it asks Entra ID
now, for every connection, and reads the settings again.

A connection whose row in the database was written by something else, or is older
than the audit trail knows, is held back: nothing is asked with its token until
you say that it is right (partnerguard connect accept).

Exit code 3 says that a connection is dead or held back.`,
		Example: "  partnerguard connect status\n  partnerguard connect status --live\n  partnerguard connect status --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			r, err := s.SAM.Renewer()
			if err != nil {
				return err
			}
			if live {
				if err := renewAll(ctx, env, s, r); err != nil {
					return err
				}
			}
			rows, err := r.Status(ctx, sam.Heal)
			if err != nil {
				return err
			}
			if err := output.Answer(env, map[string]any{"connections": print.List(rows), "asOf": s.Now().UTC()}, func(w io.Writer, _ kit.Paint) error {
				statusText(w, env, rows, s.Now())
				return nil
			}); err != nil {
				return err
			}
			if err := alive(rows); err != nil {
				return err
			}
			switch {
			case len(rows) == 0:
				kit.Next(env, "partnerguard connect")
			default:
				kit.Next(env, "partnerguard exec --customer DOMAIN -- COMMAND")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask Entra ID now")
	output.Register(cmd)
	return cmd
}

// alive is the verdict over connections: an error of kind [problem.Unmet] where one is
// dead or held back.
func alive(rows []renew.StatusRow) error {
	dead, held := 0, 0
	for _, r := range rows {
		switch r.Health {
		case renew.Dead:
			dead++
		case renew.Stopped:
			held++
		}
	}
	if held > 0 {
		return problem.New(problem.Unmet, "%s held back", kit.Plural(held, "connection is", "connections are")).
			WithHint("find out who wrote into the database; partnerguard trail list --action 'connection.*'")
	}
	if dead > 0 {
		return problem.New(problem.Unmet, "%s dead", kit.Plural(dead, "connection is", "connections are")).
			WithHint("partnerguard connect status says why, and the command that heals it")
	}
	return nil
}

// renewAll renews every connection.
func renewAll(ctx context.Context, env *kit.Env, s *app.Installation, r *renew.Renewer) error {
	names, err := allConnections(ctx, s)
	if err != nil {
		return err
	}
	bar := kit.NewCount(env, "renewing")
	defer bar.Done()
	for i, name := range names {
		if _, err := r.Once(ctx, name); err != nil {
			return err
		}
		bar.Found(i+1, len(names), true)
	}
	return nil
}

func statusText(w io.Writer, env *kit.Env, rows []renew.StatusRow, now time.Time) {
	p := kit.NewPaint(env)
	if len(rows) == 0 {
		fmt.Fprintln(w, "No connection yet: partnerguard connect makes one.")
		return
	}
	wide := kit.Width(env)
	for i, r := range rows {
		if i > 0 {
			fmt.Fprintln(w)
		}
		c := &r.Connection
		mark, code := "✓", "32"
		switch r.Health {
		case renew.Dead, renew.Stopped:
			mark, code = "✗", "31"
		case renew.Dying:
			mark, code = "!", "33"
		case renew.Unsure:
			mark, code = "?", "33"
		}
		fmt.Fprintf(w, "%s %s  %s\n", p.Wrap(code, mark), p.Bold(print.Clean(c.Name, 100)), p.Wrap(code, string(r.Health)))
		say := func(label, text string) {
			if text == "" {
				return
			}
			lines := kit.Wrap(print.Clean(text, 2000), max(wide-14, 40))
			for j, l := range lines {
				head := ""
				if j == 0 {
					head = label
				}
				fmt.Fprintf(w, "    %-9s %s\n", head, l)
			}
		}
		say("id", c.ID)
		say("account", c.Account)
		if r.Health == renew.Dead || r.Health == renew.Dying || r.Health == renew.Stopped {
			say("", r.Words())
		} else if !r.At.IsZero() {
			say("ends", kit.Until(r.At, now)+" at the earliest unless renewed: "+r.Because)
		}
		if r.Health != renew.Dead && r.Health != renew.Stopped {
			say("renews", kit.Until(c.RenewAfter, now))
		}
		say("MFA", print.Clean(string(c.Proof.Answer), 60))
		say("note", r.Note)
		for _, u := range r.Unknown {
			say("unknown", u)
		}
		if r.Health != renew.Healthy {
			say("do", r.Fix)
		}
		if r.Heal != "" { // to be copied: never wrapped
			fmt.Fprintf(w, "    %-9s %s\n", "heal", print.Clean(r.Heal, 500))
		}
	}
}

// allConnections are the ids of every connection.
func allConnections(ctx context.Context, s *app.Installation) (ids []string, err error) {
	list, err := s.SAM.Store.List(ctx)
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids, err
}

type renewal struct {
	Name    string        `json:"name"`
	Outcome renew.Outcome `json:"outcome"`
	Next    time.Time     `json:"next"`
	Words   string        `json:"words,omitempty"`
}

// renewals are what came of renewing, and how many were refused.
type renewals struct {
	rows        []renewal
	bad, failed int
	seen        map[string]bool // ids of connections
	now         time.Time
}

func (k *renewals) add(res renew.Result) {
	x := renewal{res.Connection.Name, res.Outcome, res.Connection.RenewAfter, res.Note}
	if t := res.Connection.Trouble; t != nil && res.Outcome != renew.Renewed {
		x.Words = t.Words
	}
	switch res.Outcome {
	case renew.Rejected, renew.Damaged, renew.Held:
		k.bad++
	case renew.Failed: // what failed may pass, unless the connection was refused before
		if renew.Judge(res.Connection, k.now).Health == renew.Dead {
			k.bad++
		} else {
			k.failed++
		}
	}
	k.seen[res.Connection.ID] = true
	k.rows = append(k.rows, x)
}

// renew renews the connections named, and goes on past what it cannot.
func (k *renewals) renew(ctx context.Context, r *renew.Renewer, names []string) (err error) {
	for _, n := range names {
		res, rerr := r.Once(ctx, n)
		if rerr != nil {
			err = errors.Join(err, rerr)
			continue
		}
		k.add(res)
	}
	return err
}

func newConnectRenew(env *kit.Env, open kit.Opener) *cobra.Command {
	var all bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "renew [NAME...]", Short: "Renew connections now; without a name those that are due",
		Long: `renew uses each refresh token once and keeps the new one. partnerguard serve does
this by itself; where nothing runs all the time, put this into a daily timer.

Exit code 3 says that a connection is dead or held back, also one that was not due;
1 that one could not be renewed now, or is not there.`,
		Example: "  partnerguard connect renew\n  partnerguard connect renew contoso.com\n  partnerguard connect renew --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return problem.New(problem.Usage, "--all renews every connection: name none beside it")
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.SAM.Renewer()
				if err != nil {
					return err
				}
				names := args
				if all {
					if names, err = allConnections(cmd.Context(), s); err != nil {
						return err
					}
				}
				k := renewals{rows: []renewal{}, seen: map[string]bool{}, now: s.Now()}
				if len(args) == 0 && !all {
					err = r.Due(cmd.Context(), k.add)
				} else {
					err = k.renew(cmd.Context(), r, names)
				}
				if werr := output.Answer(env, map[string]any{"renewals": k.rows}, func(w io.Writer, p kit.Paint) error {
					if len(k.rows) == 0 && err == nil {
						fmt.Fprintln(w, "Nothing is due.")
						return nil
					}
					kit.Table(w, p, k.rows,
						kit.Col("connection", func(r *renewal) string { return r.Name }),
						kit.Col("outcome", func(r *renewal) string { return string(r.Outcome) }),
						kit.Col("next", func(r *renewal) string { return kit.Until(r.Next, s.Now()) }),
						kit.Col("words", func(r *renewal) string { return r.Words }))
					return nil
				}); werr != nil {
					return werr
				}
				if err != nil {
					return err
				}
				rows, err := r.Status(cmd.Context(), sam.Heal)
				if err != nil {
					return err
				}
				if len(args) > 0 { // of those named
					rows = slices.DeleteFunc(rows, func(x renew.StatusRow) bool { return !k.seen[x.Connection.ID] })
				}
				if err := alive(rows); err != nil {
					return err
				}
				if k.bad > 0 { // refused now, whatever is known of it
					return problem.New(problem.Unmet, "%s refused", kit.Plural(k.bad, "connection was", "connections were")).
						WithHint("partnerguard connect status says why, and the command that heals it")
				}
				if k.failed > 0 {
					return problem.New(problem.Unavailable, "%s not be renewed now", kit.Plural(k.failed, "connection could", "connections could")).
						WithHint("it is tried again by itself; partnerguard connect status says when")
				}
				kit.Next(env, "partnerguard connect status")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every connection, due or not")
	output.Register(cmd)
	return cmd
}
