package intake

import (
	"bytes"
	"strings"

	"partnerguard/internal/intake/text"
)

// errorAnswer begins the reason of a record that is the refusal of a service.
const errorAnswer = "an error answer instead of data"

// refuse keeps the code and the meaning of the first refusal; why is what
// stands behind errorAnswer.
func (f *file) refuse(why string) {
	if f.in.Refused == "" {
		f.in.Refused = strings.TrimPrefix(strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(why, " ("), ")", "")), ": ")
	}
	if f.in.Refused == "" {
		f.in.Refused = "without a code"
	}
}

// meanings says what the codes of refusals mean, in lower case (contracts.md
// sections 2 and 3; Microsoft Graph's and Partner Center's error pages).
var meanings = map[string]string{
	"authentication_requestfromnonpremiumtenantorb2ctenant": "the tenant has no Microsoft Entra ID P1 licence, which this request needs",
	"aadpremiumlicenserequired":                             "the tenant has no Microsoft Entra ID P2 or Governance licence, which this request needs",
	"authentication_requestfromunsupporteduserrole":         "the person who asked lacks a role that may read this",
	"authorization_requestdenied":                           "the permission or role that this request needs was missing",
	"forbidden":                                             "the permission or role that this request needs was missing",
	"accessdenied":                                          "the permission or role that this request needs was missing",
	"unauthorized":                                          "the token was missing or not accepted",
	"unauthenticated":                                       "the token was missing or not accepted",
	"invalidauthenticationtoken":                            "the token had expired or was not accepted",
	"toomanyrequests":                                       "the service asked to come back later",
	"activitylimitreached":                                  "the service asked to come back later",
	"serviceunavailable":                                    "the service was not available",
	"serviceexception":                                      "the service failed",
	"unknownerror":                                          "the service failed without saying why",
	"internalservererror":                                   "the service failed",
	"request_resourcenotfound":                              "what was asked for does not exist",
	"resourcenotfound":                                      "what was asked for does not exist",
	"request_unsupportedquery":                              "the service does not support this query",
	"badrequest":                                            "the service did not understand the request",
	"900421":                                                "MFA required: the token that asked had no MFA claim",
	"10001":                                                 "MFA required: the token that asked had no MFA claim",
	"2000":                                                  "Partner Center did not find what was asked for",
	"900400":                                                "Partner Center did not accept the request",
	"interaction_required":                                  "the person has to sign in again",
	"invalid_grant":                                         "the refresh token or code is no longer good",
	"invalid_client":                                        "the app's secret or certificate was not accepted",
}

// errorCode is " (code)" of an error object when it looks like a code, with
// what the code means where that is known.
func errorCode(raw []byte) string {
	code, said := "", ""
	text.Members(raw, func(key, val []byte) bool {
		switch string(bytes.ToLower(key)) {
		case `"error"`:
			if val[0] == '"' && code == "" {
				code = text.Unquote(val)
			}
		case `"code"`:
			if code = string(val); val[0] == '"' {
				code = text.Unquote(val)
			}
		case `"message"`, `"description"`:
			if val[0] == '"' {
				said = text.Unquote(val)
			}
		}
		return true
	})
	if code == "" || code == "null" || code[0] == '{' || code[0] == '[' {
		return ""
	}
	out := " (" + text.Clip(code) + ")"
	if words := meaning(code, said); words != "" {
		out += ": " + words
	}
	return out
}

// meaning says what a code means; the service's own text tells some apart.
func meaning(code, text string) string {
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "premium license") || strings.Contains(low, "premium licence"):
		return meanings["authentication_requestfromnonpremiumtenantorb2ctenant"]
	case strings.Contains(low, "entra id p2") || strings.Contains(low, "aad premium p2") || strings.Contains(low, "id governance license"):
		return meanings["aadpremiumlicenserequired"]
	case strings.Contains(low, "mfa required") || strings.Contains(low, "(10001)"):
		return meanings["10001"]
	}
	return meanings[strings.ToLower(code)]
}
