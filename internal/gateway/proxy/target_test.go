package proxy

import (
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"
)

// hostileTargets are paths that some server reads as another.
var hostileTargets = []string{
	"", "*", "a", "http://", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/../../etc/passwd",
	"/a%2e", "/%2e%2e/a", "/%2E%2e/a", "/.%2e/a", "/a/%2e/b", "/%252e%252e/a", "/%252fa", "/%25%32%65", "/a%25zz%252f", "/%2561dmin", "/%61dmin", "/a%2D",
	"/a%5F", "/a%7e", "/%30",
	"/a%5cb", "/a%5Cb", "/a\\b", "/..\\a", "/..%5ca", "/a%00", "/a%00.png", "/a%0a", "/a%0d%0aX:y", "/a%1f", "/a%7f", "/a%", "/a%2", "/a%zz", "/a%2gb",
	"/%u002e", "/%",
	"/..;/a", "/.;a=b/c", "/a/..;x", "/..;", "/.;", "/..%3b/a", "/..%3B", "/;/a", "/a/;x=y/b", "/%3bx", "/a#b", "/#", "/a?b#c", "/a\xff", "/\xc3\xa4",
	"/a?\xc3\xa4", "/a\"b", "/a<b", "/a>b",
	"/a^b", "/a`b", "/a{b}", "/a?b\"", "/a?<x>", "/%c0%ae%c0%ae/a", "/%c0%af", "/%e0%80%af", "/%ff", "/%c3", "/%ed%a0%80", "/%f5%80%80%80",
	"/%ef%bc%8e%ef%bc%8e/a", "/%EF%BC%8Fa",
	"/%ef%bc%bc", "/%ef%bc%852f", "ftp://a.example/x", "HTTP://a.example/x", "http://a.example", "http://a.example?x", "/a%2f%2e%2e%2fb", "/a%2f..%2fb",
	"/a%2f%2fb", "/a/%2fb", "/%2f", "/a%2f.%2f",
	"?a", "/" + strings.Repeat("a", MaxTarget),
}

var hostileHosts = []string{
	"", "a:", "a:0", "a:080", "a:65536", "a:123456", "a:b", "a:80:80", "user@a", "u:p@a", "a/b", "a?b", "a#b", "a\\b", "a b", "a,b", ".a", "a.", "a..b", ".",
	"-%41", "a%00", "[::1", "[::1]a", "[::1]:",
	"[::1%25eth0]", "[fe80::1%eth0]", "[1.2.3.4]", "[]", "::1", "ä.example", "\xff", "a;b", "a=b", "a\"", "<a>", "a\tb", "a'b", "*.a", "(a)",
	strings.Repeat("a", maxHost+1), "a:+80", "[::1]:99999",
}

func TestCheckTarget(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"/", "/a", "/a/", "/a/b.c", "/.well-known/x", "/...", "/a..b/..c", "/a?b=/../", "/a?", "/a?b={c}|d^e`f\\g%", "/%C3%A4/%20", "/Products(1)/$value",
		"/a%3Ab%40c", "/a;b=1", "/a,b+c=d&e'f!*~-_",
		"/a|b[c]", "/100%25", "/100%25%20", "/%E2%82%AC", "/%F0%9F%98%80", "/a%3bx",
	} {
		if !CheckTarget([]byte(s)) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range append(hostileTargets, "/a%2fb", "/a%2F") {
		if CheckTarget([]byte(s)) {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{"/a%2fb", "/a%2F", "/a%2Fb/c?%2f"} {
		if !checkTarget([]byte(s), true) {
			t.Errorf("%q is refused where %%2F is let through", s)
		}
	}
}

func TestCheckHost(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "A.b-c_d.example", "a:1", "a:65535", "192.0.2.1:80", "[::1]", "[2001:db8::1]:8480", "xn--bcher-kva.example"} {
		if !CheckHost([]byte(s)) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range hostileHosts {
		if CheckHost([]byte(s)) {
			t.Errorf("%q passes", s)
		}
	}
}

// FuzzCheckTarget holds what is taken to what an upstream may make of it: whether it
// unescapes once, twice or cuts parameters, the segments stay those that were sent.
func FuzzCheckTarget(f *testing.F) {
	for _, s := range hostileTargets {
		f.Add(s)
	}
	f.Add("/a;b=1/%C3%A4?x=%")
	f.Fuzz(func(t *testing.T, s string) {
		if !CheckTarget([]byte(s)) {
			return
		}
		if !checkTarget([]byte(s), true) {
			t.Errorf("%q passes only where less does", s)
		}
		raw, _, _ := strings.Cut(s, "?")
		once, err := url.PathUnescape(raw)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		twice, err := url.PathUnescape(once)
		if err != nil {
			twice = once
		}
		for _, p := range []string{raw, once, twice} {
			if path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/" {
				t.Errorf("%q is cleaned as %q", s, p)
			}
			if strings.Count(p, "/") != strings.Count(raw, "/") || strings.ContainsAny(p, "\\\x00\r\n") {
				t.Errorf("%q has other segments: %q", s, p)
			}
		}
		u, err := url.ParseRequestURI(s)
		if err != nil || u.Host != "" || u.Path != once {
			t.Errorf("%q: %v, %+v", s, err, u)
		}
	})
}

// Ids are never the same, also of many who ask at a time.
func TestNewID(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[string]bool{}
	for range 4 {
		all.Go(func() {
			for range 500 {
				id := NewID()
				mu.Lock()
				if len(id) != 32 || seen[id] {
					t.Errorf("%q again", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}
