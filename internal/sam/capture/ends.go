package capture

import (
	"net/http"
	"sync"
	"time"

	"partnerguard/internal/token"
)

// Bounds of the pages that are kept for browsers to be sent on to.
const (
	endLife = 10 * time.Minute
	maxEnds = 1000
)

// Ends are the pages at the end of sign-ins. The address an answer comes to has the
// authorization code in it, and stays in the address bar, in the history and in what a
// person copies from there: the browser is sent on to the page instead. Each page has
// an address that nobody guesses, and is forgotten after ten minutes. Safe for
// concurrent use.
type Ends struct {
	now func() time.Time

	mu   sync.Mutex
	kept map[string]end // by name
}

type end struct {
	page  card
	until time.Time
}

// NewEnds makes an empty one; a nil now is the machine's clock.
func NewEnds(now func() time.Time) *Ends {
	if now == nil {
		now = time.Now
	}
	return &Ends{now: now, kept: map[string]end{}}
}

// send keeps the page and sends the browser to prefix with the page's name. Where too
// many are kept, the page is the answer itself.
func (e *Ends) send(w http.ResponseWriter, r *http.Request, prefix string, p card) {
	name, now := token.Text().Reveal(), e.now()
	e.mu.Lock()
	for n, old := range e.kept {
		if left := old.until.Sub(now); left <= 0 || left > endLife {
			delete(e.kept, n)
		}
	}
	full := len(e.kept) >= maxEnds
	if !full {
		e.kept[name] = end{p, now.Add(endLife)}
	}
	e.mu.Unlock()
	if full {
		show(w, http.StatusOK, p, "'none'")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, prefix+name, http.StatusSeeOther)
}

// SendInvited sends an invited partner's browser on to the page of how it ended;
// [Ends.Show] shows it.
func (e *Ends) SendInvited(w http.ResponseWriter, r *http.Request, prefix string, done Done, err error) {
	e.send(w, r, prefix, invitedPage(done, err))
}

// Show answers with the page of that name, and says whether there is one.
func (e *Ends) Show(w http.ResponseWriter, name string) bool {
	e.mu.Lock()
	p, ok := e.kept[name]
	e.mu.Unlock()
	if !ok || !e.now().Before(p.until) {
		return false
	}
	show(w, http.StatusOK, p.page, "'none'")
	return true
}
