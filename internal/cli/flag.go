package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
)

// choice is a flag with a fixed set of values.
type choice struct {
	value   string
	allowed []string
	older   func(string) (string, bool) // when set: words of old, in the new
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }

func (c *choice) Set(s string) error {
	s = strings.ToLower(strings.TrimSpace(s))
	if c.older != nil {
		if now, ok := c.older(s); ok {
			s = now
		}
	}
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.allowed, ", "))
	}
	c.value = s
	return nil
}

// addChoice registers a choice with completion.
func addChoice(cmd *cobra.Command, c *choice, name, usage string) {
	cmd.Flags().Var(c, name, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(c.allowed, cobra.ShellCompDirectiveNoFileComp))
}

// addBaselineScopes registers the setting that no export shows.
func addBaselineScopes(cmd *cobra.Command, c *choice) {
	c.allowed = []string{"enabled", "disabled", "customised"}
	addChoice(cmd, c, "baseline-scopes", "the tenant's Conditional Access setting for baseline scopes, which no export shows; default enabled")
}

// moment is a flag that holds a date or a time. A bare date means its first
// instant; end gives the instant after it.
type moment struct {
	at       time.Time
	dateOnly bool
}

func (m *moment) String() string {
	switch {
	case m.at.IsZero():
		return ""
	case m.dateOnly:
		return m.at.Format(time.DateOnly)
	}
	return m.at.Format(time.RFC3339)
}
func (m *moment) Type() string { return "date|time" }

func (m *moment) Set(s string) error {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		m.at, m.dateOnly = t, true
		return nil
	}
	t, ok := lenient.ParseTime(s)
	if !ok || strings.Contains(s, "/") {
		return fmt.Errorf("must be a date like 2026-03-01 or a time like 2026-03-01T08:00:00Z")
	}
	m.at, m.dateOnly = t, false
	return nil
}

// end is the first instant after what the flag names: the next day for a bare
// date. Zero when the flag is not set.
func (m *moment) end() time.Time {
	if m.at.IsZero() || !m.dateOnly {
		return m.at
	}
	return m.at.AddDate(0, 0, 1)
}

// who are the flags that say for whom and as of when.
type who struct {
	asOf  moment
	kind  choice
	cloud choice
}

func (w *who) register(cmd *cobra.Command) {
	w.kind = choice{value: string(partner.DirectBill)}
	for _, k := range partner.Kinds() {
		w.kind.allowed = append(w.kind.allowed, string(k))
	}
	w.cloud = cloudChoice()
	cmd.Flags().Var(&w.asOf, "as-of", "judge by the rules of this date (default now)")
	addChoice(cmd, &w.kind, "partner-kind", "what kind of partner is judged")
	addChoice(cmd, &w.cloud, "cloud", "which Microsoft cloud the partner tenant is in")
}

// cloudChoice is the vocabulary of clouds, public at first.
func cloudChoice() choice {
	out := choice{value: string(partner.Public), older: func(s string) (string, bool) {
		c, ok := partner.ParseCloud(s)
		return string(c), ok
	}}
	for _, c := range partner.Clouds() {
		out.allowed = append(out.allowed, string(c))
	}
	return out
}

// span are the flags that limit the sign-ins judged.
type span struct{ since, until moment }

func (s *span) register(cmd *cobra.Command) {
	cmd.Flags().Var(&s.since, "since", "judge sign-ins from this date or time on")
	cmd.Flags().Var(&s.until, "until", "judge sign-ins up to this date (inclusive) or time (exclusive)")
}

func (s *span) check() error {
	if !s.since.at.IsZero() && !s.until.at.IsZero() && !s.since.at.Before(s.until.end()) {
		return problem.New(problem.Usage, "--since %s is not before --until %s", s.since.String(), s.until.String())
	}
	return nil
}
