package archive

import (
	"context"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"gocloud.dev/blob"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
)

// What package segment calls its nouns.
type (
	Page = segment.Page // one answer
	Run  = segment.Run  // one reading of one list
	Part = segment.Part // what a segment holds of a run
)

// Log is the audit trail, as far as the archive wants it.
type Log interface {
	audit.Recorder
	// Head is where it stands; in a transaction that recorded, at that entry.
	Head(ctx context.Context) (trail.Head, error)
}

// Deps are what the archive is made of.
type Deps struct {
	DB     *db.DB
	Trail  Log
	Config *Config
	Dir    string           // of the archive where Config.Place names none
	Actor  string           // who the trail says wrote; "" is system:archive
	Now    func() time.Time // nil: the clock
	Log    *slog.Logger     // nil: none
	// Right says whether the clock is right enough for anything to be removed by it; an
	// error says how it is not. Nil trusts it.
	Right func(context.Context) error
	// Bucket, when set, takes the place of what Config and Dir name: for tests.
	Bucket *blob.Bucket
}

// Archive keeps pages. Safe for concurrent use, by several processes too.
type Archive struct {
	Deps

	mu      sync.Mutex
	place   *place // once it was wanted
	reached reached
}

// Open gives the archive of a database. What it lies in is opened when it is first
// wanted.
func Open(d Deps) (*Archive, error) {
	if d.DB == nil || d.Trail == nil {
		return nil, problem.New(problem.Internal, "an archive without a database and a trail is none")
	}
	if d.Config == nil {
		d.Config = &Config{}
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Actor == "" {
		d.Actor = "system:archive"
	}
	return &Archive{Deps: d}, nil
}

// Close lets go of the place.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.place == nil || a.Bucket != nil {
		return nil
	}
	err := a.place.bucket.Close()
	a.place = nil
	return err
}

// at opens the place.
func (a *Archive) at(ctx context.Context) (*place, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.place != nil {
		return a.place, nil
	}
	if a.Bucket != nil {
		a.place = &place{bucket: a.Bucket, label: "the bucket"}
		return a.place, nil
	}
	p, err := openPlace(ctx, a.Config.Place, a.Dir)
	if err == nil {
		a.place = p
	}
	return p, err
}

// NewRun makes a run's id. Ids sort by time, as far as the clocks agree.
func NewRun(at time.Time) string {
	return at.UTC().Format("20060102T150405.000000Z") + "-" + hex.EncodeToString(token.Bytes(4))
}

// newName makes a segment's name.
func newName(at time.Time) string {
	return at.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(token.Bytes(6))
}

// key is where the object of a segment lies.
func key(tenant, name string, at time.Time) string {
	return root + tenant + "/" + at.UTC().Format("2006/01/02") + "/" + name + ending
}

const (
	root   = "segments/"
	ending = ".pgseg"
)
