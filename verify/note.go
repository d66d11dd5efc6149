package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The kinds of keys of C2SP signed-note that packs have.
const (
	algEd25519  = 1 // of a trail
	algCosigner = 4 // of a witness (C2SP tlog-cosignature)
)

// key verifies signatures of a note.
type key struct {
	name string
	hash uint32
	alg  byte
	pub  ed25519.PublicKey
}

// parseKey reads a verifier's key: name+hash+base64(kind, key).
func parseKey(s string, alg byte) (*key, error) {
	parts := strings.SplitN(s, "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsAny(parts[0], " \t\n") {
		return nil, errors.New("it is none: NAME+HASH+KEY")
	}
	hash, err := hex.DecodeString(parts[1])
	raw, err2 := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || err2 != nil || len(hash) != 4 || len(raw) != 1+ed25519.PublicKeySize || raw[0] != alg && (alg != algCosigner || raw[0] != algEd25519) {
		return nil, errors.New("it is none of the kind that is used here")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	if !bytes.Equal(sum[:4], hash) {
		return nil, errors.New("its hash is not its own: it was mistyped")
	}
	raw[0] = alg // a witness may publish a key of the other kind: it cosigns with this one
	sum = sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	return &key{parts[0], binary.BigEndian.Uint32(sum[:]), alg, raw[1:]}, nil
}

const maxNote = 16 << 10

// note is a signed text.
type note struct {
	text string
	sigs []signature
}

type signature struct {
	name string
	hash uint32
	sig  []byte
}

// parseNote takes a signed note apart: a text, an empty line, and lines with signatures,
// each written the one way that base64 has.
func parseNote(raw []byte) (*note, error) {
	at := bytes.LastIndex(raw, []byte("\n\n"))
	if at < 0 || len(raw) > 4*maxNote {
		return nil, errors.New("it is no signed note")
	}
	n := &note{text: string(raw[:at+1])}
	for line := range strings.Lines(string(raw[at+2:])) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(fields) != 3 || fields[0] != "\u2014" || !strings.HasSuffix(line, "\n") {
			return nil, errors.New("a line of its signatures is none")
		}
		b, err := base64.StdEncoding.Strict().DecodeString(fields[2])
		if err != nil || len(b) < 5 || base64.StdEncoding.EncodeToString(b) != fields[2] {
			return nil, errors.New("a line of its signatures is none")
		}
		n.sigs = append(n.sigs, signature{fields[1], binary.BigEndian.Uint32(b), b[4:]})
	}
	if len(n.sigs) == 0 {
		return nil, errors.New("it is not signed")
	}
	return n, nil
}

// by says that a key signed the note. A signature that claims to be the key's and is not
// its own counts as none.
func (n *note) by(k *key) bool {
	for _, s := range n.sigs {
		if s.name != k.name || s.hash != k.hash {
			continue
		}
		msg, sig := n.text, s.sig
		if k.alg == algCosigner {
			if len(sig) != 8+ed25519.SignatureSize {
				return false
			}
			msg = fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), n.text)
			sig = sig[8:]
		}
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(k.pub, []byte(msg), sig)
	}
	return false
}

// checkpoint is where a trail stood (C2SP tlog-checkpoint).
type checkpoint struct {
	origin string
	size   int64
	root   hash
}

func parseCheckpoint(text string) (c checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return c, errors.New("it is no checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, ok := parseHash(lines[2])
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] || !ok {
		return c, errors.New("it is no checkpoint")
	}
	return checkpoint{lines[0], size, root}, nil
}

// UnmarshalJSON reads a hash in base64.
func (h *hash) UnmarshalJSON(raw []byte) error {
	of, ok := parseHash(strings.Trim(string(raw), `"`))
	if *h = of; !ok || raw[0] != '"' {
		return errors.New("it is no hash")
	}
	return nil
}

// parseHash reads a hash in base64, written the one way.
func parseHash(s string) (h hash, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(h) || base64.StdEncoding.EncodeToString(b) != s {
		return h, false
	}
	return hash(b), true
}
