package center

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Standing is how enforcement stands, for people to read.
type Standing struct {
	world.Enforcement
	Now  time.Time        `json:"now"`
	AOBO ActivationAtWork `json:"aoboNow"`
	Port ActivationAtWork `json:"portalNow"`
	API  ActivationAtWork `json:"apiNow"`
}

// ActivationAtWork is one check at this moment.
type ActivationAtWork struct {
	Stage string  `json:"stage"`
	Share float64 `json:"share"` // of the requests without MFA that are refused
}

// Enforcement tells how the partner security requirements are enforced: a
// [Standing].
func (c *Center) Enforcement() any {
	var out Standing
	c.world.Read(func(s *world.State) {
		now := s.Clock.Now()
		at := func(a world.Activation) ActivationAtWork { return ActivationAtWork{a.Stage(now), a.Share(now)} }
		e := s.Enforcement
		e.Exceptions = append([]world.Exception{}, e.Exceptions...)
		out = Standing{Enforcement: e, Now: now, AOBO: at(e.AOBO), Port: at(e.Portal), API: at(e.API)}
	})
	return out
}

// enforcementChange is what SetEnforcement reads. What is left out stays.
type enforcementChange struct {
	// Preset is where to begin: "history" as it came, "off", or "on" at once
	// everywhere.
	Preset     string             `json:"preset"`
	AOBO       json.RawMessage    `json:"aobo"`
	Portal     json.RawMessage    `json:"portal"`
	API        json.RawMessage    `json:"api"`
	Exceptions *[]world.Exception `json:"exceptions"`
}

// maxExceptions bounds the list.
const maxExceptions = 100

// SetEnforcement changes how the requirements are enforced. A check is an
// object with the moments of world.Activation, of which those left out stay, or
// one word: "off", "on" (from now on, all of it), "history", or a number: the
// share of the requests without MFA that is refused from now on.
func (c *Center) SetEnforcement(raw json.RawMessage) error {
	var in enforcementChange
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return problem.Wrap(err, problem.Usage, "the enforcement settings cannot be read").
			WithHint(`example: {"preset":"history","api":{"ramp":"2026-06-08T00:00:00Z","firstShare":0.1}} or {"api":"on"}`)
	}
	return c.world.Do(func(s *world.State) error {
		now := s.Clock.Now()
		e := s.Enforcement
		switch in.Preset {
		case "":
		case "history":
			e = world.History()
			e.Exceptions = s.Enforcement.Exceptions
		case "off":
			e = world.Enforcement{Exceptions: e.Exceptions}
		case "on":
			e = world.Enforcement{AOBO: activeFrom(now, 1), Portal: activeFrom(now, 1), API: activeFrom(now, 1), Exceptions: e.Exceptions}
		default:
			return problem.New(problem.Usage, "there is no preset %q", in.Preset).WithHint("history, off, on")
		}
		e.Counter = s.Enforcement.Counter
		old := world.History()
		for _, p := range []struct {
			name    string
			raw     json.RawMessage
			to      *world.Activation
			history world.Activation
		}{{"aobo", in.AOBO, &e.AOBO, old.AOBO}, {"portal", in.Portal, &e.Portal, old.Portal}, {"api", in.API, &e.API, old.API}} {
			if err := change(p.name, p.raw, p.to, p.history, now); err != nil {
				return err
			}
		}
		if in.Exceptions != nil {
			if err := checkExceptions(s, *in.Exceptions); err != nil {
				return err
			}
			e.Exceptions = *in.Exceptions
		}
		s.Enforcement = e
		s.Dirty()
		return nil
	})
}

// activeFrom is a check that refuses a share from a moment on.
func activeFrom(now time.Time, share float64) world.Activation {
	a := world.Activation{Announced: now, Contract: now, Reported: now}
	switch {
	case share >= 1:
		a.Ramp, a.Enforced = now, now
	case share > 0:
		a.Ramp, a.FirstShare = now, share
	}
	return a
}

func change(name string, raw json.RawMessage, to *world.Activation, history world.Activation, now time.Time) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	bad := func() error {
		return problem.New(problem.Usage, "the setting of %s is neither a word, a share nor an object of moments", name).
			WithHint(`"on", "off", "history", 0.25, or {"ramp":"2026-06-08T00:00:00Z","enforced":"2026-12-08T00:00:00Z","firstShare":0.1}`)
	}
	var word string
	var share float64
	switch {
	case json.Unmarshal(raw, &word) == nil:
		switch strings.ToLower(word) {
		case "on":
			*to = activeFrom(now, 1)
		case "off":
			*to = world.Activation{}
		case "history":
			*to = history
		default:
			return bad()
		}
		return nil
	case json.Unmarshal(raw, &share) == nil:
		if share < 0 || share > 1 {
			return problem.New(problem.Usage, "the share of %s must lie between 0 and 1", name)
		}
		*to = activeFrom(now, share)
		return nil
	}
	a := *to
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return bad()
	}
	if a.FirstShare < 0 || a.FirstShare > 1 {
		return problem.New(problem.Usage, "firstShare of %s must lie between 0 and 1", name)
	}
	var last time.Time
	for _, t := range []time.Time{a.Announced, a.Reported, a.Ramp, a.Enforced} {
		if t.IsZero() {
			continue
		}
		if t.Before(last) {
			return problem.New(problem.Usage, "the moments of %s are not in order", name).WithHint("announced, reported, ramp, enforced")
		}
		last = t
	}
	*to = a
	return nil
}

func checkExceptions(s *world.State, list []world.Exception) error {
	if len(list) > maxExceptions {
		return problem.New(problem.Usage, "more than %d exceptions", maxExceptions)
	}
	for _, x := range list {
		switch {
		case s.Tenant(x.Tenant) == nil || s.Tenant(x.Tenant).ID != x.Tenant:
			return problem.New(problem.Usage, "an exception is for a tenant that does not exist").WithHint("give the tenant's id, in lower case")
		case !x.Until.IsZero() && !x.Until.After(x.From):
			return problem.New(problem.Usage, "an exception ends before it begins")
		}
	}
	return nil
}
