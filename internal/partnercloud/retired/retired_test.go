package retired_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/retired"
	"partnerguard/internal/partnercloud/world"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	w := world.New(1, world.NewClock(func() time.Time { return now }))
	w.Read(func(s *world.State) { s.Put(&world.Tenant{ID: "t", Name: "Contoso", Domains: []string{"contoso.com"}}) })
	keys, err := bearer.NewKeys(w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	token := func(aud string, life time.Duration) string {
		v, err := keys.Sign(&bearer.Claims{Audience: aud, TenantID: "t", ObjectID: "u", IssuedAt: now.Unix(), Expires: now.Add(life).Unix()})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + v
	}
	h := retired.New(w, keys)
	for name, c := range map[string]struct {
		token  string
		status int
		code   string
	}{
		"a good token":        {token("https://graph.windows.net/", time.Hour), 403, "Authentication_Unauthorized"},
		"none":                {"", 401, "Authentication_MissingOrMalformed"},
		"nonsense":            {"Bearer x.y.z", 401, "Authentication_MissingOrMalformed"},
		"for another API":     {token("https://graph.microsoft.com", time.Hour), 401, "Authentication_MissingOrMalformed"},
		"one that ran out":    {token("https://graph.windows.net", -time.Hour), 401, "Authentication_ExpiredToken"},
		"by the API's own id": {token("00000002-0000-0000-c000-000000000000", time.Hour), 403, "Authentication_Unauthorized"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPatch} {
			r := httptest.NewRequest(method, "https://graph.windows.net/t/users?api-version=1.6", nil)
			if c.token != "" {
				r.Header.Set("Authorization", c.token)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			var body struct {
				Error struct {
					Code    string `json:"code"`
					Message struct{ Lang, Value string }
				} `json:"odata.error"`
			}
			err := json.Unmarshal(rec.Body.Bytes(), &body)
			if err != nil || rec.Code != c.status || body.Error.Code != c.code || body.Error.Message.Value == "" ||
				body.Error.Message.Lang != "en" {
				t.Errorf("%s, %s: %d %s", name, method, rec.Code, rec.Body)
			}
		}
	}
}
