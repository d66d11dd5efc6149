package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"partnerguard/internal/problem"
)

// Check is one thing that health depends on.
type Check struct {
	Name string // as in "the database does not answer"; it is shown
	// Look says what is wrong, for the log; it must heed its context.
	Look func(context.Context) error
}

// healthTime bounds all checks together.
const healthTime = 5 * time.Second

// Ready is GET /readyz: 200 and "ready" when every check passes within five seconds,
// else 503 that names the first that does not. Health says that this process is to be
// left alone, Ready that it can be given work.
func Ready(checks ...Check) Route {
	r := Health(checks...)
	r.Name, r.Pattern = "ready", "GET /readyz"
	r.Handle = looked("ready\n", checks, "%s is not ready")
	return r
}

// Health is GET /healthz: 200 and "ok" when every check passes within five
// seconds, else 503 that names the first that does not.
func Health(checks ...Check) Route {
	return Route{
		Name: "health", Pattern: "GET /healthz", Access: Public("a load balancer has no credentials, and learns yes or no"), Timeout: healthTime,
		Handle: looked("ok\n", checks, "%s does not answer"),
	}
}

func looked(well string, checks []Check, ill string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		for _, c := range checks {
			if err := c.Look(r.Context()); err != nil {
				return problem.Wrap(err, problem.Unavailable, ill, c.Name)
			}
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := io.WriteString(w, well)
		return err
	}
}
