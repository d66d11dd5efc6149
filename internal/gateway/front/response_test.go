package front

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// badAnswers are heads whose message two readers could end in two places, or that are no
// heads at all.
var badAnswers = map[string]string{
	"two lengths":              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
	"two lengths alike":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
	"a list of lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n",
	"length with a sign":       "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
	"negative length":          "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
	"hexadecimal length":       "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n",
	"length of nothing":        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
	"length beyond 63 bits":    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"length and chunks":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
	"chunks and length":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
	"chunks twice":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	"another coding":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"identity":                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
	"nearly chunked":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
	"chunked with a tab":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\x0b\r\n\r\n",
	"space before the colon":   "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n",
	"chunks of HTTP/1.0":       "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"a folded line":            "HTTP/1.1 200 OK\r\nX-A: b\r\n c: d\r\n\r\n",
	"a folded first line":      "HTTP/1.1 200 OK\r\n X-A: b\r\n\r\n",
	"a bare line feed":         "HTTP/1.1 200 OK\nContent-Length: 2\n\n",
	"one bare line feed":       "HTTP/1.1 200 OK\r\nX-A: b\nContent-Length: 2\r\n\r\n",
	"a bare carriage return":   "HTTP/1.1 200 OK\r\nX-A: b\rContent-Length: 2\r\n\r\n",
	"a NUL":                    "HTTP/1.1 200 OK\r\nX-A: b\x00\r\n\r\n",
	"no colon":                 "HTTP/1.1 200 OK\r\nX-A\r\n\r\n",
	"no name":                  "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
	"a name with a space":      "HTTP/1.1 200 OK\r\nX A: b\r\n\r\n",
	"another version":          "HTTP/1.2 200 OK\r\n\r\n",
	"HTTP/2":                   "HTTP/2.0 200 OK\r\n\r\n",
	"no version":               "200 OK\r\n\r\n",
	"status of two digits":     "HTTP/1.1 20 OK\r\n\r\n",
	"status of four":           "HTTP/1.1 2000 OK\r\n\r\n",
	"status below":             "HTTP/1.1 099 OK\r\n\r\n",
	"status above":             "HTTP/1.1 600 OK\r\n\r\n",
	"status of letters":        "HTTP/1.1 2x0 OK\r\n\r\n",
	"two spaces":               "HTTP/1.1  200 OK\r\n\r\n",
	"a control in the reason":  "HTTP/1.1 200 O\x01K\r\n\r\n",
	"an empty line in front":   "\r\nHTTP/1.1 200 OK\r\n\r\n",
	"nothing but an end":       "\r\n\r\n",
	"another protocol":         "SSH-2.0-OpenSSH_9.2\r\n\r\n",
	"a length behind a folded": "HTTP/1.1 200 OK\r\nX-A:\r\n\tContent-Length: 2\r\n\r\n",
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, text := range badAnswers {
		var h head
		if end := headEnd([]byte(text), 0); end > 0 && h.response([]byte(text)[:end]) {
			t.Errorf("%s: %q was taken", name, text)
		}
	}
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n", "HTTP/1.0 404 Not Found\r\nX-A: \xc3\xa9\r\n\r\n",
		"HTTP/1.1 200 OK\r\ntransfer-encoding:\tChunked \r\n\r\n", "HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 007\r\n\r\n",
	} {
		var h head
		if !h.response([]byte(text)) {
			t.Errorf("%q was refused", text)
		}
	}
}

// TestBadAnswersAre502 sends some of them through: nothing of them reaches the client.
func TestBadAnswersAre502(t *testing.T) {
	t.Parallel()
	for name, text := range badAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
				_, _, _ = readAsIs(r)
				_, _ = io.WriteString(c, text+"okHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			}), nil)
			c, r := dial(t, g)
			res := get(t, c, r)
			if b, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 502 || !strings.Contains(string(b), `"upstream-failed"`) {
				t.Errorf("%d %q, %v", res.StatusCode, b, err)
			}
		})
	}
}

// FuzzAnswer: what is taken as an answer's head, net/http reads alike.
func FuzzAnswer(f *testing.F) {
	for _, text := range badAnswers {
		f.Add([]byte(text))
	}
	for _, text := range answers {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := headEnd(b, 0)
		var h head
		if end == 0 || !h.response(b[:end]) {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b[:end])), nil)
		if err != nil {
			if strings.Contains(err.Error(), "trailer key") { // the body is not touched by it
				return
			}
			t.Fatalf("net/http refuses %q: %v", b[:end], err)
		}
		if res.StatusCode != h.status || h.chunked != (len(res.TransferEncoding) == 1) {
			t.Fatalf("%q: status %d, chunked %v; net/http has %d, %v", b[:end], h.status, h.chunked, res.StatusCode, res.TransferEncoding)
		}
		if h.told && !without(nil, h.status) && res.ContentLength != h.length {
			t.Fatalf("%q: length %d; net/http has %d", b[:end], h.length, res.ContentLength)
		}
	})
}

// FuzzChunks: what is taken as a chunked body, however it is cut, has the data that
// net/http reads, and ends where it ends there.
func FuzzChunks(f *testing.F) {
	for _, text := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n00\r\nX-A: b\r\n\r\nGET /", "a\r\n0123456789\r\n0\r\n\r\n", "5\nhello\n0\n\n",
		"5 \r\nhello\r\n0\r\n\r\n",
		"+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "-1\r\n\r\n",
		"5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "fffffffffffffffff\r\n", "5\r\r\nhello\r\n0\r\n\r\n",
		"5;\nhello\r\n0\r\n\r\n", "0\r\n X: y\r\n\r\n", ";\r\n\r\n", "\r\n",
	} {
		f.Add([]byte(text), byte(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, step byte) {
		var c chunks
		var data []byte
		at := 0
		for at < len(b) && c.state != chunksDone {
			piece := b[at:min(len(b), at+1+int(step))]
			n, isData, _, err := c.next(piece)
			if err != nil {
				return
			}
			if n == 0 {
				t.Fatalf("%q: nothing was taken at %d", b, at)
			}
			if isData {
				data = append(data, piece[:n]...)
			}
			at += n
		}
		if c.state != chunksDone {
			return
		}
		r := bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(b)))
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err != nil && !strings.Contains(err.Error(), "malformed MIME header") { // its trailer's names are looked at elsewhere
			t.Fatalf("net/http refuses %q: %v", b[:at], err)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("%q: %q; net/http has %q", b[:at], data, got)
		}
		if rest, _ := io.ReadAll(r); err == nil && !bytes.Equal(rest, b[at:]) {
			t.Fatalf("%q: it ends at %d; net/http leaves %q", b, at, rest)
		}
	})
}
