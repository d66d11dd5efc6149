package vault

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
)

// ErrForged says that a marked row of the database is not as partnerguard wrote
// it: it was changed, made or moved by something else. Use errors.Is.
var ErrForged = errors.New("forged")

// Book names a table whose rows carry a mark in their column "mark": a MAC over
// the table's name, the book's version, and the values of the key and of the
// columns, under a subkey of the vault. A room that keeps rows which grant
// something has one Book a table; all names come from code.
type Book struct {
	Table   string
	Version int      // of what the columns mean; a row of another version does not fit
	Key     []string // the primary key, text
	Columns []string // what is covered beside it, text or integer
}

// The layout of a mark: a version, the id of the key of the keyset it was made
// under in four bytes, HMAC-SHA256.
const (
	markVersion = 1
	markPrefix  = 1 + 4
	markLen     = markPrefix + sha256.Size
)

func markBegins(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{markVersion}, id)
}

// subkeys derives the key of the marks from each key of the keyset, by HKDF
// (RFC 5869): so they change, retire and are backed up together with it.
func subkeys(h *keyset.Handle) (map[uint32][]byte, error) {
	return derived(h, "partnerguard vault marks 1")
}

// derived gives a key for a purpose from each key of the keyset.
func derived(h *keyset.Handle, purpose string) (map[uint32][]byte, error) {
	out := map[uint32][]byte{}
	for i := range h.Len() {
		e, err := h.Entry(i)
		if err != nil {
			return nil, err
		}
		k, ok := e.Key().(*xchacha20poly1305.Key)
		if !ok {
			return nil, errors.New("a key of the vault is of another kind")
		}
		raw := k.KeyBytes().Data(insecuresecretdataaccess.Token{})
		sub, err := hkdf.Key(sha256.New, raw, nil, purpose, sha256.Size)
		clear(raw)
		if err != nil {
			return nil, err
		}
		out[e.KeyID()] = sub
	}
	return out, nil
}

// sum is the mark's MAC. Each value stands after its kind and length, so that
// no two rows have the same bytes.
func (b *Book) sum(key []byte, values []any) ([]byte, error) {
	if len(values) != len(b.Key)+len(b.Columns) {
		return nil, problem.New(problem.Internal, "a row of %s has %d marked values, not %d", b.Table, len(b.Key)+len(b.Columns), len(values))
	}
	data := bind("partnerguard marked row", "1", b.Table, fmt.Sprint(b.Version))
	for _, v := range values {
		switch v := v.(type) {
		case string:
			data = append(binary.BigEndian.AppendUint64(append(data, 's'), uint64(len(v))), v...)
		case int64:
			data = binary.BigEndian.AppendUint64(append(data, 'i'), uint64(v))
		default:
			return nil, problem.New(problem.Internal, "a row of %s has a value of a kind that is not marked", b.Table)
		}
	}
	m := hmac.New(sha256.New, key)
	m.Write(data)
	return m.Sum(nil), nil
}

func (k *keys) mark(b *Book, values []any) ([]byte, error) {
	sum, err := b.sum(k.marks[k.primary], values)
	if err != nil {
		return nil, err
	}
	return append(markBegins(k.primary), sum...), nil
}

// fits gives the reason why a mark does not fit, nil when it does.
func (k *keys) fits(b *Book, mark []byte, values []any) error {
	switch {
	case len(mark) == 0:
		return errors.New("it has no mark")
	case len(mark) != markLen || mark[0] != markVersion:
		return errors.New("its mark is none")
	}
	key := k.marks[binary.BigEndian.Uint32(mark[1:markPrefix])]
	if key == nil {
		return errors.New("it is marked under a key that this vault does not have")
	}
	sum, err := b.sum(key, values)
	if err != nil {
		return err
	}
	if !hmac.Equal(sum, mark[markPrefix:]) {
		return errors.New("its mark does not fit: it was changed, or is another row's")
	}
	return nil
}

// ref names a marked row among what is damaged.
func (b *Book) ref(values []any) Ref {
	var key []string
	for i := range min(len(b.Key), len(values)) {
		s, _ := values[i].(string)
		key = append(key, strings.ToValidUTF8(s[:min(len(s), MaxName/2)], "?"))
	}
	return Ref{Purpose: "row", Owner: b.Table, Name: strings.Join(key, " ")}
}

// Mark gives the mark of a row that is about to be written in the transaction
// that ctx carries: values of the key, then of the columns, as strings and int64.
func (v *Vault) Mark(ctx context.Context, b *Book, values ...any) ([]byte, error) {
	k, err := v.currentKeys(ctx, v.q())
	if err != nil {
		return nil, err
	}
	return k.mark(b, values)
}

// Fits holds a row that was read to its mark. The error is [ErrForged] and
// names the row; it is logged and recorded, once an hour a row.
func (v *Vault) Fits(ctx context.Context, b *Book, mark []byte, values ...any) error {
	k := v.cached()
	reason := k.fits(b, mark, values)
	if reason != nil && len(mark) == markLen {
		// It may be marked under a key that another process made a moment ago.
		newer, err := v.load(ctx, v.q())
		if err != nil {
			return err
		}
		if newer.generation != k.generation {
			reason = newer.fits(b, mark, values)
		}
	}
	if reason == nil {
		return nil
	}
	r := b.ref(values)
	if v.db.Tx(ctx) != nil {
		// The caller gives its transaction up, and a record in it would go too.
		v.log.ErrorContext(ctx, "a row of the database is not as it was written", "row", r.String(), "reason", reason.Error())
		return forged(r, reason)
	}
	return errors.Join(forged(r, reason), v.tellForged(ctx, r, reason))
}

// Other is the refusal, an [ErrForged], of a row that the database gave where
// another one was asked for: its mark fits, and its key is not the one of the
// question. What a statement's conditions mean is up to whoever owns the schema,
// by a view, a collation or an operator, so a reader compares the key itself.
func Other(b *Book, asked string) error {
	return forged(b.ref([]any{asked}), errors.New("the database gave another row when it was asked for this one"))
}

func forged(r Ref, reason error) error {
	return problem.Wrap(ErrForged, problem.BadInput, "the row %q of %s in the database is not as partnerguard wrote it: %s", r.Name, r.Owner, reason).
		WithHint("something else wrote into the database: find out what; partnerguard vault check lists every such row")
}

// tellForged logs and records a row that does not fit, once an hour a row.
func (v *Vault) tellForged(ctx context.Context, r Ref, reason error) error {
	if !v.news(r) {
		return nil
	}
	v.log.ErrorContext(ctx, "a row of the database is not as it was written", "row", r.String(), "reason", reason.Error())
	return v.record(ctx, audit.Event{Action: audit.RowForged, Outcome: audit.Refused, Object: r.String(), Reason: reason.Error()})
}
