package form

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
)

// Check names what does not hold.
type Check string

// The checks.
const (
	Structure   Check = "structure"   // the file is not a pack's, or something is missing, added or in another place
	Sum         Check = "sum"         // an entry is not the one that is listed
	Signature   Check = "signature"   // the manifest is not what was signed
	Key         Check = "key"         // it was signed by another key than the one that was asked for
	Stamp       Check = "stamp"       // the time stamp is not of this pack, or does not count
	Page        Check = "evidence"    // a page is not that of its segment
	Trail       Check = "trail"       // an entry is not in the trail of the checkpoint
	Checkpoints Check = "checkpoint"  // a checkpoint is not signed, or is of another trail
	Consistent  Check = "consistency" // one checkpoint is not the beginning of the next
	Redaction   Check = "redaction"   // what is left out is not what the rule says
	Verdicts    Check = "verdict"     // a verdict does not come out again
)

// Fault is one thing that does not hold.
type Fault struct {
	Check Check  `json:"check"`
	Where string `json:"where"` // the entry
	What  string `json:"what"`
}

// mostFaults bounds what is told of one pack.
const mostFaults = 32

// Verified is what a pack was found to be.
type Verified struct {
	Manifest *Manifest `json:"manifest,omitempty"`
	Faults   []Fault   `json:"faults"`
	More     int       `json:"more,omitempty"` // faults that are not listed
	Key      string    `json:"key"`            // what the signature was checked by
	// Pinned says that the key was given, and is not the pack's own word.
	Pinned      bool      `json:"pinned"`
	Entries     int       `json:"entries"`
	Pages       int64     `json:"pages"`
	PageBytes   int64     `json:"pageBytes"`
	Segments    int       `json:"segments"`
	Trail       int       `json:"trail"`       // entries of the trail
	Checkpoints int       `json:"checkpoints"` // signed
	Cosigned    int       `json:"cosigned"`    // cosignatures of checkpoints by the witnesses that were given
	Unchecked   int       `json:"unchecked"`   // cosignatures and stamps of checkpoints that nothing was given to check by
	First       time.Time `json:"first,omitzero"`
	Stamped     time.Time `json:"stamped,omitzero"` // by the stamp of the pack
	// Trusted says that the stamp comes from one of the roots that were given.
	Trusted bool `json:"trusted"`
}

func (v *Verified) fault(c Check, where, format string, args ...any) {
	v.add(c, where, problem.New(problem.Unmet, format, args...))
}

func (v *Verified) add(c Check, where string, err error) {
	if len(v.Faults) >= mostFaults {
		v.More++
		return
	}
	v.Faults = append(v.Faults, Fault{c, where, words(err)})
}

// Told adds a fault that somebody else found.
func (v *Verified) Told(c Check, where, what string) { v.fault(c, where, "%s", what) }

// Unreadable is what is found of a file that cannot be opened as a pack; an error of
// another kind stays one.
func Unreadable(err error) (*Verified, error) {
	if !errors.Is(err, problem.Unmet) {
		return nil, err
	}
	v := &Verified{}
	v.add(Structure, "the file", err)
	return v, nil
}

func words(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	return err.Error()
}

// Err is nil where it holds.
func (v *Verified) Err() error {
	if len(v.Faults) == 0 {
		return nil
	}
	f := v.Faults[0]
	return problem.New(problem.Unmet, "the pack does not hold: %s: %s: %s", f.Check, f.Where, f.What).
		WithHint("ask for the pack anew from who made it")
}

// Trust is what a pack is held to.
type Trust struct {
	Key       note.Verifier   // of the trail that it must be of; nil: the pack's own word is taken for it
	Witnesses []note.Verifier // whose cosignatures are checked
	Roots     *x509.CertPool  // whom the stamps must come from; nil: they are read, and not trusted
	Progress  func(done, total int64)
}

// Verify checks everything but that the verdicts come out again. What does not hold is
// in the result; an error says that it could not be read at all, or ctx ended.
func (r *Reader) Verify(ctx context.Context, t Trust) (*Verified, error) {
	v := &Verified{Faults: []Fault{}, Entries: len(r.items)}
	m, err := r.ReadManifest()
	if err != nil {
		if !errors.Is(err, problem.Unmet) {
			return v, err
		}
		v.add(Structure, ManifestName, err)
		return v, nil
	}
	v.Manifest, v.First = m, m.From
	c := &checker{Reader: r, Verified: v, m: m, trust: t, total: r.total()}
	c.signature()
	c.order()
	for _, check := range []func(context.Context) error{c.sums, c.trail, c.evidence, c.stamp} {
		if err := check(ctx); err != nil {
			return v, err
		}
	}
	return v, nil
}

func (r *Reader) total() (n int64) {
	for i := range r.items {
		n += r.items[i].size
	}
	return n
}

// checker is one verification.
type checker struct {
	*Reader
	*Verified
	m     *Manifest
	trust Trust
	key   note.Verifier
	kept  map[int64]kept // by the number of the entry in the trail: what it says of a segment
	sizes []int64        // of the checkpoints, each once
	roots []leaf.Hash
	done  int64
	total int64
}

func (c *checker) progress(n int64) {
	if c.done += n; c.trust.Progress != nil {
		c.trust.Progress(c.done, c.total)
	}
}

// signature checks the note.
func (c *checker) signature() {
	own, err := note.NewVerifier(c.m.Key)
	if err != nil || own.Name() != c.m.Trail {
		c.fault(Key, ManifestName, "its key cannot be read, or is of another trail than it says")
	}
	c.key = own
	if c.trust.Key != nil {
		c.Pinned, c.key = true, c.trust.Key
		if own != nil && (own.Name() != c.key.Name() || own.KeyHash() != c.key.KeyHash()) {
			c.fault(Key, ManifestName, "it says that it is signed by %.120q, and the key that was given is of %s+%08x", c.m.Key, c.key.Name(), c.key.KeyHash())
		}
	}
	if c.key == nil {
		return
	}
	c.Verified.Key = c.key.Name()
	raw, err := c.Read(NoteName, maxNote)
	if err != nil {
		c.add(Structure, NoteName, err)
		return
	}
	n, err := note.Open(raw, note.VerifierList(c.key))
	if err != nil || !canonicalNote(raw) {
		c.fault(Signature, NoteName, "it is not signed by %s, or was changed", c.key.Name())
		return
	}
	manifest, err := c.Read(ManifestName, maxManifest)
	if err != nil {
		c.add(Structure, ManifestName, err)
		return
	}
	if n.Text != noteText(c.m, manifest) {
		c.fault(Signature, ManifestName, "it is not the manifest that was signed: it was changed, or the note is of another pack")
	}
}

// order holds the entries of the file to what the manifest lists.
func (c *checker) order() {
	names := c.Names()
	for len(names) > 0 && isPage(names[0]) {
		names = names[1:]
	}
	var want []string
	for _, e := range c.m.Entries {
		want = append(want, e.Path)
	}
	want = append(want, ManifestName, NoteName)
	if c.m.Stamp {
		want = append(want, StampName)
	}
	if slices.Equal(names, want) {
		return
	}
	told := len(c.Faults)
	for _, n := range names {
		if !slices.Contains(want, n) {
			c.fault(Structure, n, "it is in the file, and no pack lists it")
		}
	}
	for _, n := range want {
		if !slices.Contains(names, n) {
			c.fault(Structure, n, "it is listed, and is not in the file")
		}
	}
	if len(c.Faults) == told {
		c.fault(Structure, ManifestName, "the entries of the file are in another order than it lists them")
	}
}

// sums holds each listed entry to its sum.
func (c *checker) sums(ctx context.Context) error {
	buf := make([]byte, 1<<18)
	for _, e := range c.m.Entries {
		n, ok := c.by[e.Path]
		if !ok {
			continue // said
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		in, _ := c.Reader.Open(e.Path)
		sum, crc := sha256.New(), crc32.NewIEEE()
		if _, err := io.CopyBuffer(io.MultiWriter(sum, crc), in, buf); err != nil {
			return problem.Wrap(err, problem.Unavailable, "%s cannot be read", e.Path)
		}
		switch {
		case in.Size() != e.Size || hex.EncodeToString(sum.Sum(nil)) != e.SHA256:
			c.fault(Sum, e.Path, "it is not the one that the manifest lists: it was changed")
		case crc.Sum32() != c.items[n].crc:
			c.fault(Structure, e.Path, "its CRC-32 is another than its header says")
		}
		c.progress(in.Size())
	}
	return nil
}

// need reads a small entry that is listed and must be there; nil where it cannot be, which
// is said.
func (c *checker) need(name string, most int64) []byte {
	if c.Size(name) < 0 {
		c.fault(Structure, name, "it is missing")
		return nil
	}
	b, err := c.Read(name, most)
	if err != nil {
		c.add(Structure, name, err)
	}
	return b
}
