package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a connection that gives what it was given, at most step bytes at once.
type wire struct {
	net.Conn
	in   []byte
	step int
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), w.step)], w.in)
	w.in = w.in[n:]
	return n, nil
}

func (*wire) SetReadDeadline(time.Time) error { return nil }

// through is what a server gets to see of a stream.
func through(stream string, read, step int) (string, error) {
	read = min(read, len(stream))
	c := NewConn(&wire{in: []byte(stream[read:]), step: step}, []byte(stream[:read]))
	var out strings.Builder
	buf := make([]byte, step)
	for {
		n, err := c.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			return out.String(), err
		}
	}
}

const (
	get  = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
	many = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	sock = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
)

func TestConnGivesWhatIsPlain(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{
		get, get + get, post + "hello" + get, post + "\r\n\r\nx" + post + "hello", many + "5\r\nhello\r\n0\r\n\r\n" + get, many + "0\r\n\r\n",
		many + "00a\r\nGET / HTTP\r\n1\r\n\n\r\n0\r\nX-Sum: 1\r\nY: z\r\n\r\n" + post + "hello", many + "A\r\n0123456789\r\n000\r\n\r\n" + many + "0\r\n\r\n",
		sock, strings.Repeat(get, 300),
	} {
		for _, step := range []int{1, 2, 3, 7, 4096} {
			for _, read := range []int{0, 1, 20, len(get), 1 << 20} {
				if got, err := through(stream, read, step); got != stream || err != io.EOF {
					t.Fatalf("step %d, read %d: %v\n%q\n%q", step, read, err, stream, got)
				}
			}
		}
	}
}

func TestConnStandsIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, bad string }{
		{"", "GET / HTTP/1.1\nHost: a\n"}, {get, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"}, {post + "hello", "x" + get}, {post + "hello", "\x00\r\n\r\n"},
		{many + "0\r\n\r\n", "\r\n" + get}, {many + "1\r\nx\r\n0\r\n\r\n", "0\r\n\r\n" + get}, {get, post[:20] + "\n"}, {get,
			"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + many[17:]},
	} {
		for _, step := range []int{1, 5, 4096} {
			if got, err := through(c.before+c.bad+get, 0, step); got != c.before+string(standIn(errLine)) || err != io.EOF {
				t.Errorf("step %d: %v\n%q\n%q", step, err, c, got)
			}
		}
	}
	long := "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", MaxHead)
	if got, _ := through(long, 0, 512); got != string(standIn(ErrHeadLong)) {
		t.Errorf("%q", got)
	}
}

func TestConnEndsWithBadChunks(t *testing.T) {
	t.Parallel()
	for good, bads := range map[string][]string{
		many: {"\r\n", "5\n", "5\rx", "x\r\n", "0x5\r\n", "+5\r\n", " 5\r\n", "5 \r\n", "5;a=b\r\nhello\r\n0\r\n\r\n", "5;\n", "-1\r\n",
			"FFFFFFFFFFFFFFFF\r\n", "0000000000000000\r\n", "5\t\r\n",
			"5;\"\r\n\"\r\n", "\"5\"\r\n", "5,5\r\n", "g\r\n", "5\x00\r\n"},
		many + "5\r\nhello": {"x\r\n", "\n0\r\n\r\n", "\rx", "0\r\n\r\n", "world\r\n"},
		many + "0\r\n": {"x\r\n\r\n", "X : y\r\n\r\n", "Content-Length: 5\r\n\r\n", "transfer_encoding: chunked\r\n\r\n", "Host: b\r\n\r\n",
			" X: y\r\n\r\n", "X: y\n\r\n", "X: a\x00\r\n\r\n", "\n", "Cookie: a\r\n\r\n", "Authorization: Bearer x\r\n\r\n", "X: " + strings.Repeat("y",
				maxTrailer) + "\r\n\r\n"},
	} {
		for _, bad := range bads {
			for _, step := range []int{1, 4096} {
				got, err := through(good+bad+get, 0, step)
				if _, ok := errors.AsType[*HeadError](err); !ok || got != good {
					t.Errorf("step %d, %q: %v\n%q", step, bad, err, got)
				}
			}
		}
	}
}

func TestConnHoldsAnUpgrade(t *testing.T) {
	t.Parallel()
	us, them := net.Pipe()
	c := NewConn(us, nil)
	go func() {
		_, _ = io.WriteString(them, sock+"\x81\x00early")
		_, _ = io.WriteString(them, "later")
		_ = them.Close()
	}()
	got := make([]byte, len(sock))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != sock {
		t.Fatalf("%v: %q", err, got)
	}
	_ = us.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := c.Read(got); n != 0 || err == nil {
		t.Fatalf("%q comes before the upgrade is answered: %v", got[:n], err)
	}
	_ = us.SetReadDeadline(time.Time{})
	c.(*conn).upgraded()
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "\x81\x00earlylater" {
		t.Errorf("%v: %q", err, rest)
	}
}

// A client that floods behind an upgrade that is not answered is not read for ever.
func TestConnHoldsLittle(t *testing.T) {
	t.Parallel()
	got, err := through(sock+strings.Repeat("x", 1<<20), 0, 4096)
	if got != sock || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v: %d bytes", err, len(got))
	}
}

// FuzzConn: how the bytes arrive does not matter, what is given is what came, and a
// server of net/http that reads on comes to the same messages.
func FuzzConn(f *testing.F) {
	for _, s := range []string{get + post + "hello" + get, many + "5\r\nhello\r\n0\r\nX: y\r\n\r\n" + get, many + "5;a\r\nhello", sock + "x",
		"GET / HTTP/1.1\n\n", get + "x"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		whole, wholeErr := through(string(stream), len(stream), 4096)
		got, err := through(string(stream), 0, 1+int(uint(step)%64))
		if got != whole || err.Error() != wholeErr.Error() {
			t.Fatalf("%q\n%q %v\n%q %v", stream, whole, wholeErr, got, err)
		}
		plain := strings.TrimSuffix(strings.TrimSuffix(got, string(standIn(errLine))), string(standIn(ErrHeadLong)))
		if !bytes.HasPrefix(stream, []byte(plain)) {
			t.Fatalf("%q is given of %q", got, stream)
		}
		for r := bufio.NewReader(strings.NewReader(plain)); ; {
			req, err := http.ReadRequest(r)
			if err == io.EOF {
				return
			}
			if err != nil {
				if strings.Contains(err.Error(), "bad trailer key") {
					return
				}
				t.Fatalf("%q: %v", plain, err)
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) &&
				err.Error() != "http: unexpected EOF reading trailer" {
				t.Fatalf("%q: %v", plain, err)
			}
		}
	})
}
