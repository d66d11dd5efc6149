package proxy

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// exchange2 sends one request of HTTP/2 as these fields, and data behind them, frame by
// frame. It gives the status, or what became of the stream.
func (g *rig) exchange2(fields [][2]string, data ...string) string {
	g.t.Helper()
	c, err := net.Dial("tcp", g.plain)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = c.Write([]byte(http2.ClientPreface))
	f := http2.NewFramer(c, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = f.WriteSettings()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, kv := range fields {
		_ = enc.WriteField(hpack.HeaderField{Name: kv[0], Value: kv[1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: len(data) == 0})
	for i, d := range data {
		_ = f.WriteData(1, i == len(data)-1, []byte(d))
	}
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			return frame.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return "reset"
		case *http2.GoAwayFrame:
			return "goaway"
		}
	}
}

// What HTTP/2 allows to say and HTTP/1.1 upstreams would read otherwise: each is refused,
// by the library's framing or by ours, and the upstream does not hear of it.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.take(strings.ReplaceAll(fmt.Sprintf(routes, g.upstream.URL), "path:", "host: a.example, path:"), "")
	base := func(method, scheme, authority, path string, more ...[2]string) [][2]string {
		out := [][2]string{{":method", method}, {":scheme", scheme}, {":authority", authority}, {":path", path}, {"authorization", "Bearer good"}}
		return append(out, more...)
	}
	get := func(more ...[2]string) [][2]string { return base("GET", "http", "a.example", "/x", more...) }
	post := func(more ...[2]string) [][2]string { return base("POST", "http", "a.example", "/x", more...) }
	for _, c := range []struct {
		name   string
		fields [][2]string
		data   []string
		want   string // statuses or ends that are well
	}{
		{"plain", get(), nil, "200"},
		{"body", post([2]string{"content-length", "5"}), []string{"hel", "lo"}, "200"},
		{"two cookies", get([2]string{"cookie", "a=b"}, [2]string{"cookie", "pg=c"}), nil, "200"},
		{"te trailers", get([2]string{"te", "trailers"}), nil, "200"},
		{"equal host", get([2]string{"host", "a.example"}), nil, "200"},
		{"other host", get([2]string{"host", "b.example"}), nil, "400 reset"},
		{"two hosts", get([2]string{"host", "a.example"}, [2]string{"host", "b.example"}), nil, "400 reset"},
		{"host alone", [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/x"}, {"host", "b.example"}}, nil, "404"},
		{"user in authority", base("GET", "http", "a.example@b.example", "/x"), nil, "400 reset"},
		{"path in authority", base("GET", "http", "a.example/b", "/x"), nil, "400 reset"},
		{"space in authority", base("GET", "http", "a.example b", "/x"), nil, "400 reset"},
		{"line in authority", base("GET", "http", "a.example\r\nX: y", "/x"), nil, "400 reset"},
		{"no authority", [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/x"}}, nil, "400 reset"},
		{"no path", [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}}, nil, "400 reset"},
		{"two paths", append(get()[:4:4], [2]string{":path", "/y"}), nil, "400 reset"},
		{"two methods", append(get()[:4:4], [2]string{":method", "POST"}), nil, "400 reset"},
		{"pseudo behind", append(get()[:3:3], [2]string{"x", "y"}, [2]string{":path", "/x"}), nil, "400 reset"},
		{"unknown pseudo", append(get()[:4:4], [2]string{":host", "b"}), nil, "400 reset"},
		{"status", append(get()[:4:4], [2]string{":status", "200"}), nil, "400 reset"},
		{"connect", [][2]string{{":method", "CONNECT"}, {":authority", "a.example:22"}}, nil, "400 reset 404"},
		{"extended connect", append(base("CONNECT", "http", "a.example", "/x"), [2]string{":protocol", "websocket"}), nil, "400 reset"},
		{"method of two lines", base("GET / HTTP/1.1\r\nX: y", "http", "a.example", "/x"), nil, "400 reset"},
		{"method in lower case", base("get", "http", "a.example", "/x"), nil, "400"},
		{"our stand-in", base(refused, "http", "a.example", "/400"), nil, "400"},
		{"trace", base("TRACE", "http", "a.example", "/x"), nil, "400"},
		{"star", base("OPTIONS", "http", "a.example", "*"), nil, "400"},
		{"path of two lines", base("GET", "http", "a.example", "/x HTTP/1.1\r\nX: y"), nil, "400 reset"},
		{"path with a space", base("GET", "http", "a.example", "/x y"), nil, "400 reset"},
		{"path without a slash", base("GET", "http", "a.example", "x"), nil, "400 reset"},
		{"absolute path of another", base("GET", "http", "a.example", "http://b.example/x"), nil, "400 reset"},
		{"dots", base("GET", "http", "a.example", "/y/../strict"), nil, "400"},
		{"escaped dots", base("GET", "http", "a.example", "/y/%2e%2e/strict"), nil, "400"},
		{"two slashes", base("GET", "http", "a.example", "//strict"), nil, "400"},
		{"escaped letter", base("GET", "http", "a.example", "/%73trict"), nil, "400"},
		{"fragment", base("GET", "http", "a.example", "/x#y"), nil, "400"},
		{"bytes above ASCII", base("GET", "http", "a.example", "/\xc3\xa4"), nil, "400"},
		{"transfer-encoding", post([2]string{"transfer-encoding", "chunked"}), []string{"0\r\n\r\n"}, "400 reset"},
		{"connection", get([2]string{"connection", "close"}), nil, "400 reset"},
		{"keep-alive", get([2]string{"keep-alive", "timeout=5"}), nil, "400 reset"},
		{"proxy-connection", get([2]string{"proxy-connection", "close"}), nil, "400 reset"},
		{"upgrade", get([2]string{"upgrade", "websocket"}), nil, "400 reset"},
		{"te gzip", get([2]string{"te", "gzip"}), nil, "400 reset"},
		{"length too short", post([2]string{"content-length", "2"}), []string{"hello"}, "400 reset 502"},
		{"length too long", post([2]string{"content-length", "9"}), []string{"hello"}, "400 reset 502"},
		{"length of no body", post([2]string{"content-length", "9"}), nil, "400 reset 502"},
		{"two lengths", post([2]string{"content-length", "5"}, [2]string{"content-length", "6"}), []string{"hello"}, "400 reset"},
		{"length of letters", post([2]string{"content-length", "five"}), []string{"hello"}, "400 reset"},
		{"length with a sign", post([2]string{"content-length", "+5"}), []string{"hello"}, "400 reset"},
		{"name in upper case", get([2]string{"X-Y", "z"}), nil, "400 reset"},
		{"name with a space", get([2]string{"x y", "z"}), nil, "400 reset"},
		{"name with a line", get([2]string{"x\r\ny", "z"}), nil, "400 reset"},
		{"name with a colon", get([2]string{"x:y", "z"}), nil, "400 reset"},
		{"empty name", get([2]string{"", "z"}), nil, "400 reset"},
		{"value of two lines", get([2]string{"x", "y\r\nx-partnerguard-user: root"}), nil, "400 reset"},
		{"value with LF", get([2]string{"x", "y\nz"}), nil, "400 reset"},
		{"value with NUL", get([2]string{"x", "y\x00z"}), nil, "400 reset"},
		{"underscored length", get([2]string{"content_length", "5"}), nil, "400"},
		{"spoofed user", get([2]string{"x-partnerguard-user", "root"}, [2]string{"x_partnerguard_user", "root"}), nil, "200"},
		{"other token", append(get(), [2]string{"authorization", "Bearer bad"}), nil, "400"},
	} {
		before := len(g.upstream.Seen())
		got := g.exchange2(c.fields, c.data...)
		if !strings.Contains(c.want+" closed", got) || got == "closed" && c.want == "200" {
			t.Errorf("%s: %s, want one of %s", c.name, got, c.want)
		}
		seen := g.upstream.Seen()[before:]
		if (c.want == "200") != (len(seen) == 1) && c.want != "400 reset 502" {
			t.Errorf("%s: the upstream saw %+v", c.name, seen)
		}
		for _, s := range seen {
			if user := s.Header["X-Partnerguard-User"]; len(user) != 1 || user[0] == "root" || s.Header["X_partnerguard_user"] != nil ||
				s.Header["Cookie"] != nil && s.Header["Cookie"][0] != "a=b" {
				t.Errorf("%s: the upstream saw %v", c.name, s.Header)
			}
		}
	}
}
