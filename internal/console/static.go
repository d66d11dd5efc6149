package console

import (
	"net/http"

	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

// static answers what pages load, by the very names that pages have. An old name is
// nothing any more: its page is old too.
func static() func(http.ResponseWriter, *http.Request) error {
	files := map[string]func(http.ResponseWriter, *http.Request) error{}
	for _, a := range screen.Assets() {
		files[a.Name] = web.Fixed(a.Type, a.Body)
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		h := files[r.PathValue("name")]
		if h == nil {
			return problem.New(problem.NotFound, "there is no such file").WithHint("load the page again")
		}
		return h(w, r)
	}
}
