package app

import (
	"context"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/prove"
)

// Prove reads the settings and answers the questions.
func Prove(ctx context.Context, r Reading, questions []access.Question) (*prove.Report, error) {
	f, e, err := Settings(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &prove.Report{Schema: prove.SchemaID, Proofs: []*access.Proof{}, Incomplete: incomplete(f), Inputs: f.Inputs, Sample: r.Sample(), From: r.From}
	if !r.Sample() && !r.At.IsZero() {
		out.Age = f.Ages().Banner(r.At)
	}
	if len(f.Directory.Organizations) > 0 {
		out.Partner = f.Directory.Organizations[0].DisplayName
	}
	for _, q := range questions {
		p, err := e.Prove(q)
		if err != nil {
			return nil, problem.Wrap(err, problem.Usage, "the question %s cannot be asked: %s", q.Name, err)
		}
		out.Proofs = append(out.Proofs, p)
	}
	out.Complete = len(out.Incomplete) == 0
	return out, nil
}

// settingsKinds are the records that settings are proved from. A list of them
// that is not whole makes a proof incomplete; other inputs do not matter to it.
var settingsKinds = []evidence.Kind{
	evidence.ConditionalAccessPolicy, evidence.NamedLocation, evidence.AuthenticationStrength,
	evidence.User, evidence.Group, evidence.RoleAssignment, evidence.RoleEligibility, evidence.DirectoryRole, evidence.GroupEligibility,
}

func incomplete(f *facts.Facts) (why []string) {
	why = []string{}
	for i := range f.Inputs {
		in := &f.Inputs[i]
		var kinds []string
		for _, k := range settingsKinds {
			if in.Kinds[k] > 0 {
				kinds = append(kinds, string(k))
			}
		}
		switch {
		case in.Status == evidence.Unreadable:
			why = append(why, in.Path+" could not be read")
		case len(kinds) == 0:
		case in.Status == evidence.Partial:
			why = append(why, in.Path+" could only be read in part")
		case in.NextLink:
			why = append(why, in.Path+" ends with a link to a further page of "+strings.Join(kinds, ", ")+" that is not here")
		}
	}
	return append(why, f.CutSentences(settingsKinds...)...)
}
