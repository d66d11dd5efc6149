package past

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/trail"
)

// seen is the file: how far the trail had come when this machine last saw it.
type seen struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
}

const maxSeen = 4 << 10

// compare holds the database against what this machine saw of it last.
func (p *Past) compare(ctx context.Context, was *seen) error {
	head, err := p.d.Trail.Head(ctx)
	if err != nil {
		return err
	}
	day := was.At.UTC().Format(time.DateTime)
	p.left = was.Seq
	switch {
	case head.Seq < was.Seq:
		p.behind = fmt.Sprintf("the database is older than it was: its audit trail has %d entries, and had %d on %s UTC", head.Seq, was.Seq, day)
	case was.Seq > 0:
		root, err := p.d.Trail.RootAt(ctx, was.Seq)
		if err != nil && !errors.Is(err, problem.Conflict) {
			return err
		}
		if err != nil || root.String() != was.Hash {
			p.behind = fmt.Sprintf("the database is another than it was: the first %d entries of its audit trail are not those of %s UTC", was.Seq, day)
		}
	}
	return nil
}

func readSeen(path string) (*seen, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	bad := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the file %s, which remembers how far the database was, cannot be read", path).
			WithHint("when you are sure that the database is the newest, remove that file")
	}
	if err != nil || !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, bad(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bad(err)
	}
	defer f.Close()
	b := make([]byte, maxSeen+1)
	n, err := f.Read(b)
	if err != nil || n > maxSeen {
		return nil, bad(err)
	}
	var s seen
	if err := json.Unmarshal(b[:n], &s); err != nil || s.Seq < 0 {
		return nil, bad(err)
	}
	return &s, nil
}

// Leave writes down how far the trail is. A database that is behind is not
// written down: only accepting it does that.
func (p *Past) Leave(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	head, err := p.d.Trail.Head(ctx)
	if err != nil || p.behind != "" || head.Seq <= p.left {
		return err
	}
	return p.write(head)
}

func (p *Past) write(head trail.Head) error {
	b, err := json.Marshal(seen{Seq: head.Seq, Hash: head.Hash.String(), At: p.d.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.d.File), 0o700); err != nil {
		return problem.Wrap(err, problem.Limit, "the folder of %s cannot be made", p.d.File)
	}
	f, err := os.CreateTemp(filepath.Dir(p.d.File), ".seen-*")
	if err == nil {
		_, err = f.Write(append(b, '\n'))
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), p.d.File)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return problem.Wrap(err, problem.Limit, "how far the audit trail is could not be written to %s", p.d.File).
			WithHint("the folder must be yours and have room")
	}
	p.left = head.Seq
	return nil
}

// height reads an entry that says where a connection stands.
func height(e trail.Entry) (sam.Height, bool) {
	h := sam.Height{Known: true, At: e.At}
	if e.Outcome != audit.Done {
		return h, false
	}
	switch e.Action {
	case audit.ConnectionRemoved:
		h.Removed = true
		return h, true
	case audit.ConnectionConsented, audit.ConnectionRenewed, audit.ConnectionAccepted:
		g, err := strconv.ParseInt(e.Details["generation"], 10, 64)
		h.Generation = g
		return h, err == nil && g > 0
	}
	return h, false
}
