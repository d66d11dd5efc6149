package intake

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/evidence"
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
	depth  int         // archives around this input
	within string      // the compression of the archive around it
	spent  *spent      // shared by all entries of an archive
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
	record     bool   // the last container had an id of its own
	resumed    bool   // reading went on behind a fault
	index      int    // elements of top-level collections so far
	objects    int    // top-level values so far

	remarks     []remark
	flat, plain []byte // scratch of normal
	pages       *paging
	number      int                    // of the input among all
	page        *page                  // whose records are being read
	listed      int                    // elements of the last list
	paged       map[evidence.Kind]bool // kinds that came in a page with a context
	lone        map[evidence.Kind]bool // a record of the kind stood alone
	msol        bool                   // users of the MSOnline module
	clocked     bool                   // the clocks of this input were read with knowledge of all of them
	short       bool                   // something of a record was cut off
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
	if kind != evidence.SignIn {
		if raw = f.normal(kind, raw, p); raw == nil {
			return nil
		}
	}
	f.taken++
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

// emptyList counts a collection that is there and empty. When its kind is
// known that is evidence: the tenant has none.
func (f *file) emptyList(kind evidence.Kind, what string) {
	if kind == "" {
		f.empty = what
		return
	}
	f.taken++
	f.in.Count(kind, 0)
}

// read takes one opened input from its stored bytes to its end.
func (f *file) read(raw io.Reader) error {
	d, err := decode(f.ctx, raw, f.o)
	defer d.close()
	f.in.Compression, f.in.Encoding = d.compression, d.encoding
	if f.within != "" {
		f.in.Compression = strings.TrimSuffix(f.within+", "+d.compression, ", ")
	}
	switch {
	case err != nil:
	case d.zip:
		err = f.archive(d)
	case d.binary != "":
		f.in.Format = "binary"
		if d.archive && f.named {
			f.fault(f.at(place{}), 0, "this is "+d.binary)
		} else {
			f.foreign(d.binary)
		}
	case d.empty:
		f.emptyFile("the file is empty")
	default:
		err = f.text(d)
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

func (f *file) text(d decoded) error {
	i := firstByte(d.head)
	if i < 0 {
		if len(d.head) < sniffLen {
			f.emptyFile("the file holds nothing but white space")
			return nil
		}
		return f.documents(newScanner(d.r, f.o.MaxRecord))
	}
	head := d.head[i:]
	low := strings.ToLower(string(head[:min(len(head), 64)]))
	switch c := head[0]; {
	case c == '{' || c == '[', isTextInText(head):
		return f.documents(newScanner(d.r, f.o.MaxRecord))
	case strings.HasPrefix(low, "<!doctype html") || strings.HasPrefix(low, "<html"):
		f.foreign("a web page, not an export (a portal's sign-in page, perhaps)")
	case strings.HasPrefix(low, "<objs"):
		f.foreign(clixml)
	case c == '<':
		f.foreign("XML or other markup: export it as JSON or CSV")
	case strings.HasPrefix(low, "//") || strings.HasPrefix(low, "/*"):
		s := newScanner(d.r, f.o.MaxRecord)
		f.in.Format = "json"
		_, _ = s.space("") // head has more than white space
		f.syntax(s.fail("expected '{' or '[', found a comment (comments are not JSON)", false), place{})
	case f.scalar(d.head[i:], d.r):
	case isConfig(d.head):
		return f.config(d.r)
	default:
		return f.csv(d.r, d.head)
	}
	return nil
}

// scalar recognises a text that is one JSON value but no object or array.
func (f *file) scalar(head []byte, br *bufio.Reader) bool {
	if len(head) >= sniffLen-64 || !json.Valid(bytes.TrimSpace(head)) {
		return false
	}
	f.in.Format = "json"
	f.foreign("a single JSON value, no object or list")
	return true
}

// finish turns the end of the stream into notes and the status. It returns
// only what must stop the whole reading.
func (f *file) finish(err error) error {
	var se sinkError
	switch {
	case err == nil || err == io.EOF:
	case errors.As(err, &se):
		return se.error
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	default:
		f.fault(f.at(place{}), 0, streamFault(err, f.in.Compression))
	}
	f.sayLogs()
	for _, o := range f.others {
		msg := o.reason
		if o.count > 1 || f.taken > 0 {
			msg = fmt.Sprintf("%s: %s", plural(o.count, "record that is not judged", "records that are not judged"), o.reason)
		}
		if why, refused := strings.CutPrefix(o.reason, errorAnswer); refused {
			f.broken, f.torn = true, true
			f.refuse(why)
		}
		if kind, ok := carries[o.reason]; ok {
			f.in.Shorten(evidence.Cut{Kind: kind, Why: "is here in part only in a form that does not tell enough: " + o.reason, Source: o.first})
		}
		if unreadForms[o.reason] {
			f.broken, f.torn = true, true
		}
		f.in.Add(evidence.Note{Source: o.first, Message: msg})
	}
	f.looksCut()
	f.sayRemarks()
	if f.taken == 0 && !f.broken && len(f.inner) == 0 && len(f.others) == 0 {
		if f.empty == "" {
			f.empty = "nothing in it"
		}
		f.in.Add(evidence.Note{Source: f.at(place{}), Message: f.empty + ": it does not say of what"})
	}
	if f.torn {
		for _, kind := range slices.Sorted(maps.Keys(f.in.Kinds)) {
			f.in.Shorten(evidence.Cut{Kind: kind, Why: "could only be read in part", Source: f.at(place{})})
		}
	}
	switch {
	case (f.broken || f.short) && f.taken > 0:
		f.in.Status = evidence.Partial
	case f.broken:
		f.in.Status = evidence.Unreadable
	case f.taken > 0:
		f.in.Status = evidence.Read
	default:
		f.in.Status = evidence.NotRecognised
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// streamFault says what is wrong with a stream, in words for its owner.
func streamFault(err error, compression string) string {
	switch {
	case errors.Is(err, errBomb):
		return "the " + compression + " data expands out of all proportion; reading stopped there"
	case compression != "" && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return "the " + compression + " data ends too early; what came before was read"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return "the " + compression + " data is followed by something that is not " + compression
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, zip.ErrChecksum):
		return "the " + compression + " data is damaged: its checksum does not match"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return "the zstd data asks for more memory than is allowed"
	case compression != "":
		return "the " + compression + " data is damaged; what came before was read"
	}
	return "reading stopped with an error of the system; what came before was read"
}

// syntax notes a place that is not JSON.
func (f *file) syntax(err error, p place) {
	var se *syntaxError
	if errors.As(err, &se) {
		if p.line == 0 || se.Line > p.line {
			p.line = se.Line
		}
		f.fault(f.at(place{line: p.line, part: p.part}), se.Offset, se.Error())
	}
}

// documents reads the top-level values of a text: one, or many behind each
// other.
func (f *file) documents(s *scanner) error {
	lined := true // every value so far stood on one line
	for first := true; ; first = false {
		end, err := s.atEnd()
		if err != nil || end {
			return err
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		line := s.lineNow()
		if f.objects == 1 && f.in.Format == "json" {
			f.in.Format = "json, concatenated"
			if lined {
				f.in.Format = "json lines"
			}
		}
		f.objects++
		c := s.buf[s.pos]
		f.inText = f.inText || first && c == '"'
		p := place{line: line, whole: true}
		switch {
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
			s.pos++
		case f.objects > 1:
			if err = s.value(); err == nil {
				f.other("a single JSON value, no object or list", p)
			}
		default:
			err = s.expected("'{' or '['")
		}
		if err == errHandedOver {
			return nil
		}
		var se *syntaxError
		if errors.As(err, &se) {
			s.mark = -1
			f.syntax(err, p)
			if !f.resync(s) {
				return s.clean()
			}
			f.resumed = true
			continue
		}
		if err != nil {
			return err
		}
		lined = lined && s.lineNow() == line
	}
}

// errHandedOver says that the sink took the rest of the stream.
var errHandedOver = errors.New("handed over")

// resync goes to the next line that begins with '{'. JSON lines do, and so do
// pretty-printed objects behind each other; the inner lines of one do not.
func (f *file) resync(s *scanner) bool {
	for {
		i := bytes.IndexByte(s.buf[s.pos:s.end], '\n')
		if i < 0 {
			s.pos = s.end
			if !s.fill() {
				return false
			}
			continue
		}
		s.pos += i + 1
		c, err := s.peekByte()
		if err != nil || c == 0 && s.pos >= s.end {
			return false
		}
		if c == '{' {
			return true
		}
	}
}

// document reads one top-level object: a page or composite is streamed, a
// record kept whole.
func (f *file) document(s *scanner, p place) error {
	s.mark = s.pos
	s.deep = false
	page, named, context := false, false, ""
	err := s.object(func(key string, c byte) (bool, error) {
		low := strings.ToLower(key)
		named = named || isName(low)
		switch {
		case low == "@odata.context" && c == '"':
			t, err := s.text()
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
	over := err == nil && s.over()
	if err == nil && !page && !over {
		raw := s.buf[s.mark:s.pos]
		deep := s.deep
		oneLine := bytes.IndexByte(raw, '\n') < 0
		if f.in.Format == "" {
			f.in.Format = "json"
		}
		switch {
		case deep:
			f.fault(f.at(p), 0, fmt.Sprintf("this record is nested deeper than %d and was skipped", maxDepth))
		case f.objects == 1 && oneLine && f.isLine(s) && f.signInLine(raw):
			return f.lines(s, p)
		default:
			if f.objects == 1 && !oneLine {
				p.line = 0
			}
			err = f.one(raw, p)
		}
		s.mark = -1
		return err
	}
	// Stream it from its first byte: a page, a composite too large to keep, or
	// something cut short whose lists may still be whole up to there.
	s.pos = s.mark
	s.mark = -1
	if f.objects == 1 {
		p.line = 0
		f.format("json")
	}
	switch {
	case page:
		return f.container(s, p, context)
	case !named:
		return f.tooLarge(s, p)
	case err != errTooLarge && !over:
		return err // half a record is none
	}
	f.fault(f.at(p), s.offset(), fmt.Sprintf("this record is larger than %s and was skipped", size(f.o.MaxRecord)))
	return s.value()
}

// isName reports a key that a single record has and a composite has not.
func isName(low string) bool {
	return low == "id" || low == "displayname" || low == "userprincipalname"
}

// tooLarge streams an object that cannot be kept whole, as a composite. What
// is no composite is noted and skipped.
func (f *file) tooLarge(s *scanner, p place) error {
	before := f.tally()
	at := s.offset()
	f.record = false
	if err := f.container(s, p, ""); err != nil {
		if f.taken == before.taken {
			f.restore(before)
		}
		return err
	}
	if f.taken == before.taken || f.record {
		if f.taken == before.taken {
			f.restore(before)
		}
		f.fault(f.at(p), at, fmt.Sprintf("this record is larger than %s and was skipped", size(f.o.MaxRecord)))
	} else {
		f.format("composite json")
	}
	return nil
}

func size(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
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

// isLine reports that nothing but a line end or the end of the text follows.
func (f *file) isLine(s *scanner) bool {
	for {
		c, err := s.peekByte()
		if err != nil && err != errTooLarge {
			return false
		}
		if c != ' ' && c != '\t' && c != '\r' {
			return c == '\n'
		}
		s.pos++
	}
}

// signInLine reports that a line is a sign-in as it stands, without envelope.
func (f *file) signInLine(raw []byte) bool {
	kind, _ := f.recognise(raw, nil)
	return kind == evidence.SignIn
}

// lines hands the stream, from the mark on, to the sink.
func (f *file) lines(s *scanner, p place) error {
	f.in.Format = "json lines"
	shift := p.line - 1
	offset := s.base + int64(s.mark)
	rest := &watched{r: s.rest()}
	s.mark = -1
	rows, err := f.sink.SignInLines(f.ctx, rest, f.in.Path,
		func(line []byte, src evidence.Source) error {
			if src.Line > 0 {
				src.Line += shift
			}
			return f.strayLine(line, src.Line)
		},
		func(n evidence.Note) {
			if n.Source.Line > 0 {
				n.Source.Line += shift
			}
			if n.Offset > 0 {
				n.Offset += offset
			}
			f.broken, f.torn = true, true
			f.in.Add(n)
		})
	if rows > 0 {
		f.taken += rows
		f.in.Count(evidence.SignIn, rows)
	}
	var stop sinkError
	switch {
	case err == nil:
		return errHandedOver
	case errors.As(err, &stop), rest.err != nil && errors.Is(err, rest.err), f.ctx.Err() != nil:
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
	s := memScanner(line)
	for {
		end, err := s.atEnd()
		if err != nil || end {
			return err
		}
		p := place{line: n, whole: true}
		raw, err := s.raw()
		var se *syntaxError
		switch {
		case errors.As(err, &se):
			se.Line = n
			f.syntax(se, p)
			return nil
		case err != nil:
			return err
		case s.deep:
			f.fault(f.at(p), 0, fmt.Sprintf("this record is nested deeper than %d and was skipped", maxDepth))
		case raw[0] == '{':
			err = f.one(raw, p)
		case raw[0] == '[':
			err = f.list(memScanner(raw), p)
		default:
			f.other("a single JSON value, no object or list", p)
		}
		if err != nil {
			return err
		}
	}
}

// one gives one whole object to recognition and counts it if nothing takes it.
func (f *file) one(raw []byte, p place) error {
	taken, reason, err := f.try(raw, p)
	if err != nil || taken {
		return err
	}
	if reason == "" {
		reason = describe(raw) + ": no record known here"
	}
	f.other(reason, p)
	return nil
}

// envelopes are the members that log shippers and test harnesses put around a
// record, in the order they are tried.
var envelopes = []string{
	"event", "original", "_source", "log", "message", "_raw", "input", "result", "body", "record", "data",
}

// try reads an object as whatever it turns out to be. Not taken, it comes back
// with the reason when that is known.
func (f *file) try(raw []byte, p place) (taken bool, reason string, err error) {
	if f.seen++; f.seen&255 == 0 {
		if err := f.ctx.Err(); err != nil {
			return false, "", err
		}
	}
	if bagged(raw) {
		var x plainer
		raw = x.object(nil, raw)
	}
	kind, reason := f.recognise(raw, &p)
	t, o := theTable, &f.facts
	switch reason {
	case dscResource:
		return f.dscRecord(raw, p)
	case terraformState:
		return f.terraform(raw, p)
	case azureHound:
		return f.azureHound(raw, p)
	}
	isPage := false
	for _, v := range o.values {
		if t.pages.has(v.id) && v.raw[0] == '[' || (v.id == t.value || v.id == t.hits) && v.raw[0] == '{' || t.scuba.has(v.id) && (v.raw[0] == '[' || v.raw[0] == '{') {
			isPage = true
		}
	}
	if isPage && p.level <= flat {
		if kind != "" && p.hint == "" && o.text(t.context) == "" {
			// Keys alone say it is a record: it is one.
		} else if reason == "" || o.text(t.context) != "" {
			p.level++
			return true, "", f.container(memScanner(raw), p, o.text(t.context))
		}
	}
	if isLog(kind) {
		anew, err := f.emitLog(kind, raw, p)
		if err != nil || !anew {
			return err == nil, "", err
		}
		if kind, reason = f.again(raw, &p); isLog(kind) {
			kind = ""
		}
	}
	if kind != "" {
		inner := o.get(t.locations)
		f.ofPage(kind, o, p)
		if kind == evidence.PerUserMFA && !o.known.has(t.keys["id"]) {
			if id := userOfContext(o.text(t.context)); id != "" { // GET /users/{id}/authentication/requirements
				raw = with(nil, "id", quoted(id), raw)
			}
		}
		if err := f.emit(kind, raw, p); err != nil || kind != evidence.ConditionalAccessPolicy || len(inner) < 3 || inner[0] != '[' {
			return true, "", err
		}
		// Tools that back up policies put the places they name inside.
		p.part, p.level, p.whole, p.hint = "namedLocations", flat, false, evidence.NamedLocation
		return true, "", f.list(memScanner(inner), p)
	}
	if reason == "" && o.names == 0 && len(o.values) == 0 {
		reason = "an empty object"
	}
	if reason != "" {
		return false, reason, nil
	}
	if p.level < flat {
		for _, id := range t.envelopes {
			inner := o.get(id)
			if len(inner) < 2 {
				continue
			}
			var text []byte
			switch inner[0] {
			case '{':
				text = inner
			case '"':
				text = objectInText(inner)
			}
			if text == nil {
				continue
			}
			q := p
			q.level++
			taken, why, err := f.try(text, q)
			if err != nil || taken {
				return taken, "", err
			}
			if reason == "" {
				reason = why
			}
			o.read(t, raw) // the inner one used the same scratch
		}
	}
	if p.whole && reason == "" {
		before := f.tally()
		format := f.in.Format
		p.whole, p.level = false, flat
		if f.objects == 1 {
			p.line = 0 // the index tells more
		}
		if err := f.container(memScanner(raw), p, ""); err != nil {
			return false, "", err
		}
		if f.taken > before.taken {
			if f.in.Format = format; f.objects == 1 {
				f.format("composite json")
			}
			return true, "", nil
		}
		f.restore(before)
		f.in.Format = format
	}
	return false, reason, nil
}

// objectInText decodes a JSON text that holds a JSON object, or returns nil.
func objectInText(quoted []byte) []byte {
	i := skipSpace(quoted, 1)
	if i >= len(quoted) || quoted[i] != '{' && quoted[i] != '\\' {
		return nil
	}
	text := []byte(strings.TrimSpace(unquote(quoted)))
	if len(text) == 0 || text[0] != '{' || !utf8.Valid(text) {
		return nil
	}
	s := memScanner(text)
	if err := s.value(); err != nil || s.deep {
		return nil
	}
	if end, err := s.atEnd(); err != nil || !end {
		return nil
	}
	return text
}

// format names the shape of the input, the first and outermost one.
func (f *file) format(name string) {
	if f.in.Format == "" || f.in.Format == "json" {
		f.in.Format = name
	}
}
