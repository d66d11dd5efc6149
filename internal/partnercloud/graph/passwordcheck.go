package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// kinds counts the kinds of characters in a password: small, large, digits, others.
func kinds(p string) (n int) {
	for _, set := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"} {
		if strings.ContainsAny(p, set) {
			n++
		}
	}
	if strings.ContainsFunc(p, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}) {
		n++
	}
	return n
}

// validatePassword says which rules a password keeps (Microsoft Graph beta, "user:
// validatePassword"). The text is not kept. Banned passwords are no list here: what is
// not complex is weak.
func validatePassword(c *call, _ *world.State, _ *world.Tenant) (*reply, error) {
	if err := (fields{"password": text().need().upTo(1000)}).check("", c.in); err != nil {
		return nil, err
	}
	if !given(c.in, "password") {
		return nil, badRequest("The parameter password is missing.")
	}
	p := str(c.in, "password")
	rules := []object{}
	valid := true
	for _, r := range []struct {
		name, text string
		ok         bool
	}{
		{"PasswordMinLength", "The new password must have a minimum of 8 characters.", len(p) >= 8},
		{"PasswordMaxLength", "The new password cannot contain more than 256 characters.", len(p) <= 256},
		{"PasswordComplexity", "The new password must contain characters from at least 3 out of: Lowercase characters, Uppercase characters, " +
			"Numbers, Symbols.", kinds(p) >= 3},
		{"PasswordNotBanned", "The new password must not be weak or commonly used.", checkPassword(p) == nil},
	} {
		valid = valid && r.ok
		rules = append(rules, object{{"ruleName", r.name}, {"validationPassed", r.ok}, {"message", r.text}})
	}
	return give(object{{"@odata.context", c.root() + "/$metadata#microsoft.graph.passwordValidationInformation"}, {"isValid", valid},
		{"validationResults", rules}})
}
