package form

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

const (
	maxManifest = 8 << 20 // a list of many small things takes some thirty times as much memory
	maxNote     = 16 << 10
	maxStamp    = 64 << 10
	maxVerdicts = 1 << 16
)

// Encode writes a value of a pack as JSON: one way only.
func Encode(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent(" "))
	return append(b, '\n'), err
}

// Line writes it on one line.
func Line(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true))
	return append(b, '\n'), err
}

func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return problem.Wrap(err, problem.Unmet, "it is not what this program writes")
	}
	return nil
}

// ReadManifest reads what a pack says of itself, and refuses what cannot be. Whether it
// is true is for [Reader.Verify].
func (r *Reader) ReadManifest() (*Manifest, error) {
	raw, err := r.Read(ManifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := decode(raw, m); err != nil {
		return nil, problem.Wrap(err, problem.Unmet, "%s cannot be read: %s", ManifestName, err)
	}
	return m, m.Check()
}

var (
	packName = pattern.Later(`^[0-9a-z][0-9a-z.-]{0,127}$`)
	sumForm  = pattern.Later(`^[0-9a-f]{64}$`)
)

// IsPack says that a text may name a pack.
func IsPack(s string) bool { return packName.MatchString(s) }

// IsReader says that a pack may be for somebody.
func IsReader(s string) bool {
	return slices.Contains([]string{"auditor", "insurer", "microsoft", "customer"}, s)
}

// Check refuses a manifest that no pack has.
func (m *Manifest) Check() error {
	bad := func(format string, args ...any) error { return broken(ManifestName+": "+format, args...) }
	switch {
	case m.Form != Form:
		return broken("it is of the form %.80q, and this program knows %s", m.Form, Form).WithHint("use the newer program")
	case !IsPack(m.Name) || !segment.IsTenant(m.Tenant) || m.Customer != "" && !segment.IsTenant(m.Customer):
		return bad("it has no name, or no tenant")
	case !m.From.Before(m.To) || m.Made.IsZero() || m.Since.IsZero() || m.AsOf.Before(m.From) || m.AsOf.After(m.To):
		return bad("its period is none")
	case !IsReader(m.Reader):
		return bad("it is for %.40q, whom no pack is for", m.Reader)
	case m.Evidence != All && m.Evidence != Deciding && m.Evidence != None:
		return bad("its evidence is %.40q", m.Evidence)
	case m.Pages.Count < 0 || m.Pages.Bytes < 0 || m.Evidence == None && m.Pages.Count > 0:
		return bad("it counts pages that cannot be")
	case len(m.Verdicts) > maxVerdicts || len(m.Entries) > MaxEntries:
		return bad("it is longer than any")
	case !sorted(m.Redaction) || !sorted(m.Kept) || !sorted(m.Lacking) || (m.Leaves != nil) != (len(m.Redaction) > 0):
		return bad("its redaction is none")
	case len(m.Kept) > 0 && len(m.Redaction) == 0:
		return bad("it keeps members that no rule leaves out")
	}
	if err := m.recounts(); err != nil {
		return err
	}
	for _, word := range m.Redaction {
		if word != Names && word != Addresses {
			return bad("it has a redaction by %.40q, which this program does not know", word)
		}
	}
	said := make(map[string]bool, len(m.Verdicts))
	for i := range m.Verdicts {
		of := m.Verdicts[i].Requirement + "\n" + moment(m.Verdicts[i].AsOf)
		if said[of] {
			return bad("it has two verdicts of %.80q", m.Verdicts[i].Requirement)
		}
		said[of] = true
	}
	for _, e := range m.Entries {
		if !IsName(e.Path) || e.Size < 0 || e.Size > MaxEntry || !sumForm.MatchString(e.SHA256) || isPage(e.Path) ||
			e.Path == ManifestName || e.Path == NoteName || e.Path == StampName {
			return bad("it lists %.80q, which cannot be", e.Path)
		}
	}
	return nil
}

// recounts refuses counts that nothing was left out of, or of what is known.
func (m *Manifest) recounts() error {
	for i, x := range m.Recounted {
		unknown := slices.ContainsFunc(m.Verdicts, func(v Verdict) bool {
			return v.Requirement == x.Requirement && v.Verdict == Unknown && (v.Affected != x.Affected || v.Total != x.Total)
		})
		if len(m.Redaction) == 0 || !unknown || i > 0 && m.Recounted[i-1].Requirement >= x.Requirement {
			return broken(ManifestName+": it counts %.80q twice, and nothing that was left out is the cause", x.Requirement)
		}
	}
	return nil
}

// sorted says that each is less than the next.
func sorted(list []string) bool {
	for i, s := range list {
		if s == "" || i > 0 && s <= list[i-1] {
			return false
		}
	}
	return true
}

// Rule is the rule of the redaction; nil where there is none.
func (m *Manifest) Rule() *leaf.Rule {
	if len(m.Redaction) == 0 {
		return nil
	}
	r := &leaf.Rule{Names: slices.Contains(m.Redaction, Names), Addresses: slices.Contains(m.Redaction, Addresses), Keep: map[string]bool{}}
	for _, k := range m.Kept {
		r.Keep[k] = true
	}
	return r
}

// Period is the period as the note has it.
func (m *Manifest) Period() string { return moment(m.From) + "/" + moment(m.To) }

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// noteText is what is signed.
func noteText(m *Manifest, raw []byte) string {
	sum := sha256.Sum256(raw)
	return Form + "\n" + m.Name + "\n" + hex.EncodeToString(sum[:]) + "\n" + m.Period() + "\n"
}

// Sign signs a manifest as it is written.
func Sign(m *Manifest, raw []byte, by note.Signer) ([]byte, error) {
	if len(raw) > maxManifest {
		return nil, problem.New(problem.Limit, "%s would have %d bytes, and no reader takes more than %d", ManifestName, len(raw), maxManifest).
			WithHint("a shorter period")
	}
	out, err := note.Sign(&note.Note{Text: noteText(m, raw)}, by)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the pack could not be signed")
	}
	return out, nil
}

// canonicalNote says that a signed note has exactly one signature, written the one way
// that base64 has.
func canonicalNote(raw []byte) bool {
	_, sigs, ok := bytes.Cut(raw, []byte("\n\n"))
	line, rest, found := strings.Cut(string(sigs), "\n")
	if !ok || !found || rest != "" || !strings.HasPrefix(line, "\u2014 ") {
		return false
	}
	_, text, _ := strings.Cut(strings.TrimPrefix(line, "\u2014 "), " ")
	sig, err := base64.StdEncoding.Strict().DecodeString(text)
	return err == nil && base64.StdEncoding.EncodeToString(sig) == text
}
