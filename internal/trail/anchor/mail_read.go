package anchor

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/trail"
)

const (
	maxMail  = 1 << 20 // bytes of a saved mail
	maxParts = 32
	maxDeep  = 4
)

// saved reads what somebody saved: a signed note, or a whole mail that has some.
func saved(raw []byte, known []note.Verifier, each func(trail.Mark) error) error {
	if n, ok := noteIn(raw); ok {
		return each(mark(n, known))
	}
	f := finder{left: maxParts}
	f.message(raw, 0)
	if len(f.notes) == 0 {
		return each(mark(raw, known)) // which says why it is none
	}
	for _, n := range f.notes {
		if err := each(mark(n, known)); err != nil {
			return err
		}
	}
	return nil
}

// noteIn takes a note also where a mail program has changed the ends of lines.
func noteIn(raw []byte) ([]byte, bool) {
	if _, err := trail.PeekNote(raw); err == nil {
		return raw, true
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	_, err := trail.PeekNote(raw)
	return raw, err == nil
}

// finder collects the notes of a mail.
type finder struct {
	notes [][]byte
	left  int // parts that may still be looked at
}

func (f *finder) message(raw []byte, deep int) {
	if bytes.HasPrefix(raw, []byte("From ")) { // as mailboxes keep it
		_, raw, _ = bytes.Cut(raw, []byte("\n"))
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return
	}
	f.part(textproto.MIMEHeader(m.Header), m.Body, deep)
}

func (f *finder) part(h textproto.MIMEHeader, r io.Reader, deep int) {
	if f.left--; f.left < 0 || deep > maxDeep {
		return
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		parts := multipart.NewReader(r, params["boundary"])
		for f.left > 0 {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			f.part(p.Header, p, deep+1)
		}
		return
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxMail))
	if err != nil {
		return
	}
	if kind == "message/rfc822" { // forwarded whole
		f.message(raw, deep+1)
		return
	}
	if n, ok := noteIn(raw); ok {
		f.notes = append(f.notes, n)
	}
}
