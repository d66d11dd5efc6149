package gateway

import (
	"bytes"
	"slices"
	"strings"
)

// Limits of a route's path; a request's may be of any length.
const (
	maxPath     = 256
	maxSegments = 16
	maxHost     = 255
)

// own is where the gateway's pages are on every host it serves.
const own = "/.partnerguard"

// site is what one host serves.
type site struct {
	routes []*Route
	exact  map[string]*Route // by path
	folded map[string]*Route // by path in lower case
	deep   int               // segments of the longest path
	plain  bool              // no path has upper case
}

// index makes what Find looks in.
func (t *Table) index() {
	t.hosts = map[string]*site{}
	for _, r := range t.Routes {
		hosts := r.Hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, h := range hosts {
			h = strings.TrimPrefix(h, "*") // "*.x" is kept as ".x", which no host is called
			s := t.hosts[h]
			if s == nil {
				s = &site{exact: map[string]*Route{}, folded: map[string]*Route{}, plain: true}
				t.hosts[h] = s
			}
			low := strings.ToLower(r.Path)
			s.routes = append(s.routes, r)
			s.exact[r.Path], s.folded[low] = r, r
			s.plain = s.plain && low == r.Path
			if r.Path != "/" {
				s.deep = max(s.deep, strings.Count(r.Path, "/"))
			}
		}
	}
}

// Find gives the route of a request, by its host (perhaps with a port) and its path as
// it was sent, without the query: or the reason, NoRoute or BadRequest. The most exact
// host decides (its name, then *.x, then routes of every host), then its longest path by
// whole segments. It allocates nothing.
//
// A path that an upstream may read as one of another route (by other case, by escapes of
// what needs none, by parameters after a semicolon) is a BadRequest: it would get by the
// rule of the route that it reaches.
func (t *Table) Find(host, path string) (*Route, Reason) {
	s := t.site(host)
	switch {
	case s == nil:
		return nil, NoRoute
	case path == "" || path[0] != '/':
		return nil, BadRequest
	case s.deep == 0 && !strings.HasPrefix(path, "/."): // all is of one route, if of any
		if r := s.exact["/"]; r != nil {
			return r, Passed
		}
		return nil, NoRoute
	}
	end, simple := cut(path, max(s.deep, 1))
	head := path[:end]
	sent := lookup(s.exact, head)
	if simple && s.plain {
		if Reserved(head) || sent == nil {
			return nil, NoRoute
		}
		return sent, Passed
	}
	return s.disguised(path, head, sent)
}

// disguised is Find of a path that can be read in more than one way.
func (s *site) disguised(path, head string, sent *Route) (*Route, Reason) {
	var space [maxPath + 8]byte
	loose := fold(space[:0], path, max(s.deep, 1))
	switch {
	case Reserved(head):
		return nil, NoRoute
	case reserved(loose), lookupBytes(s.folded, loose) != sent:
		return nil, BadRequest
	case sent == nil:
		return nil, NoRoute
	}
	return sent, Passed
}

// cut gives the end of a path's first so many segments, and whether they are plain: no
// escape, no parameter, no upper case, none empty.
func cut(path string, segments int) (end int, simple bool) {
	simple = true
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '/':
			if i > 0 && path[i-1] == '/' {
				simple = false
			}
			if segments--; segments < 0 {
				return i, simple
			}
		case c == '%' || c == ';' || c == '\\' || 'A' <= c && c <= 'Z' || c >= 0x80:
			simple = false
		}
	}
	return len(path), simple
}

// lookup finds the longest prefix by segments.
func lookup(m map[string]*Route, path string) *Route {
	path = strings.TrimSuffix(path, "/")
	for path != "" {
		if r := m[path]; r != nil {
			return r
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return m["/"]
}

func lookupBytes(m map[string]*Route, path []byte) *Route {
	if n := len(path); n > 0 && path[n-1] == '/' {
		path = path[:n-1]
	}
	for len(path) > 0 {
		if r := m[string(path)]; r != nil {
			return r
		}
		i := len(path) - 1
		for path[i] != '/' {
			i--
		}
		path = path[:i]
	}
	return m["/"]
}

// fold reads a path's first segments as the most lenient upstream would: unescaped, in
// lower case, without parameters and empty segments. It stops where it is longer than
// any route's path.
func fold(to []byte, path string, segments int) []byte {
	parameters := false
	for i := 0; i < len(path) && len(to) < maxPath+4; i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			hi, lo := unhex(path[i+1]), unhex(path[i+2])
			if hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		switch {
		case c == '/':
			parameters = false
			if n := len(to); n > 0 && to[n-1] == '/' {
				continue
			}
			if segments--; segments < 0 {
				return to
			}
		case c == ';':
			parameters = true
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		if parameters {
			continue
		}
		to = append(to, c)
		to = letter(to)
	}
	return to
}

// letter takes the two letters beyond ASCII that fold to one within.
func letter(b []byte) []byte {
	if n := len(b); n >= 2 && b[n-2] == 0xc5 && b[n-1] == 0xbf { // long s
		return append(b[:n-2], 's')
	} else if n >= 3 && b[n-3] == 0xe2 && b[n-2] == 0x84 && b[n-1] == 0xaa { // kelvin
		return append(b[:n-3], 'k')
	}
	return b
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// site finds what a host serves; nil is nothing.
func (t *Table) site(host string) *site {
	if len(t.hosts) == 0 || len(host) > maxHost+6 {
		return nil
	}
	switch i := strings.LastIndexByte(host, ':'); {
	case strings.HasPrefix(host, "["):
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return nil
		}
		host = host[1:end]
	case i >= 0:
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".") // the same name, said in full
	if host == "" || host[0] == '.' {
		return nil
	}
	for i := 0; i < len(host); i++ {
		if 'A' <= host[i] && host[i] <= 'Z' {
			return t.lowered(host)
		}
	}
	return t.named(host)
}

// lowered is named of a host with upper case.
func (t *Table) lowered(host string) *site {
	var space [maxHost + 8]byte
	name := append(space[:0], host...)
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c + 'a' - 'A'
		}
	}
	if s := t.hosts[string(name)]; s != nil {
		return s
	}
	if dot := bytes.IndexByte(name, '.'); dot > 0 {
		if s := t.hosts[string(name[dot:])]; s != nil {
			return s
		}
	}
	return t.hosts[""]
}

func (t *Table) named(host string) *site {
	if s := t.hosts[host]; s != nil {
		return s
	}
	if dot := strings.IndexByte(host, '.'); dot > 0 {
		if s := t.hosts[host[dot:]]; s != nil {
			return s
		}
	}
	return t.hosts[""]
}

// Serves says whether any route is of a host (perhaps with a port).
func (t *Table) Serves(host string) bool { return t.site(host) != nil }

// Site lists the routes of a host (perhaps with a port), for a page about them. The
// slice is the caller's.
func (t *Table) Site(host string) []*Route {
	if s := t.site(host); s != nil {
		return slices.Clone(s.routes)
	}
	return nil
}

func reserved(path []byte) bool {
	return len(path) >= len(own) && string(path[:len(own)]) == own && (len(path) == len(own) || path[len(own)] == '/')
}

// Reserved says whether a path is the gateway's own on every host it serves.
func Reserved(path string) bool {
	rest, ok := strings.CutPrefix(path, own)
	return ok && (rest == "" || rest[0] == '/')
}
