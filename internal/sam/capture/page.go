package capture

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"partnerguard/internal/claim"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

//go:embed page.css
var pageCSS string

//go:embed page.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pagePolicy lets the page do nothing but be shown.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

type page struct {
	CSS     template.CSS
	Good    bool
	Title   string
	Words   string
	Fix     string
	Facts   []fact
	Missing []string
	More    []string
	Notes   []string
	Close   string
	Button  string   // of an invitation
	Wanted  []string // permissions an invitation asks for
}

type fact struct{ Name, Value string }

// WritePage answers the browser at the end of a sign-in: one small page that
// loads nothing, runs nothing and holds no secret. err is what Complete or
// Door.Read gave.
func WritePage(w http.ResponseWriter, status int, done Done, err error) {
	show(w, status, pageOf(done, err), pagePolicy)
}

func show(w http.ResponseWriter, status int, p page, policy string) {
	p.CSS = template.CSS(pageCSS) //nolint:gosec // our own file
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	for name, v := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Length": strconv.Itoa(b.Len()),
	} {
		h.Set(name, v)
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

func pageOf(done Done, err error) page {
	p := page{Close: "You can close this window."}
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
	add := func(name, value string) {
		if value != "" {
			p.Facts = append(p.Facts, fact{name, print.Clean(value, print.MaxName)})
		}
	}
	add("Account", done.Account)
	add("Tenant", done.Tenant)
	add("Connection", done.Connection.Name)
	add("MFA", mfaWords(done.Verdict))
	for _, list := range []struct {
		from map[string][]string
		to   *[]string
	}{{done.Difference.Missing, &p.Missing}, {done.Difference.More, &p.More}} {
		for _, v := range flat(list.from) {
			*list.to = append(*list.to, print.Clean(v, print.MaxName))
		}
	}
	for _, n := range done.Notes {
		p.Notes = append(p.Notes, sentence(print.Clean(n, print.MaxSaying)))
	}
	return p
}

// mfaWords is the verdict in a few words: "proven, with pwd".
func mfaWords(v claim.Verdict) string {
	words := string(v.Answer)
	if v.Answer == claim.Proven && len(v.By) > 0 {
		words += ", with " + strings.Join(v.By, " and ")
	}
	return words
}

// sentence makes our lower-case words a sentence of a page.
func sentence(s string) string {
	s = print.Clean(s, print.MaxSaying)
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?…") {
		s += "."
	}
	return s
}
