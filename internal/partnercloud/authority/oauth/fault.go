package oauth

import (
	"fmt"
	"net/http"
	"strings"

	"partnerguard/internal/entra"
)

// Fault is a refusal with its AADSTS code (contracts.md sections 3.2, 4.2). Text
// is shown to clients and never holds a secret.
type Fault struct {
	Code   int    // AADSTS number
	Word   string // the error member
	Status int    // of a JSON answer
	Text   string // without the AADSTS prefix
	Sub    string // suberror
	Claims string // to be replayed to the authorization endpoint
}

func (f *Fault) Error() string { return fmt.Sprintf("AADSTS%d: %s", f.Code, f.Text) }

// Refuse makes the fault of a code with its usual words. Arguments fill the
// text's verbs; a code that this cloud never says is an invalid request.
func Refuse(code int, args ...any) *Fault {
	k, ok := answer(code)
	if !ok {
		k = entra.Answer{Word: "invalid_request", Text: "The request cannot be served."}
	}
	f := &Fault{Code: code, Word: k.Word, Status: http.StatusBadRequest, Text: k.Text, Sub: k.Sub}
	if k.Status != 0 {
		f.Status = k.Status
	}
	if len(args) > 0 {
		f.Text = fmt.Sprintf(k.Text, args...)
	}
	return f
}

// answer is how Entra ID says a code, as far as the contracts tell. What the
// product takes the code to mean is not looked at: it may be wrong, and this
// cloud is to show it.
func answer(code int) (entra.Answer, bool) {
	c, _ := entra.FindCode(code)
	return c.Answer, c.Answer.Word != ""
}

// Meaning is a code's text without a request's particulars; "" when it is not known.
func Meaning(code int) string {
	k, ok := answer(code)
	if !ok {
		return ""
	}
	return strings.NewReplacer("'%s'", "…", "%s", "…", "%d", "…").Replace(k.Text)
}
