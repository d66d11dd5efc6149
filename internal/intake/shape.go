package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/vouch"
)

// file is the reading of one input.
type file struct {
	ctx   context.Context
	o     Options
	sink  Sink
	in    *evidence.Input
	named bool // by the user, not found in a folder

	at0    io.ReaderAt // the stored bytes, where they can be read in any order
	size   int64       // of at0
	meter  *meter      // of the stored bytes; nil within archives
	depth  int         // archives around this input
	within string      // the compression of the archive around it
	spent  *text.Spent // shared by all entries of an archive
	inner  []reading   // the entries of an archive

	facts      facts
	lastSignIn signInLike
	inText     bool // top-level values are texts that hold JSON
	exact      bool // nothing is taken for a sign-in because it is like the last one
	lost       lost // what stands in the place of an outcome
	auditFound int  // records that a search of the unified audit log found
	taken      int  // records of a known kind, and known collections that are empty
	broken     bool // something could not be read
	torn       bool // and it is not known of which kind it was
	seen       int  // records handed to recognition
	others     []other
	empty      string // what an empty list of unknown kind looked like
	hasID      bool   // the last container had an id of its own
	resumed    bool   // reading went on behind a fault
	index      int    // elements of top-level collections so far
	objects    int    // top-level values so far

	remarks     []remark
	flat, plain []byte // scratch of normal
	pages       *paging
	dates       *dates
	number      int                    // of the input among all
	page        *page                  // whose records are being read
	listed      int                    // elements of the last list
	paged       map[evidence.Kind]bool // kinds that came in a page with a context
	lone        map[evidence.Kind]bool // a record of the kind stood alone
	msol        bool                   // users of the MSOnline module
	clocked     bool                   // the clocks of this input were read with knowledge of all of them
	short       bool                   // something of a record was cut off

	ahead   *ahead    // nil: the sink reads nothing ahead
	room    int       // bytes of a list looked at at once
	likely  bool      // a sign-in stood in a list
	unlike  bool      // sign-ins of these lists are not read ahead
	rows    *csvTable // whose rows are gathered
	before  []byte    // the sign-in read ahead last
	waiting bool      // the input is finished once what waits is accounted for
}

// other counts well-formed records that nothing judges, by reason.
type other struct {
	reason string
	count  int
	first  evidence.Source
}

// maxOthers bounds the distinct reasons kept.
const maxOthers = 100

// place says where a record stands and what its surroundings say about it.
type place struct {
	line   int
	index  int
	part   string
	hint   evidence.Kind
	reason string
	level  int    // envelopes around it; flat ends unwrapping
	answer int    // its number among the answers of a batch
	set    string // the entity set of the page it stands in, in lower case
	whole  bool   // a top-level value or the content of an envelope: may be a composite
}

// flat is the deepest level of envelopes.
const flat = 3

func (f *file) at(p place) evidence.Source {
	return evidence.Source{Path: f.in.Path, Line: p.line, Index: p.index, Part: p.part}
}

// fault notes something that could not be read.
func (f *file) fault(src evidence.Source, offset int64, msg string) {
	_ = f.sync() // the error stays with the queue
	f.broken, f.torn = true, true
	f.in.Add(evidence.Note{Source: src, Offset: offset, Message: msg})
}

// faultOf notes a record of a known kind that could not be read: the other lists
// of the input are whole all the same.
func (f *file) faultOf(kind evidence.Kind, src evidence.Source, msg string) {
	torn := f.torn
	f.fault(src, 0, msg)
	f.torn = torn
	f.in.Shorten(evidence.Cut{Kind: kind, Why: "holds a record that could not be read", Source: src})
}

// foreign counts a whole input, or one record, that nothing judges.
func (f *file) foreign(reason string) { f.other(reason, place{}) }

func (f *file) other(reason string, p place) {
	_ = f.sync()
	for i := range f.others {
		if f.others[i].reason == reason {
			f.others[i].count++
			return
		}
	}
	if len(f.others) == maxOthers {
		reason = "still other records"
	} else if len(f.others) > maxOthers {
		f.others[maxOthers].count++
		return
	}
	f.others = append(f.others, other{reason, 1, f.at(p)})
}

// sinkError carries an error that must stop the whole reading.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

func (f *file) emit(kind evidence.Kind, raw []byte, p place) error {
	if err := f.sync(); err != nil {
		return err
	}
	if kind != evidence.SignIn {
		if raw = f.normal(kind, raw, p); raw == nil {
			return nil
		}
	}
	f.taken++
	f.date(kind, raw)
	note, err := f.sink.Record(kind, raw, f.at(p))
	switch {
	case err != nil:
		return sinkError{err}
	case note != "":
		f.taken--
		f.in.Count(kind, 0)
		f.faultOf(kind, f.at(p), note)
	default:
		f.in.Count(kind, 1)
	}
	return nil
}

// emptyListOfWhat is an empty list that does not say of what.
const emptyListOfWhat = "an empty list"

// emptyList counts a collection that is there and empty. When its kind is
// known that is evidence: the tenant has none.
func (f *file) emptyList(kind evidence.Kind, what string) {
	_ = f.sync()
	if kind == "" {
		f.empty = what
		return
	}
	f.taken++
	f.in.Count(kind, 0)
}

// read takes one opened input from its stored bytes to its end.
func (f *file) read(raw io.Reader) error {
	d, err := text.Open(f.ctx, raw, f.o.limits())
	f.in.Compression, f.in.Encoding = d.Compression, d.Encoding
	if f.within != "" {
		f.in.Compression = strings.TrimSuffix(f.within+", "+d.Compression, ", ")
	}
	if err != nil {
		return f.finish(err)
	}
	defer d.Close()
	switch {
	case d.Zip:
		if err = f.sync(); err == nil {
			err = f.archive(d)
		}
	case d.Binary != "":
		f.in.Format = "binary"
		if d.Archive && f.named {
			f.fault(f.at(place{}), 0, "this is "+d.Binary)
		} else {
			f.foreign(d.Binary)
		}
	case d.Empty:
		f.emptyFile("the file is empty")
	default:
		err = f.text(d)
	}
	return f.end(err)
}

// end finishes an input, or has it finished once what was handed on is accounted for.
func (f *file) end(err error) error {
	if f.ahead != nil && len(f.ahead.queue) > 0 && f.depth == 0 && len(f.inner) == 0 && (err == nil || err == io.EOF) {
		f.waiting = true
		return nil
	}
	return f.finish(err)
}

func (f *file) emptyFile(what string) {
	if f.named {
		f.fault(f.at(place{}), 0, what+": nothing was exported into it")
	} else {
		f.foreign(what)
	}
}

func (f *file) text(d text.Opened) error {
	i := text.FirstByte(d.Head)
	if i < 0 {
		if len(d.Head) < text.SniffLen {
			f.emptyFile("the file holds nothing but white space")
			return nil
		}
		return f.scan(d.UTF8)
	}
	head := d.Head[i:]
	low := strings.ToLower(string(head[:min(len(head), 64)]))
	switch c := head[0]; {
	case c == '{' || c == '[', isTextInText(head):
		return f.scan(d.UTF8)
	case strings.HasPrefix(low, "<!doctype html") || strings.HasPrefix(low, "<html"):
		f.foreign("a web page, not an export (a portal's sign-in page, perhaps)")
	case strings.HasPrefix(low, "<objs"):
		f.foreign(clixml)
	case c == '<':
		f.foreign("XML or other markup: export it as JSON or CSV")
	case strings.HasPrefix(low, "//") || strings.HasPrefix(low, "/*"):
		s := text.NewScanner(d.UTF8, f.o.MaxRecord)
		f.in.Format = "json"
		_, _ = s.Space("") // head has more than white space
		f.syntax(s.Fail("expected '{' or '[', found a comment (comments are not JSON)", false), place{})
	case f.scalar(d.Head[i:], d.UTF8):
	case vouch.Is(d.Head):
		return f.vouched(d.UTF8)
	case isConfig(d.Head):
		return f.config(d.UTF8)
	default:
		return f.csv(d.UTF8, d.Head)
	}
	return nil
}

// scan reads a text of JSON.
func (f *file) scan(r io.Reader) error {
	s := text.NewScanner(r, f.o.MaxRecord)
	defer s.Release()
	return f.documents(s)
}

// scalar recognises a text that is one JSON value but no object or array.
func (f *file) scalar(head []byte, br *bufio.Reader) bool {
	if len(head) >= text.SniffLen-64 || !json.Valid(bytes.TrimSpace(head)) {
		return false
	}
	f.in.Format = "json"
	f.foreign("a single JSON value, no object or list")
	return true
}

// syntax notes a place that is not JSON.
func (f *file) syntax(err error, p place) {
	var se *text.SyntaxError
	if errors.As(err, &se) {
		if p.line == 0 || se.Line > p.line {
			p.line = se.Line
		}
		f.fault(f.at(place{line: p.line, part: p.part}), se.Offset, se.Error())
	}
}

// format names the shape of the input, the first and outermost one.
func (f *file) format(name string) {
	if f.in.Format == "" || f.in.Format == "json" {
		f.in.Format = name
	}
}
