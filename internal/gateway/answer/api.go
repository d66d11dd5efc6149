package answer

import (
	"encoding/json"
	"net/http"

	"partnerguard/internal/gateway"
)

// Problem is the body of a refusal (RFC 9457). Its members are stable.
type Problem struct {
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail,omitempty"`
	Reason  string `json:"reason"` // the word of [gateway.Reason]
	Fix     string `json:"fix,omitempty"`
	Request string `json:"request,omitempty"` // its id, for whoever looks into the trail
}

const noChallenge = "its client does not declare that it understands claims challenges (client capability cp1), so none is sent"

// api answers a program.
func api(d *gateway.Decision, r *gateway.Request, o Options) Answer {
	kind, able := d.Reason.Kind(), Able(d.Identity)
	p := Problem{Title: d.Reason.Title(), Status: status(kind, able), Reason: d.Reason.String(), Fix: d.Reason.Fix(), Request: r.ID}
	if kind == gateway.Serve {
		p.Title, p.Reason, p.Fix = gateway.BadRequest.Title(), gateway.BadRequest.String(), gateway.BadRequest.Fix()
	}
	var a Answer
	if p.Status == http.StatusUnauthorized {
		a.set("WWW-Authenticate", Challenge(d.Route, d.Reason, r.Now, o))
	} else if kind == gateway.Challenge {
		p.Detail = noChallenge
	}
	a.Status = p.Status
	a.set("Content-Type", "application/problem+json")
	a.Body, _ = json.Marshal(p) // texts and a number alone
	return a
}
