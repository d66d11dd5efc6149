package capture

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

//go:embed page.tmpl
var pageText string

var (
	writePage = page.Renderer(pageText, nil)
	pageSheet = sync.OnceValue(func() page.Sheet { return page.NewSheet() })
)

// policy lets the page do nothing but be shown, and its form lead to form.
func policy(form string) string {
	return pageSheet().Policy(form)
}

type card struct {
	CSS    template.CSS
	Good   bool
	Title  string
	Words  string
	Fix    string
	Facts  []fact
	Lists  []list
	Close  string
	Button string // of an invitation
}

type fact struct{ Name, Value, ID string }

type list struct {
	Title string
	Items []string
}

// fact adds a fact, if it is known.
func (c *card) fact(name, value string) {
	if value != "" {
		c.Facts = append(c.Facts, fact{Name: name, Value: print.Clean(value, print.MaxName)})
	}
}

// tenant names a tenant, with its id in small print; where nothing names it the id
// stands for it.
func (c *card) tenant(name, id string) {
	if name == "" || strings.EqualFold(name, id) {
		c.fact("Tenant", id)
		return
	}
	c.Facts = append(c.Facts, fact{"Tenant", print.Clean(name, print.MaxName), print.Clean(id, print.MaxName)})
}

// domainOf is what people call the tenant of a sign-in: its domain, by the
// connection or the account, which is no guest.
func domainOf(done Done) string {
	_, domain, _ := strings.Cut(done.Account, "@")
	return cmp.Or(done.Connection.Domain, domain)
}

// list adds a list, if it has items.
func (c *card) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	l := list{Title: title}
	for _, s := range items {
		l.Items = append(l.Items, print.Clean(s, print.MaxSaying))
	}
	c.Lists = append(c.Lists, l)
}

// WritePage answers the browser at the end of a sign-in: one small page that
// loads nothing, runs nothing and holds no secret. err is what Complete or
// Door.Read gave.
func WritePage(w http.ResponseWriter, status int, done Done, err error) {
	show(w, status, pageOf(done, err), "'none'")
}

func show(w http.ResponseWriter, status int, p card, form string) {
	p.CSS = pageSheet().CSS
	var b bytes.Buffer
	if err := writePage(&b, p); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	for name, v := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy(form), "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Content-Length":               strconv.Itoa(b.Len()),
	} {
		h.Set(name, v)
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func pageOf(done Done, err error) card {
	p := card{Close: "You can close this window."}
	if err != nil {
		p.Title, p.Words, p.Fix = "Not connected", "The sign-in could not be completed.", beginAgain
		if no, ok := errors.AsType[*Refusal](err); ok {
			p.Words, p.Fix = no.Words, no.Fix
			if no.Cause == Forged || no.Cause == Replayed {
				p.Title = "Nothing happened"
			}
		} else if e, ok := errors.AsType[*msapi.TokenError](err); ok {
			p.Words, p.Fix = e.Public(), beginAgain
		} else if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.Internal {
			p.Words, p.Fix = e.Public, e.Hint
		}
		p.Words, p.Fix = sentence(p.Words), sentence(p.Fix)
		p.Close = "Nothing of this sign-in was kept. You can close this window."
		return p
	}
	p.Good, p.Title = true, "Connected"
	p.Words = "MFA is proven, and the consent is sealed. You can go back to where you came from."
	if !done.Access.IsZero() {
		p.Title, p.Words = "Signed in", "The token was handed to the program you came from, which says what it proves. Nothing is kept."
	}
	p.fact("Account", done.Account)
	p.tenant(domainOf(done), done.Tenant)
	p.fact("Connection", done.Connection.Name)
	p.fact("MFA", mfaWords(done.Verdict))
	p.list("Permissions that are missing", flat(done.Difference.Missing))
	p.list("Granted, and more than is needed", flat(done.Difference.More))
	var notes []string
	for _, n := range done.Notes {
		notes = append(notes, sentence(n))
	}
	p.list("Not known yet", notes)
	return p
}

// mfaWords is the verdict in a few words: "proven, with a password".
func mfaWords(v claim.Verdict) string {
	words := string(v.Answer)
	if v.Answer == claim.Proven && len(v.By) > 0 {
		words += ", with " + strings.Join(claim.Methods(v.By), " and ")
	}
	return words
}

// sentence makes our lower-case words a sentence of a page.
func sentence(s string) string { return print.Ended(print.Clean(s, print.MaxSaying)) }
