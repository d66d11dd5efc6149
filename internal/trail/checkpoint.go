package trail

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Checkpoint is a statement of where a trail stood: its origin, the number of
// its entries, the root of their tree (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// maxNote bounds a signed checkpoint with its cosignatures, in bytes.
const maxNote = 16 << 10

func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// parseCheckpoint reads the text of a note. It has exactly three lines: ours have
// no extensions.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	refuse := func(why string) (Checkpoint, error) {
		return Checkpoint{}, problem.New(problem.BadInput, "it is no checkpoint: %s", why)
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return refuse("it does not have three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return refuse("its size is no number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) || base64.StdEncoding.EncodeToString(root) != lines[2] {
		return refuse("its hash is none")
	}
	return Checkpoint{lines[0], size, Hash(root)}, nil
}

// PeekNote reads a signed checkpoint without checking its signatures.
func PeekNote(raw []byte) (Checkpoint, error) {
	if len(raw) > maxNote {
		return Checkpoint{}, problem.New(problem.BadInput, "it is no checkpoint: it has %d bytes", len(raw))
	}
	text, _, ok := strings.Cut(string(raw), "\n\n")
	if !ok {
		return Checkpoint{}, problem.New(problem.BadInput, "it is no checkpoint: it is not signed")
	}
	return parseCheckpoint(text + "\n")
}

// OpenNote reads a signed checkpoint of which each verifier must have made a
// signature. Signatures of others are ignored.
func OpenNote(raw []byte, by ...note.Verifier) (Checkpoint, error) {
	c, err := PeekNote(raw)
	if err != nil {
		return c, err
	}
	n, err := note.Open(raw, note.VerifierList(by...))
	if err != nil || len(n.Sigs) < len(by) {
		return c, problem.New(problem.BadInput, "the checkpoint of %d entries is not signed by %s", c.Size, names(by))
	}
	for _, v := range by {
		found := false
		for _, s := range n.Sigs {
			found = found || s.Name == v.Name() && s.Hash == v.KeyHash()
		}
		if !found {
			return c, problem.New(problem.BadInput, "the checkpoint of %d entries is not signed by %s", c.Size, v.Name())
		}
	}
	return parseCheckpoint(n.Text)
}

func names(by []note.Verifier) string {
	var list []string
	for _, v := range by {
		list = append(list, v.Name())
	}
	return strings.Join(list, " and ")
}

// origin names a trail in checkpoints.
func origin(id string) string { return "partnerguard/trail/" + id[:32] }

// Origin is the name of this trail in its checkpoints.
func (t *Trail) Origin(ctx context.Context) (string, error) {
	_, id, err := t.head(ctx)
	if err != nil {
		return "", err
	}
	return origin(id), nil
}

// Vault is where the signing key is sealed; [vault.Vault] is one.
type Vault interface {
	Get(ctx context.Context, r vault.Ref) (secret.Text, error)
	Put(ctx context.Context, r vault.Ref, s secret.Text) error
}

// Signer signs checkpoints of one trail.
type Signer struct {
	note.Signer
	verifier note.Verifier
	key      string // what verifies, as text
}

// Verifier checks what the signer signs.
func (s *Signer) Verifier() note.Verifier { return s.verifier }

// Key is the verifier's key as text (C2SP signed-note): not secret, to be kept
// where the database's owner cannot write.
func (s *Signer) Key() string { return s.key }

// OpenSigner opens the key of this trail; problem.NotFound when there is none.
func (t *Trail) OpenSigner(ctx context.Context, v Vault) (*Signer, error) {
	o, err := t.Origin(ctx)
	if err != nil {
		return nil, err
	}
	s, err := v.Get(ctx, keyRef(o))
	if err != nil {
		return nil, err
	}
	return newSigner(o, s)
}

func keyRef(origin string) vault.Ref {
	return vault.Ref{Purpose: "trail-key", Owner: origin, Name: "ed25519"}
}

// Signer opens the key of this trail, and makes it where none was ever made. A
// key that the trail says was made and the vault does not have is not made anew.
func (t *Trail) Signer(ctx context.Context, v Vault) (*Signer, error) {
	signer, err := t.OpenSigner(ctx, v)
	if !errors.Is(err, problem.NotFound) {
		return signer, err
	}
	o, err := t.Origin(ctx)
	if err != nil {
		return nil, err
	}
	ref := keyRef(o)
	made, err := t.Search(ctx, Query{Action: string(audit.TrailKey), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(made.Entries) > 0 {
		return nil, problem.New(problem.Conflict,
			"the key that signs the trail's checkpoints is gone from the vault, and entry %d says that it was made", made.Entries[0].Seq).
			WithHint("restore the vault from a backup")
	}
	err = t.db.InTx(ctx, func(ctx context.Context) error {
		// The head's lock makes one of two processes wait for the other.
		if err := t.take(ctx, &known{}); err != nil {
			return err
		}
		s, err := v.Get(ctx, ref)
		if err == nil {
			signer, err = newSigner(o, s)
			return err
		}
		if !errors.Is(err, problem.NotFound) {
			return err
		}
		text, _, err := note.GenerateKey(rand.Reader, o)
		if err != nil {
			return problem.Wrap(err, problem.Internal, "no key could be made")
		}
		s = secret.New(text)
		if signer, err = newSigner(o, s); err != nil {
			return err
		}
		if err := v.Put(ctx, ref, s); err != nil {
			return err
		}
		return t.Record(ctx, audit.Event{Action: audit.TrailKey, Outcome: audit.Done, Actor: "system:trail", Object: o,
			Details: map[string]string{"key": signer.key}})
	})
	return signer, err
}

func newSigner(origin string, s secret.Text) (*Signer, error) {
	damaged := problem.New(problem.BadInput, "the key that signs the trail's checkpoints cannot be used")
	n, err := note.NewSigner(s.Reveal())
	if err != nil || n.Name() != origin {
		return nil, damaged
	}
	pub, err := publicKey(s.Reveal())
	if err != nil {
		return nil, damaged
	}
	key, err := note.NewEd25519VerifierKey(origin, pub)
	if err != nil {
		return nil, damaged
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, damaged
	}
	return &Signer{n, v, key}, nil
}

// Sign signs where the trail stands, and gives the checkpoint with its note.
func (t *Trail) sign(ctx context.Context, s *Signer) (Checkpoint, tree, []byte, error) {
	at, id, err := t.head(ctx)
	if err != nil {
		return Checkpoint{}, at, nil, err
	}
	c := Checkpoint{origin(id), at.size, Hash(at.root())}
	if c.Origin != s.Name() {
		return c, at, nil, problem.New(problem.Conflict, "the trail is another one than the key's")
	}
	// What this process signed before must be the beginning of what it signs now.
	t.mu.Lock()
	signed := t.signed
	t.mu.Unlock()
	if signed.Size > at.size {
		return c, at, nil, problem.New(problem.Conflict,
			"the trail had %d entries and has %d: its end was cut off", signed.Size, at.size)
	}
	if signed.Size > 0 {
		was, err := t.rootAt(ctx, at, signed.Size)
		if err != nil {
			return c, at, nil, err
		}
		if was != signed.Root {
			return c, at, nil, problem.New(problem.Conflict,
				"the trail was written anew: its first %d entries are not those that were signed", signed.Size)
		}
	}
	raw, err := note.Sign(&note.Note{Text: c.text()}, s)
	if err != nil {
		return c, at, nil, problem.Wrap(err, problem.Internal, "the checkpoint could not be signed")
	}
	t.mu.Lock()
	if t.signed.Size <= c.Size {
		t.signed = c
	}
	t.mu.Unlock()
	return c, at, raw, nil
}

// prove is the proof (RFC 6962 section 2.1.2) that the tree of old entries is the
// beginning of the tree now.
func (t *Trail) prove(ctx context.Context, now tree, old int64) ([]Hash, error) {
	if old <= 0 || old == now.size {
		return nil, nil
	}
	p, err := tlog.ProveTree(now.size, old, t.reader(ctx, now))
	if err != nil {
		return nil, torn(err)
	}
	list := make([]Hash, len(p))
	for i, h := range p {
		list[i] = Hash(h)
	}
	return list, nil
}

// publicKey is the public half of a note's signing key, which the note package
// does not give: PRIVATE+KEY+name+hash+base64(1, seed).
func publicKey(text string) (ed25519.PublicKey, error) {
	parts := strings.SplitN(text, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("no seed")
	}
	defer clear(raw)
	return ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey), nil
}
