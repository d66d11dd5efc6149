package gate

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// whole is how far back a log goes that is asked for without a beginning.
const whole = 30 * 24 * time.Hour

var (
	sinceWhen = regexp.MustCompile(`(?i)DateTime g[et] ([0-9TZ:.-]{10,40})|eventTimestamp ge '([^']{10,40})'`)
	untilWhen = regexp.MustCompile(`(?i)DateTime l[et] ([0-9TZ:.-]{10,40})|eventTimestamp le '([^']{10,40})'`)
)

// asked is over how long a time a log is asked for; 0 for everything else, and for
// the further pages of an answer.
func asked(r *http.Request, now time.Time) time.Duration {
	low := strings.ToLower(r.URL.Path)
	if r.Method != http.MethodGet || !strings.Contains(low, "/auditlogs/") && !strings.Contains(low, "/eventtypes/") || continues(r) {
		return 0
	}
	filter := r.URL.Query().Get("$filter")
	from, to := now.Add(-whole), now
	for _, x := range []struct {
		at *time.Time
		by *regexp.Regexp
	}{{&from, sinceWhen}, {&to, untilWhen}} {
		m := x.by.FindStringSubmatch(filter)
		if m == nil {
			continue
		}
		if t, err := time.Parse(time.RFC3339Nano, m[1]+m[2]); err == nil {
			*x.at = t
		}
	}
	return max(to.Sub(from), 0)
}
