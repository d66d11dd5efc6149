package pages

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"partnerguard/internal/page"
	"partnerguard/internal/partnercloud/skin"
)

//go:embed style.css
var style string

//go:embed key.js
var keyScript string

//go:embed post.js
var postScript string

//go:embed pages.tmpl
var text string

// Fact is one line of small print.
type Fact struct{ Name, Value string }

// Field is one hidden field.
type Field struct{ Name, Value string }

// Choice is a way to go on.
type Choice struct{ Value, Name, Note string }

// Permission is one thing that consent is given to.
type Permission struct {
	Name, Note string
	Admin      bool
}

// Page is what a page shows. Name picks the content; which other fields matter
// follows from it.
type Page struct {
	Name  string
	Title string
	Text  string
	Error string // shown first; the field it is about has the focus
	App   string // who asks
	Where string // the tenant's name

	Account string // sign-in name
	Action  string // where forms go
	Hidden  []Field
	Choices []Choice
	Facts   []Fact
	Code    int
	Back    string // address of the app, to go back with the error
	Other   bool   // there are other ways to prove it
	Key     bool   // a security key may be used instead of a password
	First   bool   // a pass is asked instead of a password, and may be exchanged for it

	Secret   string       // of a TOTP registration, in groups
	QR       template.URL // data: address of its picture
	Options  string       // WebAuthn options as JSON
	Creating bool         // a security key is registered, not asked

	Permissions []Permission
	Everybody   bool     // offer consent for everybody
	OnlyForAll  bool     // consent for everybody is what is asked
	Publisher   string   // tenant that owns the app
	FormAction  []string // origins that forms may lead to besides ours
	PostTo      string   // of a page that posts itself
	DeviceCode  string
}

var (
	sheet     = sync.OnceValue(func() page.Sheet { return skin.Sheet(style) })
	writePage = skin.Renderer(text, template.FuncMap{
		"style":      func() template.CSS { return sheet().CSS },
		"keyScript":  func() template.JS { return template.JS(keyScript) },  //nolint:gosec // our own file
		"postScript": func() template.JS { return template.JS(postScript) }, //nolint:gosec // our own file
	})
)

// Write renders a page with its headers: nothing may load, run or frame it but
// what is named here.
func Write(w http.ResponseWriter, status int, p Page) error {
	var b bytes.Buffer
	if err := writePage(&b, p); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return err
	}
	script := ""
	switch p.Name {
	case "key":
		script = "; script-src " + page.Hash(keyScript)
	case "post":
		script = "; script-src " + page.Hash(postScript)
	}
	form := append([]string{"'self'"}, p.FormAction...)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+sheet().Hash+script+"; img-src data:; form-action "+strings.Join(form, " ")+
		"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return err
}
