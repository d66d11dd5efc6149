package vault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// A backup is a line of text, then frames: a letter, a length in four bytes, and
// so many bytes. First K, the keyset as the database has it; then R for each
// row; last E, the number of rows and the SHA-256 of all before, sealed under the
// keyset, so that a backup which was changed, cut or put together does not
// restore. Nothing in it is in the clear but names, times and ids.
const (
	backupLine   = "partnerguard vault backup 1\n"
	frameKeyset  = 'K'
	frameRow     = 'R'
	frameEnd     = 'E'
	maxFrame     = 4*maxKeyset + maxSealed + 4*MaxName
	maxBackupEnd = 1 << 10
	maxRows      = 50_000_000
)

// Backup says what a backup has.
type Backup struct {
	Vault   string    `json:"vault"`
	Master  string    `json:"master"` // the id of the master key that opens it
	Made    time.Time `json:"made"`
	Rows    int64     `json:"rows"`
	Damaged int64     `json:"damaged"` // rows that did not open when it was made or read
	Removed int64     `json:"removed"` // restoring: secrets that stood in the vault before
}

// header is what the K frame says, as JSON.
type header struct {
	Vault   string    `json:"vault"`
	Made    time.Time `json:"made"`
	Created time.Time `json:"created"`
	Kind    string    `json:"masterKind"`
	Master  string    `json:"master"`
	Params  string    `json:"masterParams"`
	Wrapped []byte    `json:"wrapped"`
	Keyset  []byte    `json:"keyset"`
}

func (h header) stored() stored {
	return stored{Vault: h.Vault, Slot: Slot{Kind: h.Kind, ID: h.Master, Params: h.Params, Wrapped: h.Wrapped}, Keyset: h.Keyset, Created: h.Created}
}

// BackupFile writes the vault to a file, whole or not at all, for its owner
// alone. What it wrote is read back before it takes the name. Another backup of
// that name is replaced; any other file is refused.
func (v *Vault) BackupFile(ctx context.Context, path string, tell func(done, of int64)) (_ Backup, err error) {
	if err := OnlyOver(path, backupLine, "a backup of a vault"); err != nil {
		return Backup{}, err
	}
	failed := func(err error) error {
		if _, ours := errors.AsType[*problem.Error](err); ours {
			return err
		}
		return problem.Wrap(err, problem.Limit, "the backup %s cannot be written", path).WithHint("its folder must exist, be yours and have room")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".partnerguard-backup-*") // mode 0600
	if err != nil {
		return Backup{}, failed(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	b, err := v.Backup(ctx, w, tell)
	if err = errors.Join(err, w.Flush(), f.Sync()); err != nil {
		return b, failed(err)
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return b, failed(err)
	}
	if _, err = verify(ctx, f, v.currentMaster()); err != nil {
		return b, failed(err)
	}
	if err = f.Close(); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return b, failed(err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return b, failed(err)
	}
	return b, v.record(ctx, audit.Event{Action: audit.VaultBackedUp, Outcome: audit.Done, Object: b.Vault,
		Details: map[string]string{"rows": strconv.FormatInt(b.Rows, 10)}})
}

// OnlyOver refuses a path at which something stands that does not begin with a
// line, by which files of a kind are known: a backup never replaces another file.
func OnlyOver(path, line, kind string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer f.Close()
		begin := make([]byte, len(line))
		if _, err := io.ReadFull(f, begin); err == nil && string(begin) == line {
			return nil
		}
	}
	return problem.New(problem.Usage, "%s exists and is not %s", path, kind).WithHint("name another file")
}

// IsBackup says that a file begins as a backup of a vault does.
func IsBackup(f io.ReaderAt) bool {
	begin := make([]byte, len(backupLine)-2) // of any version
	_, err := f.ReadAt(begin, 0)
	return err == nil && string(begin) == backupLine[:len(begin)]
}

// Backup writes the vault as it is at one moment. tell, if not nil, hears how
// many rows were written, of how many.
func (v *Vault) Backup(ctx context.Context, to io.Writer, tell func(done, of int64)) (Backup, error) {
	o := &sql.TxOptions{ReadOnly: true}
	if v.db.Dialect == db.Postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := v.db.BeginTx(ctx, o)
	if err != nil {
		return Backup{}, dbFailed(err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	q := v.seen(tx)
	s, err := readKeyset(ctx, q)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Backup{}, dbFailed(err)
	}
	k, err := v.load(ctx, q)
	if err != nil {
		return Backup{}, err
	}
	of, err := countRows(ctx, q, nil)
	if err != nil {
		return Backup{}, dbFailed(err)
	}
	b := Backup{Vault: s.Vault, Master: s.Slot.ID, Made: v.now().UTC()}
	sum := sha256.New()
	w := &frames{w: io.MultiWriter(to, sum)}
	w.raw([]byte(backupLine))
	head, err := json.Marshal(header{Vault: s.Vault, Made: b.Made, Created: s.Created, Kind: s.Slot.Kind, Master: s.Slot.ID, Params: s.Slot.Params,
		Wrapped: s.Slot.Wrapped, Keyset: s.Keyset})
	if err != nil {
		return b, problem.Wrap(err, problem.Internal, "the backup's head cannot be written")
	}
	w.frame(frameKeyset, head)
	for after := (*Ref)(nil); ; {
		rows, err := page(ctx, q, after, nil, pageRows)
		if err != nil {
			return b, dbFailed(err)
		}
		for _, r := range rows {
			plain, _, bad := k.openAny(r.Ref, r.sealed)
			clear(plain)
			if bad != nil {
				b.Damaged++ // kept as it is: it may be all there is
			}
			r.sealed = r.sealed[:min(len(r.sealed), maxSealed)]
			w.frame(frameRow, encodeRow(r))
			b.Rows++
		}
		if w.err != nil {
			return b, w.err
		}
		if tell != nil {
			tell(b.Rows, max(of, b.Rows))
		}
		if len(rows) < pageRows {
			break
		}
		after = &rows[len(rows)-1].Ref
	}
	end, err := k.aead.Encrypt(sum.Sum(nil), endData(s.Vault, b.Rows))
	if err != nil {
		return b, problem.Wrap(err, problem.Internal, "the backup's end could not be sealed")
	}
	w.frame(frameEnd, end)
	return b, w.err
}

func endData(vault string, rows int64) []byte {
	return bind("partnerguard vault backup", "1", vault, strconv.FormatInt(rows, 10))
}

// frames writes until the first error.
type frames struct {
	w   io.Writer
	err error
}

func (f *frames) raw(b []byte) {
	if f.err == nil {
		_, f.err = f.w.Write(b)
	}
}

func (f *frames) frame(kind byte, body []byte) {
	f.raw(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body))))
	f.raw(body)
}

func encodeRow(r row) []byte {
	b := bind(r.Purpose, r.Owner, r.Name, string(r.sealed))
	return binary.BigEndian.AppendUint64(b, uint64(r.changed))
}

func decodeRow(b []byte) (row, bool) {
	var r row
	var sealed string
	for _, part := range []*string{&r.Purpose, &r.Owner, &r.Name, &sealed} {
		if len(b) < 4 {
			return r, false
		}
		n := int64(binary.BigEndian.Uint32(b))
		if b = b[4:]; n > int64(len(b)) {
			return r, false
		}
		*part, b = string(b[:n]), b[n:]
	}
	if len(b) != 8 {
		return r, false
	}
	r.sealed, r.changed = []byte(sealed), int64(binary.BigEndian.Uint64(b))
	return r, r.Ref.check() == nil && len(r.sealed) <= maxSealed
}

func badBackup(why string) error {
	return problem.Wrap(ErrDamaged, problem.BadInput, "the backup cannot be used: %s", why).WithHint("take another backup; nothing was changed")
}

// readBackup reads a backup frame by frame. It checks the form only: what it
// hands out is not to be believed before the end was verified. It gives the hash
// of what comes before the end, and the end.
func readBackup(from io.Reader, keyset func(header) error, each func(row) error) (sum, end []byte, rows int64, err error) {
	br := bufio.NewReaderSize(from, 64<<10)
	hash := sha256.New()
	line := make([]byte, len(backupLine))
	if _, err := io.ReadFull(br, line); err != nil || string(line) != backupLine {
		if bytes.HasPrefix(line, []byte(backupLine[:len(backupLine)-2])) {
			return nil, nil, 0, badBackup("a newer partnerguard made it")
		}
		return nil, nil, 0, badBackup("it is not a backup of a vault")
	}
	hash.Write(line)
	seen := false
	for {
		kind, body, err := readFrame(br, hash)
		if err != nil {
			return nil, nil, rows, err
		}
		switch {
		case kind == frameKeyset && !seen:
			seen = true
			var h header
			if err := json.Unmarshal(body, &h); err != nil || len(h.Wrapped) > maxKeyset || len(h.Keyset) > maxKeyset || len(h.Params)+len(h.Vault)+
				len(h.Kind)+len(h.Master) > maxParams {
				return nil, nil, 0, badBackup("its head cannot be read")
			}
			if err := keyset(h); err != nil {
				return nil, nil, 0, err
			}
		case kind == frameRow && seen:
			r, ok := decodeRow(body)
			if rows++; !ok || rows > maxRows {
				return nil, nil, rows, badBackup("one of its rows cannot be read")
			}
			if err := each(r); err != nil {
				return nil, nil, rows, err
			}
		case kind == frameEnd && seen:
			if _, err := br.ReadByte(); !errors.Is(err, io.EOF) {
				return nil, nil, rows, badBackup("it goes on after its end")
			}
			return hash.Sum(nil), body, rows, nil
		default:
			return nil, nil, rows, badBackup("its parts are in a wrong order")
		}
	}
}

// readFrame reads one frame; all but the end is hashed.
func readFrame(br *bufio.Reader, hash hash.Hash) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return 0, nil, badBackup("it is cut short")
	}
	n, most := binary.BigEndian.Uint32(head[1:]), uint32(maxFrame)
	if head[0] == frameEnd {
		most = maxBackupEnd
	}
	if n > most {
		return 0, nil, badBackup("one of its parts is too long")
	}
	body = make([]byte, n)
	if _, err := io.ReadFull(br, body); err != nil {
		return 0, nil, badBackup("it is cut short")
	}
	if head[0] != frameEnd {
		hash.Write(head[:])
		hash.Write(body)
	}
	return head[0], body, nil
}

// verified is a backup whose end was verified.
type verified struct {
	Backup
	head header
	sum  []byte
}

// verify reads a whole backup, opens its keyset, and verifies its end.
func verify(ctx context.Context, from io.Reader, m Master) (verified, error) {
	var v verified
	var k *keys
	sum, end, rows, err := readBackup(from, func(h header) (err error) {
		v.head = h
		k, err = unwrap(ctx, h.stored(), m)
		return err
	}, func(r row) error {
		plain, _, bad := k.openAny(r.Ref, r.sealed)
		clear(plain)
		if bad != nil {
			v.Damaged++
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	plain, err := k.aead.Decrypt(end, endData(v.head.Vault, rows))
	if err != nil || subtle.ConstantTimeCompare(plain, sum) != 1 {
		return v, badBackup("it was changed, or put together from others")
	}
	v.Vault, v.Master, v.Made, v.Rows, v.sum = v.head.Vault, v.head.Master, v.head.Made, rows, sum
	return v, nil
}
