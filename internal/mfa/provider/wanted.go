package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"partnerguard/internal/factor"
)

// Limits of the claims field.
const (
	maxValues = 64
	maxValue  = 64
)

// wanted is what the claims field of a request asks for (contracts.md section 6.2).
type wanted struct {
	accept []string                // our amr values that may answer
	acr    func(amr string) string // the value to answer with
}

var errClaims = errors.New("the claims field is not JSON of the documented form")

// readWanted reads the claims field. Members that are not ours to know are left out;
// one that is there twice, or of another type, refuses the request. refused says why
// none of our factors may answer.
func readWanted(text string) (w wanted, refused string, err error) {
	top, err := members(text)
	if err != nil {
		return w, "", err
	}
	id, err := members(string(top["id_token"]))
	if err != nil {
		return w, "", err
	}
	acr, _, err := values(id["acr"])
	if err != nil {
		return w, "", err
	}
	amr, asked, err := values(id["amr"])
	if err != nil {
		return w, "", err
	}
	if !asked { // then every one is as good
		amr = []string{factor.FIDO, factor.OTP}
	}
	w.accept, w.acr, refused = factor.Answers(acr, amr)
	return w, refused, nil
}

// values reads {"values": […]} or {"value": "…"} (OpenID Connect Core 5.5.1).
func values(raw json.RawMessage) (list []string, there bool, err error) {
	if raw == nil {
		return nil, false, nil
	}
	m, err := members(string(raw))
	if err != nil {
		return nil, false, err
	}
	switch many, single := m["values"], m["value"]; {
	case many != nil && single != nil:
		return nil, false, errClaims
	case many != nil:
		err = json.Unmarshal(many, &list)
	case single != nil:
		list = make([]string, 1)
		err = json.Unmarshal(single, &list[0])
	default:
		return nil, false, nil
	}
	if err != nil || len(list) > maxValues {
		return nil, false, errClaims
	}
	for _, v := range list {
		if v == "" || len(v) > maxValue {
			return nil, false, errClaims
		}
	}
	return list, true, nil
}

// members are those of an object, each once.
func members(text string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errClaims
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errClaims
		}
		key, _ := name.(string)
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return nil, errClaims
		}
		if _, twice := out[key]; twice {
			return nil, errClaims
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, errClaims
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // it is what the decoder gives
		return nil, errClaims
	}
	return out, nil
}
