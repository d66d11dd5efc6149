package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// Mount answers calendars.
func (s *Store) Mount(m web.Mux) error {
	m.Handle(web.Route{Name: "alert.calendar", Pattern: "GET /calendar/{file}", Access: web.Own("the calendar's own secret in its address, of 256 bits"),
		Handle: s.calendar})
	return nil
}

// calendar answers with a calendar. Whoever has no right secret learns nothing but that
// there is none.
func (s *Store) calendar(w http.ResponseWriter, r *http.Request) error {
	key, is := strings.CutSuffix(r.PathValue("file"), ".ics")
	if !is {
		return problem.New(problem.NotFound, "there is no such calendar")
	}
	f, err := s.feedOf(r.Context(), key)
	if err != nil {
		return err
	}
	body, err := s.Calendar(r.Context(), f)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="partnerguard.ics"`)
	for want := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if want = strings.TrimPrefix(strings.TrimSpace(want), "W/"); want == tag || want == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	_, err = w.Write(body)
	return err
}
