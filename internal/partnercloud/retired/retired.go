package retired

import (
	"encoding/json"
	"net/http"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Hosts are the names it answers for.
func Hosts() []string { return []string{entra.AADGraphHost} }

// handler is Azure AD Graph, switched off.
type handler struct {
	api bearer.API
	now func() time.Time
}

// New makes the handler over a world.
func New(w *world.World, keys *bearer.Keys) http.Handler {
	return &handler{bearer.API{Keys: keys, World: w, Resource: entra.AppAADGraph}, w.Clock.Now}
}

// ServeHTTP refuses: first a token that is none for this API, then every app.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, code, text := http.StatusForbidden, "Authentication_Unauthorized",
		"Access blocked to AAD Graph API for this application. https://aka.ms/AzureADGraphMigration."
	if _, f := h.api.Authenticate(r); f != nil {
		status, code, text = http.StatusUnauthorized, "Authentication_MissingOrMalformed", "Access Token missing or malformed."
		if f.Code == "Expired" {
			code, text = "Authentication_ExpiredToken", "Your access token has expired. Please renew it before submitting the request."
		}
	}
	id := world.NewGUID()
	body, err := json.Marshal(map[string]any{"odata.error": map[string]any{
		"code": code, "message": map[string]string{"lang": "en", "value": text}, "requestId": id, "date": h.now().UTC().Format("2006-01-02T15:04:05"),
	}})
	if err != nil {
		panic("retired: texts have no JSON: " + err.Error())
	}
	head := w.Header()
	head.Set("Request-Id", id)
	head.Set("Cache-Control", "no-cache")
	kit.Send(w, r, status, body)
}
