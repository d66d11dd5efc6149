package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"partnerguard/internal/problem"
)

// A stream is a line of text that says what it is, the length of its head in four
// bytes, the head (who can open it: the keyset as the database has it, wrapped), and
// the bytes, sealed in pieces of a megabyte (Tink's AES256-GCM-HKDF streaming AEAD)
// under a subkey of the vault's key that seals. The head is bound to them. So what
// was changed, cut, moved or put together does not open.
const (
	streamSegment = 1 << 20
	maxStreamHead = 4*maxKeyset + 4*maxParams
	maxStreamLine = 64
)

// Sealed says of a stream who can open it and when it was made. The moment is in
// the clear, and bound.
type Sealed struct {
	Vault  string    `json:"vault"`
	Master string    `json:"master"` // the id of the master key that opens it
	Made   time.Time `json:"made"`
}

// SealStream writes a stream of the kind that line names, which ends in a line feed.
// What is written is sealed once the writer is closed without an error. Within a
// transaction that ctx carries it is the keyset of that moment.
func (v *Vault) SealStream(ctx context.Context, to io.Writer, line string) (io.WriteCloser, Sealed, error) {
	s, err := readKeyset(ctx, v.q())
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, Sealed{}, dbFailed(err)
	}
	k, err := v.load(ctx, v.q())
	if err != nil {
		return nil, Sealed{}, err
	}
	out := Sealed{Vault: s.Vault, Master: s.Slot.ID, Made: v.now().UTC().Truncate(time.Second)}
	raw, err := json.Marshal(header{Vault: s.Vault, Made: out.Made, Created: s.Created, Kind: s.Slot.Kind, Master: s.Slot.ID, Params: s.Slot.Params,
		Wrapped: s.Slot.Wrapped, Keyset: s.Keyset})
	if err != nil {
		return nil, out, problem.Wrap(err, problem.Internal, "the head of the stream cannot be written")
	}
	head := append(binary.BigEndian.AppendUint32([]byte(line), uint32(len(raw))), raw...)
	box, bound, err := k.stream(line, head)
	if err != nil {
		return nil, out, problem.Wrap(err, problem.Internal, "the stream could not be sealed")
	}
	if _, err := to.Write(head); err != nil {
		return nil, out, err
	}
	w, err := box.NewEncryptingWriter(to, bound)
	if err != nil {
		return nil, out, problem.Wrap(err, problem.Internal, "the stream could not be sealed")
	}
	return w, out, nil
}

// stream is what seals and opens a stream, and what its bytes are bound to.
func (k *keys) stream(line string, head []byte) (*subtle.AESGCMHKDF, []byte, error) {
	all, err := derived(k.handle, "partnerguard vault stream 1 "+line)
	if err != nil {
		return nil, nil, err
	}
	key := all[k.primary]
	defer func() {
		for _, sub := range all {
			clear(sub)
		}
	}()
	box, err := subtle.NewAESGCMHKDF(key, "SHA256", 32, streamSegment, 0)
	sum := sha256.Sum256(head)
	return box, sum[:], err
}

// PeekStream reads the head of a stream, of which nothing is verified yet: which
// master key it wants.
func PeekStream(from io.Reader, line string) (Sealed, error) {
	h, _, err := readStreamHead(from, line)
	return Sealed{h.Vault, h.Master, h.Made}, err
}

// OpenStream opens a stream with its master key. Reading fails where it was changed
// or cut; what was read before that is as it was written, and may not be all.
func OpenStream(ctx context.Context, from io.Reader, line string, m Master) (io.Reader, Sealed, error) {
	h, head, err := readStreamHead(from, line)
	if err != nil {
		return nil, Sealed{}, err
	}
	out := Sealed{h.Vault, h.Master, h.Made}
	k, err := unwrap(ctx, h.stored(), m)
	if err != nil {
		return nil, out, err
	}
	box, bound, err := k.stream(line, head)
	if err != nil {
		return nil, out, problem.Wrap(err, problem.Internal, "the stream could not be opened")
	}
	r, err := box.NewDecryptingReader(from, bound)
	if err != nil {
		return nil, out, badStream("it is cut short")
	}
	return &streamReader{r}, out, nil
}

// streamReader says in words what is wrong with a stream.
type streamReader struct{ r io.Reader }

func (s *streamReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, badStream("it was changed, or is cut short")
}

func badStream(why string) error {
	return problem.Wrap(ErrDamaged, problem.BadInput, "the file cannot be used: %s", why).WithHint("take another copy of it; nothing was changed")
}

func readStreamHead(from io.Reader, line string) (h header, head []byte, err error) {
	begin := make([]byte, len(line)+4)
	if len(line) < 3 || len(line) > maxStreamLine {
		return h, nil, problem.New(problem.Internal, "%q names no kind of stream", line)
	}
	n, err := io.ReadFull(from, begin)
	if err != nil || string(begin[:len(line)]) != line {
		if n >= len(line) && string(begin[:len(line)-2]) == line[:len(line)-2] {
			return h, nil, badStream("a newer partnerguard made it")
		}
		return h, nil, badStream("it is no " + line[:len(line)-3])
	}
	size := binary.BigEndian.Uint32(begin[len(line):])
	if size > maxStreamHead {
		return h, nil, badStream("its head is too long")
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(from, raw); err != nil {
		return h, nil, badStream("it is cut short")
	}
	if err := json.Unmarshal(raw, &h); err != nil || len(h.Wrapped) > maxKeyset || len(h.Keyset) > maxKeyset ||
		len(h.Params)+len(h.Vault)+len(h.Kind)+len(h.Master) > maxParams {
		return h, nil, badStream("its head cannot be read")
	}
	return h, append(begin, raw...), nil
}
