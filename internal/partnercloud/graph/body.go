package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// maxBody bounds a request's body.
const maxBody = kit.MaxBody

func (c *call) readBody() error {
	if c.r.Method != http.MethodPost && c.r.Method != http.MethodPatch && c.r.Method != http.MethodPut || c.route.leftOut != "" {
		return nil
	}
	tooLarge := func() error {
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body is larger than %d bytes.", maxBody)
	}
	body, err := kit.ReadBody(c.r, maxBody)
	if err != nil {
		return tooLarge()
	}
	// Microsoft's generated clients compress every body they send. The limit holds
	// for what comes out.
	switch encoding := strings.ToLower(strings.TrimSpace(c.r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(z, maxBody+1))
		}
		if err != nil {
			return badRequest("Unable to read the request body: it is not gzip, as Content-Encoding says.")
		}
		if len(body) > maxBody {
			return tooLarge()
		}
	default:
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The Content-Encoding is not supported: use gzip or none.")
	}
	c.body = body
	if len(body) == 0 && c.route.bare {
		return nil
	}
	if media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The request body must be JSON: Content-Type application/json.")
	}
	return c.readObject()
}

func (c *call) readObject() error {
	if json.Unmarshal(c.body, &c.in) != nil || c.in == nil {
		return refuse(http.StatusBadRequest, "BadRequest",
			"Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	if name := kit.Twice(c.body); name != "" {
		return badRequest("The property '%s' is there twice.", name)
	}
	return nil
}
