package factor

import (
	"slices"
	"strings"
)

// Type is what a factor proves.
type Type string

// The three types.
const (
	Knowledge  Type = "knowledge"
	Possession Type = "possession"
	Inherence  Type = "inherence"
)

// The amr values of ours (RFC 8176 section 2, and Microsoft's fido).
const (
	OTP  = "otp"
	FIDO = "fido" // possession for Entra ID, also with user verification
)

// Types gives each amr value of an external method its type (contracts.md section
// 6.3). None of them is knowledge.
func Types() map[string]Type {
	all := map[string]Type{}
	for _, a := range []string{"face", "fpt", "iris", "retina", "vbm"} {
		all[a] = Inherence
	}
	for _, a := range []string{FIDO, "hwk", OTP, "pop", "sc", "sms", "swk", "tel"} {
		all[a] = Possession
	}
	return all
}

// ACRs are the seven acr values, each with the types that satisfy it.
func ACRs() map[string][]Type {
	return map[string][]Type{
		"possessionorinherence":            {Possession, Inherence},
		"knowledgeorpossession":            {Knowledge, Possession},
		"knowledgeorinherence":             {Knowledge, Inherence},
		"knowledgeorpossessionorinherence": {Knowledge, Possession, Inherence},
		"knowledge":                        {Knowledge},
		"possession":                       {Possession},
		"inherence":                        {Inherence},
	}
}

// FirstFactor is the type that an acr value says the first factor had: the one that
// it leaves out of three. "" when it says none.
func FirstFactor(acr string) Type {
	types := ACRs()[acr]
	if len(types) != 2 {
		return ""
	}
	for _, t := range []Type{Knowledge, Possession, Inherence} {
		if !slices.Contains(types, t) {
			return t
		}
	}
	return ""
}

// Answers says which factors of ours may answer a request: accept are their amr
// values, the most wanted first, and acr gives for one of them the value to answer
// with ("" for another). When none may, refused says why, and accept is empty.
//
// An amr must have been asked for, and its type must satisfy an acr that was asked
// for; an acr of two types thereby also keeps it different from the first factor.
// Values that are unknown satisfy nothing (contracts.md section 6.3).
func Answers(acrValues, amrValues []string) (accept []string, acr func(amr string) string, refused string) {
	acr = func(string) string { return "" }
	known, types := ACRs(), Types()
	var satisfied string
	heard := false
	for _, a := range acrValues {
		heard = heard || known[a] != nil
		if satisfied == "" && slices.Contains(known[a], Possession) {
			satisfied = a
		}
	}
	switch {
	case len(acrValues) == 0:
		return nil, acr, "the request asks for no acr"
	case !heard:
		return nil, acr, "the request asks for an acr that is none of the seven of Microsoft Entra ID"
	case satisfied == "":
		return nil, acr, "the request asks for a factor that is " + wanted(acrValues) + "; the factors here are possession"
	}
	for _, a := range []string{FIDO, OTP} {
		if slices.Contains(amrValues, a) && types[a] == Possession {
			accept = append(accept, a)
		}
	}
	if len(accept) == 0 {
		return nil, acr, "the request takes neither fido nor otp, and the factors here are these"
	}
	may := slices.Clone(accept)
	return accept, func(amr string) string {
		if slices.Contains(may, amr) {
			return satisfied
		}
		return ""
	}, ""
}

// wanted says which types would have satisfied, in words.
func wanted(acrValues []string) string {
	var w []string
	for _, t := range []Type{Knowledge, Possession, Inherence} {
		for _, a := range acrValues {
			if slices.Contains(ACRs()[a], t) && !slices.Contains(w, string(t)) {
				w = append(w, string(t))
			}
		}
	}
	return strings.Join(w, " or ")
}
