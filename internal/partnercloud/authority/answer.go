package authority

import (
	"net/http"
	"strconv"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// errorBody is the JSON of a refusal (contracts.md section 4.2).
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	Trace       string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
	URI         string `json:"error_uri"`
	Sub         string `json:"suberror,omitempty"`
	Claims      string `json:"claims,omitempty"`
}

// writeFault answers a client, not a person.
func (a *Authority) writeFault(w http.ResponseWriter, q *request, f *oauth.Fault) {
	if _, _, basic := q.BasicAuth(); basic && f.Status == http.StatusUnauthorized { // RFC 6749 section 5.2
		w.Header().Set("WWW-Authenticate", `Basic realm="partner cloud"`)
	}
	writeJSON(w, f.Status, errorBody{
		Error: f.Word, Description: describe(q, f, "\r\n"), Codes: []int{f.Code}, Timestamp: stamp(q.now), Trace: q.trace, Correlation: q.correlation,
		URI: q.base() + "/error?code=" + strconv.Itoa(f.Code), Sub: f.Sub, Claims: f.Claims,
	})
}

// describe is error_description, with the lines support asks for.
func describe(q *request, f *oauth.Fault, sep string) string {
	return f.Error() + sep + "Trace ID: " + q.trace + sep + "Correlation ID: " + q.correlation + sep + "Timestamp: " + stamp(q.now)
}

// showFault shows a person what went wrong where there is nobody to send them
// back to.
func (a *Authority) showFault(w http.ResponseWriter, q *request, f *oauth.Fault) {
	a.showFaultBack(w, q, f, "")
}

func (a *Authority) showFaultBack(w http.ResponseWriter, q *request, f *oauth.Fault, back string) {
	status := http.StatusBadRequest
	switch f.Word {
	case "interaction_required", "invalid_grant", "access_denied":
		status = http.StatusOK // the app's request was right; the person's sign-in was not
	}
	if f.Code == entra.CodeRequestTooLarge {
		status = http.StatusRequestURITooLong
	}
	p := pages.Page{
		Title: "Sign-in stopped", Name: "fault", Code: f.Code, Text: f.Text, Back: back,
		Facts: []pages.Fact{{Name: "Error code", Value: "AADSTS" + strconv.Itoa(f.Code)}, {Name: "Trace ID", Value: q.trace},
			{Name: "Correlation ID", Value: q.correlation}, {Name: "Time", Value: stamp(q.now)}},
	}
	a.show(w, q, status, p)
}

// show renders a page.
func (a *Authority) show(w http.ResponseWriter, q *request, status int, p pages.Page) {
	if err := pages.Write(w, status, p); err != nil {
		a.log.Error("page", "name", p.Name, "err", err)
	}
}

func (a *Authority) showMissing(w http.ResponseWriter, q *request) {
	a.show(w, q, http.StatusNotFound, pages.Page{Title: "Nothing here", Name: "note", Text: "This address is not part of the partner cloud's sign-in service."})
}

func (a *Authority) showHome(w http.ResponseWriter, q *request) {
	a.show(w, q, http.StatusOK, pages.Page{Title: "Sign-in service", Name: "note",
		Text: "This is the sign-in service of a partner cloud. Apps send people here to sign in; there is nothing to do on this page."})
}

// showCode explains an AADSTS code: error_uri points here.
func (a *Authority) showCode(w http.ResponseWriter, q *request) {
	n, err := strconv.Atoi(q.URL.Query().Get("code"))
	if err != nil || n < 0 {
		a.showMissing(w, q)
		return
	}
	text := meaning(n)
	if text == "" {
		text = "This code is not known here."
	}
	a.show(w, q, http.StatusOK, pages.Page{Title: "AADSTS" + strconv.Itoa(n), Name: "note", Text: text})
}
