package center

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
)

// fault is a refusal. Its body has the shape {code, description, data, source},
// unless the gateway refuses: then there is none, or the throttle's own shape
// (contracts.md section 2.2).
type fault struct {
	status      int
	code        any // number or text: both occur
	description string
	data        []string
	bare        bool // no body
	gateway     bool // the throttle's shape
	header      map[string]string
}

func refuse(status int, code any, format string, args ...any) *fault {
	return &fault{status: status, code: code, description: fmt.Sprintf(format, args...), data: []string{}}
}

func (f *fault) with(name, value string) *fault {
	if f.header == nil {
		f.header = map[string]string{}
	}
	f.header[name] = value
	return f
}

// maxDescription is the published bound.
const maxDescription = 1024

func (f *fault) write(w http.ResponseWriter, k *call) {
	h := w.Header()
	for name, v := range f.header {
		h.Set(name, v)
	}
	if f.bare {
		w.WriteHeader(f.status)
		return
	}
	d := f.description
	if len(d) > maxDescription {
		d = d[:maxDescription]
	}
	var body any = map[string]any{"code": f.code, "description": d, "data": f.data, "source": "PartnerApi"}
	if f.gateway {
		body = map[string]any{"statusCode": f.status, "message": d}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic("center: a refusal has no JSON: " + err.Error()) // strings and numbers alone
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(f.status)
	if k.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
}

// authentication turns a refused token into the answer of contracts.md section
// 2.2: no token 800001, another audience 900420 (Azure AD Graph's among them);
// everything else is refused by the gateway, without a body.
func authentication(f *bearer.Fault, k *call) *fault {
	switch f.Code {
	case "Missing":
		return refuse(http.StatusUnauthorized, "800001", "The access token is missing.").with("WWW-Authenticate", "Bearer")
	case "Audience":
		return refuse(http.StatusUnauthorized, 900420, "The audience of the access token is not valid for this service. Ask for a token for "+entra.PartnerCenter+".").
			with("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	out := refuse(http.StatusUnauthorized, 401, "%s", f.Text).with("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:"+k.correlation)
	out.bare = true
	return out
}

// noMFA is the refusal of an app+user call whose token lacks the MFA claim. Its
// code is a number in every other answer and a text in the rest: both were seen.
func (c *Center) noMFA() *fault {
	var code any = 900421
	if c.refused.Add(1)%2 == 0 {
		code = "900421"
	}
	return refuse(http.StatusUnauthorized, code, "MFA required: the access token does not carry the multifactor authentication claim. Sign in again with multifactor authentication.").
		with("WWW-Authenticate", `Bearer error="invalid_token"`)
}

func forbidden(format string, args ...any) *fault {
	return refuse(http.StatusForbidden, 900308, format, args...)
}

func notGUID(what string) *fault {
	return refuse(http.StatusBadRequest, "800002", "%s is not a GUID.", what)
}

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(r) }
