package console

import (
	"mime"
	"net/http"

	"partnerguard/internal/screen"
)

// file hands out a file of a page: never shown by a browser as a page of ours, and kept by
// nobody on the way.
func (c *Console) file(s *screen.Screen, f *screen.File) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := c.ask(r, s)
		if err != nil {
			return err
		}
		d, err := f.Load(r.Context(), a)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", d.Type)
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
		w.Header().Set("Cache-Control", "no-store")
		_, err = w.Write(d.Body)
		return err
	}
}
