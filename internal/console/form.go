package console

import (
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

// formTokens are the tokens that hold forms to sessions, one a session: a page asked for
// again is the same, byte by byte.
type formTokens struct {
	mu   sync.Mutex
	held map[string]string
}

// formFor is what a form's token says.
type formFor struct {
	Session string `json:"s"`
}

const (
	formName = "pg-form"
	maxHeld  = 10_000 // kept; then all are made anew
)

// formToken is the token of a viewer's forms. Any process with the vault's key takes it.
func (c *Console) formToken(r *http.Request, v *screen.Viewer) (string, error) {
	f := &c.pages.forms
	f.mu.Lock()
	t := f.held[v.Session]
	f.mu.Unlock()
	if t != "" {
		return t, nil
	}
	t, err := c.box.seal(r.Context(), formName, formFor{v.Session})
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil || len(f.held) >= maxHeld {
		f.held = map[string]string{}
	}
	f.held[v.Session] = t
	return t, nil
}

// sent is the form of a request, held to the session that it was shown in. The kernel
// has refused other sites' forms before; this refuses those of another session.
func (c *Console) sent(r *http.Request) (url.Values, error) {
	v := ViewerOf(r.Context())
	if v.Session == "" {
		return nil, problem.New(problem.Forbidden, "a token sends no forms").WithHint("the same is done by POST %sNAME/ACT with JSON", screen.API)
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, web.WithStatus(http.StatusUnsupportedMediaType, problem.New(problem.Usage, "a form is sent as application/x-www-form-urlencoded"))
	}
	if err := r.ParseForm(); err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the form is not understood")
	}
	var of formFor
	ok, err := c.box.open(r.Context(), formName, r.PostForm.Get(screen.FormToken), &of)
	if err != nil {
		return nil, err
	}
	if !ok || of.Session != v.Session {
		return nil, problem.New(problem.Forbidden, "the form is of another session, or too old; nothing was done").
			WithHint("open the page again and send it once more")
	}
	r.PostForm.Del(screen.FormToken)
	return r.PostForm, nil
}

// once is what is said once, on the next page.
type once struct {
	Session string    `json:"s"`
	Said    string    `json:"t"`
	At      time.Time `json:"a"`
}

const (
	cookieSaid = "pg-said"
	saidFor    = time.Minute
)

// tell has the next page say what was done.
func (c *Console) tell(w http.ResponseWriter, r *http.Request, words string) {
	if words == "" {
		return
	}
	if len(words) > 500 {
		words = words[:500]
	}
	full := c.cookieName(r, cookieSaid)
	if t, err := c.box.seal(r.Context(), full, once{ViewerOf(r.Context()).Session, words, c.now()}); err == nil {
		c.setCookie(w, r, cookieSaid, t, saidFor)
	}
}

// said is what was done before this page, which is forgotten by it.
func (c *Console) said(w http.ResponseWriter, r *http.Request) string {
	if len(r.CookiesNamed(c.cookieName(r, cookieSaid))) == 0 {
		return ""
	}
	var t once
	ok, err := c.readCookie(r, cookieSaid, &t)
	c.setCookie(w, r, cookieSaid, "", 0)
	if age := c.now().Sub(t.At); err != nil || !ok || t.Session != ViewerOf(r.Context()).Session || age < -saidFor || age > saidFor {
		return ""
	}
	return t.Said
}

// form shows what an act asks for.
func (c *Console) form(s *screen.Screen, a *screen.Act) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ask, values, err := c.askAct(r, s, a)
		if err != nil {
			return err
		}
		return c.showForm(w, r, ask, s, a, values, http.StatusOK, nil)
	}
}

// askAct settles the address of an act: its tenant, and what its fields begin with.
func (c *Console) askAct(r *http.Request, s *screen.Screen, a *screen.Act) (*screen.Ask, url.Values, error) {
	// What an act answers may show what the page shows.
	if v := ViewerOf(r.Context()); !v.May(s.See) {
		return nil, nil, c.mayNot(r, v, s.See)
	}
	of := *s
	of.List, of.Params = nil, nil
	for _, f := range a.Form {
		of.Params = append(of.Params, screen.Param{Name: f.Name})
	}
	ask, err := c.ask(r, &of)
	if err != nil {
		return nil, nil, err
	}
	values := ask.Values
	ask.Values = url.Values{}
	return ask, values, nil
}

func (c *Console) showForm(w http.ResponseWriter, r *http.Request, ask *screen.Ask, s *screen.Screen, a *screen.Act, values url.Values, status int,
	fault error) error {
	f := screen.Form{Screen: s, Act: a.Name, Values: values}
	if fault != nil {
		f.Fault, f.Hint = web.Words(status, fault)
	}
	above := screen.Link{Text: s.Title, Path: screen.With("/"+s.Name, "tenant", ask.Tenant.ID)}
	return c.write(w, r, status, ask, &screen.Page{Screen: s, Ask: ask, Title: a.Title, Crumb: append(c.above(s), above), Body: []screen.Block{f}})
}

// act does what a form asks for, and leads to where it shows.
func (c *Console) act(s *screen.Screen, a *screen.Act) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := c.sent(r)
		if err != nil {
			return err
		}
		ask, _, err := c.askAct(r, s, a)
		if err != nil {
			return err
		}
		values, err := a.Check(form)
		var done screen.Done
		if err == nil {
			done, err = a.Handle(r.Context(), ask, values)
			c.pages.needs.acted()
		}
		if err != nil {
			if status := web.Status(err); status < 500 && status != http.StatusForbidden && web.WantsPage(r) && a.Asks() {
				return c.showForm(w, r, ask, s, a, form, status, err)
			}
			return err
		}
		c.tell(w, r, done.Said)
		to := screen.With("/"+s.Name, "tenant", ask.Tenant.ID)
		if done.Path != "" {
			to = safePath(done.Path)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
}
