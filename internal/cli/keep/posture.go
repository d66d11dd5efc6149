package keep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

// whose is the tenant that a command is about: by id, or the only one of which
// anything is kept, or the partner.
func whose(ctx context.Context, i *app.Installation, named string) (string, error) {
	all, err := i.Posture.Tenants(ctx)
	if err != nil {
		return "", err
	}
	named = strings.ToLower(named)
	switch {
	case len(all) == 0:
		return "", problem.New(problem.NotFound, "nothing was judged here yet").WithHint("partnerguard collect --now reads and judges")
	case named != "" && !slices.Contains(all, named):
		return "", problem.New(problem.NotFound, "nothing of tenant %.80q was judged", named).WithHint("judged were: %s", few(all))
	case named != "":
		return named, nil
	case len(all) == 1:
		return all[0], nil
	}
	if t, err := i.ArchiveTenant(ctx, ""); err == nil && slices.Contains(all, strings.ToLower(t)) {
		return strings.ToLower(t), nil
	}
	return "", problem.New(problem.Usage, "%d tenants were judged, and it is not clear which of them is meant",
		len(all)).WithHint("--tenant names one of: %s", few(all))
}

func few(list []string) string {
	const most = 5
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

// completed completes the flags of a command about posture.
func completed(env *kit.Env, in *kit.Installation, cmd *cobra.Command) {
	if cmd.Flags().Lookup("requirement") != nil {
		_ = cmd.RegisterFlagCompletionFunc("requirement", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, r := range partner.Book() {
				ids = append(ids, r.ID+"\t"+r.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		})
	}
	for flag, words := range map[string]kit.Words{
		"account": func(ctx context.Context, i *app.Installation) ([]string, error) { return i.Posture.AccountNames(ctx) },
		"tenant":  func(ctx context.Context, i *app.Installation) ([]string, error) { return i.Posture.Tenants(ctx) },
	} {
		if cmd.Flags().Lookup(flag) != nil {
			in.CompleteFlag(env, cmd, flag, words)
		}
	}
}

// known refuses a requirement that the rule book does not have.
func known(id string) error {
	if id == "" {
		return nil
	}
	if _, ok := partner.Find(id); !ok {
		return problem.New(problem.Usage, "no requirement is called %.40q", id).WithHint("partnerguard rules lists them")
	}
	return nil
}

// ago is a flag that holds a moment of the past: yesterday, 7d, a date or a time.
type ago struct {
	kit.Moment
	words string
	back  time.Duration
}

func (a *ago) String() string {
	if a.words != "" {
		return a.words
	}
	return a.Moment.String()
}

// Type says what the flag takes.
func (a *ago) Type() string { return "yesterday|DAYSd|date|time" }

// Set reads it.
func (a *ago) Set(s string) error {
	word := strings.ToLower(strings.TrimSpace(s))
	if word == "yesterday" {
		a.words, a.back = word, 24*time.Hour
		return nil
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(word, "d")); err == nil && strings.HasSuffix(word, "d") {
		if n < 1 || n > 4000 {
			return errors.New("must be between 1d and 4000d")
		}
		a.words, a.back = word, time.Duration(n)*24*time.Hour
		return nil
	}
	a.words, a.back = "", 0
	if err := a.Moment.Set(s); err != nil {
		return errors.New("must be yesterday, a number of days like 7d, a date like 2026-03-01 or a time like 2026-03-01T08:00:00Z")
	}
	return nil
}

// from is the moment, seen from now; zero where the flag was not given.
func (a *ago) from(now time.Time) time.Time {
	if a.back > 0 {
		return now.Add(-a.back)
	}
	return a.At
}
