package intake

import (
	"context"
	"io"
	"io/fs"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// MaxRecord is the largest single record read, in bytes of UTF-8. A larger one
// is skipped and noted.
const MaxRecord = 16 << 20

// Sink takes what intake finds. Read calls it from one goroutine, in the order
// of the inputs.
type Sink interface {
	// Record takes one record as a JSON object (a CSV row arrives as an object of
	// header -> text). raw is valid only during the call and satisfies
	// json.Valid. A record that does not decode is answered with a note, which
	// intake keeps with the input; ErrNoSignIn says that a sign-in is none, and any
	// other error stops the whole reading.
	Record(kind evidence.Kind, raw []byte, src evidence.Source) (note string, err error)

	// SignInLines takes a stream of JSON lines whose first record is a sign-in
	// and reads it to its end. The stream is UTF-8 without BOM and already
	// decompressed. Lines that are not sign-ins are handed back through other,
	// and what is wrong with a line is reported through note; both may name the
	// line relative to the stream, whose first line is 1. It returns how many
	// lines it took as sign-ins. An error of the stream itself is returned as is;
	// an error of other must be returned as is.
	SignInLines(ctx context.Context, r io.Reader, path string,
		other func(line []byte, src evidence.Source) error,
		note func(evidence.Note)) (rows int, err error)
}

// Options is everything Read needs besides the paths. The zero value reads
// files with the default limits.
type Options struct {
	Stdin io.Reader // what "-" means; nil makes "-" a usage error

	// Progress is told, often, how many bytes as stored were read of all there
	// are; optional. Standard input and pipes make total grow as they are read. It
	// may be called from another goroutine, but never twice at once.
	Progress func(done, total int64)

	// Hash asks for the SHA-256 of every file as stored, which is then read to its
	// end even where nothing of it is understood.
	Hash bool

	// Now is the moment of reading, which no record can be later than; zero asks
	// the clock. Stated, when set, is when everything read was exported.
	Now, Stated time.Time

	// Mounts are what paths name that is no file or folder of the machine: every file
	// of one is read, and shown with the path in front.
	Mounts map[string]fs.FS

	// Apart, when set, says of a folder within one that was named that it is read apart:
	// nothing in it is opened or accounted for.
	Apart func(path string) bool

	// Named, when set, says by an input's path of what kind a list in it is that is empty
	// and does not say so itself; "" is not known. Nothing else is taken for a kind by it.
	Named func(path string) evidence.Kind

	// Dated, when set, says when an input was exported, by its path as it is shown;
	// zero is not known. What an input says of itself counts where it is earlier.
	Dated func(path string) time.Time

	MaxRecord int // optional; bytes of the largest record, default MaxRecord

	// Expansion bounds what a compressed input may become: once more than
	// ExpansionFloor bytes came out, no more than Expansion times the bytes that
	// went in. Defaults 200 and 256 MiB.
	Expansion      int64
	ExpansionFloor int64
}

func (o Options) limits() text.Limits {
	return text.Limits{Ratio: o.Expansion, Floor: o.ExpansionFloor}
}

func (o Options) withDefaults() Options {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = MaxRecord
	}
	if o.Expansion <= 0 {
		o.Expansion = 200
	}
	if o.ExpansionFloor <= 0 {
		o.ExpansionFloor = 256 << 20
	}
	return o
}
