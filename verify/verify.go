package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

const formName = "partnerguard-pack/1"

// Trust is what a pack is held to.
type Trust struct {
	Key       *key
	Witnesses []*key
	Roots     *x509.CertPool
}

// Fault is one thing that does not hold. Check is a word of docs/pack-form.md.
type Fault struct{ Check, Where, What string }

// Verified is what a pack was found to be.
type Verified struct {
	Manifest *Manifest
	Faults   []Fault
	Key      string
	// Pinned says that the key was given, Trusted that the stamp comes from a given root.
	Pinned, Trusted                                                   bool
	Stamped                                                           time.Time
	More, Entries, Segments, Trail, Checkpoints, Witnessed, Unchecked int
	Pages, PageBytes, Frames                                          int64
}

func (v *Verified) fault(check, where, format string, args ...any) {
	if len(v.Faults) >= 32 {
		v.More++
		return
	}
	v.Faults = append(v.Faults, Fault{check, where, printable(fmt.Sprintf(format, args...))})
}

// Manifest is what a pack says of itself.
type Manifest struct {
	Form, Name, Tool, Tenant, Customer string
	From, To, AsOf, Since, Made        time.Time
	Reader, Agreement, Book, Evidence  string
	Redaction, Kept, Lacking           []string
	Leaves                             *Counts
	Stamp                              bool
	Key, Trail, Unjudged               string
	Pages                              struct{ Count, Bytes int64 }
	Entries                            []struct {
		Path, Kind, SHA256 string
		Size               int64
	}
	Verdicts []struct {
		Requirement, Verdict, Reason string
		AsOf                         time.Time
		Affected, Total              int
	}
	Recounted []struct {
		Requirement     string
		Affected, Total int
	}
}

// decode reads JSON strictly: no member that is not known, none twice, nothing behind.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil || !single(json.NewDecoder(bytes.NewReader(raw))) {
		return errors.New("it is not what a pack has")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something is behind its end")
	}
	return nil
}

// single says that no object of the next value has a member twice, in whatever case.
func single(d *json.Decoder) bool {
	t, err := d.Token()
	open, ok := t.(json.Delim)
	for seen := map[string]bool{}; ok && err == nil && d.More(); {
		if open == '{' {
			t, err = d.Token()
			name, _ := t.(string)
			name = strings.ToLower(name)
			if seen[name] {
				return false
			}
			seen[name] = true
		}
		if !single(d) {
			return false
		}
	}
	if ok && err == nil {
		_, err = d.Token() // the end
	}
	return err == nil
}

// decode reads an entry of at most so many bytes as JSON.
func (c *checker) decode(name string, most int64, v any) error {
	raw, err := c.a.whole(name, most)
	if err == nil {
		err = decode(raw, v)
	}
	return err
}

var (
	sumForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	pageForm = regexp.MustCompile(`^evidence/[^/]+/(?:0|[1-9][0-9]{0,9})\.(?:page|cut)$`)
	idForm   = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{0,63}$`)
	packForm = regexp.MustCompile(`^[0-9a-z][0-9a-z.-]{0,127}$`)
)

func (m *Manifest) check() error {
	ordered := func(list []string) bool {
		return slices.IsSorted(list) && len(slices.Compact(slices.Clone(list))) == len(list) && !slices.Contains(list, "")
	}
	switch {
	case m.Form != formName:
		return fmt.Errorf("it is of the form %.80q, and this program knows %s", m.Form, formName)
	case !packForm.MatchString(m.Name) || !idForm.MatchString(m.Tenant) || m.Customer != "" && !idForm.MatchString(m.Customer):
		return errors.New("it has no name, or no tenant")
	case !m.From.Before(m.To) || m.AsOf.Before(m.From) || m.AsOf.After(m.To) || m.Made.IsZero() || m.Since.IsZero():
		return errors.New("its period is none")
	case !slices.Contains([]string{"auditor", "insurer", "microsoft", "customer"}, m.Reader),
		!slices.Contains([]string{"all", "deciding", "none"}, m.Evidence), m.Evidence == "none" && m.Pages.Count != 0:
		return errors.New("it does not say for whom it is, or which evidence is in it")
	case !slices.Contains([]string{"", "names", "addresses", "addresses names"}, strings.Join(m.Redaction, " ")),
		!ordered(m.Kept), !ordered(m.Lacking), (m.Leaves != nil) != (len(m.Redaction) > 0), len(m.Kept) > 0 && m.Leaves == nil:
		return errors.New("its redaction is none, or one that this program does not know")
	}
	said := map[string]bool{}
	for _, v := range m.Verdicts {
		of := v.Requirement + v.AsOf.UTC().String()
		if said[of] || len(said) > 1<<16 {
			return fmt.Errorf("it has two verdicts of %.80q, or more than any", v.Requirement)
		}
		said[of] = true
	}
	for _, e := range m.Entries {
		if !fileName.MatchString(e.Path) || e.Size < 0 || e.Size > maxEntry || !sumForm.MatchString(e.SHA256) || pageForm.MatchString(e.Path) ||
			slices.Contains([]string{"pack.json", "pack.note", "pack.tsr"}, e.Path) {
			return fmt.Errorf("it lists %.80q, which cannot be", e.Path)
		}
	}
	return nil
}

// checker is one verification.
type checker struct {
	*Verified
	a     *archive
	m     *Manifest
	trust Trust
	key   *key
	kept  map[int64]entry // by the number of the entry in the trail
	sizes []int64         // of the checkpoints, each once
	roots []hash
}

// Verify checks a pack.
func Verify(src io.ReaderAt, size int64, t Trust) *Verified {
	v := &Verified{}
	a, err := openZip(src, size)
	if err != nil {
		v.fault("structure", "the file", "%s", err)
		return v
	}
	v.Entries = len(a.files)
	raw, err := a.whole("pack.json", 8<<20)
	m := &Manifest{}
	if err == nil {
		err = decode(raw, m)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		v.fault("structure", "pack.json", "%s", err)
		return v
	}
	v.Manifest = m
	c := &checker{Verified: v, a: a, m: m, trust: t}
	c.signature(raw)
	c.order()
	c.sums()
	c.trail()
	c.evidence()
	c.stamp()
	return v
}

// signature checks who signed the manifest.
func (c *checker) signature(raw []byte) {
	own, err := parseKey(c.m.Key, algEd25519)
	if err != nil || own.name != c.m.Trail {
		c.fault("key", "pack.json", "its key cannot be read, or is of another trail than it says")
	}
	c.key = own
	if k := c.trust.Key; k != nil {
		if own != nil && (own.name != k.name || own.hash != k.hash) {
			c.fault("key", "pack.json", "it says that it is signed by %.120q, and the key that was given is of %s", c.m.Key, k.name)
		}
		c.key, c.Pinned = k, true
	}
	if c.key == nil {
		return
	}
	c.Key = c.key.name
	signed, err := c.a.whole("pack.note", maxNote)
	if err != nil {
		c.fault("structure", "pack.note", "%s", err)
		return
	}
	n, err := c.signed(signed)
	if err != nil {
		c.fault("signature", "pack.note", "it is not signed by %s, or was changed", c.key.name)
		return
	}
	sum := sha256.Sum256(raw)
	period := c.m.From.UTC().Format(time.RFC3339Nano) + "/" + c.m.To.UTC().Format(time.RFC3339Nano)
	if n.text != formName+"\n"+c.m.Name+"\n"+hex.EncodeToString(sum[:])+"\n"+period+"\n" {
		c.fault("signature", "pack.json", "it is not the manifest that was signed: it was changed, or the note is of another pack")
	}
}

// order holds the entries of the file to what the manifest lists.
func (c *checker) order() {
	var have, want []string
	for _, f := range c.a.files {
		if len(have) > 0 || !pageForm.MatchString(f.name) {
			have = append(have, f.name)
		}
	}
	for _, e := range c.m.Entries {
		want = append(want, e.Path)
	}
	want = append(want, "pack.json", "pack.note")
	if c.m.Stamp {
		want = append(want, "pack.tsr")
	}
	if slices.Equal(have, want) {
		return
	}
	told := len(c.Faults)
	for _, n := range slices.Concat(have, want) {
		if !slices.Contains(want, n) {
			c.fault("structure", n, "it is in the file, and no pack lists it")
		} else if !slices.Contains(have, n) {
			c.fault("structure", n, "it is listed, and is not in the file")
		}
	}
	if len(c.Faults) == told {
		c.fault("structure", "pack.json", "the entries of the file are in another order than it lists them")
	}
}

// sumOf reads an entry and says what it is.
func (c *checker) sumOf(name string) (sum string, size int64, err error) {
	in, f, err := c.a.open(name)
	if err != nil {
		return "", 0, err
	}
	h, crc := sha256.New(), crc32.NewIEEE()
	if _, err := io.Copy(io.MultiWriter(h, crc), bufio.NewReaderSize(in, 1<<18)); err != nil {
		return "", 0, err
	}
	if crc.Sum32() != f.crc {
		err = errors.New("its CRC-32 is another than its header says: a byte of it was changed")
	}
	return hex.EncodeToString(h.Sum(nil)), f.size, err
}

func (c *checker) sums() {
	for _, e := range c.m.Entries {
		if _, ok := c.a.by[e.Path]; !ok {
			continue // said
		}
		sum, size, err := c.sumOf(e.Path)
		if sum != e.SHA256 || size != e.Size {
			c.fault("sum", e.Path, "it is not the one that the manifest lists: it was changed")
		} else if err != nil {
			c.fault("structure", e.Path, "%s", err)
		}
	}
}

// lines calls each with every line of an entry, all of which end in a line feed.
func (c *checker) lines(name string, most int, each func(n int, line []byte) error) error {
	in, _, err := c.a.open(name)
	if err != nil {
		return err
	}
	s, n := bufio.NewScanner(in), 0
	s.Buffer(nil, most+1)
	s.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if end && len(data) > 0 {
			return 0, nil, errors.New("it ends within a line")
		}
		return 0, nil, nil
	})
	for s.Scan() {
		n++
		if err := each(n, s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}
