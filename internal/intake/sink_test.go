package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"

	"partnerguard/internal/evidence"
)

// rec is one record a sink was given.
type rec struct {
	Kind evidence.Kind
	Src  string
	Raw  string
}

// strictSink keeps every record and objects to one that breaks the contract.
type strictSink struct {
	t      testing.TB
	recs   []rec
	lines  int // sign-ins taken line by line
	refuse func(kind evidence.Kind, raw []byte) (string, error)
	drop   bool // keep nothing
}

func (s *strictSink) Record(kind evidence.Kind, raw []byte, src evidence.Source) (string, error) {
	if !json.Valid(raw) || raw[0] != '{' {
		s.t.Errorf("%s: record is no valid JSON object: %.200q", src, raw)
	}
	if kind == "" {
		s.t.Errorf("%s: record without kind", src)
	}
	if s.refuse != nil {
		if note, err := s.refuse(kind, raw); note != "" || err != nil {
			return note, err
		}
	}
	if !s.drop {
		s.recs = append(s.recs, rec{kind, src.String(), string(raw)})
	}
	return "", nil
}

func (s *strictSink) SignInLines(ctx context.Context, r io.Reader, path string,
	other func([]byte, evidence.Source) error, note func(evidence.Note)) (rows int, err error) {
	br := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := br.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return rows, err
		}
		line = bytes.TrimSpace(line)
		src := evidence.Source{Path: path, Line: n}
		switch {
		case len(line) == 0:
		case !json.Valid(line):
			note(evidence.Note{Source: src, Message: "this line is not JSON"})
		default:
			f := file{}
			if k, _ := f.recognise(line, nil); line[0] == '{' && k == evidence.SignIn {
				rows++
				s.lines++
				if !s.drop {
					s.recs = append(s.recs, rec{k, src.String(), string(line)})
				}
			} else if err := other(line, src); err != nil {
				return rows, err
			}
		}
		if err == io.EOF {
			return rows, nil
		}
	}
}

// readBytes reads one text as standard input.
func readBytes(t testing.TB, o Options, b []byte) (evidence.Input, []rec) {
	t.Helper()
	o.Stdin = bytes.NewReader(b)
	s := &strictSink{t: t}
	ins, err := Read(context.Background(), o, []string{"-"}, s)
	if err != nil || len(ins) != 1 {
		t.Fatalf("Read: %v, %d inputs", err, len(ins))
	}
	checkInput(t, ins[0])
	return ins[0], s.recs
}

// checkInput holds every Input to its own contract.
func checkInput(t testing.TB, in evidence.Input) {
	t.Helper()
	if (in.Status != evidence.Read) && len(in.Notes) == 0 {
		t.Errorf("%s: %s without a note", in.Path, in.Status)
	}
	records := 0
	for _, n := range in.Kinds {
		records += n
	}
	switch in.Status {
	case evidence.Read, evidence.Partial:
		if len(in.Kinds) == 0 {
			t.Errorf("%s: %s, but of no kind", in.Path, in.Status)
		}
	case evidence.Unreadable, evidence.NotRecognised:
		if records > 0 {
			t.Errorf("%s: %s with %d records", in.Path, in.Status, records)
		}
	default:
		t.Errorf("%s: status %q", in.Path, in.Status)
	}
	for _, n := range in.Notes {
		if n.Message == "" || n.Source.Path != in.Path {
			t.Errorf("%s: note %+v", in.Path, n)
		}
	}
}
