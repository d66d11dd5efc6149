package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/console"
	"partnerguard/internal/jobs"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

const matrixHome = "http://localhost:8443"

// signInOnly lets a client ask for what a sign-in needs, once it is shut: what was planted
// is not read anew.
type signInOnly struct {
	http.RoundTripper
	shut *bool
}

func (s signInOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if *s.shut && !strings.Contains(r.URL.Path, "/oauth2/") && !strings.Contains(r.URL.Path, "/.well-known/") && !strings.Contains(r.URL.Path, "/discovery/") {
		return nil, errors.New("no way out of this test")
	}
	return s.RoundTripper.RoundTrip(r)
}

// visitor is somebody in the console.
type visitor struct {
	*planted
	k         *web.Kernel
	jar       map[string]string
	role      console.Role
	customers []string // nil is all
	form      string   // the token of forms
	label     string
}

// own says that a word may be seen: the viewer is limited to others, or to none.
func (v *visitor) own(mark string) bool {
	return v.customers == nil || slices.Contains(v.customers, v.of[mark])
}

func (v *visitor) do(method, path string, body []byte, head ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequestWithContext(v.Context(), method, path, bytes.NewReader(body))
	q.Host, q.RemoteAddr = "localhost:8443", "127.0.0.1:40000"
	q.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(head); i += 2 {
		q.Header.Set(head[i], head[i+1])
	}
	for name, value := range v.jar {
		q.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	v.k.ServeHTTP(w, q)
	for _, c := range w.Result().Cookies() {
		if v.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.jar, c.Name)
		}
	}
	return w
}

func (v *visitor) submit(path string, form url.Values) *httptest.ResponseRecorder {
	return v.do("POST", path, []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

// enter signs the agent in with a role that is limited, or not.
func (p *planted) enter(k *web.Kernel, role console.Role, customers []string, subject string) *visitor {
	p.Helper()
	v := &visitor{planted: p, k: k, jar: map[string]string{}, role: role, customers: customers, label: role.ID}
	if customers != nil {
		v.label += " limited to " + strings.Join(append([]string{""}, customers...), " ")
	}
	grant := ""
	if role.ID == console.RoleOperator {
		where, err := p.s.Console.Link(p.Context(), "local:owner", matrixHome)
		p.ok(err)
		v.submit(strings.TrimPrefix(where, matrixHome), url.Values{})
	} else {
		grants, err := p.s.Console.Grants(p.Context())
		p.ok(err)
		for _, g := range grants {
			if g.Subject == subject {
				_, err := p.s.Console.Take(p.Context(), g.ID, "local:owner")
				p.ok(err)
			}
		}
		first := customers
		if customers != nil && len(customers) == 0 { // in as one of a customer, and given another since
			first = []string{p.of["zza"]}
		}
		grant = p.give(subject, role, first)
		begun := v.submit("/signin/entra", url.Values{"to": {"/"}})
		answer := p.lab.Leave(begun.Header().Get("Location"), labtest.SAMAgent)
		if in := v.do("GET", answer.RequestURI(), nil); in.Code != http.StatusSeeOther || in.Header().Get("Location") != "/" {
			p.Fatalf("%s does not come in: %d %s", v.label, in.Code, in.Body)
		}
	}
	if customers != nil && len(customers) == 0 {
		_, err := p.s.Console.Take(p.Context(), grant, "local:owner")
		p.ok(err)
		p.give(subject, role, []string{"cccccccc-3333-4333-8333-cccccccccccc"})
	}
	m := formToken.FindStringSubmatch(v.do("GET", "/tenants", nil).Body.String())
	if m == nil {
		p.Fatal(v.label, "has no form")
	}
	v.form = html.UnescapeString(m[1])
	return v
}

// give gives the agent a role beside those they have, and tells its id.
func (p *planted) give(subject string, role console.Role, customers []string) string {
	p.Helper()
	g, err := p.s.Console.Give(p.Context(), console.Grant{Tenant: p.of["zzp"], Kind: console.KindUser, Subject: subject, Name: "the agent", Role: role.ID,
		Customers: customers}, "local:owner")
	p.ok(err)
	return g.ID
}

var formToken = regexp.MustCompile(`name="` + screen.FormToken + `" value="([^"]+)"`)

// free are routes that no right stands before, with whose business it is to hold them.
var free = []string{"public", "own", "loopback", "entered"}

// own are the members of an address by which each page is asked once more.
func (v *visitor) addresses(path string, s *screen.Screen) []string {
	list := []string{path}
	for _, t := range []string{v.of["zzb"], v.of["zzp"], "zzb.example", v.of["zza"]} {
		list = append(list, path+"?tenant="+t)
	}
	for _, where := range v.open {
		if strings.HasPrefix(where, path+"?") {
			list = append(list, where)
		}
	}
	if v.customers == nil || s == nil {
		return list
	}
	for _, id := range v.ids {
		if s.List != nil {
			list = append(list, path+"?row="+url.QueryEscape(id))
		}
		for _, p := range s.Params {
			if len(p.Enum) == 0 && !strings.Contains(path, ".") {
				list = append(list, path+"?"+p.Name+"="+url.QueryEscape(id))
			}
		}
	}
	if s.List != nil {
		list = append(list, path+"?q=zzb", path+"?q=zzp")
	}
	return list
}

// look holds an answer to what the viewer may know. asked are the words of the address,
// which an error may repeat.
func (v *visitor) look(what string, w *httptest.ResponseRecorder, may bool) {
	v.Helper()
	body := html.UnescapeString(w.Body.String()) + w.Header().Get("Content-Disposition") + w.Header().Get("Location")
	asked, _ := url.QueryUnescape(what)
	if w.Code >= 500 && !(w.Code == http.StatusServiceUnavailable && strings.Contains(what, "/rehearse")) { // where they wait for their turn
		v.Errorf("%s: %s: %d %s", v.label, what, w.Code, strings.Join(strings.Fields(tagOf.ReplaceAllString(body, " ")), " "))
	}
	for word := range v.words {
		if !strings.Contains(body, word) || strings.Contains(asked, word) {
			continue
		}
		if !may && word[3:] != "-tenant" || !v.own(word[:3]) { // what is around a page names one's own tenants
			v.tell(what, w.Code, word)
		} else {
			v.words[word] = true
		}
	}
	for m, id := range v.of {
		if !v.own(m) && (strings.Contains(body, id) || m != "zzp" && strings.Contains(body, m+".example")) && !strings.Contains(asked, m) &&
			!strings.Contains(asked, id) {
			v.tell(what, w.Code, "the tenant "+m)
		}
	}
}

// tell says of a leak once a page and role.
func (v *visitor) tell(what string, status int, word string) {
	v.Helper()
	path, _, _ := strings.Cut(what, "?")
	if key := v.role.ID + path + word; !v.told[key] {
		v.told[key] = true
		v.Errorf("%s: %s: %d tells of %s", v.label, what, status, word)
	}
}

var tagOf = regexp.MustCompile(`(?s)<[^>]*>`)

// walk asks for every route.
func (v *visitor) walk(screens []screen.Screen) {
	v.Helper()
	for _, r := range v.k.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		rule := r.Access.Rule()
		if slices.Contains(free, rule) || strings.Contains(path, "{") {
			if rule != "entered" && !slices.Contains(free, rule) {
				v.Errorf("%s: what its path stands for is not known to this test: say it here", r.Name)
			}
			if rule == "entered" && method == "GET" {
				v.look("GET "+path, v.do("GET", strings.Replace(path, "{$}", "", 1), nil), true)
			}
			continue
		}
		if !slices.Contains(screen.Rights(), screen.Right(rule)) {
			v.Errorf("%s stands behind %q, which is no right", r.Name, rule)
			continue
		}
		may := slices.Contains(v.role.Rights, screen.Right(rule))
		s, act := screenOf(screens, path)
		if act != nil {
			may = may && slices.Contains(v.role.Rights, s.See)
		}
		if method == "GET" {
			v.sees(r.Name, path, s, may)
		} else {
			v.acts(r.Name, path, s, act, may)
		}
	}
}

func (v *visitor) sees(name, path string, s *screen.Screen, may bool) {
	v.Helper()
	for _, where := range v.addresses(path, s) {
		w := v.do("GET", where, nil)
		v.look("GET "+where, w, may)
		if !may && w.Code != http.StatusForbidden {
			v.Errorf("%s: %s (%s): %d, and no right", v.label, where, name, w.Code)
		}
		if may && v.customers == nil && w.Code == http.StatusForbidden {
			v.Errorf("%s: %s: %d %s", v.label, where, w.Code, w.Body)
		}
		if h := v.do("HEAD", where, nil); where == path && h.Code != w.Code {
			v.Errorf("%s: HEAD %s: %d, GET %d", v.label, where, h.Code, w.Code)
		}
		if !may {
			return // whatever the address says, nobody gets to it
		}
		if v.customers != nil && len(v.customers) == 0 && strings.HasPrefix(path, screen.API) && w.Code == http.StatusOK && s.Name != "sessions" {
			var a screen.Answer
			if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Page != nil && a.Page.Total != 0 {
				v.Errorf("%s: %s counts %+v %v", v.label, where, a.Page, err)
			}
		}
	}
}

// harmless are acts that who is limited to customers may do without naming what is another's.
var harmless = []string{"collection/read", "trail/verify"}

func (v *visitor) acts(name, path string, s *screen.Screen, act *screen.Act, may bool) {
	v.Helper()
	if act == nil {
		v.Errorf("%s: no act of a page is known at %s", name, path)
		return
	}
	if may && v.customers == nil || s.Name == "sessions" && act.Name == "everywhere" {
		return // what they may do is tested where it is done
	}
	ids := v.ids
	if !may || !slices.ContainsFunc(act.Form, func(f screen.Field) bool { return f.Kind == "hidden" }) {
		ids = ids[:1]
	}
	for _, id := range ids {
		form := url.Values{}
		for _, f := range act.Form {
			switch {
			case len(f.Enum) > 0:
				form.Set(f.Name, f.Enum[0])
			case f.Kind == "date":
				form.Set(f.Name, v.s.Now().AddDate(0, 1, 0).Format("2006-01-02"))
			case f.Kind != "check":
				form.Set(f.Name, id)
			}
		}
		for _, where := range []string{path, path + "?tenant=" + v.of["zzb"], path + "?tenant=" + v.of["zzp"]} {
			var w *httptest.ResponseRecorder
			if strings.HasPrefix(path, screen.API) {
				body, _ := json.Marshal(flat(form))
				w = v.do("POST", where, body, "Content-Type", "application/json", "Accept", "application/json")
			} else {
				form.Set(screen.FormToken, v.form)
				w = v.submit(where, form)
			}
			v.look("POST "+where+" "+form.Encode(), w, may)
			if !may && w.Code != http.StatusForbidden {
				v.Errorf("%s: POST %s: %d, and no right", v.label, where, w.Code)
			}
			done := w.Code < 400 && !(where == path && slices.Contains(harmless, s.Name+"/"+act.Name))
			if may && done && !(len(v.customers) > 0 && slices.Contains(harmless, s.Name+"/"+act.Name) && where == path) {
				v.Errorf("%s: POST %s of %s was done: %d %s", v.label, where, id, w.Code, w.Header().Get("Location"))
			}
		}
	}
}

func flat(form url.Values) map[string]string {
	out := map[string]string{}
	for k := range form {
		out[k] = form.Get(k)
	}
	return out
}

// screenOf is the page, and the act, at a path.
func screenOf(list []screen.Screen, path string) (*screen.Screen, *screen.Act) {
	name := strings.TrimPrefix(strings.TrimPrefix(path, strings.TrimSuffix(screen.API, "/")), "/")
	for i := range list {
		s := &list[i]
		for j := range s.Acts {
			if name == s.Name+"/"+s.Acts[j].Name {
				return s, &s.Acts[j]
			}
		}
		for j := range s.Files {
			if name == s.Name+"/"+s.Files[j].Name {
				return s, nil
			}
		}
		if name == s.Name || name == s.Name+".csv" || name == s.Name+".json" {
			return s, nil
		}
	}
	return nil, nil
}

// TestAccessMatrix goes through every route of the real server as every role, for all
// customers, for one, and for none: who may not see is refused without a word of it, and
// who is limited never meets a name, an id or a count of anybody else.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	lab, shut := labtest.Start(t), false
	o := newPlace(t).options(false)
	o.Config.Cloud, o.Now = app.LabName, lab.Now
	o.Config.Collect.Every = 1000 * time.Hour // what is planted is not read over
	o.Lab = &app.Lab{Info: &lab.Info, Clock: func(context.Context) (time.Time, error) { return lab.Now(), nil }}
	o.Dial = func(m msapi.Options) *msapi.Client {
		m.Transport = signInOnly{lab.Server.Transport(), &shut}
		return msapi.New(m)
	}
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.SAM.Store.App(t.Context(), labtest.PanelApp); errors.Is(err, problem.NotFound) {
		lab.Register(s.SAM)
	}
	a, err := s.SAM.Store.App(t.Context(), labtest.PanelApp)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.SAM.Capture()
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Collect.Connection = lab.Connect(c, capture.Request{Name: "panel", Cloud: s.Cloud, App: a}, labtest.SAMAgent).ID
	shut = true
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := h.(*web.Kernel)
	p := plant(t, lab, s)
	lab.Redirect(labtest.PanelApp, matrixHome+"/signin/callback")
	var subject string
	lab.Server.World.Read(func(w *world.State) { subject = w.PartnerTenant().UserByName(labtest.SAMAgent).ID })
	q, err := jobs.Open(t.Context(), s.DB, jobs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	screens := s.ScreensWith(q)
	for _, role := range console.Roles() {
		if testing.Short() && role.ID != console.RoleOperator && role.ID != console.RoleEngineer {
			continue // all of them take minutes, under the race detector many
		}
		limits := [][]string{nil}
		if role.Limits {
			limits = append(limits, []string{p.of["zza"]}, []string{})
		}
		for _, customers := range limits {
			v := p.enter(k, role, customers, subject)
			if customers != nil {
				v.rail(screens)
			}
			v.walk(screens)
		}
	}
	for word, seen := range p.words {
		if !seen {
			t.Errorf("nobody saw %s: this test looks where it is not", word)
		}
	}
}

// rail holds the numbers beside the pages' names, and the palette, to what the viewer may
// know: none for whoever sees no tenant.
func (v *visitor) rail(screens []screen.Screen) {
	v.Helper()
	who := &screen.Viewer{ID: "x", Role: v.role.Title, Actor: "entra:x", Rights: v.role.Rights, Customers: v.customers}
	for i := range screens {
		s := &screens[i]
		if n := 0; s.Needs != nil && len(v.customers) == 0 {
			if n = s.Needs(v.Context(), who); n != 0 {
				v.Errorf("%s: the rail has %d at %s", v.label, n, s.Name)
			}
		}
	}
	for _, q := range []string{"zz", "example", "zzb.example", "contoso"} {
		for _, path := range []string{"/search?q=" + q, "/tenants?q=" + q} {
			v.look("GET "+path, v.do("GET", path, nil), true)
		}
	}
}
