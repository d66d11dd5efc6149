package trail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"partnerguard/internal/problem"
)

// exportForm is the first line of an export says what it is.
const exportForm = "partnerguard-trail-1"

// exportHead is the first line: the entry before the first, whose hash begins
// the chain of what follows.
type exportHead struct {
	Form   string `json:"form"`
	Anchor string `json:"anchor"` // which trail it is of
	After  int64  `json:"after"`
	Hash   string `json:"hash"`
}

// Export writes the entries after number after, up to the newest, as JSON
// Lines: a first line about the export, then {"hash":…,"entry":…} where entry
// is the canonical bytes. [VerifyExport] re-checks it without the database, as
// can anyone with SHA-256. It checks the chain while it goes and stops with a
// problem.Unmet where it does not hold. It gives the head it ended with.
func (t *Trail) Export(ctx context.Context, w io.Writer, after int64) (Head, error) {
	stand, anchor, err := t.head(ctx)
	if err != nil {
		return Head{}, err
	}
	if after < 0 || after > stand.Seq {
		return Head{}, problem.New(problem.Usage, "the trail has entries 1 to %d: there is nothing after %d", stand.Seq, after)
	}
	l := link{at: Head{0, anchor}}
	b := bufio.NewWriterSize(w, 1<<16)
	begun := false
	begin := func() error {
		begun = true
		raw, err := json.Marshal(exportHead{exportForm, anchor.String(), after, l.at.Hash.String()})
		if err != nil {
			return err
		}
		_, err = b.Write(append(raw, '\n'))
		return err
	}
	// The hash before the first wanted entry is in the page that holds it.
	where, cursor := "last >= $1 ORDER BY first", after
	for {
		list, err := t.pages(ctx, verifyPages, where, cursor)
		if err != nil {
			return l.at, err
		}
		for i := range list {
			for _, line := range list[i].lines() {
				h, canonical, ok := split(line)
				n, numbered := number(canonical)
				if !ok || !numbered {
					return l.at, (&Report{Bad: bad(l.at.Seq+1, "it cannot be read")}).Err()
				}
				switch {
				case n <= after && !begun:
					if n == after {
						l.at = Head{n, h}
					}
					continue
				case !begun:
					if err := begin(); err != nil {
						return l.at, err
					}
				}
				if b := l.add(h, canonical); b != nil {
					return l.at, (&Report{Bad: b}).Err()
				}
				for _, part := range [][]byte{[]byte(`{"hash":"`), []byte(h.String()), []byte(`","entry":`), canonical, []byte("}\n")} {
					if _, err := b.Write(part); err != nil {
						return l.at, err
					}
				}
			}
			where, cursor = "first > $1 ORDER BY first", list[i].first
		}
		if len(list) < verifyPages {
			break
		}
	}
	if !begun {
		if err := begin(); err != nil {
			return l.at, err
		}
	}
	if err := b.Flush(); err != nil {
		return l.at, err
	}
	if l.at.Seq < stand.Seq {
		return l.at, (&Report{Bad: bad(l.at.Seq+1, "it is missing: the end was cut off")}).Err()
	}
	return l.at, nil
}

// VerifyExport checks what Export wrote, without the database: that its
// entries follow from each other and from the hash in its first line, and that
// wanted, when given, is among them. An export that was cut off at its end
// holds; only a head written down elsewhere shows it.
func VerifyExport(r io.Reader, wanted *Hash) (Report, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine+256)
	ended := func() error {
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			return problem.New(problem.BadInput, "a line is longer than any line of an export")
		case err != nil:
			return problem.Wrap(err, problem.BadInput, "the export cannot be read")
		}
		return nil
	}
	if !s.Scan() {
		if err := ended(); err != nil {
			return Report{}, err
		}
		return Report{}, problem.New(problem.BadInput, "the export is empty")
	}
	var head exportHead
	if err := json.Unmarshal(s.Bytes(), &head); err != nil || head.Form != exportForm || head.After < 0 {
		return Report{}, problem.New(problem.BadInput, "the first line is not that of an export of the trail")
	}
	begin, err := ParseHash(head.Hash)
	if err != nil {
		return Report{}, err
	}
	if head.After == 0 && head.Hash != head.Anchor {
		return Report{}, problem.New(problem.BadInput, "the export does not begin at the trail's anchor")
	}
	l := link{at: Head{head.After, begin}, wanted: wanted}
	l.meet(begin)
	report := func(b *Bad) Report {
		return Report{Entries: l.at.Seq - head.After, After: head.After, Head: l.at, Bad: b}
	}
	for s.Scan() {
		h, canonical, ok := exported(s.Bytes())
		if !ok {
			return report(bad(l.at.Seq+1, "it cannot be read")), nil
		}
		if b := l.add(h, canonical); b != nil {
			return report(b), nil
		}
	}
	if err := ended(); err != nil {
		return report(nil), err
	}
	return report(l.end()), nil
}

// exported takes a line of an export apart. The bytes of the entry are what is
// hashed, so the line is cut, not decoded.
func exported(line []byte) (h Hash, canonical []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"hash":"`))
	if !ok || len(rest) < 2*len(h) {
		return h, nil, false
	}
	hash, rest := rest[:2*len(h)], rest[2*len(h):]
	rest, ok = bytes.CutPrefix(rest, []byte(`","entry":`))
	if !ok {
		return h, nil, false
	}
	canonical, ok = bytes.CutSuffix(rest, []byte("}"))
	if !ok {
		return h, nil, false
	}
	h, err := ParseHash(string(hash))
	return h, canonical, err == nil
}
