package world

import (
	"crypto/rand"
	"crypto/subtle"
	"time"
)

// TemporaryPass is a Temporary Access Pass: a secret of an administrator's making
// that counts as two factors for a while.
type TemporaryPass struct {
	Hash    string    `json:"hash"`
	Start   time.Time `json:"start"`
	Minutes int       `json:"minutes"`
	Once    bool      `json:"once,omitempty"`
	Used    time.Time `json:"used,omitzero"` // of a pass for one use
}

// NewPass makes a pass of so many characters, bound to its method's id, and shows it
// this once.
func NewPass(id string, length int) (pass *TemporaryPass, secret string) {
	// Letters and digits that nobody mistakes for each other.
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
	b := make([]byte, length)
	for i := 0; i < length; {
		var one [1]byte
		_, _ = rand.Read(one[:])
		if n := int(one[0]); n < len(letters)*(256/len(letters)) { // every letter alike
			b[i] = letters[n%len(letters)]
			i++
		}
	}
	return &TemporaryPass{Hash: HashSecret(id + "\x00" + string(b))}, string(b)
}

// End is when it ends to be taken.
func (p *TemporaryPass) End() time.Time { return p.Start.Add(time.Duration(p.Minutes) * time.Minute) }

// Reason says whether it can be used at a moment: "" or what is in the way, in the
// words of methodUsabilityReason.
func (p *TemporaryPass) Reason(now time.Time) string {
	switch {
	case p == nil || !now.Before(p.End()):
		return "Expired"
	case now.Before(p.Start):
		return "NotYetValid"
	case p.Once && !p.Used.IsZero():
		return "OneTimeUsed"
	}
	return ""
}

// Is compares a secret in constant time.
func (p *TemporaryPass) Is(id, secret string) bool {
	return p != nil && subtle.ConstantTimeCompare([]byte(p.Hash), []byte(HashSecret(id+"\x00"+secret))) == 1
}

// Combination is what it proves, as authentication strengths name it.
func (p *TemporaryPass) Combination() string {
	if p != nil && !p.Once {
		return "temporaryAccessPassMultiUse"
	}
	return "temporaryAccessPassOneTime"
}
