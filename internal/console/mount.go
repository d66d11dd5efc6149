package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

// Pages are what the features show, for [Console.Show].
type Pages struct {
	Screens []screen.Screen
	// Tenants gives all tenants that facts are of, the partner's own first; required.
	Tenants func(context.Context) ([]screen.Tenant, error)
	Version string // of the program, for the API's document
}

// pages is the mounting half of a Console.
type pages struct {
	Pages
	seen  seenTenants
	needs needed
	forms formTokens
}

// Show says which pages there are; before Mount, once.
func (c *Console) Show(p Pages) { c.pages.Pages = p }

// Mount answers the entry, and every page that Show was told of: as a page, as CSV and
// JSON, by the API; behind the right that each says. A page without a right, or with a
// name that cannot be, is an error.
func (c *Console) Mount(m web.Mux) error {
	c.Enter(m)
	if c.pages.Tenants == nil {
		return nil // nothing to show yet
	}
	return c.mount(m, c.pages.Screens, c.Guard)
}

const maxForm = 64 << 10 // bytes of a form

func (c *Console) mount(m web.Mux, screens []screen.Screen, guard func(screen.Right) web.Access) error {
	m.Handle(web.Route{Name: "console.static", Pattern: "GET " + screen.Static + "{name}", Handle: static(),
		Access: web.Public("files of ours that are the same for everybody")})
	for i := range screens {
		s := &screens[i]
		if s.See == "" || s.Load == nil || !fit(s.Name) {
			return problem.New(problem.Internal, "the page %q cannot be mounted: it needs a name, a right and Load", s.Name)
		}
		see := guard(s.See)
		name := "page." + strings.ReplaceAll(s.Name, "/", ".")
		c.route(m, name, "GET /"+s.Name, see, c.page(s))
		if s.List != nil {
			c.route(m, name+".csv", "GET /"+s.Name+".csv", see, c.csv(s))
		}
		c.route(m, name+".json", "GET /"+s.Name+".json", see, c.json(s))
		c.program(m, "api."+name[5:], "GET "+screen.API+s.Name, see, c.answers(s))
		for j := range s.Files {
			c.route(m, name+"."+s.Files[j].Name, "GET /"+s.Name+"/"+s.Files[j].Name, see, c.file(s, &s.Files[j]))
		}
		for j := range s.Acts {
			a := &s.Acts[j]
			if a.Do == "" || a.Handle == nil || !fit(a.Name) {
				return problem.New(problem.Internal, "the act %q of the page %q cannot be mounted: it needs a name, a right and Handle", a.Name, s.Name)
			}
			do := guard(a.Do)
			c.route(m, name+"."+a.Name+".form", "GET /"+s.Name+"/"+a.Name, do, c.form(s, a))
			c.route(m, name+"."+a.Name, "POST /"+s.Name+"/"+a.Name, do, c.act(s, a))
			c.program(m, "api."+name[5:]+"."+a.Name, "POST "+screen.API+s.Name+"/"+a.Name, do, c.acts(s, a))
		}
	}
	in := c.Entered()
	c.route(m, "console.home", "GET /{$}", in, c.home)
	c.route(m, "console.search", "GET /search", in, c.search)
	c.route(m, "console.tenants", "GET /tenants", in, c.tenants)
	c.route(m, "console.theme", "POST /theme", in, c.theme)
	c.program(m, "api.openapi", "GET "+screen.API+"openapi.json", in, c.openAPI())
	return nil
}

// fit says whether a name can stand in an address and in the name of a route.
func fit(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r != '/' && r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) &&
		!slices.Contains(strings.Split(name, "/"), "") && !slices.Contains([]string{"search", "tenants", "theme", "static", "api", "signin", "signout"},
		strings.Split(name, "/")[0])
}

type handler = func(http.ResponseWriter, *http.Request) error

func (c *Console) route(m web.Mux, name, pattern string, a web.Access, h handler) {
	m.Handle(web.Route{Name: name, Pattern: pattern, Access: a, Page: true, Policy: screen.Policy, MaxBody: maxForm, Handle: h, Fail: c.failed})
}

func (c *Console) program(m web.Mux, name, pattern string, a web.Access, h handler) {
	m.Handle(web.Route{Name: name, Pattern: pattern, Access: a, MaxBody: maxForm, Handle: h})
}

// seenTenants remembers the tenants: for a moment, so that pages need not ask for each,
// and longer while the database does not answer.
type seenTenants struct {
	mu   sync.Mutex
	list []screen.Tenant
	at   time.Time
}

const tenantsFor = 3 * time.Second

func (c *Console) allTenants(ctx context.Context) ([]screen.Tenant, error) {
	t := &c.pages.seen
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.list != nil && time.Since(t.at) < tenantsFor {
		return t.list, nil
	}
	list, err := c.pages.Tenants(ctx)
	if err != nil {
		if t.list == nil {
			return nil, err
		}
		c.d.Log.WarnContext(ctx, "the tenants cannot be read; the last ones are shown", slog.String("error", err.Error()))
		return t.list, nil
	}
	if c.d.Lab {
		list = slices.Clone(list)
		for i := range list {
			list[i].Local = true
		}
	}
	if list == nil {
		list = []screen.Tenant{}
	}
	t.list, t.at = list, time.Now()
	return list, nil
}

// ask settles what a request asks of a page.
func (c *Console) ask(r *http.Request, s *screen.Screen) (*screen.Ask, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > 8<<10 {
		return nil, problem.New(problem.Usage, "the part of the address behind the ? is not understood")
	}
	all, err := c.allTenants(r.Context())
	if err != nil {
		return nil, err
	}
	return screen.NewAsk(s, ViewerOf(r.Context()), all, values, c.d.Now())
}

// load answers a page's rows.
func (c *Console) load(r *http.Request, s *screen.Screen, machine bool) (*screen.Loaded, error) {
	a, err := c.ask(r, s)
	if err != nil {
		return nil, err
	}
	a.Machine = machine
	return s.Answer(r.Context(), a)
}

func (c *Console) page(s *screen.Screen) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		l, err := c.load(r, s, false)
		if err != nil {
			return err
		}
		return c.write(w, r, http.StatusOK, l.Ask, &screen.Page{Screen: s, Ask: l.Ask, View: l.View, Rows: l.Rows, Crumb: c.above(s)})
	}
}

// above is the page that this one is below.
func (c *Console) above(s *screen.Screen) []screen.Link {
	i := strings.LastIndexByte(s.Name, '/')
	if i < 0 {
		return nil
	}
	for j := range c.pages.Screens {
		if up := &c.pages.Screens[j]; up.Name == s.Name[:i] {
			return []screen.Link{{Text: up.Title, Path: "/" + up.Name}}
		}
	}
	return nil
}

// frame is what stands around a page for this request. a may be nil.
func (c *Console) frame(w http.ResponseWriter, r *http.Request, a *screen.Ask) (*screen.Frame, error) {
	v := ViewerOf(r.Context())
	f := &screen.Frame{Viewer: v, Screens: c.pages.Screens, Now: c.d.Now(), Theme: c.themeOf(r), SignOut: signOutPath, Here: backTo(r)}
	if v.Session == "" {
		f.SignOut = ""
	} else {
		var err error
		if f.Token, err = c.formToken(r, v); err != nil {
			return nil, err
		}
	}
	if a != nil {
		f.Tenant, f.Tenants = a.Tenant, a.Tenants
	} else if all, err := c.allTenants(r.Context()); err == nil {
		for _, t := range all {
			if v.Sees(t.ID) {
				f.Tenants = append(f.Tenants, t)
			}
		}
	}
	f.Needs = c.needs(r.Context(), v)
	f.Said = c.said(w, r)
	return f, nil
}

// write writes a page in its frame.
func (c *Console) write(w http.ResponseWriter, r *http.Request, status int, a *screen.Ask, p *screen.Page) error {
	f, err := c.frame(w, r, a)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := f.Write(&b, p); err != nil {
		return problem.Wrap(err, problem.Internal, "the page could not be written")
	}
	w.Header().Add("Vary", "Cookie")
	const html = "text/html; charset=utf-8"
	if status != http.StatusOK || f.Said != "" { // nobody is to have it again
		w.Header().Set("Content-Type", html)
		w.WriteHeader(status)
		_, _ = w.Write(b.Bytes())
		return nil
	}
	return web.Reply(w, r, html, b.Bytes())
}

// failed shows an error within the frame, so that the way on is there; to programs, and
// to whoever did not come in, it is what every route says.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, status int, err error) {
	v := ViewerOf(r.Context())
	if v == nil || !web.WantsPage(r) {
		web.Answer(w, r, status, err)
		return
	}
	words, hint := web.Words(status, err)
	n := screen.Notice{Tone: toneOf(status), Lead: print.Ended(words), Text: print.Ended(hint)}
	if r.Method == http.MethodGet && r.URL.RawQuery != "" && status != http.StatusForbidden {
		n.LinkText, n.Path = "Open the page as it is", r.URL.Path
	}
	p := &screen.Page{Title: cmp.Or(titles[status], http.StatusText(status)), Error: true, Body: []screen.Block{
		n,
		screen.Para{Text: "Request " + web.RequestID(r.Context()), Class: "meta"},
	}}
	w.Header().Set("Content-Security-Policy", screen.Policy)
	if err := c.write(w, r, status, nil, p); err != nil {
		web.Answer(w, r, status, errors.Join(err))
	}
}

// titles are what a person is told of a status.
var titles = map[int]string{
	http.StatusBadRequest: "Not understood", http.StatusForbidden: "Not yours", http.StatusNotFound: "Not here", http.StatusConflict: "Not as it was",
	http.StatusRequestEntityTooLarge: "Too much", http.StatusUnprocessableEntity: "Not done", http.StatusTooManyRequests: "Not so fast",
	http.StatusServiceUnavailable: "Not now", http.StatusInternalServerError: "Something went wrong",
}

func toneOf(status int) print.Tone {
	if status == http.StatusServiceUnavailable || status == http.StatusNotFound {
		return print.Doubt
	}
	return print.Bad
}

// home leads to the first page that the viewer may see.
func (c *Console) home(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	var first *screen.Screen
	groups := []screen.Group{screen.Posture, screen.Reach, screen.Evidence}
	if all, err := c.allTenants(r.Context()); err == nil && len(all) == 0 { // the first step is to connect one
		groups = []screen.Group{screen.Reach, screen.Posture, screen.Evidence}
	}
	for i := range c.pages.Screens {
		s := &c.pages.Screens[i]
		if s.Group == screen.Nowhere || !v.May(s.See) || s.Over == screen.OfPartner && v.Customers != nil {
			continue // the last: whoever is limited to customers would be refused there
		}
		if first == nil || cmp.Or(slices.Index(groups, s.Group)-slices.Index(groups, first.Group), s.Order-first.Order) < 0 {
			first = s
		}
	}
	if first == nil {
		return problem.New(problem.Forbidden, "the role %s sees no page", v.Role).WithHint("an administrator gives roles")
	}
	http.Redirect(w, r, "/"+first.Name, http.StatusSeeOther)
	return nil
}

const cookieTheme = "pg-theme"

func (c *Console) themeOf(r *http.Request) string {
	found := r.CookiesNamed(c.cookieName(r, cookieTheme))
	if len(found) == 1 && (found[0].Value == "light" || found[0].Value == "dark") {
		return found[0].Value
	}
	return ""
}

func (c *Console) theme(w http.ResponseWriter, r *http.Request) error {
	form, err := c.sent(r)
	if err != nil {
		return err
	}
	theme := form.Get("theme")
	if !slices.Contains([]string{"light", "dark", "system"}, theme) {
		return problem.New(problem.Usage, "there is no such theme").WithHint("there is light, dark, system")
	}
	life := 365 * 24 * time.Hour
	if theme == "system" {
		life = 0
	}
	c.setCookie(w, r, cookieTheme, theme, life)
	http.Redirect(w, r, safePath(form.Get("back")), http.StatusSeeOther)
	return nil
}
