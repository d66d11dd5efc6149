package gate

import (
	"net/http"
	"strconv"
)

// recorder counts what goes out.
type recorder struct {
	w      http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (c *recorder) Header() http.Header { return c.w.Header() }

func (c *recorder) WriteHeader(status int) {
	if !c.wrote && status >= 200 { // 1xx replies come before the real one
		c.status, c.wrote = status, true
	}
	c.w.WriteHeader(status)
}

func (c *recorder) Write(b []byte) (int, error) {
	if !c.wrote {
		c.status, c.wrote = http.StatusOK, true
	}
	n, err := c.w.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Flush serves handlers that ask for an [http.Flusher].
func (c *recorder) Flush() {
	if !c.wrote {
		c.status, c.wrote = http.StatusOK, true
	}
	_ = http.NewResponseController(c.w).Flush()
}

// Unwrap serves [http.ResponseController].
func (c *recorder) Unwrap() http.ResponseWriter { return c.w }

const (
	maxHalf = 8 << 20 // of a body that is cut in half
	maxPage = 1 << 20 // of a page that may be sent again
)

// buffer holds a reply: up to limit bytes of it, none when limit is negative.
// With through set, it passes everything on as well.
type buffer struct {
	header  http.Header
	status  int
	body    []byte
	size    int // of the whole body
	limit   int
	through *recorder
}

func (b *buffer) Header() http.Header { return b.header }

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 && status >= 200 {
		b.status = status
	}
	if b.through != nil {
		b.through.WriteHeader(status)
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	if b.status == 0 {
		b.status = http.StatusOK
	}
	b.size += len(p)
	if room := b.limit - len(b.body); room > 0 {
		b.body = append(b.body, p[:min(room, len(p))]...)
	}
	if b.through != nil {
		return b.through.Write(p)
	}
	return len(p), nil
}

// Flush passes on when there is somebody to pass on to.
func (b *buffer) Flush() {
	if b.through != nil {
		b.through.Flush()
	}
}

func (b *buffer) code() int {
	if b.status == 0 {
		return http.StatusOK
	}
	return b.status
}

// finish sends the headers of a reply without a body.
func (b *buffer) finish() {
	if b.status == 0 && b.through != nil {
		b.through.WriteHeader(http.StatusOK)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
