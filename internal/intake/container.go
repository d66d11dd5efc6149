package intake

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// pageKey is a member that holds the records of a page.
type pageKey struct {
	format string
	graph  bool // an @odata.context elsewhere in the object says what it holds
	object bool // the member may be a single object
}

// pageKeys are the members under which services list what they answer.
var pageKeys = map[string]pageKey{
	"value":     {format: "graph page", graph: true, object: true},
	"items":     {format: "partner center collection"},
	"records":   {format: "azure monitor records"},
	"responses": {format: "graph batch"},
	"tables":    {format: "log analytics tables"},
	"hits":      {format: "elasticsearch hits", object: true},
}

func isPageKey(low string, c byte) bool {
	k, ok := pageKeys[low]
	return ok && (c == '[' || k.object && c == '{')
}

// container streams the object the scanner stands on, member by member: a page
// of any service, or a composite whose members are lists.
func (f *file) container(s *text.Scanner, p place, context string) error {
	c := holder{f: f, s: s, p: p, context: context, pg: &page{input: f.number, count: -1, at: f.at(p)}}
	if context != "" {
		c.p.hint, c.p.reason = bySet(context)
	}
	before, hasID := f.taken, false
	err := s.Object(func(key string, b byte) (bool, error) {
		low := strings.ToLower(key)
		hasID = hasID || isName(low)
		switch {
		case low == scubaMoment && b == '"':
			t, err := s.Text()
			f.stated(t)
			return true, err
		case strings.HasPrefix(low, "@odata.") || low == "nextlink":
			return c.annotation(low, b)
		case low == "links" && b == '{', low == "error" && b == '{' && (c.isPage || c.context != ""):
			return c.beside(low)
		case isPageKey(low, b):
			return true, c.records(low, b)
		}
		return c.member(key, low, b)
	})
	if c.isPage && f.pages != nil {
		if c.pg.kind == "" {
			c.pg.kind = c.p.hint
		}
		f.pages.add(f.pages.key(c.context, f.in, c.p), c.pg)
	}
	if c.isPage && c.fails {
		f.fault(f.at(p), 0, "the answer says itself that it is not whole"+c.code+": ask again for what is missing")
	}
	var se *text.SyntaxError
	if c.isScuba {
		_ = f.sync()
	}
	if c.isScuba && f.taken == before && (err == nil || errors.As(err, &se)) {
		f.other("a ScubaGear input without a member that is judged here", p)
	}
	f.hasID = hasID && !c.isPage && !c.isScuba
	return err
}

// holder is a container while its members are read.
type holder struct {
	f       *file
	s       *text.Scanner
	p       place
	context string // as far as it was met
	pg      *page

	isPage, isScuba bool
	fails           bool   // an error stands beside the records
	code            string // of that error
}

// annotation reads what a page says of itself.
func (c *holder) annotation(low string, b byte) (taken bool, err error) {
	if low == "@odata.count" {
		raw, err := c.s.Raw()
		if n, bad := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64); err == nil && bad == nil {
			c.pg.count = n
		}
		return true, err
	}
	if b != '"' || low != "@odata.nextlink" && low != "nextlink" && low != "@odata.context" {
		return false, nil
	}
	t, err := c.s.Text()
	if low == "@odata.context" {
		c.context = t
	} else if t != "" {
		c.pg.more, c.pg.next = true, t
	}
	return true, err
}

// beside reads Partner Center's links to other pages, or the error with which a
// service gave up on the way.
func (c *holder) beside(low string) (taken bool, err error) {
	raw, err := c.s.Raw()
	if err == text.ErrTooLarge {
		return false, nil
	}
	if low == "error" {
		c.fails, c.code = true, errorCode(raw)
		return true, err
	}
	text.Members(raw, func(k, v []byte) bool {
		if string(k) == `"next"` {
			c.pg.more = v[0] == '{'
		}
		return true
	})
	return true, err
}

// records reads the member that holds the records of a page.
func (c *holder) records(low string, b byte) error {
	f := c.f
	c.isPage = true
	f.format(pageKeys[low].format)
	q := c.p
	q.whole = false
	if _, set, ok := strings.Cut(c.context, "#"); ok {
		q.set = strings.ToLower(set)
	}
	outer := f.page
	f.page = c.pg
	defer func() { f.page = outer }()
	switch {
	case low == "responses":
		return f.batch(c.s, q)
	case low == "tables":
		return f.tables(c.s, q)
	case low == "hits" && b == '{':
		return f.hits(c.s, q)
	case b == '{':
		return f.element(c.s, b, q)
	}
	err := f.list(c.s, q)
	c.pg.n += f.listed
	return err
}

// member reads any other member: of a ScubaGear export, or of a composite of an
// unknown tool, whose members are lists, pages and single records.
func (c *holder) member(key, low string, b byte) (taken bool, err error) {
	f, q := c.f, c.p
	q.part, q.level, q.whole, q.hint = key, flat, false, ""
	if read := scubaMembers[low]; read != nil && (b == '[' || b == '{') {
		c.isScuba = true
		f.format("scubagear export")
		q.reason = ""
		return true, read(f, c.s, b, q)
	}
	switch {
	case c.isPage || c.isScuba || c.p.reason != "":
		return false, nil
	case b == '[':
		return true, f.list(c.s, q)
	case b != '{':
		return false, nil
	}
	raw, err := c.s.Whole()
	switch err {
	case nil:
		_, _, err = f.try(raw, q)
	case text.ErrTooLarge:
		err = f.tooLarge(c.s, q)
	case text.ErrTooDeep:
		err = nil
	}
	return true, err
}

// list streams the elements of the array the scanner stands on.
func (f *file) list(s *text.Scanner, p place) error {
	n := 0
	top := p.part == "" && p.level == 0 && p.line == 0
	err := s.Array(func(c byte) error {
		n++
		p.index = n
		if top {
			f.index++
			p.index = f.index
		}
		if c == '{' && (f.likely || n == 1) && f.mayReadAhead(s, p) {
			if some, err := f.readAhead(s, p); some > 0 || err != nil {
				n += some - 1
				if top {
					f.index += some - 1
				}
				return err
			}
		}
		before := f.in.Kinds[evidence.SignIn]
		err := f.element(s, c, p)
		f.likely = f.likely || f.in.Kinds[evidence.SignIn] > before
		return err
	})
	f.listed = n
	if err == nil && n == 0 {
		if p.reason != "" {
			f.other(emptyListOf+p.reason, p)
		} else {
			f.emptyList(p.hint, emptyListOfWhat)
		}
	}
	return err
}

// element takes the value the scanner stands on as one record.
func (f *file) element(s *text.Scanner, c byte, p place) error {
	if c == '[' && p.level < flat {
		p.level++
		return f.list(s, p)
	}
	if c != '{' && c != '"' {
		if err := s.Value(); err != nil {
			return err
		}
		if c != 'n' {
			f.other("single values, no objects", p)
		}
		return nil
	}
	raw, err := s.Whole()
	if err == text.ErrTooLarge && c == '{' && p.whole {
		return f.tooLarge(s, p)
	}
	if err != nil {
		return f.passed(s, err, "this record", p)
	}
	if c == '"' {
		if raw = text.ObjectInText(raw); raw == nil {
			f.other("single values, no objects", p)
			return nil
		}
	}
	return f.one(raw, p)
}

// batch reads the answers of a Graph $batch. One that was refused is evidence
// that is missing.
func (f *file) batch(s *text.Scanner, p place) error {
	n := 0
	return s.Array(func(c byte) error {
		n++
		p.index, p.answer = n, n
		raw, err := s.Whole()
		if err == text.ErrTooDeep && c != '{' {
			return nil
		}
		if err != nil || c != '{' {
			return f.passed(s, err, "this answer", p)
		}
		status, body := text.Member(raw, "status"), text.Member(raw, "body")
		f.answered(text.Member(raw, "headers"))
		if len(status) == 3 && status[0] != '2' {
			id, code := text.Member(raw, "id"), errorCode(text.Member(body, "error"))
			f.fault(f.at(p), 0, fmt.Sprintf("the answer %s of the batch has the status %s%s: its data is missing", text.Clip(string(id)), status, code))
			return nil
		}
		if len(body) == 0 || body[0] != '{' {
			return nil
		}
		return f.one(body, p)
	})
}
