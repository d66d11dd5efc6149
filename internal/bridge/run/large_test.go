package run_test

import (
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/run"
)

// sink is an Exchange Online that counts and keeps nothing; it may go away in the middle.
type sink struct {
	got atomic.Int64
	cut atomic.Int32 // so many messages are cut off in their middle
	all atomic.Int32 // whole messages

	mu sync.Mutex
	in map[string]int // Message-ID: how often it was taken
}

type sinking struct {
	s *sink
	c *smtp.Conn
}

func (x *sinking) AuthMechanisms() []string { return []string{"XOAUTH2"} }
func (x *sinking) Auth(string) (sasl.Server, error) {
	return taking{}, nil
}
func (x *sinking) Mail(string, *smtp.MailOptions) error { return nil }
func (x *sinking) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (x *sinking) Reset()                               {}
func (x *sinking) Logout() error                        { return nil }

func (x *sinking) Data(r io.Reader) error {
	head := make([]byte, 4096)
	n, err := io.ReadFull(r, head)
	if err != nil && n == 0 {
		return err
	}
	if x.s.cut.Add(-1) >= 0 {
		_ = x.c.Conn().Close()
		return io.ErrUnexpectedEOF
	}
	m, err := io.Copy(io.Discard, r)
	if err != nil {
		return err
	}
	x.s.got.Add(int64(n) + m)
	x.s.all.Add(1)
	_, id, _ := strings.Cut(string(head[:n]), "Message-ID: ")
	id, _, _ = strings.Cut(id, "\r\n")
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.in[id]++
	return nil
}

// taking takes any token.
type taking struct{}

func (taking) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	return nil, true, nil
}

func newSink(t testing.TB, r *run.Deps, cert *tlsPair) *sink {
	t.Helper()
	s := &sink{in: map[string]int{}}
	x := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &sinking{s, c}, nil }))
	x.Domain, x.TLSConfig, x.MaxLineLength = "far", cert.conf(t), 4000
	x.ErrorLog = quiet{}
	l := listen(t)
	go func() { _ = x.Serve(l) }()
	t.Cleanup(func() { _ = x.Close() })
	r.Upstream.Hosts.SMTP, r.Upstream.Names.SMTP, r.Upstream.Roots = l.Addr().String(), "localhost", cert.roots
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// endless is a body of lines, so long.
func endless(size int64) io.Reader {
	line := strings.Repeat("x", 76) + "\r\n"
	r, w := io.Pipe()
	go func() {
		block := []byte(strings.Repeat(line, 400))
		for size > 0 {
			n, err := w.Write(block[:min(int64(len(block)), size)])
			if err != nil {
				return
			}
			size -= int64(n)
		}
		_ = w.Close()
	}()
	return io.MultiReader(strings.NewReader("From: "+ada+"\r\nSubject: large\r\nMessage-ID: <large@scanner>\r\n\r\n"), r)
}

// 50 MB go through, in no more memory than a small message takes; cut off upstream in
// its middle twice, it arrives once.
func TestLargeAndCut(t *testing.T) {
	t.Parallel()
	var s *sink
	r := newRig(t, "", func(d *run.Deps) { s = newSink(t, d, newPair(t)) })
	s.cut.Store(2)
	_, scan := r.device(ada, bridge.SMTP)
	conn, err := net.Dial("tcp", r.where["smtp"])
	r.must(err)
	c, err := smtp.NewClientStartTLS(conn, r.tls())
	r.must(err)
	defer c.Close()
	r.must(c.Auth(sasl.NewPlainClient("", ada, scan)))
	var most atomic.Uint64
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapInuse))
			}
		}
	}()
	const size = 50 << 20
	r.must(c.SendMail(ada, []string{ben}, endless(size)))
	r.until("it arrived", func() bool { return s.all.Load() > 0 })
	r.until("the queue is empty", func() bool {
		waits, err := r.b.Waiting(t.Context())
		return err == nil && len(waits) == 0
	})
	if n := s.got.Load(); n < size || s.in["<large@scanner>"] != 1 {
		t.Errorf("%d bytes, %v", n, s.in)
	}
	// The whole test binary, with its argon2, databases and other tests beside.
	if most.Load() > 400<<20 {
		t.Errorf("%d MB of heap", most.Load()>>20)
	}
	t.Logf("at most %d MB of heap in use", most.Load()>>20)
}
