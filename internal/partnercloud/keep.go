package partnercloud

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Names in a state directory.
const (
	stateFile = "state.json"
	keysFile  = "signing-keys.pem"
	lockFile  = "lock"
)

// maxScenario bounds a scenario file.
const maxScenario = 4 << 20

// openWorld builds the world of the options, or loads it from the state
// directory when one is there.
func (s *Server) openWorld(o Options) (err error) {
	if o.State == "" {
		if s.World, s.scenario, _, err = build(o); err != nil {
			return err
		}
		s.fresh = true
		s.Keys, err = bearer.NewKeys(s.World.Clock.Now)
		return err
	}
	if err := os.MkdirAll(o.State, 0o700); err != nil {
		return problem.Wrap(err, problem.Limit, "the state directory %s cannot be made", o.State).WithHint("choose another: --state DIR")
	}
	release, err := lock(filepath.Join(o.State, lockFile))
	if err != nil {
		return err
	}
	s.cleanup = append(s.cleanup, release)
	path := filepath.Join(o.State, stateFile)
	var spec json.RawMessage
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if s.World, s.scenario, spec, err = build(o); err != nil {
			return err
		}
		s.fresh = true
		if s.Keys, err = bearer.NewKeys(s.World.Clock.Now); err != nil {
			return err
		}
	case err != nil:
		return problem.Wrap(err, problem.BadInput, "the state in %s cannot be opened", o.State)
	default:
		defer f.Close()
		if o.Scenario != "" || o.Customers != 0 || o.Users != 0 || o.Days != 0 || o.Seed != 0 {
			return problem.New(problem.Usage, "%s holds a world already; its scenario cannot be changed", o.State).
				WithHint("leave --scenario, --customers, --users, --days and --seed away, or choose an empty --state directory")
		}
		if s.World, spec, err = world.Load(f, world.NewClock(o.Now)); err != nil {
			return err
		}
		var made scenario.Spec
		if err := json.Unmarshal(spec, &made); err != nil {
			return problem.Wrap(err, problem.BadInput, "the state in %s does not say which scenario it comes from", o.State).
				WithHint("start with another --state directory")
		}
		if s.scenario, err = scenario.ParseFile("saved scenario", []byte(made.Scenario)); err != nil {
			return err
		}
		if err := scenario.Attach(s.World, made); err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(o.State, keysFile))
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the signing keys of %s cannot be read", o.State).WithHint("start with an empty --state directory")
		}
		if s.Keys, err = bearer.ImportKeys(s.World.Clock.Now, text); err != nil {
			return err
		}
	}
	s.keeper = &keeper{w: s.World, keys: s.Keys, dir: o.State, spec: spec, fail: func(err error) {
		select {
		case s.failed <- err:
		default:
		}
		go func() { _ = s.Close(context.Background()) }()
	}}
	if err := s.keeper.save(); err != nil {
		return err
	}
	s.World.OnChange(s.keeper.soon)
	return nil
}

// build reads the scenario and makes its world.
func build(o Options) (*world.World, *scenario.Scenario, json.RawMessage, error) {
	name, text := "embedded scenario", scenario.Default()
	if o.Scenario != "" {
		f, err := os.Open(o.Scenario)
		if err != nil {
			return nil, nil, nil, problem.Wrap(err, problem.NotFound, "the scenario %s cannot be opened", o.Scenario).
				WithHint("partnerguard cloud scenario prints one to copy and change; without --scenario that one is used")
		}
		defer f.Close()
		name = o.Scenario
		if text, err = readAll(f, maxScenario); err != nil {
			return nil, nil, nil, problem.Wrap(err, problem.BadInput, "the scenario %s cannot be read", o.Scenario)
		}
	}
	sc, err := scenario.ParseFile(name, text)
	if err != nil {
		return nil, nil, nil, err
	}
	so := scenario.Options{Seed: o.Seed, Customers: o.Customers, Users: o.Users, Days: o.Days}
	if o.Now != nil {
		so.Clock = world.NewClock(o.Now)
	}
	w, err := scenario.Build(sc, so)
	if err != nil {
		return nil, nil, nil, err
	}
	var created time.Time
	w.Read(func(s *world.State) { created = s.Created })
	spec, err := json.Marshal(sc.Spec(so, created))
	return w, sc, spec, err
}

// keeper saves the world some time after it changed. Nothing runs while
// nothing changes.
type keeper struct {
	w    *world.World
	keys *bearer.Keys
	dir  string
	spec json.RawMessage
	fail func(error)

	mu     sync.Mutex // guards the fields below
	timer  *time.Timer
	closed bool

	saving sync.Mutex // one save at a time
}

// saveAfter is how long changes gather before they are saved: what a crash may
// cost.
const saveAfter = 2 * time.Second

func (k *keeper) soon() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.timer != nil {
		return
	}
	k.timer = time.AfterFunc(saveAfter, func() {
		k.mu.Lock()
		k.timer = nil
		closed := k.closed
		k.mu.Unlock()
		if closed {
			return
		}
		if err := k.save(); err != nil {
			k.fail(err)
		}
	})
}

func (k *keeper) save() error {
	k.saving.Lock()
	defer k.saving.Unlock()
	text, err := k.keys.Export()
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(k.dir, keysFile), text); err != nil {
		return err
	}
	return k.w.SaveFile(filepath.Join(k.dir, stateFile), k.spec)
}

func (k *keeper) close() error {
	k.mu.Lock()
	k.closed = true
	if k.timer != nil {
		k.timer.Stop()
	}
	k.mu.Unlock()
	return k.save()
}

// writeFile replaces a file at once or not at all, for its owner only.
func writeFile(path string, text []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return problem.Wrap(err, problem.Limit, "%s cannot be written", path)
	}
	if err := os.Rename(tmp, path); err != nil {
		return problem.Wrap(err, problem.Limit, "%s cannot be written", path)
	}
	return nil
}
