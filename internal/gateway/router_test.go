package gateway

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func tableOf(routes ...*Route) *Table {
	t := &Table{Routes: routes}
	t.index()
	return t
}

func aroute(name, path string, hosts ...string) *Route {
	return &Route{Name: name, Path: path, Hosts: hosts}
}

var (
	byPath = tableOf(aroute("root", "/", "a.example"), aroute("admin", "/admin", "a.example"), aroute("deep", "/admin/keys/Old", "a.example"),
		aroute("api", "/api", "b.example"), aroute("one", "/", "*.c.example"), aroute("six", "/", "::1"))
	everyHost = tableOf(aroute("every", "/x"), aroute("named", "/y", "a.example"))
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host, path, want string
		reason           Reason
	}{
		{"a.example", "/", "root", Passed}, {"a.example", "/x/y", "root", Passed}, {"A.Example:443", "/admin", "admin", Passed},
		{"a.example.", "/admin/", "admin", Passed}, {"a.example", "/administrator", "root", Passed}, {"a.example", "/admin/keys", "admin", Passed},
		{"a.example", "/admin/keys/Old", "deep", Passed}, {"a.example", "/admin/keys/Old/x", "deep", Passed}, {"a.example", "/x/admin", "root", Passed},
		{"a.example", "/other/Mixed%20Case;v=1/%41", "root", Passed}, {"a.example", "/x/y/%2e%2e/admin", "root", Passed}, // dots are the gate's
		{"b.example", "/", "", NoRoute}, {"b.example", "/apix", "", NoRoute}, {"b.example", "/api", "api", Passed}, {"b.example", "", "", BadRequest},
		{"x.c.example", "/", "one", Passed}, {"x.y.c.example", "/", "", NoRoute}, {"c.example", "/", "", NoRoute}, {".c.example", "/", "", NoRoute},
		{".C.example", "/", "", NoRoute}, {"X.C.example", "/", "one", Passed},

		{"[::1]:8480", "/", "six", Passed}, {"[::1", "/", "", NoRoute}, {"", "/", "", NoRoute}, {":80", "/", "", NoRoute},
		{strings.Repeat("a", 1000), "/", "", NoRoute}, {"a.example", "*", "", BadRequest}, {"a.example", "admin", "", BadRequest},
		// What an upstream may read as another route's.
		{"a.example", "/ADMIN", "", BadRequest}, {"a.example", "/Admin/x", "", BadRequest}, {"a.example", "/%61dmin", "", BadRequest},
		{"a.example", "/%41DMIN/x", "", BadRequest}, {"a.example", "/admin;x=1", "", BadRequest}, {"a.example", "/admin;x=1/y", "", BadRequest},
		{"a.example", "/;x/admin", "", BadRequest}, {"a.example", "//admin", "", BadRequest}, {"a.example", "/%2fadmin", "", BadRequest},
		{"a.example", "/admin%2fkeys%2fOld", "", BadRequest}, {"a.example", `/\admin`, "", BadRequest}, {"a.example", `/admin\keys\Old`, "", BadRequest},
		{"a.example", "/admin/keys/old", "", BadRequest}, {"a.example", "/admin/keys/%4fld", "", BadRequest}, {"a.example", "/admin/key%C5%BF/Old",
			"", BadRequest},
		{"b.example", "/API", "", BadRequest}, {"b.example", "/ap%69/x", "", BadRequest}, {"b.example", "/api/%69", "api", Passed},
		{"a.example", "/admin%", "root", Passed}, {"a.example", "/admin%6", "root", Passed},
		// The gateway's own pages are nobody's.
		{"a.example", "/.partnerguard", "", NoRoute}, {"a.example", "/.partnerguard/sign-in", "", NoRoute}, {"a.example", "/%2epartnerguard/x", "", BadRequest},
		{"a.example", "/.PartnerGuard/x", "", BadRequest}, {"x.c.example", "/.partnerguard/", "", NoRoute}, {"a.example", "/.partnerguardian", "root", Passed},
	} {
		r, reason := byPath.Find(c.host, c.path)
		name := ""
		if r != nil {
			name = r.Name
		}
		if name != c.want || reason != c.reason {
			t.Errorf("%q %q: %q %s, want %q %s", c.host, c.path, name, reason, c.want, c.reason)
		}
	}
	if r, reason := everyHost.Find("a.example", "/x"); r != nil || reason != NoRoute {
		t.Errorf("a host that is named has its own routes alone: %v %s", r, reason)
	}
	if r, _ := everyHost.Find("other.example", "/x/1"); r == nil || r.Name != "every" {
		t.Errorf("%v", r)
	}
	if !byPath.Serves("A.example:1") || byPath.Serves("z.example") || len(byPath.Site("a.example")) != 3 || byPath.Site("z.example") != nil {
		t.Error("what a host serves is wrong")
	}
	if r, reason := new(Table).Find("a.example", "/"); r != nil || reason != NoRoute {
		t.Error("an empty table serves something")
	}
}

// naive is the router as one would write it down.
func naive(t *Table, host, path string) *Route {
	_, parent, _ := strings.Cut(host, ".")
	for _, h := range []string{host, "*." + parent, ""} {
		var best *Route
		there := false
		for _, r := range t.Routes {
			hosts := r.Hosts
			if len(hosts) == 0 {
				hosts = []string{""}
			}
			for _, have := range hosts {
				if have != h {
					continue
				}
				there = true
				if (r.Path == "/" || path == r.Path || strings.HasPrefix(path, r.Path+"/")) && (best == nil || len(r.Path) > len(best.Path)) {
					best = r
				}
			}
		}
		if there {
			return best
		}
	}
	return nil
}

func drawTable(t *rapid.T) *Table {
	segments := rapid.SampledFrom([]string{"a", "b", "ab", "api", "x1"})
	hosts := rapid.SampledFrom([]string{"a.example", "b.example", "*.example", "*.a.example", ""})
	seen := map[string]bool{}
	var routes []*Route
	for range rapid.IntRange(1, 12).Draw(t, "routes") {
		h := hosts.Draw(t, "host")
		p := "/" + strings.Join(rapid.SliceOfN(segments, 0, 4).Draw(t, "path"), "/")
		if seen[h+p] {
			continue
		}
		seen[h+p] = true
		r := &Route{Name: h + p, Path: p}
		if h != "" {
			r.Hosts = []string{h}
		}
		routes = append(routes, r)
	}
	return tableOf(routes...)
}

func TestFindIsTheNaiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		for range 20 {
			host := rapid.SampledFrom([]string{"a.example", "b.example", "c.example", "x.a.example", "y.x.a.example", "other"}).Draw(t, "asked host")
			segs := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "api", "x1", "other"}), 0, 6).Draw(t, "asked path")
			path := "/" + strings.Join(segs, "/")
			if rapid.Bool().Draw(t, "slash") && path != "/" {
				path += "/"
			}
			got, reason := table.Find(host, path)
			if want := naive(table, host, path); got != want || (reason == Passed) != (want != nil) {
				t.Fatalf("%s%s: %v %s, want %v", host, path, got, reason, want)
			}
		}
	})
}

// TestFindOfDisguises: however a path is disguised, it finds the route that its plain
// form has, or none at all.
func TestFindOfDisguises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := drawTable(t)
		segs := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "api", "x1", "k"}), 1, 6).Draw(t, "path")
		plain := "/" + strings.Join(segs, "/")
		var b strings.Builder
		for _, c := range []byte(plain) {
			switch rapid.IntRange(0, 9).Draw(t, "disguise") {
			case 0:
				b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])) + string("0123456789abcdef"[c&15]))
			case 1:
				b.WriteString(strings.ToUpper(string(c)))
			case 2:
				if c == '/' {
					b.WriteString(";v=1//")
					continue
				}
				b.WriteByte(c)
			default:
				b.WriteByte(c)
			}
		}
		sent := b.String()
		if !strings.HasPrefix(sent, "/") {
			sent = "/" + sent
		}
		got, reason := table.Find("a.example", sent)
		if want := naive(table, "a.example", plain); got != nil && got != want || got == nil && reason == Passed {
			t.Fatalf("%s (which is %s): %v %s, want %v or none", sent, plain, got, reason, want)
		}
	})
}

func TestFindAllocatesNothing(t *testing.T) {
	for _, path := range []string{"/", "/admin/keys/Old/x/y/z", "/ADMIN", "/other/%20x"} {
		if n := testing.AllocsPerRun(100, func() { byPath.Find("A.Example:8443", path) }); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for name, path := range map[string]string{"plain": "/admin/users/17", "escaped": "/other/%20x"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				byPath.Find("a.example:8443", path)
			}
		})
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"/admin", "/%61dmin", "/a;b/../admin", "//admin", "/.partnerguard/", "", "*", "/\xff%c5%bf", "/" + strings.Repeat("a/", 300)} {
		f.Add("a.example:443", s)
	}
	f.Add("[::1]:1", "/")
	f.Add("x.c.example.", "/")
	f.Fuzz(func(t *testing.T, host, path string) {
		for _, table := range []*Table{byPath, everyHost} {
			r, reason := table.Find(host, path)
			if (r == nil) == (reason == Passed) {
				t.Fatalf("%q %q: %v %s", host, path, r, reason)
			}
			if r == nil {
				continue
			}
			if Reserved(path) || !strings.HasPrefix(path, "/") || r.Path != "/" && path != r.Path && !strings.HasPrefix(path, r.Path+"/") {
				t.Fatalf("%q %q is not of %s", host, path, r.Name)
			}
			// As an upstream may read it, it is the same route's.
			if plain, err := url.PathUnescape(path); err == nil && !strings.Contains(plain, "//") && strings.HasPrefix(plain, "/") &&
				!strings.Contains(plain, "/.") {
				if other, reason := table.Find(host, plain); reason == Passed && other != r {
					t.Fatalf("%q is of %s, and read as %q of %s", path, r.Name, plain, other.Name)
				}
			}
		}
	})
}
