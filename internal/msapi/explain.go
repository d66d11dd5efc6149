package msapi

import "partnerguard/internal/entra"

// Explanation says what an AADSTS code means to a partner's administrator.
type Explanation struct {
	entra.Meaning
	Known bool // false for a code that we have no words for
}

// Explain explains an AADSTS code. An unknown one says so.
func Explain(code int) Explanation {
	if x, ok := explained(code); ok {
		return x
	}
	return Explanation{Meaning: entra.Meaning{
		Words: "Entra ID refused it with a code this program does not know", Bucket: entra.BucketUnknown, Final: true,
		Fix: "look the code up at " + entra.Login + "/error and sign in again with connect if that is what it asks for",
	}}
}

// Codes lists the codes that Explain knows.
func Codes() (out []int) {
	for _, c := range entra.Codes() {
		if c.Meaning.Words != "" {
			out = append(out, c.Code)
		}
	}
	return out
}

func explained(code int) (Explanation, bool) {
	c, _ := entra.FindCode(code)
	known := c.Meaning.Words != ""
	return Explanation{c.Meaning, known}, known
}
