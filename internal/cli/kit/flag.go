package kit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

// Choice is a flag with a fixed set of values.
type Choice struct {
	Value   string
	Allowed []string
	older   func(string) (string, bool) // when set: words of old, in the new
	gone    map[string]string           // words of old that are refused, and why
}

func (c *Choice) String() string { return c.Value }
func (c *Choice) Type() string   { return strings.Join(c.Allowed, "|") }

func (c *Choice) Set(s string) error {
	s = strings.ToLower(strings.TrimSpace(s))
	if c.older != nil {
		if now, ok := c.older(s); ok {
			s = now
		}
	}
	if why, was := c.gone[s]; was {
		return errors.New(why)
	}
	if !slices.Contains(c.Allowed, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.Allowed, ", "))
	}
	c.Value = s
	return nil
}

// AddChoice registers a choice with completion.
func AddChoice(cmd *cobra.Command, c *Choice, name, usage string) {
	cmd.Flags().Var(c, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.Allowed, cobra.ShellCompDirectiveNoFileComp))
}

// AddBaselineScopes registers the setting that no export shows.
func AddBaselineScopes(cmd *cobra.Command, c *Choice) {
	c.Allowed = []string{"enabled", "disabled", "customised"}
	AddChoice(cmd, c, "baseline-scopes", "the tenant's Conditional Access setting for baseline scopes, which no export shows; default enabled")
}

// Moment is a flag that holds a date or a time. A bare date means its first
// instant; end gives the instant after it.
type Moment struct {
	At       time.Time
	dateOnly bool
}

func (m *Moment) String() string {
	switch {
	case m.At.IsZero():
		return ""
	case m.dateOnly:
		return m.At.Format(time.DateOnly)
	}
	return m.At.Format(time.RFC3339)
}
func (m *Moment) Type() string { return "date|time" }

func (m *Moment) Set(s string) error {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		m.At, m.dateOnly = t, true
		return nil
	}
	t, ok := lenient.ParseTime(s)
	if !ok || strings.Contains(s, "/") {
		return fmt.Errorf("must be a date like 2026-03-01 or a time like 2026-03-01T08:00:00Z")
	}
	m.At, m.dateOnly = t, false
	return nil
}

// End is the first instant after what the flag names: the next day for a bare
// date. Zero when the flag is not set.
func (m *Moment) End() time.Time {
	if m.At.IsZero() || !m.dateOnly {
		return m.At
	}
	return m.At.AddDate(0, 0, 1)
}

// Who are the flags that say for whom and as of when.
type Who struct {
	AsOf  Moment
	Kind  Choice
	Cloud Choice
}

func (w *Who) Register(cmd *cobra.Command) {
	w.Kind = Choice{Value: string(partner.DirectBill)}
	for _, k := range partner.Kinds() {
		w.Kind.Allowed = append(w.Kind.Allowed, string(k))
	}
	w.Cloud = cloudChoice()
	cmd.Flags().Var(&w.AsOf, "as-of", "judge by the rules of this date (default now)")
	AddChoice(cmd, &w.Kind, "partner-kind", "what kind of partner is judged")
	AddChoice(cmd, &w.Cloud, "cloud", "which Microsoft cloud the partner tenant is in")
}

// cloudChoice is the vocabulary of clouds, public at first.
func cloudChoice() Choice {
	out := Choice{Value: string(partner.Public), older: func(s string) (string, bool) {
		c, ok := partner.ParseCloud(s)
		return string(c), ok
	}}
	for _, c := range partner.Clouds() {
		out.Allowed = append(out.Allowed, string(c))
	}
	return out
}

// Span are the flags that limit the sign-ins judged.
type Span struct{ Since, Until Moment }

func (s *Span) Register(cmd *cobra.Command) {
	cmd.Flags().Var(&s.Since, "since", "judge sign-ins from this date or time on")
	cmd.Flags().Var(&s.Until, "until", "judge sign-ins up to this date (inclusive) or time (exclusive)")
}

func (s *Span) Check() error {
	if !s.Since.At.IsZero() && !s.Until.At.IsZero() && !s.Since.At.Before(s.Until.End()) {
		return problem.New(problem.Usage, "--since %s is not before --until %s", s.Since.String(), s.Until.String())
	}
	return nil
}
