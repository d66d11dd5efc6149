package web

import (
	"html/template"
	"io"
	"net/http"

	"partnerguard/internal/page"
)

// Icon is GET /favicon.ico, which browsers ask for by themselves.
func Icon() Route {
	return Route{
		Name: "icon", Pattern: "GET /favicon.ico", Access: Public("a picture"),
		Handle: func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "image/svg+xml")
			w.Header().Set("Cache-Control", "public, max-age=86400")
			_, err := io.WriteString(w, page.Icon)
			return err
		},
	}
}

// Front is GET /: that this is the right server, and what is found where. lines are
// what a person without any right may know.
func Front(lines ...string) Route {
	return Route{
		Name: "front", Pattern: "GET /{$}", Access: Public("it says no more than that this is Partnerguard"), Page: true, Policy: pageSheet().Policy("'none'"),
		Handle: func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			return writeFront(w, struct {
				CSS   template.CSS
				Lines []string
			}{pageSheet().CSS, lines})
		},
	}
}
