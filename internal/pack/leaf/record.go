package leaf

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// SaltSize is how many bytes a salt has.
const SaltSize = 16

// Leaf is a scalar with its salt; or, left out, what stands for it.
type Leaf struct {
	Path  string
	Raw   []byte // the value as JSON; of a leaf that is left out, its pseudonym as a JSON text
	Salt  []byte // nil: it is left out
	Inner Hash
}

// Record is one of a page. A record without leaves is withheld: it is there by its root.
type Record struct {
	Leaves []Leaf
	Root   Hash
}

// Salter gives the salts of a segment. For one goroutine.
type Salter struct {
	segment string
	mac     hash.Hash
	buf     []byte
}

// NewSalter makes the salts of a segment out of a key of the vault. Whoever has the key
// can tell what was left out by trying; nobody else can.
func NewSalter(key []byte, segment string) *Salter {
	return &Salter{segment: segment, mac: hmac.New(sha256.New, key)}
}

// record is what the salts of a record are made of.
func (s *Salter) record(index int64, n int) (key [sha256.Size]byte) {
	s.mac.Reset()
	s.buf = append(append(s.buf[:0], "partnerguard-leaf-1\n"...), s.segment...)
	s.buf = strconv.AppendInt(append(s.buf, '\n'), index, 10)
	s.buf = strconv.AppendInt(append(s.buf, '\n'), int64(n), 10)
	s.mac.Write(s.buf)
	s.mac.Sum(key[:0])
	return key
}

// Salt makes record n of an entry of its scalars, which may be reused then.
func (s *Salter) Salt(index int64, n int, scalars []Scalar) *Record {
	key := s.record(index, n)
	r := &Record{Leaves: make([]Leaf, len(scalars))}
	salts := make([]byte, SaltSize*len(scalars))
	var in [sha256.Size + 8]byte
	copy(in[:], key[:])
	for i, v := range scalars {
		binary.BigEndian.PutUint64(in[sha256.Size:], uint64(i)) //nolint:gosec // of a list
		sum := sha256.Sum256(in[:])
		salt := salts[i*SaltSize : (i+1)*SaltSize : (i+1)*SaltSize]
		copy(salt, sum[:])
		r.Leaves[i] = Leaf{Path: v.Path, Raw: v.Raw, Salt: salt, Inner: inner(salt, v.Raw)}
	}
	r.Root = r.root()
	return r
}

// Root is the root that Salt gives, without the record.
func (s *Salter) Root(index int64, n int, scalars []Scalar) Hash {
	key := s.record(index, n)
	var t Stack
	var in [sha256.Size + 8]byte
	copy(in[:], key[:])
	for i, v := range scalars {
		binary.BigEndian.PutUint64(in[sha256.Size:], uint64(i)) //nolint:gosec // of a list
		sum := sha256.Sum256(in[:])
		s.buf = append(append(s.buf[:0], sum[:SaltSize]...), v.Raw...)
		at := sha256.Sum256(s.buf)
		s.buf = appendLeaf(s.buf[:0], v.Path, at)
		t.Add(sha256.Sum256(s.buf))
	}
	return t.Root()
}

func inner(salt, raw []byte) Hash {
	h := sha256.New()
	h.Write(salt)
	h.Write(raw)
	return Hash(h.Sum(nil))
}

func appendLeaf(b []byte, path string, inner Hash) []byte {
	b = binary.AppendUvarint(append(b, 0), uint64(len(path)))
	return append(append(b, path...), inner[:]...)
}

func (r *Record) root() Hash {
	var t Stack
	var b []byte
	for i := range r.Leaves {
		b = appendLeaf(b[:0], r.Leaves[i].Path, r.Leaves[i].Inner)
		t.Add(sha256.Sum256(b))
	}
	return t.Root()
}

// Over is the hash of a record or a page as a leaf of what it is in.
func Over(root Hash) Hash { return tlog.RecordHash(root[:]) }

// Opaque is the one scalar of a page that cannot be cut. It is never shown.
func Opaque(body []byte) []Scalar { return []Scalar{{"", body}} }

// appendText appends a JSON text.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// Append writes a record as a line of JSON: a list with, of each leaf, a list of its
// path, its salt and its value, or of its path, null, its pseudonym and its inner hash;
// or the root of one that is withheld, as a text.
func (r *Record) Append(b []byte) []byte {
	if r.Leaves == nil {
		return append(append(append(b, '"'), hex.EncodeToString(r.Root[:])...), '"', '\n')
	}
	b = append(b, '[')
	for i := range r.Leaves {
		if i > 0 {
			b = append(b, ',')
		}
		l := &r.Leaves[i]
		b = append(appendText(append(b, '['), l.Path), ',')
		if l.Salt == nil {
			b = append(append(append(b, "null,"...), l.Raw...), ',', '"')
			b = append(base64.StdEncoding.AppendEncode(b, l.Inner[:]), '"')
		} else {
			b = base64.StdEncoding.AppendEncode(append(b, '"'), l.Salt)
			b = append(append(b, '"', ','), l.Raw...)
		}
		b = append(b, ']')
	}
	return append(b, ']', '\n')
}

var errLine = problem.New(problem.BadInput, "a line of it is no record that was cut")

// MaxLine bounds a record that is read, in bytes: a page is not more, and what is said
// of its scalars.
const MaxLine = 512 << 20

// root32 reads a withheld record.
func root32(s string) (h Hash, ok bool) {
	if len(s) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(s))
	return h, err == nil && strings.ToLower(s) == s
}
