package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
)

// Config is who hears of which alerts, and when.
type Config struct {
	// Window is how long what is not urgent waits for others to go with it: 0 to 1 hour.
	Window time.Duration `yaml:"alertWindow" default:"2m" about:"how long an alert that is not urgent waits for others to go in one message"`
	// Quiet is when only what is urgent is sent: 22:00-07:00. "" is never.
	Quiet string `yaml:"quietHours" about:"when only what is urgent is sent, such as 22:00-07:00"`
	// Zone is the time zone of hours and digests, as in the tz database.
	Zone string `yaml:"alertZone" default:"UTC" about:"the time zone of quietHours and digests, such as Europe/Berlin"`
	// DigestAt and DigestDay are when digests go.
	DigestAt  string `yaml:"digestAt" default:"08:00" about:"the hour of the digests"`
	DigestDay string `yaml:"digestDay" default:"monday" about:"the day of the weekly digest"`
	// Days are quiet the whole day. Only the file sets them.
	Days []string `yaml:"quietDays" about:"days on which only what is urgent is sent, such as saturday; in the file only"`
	// Routes say which alerts go to which channels. Without any, all go to every channel.
	Routes []Route `yaml:"routes" about:"which alerts go to which channels; in the file only"`
}

// Route sends alerts to channels. Every route that an alert fits sends it.
type Route struct {
	Kinds      []string      `yaml:"kinds"`      // none is all
	Severities []string      `yaml:"severities"` // none is all
	Tenants    []string      `yaml:"tenants"`    // ids; none is all
	To         []string      `yaml:"to"`         // channels, all at once
	Digest     string        `yaml:"digest"`     // daily or weekly: together, instead of at once
	Escalate   []string      `yaml:"escalate"`   // channels, one after the other, while nobody acknowledges it
	After      time.Duration `yaml:"after"`      // how long each of these waits; 5 minutes to 7 days
}

// String is the route in one line.
func (r Route) String() string {
	s := strings.Join(slices.Concat(r.Kinds, r.Severities), ",") + ">" + strings.Join(r.To, ",")
	if len(r.Escalate) > 0 {
		s += ">" + strings.Join(r.Escalate, ">")
	}
	return strings.TrimPrefix(s, ">")
}

const (
	maxRoutes = 64
	maxWindow = time.Hour
	daily     = "daily"
	weekly    = "weekly"
)

// Check settles when is quiet, and refuses what cannot be.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if c.Window < 0 || c.Window > maxWindow {
		return bad("alertWindow", "%s is not between 0 and an hour", c.Window)
	}
	if _, err := c.clock(bad); err != nil {
		return err
	}
	if len(c.Routes) > maxRoutes {
		return bad("routes", "there are %d, and at most %d are read", len(c.Routes), maxRoutes)
	}
	for i := range c.Routes {
		if err := c.Routes[i].check(func(format string, args ...any) *problem.Error {
			return bad("routes", "number %d: %s", i+1, fmt.Sprintf(format, args...))
		}); err != nil {
			return err
		}
	}
	return nil
}

// clock is when is quiet and when digests go, by the settings.
func (c *Config) clock(bad func(name, format string, args ...any) *problem.Error) (w clock, _ error) {
	loc, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "Local" {
		return w, bad("alertZone", "%.60q is no time zone", c.Zone).WithHint("as in the tz database: UTC, Europe/Berlin, America/New_York")
	}
	w = clock{zone: loc}
	if w.digest, err = hour(c.DigestAt); err != nil {
		return w, bad("digestAt", "%.40q is no hour", c.DigestAt).WithHint("24 hours: 08:00")
	}
	if w.day, err = weekday(c.DigestDay); err != nil {
		return w, bad("digestDay", "%.40q is no day", c.DigestDay).WithHint("monday to sunday")
	}
	if c.Quiet != "" {
		from, to, two := strings.Cut(c.Quiet, "-")
		var ferr, terr error
		w.from, ferr = hour(strings.TrimSpace(from))
		w.to, terr = hour(strings.TrimSpace(to))
		if !two || ferr != nil || terr != nil || w.from == w.to {
			return w, bad("quietHours", "%.40q is no time of the day", c.Quiet).WithHint("from and to, 24 hours: 22:00-07:00")
		}
		w.quiet = true
	}
	for _, d := range c.Days {
		day, err := weekday(d)
		if err != nil {
			return w, bad("quietDays", "%.40q is no day", d).WithHint("monday to sunday")
		}
		w.days[day] = true
	}
	return w, nil
}

func (r *Route) check(bad func(string, ...any) *problem.Error) error {
	for _, k := range r.Kinds {
		if !slices.Contains(Kinds(), Kind(k)) {
			return bad("there is no kind %.40q of alerts", k).WithHint("one of %s", list(Kinds()))
		}
	}
	for _, s := range r.Severities {
		if notify.Severity(s).Rank() == len(notify.Severities()) {
			return bad("there is no severity %.40q", s).WithHint("one of %s", list(notify.Severities()))
		}
	}
	switch {
	case len(r.To) == 0:
		return bad("it goes to no channel").WithHint("to: [name of a channel]")
	case r.Digest != "" && r.Digest != daily && r.Digest != weekly:
		return bad("digest is %.40q", r.Digest).WithHint("daily or weekly")
	case (len(r.Escalate) > 0) != (r.After != 0):
		return bad("escalate and after go together")
	case r.Digest != "" && len(r.Escalate) > 0:
		return bad("what goes by digest is not escalated")
	case r.After != 0 && (r.After < 5*time.Minute || r.After > 7*24*time.Hour):
		return bad("after is %s", r.After).WithHint("between 5m and 168h")
	}
	return nil
}

func list[T ~string](words []T) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, ", ")
}

// fits says whether an alert goes this way.
func (r *Route) fits(a *Alert) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return in(r.Kinds, string(a.Kind)) && in(r.Severities, string(a.Severity)) && (len(r.Tenants) == 0 || slices.ContainsFunc(r.Tenants, func(t string) bool {
		return strings.EqualFold(t, a.Tenant)
	}))
}

// routes are those of the settings, or the one that sends all to every channel.
func (s *Store) routes() []Route {
	if r := s.d.Config.Routes; len(r) > 0 {
		return r
	}
	names := s.d.Out.Names()
	if len(names) == 0 {
		return nil
	}
	return []Route{{To: names}}
}

// misrouted names a channel that a route sends to and that is none.
func (s *Store) misrouted() error {
	known := s.d.Out.Names()
	for i := range s.d.Config.Routes {
		r := &s.d.Config.Routes[i]
		for _, name := range slices.Concat(r.To, r.Escalate) {
			if !slices.Contains(known, name) {
				return problem.New(problem.Usage, "routes: number %d sends to %.40q, and no channel is called so", i+1, name).
					WithHint("channels has: %s", strings.Join(known, ", "))
			}
		}
	}
	return nil
}

// clock is when is quiet and when digests go.
type clock struct {
	zone     *time.Location
	from, to time.Duration // since midnight
	quiet    bool
	days     [7]bool
	digest   time.Duration
	day      time.Weekday
}

func hour(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

func weekday(s string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String(), s) {
			return d, nil
		}
	}
	return 0, problem.New(problem.Usage, "no day")
}

func (c *clock) in(t time.Time) time.Time {
	if c.zone == nil {
		return t.UTC()
	}
	return t.In(c.zone)
}

// isQuiet says whether only what is urgent is sent at a moment.
func (c *clock) isQuiet(t time.Time) bool {
	t = c.in(t)
	if c.days[t.Weekday()] {
		return true
	}
	if !c.quiet {
		return false
	}
	h := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if c.from < c.to {
		return h >= c.from && h < c.to
	}
	return h >= c.from || h < c.to // over midnight
}

// nextDigest is the next moment of a digest after t. By the wall clock of the zone, so
// that it stays at its hour when clocks are changed.
func (c *clock) nextDigest(t time.Time, every string) time.Time {
	local := c.in(t)
	at := time.Date(local.Year(), local.Month(), local.Day(), int(c.digest/time.Hour), int(c.digest/time.Minute)%60, 0, 0, local.Location())
	for !at.After(t) || every == weekly && at.Weekday() != c.day {
		at = at.AddDate(0, 0, 1)
	}
	return at.UTC()
}

// Routed are the channels that an alert of a kind and a severity goes to, in order, also
// those that it is escalated to.
func (s *Store) Routed(kind Kind, severity notify.Severity) (out []string) {
	a := &Alert{Finding: Finding{Kind: kind, Severity: severity}}
	for _, r := range s.routes() {
		if !r.fits(a) {
			continue
		}
		for _, name := range slices.Concat(r.To, r.Escalate) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Wrong says what of the routes cannot be; nil is nothing.
func (s *Store) Wrong() error { return s.misrouted() }
