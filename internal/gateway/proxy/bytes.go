package proxy

// What a byte may be in (RFC 3986 appendix A, RFC 9110 section 5.6.2).
const (
	unreserved = 1 << iota
	inPath     // and in a path; "/" and "%" have their own rules
	inQuery    // and in a query: with what browsers send as it stands
	inName     // and in a host's name
	inToken    // and in a header's name
	inMethod   // and in a method
	hexDigit
	inValue // and in a header's value
)

// table has what each byte may be in.
var table = makeTable()

func makeTable() (t [256]byte) {
	set := func(bit byte, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= bit
		}
	}
	const upper, lower, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
	set(unreserved|inPath, upper+lower+digits+"-._~")
	set(inPath, "!$&'()*+,;=:@[]|")
	set(inName, upper+lower+digits+"-_")
	set(inToken, upper+lower+digits+"!#$%&'*+-.^_`|~")
	set(inMethod, upper+"-")
	set(hexDigit, digits+"abcdefABCDEF")
	for c := range t {
		if c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '<' && c != '>' {
			t[c] |= inQuery
		}
		if c >= ' ' && c != 0x7f || c == '\t' {
			t[c] |= inValue
		}
	}
	return t
}
