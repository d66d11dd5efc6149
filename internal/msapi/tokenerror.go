package msapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
)

// TokenError is a token endpoint's refusal, or that there was no answer. Branch
// on Code, then Err (contracts.md section 4.2). It unwraps to a problem.Error
// with the words and the next step of [Explain].
type TokenError struct {
	Status int    // of HTTP; 0 when there was no answer
	Code   int    // AADSTS code: the first of error_codes; 0 when none came
	Err    string // "invalid_grant", "interaction_required", …; "no answer", "unreadable answer" are ours
	Sub    string // suberror, when one came
	// Transient says that the same request may work later without anybody doing
	// anything. A refresh token is never to be given up for a transient error.
	Transient  bool
	RetryAfter time.Duration // when the answer said so
	Claims     string        // JSON of a claims challenge to be met by signing in; "" when none came
	// Correlation is what Microsoft's support asks for; "" when none came.
	Correlation string

	way    string // what went wrong on the way, when there was no answer
	public *problem.Error
}

// Error is one sentence for anyone, without a word of the answer's own.
func (e *TokenError) Error() string { return e.explained().Public }

// Public is the sentence of Error.
func (e *TokenError) Public() string { return e.explained().Public }

// Fix is what to do next.
func (e *TokenError) Fix() string { return e.explained().Hint }

// Unwrap gives the problem with its kind and hint.
func (e *TokenError) Unwrap() error { return e.explained() }

// Explanation explains the refusal: by its code, else by its error word.
func (e *TokenError) Explanation() Explanation {
	if x, ok := explained(e.Code); ok {
		return x
	}
	if e.Transient {
		return Explanation{Meaning: entra.Meaning{Words: "Entra ID could not answer just now", Fix: "nothing to do: it is tried again",
			Bucket: entra.BucketTransient}}
	}
	if m, ok := entra.ExplainWord(e.Err); ok {
		return Explanation{m, true}
	}
	return Explain(e.Code)
}

func newTokenError(e *TokenError) *TokenError {
	e.public = e.explained()
	return e
}

func (e *TokenError) explained() *problem.Error {
	if e.public != nil {
		return e.public
	}
	x := e.Explanation()
	kind := problem.BadInput
	if e.Transient {
		kind = problem.Limit
	}
	words := x.Words
	switch {
	case e.way != "":
		words = "Entra ID could not be asked: " + e.way
		x.Fix = "check the network and try again; nothing was lost"
	case e.Code != 0:
		words = fmt.Sprintf("%s (AADSTS%d)", words, e.Code)
	case e.Err != "" && !e.Transient:
		words = fmt.Sprintf("%s (%s)", words, e.Err)
	case e.Status != 0 && e.Transient:
		words = fmt.Sprintf("%s (HTTP %d)", words, e.Status)
	}
	return problem.New(kind, "%s", words).WithHint("%s", x.Fix)
}

// maxClaims bounds a claims challenge that is replayed.
const maxClaims = 8 << 10

// readTokenError reads a refusal. What does not have the shape of Entra ID's
// own is taken for an accident on the way: only Entra ID can reject.
func readTokenError(res *sent) *TokenError {
	e := &TokenError{Status: res.status, RetryAfter: res.after}
	var in struct {
		Error       string          `json:"error"`
		Codes       []number        `json:"error_codes"`
		Sub         string          `json:"suberror"`
		Claims      json.RawMessage `json:"claims"`
		Correlation string          `json:"correlation_id"`
	}
	if json.Unmarshal(res.body, &in) != nil || !isWord(in.Error) {
		e.Transient = true
		e.Err = "unreadable answer"
		if res.status != http.StatusTooManyRequests && res.status < 500 {
			e.way = fmt.Sprintf("something between here and there answered (HTTP %d)", res.status)
		}
		return newTokenError(e)
	}
	e.Err = in.Error
	if len(in.Codes) > 0 && in.Codes[0] > 0 && in.Codes[0] < 1e9 {
		e.Code = int(in.Codes[0])
	}
	if isWord(in.Sub) {
		e.Sub = in.Sub
	}
	if isGUID(in.Correlation) {
		e.Correlation = in.Correlation
	}
	e.Claims = claimsText(in.Claims)
	e.Transient = transient(res.status, e.Code, e.Err)
	return newTokenError(e)
}

// transient tells what may pass by itself from a rejection.
func transient(status, code int, word string) bool {
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		return true
	}
	if x, ok := explained(code); ok {
		return !x.Final
	}
	return word == "temporarily_unavailable" || word == "server_error"
}

// claimsText takes a claims member that is an object, or an object as text.
func claimsText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	var object map[string]json.RawMessage
	if text == "" || len(text) > maxClaims || json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return ""
	}
	return text
}

// isWord holds an error word to what the standards allow, and short.
func isWord(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.')
	})
}
