package world

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/problem"
)

// storeVersion is the form of the state file.
const storeVersion = 1

// MaxState bounds a state file that is read.
const MaxState = 2 << 30

// saved is the state file. Passwords and bearer secrets are in it as hashes
// only; TOTP secrets registered here are in it as they are, so the file is for
// its owner alone, and for a world of invented people.
type saved struct {
	Version int             `json:"version"`
	Spec    json.RawMessage `json:"spec"` // what the scenario needs to make the rest again
	Offset  time.Duration   `json:"clockOffset"`
	Frozen  time.Time       `json:"clockFrozen,omitzero"`
	State   *State          `json:"state"`
	Tenants []*Tenant       `json:"tenants"`
}

// OnChange registers what is called, without the lock, after each change. f must
// not change the world.
func (w *World) OnChange(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onChange = append(w.onChange[:len(w.onChange):len(w.onChange)], f)
}

// Changed reports a change since the last save.
func (w *World) Changed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Save writes everything that exists by now. spec is kept beside it.
func (w *World) Save(out io.Writer, spec json.RawMessage) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := saved{Version: storeVersion, Spec: spec, State: w.state}
	f.Offset, f.Frozen = w.Clock.Saved()
	for t := range w.state.Made() {
		f.Tenants = append(f.Tenants, t)
	}
	if err := json.NewEncoder(out).Encode(&f); err != nil {
		return err
	}
	w.changed = false
	return nil
}

// SaveFile saves to a file, at once or not at all, for its owner only.
func (w *World) SaveFile(path string, spec json.RawMessage) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".state-*")
	if err != nil {
		return problem.Wrap(err, problem.Limit, "the state cannot be saved in %s", filepath.Dir(path)).WithHint("make the directory writable for this user")
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<20)
	if err = w.Save(b, spec); err == nil {
		if err = b.Flush(); err == nil {
			if err = f.Sync(); err == nil {
				if err = f.Close(); err == nil {
					err = os.Rename(f.Name(), path)
				}
			}
		}
	}
	if err != nil {
		return problem.Wrap(err, problem.Limit, "the state cannot be saved as %s", path).WithHint("is the disk full?")
	}
	return nil
}

// Load reads what Save wrote and gives the spec that was kept beside it. The
// scenario must hang its maker and history on the world again.
func Load(in io.Reader, clock *Clock) (*World, json.RawMessage, error) {
	var f saved
	d := json.NewDecoder(io.LimitReader(in, MaxState))
	if err := d.Decode(&f); err != nil {
		return nil, nil, problem.Wrap(err, problem.BadInput, "the state file cannot be read: it ends early or is not ours").
			WithHint("start with another --state directory, or move the file away")
	}
	if f.Version != storeVersion || f.State == nil {
		return nil, nil, problem.New(problem.BadInput, "the state file has version %d, this program reads version %d", f.Version, storeVersion).
			WithHint("start with another --state directory")
	}
	w := New(f.State.Seed, clock)
	s := f.State
	s.Clock = w.Clock
	w.Clock.Restore(f.Offset, f.Frozen)
	w.state = s
	for _, t := range f.Tenants {
		if t == nil {
			return nil, nil, problem.New(problem.BadInput, "the state file holds an empty tenant").WithHint("start with another --state directory")
		}
		s.Put(t)
	}
	if s.Partner != "" && s.PartnerTenant() == nil {
		return nil, nil, problem.New(problem.BadInput, "the state file lacks its partner tenant").WithHint("start with another --state directory")
	}
	s.dirty = false
	return w, f.Spec, nil
}
