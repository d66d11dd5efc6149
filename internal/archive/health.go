package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/problem"
)

// reachFor is how long an answer of the place counts: whoever asks for readiness may
// ask often, and an object store takes money for it.
const reachFor = 15 * time.Second

// reached is what the place said last.
type reached struct {
	at  time.Time // monotonic
	err error
}

// Ready says that the archive's place can be reached: nil, or kind
// problem.Unavailable. A folder that is not there yet is made with the first segment.
// What an object store said counts for some seconds.
func (a *Archive) Ready(ctx context.Context) error {
	a.mu.Lock()
	last := a.reached
	a.mu.Unlock()
	if !last.at.IsZero() && time.Since(last.at) < reachFor {
		return last.err
	}
	err := a.reach(ctx)
	if ctx.Err() != nil && err != nil {
		return err // of who asked, perhaps, and not of the place
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reached = reached{time.Now(), err}
	return err
}

func (a *Archive) reach(ctx context.Context) error {
	if dir, is := a.folder(); is && a.Bucket == nil {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || !info.IsDir():
			return problem.Wrap(err, problem.Unavailable, "the archive's folder %s cannot be used%s", dir, problem.Reason(err)).
				WithHint("it is a folder of the user that runs partnerguard")
		}
		return nil
	}
	p, err := a.at(ctx)
	if err != nil {
		return err
	}
	if ok, err := p.bucket.IsAccessible(ctx); err != nil || !ok {
		return problem.Wrap(err, problem.Unavailable, "the archive at %s is not reached", p.label).
			WithHint("look at the way there, and at the environment variables that hold the store's keys")
	}
	return nil
}

// folder is where the archive lies when that is a folder.
func (a *Archive) folder() (string, bool) {
	if a.Config.Place == "" {
		return a.Dir, true
	}
	u, err := url.Parse(a.Config.Place)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

// Where names the archive's place to people, without the query of an address.
func (a *Archive) Where() string {
	if dir, is := a.folder(); is {
		return dir
	}
	u, err := url.Parse(a.Config.Place)
	if err != nil {
		return "a place that cannot be read"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Apart says what no backup of the database has: the segments, where they are, and
// how far the database knows them. Both are "" where there are none.
func (a *Archive) Apart(ctx context.Context) (what, where string, err error) {
	t, err := a.Total(ctx)
	if err != nil || t.Segments == 0 {
		return "", "", err
	}
	return "the archive's segments, which are never changed: copy them as they are", fmt.Sprintf("%s, %d of %d bytes, the newest page of %s", a.Where(),
		t.Segments, t.Size, t.Last.UTC().Format(time.RFC3339)), nil
}
