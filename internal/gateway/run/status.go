package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
)

// Status is how a gateway is.
type Status struct {
	Running bool      `json:"running"`
	Since   time.Time `json:"since,omitzero"` // the file holds since then
	Digest  string    `json:"digest,omitempty"`
	Kept    Kept      `json:"kept,omitzero"`
}

// Status says how it is.
func (g *Gateway) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.table == nil {
		return Status{}
	}
	return Status{Running: true, Since: g.since, Digest: g.table.Digest, Kept: g.kept}
}

// Table is the one that holds; nil where the gateway does not run.
func (g *Gateway) Table() *gateway.Table {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.table
}

// Turn records the modes that have turned since the last time.
func (g *Gateway) Turn(ctx context.Context) {
	g.mu.Lock()
	t, was := g.table, g.phases
	g.mu.Unlock()
	if t == nil {
		return
	}
	now := phasesOf(t, g.d.Now())
	for name, p := range now {
		before, known := was[name]
		if !known || before.String() == p.String() {
			continue
		}
		g.d.Log.InfoContext(ctx, "the mode of a route turned by its date", "route", name, "mode", p.String(), "was", before.String())
		err := g.d.Record.Record(ctx, audit.Event{Action: audit.GatewayTurned, Outcome: audit.Done, Actor: "system:gateway", Object: name,
			Details: map[string]string{"mode": p.String(), "was": before.String(), "from": p.From.UTC().Format(time.RFC3339)}})
		if err != nil {
			g.d.Log.ErrorContext(ctx, "that a mode turned could not be recorded", "err", err)
			now[name] = before // it is tried again
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.table == t {
		g.phases = now
	}
}

func phasesOf(t *gateway.Table, now time.Time) map[string]gateway.Phase {
	out := map[string]gateway.Phase{}
	for _, r := range t.Routes {
		out[r.Name], _ = r.Phase(now)
	}
	return out
}

// clip bounds a text of the trail.
func clip(s string) string { return print.Clean(s, 500) }

// loaded is the trail's entry of a file that was taken over.
func loaded(t *gateway.Table, now time.Time, actor string) audit.Event {
	const most = 40
	var modes []string
	for i, r := range t.Routes {
		if i == most {
			modes = append(modes, fmt.Sprintf("and %d more", len(t.Routes)-most))
			break
		}
		p, _ := r.Phase(now)
		modes = append(modes, r.Name+" "+p.String())
	}
	return audit.Event{Action: audit.GatewayLoaded, Outcome: audit.Done, Actor: actor, Object: t.Digest,
		Details: map[string]string{"routes": fmt.Sprint(len(t.Routes)), "modes": clip(strings.Join(modes, ", ")), "generation": fmt.Sprint(t.Generation)}}
}

// Banner says what a gateway serves, a line a route: what a person sees when it starts.
func Banner(t *gateway.Table, now time.Time) (out []string) {
	for _, r := range t.Routes {
		p, next := r.Phase(now)
		host := strings.Join(r.Hosts, ", ")
		if host == "" {
			host = "every host"
		}
		line := fmt.Sprintf("%s: %s%s, %s", r.Name, host, r.Path, p.String())
		if next != nil {
			line += fmt.Sprintf("; %s from %s", next.String(), next.From.UTC().Format("2006-01-02 15:04 UTC"))
		}
		if n := len(r.Exceptions); n > 0 {
			line += "; " + print.Plural(int64(n), "exceptions")
		}
		out = append(out, line)
	}
	return out
}
