package remedy

import (
	"crypto/subtle"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
)

// signed is the text that is signed for a plan: a C2SP signed note.
func (p *Plan) signed() (string, error) {
	sum := p.SHA256()
	if sum == "" {
		return "", problem.New(problem.BadInput, "the plan holds what is no JSON, or a member twice")
	}
	return Form + "\n" + p.ID + "\n" + sum + "\n", nil
}

// Sign signs a plan in the place of a signature that it may have.
func Sign(p *Plan, signer note.Signer) error {
	text, err := p.signed()
	if err != nil {
		return err
	}
	b, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the plan cannot be signed")
	}
	p.Signature = string(b)
	return nil
}

// Signed says whose signature a plan has: the name of the key; "" when it has none. A
// signature that is of none of the keys is an error of kind problem.Forbidden, and so
// is one that is of other bytes: the plan was changed after it was signed.
func Signed(p *Plan, verifiers ...note.Verifier) (by string, err error) {
	if p.Signature == "" {
		return "", nil
	}
	n, err := note.Open([]byte(p.Signature), note.VerifierList(verifiers...))
	if err != nil {
		return "", problem.Wrap(err, problem.Forbidden, "the plan is signed by nobody who is known here").
			WithHint("take its line `signature` out: it is checked and approved anew then; or have it made here")
	}
	want, err := p.signed()
	if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare([]byte(n.Text), []byte(want)) != 1 {
		return "", problem.New(problem.Forbidden, "the plan was changed after %s signed it", n.Sigs[0].Name).
			WithHint("have it made anew; or take its line `signature` out: it is checked and approved by a second person then")
	}
	var names []string
	for _, s := range n.Sigs {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", "), nil
}
