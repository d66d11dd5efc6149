package center

import (
	"net/http"
	"time"
)

// sentBack are the members that every resource has and that a client sends back as
// it read them.
type sentBack struct {
	Links      any `json:"links"`
	Attributes struct {
		ETag       string `json:"etag"`
		ObjectType string `json:"objectType"`
	} `json:"attributes"`
}

func get(uri string) *link { return &link{URI: uri, Method: http.MethodGet, Headers: []header{}} }

func selfLink(uri string) links { return links{Self: get(uri)} }

// stamp is a moment as Partner Center writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
