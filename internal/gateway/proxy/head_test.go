package proxy

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// plainHeads are taken.
var plainHeads = []string{
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST /a/b?c=d%00//../%zz HTTP/1.1\r\nHost: a.example:8480\r\nContent-Length: 10\r\nConnection: keep-alive, Upgrade\r\n\r\n",
	"GET http://A.example/x HTTP/1.1\r\nhost: a.example\r\n\r\n",
	"GET https://a.example:444/ HTTP/1.1\r\nHost: a.example:444\r\n\r\n",
	"GET /a%2Fb HTTP/1.0\r\nHost: [::1]:80\r\nX:\r\nY: \xc3\xa4\r\n\r\n",
	"PUT /a;b=c/d:e@f(1)/%C3%A4%20%3A HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:\tChunked \r\nTrailer: X-Sum\r\nTE: trailers\r\n\r\n",
	"GET /ws HTTP/1.1\r\nHost: 192.0.2.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
	"M-SEARCH /.hidden/...x/a..b HTTP/1.1\r\nHost: x_y.example\r\nCookie: a=b\r\nCookie: c=d\r\nX_Y: z\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-Continue\r\nConnection: close,\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	"DELETE /a/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n",
}

func TestCheckHeadTakesPlainOnes(t *testing.T) {
	t.Parallel()
	for _, head := range plainHeads {
		if err := CheckHead([]byte(head)); err != nil {
			t.Errorf("%q: %v", head, err)
		}
	}
}

func TestHeadIsTold(t *testing.T) {
	t.Parallel()
	var h Head
	if err := h.Parse([]byte("POST http://a:1/b?c HTTP/1.1\r\nHost: a:1\r\nContent-Length: 12\r\n" +
		"Expect: 100-continue\r\nConnection: close\r\nTrailer: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if string(h.Method) != "POST" || string(h.Target) != "http://a:1/b?c" || string(h.Path) != "/b?c" || string(h.Host) != "a:1" ||
		h.Length != 12 || h.Old || !h.Absolute || h.Upgrade || !h.Expect || !h.Trailer || !h.Close {
		t.Errorf("%+v", h)
	}
	if err := h.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")); err != nil || !h.Upgrade || h.Length != 0 || h.Close || h.Expect {
		t.Errorf("%v: %+v", err, h)
	}
}

type hostile struct {
	head string
	want *HeadError
}

// lines puts fields behind a request line that is well, with a Host.
func withFields(fields ...string) string {
	return "POST /a HTTP/1.1\r\nHost: a.example\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
}

func withTarget(target string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n"
}

func withHost(host string) string { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }

// hostileHeads are refused, each for its own reason.
func hostileHeads() []hostile {
	var out []hostile
	add := func(want *HeadError, heads ...string) {
		for _, h := range heads {
			out = append(out, hostile{h, want})
		}
	}
	for want, sets := range map[*HeadError][]string{errBoth: {
		"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
		"content-length: 0\r\nTRANSFER-ENCODING: CHUNKED", "Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0",
	}, errLength: {
		"Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 5", "Content-Length: +5",
		"Content-Length: -5",
		"Content-Length: 0x5", "Content-Length: 5 5", "Content-Length:", "Content-Length: \t", "Content-Length: 05", "Content-Length: 00",
		"Content-Length: 5.0",
		"Content-Length: 5e1", "Content-Length: 1_0", "Content-Length: 9999999999999999999", "Content-Length: 18446744073709551621", "Content-Length: ٥",
		"Content-Length: 5;", "Content-Length: \"5\"", "Content-Length: 5\r\ncontent-length: 5",
	}, errCoding: {
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;q=1",
		"Transfer-Encoding: \"chunked\"", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding:", "Transfer-Encoding: cow",
		"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chun\u212aed", "Transfer-Encoding: x chunked",
		"Transfer-Encoding: chunked\xa0",
	}, errLine: {
		"Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x00", "X: a\x00b", "X: a\rb", "X: a\nContent-Length: 5", "X: a\x01b", "X: a\x7fb",
		"X: a\x0cb",
		"X: a\r\r\nTransfer-Encoding: chunked", "X\x00: a", "X: a\x1bb", "\nContent-Length: 5",
	}, errName: {
		"Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Content-Length : 5", "Transfer Encoding: chunked", ": x", "X", "X y: z", "(X): y",
		"X/Y: z",
		"\"X\": y", "X@Y: z", "Tränsfer: x", "Content-Length\xa0: 5", "[X]: y", "X=Y; z", "{X}: y", "\xef\xbb\xbfX: y", "X,Y: z", "Content-Length\\: 5",
		strings.Repeat("a", maxField+1) + ": b",
	}, errFold: {
		" X: y", "\tX: y", "X: y\r\n z", "X: y\r\n\tTransfer-Encoding: chunked", "X:\r\n Transfer-Encoding: chunked", "X: y\r\n ", " ",
		"Content-Length: 5\r\n 0",
	}, errUnderscore: {
		"Content_Length: 5", "Transfer_Encoding: chunked", "content_length: 0", "TRANSFER_Encoding: x", "X_HTTP_Method_Override: GET",
		"Content_Type: text/html",
	}, errHost: {
		"Host: a.example", "Host: b.example", "host: a.example", "HOST:",
	}, errConnection: {
		"Connection: close, X-Partnerguard-User", "Connection: Authorization", "Connection: cookie, keep-alive", "Connection: close, keep-alive",
		"Connection: keep-alive\r\nConnection: close", "Connection: Host", "Connection: Content-Length", "Connection: clo\u017fe", "Connection: close;",
		"Connection: \"close\"",
		"Connection: transfer-encoding", "Connection: x-forwarded-for",
	}, errUpgrade: {
		"Upgrade: websocket\r\nUpgrade: h2c", "Upgrade: websocket\r\nContent-Length: 5", "Upgrade: websocket\r\nTransfer-Encoding: chunked",
	}, errExpect: {
		"Expect: 200-ok", "Expect: 100-continue, x", "Expect: 100-continue\r\nExpect: 100-continue", "Expect:",
	}} {
		for _, s := range sets {
			add(want, withFields(s))
		}
	}
	for _, s := range hostileTargets {
		add(errTarget, withTarget(s))
	}
	for _, s := range hostileHosts {
		add(errHost, withHost(s))
	}
	add(errHost, "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://a\\@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
	add(errMethod, "get / HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
		"G\tET / HTTP/1.1\r\nHost: a\r\n\r\n",
		" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", strings.Repeat("A", maxMethod+1)+" / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET\r\nHost: a\r\n\r\n", "GET1 / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"Get / HTTP/1.1\r\nHost: a\r\n\r\n")
	add(errVersion, "GET /\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET / http/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"GET / HTTP/0.9\r\nHost: a\r\n\r\n", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1,1\r\nHost: a\r\n\r\n",
		"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", "GET / \r\nHost: a\r\n\r\n")
	add(errLine, "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\rHost: a\r\r", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n")
	add(errEnd, "", "GET / HTTP/1.1", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\nX",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n")
	add(errCoding, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	add(ErrHeadLong, withFields(strings.Repeat("X: y\r\n", maxFields)+"Z: z"), withFields("X: "+strings.Repeat("y", MaxHead)))
	return out
}

func TestCheckHeadRefuses(t *testing.T) {
	t.Parallel()
	all := hostileHeads()
	if len(all) < 220 {
		t.Errorf("only %d heads", len(all))
	}
	for _, c := range all {
		err := CheckHead([]byte(c.head))
		if got, ok := errors.AsType[*HeadError](err); !ok || got != c.want {
			t.Errorf("%.120q: %v, want %v", c.head, err, c.want)
		}
		if ok := CheckHead(bytes.Clone([]byte(c.head))); (ok == nil) != (err == nil) {
			t.Errorf("%.120q: once so, once so", c.head)
		}
	}
}

func TestCheckHeadAllocatesNothing(t *testing.T) {
	head := []byte(plainHeads[1])
	var h Head
	if n := testing.AllocsPerRun(100, func() {
		if h.Parse(head) != nil {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	head := []byte("GET /api/customers/7b2d?x=1 HTTP/1.1\r\nHost: panel.contoso.example\r\nUser-Agent: bench/1.0 (x)\r\nAccept: */*\r\nAuthorization: Bearer " +
		strings.Repeat("eyJh", 300) + "\r\n\r\n")
	b.SetBytes(int64(len(head)))
	var h Head
	for b.Loop() {
		if h.Parse(head) != nil {
			b.Fatal("refused")
		}
	}
}
