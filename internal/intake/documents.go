package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/signin/read"
)

// documents reads the top-level values of a text: one, or many behind each
// other.
func (f *file) documents(s *text.Scanner) error {
	lined := true // every value so far stood on one line
	for first := true; ; first = false {
		end, err := s.AtEnd()
		if err != nil || end {
			return err
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		line := s.Line()
		if f.objects == 1 && f.in.Format == "json" {
			f.in.Format = "json, concatenated"
			if lined {
				f.in.Format = "json lines"
			}
		}
		f.objects++
		c, _ := s.Peek() // there is one
		f.inText = f.inText || first && c == '"'
		p := place{line: line, whole: true}
		switch {
		case c == '{' && first && f.signInsAhead(s):
			err = f.lines(s, p)
		case c == '{':
			err = f.document(s, p)
		case c == '[':
			if f.in.Format == "" {
				f.in.Format = "json array"
			}
			err = f.list(s, place{whole: true})
		case c == '"' && f.inText:
			err = f.textInText(s, p)
		case f.resumed && (c == ',' || c == ']' || c == '}'): // the rest of a list that broke
			s.Skip()
		case f.objects > 1:
			if err = s.Value(); err == nil {
				f.other("a single JSON value, no object or list", p)
			}
		default:
			err = s.Expected("'{' or '['")
		}
		if err == errHandedOver {
			return nil
		}
		var se *text.SyntaxError
		if errors.As(err, &se) {
			s.Drop()
			f.syntax(err, p)
			if !s.NextObject() {
				return s.Clean()
			}
			f.resumed = true
			continue
		}
		if err != nil {
			return err
		}
		lined = lined && s.Line() == line
	}
}

// errHandedOver says that the sink took the rest of the stream.
var errHandedOver = errors.New("handed over")

// document reads one top-level object: a page or composite is streamed, a
// record kept whole.
func (f *file) document(s *text.Scanner, p place) error {
	s.Hold()
	page, named, context := false, false, ""
	err := s.Object(func(key string, c byte) (bool, error) {
		low := strings.ToLower(key)
		named = named || isName(low)
		switch {
		case low == "@odata.context" && c == '"':
			t, err := s.Text()
			context = t
			return true, err
		case isPageKey(low, c), scubaMembers[low] != nil && (c == '[' || c == '{'):
			page = true
			if context != "" || !pageKeys[low].graph {
				return false, errStop
			}
		}
		return false, nil
	})
	over := err == nil && s.Over()
	if err == nil && !page && !over {
		raw, deep := s.Held(), s.Deep()
		oneLine := bytes.IndexByte(raw, '\n') < 0
		if f.in.Format == "" {
			f.in.Format = "json"
		}
		switch {
		case deep:
			err = f.passed(s, text.ErrTooDeep, "this record", p)
		case f.objects == 1 && oneLine && s.AtLineEnd() && f.signInLine(raw):
			return f.lines(s, p)
		default:
			if f.objects == 1 && !oneLine {
				p.line = 0
			}
			err = f.one(raw, p)
		}
		s.Drop()
		return err
	}
	// Stream it from its first byte: a page, a composite too large to keep, or
	// something cut short whose lists may still be whole up to there.
	s.Back()
	if f.objects == 1 {
		p.line = 0
		f.format("json")
	}
	switch {
	case page:
		return f.container(s, p, context)
	case !named:
		return f.tooLarge(s, p)
	case err != text.ErrTooLarge && !over:
		return err // half a record is none
	}
	return f.passed(s, text.ErrTooLarge, "this record", p)
}

// errStop ends a walk over an object early, without fault.
var errStop = errors.New("stop")

// passed notes that what the scanner could not take as a whole was passed over,
// and passes it. Any other error than the scanner's limits comes back.
func (f *file) passed(s *text.Scanner, err error, what string, p place) error {
	switch err {
	case text.ErrTooLarge:
		f.fault(f.at(p), s.Offset(), fmt.Sprintf("%s is larger than %s and was skipped", what, text.Size(f.o.MaxRecord)))
		return s.Value()
	case text.ErrTooDeep:
		f.fault(f.at(p), 0, fmt.Sprintf("%s is nested deeper than %d and was skipped", what, text.MaxDepth))
		return nil
	}
	return err
}

// isName reports a key that a single record has and a composite has not.
func isName(low string) bool {
	return low == "id" || low == "displayname" || low == "userprincipalname"
}

// tooLarge streams an object that cannot be kept whole, as a composite. What
// is no composite is noted and skipped.
func (f *file) tooLarge(s *text.Scanner, p place) error {
	before := f.tally()
	at := s.Offset()
	f.hasID = false
	err := f.container(s, p, "")
	if stop := f.sync(); stop != nil {
		return stop
	}
	if err != nil {
		if f.taken == before.taken {
			f.restore(before)
		}
		return err
	}
	if f.taken == before.taken || f.hasID {
		if f.taken == before.taken {
			f.restore(before)
		}
		f.fault(f.at(p), at, fmt.Sprintf("this record is larger than %s and was skipped", text.Size(f.o.MaxRecord)))
	} else {
		f.format("composite json")
	}
	return nil
}

// tallied is what a trial may have to take back.
type tallied struct {
	taken  int
	others []other
	empty  string
}

func (f *file) tally() tallied {
	return tallied{f.taken, append([]other(nil), f.others...), f.empty}
}

func (f *file) restore(t tallied) { f.others, f.empty = t.others, t.empty }

// signInLine reports that a line is a sign-in as it stands, without envelope.
func (f *file) signInLine(raw []byte) bool {
	kind, _ := f.recognise(raw, nil)
	return kind == evidence.SignIn
}

// lines hands the stream, from the mark on, to the sink.
func (f *file) lines(s *text.Scanner, p place) error {
	f.in.Format = "json lines"
	stream, offset := s.Rest()
	rest := &watched{r: stream}
	l := &lineNotes{f, p.line - 1, offset}
	left := &lineStream{Reader: rest, decoded: f.in.Compression != "", head: f.inPlace(offset), meter: f.meter}
	if left.head != nil {
		rest.r = f.meter // what is written behind the end meanwhile
		defer left.head.Close()
	} else if f.ahead != nil {
		more, err := f.linesAhead(rest, l)
		if err == nil && more == nil {
			return errHandedOver
		} else if err != nil {
			return err
		}
		left.Reader = more
	}
	if err := f.sync(); err != nil {
		return err
	}
	rows, err := f.sink.SignInLines(f.ctx, left, f.in.Path, l.other, l.note)
	if rows > 0 {
		f.taken += rows
		f.in.Count(evidence.SignIn, rows)
	}
	var stop sinkError
	switch {
	case err == nil:
		return errHandedOver
	case errors.As(err, &stop), rest.err != nil && errors.Is(err, rest.err), errors.Is(err, read.ErrGone), f.ctx.Err() != nil:
		return err
	}
	return sinkError{err}
}

// watched remembers the error of a stream, to tell it from an error of the sink.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// strayLine reads a line that the sink did not take as a sign-in.
func (f *file) strayLine(line []byte, n int) error {
	s := text.InMemory(line)
	for {
		end, err := s.AtEnd()
		if err != nil || end {
			return err
		}
		p := place{line: n, whole: true}
		raw, err := s.Whole()
		var se *text.SyntaxError
		switch {
		case err == text.ErrTooDeep:
			err = f.passed(s, err, "this record", p)
		case errors.As(err, &se):
			se.Line = n
			f.syntax(se, p)
			return nil
		case err != nil:
			return err
		case raw[0] == '{':
			err = f.one(raw, p)
		case raw[0] == '[':
			err = f.list(text.InMemory(raw), p)
		default:
			f.other("a single JSON value, no object or list", p)
		}
		if err != nil {
			return err
		}
	}
}
