package access

// AnyMember is the id of the stand-in for members that are not in the export.
const AnyMember = "partnerguard:any-member"

// Stranger is the subject to decide for an account that the export does not
// have: a further member whose groups and roles are not known.
func (e *Engine) Stranger() int {
	for i := range e.variants {
		if e.variants[i].ID == AnyMember {
			return len(e.tenant.Users) + i
		}
	}
	return len(e.tenant.Users) // not reached: every engine has the stand-in
}

// CanAnswer reports a registered method that can answer an MFA challenge. It is
// meaningful where MethodsKnown is set.
func (s *Subject) CanAnswer() bool { return len(s.able()) > 0 }
