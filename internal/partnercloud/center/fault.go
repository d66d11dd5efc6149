package center

import (
	"encoding/json"
	"net/http"
	"strconv"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/kit"
)

// fault is a refusal. Its body has the shape {code, description, data, source},
// unless the gateway refuses: then there is none, or the throttle's own shape
// (contracts.md section 2.2). The code is a number or a text: both occur.
type fault = kit.Fault

func refuse(status int, code any, format string, args ...any) *fault {
	return kit.Refusef(status, code, format, args...)
}

// maxDescription is the published bound.
const maxDescription = 1024

func writeFault(w http.ResponseWriter, k *call, f *fault) {
	f.Headers(w.Header())
	if f.Form == kit.Bare {
		w.WriteHeader(f.Status)
		return
	}
	d := f.Text
	if len(d) > maxDescription {
		d = d[:maxDescription]
	}
	data := f.Data
	if data == nil {
		data = []string{}
	}
	var body any = map[string]any{"code": f.Code, "description": d, "data": data, "source": "PartnerApi"}
	if f.Form == kit.Gateway {
		body = map[string]any{"statusCode": f.Status, "message": d}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic("center: a refusal has no JSON: " + err.Error()) // strings and numbers alone
	}
	kit.Send(w, k.Request, f.Status, b)
}

// authentication turns a refused token into the answer of contracts.md section
// 2.2: no token 800001, another audience 900420 (Azure AD Graph's among them);
// everything else is refused by the gateway, without a body.
func authentication(f *bearer.Fault, k *call) *fault {
	switch f.Code {
	case "Missing":
		return refuse(http.StatusUnauthorized, strconv.Itoa(entra.CenterTokenMissing), "The access token is missing.").With("WWW-Authenticate", "Bearer")
	case "Audience":
		return refuse(http.StatusUnauthorized, entra.CenterAudience, "The audience of the access token is not valid for this service. Ask for a token for "+
			entra.PartnerCenter+".").
			With("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	out := refuse(http.StatusUnauthorized, 401, "%s", f.Text).With("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:"+k.correlation)
	out.Form = kit.Bare
	return out
}

// noMFA is the refusal of an app+user call whose token lacks the MFA claim. Its
// code is a number in every other answer and a text in the rest: both were seen.
func (c *Center) noMFA() *fault {
	var code any = entra.CenterNoMFA
	if c.refused.Add(1)%2 == 0 {
		code = strconv.Itoa(entra.CenterNoMFA)
	}
	return refuse(http.StatusUnauthorized, code, "MFA required: the access token does not carry the multifactor authentication claim. Sign in again "+
		"with multifactor authentication.").
		With("WWW-Authenticate", `Bearer error="invalid_token"`)
}

func forbidden(format string, args ...any) *fault {
	return refuse(http.StatusForbidden, entra.CenterPrivileges, format, args...)
}

func notGUID(what string) *fault {
	return refuse(http.StatusBadRequest, strconv.Itoa(entra.CenterMalformed), "%s is not a GUID.", what)
}
