package assert

// prefixes begin the names that only we set, lower case.
var prefixes = [...]string{
	"x-partnerguard-", "partnerguard-", "x-auth-request-", "x-ms-client-principal", "x-ms-token-", "x-forwarded-", "x-original-",
}

// names are those that only we set, whole.
var names = [...]string{
	"forwarded", "x-forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "x-rewrite-url", "x-request-id", "x-remote-user",
	"remote-user",
}

// Strip says whether a header's or trailer's name is one that nobody outside may set: it
// tells an upstream who asks, or through whom. Case does not matter, and whatever is no
// letter and no digit is a hyphen, as it is to servers that hand headers on as variables:
// some make an underscore of all of these.
func Strip(name []byte) bool {
	if len(name) < 9 {
		return false
	}
	switch name[0] | 0x20 {
	case 'x', 'p', 'f', 'r', 't':
	default:
		return false
	}
	for _, p := range prefixes {
		if len(name) >= len(p) && same(name[:len(p)], p) {
			return true
		}
	}
	for _, s := range names {
		if len(name) == len(s) && same(name, s) {
			return true
		}
	}
	return false
}

// same compares a name with one of ours of the same length.
func same(name []byte, ours string) bool {
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		default:
			c = '-'
		}
		if c != ours[i] {
			return false
		}
	}
	return true
}
