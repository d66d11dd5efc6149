package proxy

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// reading is what a server makes of a head.
type reading struct {
	method, target, host string
	length               int64
	fields               []string // name: value, lower case, sorted; without those that are in the others
}

// FuzzCheckHead holds what is taken to two servers written by others: they read the same
// method, target, host, fields and length in it, and no byte more or less.
func FuzzCheckHead(f *testing.F) {
	for _, s := range plainHeads {
		f.Add([]byte(s))
	}
	for _, c := range hostileHeads() {
		if len(c.head) < 4<<10 {
			f.Add([]byte(c.head))
		}
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var h Head
		if h.Parse(head) != nil {
			return
		}
		ours := reading{method: string(h.Method), target: string(h.Target), host: string(h.Host), length: h.Length, fields: splitFields(head)}
		std, closes := readStandard(t, head)
		fast, fastCloses := readFast(t, head)
		if h.Absolute {
			// The second reader keeps the host of Host, which is the target's in another case.
			ours.host, std.host, fast.host = strings.ToLower(ours.host), strings.ToLower(std.host), strings.ToLower(fast.host)
		}
		compare(t, head, "net/http", ours, std)
		compare(t, head, "fasthttp", ours, fast)
		if !h.Old && (closes != h.Close || fastCloses != h.Close) {
			t.Errorf("%q: closes %v, net/http %v, fasthttp %v", head, h.Close, closes, fastCloses)
		}
	})
}

func compare(t *testing.T, head []byte, who string, ours, theirs reading) {
	t.Helper()
	if ours.method != theirs.method || ours.target != theirs.target || ours.host != theirs.host || ours.length != theirs.length ||
		!slices.Equal(ours.fields, theirs.fields) {
		t.Errorf("%q\nwe       %+v\n%s %+v", head, ours, who, theirs)
	}
}

// apart are the fields that servers keep elsewhere than among the others.
var apart = map[string]bool{"host": true, "content-length": true, "transfer-encoding": true, "trailer": true, "connection": true, "pragma": true,
	"cache-control": true}

func field(name, value string) string { return strings.ToLower(name) + ": " + value }

// splitFields is the naive reading of a head that is well.
func splitFields(head []byte) (out []string) {
	for _, line := range strings.Split(string(head), "\r\n")[1:] {
		if name, value, ok := strings.Cut(line, ":"); ok && !apart[strings.ToLower(name)] {
			out = append(out, field(name, strings.Trim(value, " \t")))
		}
	}
	slices.Sort(out)
	return out
}

func readStandard(t *testing.T, head []byte) (reading, bool) {
	t.Helper()
	rest := bufio.NewReader(bytes.NewReader(head))
	r, err := http.ReadRequest(rest)
	if err != nil {
		// It wants what RFC 9110 leaves free: that a trailer's announcement is of names.
		if strings.Contains(err.Error(), "bad trailer key") {
			t.Skip()
		}
		t.Fatalf("%q: net/http: %v", head, err)
	}
	if rest.Buffered() != 0 {
		t.Errorf("%q: net/http leaves %d bytes", head, rest.Buffered())
	}
	out := reading{method: r.Method, target: r.RequestURI, host: r.Host, length: r.ContentLength}
	for name, values := range r.Header {
		for _, v := range values {
			if !apart[strings.ToLower(name)] {
				out.fields = append(out.fields, field(name, v))
			}
		}
	}
	slices.Sort(out.fields)
	return out, r.Close
}

func readFast(t *testing.T, head []byte) (reading, bool) {
	t.Helper()
	var h fasthttp.RequestHeader
	h.DisableNormalizing()
	rest := bufio.NewReaderSize(bytes.NewReader(head), 2*MaxHead)
	if err := h.Read(rest); err != nil {
		if strings.Contains(err.Error(), "railer") {
			t.Skip()
		}
		t.Fatalf("%q: fasthttp: %v", head, err)
	}
	if rest.Buffered() != 0 {
		t.Errorf("%q: fasthttp leaves %d bytes", head, rest.Buffered())
	}
	out := reading{method: string(h.Method()), target: string(h.RequestURI()), host: string(h.Host()), length: max(int64(h.ContentLength()), Chunked)}
	if h.ContentLength() == -2 {
		out.length = 0
	}
	for name, value := range h.All() {
		if n := strings.ToLower(string(name)); !apart[n] && n != "cookie" {
			out.fields = append(out.fields, field(n, string(value)))
		}
	}
	for _, c := range splitFields(head) { // it takes cookies apart
		if strings.HasPrefix(c, "cookie:") {
			out.fields = append(out.fields, c)
		}
	}
	slices.Sort(out.fields)
	return out, h.ConnectionClose()
}
