package remedy

import (
	"io"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
)

// Limits of a plan's file.
const (
	MaxFile  = 4 << 20
	MaxSteps = 2000
)

// ReadFile reads a plan strictly. Unknown members, members given twice, steps out of
// order, keys that nothing makes, ids that are none: each is an error of kind
// problem.BadInput that names the line. Its signature is not looked at: see [Signed].
func ReadFile(raw []byte) (*Plan, error) {
	return nil, problem.New(problem.Internal, "this is not built yet")
}

// Write writes a plan for people: comment stands on top, a line each, and is never read.
func (p *Plan) Write(w io.Writer, comment ...string) error {
	return problem.New(problem.Internal, "this is not built yet")
}

// Canonical are the bytes that a signature covers: everything but the signature.
func (p *Plan) Canonical() ([]byte, error) {
	return nil, problem.New(problem.Internal, "this is not built yet")
}

// SHA256 is the hash of [Plan.Canonical], in hexadecimal: what an approval is bound to.
func (p *Plan) SHA256() string { return "" }

// Check says what in a plan could not be.
func (p *Plan) Check() error { return problem.New(problem.Internal, "this is not built yet") }

// Sign signs a plan.
func Sign(p *Plan, signer note.Signer) error {
	return problem.New(problem.Internal, "this is not built yet")
}

// Signed says who signed a plan: "" when it has no signature. A signature that is of none of
// the keys or does not fit the plan is an error.
func Signed(p *Plan, verifiers ...note.Verifier) (by string, err error) {
	return "", problem.New(problem.Internal, "this is not built yet")
}
