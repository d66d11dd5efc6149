package signin

// bucket sorts the sign-in error codes (contracts.md section 3.2).
type bucket uint8

const (
	otherFailure bucket = iota
	mfaPrompt
	enrolmentPrompt
	otherPrompt
	mfaFailure
	externalFailure
	policyBlock
	defaultsBlock
	credentialFailure
	tokenFailure
	consentFailure
)

// bucketOf is a switch, not a map, because it stands on the fold's hot path.
func bucketOf(code int32) bucket {
	switch code {
	case 50074, 50076, 50078, 50158:
		return mfaPrompt
	case 50079, 50072:
		return enrolmentPrompt
	case 50097, 50140, 16000, 16001, 50058, 50125, 50127, 50129, 50143, 51006: // beyond the first two: (K)
		return otherPrompt
	case 500121:
		return mfaFailure
	case 50159, 50161, 50166, 50170, 50172, 5001256, 900491:
		return externalFailure
	case 53000, 53001, 53002, 53003, 53004, 53011, 530032, 530034:
		return policyBlock
	case 530035:
		return defaultsBlock
	case 50053, 50055, 50144, 50057, 50126:
		return credentialFailure
	case 50173, 70043, 700082, 70008:
		return tokenFailure
	case 65001, 65004, 65005, 650052, 650057, 90072, 90094, 90099, 50105, 50020, 50177:
		return consentFailure
	}
	return otherFailure
}
