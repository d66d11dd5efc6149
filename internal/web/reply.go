package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// packFrom is how large an answer is that is worth to be compressed.
const packFrom = 1 << 10

// jitterKey decides how much is added to what is compressed; see jitter.
var jitterKey = sync.OnceValue(func() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return key
})

// jitter is up to 64 bytes that a compressed answer is longer by, so that its length
// does not tell what a guess in the address has in common with the page (BREACH). It
// hangs on the body alone: asking again teaches nothing.
func jitter(body []byte) string {
	m := hmac.New(sha256.New, jitterKey())
	m.Write(body)
	return strings.Repeat("-", int(m.Sum(nil)[0]&63)+1)
}

var packers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// Reply answers with a whole body: compressed where the client takes gzip, with a strong
// ETag over the bytes that are sent, and with 304 for a client that has them. It sets
// what is not set yet of Cache-Control: kept by the client alone, and asked for anew each
// time. A page of a person is never kept by anything between.
func Reply(w http.ResponseWriter, r *http.Request, kind string, body []byte) error {
	head := w.Header()
	head.Set("Content-Type", kind)
	if c := head.Get("Cache-Control"); c == "" || c == "no-store" {
		head.Set("Cache-Control", "private, no-cache")
	}
	head.Add("Vary", "Accept-Encoding")
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:16])
	packed := len(body) >= packFrom && takesGzip(r)
	if packed {
		tag += "-gz"
	}
	tag = `"` + tag + `"`
	head.Set("Etag", tag)
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && matches(r.Header.Values("If-None-Match"), tag) {
		head.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if packed {
		var err error
		if body, err = pack(body); err != nil {
			return err
		}
		head.Set("Content-Encoding", "gzip")
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	_, _ = w.Write(body) // whoever is gone takes nothing
	return nil
}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(body)/4 + 128)
	z, _ := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	z.Comment = jitter(body)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// matches says whether a client has what is tagged (RFC 9110 section 13.1.2: the weak
// comparison).
func matches(given []string, tag string) bool {
	text := strings.Join(given, ",")
	if len(text) > maxAccept {
		return false
	}
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

// takesGzip says that the client takes gzip and said so (RFC 9110 section 12.5.3). To where
// another site's page sends a browser nothing is compressed: whoever chose the address
// would learn from the length what it has in common with the page.
func takesGzip(r *http.Request) bool {
	if from := r.Header.Get("Sec-Fetch-Site"); from == "cross-site" || from == "same-site" {
		return false
	}
	text := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	if len(text) > maxAccept {
		return false
	}
	best, all := -1.0, -1.0
	for part := range strings.SplitSeq(text, ",") {
		name, params, _ := strings.Cut(part, ";")
		v, ok := weight(params)
		if !ok {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			best = max(best, v)
		case "*":
			all = max(all, v)
		}
	}
	if best < 0 {
		best = all
	}
	return best > 0
}

// Streaming is an answer that is written while it is made. Close ends it; what is not
// closed is cut off, so that nobody takes half of it for the whole.
type Streaming struct {
	w io.Writer
	z *gzip.Writer
}

// Stream begins an answer that is made while it is sent, such as an export of all rows:
// compressed where the client takes gzip. It has no ETag, and is kept by nobody.
func Stream(w http.ResponseWriter, r *http.Request, kind string) *Streaming {
	head := w.Header()
	head.Set("Content-Type", kind)
	head.Add("Vary", "Accept-Encoding")
	s := &Streaming{w: w}
	if takesGzip(r) {
		head.Set("Content-Encoding", "gzip")
		s.z, _ = packers.Get().(*gzip.Writer)
		s.z.Reset(w)
		s.z.Comment = jitter([]byte(r.URL.RequestURI()))
		s.w = s.z
	}
	return s
}

// Write writes a part.
func (s *Streaming) Write(b []byte) (int, error) { return s.w.Write(b) }

// Close ends the answer.
func (s *Streaming) Close() error {
	if s.z == nil {
		return nil
	}
	err := s.z.Close()
	packers.Put(s.z)
	s.z = nil
	return err
}

// Fixed is a file of ours whose name has a hash of its bytes, so that clients may keep it
// for ever. It is compressed once.
func Fixed(kind string, body []byte) func(http.ResponseWriter, *http.Request) error {
	packed := sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write(body)
		if z.Close() != nil || b.Len() > len(body)*9/10 {
			return nil
		}
		return b.Bytes()
	})
	return func(w http.ResponseWriter, r *http.Request) error {
		head, out := w.Header(), body
		head.Set("Content-Type", kind)
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
		head.Add("Vary", "Accept-Encoding")
		if z := packed(); z != nil && takesGzip(r) {
			head.Set("Content-Encoding", "gzip")
			out = z
		}
		head.Set("Content-Length", strconv.Itoa(len(out)))
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusOK)
			return nil
		}
		_, _ = w.Write(out)
		return nil
	}
}
