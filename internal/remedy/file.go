package remedy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"partnerguard/internal/problem"
)

// Limits of a plan's file.
const (
	MaxFile  = 4 << 20
	MaxSteps = 2000
)

// ReadFile reads a plan strictly. Unknown members, members given twice, steps out of
// order, keys that nothing makes, ids that are none: each is an error of kind
// problem.BadInput that names the line. Its signature is not looked at: see [Signed];
// whether its objects are of their kinds, package object says.
func ReadFile(raw []byte) (*Plan, error) {
	doc, err := readYAML(raw)
	if err != nil {
		return nil, err
	}
	var p Plan
	if err := jsonv2.Unmarshal(doc.json, &p, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, doc.misread(err)
	}
	p.tidy()
	if f := p.fault(); f != nil {
		return nil, problem.New(problem.BadInput, "the plan, line %d: %s", doc.line(f.at), f.text).WithHint("%s", f.hint)
	}
	return &p, nil
}

// misread says where a value is not what it should be.
func (d *document) misread(err error) error {
	at := ""
	what := "it is not what a plan has there"
	var in *jsonv2.SemanticError
	if errors.As(err, &in) {
		at = string(in.JSONPointer)
		if errors.Is(err, jsonv2.ErrUnknownName) {
			what = "nothing of a plan is called " + clipped(at[strings.LastIndexByte(at, '/')+1:])
		} else if in.GoType != nil && at != "" {
			what = clipped(strings.TrimPrefix(at, "/")) + " cannot be this"
		}
	}
	var own *problem.Error
	if errors.As(err, &own) {
		what = own.Public
	}
	return problem.Wrap(err, problem.BadInput, "the plan, line %d: %s", d.line(at), what).
		WithHint("leave the file as `partnerguard remedy plan` wrote it, or have it written anew")
}

// Check says what in a plan could not be, as [ReadFile] does of a file.
func (p *Plan) Check() error {
	if f := p.fault(); f != nil {
		return problem.New(problem.BadInput, "the plan, %s: %s", strings.TrimPrefix(f.at, "/"), f.text).WithHint("%s", f.hint)
	}
	return nil
}

// Write writes a plan for people: comment stands on top, a line each, and is never read.
func (p *Plan) Write(w io.Writer, comment ...string) error {
	raw, err := p.json()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, line := range comment {
		for part := range strings.SplitSeq(strings.ToValidUTF8(line, "?"), "\n") {
			b.WriteString(strings.TrimRight("# "+plain(part), " ") + "\n")
		}
	}
	if err := writeYAML(&b, raw); err != nil {
		return err
	}
	if b.Len() > MaxFile {
		return problem.New(problem.Limit, "the plan would have more than %d bytes", MaxFile).WithHint("plan less at once")
	}
	_, err = w.Write(b.Bytes())
	return err
}

// plain takes out of a comment what would end its line for a reader of YAML.
func plain(s string) string {
	if unbalanced(s) {
		s = strings.NewReplacer("[", "(", "{", "(", "]", ")", "}", ")").Replace(s)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
}

// json is a plan as JSON, its members in the order of the file.
func (p *Plan) json() ([]byte, error) {
	out := *p
	out.tidy()
	b, err := json.Marshal(&out)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the plan cannot be written")
	}
	return b, nil
}

// tidy makes equal what means the same, so that it is written in one way.
func (p *Plan) tidy() {
	p.Serves, p.Stages, p.Steps = listed(p.Serves), listed(p.Stages), listed(p.Steps)
	if p.Gate != nil {
		g := *p.Gate
		g.Answers, g.Findings, g.Ways = listed(g.Answers), listed(g.Findings), listed(g.Ways)
		p.Gate = &g
	}
	steps := make([]Step, len(p.Steps))
	for i, s := range p.Steps {
		if string(s.Before) == "null" {
			s.Before = nil
		}
		if string(s.After) == "null" {
			s.After = nil
		}
		if s.Task != nil {
			t := *s.Task
			t.Do = listed(t.Do)
			s.Task = &t
		}
		steps[i] = s
	}
	p.Steps = steps
}

func listed[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// Canonical are the bytes that a signature covers: everything but the signature, as
// JSON in the canonical form of RFC 8785.
func (p *Plan) Canonical() ([]byte, error) {
	bare := *p
	bare.Signature = ""
	raw, err := bare.json()
	if err != nil {
		return nil, err
	}
	v := jsontext.Value(raw)
	if err := v.Canonicalize(); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the plan holds what is no JSON, or a member twice")
	}
	return v, nil
}

// SHA256 is the hash of [Plan.Canonical] in hexadecimal: what a signature and an approval
// are bound to. "" where the plan holds what is no JSON.
func (p *Plan) SHA256() string {
	b, err := p.Canonical()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// BeforeSHA256 is over the objects as they were, in the order of the steps, each on a line
// of its own: what [Basis] says.
func (p *Plan) BeforeSHA256() string {
	h := sha256.New()
	for i := range p.Steps {
		var b bytes.Buffer
		if len(p.Steps[i].Before) > 0 && json.Compact(&b, p.Steps[i].Before) != nil {
			return ""
		}
		h.Write(append(b.Bytes(), '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// waits is how [Wait] is written.
type waits struct {
	ReportOnly string `json:"reportOnly"`
	Pilot      string `json:"pilot"`
	Share      string `json:"share"`
	SignIns    int64  `json:"signIns"`
}

// MarshalJSON writes durations as people do: 72h.
func (w Wait) MarshalJSON() ([]byte, error) {
	return json.Marshal(waits{spell(w.ReportOnly), spell(w.Pilot), spell(w.Share), w.SignIns})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Wait) UnmarshalJSON(raw []byte) error {
	var in waits
	if err := jsonv2.Unmarshal(raw, &in, jsonv2.RejectUnknownMembers(true)); err != nil {
		return problem.Wrap(err, problem.BadInput, "wait has reportOnly, pilot and share, such as 72h, and signIns")
	}
	for _, x := range []struct {
		from string
		to   *time.Duration
	}{{in.ReportOnly, &w.ReportOnly}, {in.Pilot, &w.Pilot}, {in.Share, &w.Share}} {
		d, err := time.ParseDuration(x.from)
		if err != nil || d < 0 || d > maxWait {
			return problem.New(problem.BadInput, "%.20q is no time to wait: from 0s to %s", x.from, spell(maxWait))
		}
		*x.to = d
	}
	w.SignIns = in.SignIns
	return nil
}

const maxWait = 90 * 24 * time.Hour

// spell is a duration without the zeros behind it.
func spell(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
