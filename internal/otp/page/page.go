package page

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/otp"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// Paths of the page.
const (
	Path      = "/otp"
	codesPath = "/otp/codes"
	openPath  = "/otp/open"
	takePath  = "/otp/take"
	closePath = "/otp/close"
)

// cookie names a session. The page is on loopback without TLS, so it has no __Host-;
// Strict keeps it from coming along from anywhere else.
const cookie = "pg-otp"

// Mount answers below [Path], and what the page loads.
func (d *Desk) Mount(m web.Mux) error {
	for _, r := range []web.Route{
		{Name: "otp.form", Pattern: "GET " + Path, Handle: d.form},
		{Name: "otp.open", Pattern: "POST " + openPath, Handle: d.postOpen},
		{Name: "otp.codes", Pattern: "GET " + codesPath, Handle: d.codes},
		{Name: "otp.take", Pattern: "POST " + takePath, Handle: d.postTake},
		{Name: "otp.close", Pattern: "POST " + closePath, Handle: d.postClose},
	} {
		r.Access, r.Page, r.Policy, r.MaxBody, r.Fail = web.Loopback, true, screen.Policy, 8<<10, d.fail
		m.Handle(r)
	}
	files := map[string]func(http.ResponseWriter, *http.Request) error{}
	for _, a := range screen.Assets() {
		files[a.Name] = web.Fixed(a.Type, a.Body)
	}
	m.Handle(web.Route{Name: "otp.static", Pattern: "GET " + screen.Static + "{name}", Access: web.Loopback, Handle: func(w http.ResponseWriter, r *http.Request) error {
		if h := files[r.PathValue("name")]; h != nil {
			return h(w, r)
		}
		return problem.New(problem.NotFound, "there is no such file").WithHint("load the page again")
	}})
	return nil
}

// sheet is one card of the page.
type sheet struct {
	title  string
	fault  error
	status int
	build  func(b *screen.Builder)
}

func (d *Desk) show(w http.ResponseWriter, s sheet) {
	f := screen.Frame{Now: d.d.Now()}
	var out bytes.Buffer
	err := f.Solo(&out, s.title, screen.Func(func(b *screen.Builder) {
		b.Class("section", "card")
		b.Class("div", "pad stack")
		b.Elem("h1", s.title)
		if s.fault != nil {
			b.Open("div", screen.A("class", "banner "+print.Bad.Class), screen.A("role", "alert"))
			b.Icon(screen.Mark(print.Bad))
			b.Open("div")
			b.Text(words(s.fault))
			b.End("div")
			b.End("div")
		}
		s.build(b)
		b.End("div")
		b.End("section")
	}))
	if err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", screen.Policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	if s.status == 0 {
		s.status = http.StatusOK
	}
	w.WriteHeader(s.status)
	_, _ = w.Write(out.Bytes())
}

// words are what may be said of an error.
func words(err error) string {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok || e.Kind == problem.Internal {
		return "Something went wrong here; it was logged."
	}
	said := print.Ended(print.Clean(e.Public, print.MaxSaying))
	if e.Hint != "" {
		said += " " + print.Ended(print.Clean(e.Hint, print.MaxSaying))
	}
	return said
}

func (d *Desk) fail(w http.ResponseWriter, _ *http.Request, status int, err error) {
	d.show(w, sheet{title: "One-time passwords", fault: err, status: status, build: func(b *screen.Builder) {
		b.Elem("a", "Back", screen.A("class", "btn wide"), screen.A("href", Path))
	}})
}

func (d *Desk) form(w http.ResponseWriter, r *http.Request) error {
	if d.of(r) != nil {
		return seeOther(w, r, codesPath)
	}
	d.show(w, sheet{title: "Open your one-time passwords", build: d.fields})
	return nil
}

func (d *Desk) fields(b *screen.Builder) {
	b.Elem("p", "Your file closes by itself after three minutes. Who took a code and when is in the audit trail of this installation; the code is not.",
		screen.A("class", "q sm"))
	b.Open("form", screen.A("method", "post"), screen.A("action", openPath), screen.A("class", "stack"), screen.A("autocomplete", "off"))
	for _, f := range []struct{ name, label, kind string }{{"person", "Name", "text"}, {"passphrase", "Passphrase", "password"}} {
		b.Class("div", "field")
		b.Elem("label", f.label, screen.A("for", f.name))
		b.Void("input", screen.A("class", "in"), screen.A("id", f.name), screen.A("name", f.name), screen.A("type", f.kind), screen.A("required", ""),
			screen.A("autocomplete", "off"), screen.A("autocapitalize", "none"), screen.A("spellcheck", "false"), screen.A("maxlength", "1024"),
			screen.If(f.name == "person", screen.A("autofocus", "")))
		b.End("div")
	}
	b.Elem("button", "Open", screen.A("class", "btn pri wide"), screen.A("type", "submit"))
	b.End("form")
}

func (d *Desk) postOpen(w http.ResponseWriter, r *http.Request) error {
	f, err := members(r, "person", "passphrase")
	if err != nil {
		return err
	}
	id, err := d.open(r.Context(), strings.ToLower(strings.TrimSpace(f.Get("person"))), secret.New(f.Get("passphrase")))
	if err != nil {
		status := web.Status(err)
		if status >= 500 {
			return err
		}
		if after := errorAfter(err); after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)+1))
		}
		d.show(w, sheet{title: "Open your one-time passwords", fault: err, status: status, build: d.fields})
		return nil
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id.Reveal(), Path: Path, MaxAge: int(Life / time.Second), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil})
	return seeOther(w, r, codesPath)
}

func errorAfter(err error) time.Duration {
	if e, ok := errors.AsType[*problem.Error](err); ok {
		return e.After
	}
	return 0
}

// of is the session of a request. Of several cookies of the name none counts.
func (d *Desk) of(r *http.Request) *session {
	if id := cookieOf(r); id != "" {
		return d.session(id)
	}
	return nil
}

func cookieOf(r *http.Request) string {
	found := r.CookiesNamed(cookie)
	if len(found) != 1 || len(found[0].Value) != 43 {
		return ""
	}
	return found[0].Value
}

func (d *Desk) codes(w http.ResponseWriter, r *http.Request) error {
	s := d.of(r)
	if s == nil {
		return seeOther(w, r, Path)
	}
	now := d.d.Now()
	code, next, is := s.shown(now)
	// The page comes again by itself: each few seconds while a code counts down, and
	// when the file has closed, so that nothing stays on the screen.
	again := time.Until(s.ends) + time.Second
	if is {
		again = min(again, 5*time.Second, code.Left+time.Second)
	}
	w.Header().Set("Refresh", strconv.Itoa(max(int(again/time.Second), 1)))
	d.show(w, sheet{title: "One-time passwords of " + s.person, build: func(b *screen.Builder) {
		if is {
			d.code(b, s, code, next)
		}
		d.list(b, s)
		b.Open("form", screen.A("method", "post"), screen.A("action", closePath))
		b.Elem("button", "Close", screen.A("class", "btn wide"), screen.A("type", "submit"))
		b.End("form")
		b.Elem("p", "Closes by itself in "+strconv.Itoa(max(int(time.Until(s.ends)/time.Second), 0))+" s.", screen.A("class", "q sm"))
	}})
	return nil
}

func (d *Desk) code(b *screen.Builder, s *session, c otp.Code, next bool) {
	b.Open("div", screen.A("class", "stack"), screen.A("role", "status"))
	b.Elem("h2", print.Clean(c.Name, 120), screen.A("class", "h3"))
	b.Elem("p", spaced(c.Code.Reveal()), screen.A("class", "big"))
	left, whole := int(c.Left/time.Second), int(c.Period/time.Second)
	b.Elem("progress", "", screen.A("class", "prog"), screen.A("max", strconv.Itoa(whole)), screen.A("value", strconv.Itoa(left)),
		screen.A("aria-label", "time left"))
	said := "Valid for " + strconv.Itoa(left) + " s more."
	if next { // the trail has it that this one is shown, too
		said = "Valid for " + strconv.Itoa(left) + " s more, then " + spaced(c.Next.Reveal()) + "."
	}
	b.Elem("p", said)
	if s.book.Offset != 0 {
		b.Elem("p", "The clock of this machine is corrected by "+s.book.Offset.String()+".", screen.A("class", "q sm"))
	}
	b.End("div")
}

func (d *Desk) list(b *screen.Builder, s *session) {
	if len(s.book.Entries) == 0 {
		b.Elem("p", "There is none yet: partnerguard otp add --person "+s.person+" takes one.")
		return
	}
	b.Elem("h2", "Take a code of", screen.A("class", "h3"))
	for i := range s.book.Entries {
		e := &s.book.Entries[i]
		b.Open("form", screen.A("method", "post"), screen.A("action", takePath))
		b.Hidden("id", e.ID)
		name := print.Clean(e.Name, 120)
		if print.Width(name) > 34 { // a button does not break its line
			b.Elem("p", name, screen.A("class", "sm"), screen.A("id", "n"+e.ID))
			b.Elem("button", "This one", screen.A("class", "btn wide"), screen.A("type", "submit"), screen.A("aria-describedby", "n"+e.ID))
		} else {
			b.Elem("button", name, screen.A("class", "btn wide"), screen.A("type", "submit"))
		}
		b.End("form")
	}
}

func (d *Desk) postTake(w http.ResponseWriter, r *http.Request) error {
	s := d.of(r)
	if s == nil {
		return seeOther(w, r, Path)
	}
	f, err := members(r, "id")
	if err != nil {
		return err
	}
	if err := d.take(r.Context(), s, f.Get("id")); err != nil {
		return err
	}
	return seeOther(w, r, codesPath)
}

func (d *Desk) postClose(w http.ResponseWriter, r *http.Request) error {
	if _, err := members(r); err != nil {
		return err
	}
	d.close(cookieOf(r))
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: Path, MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return seeOther(w, r, Path)
}

// members reads a form that has these members alone, each once.
func members(r *http.Request, names ...string) (url.Values, error) {
	bad := problem.New(problem.Usage, "the form is not one of this page").WithHint("load the page again")
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); len(names) > 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return nil, bad
	}
	if r.URL.RawQuery != "" || r.ParseForm() != nil || len(r.PostForm) != len(names) {
		return nil, bad
	}
	for _, n := range names {
		if len(r.PostForm[n]) != 1 {
			return nil, bad
		}
	}
	return r.PostForm, nil
}

func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// spaced writes a code as people read it.
func spaced(code string) string {
	if n := len(code); n == 6 || n == 8 {
		return code[:n/2] + " " + code[n/2:]
	}
	return code
}
