package control

import (
	"encoding/json"
	"time"

	"partnerguard/internal/partnercloud/gate"
)

// ClockState is how the clock stands.
type ClockState struct {
	Now    time.Time `json:"now"`
	Frozen bool      `json:"frozen"`
}

// clockChange is one change; exactly one of its first three fields is set.
type clockChange struct {
	Jump   string     `json:"jump,omitempty"`
	Set    *time.Time `json:"set,omitempty"`
	Freeze *bool      `json:"freeze,omitempty"` // false thaws
	// People says that the partner's people sign in meanwhile, as ever; with jump and set.
	People bool `json:"people,omitempty"`
}

// Fault is a fault as it travels: durations are written like 2s or 90m.
type Fault struct {
	ID         string  `json:"id,omitempty"`
	Service    string  `json:"service"`
	Kind       string  `json:"kind"`
	Share      float64 `json:"share,omitempty"`
	Method     string  `json:"method,omitempty"`
	Path       string  `json:"path,omitempty"`
	Times      int     `json:"times,omitempty"`
	Delay      string  `json:"delay,omitempty"`
	RetryAfter string  `json:"retryAfter,omitempty"`
	Status     int     `json:"status,omitempty"`
	Met        int     `json:"met"`  // requests it could have hit
	Hits       int     `json:"hits"` // requests it did hit
}

func fromGate(f gate.Fault) Fault {
	w := Fault{ID: f.ID, Service: f.Service, Kind: string(f.Kind), Share: f.Share, Method: f.Method, Path: f.PathPrefix, Times: f.Times, Status: f.Status,
		Met: f.Met, Hits: f.Hits}
	if f.Delay != 0 {
		w.Delay = FormatDuration(f.Delay)
	}
	if f.RetryAfter != 0 {
		w.RetryAfter = FormatDuration(f.RetryAfter)
	}
	return w
}

// Gate is the fault as the gate takes it.
func (w *Fault) Gate() (f gate.Fault, err error) {
	f = gate.Fault{Service: w.Service, Kind: gate.Kind(w.Kind), Share: w.Share, Method: w.Method, PathPrefix: w.Path, Times: w.Times, Status: w.Status}
	if w.Delay != "" {
		if f.Delay, err = ParseDuration(w.Delay); err != nil {
			return f, err
		}
	}
	if w.RetryAfter != "" {
		f.RetryAfter, err = ParseDuration(w.RetryAfter)
	}
	return f, err
}

type faultList struct {
	Faults []Fault `json:"faults"`
}

type cleared struct {
	Cleared int `json:"cleared"`
}

type requestList struct {
	Requests []gate.Seen `json:"requests"`
}

// failure is the body of every error.
type failure struct {
	Error struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	} `json:"error"`
}

// GraphCall is one call of Graph as a tenant's administrator.
type GraphCall struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`             // with version and query: /v1.0/users?$top=5
	Tenant string          `json:"tenant,omitempty"` // id or domain; "" is the partner's
	Body   json.RawMessage `json:"body,omitempty"`
}

// GraphAnswer is what Graph said. Body is empty when it said nothing.
type GraphAnswer struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body,omitempty"`
}
