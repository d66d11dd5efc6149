package queue

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// The files: ID.msg is a message, ID.part one that is being taken, place says whose
// folder it is. A message is sealed in pieces under its own key, bound to its id (Tink's
// AES256-GCM-HKDF streaming AEAD): what was changed, cut or swapped does not open.
const (
	segment = 64 << 10
	whole   = ".msg"
	half    = ".part"
)

var placeForm = regexp.MustCompile(`^bp-[a-z0-9]{16}$`)

// openPlace makes the folder where there is none, and gives the name of its place.
func openPlace(folder string) (string, error) {
	cannot := func(err error) error {
		return problem.Wrap(err, problem.BadInput, "the queue's folder %s cannot be used%s", folder, problem.Reason(err))
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", cannot(err)
	}
	path := filepath.Join(folder, "place")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		name := token.ID("bp")
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			return "", cannot(err)
		}
		return name, syncFolder(folder)
	}
	if err != nil {
		return "", cannot(err)
	}
	if !placeForm.Match(raw) {
		return "", problem.New(problem.BadInput, "the file %s is not as it was written", path).
			WithHint("what waits in this folder is named by it: partnerguard bridge queue shows the places; write the one of this machine into it")
	}
	return string(raw), nil
}

func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Envelope is what is known of a message before it comes.
type Envelope struct {
	Device, Mailbox, Sender string
	Recipients              []string
	MessageID               string // of Commit's message
	bounce                  bool
}

// Draft is a message that is being taken. Write it, then Commit or Abort, once.
type Draft struct {
	q      *Queue
	id     string
	key    secret.Text
	file   *os.File
	buf    *bufio.Writer
	seal   io.WriteCloser
	size   int64
	took   int64 // what is counted of it as held
	notice bool
	err    error
}

// ref is where the vault has a message's key.
func ref(id string) vault.Ref { return vault.Ref{Purpose: "bridge-message", Name: id} }

// Begin takes room for a message. Kind problem.Limit where the queue or the disk is
// full: the device is told to come again.
func (q *Queue) Begin() (*Draft, error) { return q.begin(false) }

// begin takes room; a notice may be one more than there is room for.
func (q *Queue) begin(notice bool) (*Draft, error) {
	if err := q.room(0); err != nil && !notice {
		return nil, err
	}
	d := &Draft{q: q, id: token.ID("bm"), notice: notice}
	raw := token.Bytes(32)
	defer clear(raw)
	d.key = secret.New(base64.StdEncoding.EncodeToString(raw))
	var err error
	if d.file, err = os.OpenFile(d.path(half), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, unwritten(err)
	}
	d.buf = bufio.NewWriterSize(d.file, segment)
	box, err := subtle.NewAESGCMHKDF(raw, "SHA256", 32, segment, 0)
	if err == nil {
		d.seal, err = box.NewEncryptingWriter(d.buf, []byte(d.id))
	}
	if err != nil {
		d.drop()
		return nil, problem.Wrap(err, problem.Internal, "the message could not be sealed")
	}
	q.hold(1, 0)
	return d, nil
}

func (q *Queue) hold(messages int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held.messages += messages
	q.held.bytes += bytes
}

// room says whether so many bytes more fit.
func (q *Queue) room(more int64) error {
	n, bytes := q.Holds()
	full := func(what string) error {
		return problem.New(problem.Limit, "the queue is full: %s", what).WithAfter(time.Minute).
			WithHint("partnerguard bridge queue shows what waits and why; docs/bridge.md has the limits")
	}
	switch {
	case n >= q.d.Rules.Messages && more == 0:
		return full("it holds as many messages as it may")
	case bytes+more > q.d.Rules.Bytes:
		return full("it holds as many bytes as it may")
	}
	if q.d.Free != nil {
		if free, ok := q.d.Free(q.d.Folder); ok && free < uint64(q.d.Rules.FreeBytes) {
			return full("the disk has hardly any room")
		}
	}
	return nil
}

func unwritten(err error) error {
	if problem.DiskFull(err) {
		return problem.Wrap(err, problem.Limit, "the queue is full: the disk has no room").WithAfter(time.Minute)
	}
	return problem.Wrap(err, problem.Unavailable, "the message cannot be kept%s", problem.Reason(err)).WithAfter(time.Minute)
}

func (d *Draft) path(ending string) string { return filepath.Join(d.q.d.Folder, d.id+ending) }

// Write takes more of the message.
func (d *Draft) Write(b []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	const step = 1 << 20
	for d.size+int64(len(b)) > d.took {
		if d.err = d.q.room(step); d.err != nil && !d.notice {
			return 0, d.err
		}
		d.err = nil
		d.q.hold(0, step)
		d.took += step
	}
	n, err := d.seal.Write(b)
	d.size += int64(n)
	if err != nil {
		d.err = unwritten(err)
	}
	return n, d.err
}

// Size is how many bytes were written.
func (d *Draft) Size() int64 { return d.size }

// Commit keeps the message: it is on the disk, and its row is there, before it returns.
// more, if not nil, is done in the same transaction.
func (d *Draft) Commit(ctx context.Context, e Envelope, more func(context.Context) error) (Item, error) {
	it := Item{ID: d.id, Place: d.q.place, Device: e.Device, Mailbox: e.Mailbox, Sender: e.Sender, MessageID: e.MessageID, Size: d.size,
		Made: d.q.d.Now().UTC().Truncate(time.Microsecond), Bounce: e.bounce, state: stateWaiting}
	it.Next = it.Made
	for _, to := range e.Recipients {
		it.Recipients = append(it.Recipients, Recipient{To: to, State: Waiting})
	}
	if err := d.finish(); err != nil {
		d.Abort()
		return it, err
	}
	err := d.q.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := d.q.insert(ctx, &it); err != nil {
			return err
		}
		if err := d.q.d.Vault.Put(ctx, ref(d.id), d.key); err != nil {
			return err
		}
		if more != nil {
			return more(ctx)
		}
		return nil
	})
	if err != nil {
		// A commit whose answer was lost may have been done: then its row is there, and
		// the file stays for it.
		if _, rerr := d.q.row(context.WithoutCancel(ctx), d.id); rerr == nil {
			return it, err
		}
		d.q.hold(-1, -d.took)
		_ = os.Remove(d.path(whole))
		return it, err
	}
	d.q.hold(0, d.size-d.took)
	d.q.count(func(c *Counts) { c.Taken++ })
	d.q.nudge()
	return it, nil
}

// finish brings the file onto the disk under its name.
func (d *Draft) finish() error {
	if d.err != nil {
		return d.err
	}
	err := errors.Join(d.seal.Close(), d.buf.Flush(), d.file.Sync(), d.file.Close())
	d.file = nil
	if err == nil {
		err = os.Rename(d.path(half), d.path(whole))
	}
	if err == nil {
		err = syncFolder(d.q.d.Folder)
	}
	if err != nil {
		return unwritten(err)
	}
	return nil
}

// Abort forgets the message.
func (d *Draft) Abort() {
	d.drop()
	_ = os.Remove(d.path(whole))
	d.q.hold(-1, -d.took)
}

func (d *Draft) drop() {
	if d.file != nil {
		_ = d.file.Close()
		d.file = nil
	}
	_ = os.Remove(d.path(half))
}

// body opens a message. Kind problem.NotFound where its file is gone; problem.BadInput
// where it is not as it was written, which reading finds at the latest at its end.
func (q *Queue) body(ctx context.Context, it *Item) (io.ReadCloser, error) {
	key, err := q.d.Vault.Get(ctx, ref(it.ID))
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	if err != nil || len(raw) != 32 {
		return nil, problem.New(problem.BadInput, "the key of the message %s is none", it.ID)
	}
	defer clear(raw)
	f, err := os.Open(filepath.Join(q.d.Folder, it.ID+whole))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "the message %s is not in %s", it.ID, q.d.Folder)
	}
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "the message %s cannot be read%s", it.ID, problem.Reason(err))
	}
	box, err := subtle.NewAESGCMHKDF(raw, "SHA256", 32, segment, 0)
	var r io.Reader
	if err == nil {
		r, err = box.NewDecryptingReader(bufio.NewReaderSize(f, segment), []byte(it.ID))
	}
	if err != nil {
		_ = f.Close()
		return nil, problem.Wrap(err, problem.BadInput, "the message %s is not as it was written", it.ID)
	}
	return &sealedReader{r, f, it.ID, it.Size}, nil
}

// sealedReader says in words what is wrong with a file, and that one is too short.
type sealedReader struct {
	io.Reader
	io.Closer
	id   string
	left int64
}

func (s *sealedReader) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.left -= int64(n)
	if err == nil || errors.Is(err, io.EOF) && s.left == 0 {
		return n, err
	}
	return n, problem.Wrap(err, problem.BadInput, "the message %s is not as it was written", s.id)
}

// recover makes whole what a crash left: half messages were never taken, and go; a file
// without a row too; a row without its file is lost, and told.
func (q *Queue) recover(ctx context.Context) error {
	list, err := os.ReadDir(q.d.Folder)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the queue's folder %s cannot be read%s", q.d.Folder, problem.Reason(err))
	}
	items, err := q.rows(ctx, q.place)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range items {
		known[items[i].ID] = true
	}
	there := map[string]bool{}
	for _, e := range list {
		id, isWhole := strings.CutSuffix(e.Name(), whole)
		switch {
		case isWhole && known[id]:
			there[id] = true
		case isWhole || strings.HasSuffix(e.Name(), half):
			if err := os.Remove(filepath.Join(q.d.Folder, e.Name())); err != nil {
				return problem.Wrap(err, problem.BadInput, "a file of the queue cannot be removed%s", problem.Reason(err))
			}
		}
	}
	for i := range items {
		it := &items[i]
		// What something else wrote is not told of to anybody, and above all not marked anew.
		if err := q.d.Vault.Fits(ctx, itemBook, it.mark, it.values()...); errors.Is(err, vault.ErrForged) {
			q.d.Log.ErrorContext(ctx, "a message of the queue is left alone", "id", it.ID, "err", err)
			continue
		} else if err != nil {
			return failed(err)
		}
		if !there[it.ID] {
			if err := q.lost(ctx, it, cmp.Or(it.Reason, "its file is not in the queue's folder")); err != nil {
				return err
			}
			continue
		}
		q.hold(1, it.Size)
		if it.state == stateEnding {
			if err := q.doubt(ctx, it, "the program ended before the answer came"); err != nil {
				return err
			}
		}
	}
	return nil
}
