package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book {
	return []*vault.Book{sam.Connections, sam.Registrations, onboard.Invitations, broker.Approvals, consent.IntentBook}
}

// trust marks, once, the rows of an installation from before marks.
func (s *SAM) trust(ctx context.Context) error {
	if !s.Vault.Unmarked() {
		return nil
	}
	n := 0
	err := s.Vault.Trust(ctx, func(ctx context.Context, within *vault.Vault) error {
		n = 0
		return s.Store.Trust(ctx, within, func(c sam.Connection) error {
			n++
			return s.words.Record(ctx, audit.Event{
				Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: s.Actor, Object: c.ID, Tenant: c.Tenant,
				Reason: "it stood there when rows were marked for the first time", Details: map[string]string{"generation": strconv.FormatInt(c.Generation, 10)},
			})
		})
	})
	if err != nil {
		return err
	}
	s.notes = append(s.notes, fmt.Sprintf("this installation is from before rows were marked: %d connections were trusted as they stood; look at them with partnerguard connect status, and destroy backups of the database from before", n))
	return nil
}

// seen is the file: how far the trail had come when this machine last saw it.
type seen struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at"`
}

const maxSeen = 4 << 10

// seenFile is beside the installation's data, apart for each database.
func (s *SAM) seenFile() string {
	sum := sha256.Sum256([]byte(s.DB.Where()))
	dir := s.Config.Data
	if s.Lab() {
		dir = filepath.Join(dir, LabName)
	}
	return filepath.Join(dir, "seen-"+hex.EncodeToString(sum[:6])+".json")
}

// remember opens what is known of the past, and compares the database with what
// this machine saw of it last.
func (s *SAM) remember(ctx context.Context) (*past, error) {
	p := &past{trail: s.Trail, file: s.seenFile(), now: s.Now, words: s.words,
		known: map[string]word[sam.Height]{}, approved: map[string]word[bool]{}, spent: map[string]word[bool]{}}
	was, err := readSeen(p.file)
	if err != nil {
		return p, err
	}
	if was != nil {
		if err := s.compare(ctx, p, was); err != nil {
			return nil, err
		}
	}
	if p.behind == "" {
		p.behind = s.words.gone
	}
	if p.behind == "" {
		return p, nil
	}
	s.notes = append(s.notes, p.behind+"; no connection is used until partnerguard connect accept --all")
	return p, s.Trail.Record(ctx, audit.Event{Action: audit.DatabaseOlder, Outcome: audit.Refused, Actor: s.Actor, Reason: p.behind})
}

// compare holds the database against what this machine saw of it last.
func (s *SAM) compare(ctx context.Context, p *past, was *seen) error {
	head, err := s.Trail.Head(ctx)
	if err != nil {
		return err
	}
	day := was.At.UTC().Format(time.DateTime)
	p.left = was.Seq
	switch {
	case head.Seq < was.Seq:
		p.behind = fmt.Sprintf("the database is older than it was: its audit trail has %d entries, and had %d on %s UTC", head.Seq, was.Seq, day)
	case was.Seq > 0:
		root, err := s.Trail.RootAt(ctx, was.Seq)
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
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	bad := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the file %s, which remembers how far the database was, cannot be read", path).
			WithHint("when you are sure that the database is the newest, remove that file")
	}
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

// leave writes down how far the trail is. A database that is behind is not
// written down: only accepting it does that.
func (p *past) leave(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	head, err := p.trail.Head(ctx)
	if err != nil || p.behind != "" || head.Seq <= p.left {
		return err
	}
	return p.write(head)
}

func (p *past) write(head trail.Head) error {
	b, err := json.Marshal(seen{Seq: head.Seq, Hash: head.Hash.String(), At: p.now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.file), 0o700); err != nil {
		return problem.Wrap(err, problem.Limit, "the folder of %s cannot be made", p.file)
	}
	f, err := os.CreateTemp(filepath.Dir(p.file), ".seen-*")
	if err == nil {
		_, err = f.Write(append(b, '\n'))
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), p.file)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return problem.Wrap(err, problem.Limit, "how far the audit trail is could not be written to %s", p.file).WithHint("the folder must be yours and have room")
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

// Accept takes a connection that is held back into use, on a person's word.
func (s *SAM) Accept(ctx context.Context, nameOrID string) (sam.Connection, error) {
	if s.past.behind != "" {
		return sam.Connection{}, problem.New(problem.Usage, "%s", s.past.behind).WithHint("partnerguard connect accept --all accepts the whole database")
	}
	return s.accept(ctx, nameOrID)
}

func (s *SAM) accept(ctx context.Context, nameOrID string) (c sam.Connection, err error) {
	// What the trail says is read before the database is locked: the first time
	// that may be much.
	if c, err := s.Store.Look(ctx, nameOrID); err == nil {
		_ = s.Store.Standing(ctx, c)
	}
	err = s.Store.InTx(ctx, func(ctx context.Context) error {
		if c, err = s.Store.Accept(ctx, nameOrID); err != nil {
			return err
		}
		return s.words.Record(ctx, audit.Event{
			Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: s.Actor, Object: c.ID, Tenant: c.Tenant, Reason: "a person said that it is right",
			Details: map[string]string{"generation": strconv.FormatInt(c.Generation, 10), "name": c.Name, "account": c.Account, "app": c.ClientID, "cloud": c.Cloud.Name},
		})
	})
	return c, err
}

// AcceptAll takes the database as it stands, also when it is older than it was,
// and every connection that is held back and can be accepted. It gives what was
// accepted, and the reasons of what was not.
func (s *SAM) AcceptAll(ctx context.Context) (done []sam.Connection, not []error, err error) {
	if err := s.words.accept(ctx); err != nil {
		return nil, nil, err
	}
	why := s.past.forget()
	defer s.past.forget() // what was accepted is the newest now
	if why != "" {
		if err := s.Trail.Record(ctx, audit.Event{Action: audit.DatabaseAccepted, Outcome: audit.Done, Actor: s.Actor, Reason: why}); err != nil {
			return nil, nil, err
		}
		head, err := s.Trail.Head(ctx)
		if err != nil {
			return nil, nil, err
		}
		if err := s.past.write(head); err != nil {
			return nil, nil, err
		}
	}
	list, err := s.Store.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range list {
		_, held := s.Store.Token(ctx, c.ID)
		// After an older database every token is sealed under a new number, so that
		// those which the newer one had do not fit again.
		if why == "" && !errors.Is(held, vault.ErrForged) && !errors.Is(held, sam.ErrRolledBack) {
			continue
		}
		out, err := s.accept(ctx, c.ID)
		if err != nil {
			not = append(not, fmt.Errorf("%s: %w", c.Name, err))
			continue
		}
		done = append(done, out)
	}
	return done, not, nil
}
