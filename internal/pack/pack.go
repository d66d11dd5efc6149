package pack

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

// What package form calls its nouns.
type (
	Manifest = form.Manifest
	Entry    = form.Entry
	Verdict  = form.Verdict
	File     = form.File
)

// Options say what a pack is to hold.
type Options struct {
	Tenant   string // required
	Customer string // of a pack of a partner about one customer
	From, To time.Time
	Reader   string   // auditor, insurer, microsoft, customer
	Evidence string   // form.All, form.Deciding or form.None; "" is All
	Redact   []string // form.Names, form.Addresses
	Keep     []string // members that are shown all the same, e.g. displayName
	// NotRejudged makes the pack also where its verdicts do not come out again from the
	// evidence inside, and says so in it.
	NotRejudged bool
	Out         string // the file, which must not be there
	Progress    func(done, total int64)
}

// Evidence is what a pack is judged by.
type Evidence struct {
	// FS is an export as of the manifest's AsOf, as package view shows it; of a pack that
	// is read, made of what is in it.
	FS fs.FS
	// Manifest is what is known of the pack so far; while one is made it lists no entry.
	Manifest *Manifest
}

// Judged is what came out, and what is told of it to people and programs.
type Judged struct {
	Verdicts  []Verdict
	Agreement string
	Book      string
	Files     []File
	Cited     []Cited // what the report rests on: for form.Deciding
	// Bind, when set, is told the pack's own checkpoint before the files are written: the size
	// of the trail and its root, in lower-case hexadecimal.
	Bind func(size int64, root string)
}

// Cited is a record that a report rests on.
type Cited struct {
	File string // of the evidence's FS
	Line int    // of a log, from 1; 0: the file
}

// Deps are what packs are made with.
type Deps struct {
	DB      *db.DB
	Archive *archive.Archive
	Trail   *trail.Trail
	// Signer opens the key of the trail's checkpoints.
	Signer func(context.Context) (*trail.Signer, error)
	// Secret is the vault's key that salts come from; it is made where there is none.
	Secret func(context.Context) (secret.Text, error)
	// Judge judges evidence and makes the files; Again judges it only.
	Judge func(context.Context, *Evidence) (*Judged, error)
	Again func(context.Context, *Evidence) ([]Verdict, error)
	// Stamp asks for a time stamp token (RFC 3161) over a note; nil: there is no service.
	Stamp func(context.Context, []byte) ([]byte, error)
	// Asked makes the pack of an ask of that id, and writes down what became of it; nil: none
	// are made by jobs.
	Asked func(ctx context.Context, id string) error
	Now   func() time.Time
	Tool  string // the program and its version
	Actor string
	Log   *slog.Logger
}

// Made is what was made.
type Made struct {
	Manifest *Manifest `json:"manifest"`
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Stamped  bool      `json:"stamped"`
}
