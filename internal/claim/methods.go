package claim

import "slices"

// methods are the values of amr that Entra ID writes or a provider may send, in
// words (contracts.md sections 1.2 and 6).
var methods = map[string]string{
	"pwd": "a password", "rsa": "a key or certificate", "wia": "Windows integrated sign-in", "fed": "a federated provider", "hwk": "a hardware key",
	"swk": "a software key", "fido": "a passkey or security key", "otp": "a one-time code", "sms": "a text message", "tel": "a phone call",
	"pop": "a key in its possession", "sc": "a smart card", "face": "face recognition", "fpt": "a fingerprint", "iris": "an iris scan",
	"retina": "a retina scan", "vbm": "a voice",
	// No method: a mark of a strong sign-in minutes ago, which lets the person register one.
	"ngcmfa": "MFA fresh enough to register a method",
}

// Methods are values of amr beside "mfa" as people read them, methods first; one that
// is not known stays as it is.
func Methods(by []string) []string {
	out, last := []string{}, ""
	for _, m := range by {
		words, known := methods[m]
		switch {
		case m == "ngcmfa":
			last = words
		case !known:
			out = append(out, short(m))
		case !slices.Contains(out, words):
			out = append(out, words)
		}
	}
	if last != "" {
		out = append(out, last)
	}
	return out
}
