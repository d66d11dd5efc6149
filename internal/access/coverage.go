package access

// Cover says whether one account is protected at every sign-in a question asks
// about.
type Cover uint8

// The covers.
const (
	NotAsked  Cover = iota // the question is not about the account
	Covered                // an enforced policy takes every such sign-in
	Open                   // some sign-in is taken by none
	Uncertain              // what is not known decides it
)

// Coverage answers a question account by account: one Cover for each of
// [Tenant.Users], eligible roles active and not taken together (the weaker
// counts). Bounded like Prove; past the bound an account is Uncertain.
func (e *Engine) Coverage(q Question) ([]Cover, error) {
	c, err := e.compile(q)
	if err != nil {
		return nil, err
	}
	out := make([]Cover, len(e.tenant.Users))
	certain, pessimist := newDiagram(e, c, false), newDiagram(e, c, true)
	weaker := [...]int{NotAsked: 0, Covered: 1, Uncertain: 2, Open: 3}
	cohorts, _ := e.cohorts(c, nil)
	for n := range cohorts {
		co := &cohorts[n]
		cover := Covered
		switch {
		case !co.perhaps && len(certain.roots(co)) > 0 && !certain.over:
			cover = Open
			if len(e.tenant.PoliciesLack) > 0 { // a further policy may close it
				cover = Uncertain
			}
		case len(pessimist.roots(co)) > 0 || certain.over:
			cover = Uncertain
		}
		for _, s := range co.subjects {
			if a := e.account(int(s)); a < len(out) && weaker[cover] > weaker[out[a]] {
				out[a] = cover
			}
		}
	}
	return out, nil
}
